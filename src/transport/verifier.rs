//! Decides whether the server is the one that is meant: by the platform, or by the caller's authorities, and by pins.

use std::{fmt, sync::Arc};

use rustls::{
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name, WebPkiServerVerifier,
    },
    crypto::{verify_tls12_signature, verify_tls13_signature, CryptoProvider},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
    CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};

use super::tls_settings::{Pin, TlsSettings};

#[derive(Debug)]
pub struct Verifier {
    /// Nobody where the caller does not want certificates verified.
    chain: Option<Arc<dyn ServerCertVerifier>>,
    /// The caller's own authorities.
    own: Vec<CertificateDer<'static>>,
    pins: Vec<Pin>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub fn new(settings: &TlsSettings, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let chain: Option<Arc<dyn ServerCertVerifier>> = match &settings.roots {
            _ if settings.unverified => None,
            None => Some(Arc::new(rustls_platform_verifier::Verifier::new(provider.clone())?)),
            Some(roots) => {
                let roots = Arc::new(roots.store.clone());
                let built = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
                Some(built.map_err(|error| Error::General(error.to_string()))?)
            }
        };
        let own = settings.roots.as_ref().map(|roots| roots.certificates.clone()).unwrap_or_default();
        Ok(Verifier { chain, own, pins: settings.pins.clone(), provider })
    }

    /// `openssl req -x509` makes a certificate that is its own authority, and the official documentation puts it on the server
    /// and into `ca`. webpki takes none for a server that may sign others; OpenSSL does, where it is the very same. By then
    /// webpki has looked at the dates, so that the name is left.
    fn is_own(&self, error: &Error, certificate: &CertificateDer<'_>) -> bool {
        let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
        let is_authority = other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity);
        is_authority && self.own.iter().any(|own| own == certificate)
    }

    /// The pins are of the server's own key, as with curl: what it sends behind its certificate proves nothing.
    fn check_pins(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if self.pins.is_empty() {
            return Ok(());
        }
        let found = Pin::of(&ParsedCertificate::try_from(certificate)?.subject_public_key_info());
        match self.pins.contains(&found) {
            true => Ok(()),
            false => {
                let other = OtherError(Arc::new(NotPinned(found)));
                Err(CertificateError::Other(other).into())
            }
        }
    }
}

/// The server has another public key than those that are pinned.
#[derive(Debug)]
pub struct NotPinned(pub Pin);

impl std::error::Error for NotPinned {}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server's public key is {}, which the option \"pinnedPublicKeys\" does not name",
            self.0
        )
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(chain) = &self.chain {
            if let Err(error) = chain.verify_server_cert(certificate, intermediates, name, ocsp, now) {
                if !self.is_own(&error, certificate) {
                    return Err(error);
                }
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
            }
        }
        self.check_pins(certificate)?;
        Ok(ServerCertVerified::assertion())
    }

    // Also where the certificate is not verified, the server has to have the key that is in it.

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
