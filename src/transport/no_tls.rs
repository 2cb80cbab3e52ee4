//! Stands in for TLS where the library was built without it.

use std::sync::Arc;

use tokio::net::TcpStream;

use super::{Endpoint, Step, Stream, TransportError};

/// Never made: without TLS no connection is wrapped.
pub type Tls = TcpStream;

#[derive(Debug, Default)]
pub struct TlsCache;

pub async fn wrap(_: Stream, endpoint: &Endpoint, _: &Arc<TlsCache>) -> Result<Tls, TransportError> {
    let message =
        format!("{:?} asks for TLS, but this library was built without the feature \"tls\"", endpoint.host);
    Err(TransportError::new(Step::Tls, message))
}
