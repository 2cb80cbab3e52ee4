//! Passwords, header values, cookies and keys appear in no log line, info, event or error (promise 14).

use serde_json::{json, Value};

use super::{local, once, with};
use crate::{support::*, tls::Probe};

const MARK: &str = "S3CRET";

/// Everything that a client with these options said, whether or not it connected: nothing secret is in it.
#[track_caller]
fn keeps_still(options: &Value, more_secrets: &[&str]) -> String {
    let output = Probe::built().output(options, &[]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!said.is_empty());
    for secret in [MARK].iter().chain(more_secrets) {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
    said
}

fn secret_headers() -> Value {
    json!({ "extraHeaders": { "Authorization": "Bearer S3CRET", "Cookie": "session=S3CRET", "X-Key": "S3CRET" } })
}

#[test]
fn header_values_and_cookies_are_never_shown() {
    let server = RawServer::start(|peer| {
        let Some(request) = peer.request() else { return };
        peer.switch(&request, "Set-Cookie: lb=S3CRET; Path=/\r\n");
        peer.open(4);
        peer.join(4);
        peer.receive_all();
    });
    let options = with(once(&server.root()), json!({ "nsp": "room", "path": "/ws" }));
    let said = keeps_still(&with(options.clone(), secret_headers()), &[]);
    assert!(said.contains("connect ") && said.contains("log 3: "), "{said}");
    let refusing = RawServer::start(|peer| {
        peer.request();
        peer.write("HTTP/1.1 403 Forbidden\r\nSet-Cookie: lb=S3CRET\r\nContent-Length: 0\r\n\r\n");
    });
    let said = keeps_still(&with(with(options, secret_headers()), json!({ "root": refusing.root() })), &[]);
    assert!(said.contains("403"), "{said}");
    for header in ["Upgrade", "no name", "X-Line\n"] {
        let headers = json!({ "extraHeaders": { header: "S3CRET" } });
        assert!(keeps_still(&with(once("http://localhost:1"), headers), &[]).contains("extraHeaders"));
    }
}

#[test]
fn the_credentials_of_proxies_are_never_shown() {
    let server = socketio(4, &[]);
    let login = Some(("S3CRETuser", "S3CRETpassword"));
    let (http, socks) = (Daemon::http_proxy(login), Daemon::socks_proxy(login));
    // As they go over the wire to an HTTP proxy.
    let encoded = ["UzNDUkVU"];
    for (scheme, address) in
        [("http", http.address()), ("socks5", socks.address()), ("socks5h", socks.address())]
    {
        for password in ["S3CRETpassword", "S3CRETwrong"] {
            let proxy = format!("{scheme}://S3CRETuser:{password}@{address}");
            let options = with(once(&local("http", server.port)), json!({ "proxy": proxy }));
            let said = keeps_still(&options, &encoded);
            assert!(said.contains(&format!("{scheme}://***@{address}")), "{said}");
            assert_eq!(said.contains("connect_error"), password == "S3CRETwrong", "{said}");
        }
    }
    for url in ["ftp://u:S3CRET@h", "http://u:S3CRET@h/S3CRET", "http://u:S3CRET@h:99999", "S3CRET@S3CRET@"] {
        assert!(
            keeps_still(&with(once("http://h"), json!({ "proxy": url })), &[]).contains("proxy"),
            "{url}"
        );
    }
}

#[test]
fn keys_are_never_shown() {
    let authority = Authority::new();
    let server = authority.strict_server(4, localhost());
    let (cert, key) = authority.sign(Certificate::of(&["client"]).for_client());
    let (_, other_key) = authority.sign(Certificate::of(&["client"]).for_client());
    let broken = key.replace("-----END PRIVATE KEY-----", "");
    let lines: Vec<&str> = [&key, &other_key]
        .into_iter()
        .flat_map(|key| key.lines())
        .filter(|line| !line.starts_with('-'))
        .collect();
    for (key, expected) in [(&key, "connect "), (&other_key, "KeyMismatch"), (&broken, "no private key")] {
        let options = json!({ "ca": authority.pem(), "cert": cert, "key": key });
        let said = keeps_still(&with(once(&local("wss", server.port)), options), &lines);
        assert!(said.contains(expected), "{said}");
    }
}
