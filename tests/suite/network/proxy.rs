//! Through proxies: real ones from Debian, and scripted ones for refusals.

use std::path::Path;

use serde_json::{json, Value};

use super::{failed_at, local, once, options, with, works};
use crate::{support::*, tls::Probe};

const LOGIN: (&str, &str) = ("user", "s3cret");

fn by(root: &str, proxy: &str) -> Value {
    with(options(root), json!({ "proxy": proxy }))
}

/// The error of one attempt through this proxy.
fn refused_by(root: &str, proxy: &str) -> Value {
    TestClient::new(with(once(root), json!({ "proxy": proxy }))).wait("connect_error").json
}

// HTTP proxies.

#[test]
fn a_websocket_goes_through_an_http_proxy_and_again_after_a_loss() {
    let proxy = Daemon::http_proxy(None);
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        let client = TestClient::new(by(&local("http", server.port), &format!("http://{}", proxy.address())));
        works(&client);
        server.post("/control/drop", json!({}));
        client.wait_nth("connect", 2);
        works(&client);
        proxy.wait_logged(&format!("CONNECT localhost:{}", server.port), 2);
    }
}

#[test]
fn tls_goes_through_an_http_proxy() {
    let (proxy, authority) = (Daemon::http_proxy(Some(LOGIN)), Authority::new());
    for generation in [2, 4] {
        let server = authority.server(generation, localhost());
        let url = format!("http://user:s3cret@{}", proxy.address());
        let more = json!({ "ca": authority.pem() });
        let client = TestClient::new(with(by(&local("https", server.port), &url), more));
        works(&client);
        proxy.wait_logged(&format!("CONNECT localhost:{}", server.port), 1);
    }
}

