//! What the caller's options say about TLS, checked when the client is made.

use std::sync::Arc;

use base64::{engine::general_purpose::STANDARD, Engine};
use ring::digest::{digest, SHA256};
use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer},
    sign::CertifiedKey,
    Error, InconsistentKeys, RootCertStore,
};
use zeroize::Zeroizing;

/// The name of a hash in front of a pin, as curl and HPKP write it.
const PIN_PREFIX: &str = "sha256/";

/// The SHA-256 of a SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Reads `sha256/<base64>`, or curl's `sha256//<base64>`.
    fn parse(text: &str) -> Option<Self> {
        let base64 = text.strip_prefix(PIN_PREFIX)?;
        // A digest may begin with a slash, too: only its length tells.
        let decode = |base64: &str| STANDARD.decode(base64).ok().and_then(|digest| digest.try_into().ok());
        let digest = decode(base64).or_else(|| decode(base64.strip_prefix('/')?));
        digest.map(Pin)
    }

    pub fn of(key: &SubjectPublicKeyInfoDer<'_>) -> Self {
        let mut pin = [0; 32];
        pin.copy_from_slice(digest(&SHA256, key).as_ref());
        Pin(pin)
    }
}

impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{PIN_PREFIX}{}", STANDARD.encode(self.0))
    }
}

/// The caller's authorities.
#[derive(Clone, Debug)]
pub struct Roots {
    pub store: RootCertStore,
    /// As they were given: one may be the server's own certificate.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// By default the platform's own verifier decides, and there is no client certificate.
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// In place of the system's authorities.
    pub roots: Option<Roots>,
    pub identity: Option<Arc<CertifiedKey>>,
    /// The server's public key has to be one of these.
    pub pins: Vec<Pin>,
    /// Sent (SNI) and verified in place of the host.
    pub name: Option<ServerName<'static>>,
    pub unverified: bool,
}

impl TlsSettings {
    pub fn are_default(&self) -> bool {
        let TlsSettings { roots, identity, pins, name, unverified } = self;
        roots.is_none() && identity.is_none() && pins.is_empty() && name.is_none() && !unverified
    }

    pub fn verifies(&self) -> bool {
        !self.unverified
    }

    /// Trusts these authorities, and no longer those of the system.
    pub fn trust(&mut self, pem: &str) -> Result<(), String> {
        let empty = || Roots { store: RootCertStore::empty(), certificates: Vec::new() };
        let roots = self.roots.get_or_insert_with(empty);
        for (at, certificate) in certificates(pem)?.into_iter().enumerate() {
            let added = roots.store.add(certificate.clone());
            added.map_err(|error| format!("certificate {}: {error}", at + 1))?;
            roots.certificates.push(certificate);
        }
        Ok(())
    }

    /// Shows a certificate with its chain to servers that ask for one.
    pub fn identify(&mut self, chain: &str, key: &str) -> Result<(), String> {
        if key.contains("ENCRYPTED") {
            return Err(
                "the key is encrypted, and decrypting is not built; \"openssl pkey -in key.pem\" prints it decrypted".into()
            );
        }
        let chain = certificates(chain)?;
        // What is wrong with a key is not said, for a part of it might be.
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map(Zeroizing::new);
        let key = key.map_err(|_| "there is no private key in PEM form (-----BEGIN PRIVATE KEY-----)")?;
        self.identity = Some(Arc::new(identity(chain, &key).map_err(|error| error.to_string())?));
        Ok(())
    }

    pub fn pin(&mut self, text: &str) -> Result<(), String> {
        let pin = Pin::parse(text)
            .ok_or_else(|| format!("what is there is not {PIN_PREFIX} and the base64 of 32 bytes"))?;
        self.pins.push(pin);
        Ok(())
    }

    pub fn expect_name(&mut self, name: &str) -> Result<(), String> {
        let read = ServerName::try_from(name.to_owned()).map_err(|error| format!("{name:?}: {error}"))?;
        self.name = Some(read);
        Ok(())
    }

    pub fn skip_verification(&mut self) -> Result<(), String> {
        self.unverified = true;
        Ok(())
    }
}

/// `CertifiedKey::from_der` would take the key, and not wipe it.
fn identity(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'_>) -> Result<CertifiedKey, Error> {
    let identity = CertifiedKey::new(chain, any_supported_type(key)?);
    match identity.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(identity),
        Err(error) => Err(error),
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => {
            Err("there is no certificate in PEM form (-----BEGIN CERTIFICATE-----)".into())
        }
        Ok(found) => Ok(found),
        Err(_) => Err("a certificate is no valid PEM".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_in_both_forms_and_written_in_one() {
        for first in [0, 0xff] {
            // The base64 of 0xff.. begins with a slash.
            let digest = STANDARD.encode([first; 32]);
            for text in [format!("sha256/{digest}"), format!("sha256//{digest}")] {
                assert_eq!(Pin::parse(&text).unwrap().to_string(), format!("sha256/{digest}"));
            }
        }
        let digest = &*STANDARD.encode([0; 32]);
        for text in ["", digest, "sha256/", "sha1/AAAA", "sha256/AAAA", "sha256/???"] {
            assert_eq!(Pin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_that_does_not_fit_is_named() {
        let new = || {
            let key = rcgen::KeyPair::generate().unwrap();
            let certificate =
                rcgen::CertificateParams::new(["h".to_owned()]).unwrap().self_signed(&key).unwrap();
            (certificate.pem(), key.serialize_pem())
        };
        let ((certificate, key), (_, other)) = (new(), new());
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (certificate, key, fault) in [
            (&*certificate, &*key, ""),
            (&certificate, &other, "KeyMismatch"),
            (&certificate, encrypted, "encrypted"),
            (&certificate, &certificate, "no private key"),
            (&key, &key, "no certificate"),
            ("", &key, "no certificate"),
        ] {
            let error = TlsSettings::default().identify(certificate, key).err().unwrap_or_default();
            assert!(error.contains(fault) && error.is_empty() == fault.is_empty(), "{fault}: {error}");
        }
    }
}
