//! Certificates for the tests, and servers that have them.

use std::path::PathBuf;

use rcgen::{
    date_time_ymd, BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair,
};
use tempfile::TempDir;

use super::{socketio, Server};

/// An authority that signs certificates, and the folder for the files.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    folder: TempDir,
}

pub struct Certificate {
    pub params: CertificateParams,
}

impl Certificate {
    pub fn of(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).into()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, "im-client test server");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Certificate { params }
    }

    /// Signed by itself, and allowed to sign others; with its key.
    pub fn self_signed_authority(mut self) -> (String, String) {
        self.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = self.params.self_signed(&key).expect("a certificate").pem();
        (pem, key.serialize_pem())
    }

    /// For clients rather than servers.
    pub fn for_client(mut self) -> Self {
        self.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self
    }

    pub fn expired(mut self) -> Self {
        self.params.not_before = date_time_ymd(2019, 1, 1);
        self.params.not_after = date_time_ymd(2020, 1, 1);
        self
    }

    pub fn not_yet_valid(mut self) -> Self {
        self.params.not_before = date_time_ymd(2190, 1, 1);
        self.params.not_after = date_time_ymd(2191, 1, 1);
        self
    }
}

impl Authority {
    pub fn new() -> Self {
        Self::named("im-client test authority")
    }

    pub fn named(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), &certificate).expect("a file");
        Authority { issuer: Issuer::new(params, key), certificate, folder }
    }

    /// The authority's own certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn pem(&self) -> &str {
        &self.certificate
    }

    /// A place for a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Signs a certificate; gives it and its key as PEM.
    pub fn sign(&self, certificate: Certificate) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let pem = certificate.params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        (pem, key.serialize_pem())
    }

    /// A server with a certificate of this authority.
    pub fn server(&self, generation: u32, certificate: Certificate) -> Server {
        let (pem, key) = self.sign(certificate);
        self.serve(generation, &pem, &key, &[])
    }

    /// A server that wants certificates of this authority from its clients, too.
    pub fn strict_server(&self, generation: u32, certificate: Certificate) -> Server {
        let (pem, key) = self.sign(certificate);
        let file = self.file();
        self.serve(generation, &pem, &key, &["--client-ca", file.to_str().expect("UTF-8")])
    }

    /// A server whose certificate is signed by nobody else.
    pub fn self_signed_server(&self, generation: u32) -> Server {
        let key = KeyPair::generate().expect("a key");
        let pem = localhost().params.self_signed(&key).expect("a certificate").pem();
        self.serve(generation, &pem, &key.serialize_pem(), &[])
    }

    /// A server with this certificate and key.
    pub fn serve(&self, generation: u32, pem: &str, key: &str, more: &[&str]) -> Server {
        let write = |name: &str, text: &str| {
            let file = self.path(name);
            std::fs::write(&file, text).expect("a file");
            file.to_str().expect("UTF-8").to_owned()
        };
        let (cert, key) = (write("cert.pem", pem), write("key.pem", key));
        // The server reads both before it says that it is ready.
        socketio(generation, &[&["--cert", &cert, "--key", &key], more].concat())
    }
}

/// A certificate for `localhost`.
pub fn localhost() -> Certificate {
    Certificate::of(&["localhost"])
}