#[test]
fn an_http_proxy_wants_the_right_user_and_password() {
    let (proxy, server) = (Daemon::http_proxy(Some(LOGIN)), socketio(4, &[]));
    let (root, address) = (local("http", server.port), proxy.address());
    works(&TestClient::new(by(&root, &format!("http://user:s3cret@{address}"))));
    // tinyproxy answers 407 to nobody, and 401 to somebody whom it does not know.
    for (login, shown, status, hint) in
        [("", "", 407, "wants a user name and a password"), ("user:wrong@", "***@", 401, "Unauthorized")]
    {
        let error = refused_by(&root, &format!("http://{login}{address}"));
        let target = format!("localhost:{}", server.port);
        let attempt = failed_at(&error, "proxy", &[&format!("http://{shown}{address}"), &target, hint]);
        assert_eq!(attempt["status"], status, "{error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    assert_eq!(server.stats()["engines"], 1);
}

#[test]
fn an_https_proxy_is_spoken_to_in_tls() {
    let (authority, inner) = (Authority::new(), Daemon::http_proxy(Some(LOGIN)));
    let (certificate, key) = authority.sign(Certificate::of(&["127.0.0.3"]));
    let front = Daemon::tls_front(&format!("{certificate}{key}"), &inner.address(), None);
    let url = format!("https://user:s3cret@{}", front.address());
    let trusted = authority.file();
    for generation in [2, 4] {
        let plain = socketio(generation, &[]);
        let secured = authority.server(generation, localhost());
        for root in [local("http", plain.port), local("https", secured.port)] {
            let options = with(once(&root), json!({ "proxy": url }));
            let told = Probe::built().run(&options, &[("SSL_CERT_FILE", &trusted)]);
            assert_eq!(told.name, "connect", "{}", told.json);
        }
        inner.wait_logged(&format!("CONNECT localhost:{}", plain.port), 1);
        inner.wait_logged(&format!("CONNECT localhost:{}", secured.port), 1);
    }
    // The proxy's certificate is the system's matter: what the caller says of the server's does not count here.
    let server = socketio(4, &[]);
    let options =
        with(once(&local("http", server.port)), json!({ "proxy": url, "rejectUnauthorized": false }));
    let other = Authority::named("another");
    let told = Probe::built().run(&options, &[("SSL_CERT_FILE", &other.file())]);
    failed_at(&told.json, "proxy", &["https://***@127.0.0.3:", "UnknownIssuer"]);
    assert_eq!(server.stats()["upgrades"], 0);
}

/// What a proxy may say instead of letting us through: the step, the status and the words that tell of it.
#[test]
fn a_refusal_of_an_http_proxy_is_named() {
    type Script = fn(&mut Peer);
    let cases: [(Script, Option<u16>, &[&str]); 9] = [
        (|peer| peer.refuse("403 Forbidden", "no"), Some(403), &["HTTP 403 Forbidden"]),
        (|peer| peer.refuse("502 Bad Gateway", "no"), Some(502), &["HTTP 502 Bad Gateway"]),
        (|peer| peer.refuse("301 Moved Permanently", ""), Some(301), &["HTTP 301"]),
        (
            |peer| {
                peer.request();
                peer.write(
                    "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n",
                );
            },
            Some(407),
            &["offers Negotiate, NTLM", "only Basic"],
        ),
        (
            |peer| {
                peer.request();
                peer.write("SSH-2.0-OpenSSH_9.2p1\r\n");
            },
            None,
            &["does not speak HTTP"],
        ),
        (|peer| drop(peer.request()), None, &["closed the connection without an answer"]),
        (
            |peer| {
                peer.request();
                peer.write("HTTP/1.1 200 OK\r\nVia: ");
            },
            None,
            &["in the middle of its answer"],
        ),
        (
            |peer| {
                peer.request();
                peer.write("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n");
                peer.drain();
            },
            None,
            &["more than its answer"],
        ),
        (
            |peer| {
                peer.request();
                peer.write(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(20_000)));
                peer.drain();
            },
            None,
            &["no end within 16384 bytes"],
        ),
    ];
    for (script, status, says) in cases {
        let proxy = RawServer::start(script);
        let error = refused_by("http://im.example", &proxy.root());
        let attempt = failed_at(&error, "proxy", says);
        failed_at(&error, "proxy", &[&proxy.root()]);
        assert_eq!(attempt["status"], status.map_or(Value::Null, Value::from), "{error}");
        assert!(proxy.requests()[0].head.starts_with("CONNECT im.example:80 HTTP/1.1\r\n"));
    }
}

/// The connect timeout covers the proxy, too.
#[test]
fn a_silent_proxy_is_named() {
    let silent = RawServer::start(Peer::drain);
    for scheme in ["http", "socks5h"] {
        let proxy = silent.root().replace("http", scheme);
        let options = with(once("http://im.example"), json!({ "proxy": proxy, "timeout": 300 }));
        failed_at(&TestClient::new(options).wait("connect_error").json, "proxy", &["300 ms"]);
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let gone = RawServer::start(|_| {}).root();
    let error = refused_by("http://im.example", &gone.replace("http://", "http://user:s3cret@"));
    failed_at(&error, "connect", &["the proxy http://***@127.0.0.2:", "refused"]);
    let nowhere = format!("{}.invalid", "a".repeat(64));
    let error = refused_by("http://im.example", &format!("socks5h://{nowhere}:1"));
    failed_at(&error, "lookup", &[&format!("the proxy socks5h://{nowhere}:1"), "can't look up"]);
}

// SOCKS5.

#[test]
fn a_websocket_goes_through_a_socks_proxy_and_names_are_looked_up_on_the_side_that_is_asked_for() {
    let proxy = Daemon::socks_proxy(None);
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        for (scheme, host) in [("socks5", "127.0.0.1"), ("socks5h", "localhost")] {
            let url = format!("{scheme}://{}", proxy.address());
            works(&TestClient::new(by(&local("http", server.port), &url)));
            proxy.wait_logged(&format!("connected to {host}:{}", server.port), 1);
        }
    }
}

#[test]
fn a_socks_proxy_wants_the_right_user_and_password() {
    let (proxy, authority) = (Daemon::socks_proxy(Some(LOGIN)), Authority::new());
    let server = authority.server(4, localhost());
    let (root, address) = (local("wss", server.port), proxy.address());
    let options =
        with(by(&root, &format!("socks5h://user:s3cret@{address}")), json!({ "ca": authority.pem() }));
    works(&TestClient::new(options));
    for (login, shown, hint) in
        [("", "", "wants a user name and a password"), ("user:wrong@", "***@", "does not take the user name")]
    {
        let error = refused_by(&root, &format!("socks5h://{login}{address}"));
        failed_at(&error, "proxy", &[&format!("socks5h://{shown}{address}"), hint]);
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    assert_eq!(server.stats()["engines"], 1);
}

#[test]
fn a_refusal_of_a_socks_proxy_is_named() {
    let proxy = Daemon::socks_proxy(None);
    let gone = RawServer::start(|_| {}).root();
    for scheme in ["socks5", "socks5h"] {
        let error = refused_by(&gone, &format!("{scheme}://{}", proxy.address()));
        failed_at(&error, "proxy", &[&proxy.address(), gone.trim_start_matches("http://"), "refused"]);
    }
    // What speaks HTTP answers SOCKS with HTTP.
    let http = RawServer::start(|peer| {
        peer.wait_for_bytes();
        peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let error = refused_by("http://im.example", &http.root().replace("http", "socks5h"));
    failed_at(&error, "proxy", &["does not speak SOCKS5"]);
}

// The environment. Each case is a process of its own, with names of its own.

/// A proxy that lets everybody through, to itself: it is the server, too.
fn proxy_and_server() -> RawServer {
    RawServer::listen("127.0.0.1:0", |peer| {
        let Some(request) = peer.request() else { return };
        if request.head.starts_with("CONNECT ") {
            peer.write("HTTP/1.1 200 Connection established\r\n\r\n");
            peer.behave(4);
        } else {
            peer.switch(&request, "");
            peer.open(4);
            peer.join(4);
            peer.receive_all();
        }
    })
}

/// Connects to `four-then-six.test` in this environment, where `PROXY` stands for the proxy's URL; was the proxy asked?
fn goes_through(environment: &[(&str, &str)], more: Value) -> bool {
    let server = proxy_and_server();
    let root = format!("http://four-then-six.test:{}", server.port());
    let proxy = server.root().replace("http://", "http://user:s3cret@");
    let environment: Vec<(&str, String)> =
        environment.iter().map(|(name, value)| (*name, value.replace("PROXY", &proxy))).collect();
    let environment: Vec<(&str, &Path)> =
        environment.iter().map(|(name, value)| (*name, Path::new(value))).collect();
    let options = with(with(once(&root), json!({ "nsp": "room", "path": "/ws" })), more);
    let told = Probe::built().run(&options, &environment);
    assert_eq!(told.name, "connect", "{}", told.json);
    let first = server.requests()[0].clone();
    let asked = first.head.starts_with(&format!("CONNECT four-then-six.test:{} ", server.port()));
    // RFC 7617: "user:s3cret".
    assert_eq!(first.header("proxy-authorization"), asked.then_some("Basic dXNlcjpzM2NyZXQ="));
    asked
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    for name in ["http_proxy", "all_proxy", "ALL_PROXY"] {
        assert!(goes_through(&[(name, "PROXY")], json!({})), "{name}");
    }
    for name in ["HTTP_PROXY", "https_proxy", "HTTPS_PROXY"] {
        assert!(!goes_through(&[(name, "PROXY")], json!({})), "{name}");
    }
}

#[test]
fn the_environment_makes_exceptions_and_the_options_decide() {
    for exception in ["*", "test", "other.example,.test", "four-then-six.test"] {
        for name in ["no_proxy", "NO_PROXY"] {
            assert!(
                !goes_through(&[("http_proxy", "PROXY"), (name, exception)], json!({})),
                "{name}={exception}"
            );
        }
    }
    assert!(goes_through(&[("http_proxy", "PROXY"), ("no_proxy", "six.test,other.example")], json!({})));
    for off in [json!("none"), json!(false)] {
        assert!(!goes_through(&[("http_proxy", "PROXY")], json!({ "proxy": off })));
    }
}

#[test]
fn a_proxy_of_the_environment_that_is_none_is_named() {
    let probe = Probe::built();
    let url = "gopher://user:s3cret@h";
    let output = probe.output(&once("http://four-then-six.test:1"), &[("http_proxy", Path::new(url))]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("http_proxy") && said.contains("scheme"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}
