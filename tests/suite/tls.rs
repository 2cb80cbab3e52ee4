//! TLS: which certificates are taken, and what is said of those that are not. Each case is a process of its own, because a
//! process reads the system's trusted certificates once.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::{json, Value};
use tempfile::TempDir;

use crate::support::*;

/// `tests/c/tls_probe.c`, compiled against the shared library.
pub struct Probe {
    program: PathBuf,
    _folder: TempDir,
}

/// What the probe told.
pub struct Told {
    pub name: String,
    pub json: Value,
    /// The library's log and the client's info.
    pub log: String,
}

impl Probe {
    /// The probe, built by the first who asks.
    pub fn built() -> &'static Self {
        static PROBE: OnceLock<Probe> = OnceLock::new();
        PROBE.get_or_init(Self::build)
    }

    fn build() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().expect("a folder");
        // Where cargo puts it for these tests, whether or not it was built for others too.
        let library = target_dir().join("deps/libim_client.so");
        let program = folder.path().join("tls_probe");
        // The program asks for the library by its SONAME.
        std::os::unix::fs::symlink(&library, folder.path().join("libim_client.so.0")).expect("a link");
        let mut compiler = Command::new("cc");
        compiler
            .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program)
            .arg("-I")
            .arg(here.join("include"))
            .arg(here.join("tests/c/tls_probe.c"))
            .arg(&library)
            .arg("-pthread")
            .arg(format!("-Wl,-rpath,{}", folder.path().display()));
        let output = command(compiler, 120);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Probe { program, _folder: folder }
    }

    /// The first outcome of a client with these options, in an environment without certificates and proxies but those given.
    pub fn run(&self, options: &Value, environment: &[(&str, &Path)]) -> Told {
        let output = self.output(options, environment);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}{log}");
        let (name, json) = text.trim().split_once(' ').expect("name and JSON");
        Told { name: name.into(), json: serde_json::from_str(json).expect("the argument is JSON"), log }
    }

    /// Everything that the probe wrote; it fails where there is no client with these options.
    pub fn output(&self, options: &Value, environment: &[(&str, &Path)]) -> Output {
        const CLEARED: [&str; 9] = [
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "http_proxy",
            "https_proxy",
            "HTTPS_PROXY",
            "all_proxy",
            "ALL_PROXY",
            "no_proxy",
            "NO_PROXY",
        ];
        let mut probe = Command::new(&self.program);
        probe.arg(options.to_string());
        for name in CLEARED {
            probe.env_remove(name);
        }
        for (name, value) in environment {
            probe.env(name, value);
        }
        command(probe, 60)
    }
}

fn options(scheme: &str, host: &str, server: &Server) -> Value {
    json!({
        "root": format!("{scheme}://{host}:{}", server.port), "nsp": "chat", "path": "/socket.io", "reconnection": false
    })
}

/// The message of the one attempt, which has to have failed in its TLS step.
fn tls_error(told: &Told) -> String {
    assert_eq!(told.name, "connect_error", "{}", told.json);
    let attempts = told.json["attempts"].as_array().expect("attempts");
    assert_eq!((attempts.len(), &attempts[0]["step"]), (1, &json!("tls")), "{}", told.json);
    let message = attempts[0]["message"].as_str().expect("a message").to_owned();
    assert!(told.json["message"].as_str().expect("a message").contains(&message), "{}", told.json);
    message
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    let lower = message.to_lowercase();
    for part in parts {
        assert!(lower.contains(&part.to_lowercase()), "{part:?} is not in {message:?}");
    }
}

