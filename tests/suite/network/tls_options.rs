//! TLS as the caller wants it: authorities of his own, a certificate of the client's, another name, pins, or no verification.

use std::process::{Command, Stdio};

use serde_json::{json, Value};

use super::{failed_at, local, once, options, with, works};
use crate::{support::*, tls::Probe};

fn secure(server: &Server, more: Value) -> Value {
    with(once(&local("wss", server.port)), more)
}

#[track_caller]
fn connects(server: &Server, more: Value) {
    works(&TestClient::new(secure(server, more)));
}

/// A connection that TLS ends: nothing of it reaches the server's HTTP.
#[track_caller]
fn refused(server: &Server, more: Value, parts: &[&str]) -> String {
    let before = server.stats()["upgrades"].clone();
    let error = TestClient::new(secure(server, more)).wait("connect_error").json;
    let attempt = failed_at(&error, "tls", parts);
    assert_eq!(server.stats()["upgrades"], before, "nothing was sent to a server that is not trusted");
    attempt["message"].as_str().expect("a message").to_owned()
}

// Authorities.

#[test]
fn an_authority_of_ones_own_is_trusted() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    let both = format!("{}{}", other.pem(), authority.pem());
    std::fs::write(authority.path("both.pem"), &both).expect("a file");
    for generation in [2, 4] {
        let server = authority.server(generation, localhost());
        connects(&server, json!({ "ca": authority.pem() }));
        connects(&server, json!({ "ca": [other.pem(), authority.pem()] }));
        connects(&server, json!({ "ca": both }));
        connects(&server, json!({ "caFile": authority.path("both.pem") }));
        connects(&server, json!({ "ca": other.pem(), "caFile": authority.file() }));
    }
}

#[test]
fn an_authority_of_ones_own_stands_in_for_the_systems() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    let server = authority.server(4, localhost());
    let environment = [("SSL_CERT_FILE", &*authority.file())];
    let probe = Probe::built();
    assert_eq!(probe.run(&secure(&server, json!({})), &environment).name, "connect");
    let told = probe.run(&secure(&server, json!({ "ca": other.pem() })), &environment);
    failed_at(&told.json, "tls", &["UnknownIssuer", "no authority of the option \"ca\""]);
    // And no system is needed where the caller names his authority.
    let nowhere = [("SSL_CERT_FILE", std::path::Path::new("/nowhere/ca.pem"))];
    assert_eq!(probe.run(&secure(&server, json!({ "ca": authority.pem() })), &nowhere).name, "connect");
}

#[test]
fn what_is_wrong_with_a_certificate_is_named_with_ones_own_authority_too() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    for generation in [2, 4] {
        let ca = json!({ "ca": authority.pem() });
        let server = other.server(generation, localhost());
        refused(&server, ca.clone(), &["localhost", "UnknownIssuer", "\"ca\""]);
        let server = authority.server(generation, Certificate::of(&["other.example"]));
        refused(&server, ca.clone(), &["not valid for name \"localhost\"", "other.example"]);
        let server = authority.server(generation, localhost().expired());
        refused(&server, ca.clone(), &["localhost", "expired"]);
        let server = authority.server(generation, localhost().not_yet_valid());
        refused(&server, ca.clone(), &["localhost", "not valid yet"]);
        let server = authority.self_signed_server(generation);
        refused(&server, ca, &["localhost", "UnknownIssuer"]);
    }
}

/// The server's certificate and key of the official documentation, which gives the same certificate to the client as `ca`.
#[test]
fn a_certificate_that_is_its_own_authority_is_trusted_where_it_is_named_itself() {
    let folder = Authority::new();
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "30"]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost", "-keyout"]).arg(folder.path("key.pem"));
    openssl.arg("-out").arg(folder.path("cert.pem"));
    assert!(command(openssl, 60).status.success());
    let read = |name| std::fs::read_to_string(folder.path(name)).expect("a file");
    let (pem, key) = (read("cert.pem"), read("key.pem"));
    for generation in [2, 4] {
        let server = folder.serve(generation, &pem, &key, &[]);
        connects(&server, json!({ "ca": pem }));
        // Any other authority does not help, and no system's.
        refused(&server, json!({ "ca": folder.pem() }), &["CaUsedAsEndEntity", "\"ca\""]);
        refused(&server, json!({ "ca": pem, "servername": "other.example" }), &["not valid for name"]);
    }
}

