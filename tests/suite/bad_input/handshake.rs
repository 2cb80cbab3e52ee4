//! What goes wrong before the namespace is connected: every fault is a `connect_error` that names its step.

use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc,
};

use serde_json::{json, Value};

use super::{emit_what_is_to_be_kept, nothing_is_lost, options, says, with};
use crate::support::*;

/// A fault of the server, and what has to be told of it.
pub(super) struct Fault<'a> {
    step: &'a str,
    status: Option<u16>,
    says: &'a [&'a str],
    options: Value,
}

impl<'a> Fault<'a> {
    pub(super) fn at(step: &'a str, says: &'a [&'a str]) -> Self {
        Fault { step, status: None, says, options: json!({}) }
    }

    pub(super) fn status(status: u16, says: &'a [&'a str]) -> Self {
        Fault { status: Some(status), ..Self::at("upgrade", says) }
    }

    /// A fault that is silence: the connect timeout has to end it.
    fn silence(step: &'a str) -> Self {
        Fault { options: json!({ "timeout": 300 }), ..Self::at(step, &["300 ms"]) }
    }

    /// The server does `bad` on every connection until the client has told of it, then it behaves.
    #[track_caller]
    pub(super) fn is_told(&self, bad: impl Fn(&mut Peer) + Send + Sync + 'static) {
        let healed = Arc::new(AtomicBool::new(false));
        let inner = healed.clone();
        let server = RawServer::start(move |peer| match inner.load(Ordering::Acquire) {
            true => peer.behave(4),
            false => bad(peer),
        });
        let client = TestClient::new(with(options(&server.root()), &self.options));
        emit_what_is_to_be_kept(&client);
        let error = client.wait("connect_error").json;
        healed.store(true, Ordering::Release);
        self.check(&error);
        client.wait("connect");
        assert_eq!(client.count("disconnect"), 0);
        nothing_is_lost(&server, &client);
    }

    #[track_caller]
    fn check(&self, error: &Value) {
        let attempts = error["attempts"].as_array().expect("attempts");
        assert_eq!(attempts.len(), 1, "{error}");
        assert_eq!(attempts[0]["step"], self.step, "{error}");
        assert_eq!(attempts[0]["status"], self.status.map_or(Value::Null, Value::from), "{error}");
        assert_eq!(attempts[0]["path"], "/ws", "{error}");
        assert_eq!(error["willRetry"], true, "{error}");
        says(&attempts[0]["message"], self.says);
        says(&error["message"], self.says);
    }
}

// Before HTTP.

#[test]
fn a_refused_connection() {
    // Bound but not listening: nobody else gets the port, and connections are refused.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind("127.0.0.2:0".parse().expect("an address")).expect("a port");
    let port = socket.local_addr().expect("it is bound").port();
    let client = TestClient::new(options(&format!("http://127.0.0.2:{port}")));
    emit_what_is_to_be_kept(&client);
    let error = client.wait("connect_error").json;
    Fault::at("connect", &["refused", &format!("127.0.0.2:{port}")]).check(&error);
    drop(socket);
    let server = RawServer::on_port(port, |peer| peer.behave(4));
    client.wait("connect");
    nothing_is_lost(&server, &client);
}

#[test]
fn a_name_without_an_address() {
    // A label that is longer than any may be: it is refused without asking anybody.
    let name = format!("{}.invalid", "a".repeat(64));
    let client = TestClient::new(options(&format!("http://{name}:1")));
    Fault::at("lookup", &["can't look up", &name]).check(&client.wait("connect_error").json);
    client.wait_nth("reconnect_attempt", 2);
}

#[test]
fn a_connection_that_is_closed_at_once() {
    // The request may still be unread then, which makes a reset of it.
    Fault::at("upgrade", &[]).is_told(|_| {});
    Fault::at("upgrade", &["closed"]).is_told(|peer| {
        peer.request();
    });
}

#[test]
fn a_connection_that_is_reset() {
    Fault::at("upgrade", &["reset"]).is_told(|peer| {
        peer.request();
        peer.reset();
    });
}