#[test]
fn an_authority_that_the_system_trusts_is_trusted() {
    let authority = Authority::new();
    let ca = authority.file();
    for (generation, protocol) in [(2, 3), (4, 4)] {
        let server = authority.server(generation, Certificate::of(&["localhost", "127.0.0.1"]));
        for (scheme, host) in [("https", "localhost"), ("wss", "localhost"), ("wss", "127.0.0.1")] {
            let told = Probe::built().run(&options(scheme, host, &server), &[("SSL_CERT_FILE", &ca)]);
            assert_eq!(told.name, "connect", "{scheme} {host}: {}", told.json);
            assert_eq!(told.json["protocol"], protocol);
        }
        assert_eq!(server.stats()["engines"], 3);
    }
}

#[test]
fn the_path_is_searched_over_tls_too() {
    let authority = Authority::new();
    let server = authority.server(4, localhost());
    let mut options = options("https", "localhost", &server);
    options.as_object_mut().expect("an object").remove("path");
    let told = Probe::built().run(&options, &[("SSL_CERT_FILE", &authority.file())]);
    assert_eq!((&*told.name, &told.json["path"]), ("connect", &json!("/socket.io")), "{}", told.json);
}

#[test]
fn a_folder_of_certificates_works_too() {
    let authority = Authority::new();
    let server = authority.server(4, localhost());
    let folder = tempfile::tempdir().expect("a folder");
    // OpenSSL's form: the hash of the name, a number.
    std::fs::write(folder.path().join("0123abcd.0"), authority.pem()).expect("a file");
    let told = Probe::built().run(&options("wss", "localhost", &server), &[("SSL_CERT_DIR", folder.path())]);
    assert_eq!(told.name, "connect", "{}", told.json);
}

/// A server's certificate that is not taken: what is said of it, on both generations.
#[track_caller]
fn refused(
    signer: &Authority,
    certificate: impl Fn() -> Certificate,
    trusted: &Authority,
    host: &str,
    parts: &[&str],
) {
    for generation in [2, 4] {
        let server = signer.server(generation, certificate());
        let told = Probe::built().run(&options("wss", host, &server), &[("SSL_CERT_FILE", &trusted.file())]);
        let message = tls_error(&told);
        says(&message, parts);
        says(&message, &[host, "certificate"]);
        assert_eq!(server.stats()["upgrades"], 0, "nothing was sent to a server that is not trusted");
    }
}

#[test]
fn an_unknown_authority_is_named() {
    let (known, unknown) = (Authority::new(), Authority::named("somebody else"));
    refused(&unknown, localhost, &known, "localhost", &["UnknownIssuer"]);
}

#[test]
fn an_authority_that_took_the_name_of_a_trusted_one_is_not_trusted() {
    refused(&Authority::new(), localhost, &Authority::new(), "localhost", &["BadSignature"]);
}

#[test]
fn a_wrong_name_is_named() {
    let (authority, parts) = (Authority::new(), ["not valid for name", "other.example"]);
    refused(&authority, || Certificate::of(&["other.example"]), &authority, "localhost", &parts);
}

#[test]
fn an_address_that_is_not_in_the_certificate_is_named() {
    let authority = Authority::new();
    refused(&authority, localhost, &authority, "127.0.0.1", &["not valid for name"]);
}

#[test]
fn an_expired_certificate_is_named() {
    let authority = Authority::new();
    refused(&authority, || localhost().expired(), &authority, "localhost", &["expired"]);
}

#[test]
fn a_certificate_of_the_future_is_named() {
    let authority = Authority::new();
    refused(&authority, || localhost().not_yet_valid(), &authority, "localhost", &["not valid yet"]);
}

#[test]
fn a_self_signed_certificate_is_not_trusted() {
    let (authority, trusted) = (Authority::new(), Authority::new());
    for generation in [2, 4] {
        let server = authority.self_signed_server(generation);
        let told =
            Probe::built().run(&options("wss", "localhost", &server), &[("SSL_CERT_FILE", &trusted.file())]);
        says(&tls_error(&told), &["certificate", "localhost"]);
    }
}