#[test]
fn a_certificate_that_is_its_own_authority_may_not_be_expired() {
    let folder = Authority::new();
    let (pem, key) = localhost().expired().self_signed_authority();
    let server = folder.serve(4, &pem, &key, &[]);
    refused(&server, json!({ "ca": pem }), &["expired"]);
    let (pem, key) = localhost().self_signed_authority();
    connects(&folder.serve(4, &pem, &key, &[]), json!({ "ca": pem }));
}

#[test]
fn a_server_may_be_verified_by_another_name() {
    let authority = Authority::new();
    for generation in [2, 4] {
        let server = authority.server(generation, Certificate::of(&["im.example"]));
        connects(&server, json!({ "ca": authority.pem(), "servername": "im.example" }));
        let wrong = json!({ "ca": authority.pem(), "servername": "chat.example" });
        refused(&server, wrong, &["not valid for name \"chat.example\"", "im.example"]);
    }
}

#[test]
fn the_name_is_sent_and_sessions_are_resumed() {
    let (authority, server) = (Authority::new(), socketio(4, &[]));
    let (pem, key) = authority.sign(Certificate::of(&["im.example"]));
    let front = Daemon::tls_front(&format!("{pem}{key}"), &format!("127.0.0.1:{}", server.port), None);
    let more = json!({ "ca": authority.pem(), "servername": "im.example" });
    let client = TestClient::new(with(options(&format!("wss://{}", front.address())), more));
    for times in 1..=3 {
        client.wait_nth("connect", times);
        works(&client);
        server.post("/control/drop", json!({}));
    }
    front.wait_logged("resumed=0 sni=im.example", 1);
    front.wait_logged("resumed=1 sni=im.example", 2);
}

// The client's certificate.

fn identity(authority: &Authority, certificate: Certificate) -> Value {
    let (cert, key) = authority.sign(certificate);
    json!({ "cert": cert, "key": key })
}

#[test]
fn a_server_that_wants_a_certificate_of_the_client_gets_it() {
    let authority = Authority::new();
    for generation in [2, 4] {
        let server = authority.strict_server(generation, localhost());
        let own = identity(&authority, Certificate::of(&["client"]).for_client());
        connects(&server, with(json!({ "ca": authority.pem() }), own));
    }
}

/// Each way of having no good certificate, and what is said of it.
fn wrong_identities(authority: &Authority) -> [(Value, &'static str); 3] {
    let other = Authority::named("another");
    let ca = json!({ "ca": authority.pem() });
    let foreign = identity(&other, Certificate::of(&["client"]).for_client());
    let expired = identity(authority, Certificate::of(&["client"]).for_client().expired());
    let refused = "take the client certificate of the option \"cert\"";
    [
        (ca.clone(), "a client certificate (options \"cert\" and \"key\")"),
        (with(ca.clone(), foreign), refused),
        (with(ca, expired), refused),
    ]
}

/// In TLS 1.3 the server sees our certificate after we are done: what it says comes as an alert, or as a mere end.
fn tells(client: &TestClient, what: &str) {
    let error = client.wait("connect_error").json;
    let step = error["attempts"][0]["step"].as_str().unwrap_or_default();
    assert!(["tls", "upgrade"].contains(&step), "{error}");
    failed_at(&error, step, &[what]);
}

#[test]
fn a_missing_or_wrong_certificate_of_the_client_is_named() {
    let authority = Authority::new();
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        let (pem, key) = authority.sign(localhost());
        let to = format!("127.0.0.1:{}", server.port);
        let front = Daemon::tls_front(&format!("{pem}{key}"), &to, Some(&authority));
        let through = |more| {
            with(
                with(once(&format!("wss://{}", front.address())), more),
                json!({ "servername": "localhost" }),
            )
        };
        let own = identity(&authority, Certificate::of(&["client"]).for_client());
        works(&TestClient::new(through(with(json!({ "ca": authority.pem() }), own))));
        for (more, says) in wrong_identities(&authority) {
            tells(&TestClient::new(through(more)), says);
        }
        assert_eq!(server.stats()["upgrades"], 1);
    }
}

/// Node.js has an alert for a missing certificate; on one that it does not like it closes the connection without a word.
#[test]
fn a_server_that_asked_for_a_certificate_and_closes_without_a_word_is_named() {
    let authority = Authority::new();
    for generation in [2, 4] {
        let server = authority.strict_server(generation, localhost());
        for (more, says) in wrong_identities(&authority) {
            tells(&TestClient::new(secure(&server, more)), says);
        }
        assert_eq!(server.stats()["upgrades"], 0);
    }
}

// Pins.

