//! Where the server is and what the caller's options say about the way to it.

use std::net::IpAddr;

use super::{tls::TlsSettings, Endpoint, Headers, Proxy};

#[derive(Clone, Debug)]
pub struct Access {
    pub endpoint: Endpoint,
    pub headers: Headers,
    pub proxy: Option<Proxy>,
    pub tls: TlsSettings,
    /// The address of this machine that connections come from.
    pub local_address: Option<IpAddr>,
}
