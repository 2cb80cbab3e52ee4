//! TLS by rustls with ring and the platform's own certificate verifier.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::{pki_types::ServerName, ClientConfig};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::{client::TlsStream, TlsConnector};

use super::{Endpoint, Step, Stream, TransportError};

pub type Tls = TlsStream<Stream>;

/// The configuration is made once and shared: it holds the platform's certificates and the sessions to resume.
#[derive(Debug, Default)]
pub struct TlsCache(Mutex<Option<Arc<ClientConfig>>>);

impl TlsCache {
    fn config(&self) -> Result<Arc<ClientConfig>, TransportError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*kept {
            return Ok(config.clone());
        }
        let config = Arc::new(build()?);
        *kept = Some(config.clone());
        Ok(config)
    }
}

fn build() -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = |error: rustls::Error| {
        let message = format!("no trusted certificates of this system could be used: {error}");
        TransportError::new(Step::Tls, message)
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_platform_verifier()
        .map_err(failed)?;
    Ok(builder.with_no_client_auth())
}

/// Wraps a connection in TLS.
pub async fn wrap(stream: Stream, endpoint: &Endpoint, cache: &Arc<TlsCache>) -> Result<Tls, TransportError> {
    let failed = |message: String| TransportError::new(Step::Tls, message);
    // Reading the system's certificates takes milliseconds of disk and CPU: not on the network thread.
    let loading = cache.clone();
    let config = tokio::task::spawn_blocking(move || loading.config())
        .await
        .map_err(|error| failed(format!("reading the system's certificates failed: {error}")))??;
    let name = ServerName::try_from(endpoint.host.clone())
        .map_err(|error| failed(format!("{:?} is no name for TLS: {error}", endpoint.host)))?;
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
        let hint = if is_no_tls(&error) { "; the server does not speak TLS there" } else { "" };
        failed(format!("the TLS handshake with {:?} failed: {error}{hint}", endpoint.host))
    })
}

/// Did something come that is no TLS record?
fn is_no_tls(error: &std::io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidMessage(_)))
}