/// The pin of a server's key as curl's documentation has it made: by openssl.
fn pin_of(authority: &Authority) -> String {
    let script = "openssl x509 -in \"$1\" -pubkey -noout | openssl pkey -pubin -outform der \
                  | openssl dgst -sha256 -binary | openssl base64";
    let mut openssl = Command::new("bash");
    openssl
        .args(["-euo", "pipefail", "-c", script, "-"])
        .arg(authority.path("cert.pem"))
        .stderr(Stdio::null());
    let output = command(openssl, 60);
    assert!(output.status.success());
    format!("sha256/{}", String::from_utf8_lossy(&output.stdout).trim())
}

const FOREIGN_PIN: &str = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[test]
fn a_server_with_a_pinned_key_is_taken_and_another_is_named_with_its_key() {
    let authority = Authority::new();
    for generation in [2, 4] {
        let server = authority.server(generation, localhost());
        let (pin, ca) = (pin_of(&authority), authority.pem());
        connects(&server, json!({ "ca": ca, "pinnedPublicKeys": pin }));
        connects(&server, json!({ "ca": ca, "pinnedPublicKeys": [FOREIGN_PIN, pin] }));
        connects(&server, json!({ "ca": ca, "pinnedPublicKeys": pin.replace("sha256/", "sha256//") }));
        let wrong = json!({ "ca": ca, "pinnedPublicKeys": [FOREIGN_PIN] });
        refused(&server, wrong, &[&pin, "\"pinnedPublicKeys\"", "localhost"]);
    }
}

#[test]
fn a_pin_does_not_stand_in_for_an_authority() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    let server = authority.server(4, localhost());
    let more = json!({ "ca": other.pem(), "pinnedPublicKeys": pin_of(&authority) });
    refused(&server, more, &["UnknownIssuer"]);
}

// No verification.

#[test]
fn without_verification_every_certificate_is_taken_and_an_error_is_logged() {
    let authority = Authority::new();
    let servers = [
        authority.self_signed_server(2),
        authority.server(4, localhost().expired()),
        authority.server(4, Certificate::of(&["other.example"])),
    ];
    for server in servers {
        let told = Probe::built().run(&secure(&server, json!({ "rejectUnauthorized": false })), &[]);
        assert_eq!(told.name, "connect", "{}", told.json);
        let warning = told.log.lines().find(|line| line.contains("NOT verified"));
        let warning = warning.unwrap_or_else(|| panic!("no warning in {}", told.log));
        assert!(warning.starts_with("log 1: ") && warning.contains("rejectUnauthorized"), "{warning}");
    }
    let server = authority.server(4, localhost());
    let told = Probe::built().run(&secure(&server, json!({ "ca": authority.pem() })), &[]);
    assert_eq!((&*told.name, told.log.contains("NOT verified")), ("connect", false), "{}", told.log);
}

#[test]
fn without_verification_a_pin_is_verified_all_the_same() {
    let authority = Authority::new();
    let server = authority.self_signed_server(4);
    let pin = pin_of(&authority);
    connects(&server, json!({ "rejectUnauthorized": false, "pinnedPublicKeys": pin }));
    let wrong = json!({ "rejectUnauthorized": false, "pinnedPublicKeys": FOREIGN_PIN });
    refused(&server, wrong, &[&pin]);
}

/// What one client does not verify, others do: settings are a client's own.
#[test]
fn the_settings_of_one_client_are_not_anothers() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    let server = authority.server(4, localhost());
    let careless = TestClient::new(secure(&server, json!({ "rejectUnauthorized": false })));
    works(&careless);
    refused(&server, json!({ "ca": other.pem() }), &["UnknownIssuer"]);
    connects(&server, json!({ "ca": authority.pem() }));
    refused(&server, json!({ "ca": other.pem() }), &["UnknownIssuer"]);
}

// The address of this machine.

#[test]
fn connections_come_from_the_address_that_is_named() {
    let server = RawServer::start(|peer| peer.behave(4));
    let raw = with(once(&server.root()), json!({ "path": "/ws", "nsp": "room" }));
    TestClient::new(with(raw.clone(), json!({ "localAddress": "127.0.0.8" }))).wait("connect");
    assert_eq!(server.peers(), ["127.0.0.8"]);
    // An address for documentation (RFC 5737), which no machine has.
    let client = TestClient::new(with(raw, json!({ "localAddress": "192.0.2.1" })));
    failed_at(&client.wait("connect_error").json, "connect", &["192.0.2.1", "\"localAddress\""]);
}