#[test]
fn a_system_without_certificates_is_named() {
    let authority = Authority::new();
    let server = authority.server(4, localhost());
    let empty = authority.path("empty.pem");
    std::fs::write(&empty, "").expect("a file");
    let nonsense = authority.path("nonsense.pem");
    std::fs::write(&nonsense, "no certificate\n").expect("a file");
    let nowhere = authority.path("nowhere.pem");
    for file in [&*nowhere, &*empty, &*nonsense, Path::new("")] {
        let told = Probe::built().run(&options("wss", "localhost", &server), &[("SSL_CERT_FILE", file)]);
        says(&tls_error(&told), &["no trusted certificates"]);
    }
    assert_eq!(server.stats()["engines"], 0);
}

/// Certificates are a matter of TLS alone.
#[test]
fn a_plain_connection_needs_no_certificates() {
    let server = socketio(4, &[]);
    let nowhere = Path::new("/nowhere/ca.pem");
    let told = Probe::built().run(&options("http", "localhost", &server), &[("SSL_CERT_FILE", nowhere)]);
    assert_eq!(told.name, "connect", "{}", told.json);
}

#[test]
fn tls_to_a_plain_port_says_so() {
    let authority = Authority::new();
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        let told = Probe::built()
            .run(&options("https", "localhost", &server), &[("SSL_CERT_FILE", &authority.file())]);
        let message = tls_error(&told);
        says(&message, &["does not speak TLS"]);
    }
}

#[test]
fn a_plain_connection_to_a_tls_port_says_so() {
    let authority = Authority::new();
    for generation in [2, 4] {
        let server = authority.server(generation, localhost());
        let told = Probe::built().run(&options("http", "localhost", &server), &[]);
        assert_eq!(told.name, "connect_error", "{}", told.json);
        let message = told.json["message"].as_str().expect("a message");
        assert!(message.contains("TLS") && message.contains("https://"), "{message}");
    }
}

/// A server that takes the connection and never begins with TLS.
#[test]
fn a_tls_handshake_that_never_ends_is_named() {
    let (authority, server) = (Authority::new(), RawServer::start(Peer::drain));
    let root = server.root().replace("http:", "wss:");
    let options = json!({ "root": root, "nsp": "chat", "path": "/ws", "transports": ["websocket"], "timeout": 300, "reconnection": false });
    let told = Probe::built().run(&options, &[("SSL_CERT_FILE", &authority.file())]);
    says(&tls_error(&told), &["300 ms"]);
}

/// Bytes that are no TLS at all, and a connection that is cut in the handshake.
#[test]
fn a_broken_tls_handshake_is_named() {
    let authority = Authority::new();
    let scripts: [fn(&mut Peer); 3] = [
        |peer| {
            peer.write("SSH-2.0-OpenSSH_9.2p1\r\n");
            peer.drain();
        },
        Peer::wait_for_bytes,
        |peer| {
            // A reset that comes earlier may be the end of the TCP connect.
            peer.wait_for_bytes();
            peer.reset();
        },
    ];
    for script in scripts {
        let server = RawServer::start(script);
        let root = server.root().replace("http:", "wss:");
        let options = json!({ "root": root, "nsp": "chat", "path": "/ws", "reconnection": false });
        let told = Probe::built().run(&options, &[("SSL_CERT_FILE", &authority.file())]);
        says(&tls_error(&told), &["TLS"]);
    }
}

/// A man in the middle who wants the weakest.
#[test]
fn a_server_that_speaks_only_old_tls_is_refused() {
    let authority = Authority::new();
    let (pem, key) = authority.sign(Certificate::of(&["127.0.0.3"]));
    let server = Daemon::old_tls_server(&pem, &key);
    let options = json!({
        "root": format!("https://{}", server.address()), "nsp": "chat", "path": "/socket.io", "reconnection": false
    });
    let told = Probe::built().run(&options, &[("SSL_CERT_FILE", &authority.file())]);
    let message = tls_error(&told);
    assert!(message.contains("ProtocolVersion"), "{message}");
}
