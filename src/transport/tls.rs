//! TLS by rustls with ring and the platform's own certificate verifier, unless the caller says otherwise.

use std::{
    cell::Cell,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    client::ResolvesClientCert, pki_types::ServerName, sign::CertifiedKey, AlertDescription,
    CertificateError, ClientConfig, Error, SignatureScheme,
};
use tokio_rustls::{client::TlsStream, TlsConnector};

pub use super::tls_settings::TlsSettings;
use super::{
    verifier::{NotPinned, Verifier},
    Step, Stream, TransportError,
};

pub type Tls = TlsStream<Stream>;

/// The configuration of these settings. It is made once: it holds the platform's certificates and the sessions to resume.
#[derive(Debug, Default)]
pub struct TlsCache {
    settings: TlsSettings,
    kept: Mutex<Option<Arc<ClientConfig>>>,
}

impl TlsCache {
    pub fn new(settings: TlsSettings) -> Self {
        TlsCache { settings, kept: Mutex::default() }
    }

    fn config(&self) -> Result<Arc<ClientConfig>, TransportError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*kept {
            return Ok(config.clone());
        }
        let config = Arc::new(build(&self.settings).map_err(|error| {
            let message = match self.settings.roots {
                None => format!("no trusted certificates of this system could be used: {error}"),
                Some(_) => format!("the TLS options could not be used: {error}"),
            };
            TransportError::new(Step::Tls, message)
        })?);
        *kept = Some(config.clone());
        Ok(config)
    }

    /// The configuration, where it was made already; does not wait while another thread makes it.
    fn kept(&self) -> Option<Arc<ClientConfig>> {
        self.kept.try_lock().ok().and_then(|kept| kept.clone())
    }

    fn name_of(&self, host: &str) -> Result<ServerName<'static>, TransportError> {
        match &self.settings.name {
            Some(name) => Ok(name.clone()),
            None => ServerName::try_from(host.to_owned()).map_err(|error| {
                TransportError::new(Step::Tls, format!("{host:?} is no name for TLS: {error}"))
            }),
        }
    }
}

fn build(settings: &TlsSettings) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Verifier::new(settings, provider.clone())?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Ok(builder.with_client_cert_resolver(Arc::new(Identity(settings.identity.clone()))))
}

/// Wraps a connection in TLS; says, too, whether the server asked for a certificate of the client.
pub async fn wrap(stream: Stream, host: &str, cache: &Arc<TlsCache>) -> Result<(Tls, bool), TransportError> {
    let failed = |message: String| TransportError::new(Step::Tls, message);
    let config = config_of(cache).await?;
    let name = cache.name_of(host)?;
    let connecting = ASKED.scope(Cell::new(false), async {
        let connected = TlsConnector::from(config).connect(name, stream).await;
        (connected, ASKED.with(Cell::get))
    });
    match connecting.await {
        (Ok(tls), asked) => Ok((tls, asked)),
        (Err(error), _) => {
            let what = explain(&error, &cache.settings);
            Err(failed(format!("the TLS handshake with {host:?} failed: {what}")))
        }
    }
}

/// Reading the system's certificates takes milliseconds of disk and CPU: not on the network thread. What is kept is taken
/// at once, for the one thread for such work also looks up names, and may hang in that for long.
async fn config_of(cache: &Arc<TlsCache>) -> Result<Arc<ClientConfig>, TransportError> {
    if let Some(config) = cache.kept() {
        return Ok(config);
    }
    let loading = cache.clone();
    let loaded = tokio::task::spawn_blocking(move || loading.config()).await;
    loaded.map_err(|error| {
        TransportError::new(Step::Tls, format!("reading the system's certificates failed: {error}"))
    })?
}

tokio::task_local! {
    /// Did the server ask for a certificate in the handshake that is going on? Some servers (Node.js) close the connection
    /// without a word when they do not like what they get, so that nothing else tells. Not a resolver for each connection,
    /// because rustls resumes no session with another one.
    static ASKED: Cell<bool>;
}

/// The client's certificate, if there is one; listens to the server's question.
#[derive(Debug)]
struct Identity(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // Outside of `wrap` nobody wants to know.
        let _ = ASKED.try_with(|asked| asked.set(true));
        self.0.clone()
    }

    // It is asked only where it says so.
    fn has_certs(&self) -> bool {
        true
    }
}

/// The words for a failure of TLS behind the handshake: with TLS 1.3 a server tells only then what it thinks of our
/// certificate. Nothing for any other failure.
pub fn late_failure(error: &io::Error, settings: &TlsSettings) -> Option<String> {
    matches!(cause(error)?, Error::AlertReceived(_))
        .then(|| format!("the server ended TLS: {}", explain(error, settings)))
}

/// What to add where a server that asked for a certificate closed the connection.
pub fn certificate_hint(settings: &TlsSettings) -> &'static str {
    match settings.identity {
        None => "; it asked for a client certificate (options \"cert\" and \"key\")",
        Some(_) => "; it may not take the client certificate of the option \"cert\"",
    }
}

fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// What failed, and what may help.
fn explain(error: &io::Error, settings: &TlsSettings) -> String {
    let hint = match cause(error) {
        Some(Error::InvalidMessage(_)) => "; the server does not speak TLS there",
        Some(Error::InvalidCertificate(fault)) => {
            if let Some(not_pinned) = not_pinned(fault) {
                return not_pinned.to_string();
            }
            authority_hint(fault, settings)
        }
        Some(Error::AlertReceived(alert)) => alert_hint(*alert, settings),
        _ => "",
    };
    format!("{error}{hint}")
}

fn not_pinned(fault: &CertificateError) -> Option<&NotPinned> {
    match fault {
        CertificateError::Other(other) => other.0.downcast_ref(),
        _ => None,
    }
}

fn authority_hint(fault: &CertificateError, settings: &TlsSettings) -> &'static str {
    match (fault, &settings.roots) {
        (CertificateError::UnknownIssuer, Some(_)) => "; no authority of the option \"ca\" has signed it",
        (CertificateError::UnknownIssuer, None) => "; an authority of your own goes into the option \"ca\"",
        (CertificateError::Other(other), _)
            if other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) =>
        {
            "; it is an authority's own, which has to be in the option \"ca\" itself"
        }
        _ => "",
    }
}

fn alert_hint(alert: AlertDescription, settings: &TlsSettings) -> &'static str {
    use AlertDescription as Alert;
    match (alert, &settings.identity) {
        (Alert::CertificateRequired | Alert::HandshakeFailure, None) => {
            "; it may want a client certificate (options \"cert\" and \"key\")"
        }
        (
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::AccessDenied
            | Alert::DecryptError,
            Some(_),
        ) => "; it does not take the client certificate of the option \"cert\"",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[test]
    fn a_lookup_that_hangs_delays_no_handshake_whose_configuration_is_kept() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(1).enable_time().build().unwrap();
        let cache = Arc::<TlsCache>::default();
        runtime.block_on(async {
            let made = config_of(&cache).await.unwrap();
            let (go_on, told) = mpsc::channel::<()>();
            let lookup = tokio::task::spawn_blocking(move || told.recv());
            let kept = tokio::time::timeout(Duration::from_secs(20), config_of(&cache)).await;
            assert!(Arc::ptr_eq(&made, &kept.expect("it does not wait for the lookup").unwrap()));
            go_on.send(()).unwrap();
            lookup.await.unwrap().unwrap();
        });
    }
}