#[test]
fn a_server_that_never_answers() {
    Fault::silence("upgrade").is_told(Peer::drain);
}

// HTTP.

#[test]
fn a_404() {
    Fault::status(404, &["404", "no such page"]).is_told(|peer| peer.refuse("404 Not Found", "no such page"));
}

#[test]
fn a_redirect() {
    Fault::status(301, &["301"]).is_told(|peer| {
        peer.request();
        peer.write("HTTP/1.1 301 Moved Permanently\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n");
    });
}

#[test]
fn errors_of_a_server_or_a_proxy() {
    for (status, line, body) in [
        (401, "401 Unauthorized", "who are you"),
        (403, "403 Forbidden", "{\"code\":4,\"message\":\"Forbidden\"}"),
        (429, "429 Too Many Requests", "slow down"),
        (500, "500 Internal Server Error", "it broke"),
        (502, "502 Bad Gateway", "<html>nginx</html>"),
        (503, "503 Service Unavailable", "later"),
    ] {
        Fault::status(status, &[&status.to_string(), body]).is_told(move |peer| peer.refuse(line, body));
    }
}

/// Both revisions are asked before a 400 is told.
#[test]
fn a_400() {
    let body = "{\"code\":5,\"message\":\"Unsupported protocol version\"}";
    Fault::status(400, &["400", "Unsupported protocol version"])
        .is_told(move |peer| peer.refuse("400 Bad Request", body));
}

#[test]
fn a_web_page() {
    Fault::status(200, &["200", "hello"]).is_told(|peer| peer.refuse("200 OK", "<h1>hello</h1>"));
}

#[test]
fn a_body_that_is_no_text() {
    Fault::status(500, &["500"]).is_told(|peer| {
        peer.request();
        peer.write(b"HTTP/1.1 500 x\r\nContent-Length: 6\r\n\r\n\xff\xfe\0\x1b[2");
    });
}

#[test]
fn a_server_of_another_protocol() {
    let banners: [&'static [u8]; 6] = [
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"220 mail.example ESMTP\r\n",
        b"hello\r\n\r\n",
        b"-ERR unknown command 'GET'\r\n",
        b"\x00\x01\x02\xff\xfe\xfd\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
    ];
    for banner in banners {
        Fault::at("upgrade", &["HTTP"]).is_told(move |peer| {
            peer.write(banner);
            peer.drain();
        });
    }
}

#[test]
fn an_answer_that_is_cut_short() {
    Fault::at("upgrade", &["closed"]).is_told(|peer| {
        peer.request();
        peer.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: web");
    });
}

#[test]
fn an_answer_without_what_a_websocket_needs() {
    for (answer, missing) in [
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "Upgrade"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "Upgrade"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "Connection"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            "Sec-WebSocket-Accept",
        ),
    ] {
        Fault::at("upgrade", &[missing]).is_told(move |peer| {
            peer.request();
            peer.write(answer);
            peer.drain();
        });
    }
}

#[test]
fn a_thousand_headers() {
    Fault::at("upgrade", &["header"]).is_told(|peer| {
        let Some(request) = peer.request() else { return };
        let headers: String = (0..1000).map(|n| format!("X-Header-{n}: {n}\r\n")).collect();
        peer.switch(&request, &headers);
        peer.drain();
    });
}

/// Without a bound this ends when the memory does.
#[test]
fn a_header_without_an_end() {
    Fault::at("upgrade", &["upgrade failed"]).is_told(|peer| {
        peer.request();
        peer.write("HTTP/1.1 101 Switching Protocols\r\nX-Endless: ");
        // 64 MiB, unless the client has enough before.
        let piece = [b'x'; 64 * 1024];
        for _ in 0..1024 {
            peer.write(piece);
        }
        peer.drain();
    });
}

#[test]
fn an_answer_that_drips() {
    Fault::silence("upgrade").is_told(|peer| {
        let Some(request) = peer.request() else { return };
        // Long enough for a connect timeout that starts anew with every byte.
        for byte in b"HTTP/1.1 101 Switching Protocols\r\nX-Drip: ".iter().cycle().take(120) {
            peer.write([*byte]);
            pause(10);
        }
        peer.switch(&request, "");
    });
}

