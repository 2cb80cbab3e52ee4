//! The way to the server, for long-polling: proxies that read the requests or pass them on, headers, TLS.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{json, Value};

use super::{failed_at, local, once, options, with, works};
use crate::support::*;

const LOGIN: (&str, &str) = ("user", "s3cret");

fn polling(root: &str, more: Value) -> Value {
    with(with(options(root), json!({ "transports": ["polling"] })), more)
}

/// Works, also after a loss, and with answers that come much later than the question.
fn works_on(client: &TestClient, server: &Server) {
    works(client);
    assert_eq!(client.info()["transport"], "polling", "{:?}", client.all("disconnect"));
    server.post("/control/drop", json!({}));
    client.wait_nth("connect", 2);
    works(client);
}

/// Without TLS the proxy reads the requests itself: no tunnel is asked for.
#[test]
fn polling_goes_through_an_http_proxy_that_reads_the_requests() {
    for login in [None, Some(LOGIN)] {
        let proxy = Daemon::http_proxy(login);
        for generation in [2, 4] {
            let server = socketio(generation, &[]);
            let url = match login {
                None => format!("http://{}", proxy.address()),
                Some((user, password)) => format!("http://{user}:{password}@{}", proxy.address()),
            };
            let root = local("http", server.port);
            works_on(&TestClient::new(polling(&root, json!({ "proxy": url }))), &server);
            proxy.wait_logged(&format!("GET http://localhost:{}/socket.io/", server.port), 1);
            proxy.wait_logged(&format!("POST http://localhost:{}/socket.io/", server.port), 1);
            assert!(!proxy.log().contains(&format!("CONNECT localhost:{}", server.port)));
        }
    }
}

#[test]
fn polling_over_tls_goes_through_a_tunnel() {
    let (http, socks, authority) =
        (Daemon::http_proxy(Some(LOGIN)), Daemon::socks_proxy(None), Authority::new());
    for generation in [2, 4] {
        let server = authority.server(generation, localhost());
        let root = local("https", server.port);
        for url in [
            format!("http://user:s3cret@{}", http.address()),
            format!("socks5://{}", socks.address()),
            format!("socks5h://{}", socks.address()),
        ] {
            let client = TestClient::new(polling(&root, json!({ "proxy": url, "ca": authority.pem() })));
            works_on(&client, &server);
        }
        http.wait_logged(&format!("CONNECT localhost:{}", server.port), 1);
        socks.wait_logged(&format!("connected to localhost:{}", server.port), 1);
    }
}

#[test]
fn polling_goes_through_a_socks_proxy() {
    let proxy = Daemon::socks_proxy(Some(LOGIN));
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        let url = format!("socks5h://user:s3cret@{}", proxy.address());
        let client = TestClient::new(polling(&local("http", server.port), json!({ "proxy": url })));
        works_on(&client, &server);
        proxy.wait_logged(&format!("connected to localhost:{}", server.port), 1);
    }
}

/// A proxy that makes no tunnel forwards plain requests all the same: the defaults survive that.
#[test]
fn a_proxy_that_makes_no_tunnel_leaves_polling() {
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        let port = server.port;
        let proxy = RawServer::start(move |peer| forward_plain_requests(peer, port));
        let more = json!({ "proxy": proxy.root() });
        let client = TestClient::new(with(options(&local("http", port)), more));
        assert_eq!(client.wait("connect").json["transport"], "polling");
        works(&client);
        assert!(proxy.requests()[0].head.starts_with("CONNECT localhost:"));
    }
}

/// Refuses CONNECT; passes a plain request on to the server.
fn forward_plain_requests(peer: &mut Peer, port: u16) {
    let Some(request) = peer.request() else { return };
    if request.head.starts_with("CONNECT ") {
        return peer.answer("405 Method Not Allowed", "no tunnels here");
    }
    let Some(body) = peer.body(&request) else { return };
    let origin = request.head.replacen(&format!("http://localhost:{port}"), "", 1);
    let origin = origin.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut server = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    server.write_all(origin.as_bytes()).expect("it reads");
    server.write_all(&body).expect("it reads");
    let mut answer = Vec::new();
    let _ = server.read_to_end(&mut answer);
    peer.write(answer);
}

