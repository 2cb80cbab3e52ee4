//! Stands in for TLS where the library was built without it.

use std::{io, sync::Arc};

use tokio::net::TcpStream;

use super::{Step, Stream, TransportError};

/// Never made: without TLS no connection is wrapped.
pub type Tls = TcpStream;

const MISSING: &str = "this library was built without the feature \"tls\"";

#[derive(Clone, Debug, Default)]
pub struct TlsSettings(());

impl TlsSettings {
    pub fn are_default(&self) -> bool {
        true
    }

    pub fn verifies(&self) -> bool {
        true
    }

    pub fn trust(&mut self, _: &str) -> Result<(), String> {
        Err(MISSING.into())
    }

    pub fn identify(&mut self, _: &str, _: &str) -> Result<(), String> {
        Err(MISSING.into())
    }

    pub fn pin(&mut self, _: &str) -> Result<(), String> {
        Err(MISSING.into())
    }

    pub fn expect_name(&mut self, _: &str) -> Result<(), String> {
        Err(MISSING.into())
    }

    pub fn skip_verification(&mut self) -> Result<(), String> {
        Err(MISSING.into())
    }
}

#[derive(Debug, Default)]
pub struct TlsCache(());

impl TlsCache {
    pub fn new(_: TlsSettings) -> Self {
        TlsCache(())
    }
}

pub async fn wrap(_: Stream, host: &str, _: &Arc<TlsCache>) -> Result<(Tls, bool), TransportError> {
    Err(TransportError::new(Step::Tls, format!("{host:?} asks for TLS, but {MISSING}")))
}

pub fn late_failure(_: &io::Error, _: &TlsSettings) -> Option<String> {
    None
}

pub fn certificate_hint(_: &TlsSettings) -> &'static str {
    ""
}