// The open packet.

#[test]
fn no_open_packet() {
    Fault::silence("open").is_told(|peer| {
        peer.upgrade();
        peer.drain();
    });
}

#[test]
fn a_websocket_that_is_no_engine_io() {
    for text in ["welcome, stranger", "<hello/>", "", "7", "2", "40", "öl"] {
        Fault::at("open", &["Engine.IO open packet", text]).is_told(move |peer| {
            peer.upgrade();
            peer.text(text);
            peer.drain();
        });
    }
    Fault::at("open", &["Engine.IO open packet", "binary"]).is_told(|peer| {
        peer.upgrade();
        peer.binary(&[0, 1, 2]);
        peer.drain();
    });
}

/// What engine.io 6 sends behind its 101 to somebody who asked for revision 3.
const UNSUPPORTED: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-type: text/html\r\nContent-Length: 28\r\n\r\n\
    Unsupported protocol version";

#[test]
fn raw_bytes_behind_the_upgrade() {
    let all: [&'static [u8]; 3] = [UNSUPPORTED, &[0xff; 20], &[0x80; 20]];
    for bytes in all {
        Fault::at("open", &["Engine.IO open packet"]).is_told(move |peer| {
            peer.upgrade();
            peer.write(bytes);
            peer.drain();
        });
    }
}

#[test]
fn an_upgrade_that_is_followed_by_the_end() {
    Fault::at("open", &["closed"]).is_told(|peer| {
        peer.upgrade();
    });
}

#[test]
fn an_upgrade_that_is_followed_by_a_reset() {
    Fault::at("open", &["reset"]).is_told(|peer| {
        peer.upgrade();
        peer.reset();
    });
}

#[test]
fn a_close_frame_instead_of_an_open_packet() {
    Fault::at("open", &["1008", "not from here"]).is_told(|peer| {
        peer.upgrade();
        peer.write(frame(CLOSE, &close_payload(1008, "not from here")));
        peer.drain();
    });
}

#[test]
fn an_open_packet_that_lies() {
    for (packet, fault) in [
        ("", "JSON"),
        ("{", "JSON"),
        ("null", "object"),
        ("[]", "object"),
        (r#"{"pingInterval":25000,"pingTimeout":20000}"#, "sid"),
        (r#"{"sid":"","pingInterval":25000,"pingTimeout":20000}"#, "sid"),
        (r#"{"sid":7,"pingInterval":25000,"pingTimeout":20000}"#, "sid"),
        (r#"{"sid":"a","pingTimeout":20000}"#, "pingInterval"),
        (r#"{"sid":"a","pingInterval":0,"pingTimeout":20000}"#, "pingInterval"),
        (r#"{"sid":"a","pingInterval":-1,"pingTimeout":20000}"#, "pingInterval"),
        (r#"{"sid":"a","pingInterval":"25000","pingTimeout":20000}"#, "pingInterval"),
        (r#"{"sid":"a","pingInterval":1e300,"pingTimeout":20000}"#, "pingInterval"),
        (r#"{"sid":"a","pingInterval":18446744073709551615,"pingTimeout":20000}"#, "pingInterval"),
        (r#"{"sid":"a","pingInterval":25000}"#, "pingTimeout"),
        (r#"{"sid":"a","pingInterval":25000,"pingTimeout":0}"#, "pingTimeout"),
        (r#"{"sid":"a","pingInterval":25000,"pingTimeout":null}"#, "pingTimeout"),
        (r#"{"sid":"a","pingInterval":25000,"pingTimeout":18446744073709551615}"#, "pingTimeout"),
    ] {
        Fault::at("open", &["open packet", fault]).is_told(move |peer| {
            peer.upgrade();
            peer.text(&format!("0{packet}"));
            peer.drain();
        });
    }
}

/// Lies that do no harm are no reason to fail.
#[test]
fn an_open_packet_with_harmless_lies() {
    let server = RawServer::start(|peer| {
        peer.upgrade();
        peer.text(
            r#"0{"sid":"a\u0000\"b","upgrades":{"x":1},"pingInterval":604800000,"pingTimeout":604800000,"maxPayload":1,"more":[{}]}"#,
        );
        peer.join(4);
        peer.receive_all();
    });
    let client = TestClient::new(options(&server.root()));
    emit_what_is_to_be_kept(&client);
    client.wait("connect");
    nothing_is_lost(&server, &client);
}

#[test]
fn an_open_packet_that_is_cut_short() {
    Fault::at("open", &["open packet"]).is_told(|peer| {
        peer.upgrade();
        let whole = frame(TEXT, format!("0{}", open_packet(4)).as_bytes());
        peer.write(&whole[..whole.len() / 2]);
    });
}

#[test]
fn an_open_packet_that_is_too_large() {
    let small = json!({ "maxMessageBytes": 2048 });
    Fault { options: small.clone(), ..Fault::at("open", &["2048", "maxMessageBytes"]) }.is_told(|peer| {
        peer.upgrade();
        peer.text(&format!("0{}{}", open_packet(4), " ".repeat(4096)));
        peer.drain();
    });
    Fault { options: small, ..Fault::at("open", &["2048", "maxMessageBytes"]) }.is_told(|peer| {
        peer.upgrade();
        peer.write(frame_head(0x81, 1 << 62));
        peer.drain();
    });
}

#[test]
fn an_open_packet_that_is_no_utf_8() {
    Fault::at("open", &["open packet", "UTF-8"]).is_told(|peer| {
        peer.upgrade();
        peer.write(frame(TEXT, b"0{\"sid\":\"\xff\xfe\"}"));
        peer.drain();
    });
}

// The namespace.

#[test]
fn no_answer_to_the_connect() {
    for generation in [2, 4] {
        Fault { says: &["300 ms", "/room"], ..Fault::silence("namespace") }.is_told(move |peer| {
            peer.upgrade();
            peer.open(generation);
            peer.drain();
        });
    }
}

/// A connection that lives, beats and sends events, but never connects the namespace.
#[test]
fn no_answer_to_the_connect_but_much_else() {
    Fault { says: &["300 ms", "/room"], ..Fault::silence("namespace") }.is_told(|peer| {
        peer.upgrade();
        peer.open(4);
        for _ in 0..100 {
            peer.text("2");
            peer.text("42/room,[\"early\"]");
            peer.text("42/other,[\"foreign\"]");
            pause(10);
        }
        peer.drain();
    });
}

#[test]
fn a_connection_that_is_lost_before_the_answer() {
    let says = ["/room", "transport close"];
    Fault::at("namespace", &says).is_told(|peer| {
        peer.upgrade();
        peer.open(4);
        peer.receive_until("40/room");
    });
    Fault::at("namespace", &says).is_told(|peer| {
        peer.upgrade();
        peer.open(2);
        peer.text("1");
        peer.drain();
    });
    Fault::at("namespace", &["/room", "io server disconnect"]).is_told(|peer| {
        peer.upgrade();
        peer.open(4);
        peer.text("41/room,");
        peer.drain();
    });
}

#[test]
fn an_answer_to_the_connect_that_is_none() {
    for answer in [
        "40/room,\"invalid\"",
        "40/room,[]",
        "40/room,{",
        "44/room,",
        "44/room,5",
        "451",
        "49",
        "x",
        "",
        "0{}",
    ] {
        Fault::at("namespace", &["/room", "parse error"]).is_told(move |peer| {
            peer.upgrade();
            peer.open(4);
            peer.receive_until("40/room");
            peer.text(answer);
            peer.drain();
        });
    }
}

/// Events may come before the answer, but not without a bound.
#[test]
fn megabytes_of_early_events() {
    Fault::at("namespace", &["/room", "before its CONNECT"]).is_told(|peer| {
        peer.upgrade();
        peer.open(4);
        let event = format!("42/room,[\"early\",\"{}\"]", "x".repeat(512 * 1024));
        for _ in 0..64 {
            peer.text(&event);
        }
        peer.drain();
    });
}