/// What a proxy says instead of passing a request on is told with its status.
#[test]
fn a_refusal_of_a_proxy_that_reads_the_requests_is_named() {
    let proxy = Daemon::http_proxy(Some(LOGIN));
    let server = socketio(4, &[]);
    for (login, status) in [("", 407), ("user:wrong@", 401)] {
        let url = format!("http://{login}{}", proxy.address());
        let more = json!({ "proxy": url, "transports": ["polling"] });
        let client = TestClient::new(with(once(&local("http", server.port)), more));
        let error = client.wait("connect_error").json;
        assert_eq!(error["attempts"][0]["status"], status, "{error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    assert_eq!(server.stats()["requests"], 0);
}

#[test]
fn headers_go_with_every_request_of_polling() {
    for (more, name, absent) in [
        (json!({ "extraHeaders": { "X-All": "a; b" } }), "x-all", "x-polling"),
        (
            json!({ "extraHeaders": { "X-All": "1" },
                    "transportOptions": { "polling": { "extraHeaders": { "X-Polling": "2", "Cookie": "own=1" } } } }),
            "x-polling",
            "x-all",
        ),
    ] {
        let server = PollingServer::good(4);
        let base = json!({ "path": "/ws", "nsp": "room" });
        let client = TestClient::new(polling(&server.root(), with(base, more)));
        client.wait("connect");
        client.emit("n", &json!(1));
        wait_until("the event", || server.frames_with("42/room,[\"n\"").len() == 1);
        client.close();
        wait_until("the goodbye", || server.frames_with("1").len() == 1);
        for request in server.requests() {
            assert!(request.header(name).is_some() && request.header(absent).is_none(), "{}", request.head);
        }
        assert!(server.came(TurnKind::Post) >= 3 && server.came(TurnKind::Poll) >= 1);
    }
}

#[test]
fn polling_over_tls_knows_ones_own_authority_and_client_certificate() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    for generation in [2, 4] {
        let server = authority.server(generation, localhost());
        let root = local("https", server.port);
        works_on(&TestClient::new(polling(&root, json!({ "ca": authority.pem() }))), &server);
        let client = TestClient::new(with(
            polling(&root, json!({ "ca": other.pem() })),
            json!({ "reconnection": false }),
        ));
        failed_at(&client.wait("connect_error").json, "tls", &["UnknownIssuer", "\"ca\""]);

        let strict = authority.strict_server(generation, localhost());
        let root = local("https", strict.port);
        let (cert, key) = authority.sign(Certificate::of(&["client"]).for_client());
        let more = json!({ "ca": authority.pem(), "cert": cert, "key": key });
        works_on(&TestClient::new(polling(&root, more)), &strict);
    }
}

/// In TLS 1.3 the server sees our certificate when we think that all is done: its refusal comes instead of an answer.
#[test]
fn a_client_certificate_that_is_refused_late_is_named_over_polling() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    for generation in [2, 4] {
        let server = authority.strict_server(generation, localhost());
        let root = local("https", server.port);
        let (cert, key) = other.sign(Certificate::of(&["client"]).for_client());
        for (more, says) in [
            (json!({}), "a client certificate (options \"cert\" and \"key\")"),
            (json!({ "cert": cert, "key": key }), "take the client certificate of the option \"cert\""),
        ] {
            let more = with(with(json!({ "ca": authority.pem() }), more), json!({ "reconnection": false }));
            let error = TestClient::new(polling(&root, more)).wait("connect_error").json;
            let step = error["attempts"][0]["step"].as_str().unwrap_or_default().to_owned();
            assert!(["tls", "upgrade"].contains(&&*step), "{error}");
            failed_at(&error, &step, &[says]);
        }
        assert_eq!(server.stats()["requests"], 0);
    }
}

/// The defaults over TLS, where WebSocket is refused: the second transport has all the same settings.
#[test]
fn polling_steps_in_over_tls_too() {
    let authority = Authority::new();
    for generation in [2, 4] {
        let (pem, key) = authority.sign(localhost());
        let server = authority.serve(generation, &pem, &key, &["--transports", "polling"]);
        let more = json!({ "ca": authority.pem() });
        let client = TestClient::new(with(options(&local("https", server.port)), more));
        assert_eq!(client.wait("connect").json["transport"], "polling");
        works(&client);
    }
}
