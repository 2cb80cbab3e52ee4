//! Answers to the opening handshake with what nobody asked for: each is refused, and named.

use super::handshake::Fault;
use crate::support::*;

/// The server switches to WebSocket with these headers too.
#[track_caller]
fn a_switch_with(headers: &'static str, says: &[&str]) {
    Fault::at("upgrade", says).is_told(move |peer| {
        let Some(request) = peer.request() else { return };
        peer.switch(&request, headers);
        peer.open(4);
        peer.drain();
    });
}

#[test]
fn an_extension_that_nobody_asked_for() {
    const SAYS: [&str; 2] = ["an extension that nobody asked for", "permessage-deflate"];
    a_switch_with("Sec-WebSocket-Extensions: permessage-deflate\r\n", &SAYS);
    a_switch_with("sec-websocket-extensions: permessage-deflate; client_max_window_bits=15\r\n", &SAYS);
    a_switch_with(
        "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n",
        &[SAYS[0], "x-webkit-deflate-frame"],
    );
    a_switch_with("Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b\r\n", &SAYS[..1]);
}

#[test]
fn a_subprotocol_that_nobody_asked_for() {
    a_switch_with("Sec-WebSocket-Protocol: mqtt\r\n", &["subprotocol", "\"protocols\""]);
}

/// Interim answers, one or without an end: a 1xx is no answer to a handshake.
#[test]
fn interim_answers_to_the_handshake() {
    for (line, status) in [("100 Continue", 100), ("102 Processing", 102), ("103 Early Hints", 103)] {
        let answer = format!("HTTP/1.1 {line}\r\n\r\n").into_bytes();
        Fault::status(status, &[&status.to_string()]).is_told(move |peer| {
            peer.request();
            peer.flood(&answer).finish();
        });
    }
}

/// Set-Cookie without an end fills neither the memory nor the next request.
#[test]
fn a_hundred_cookies_of_all_sizes() {
    let server = RawServer::start(|peer| {
        let Some(request) = peer.request() else { return };
        let number = peer.number;
        let cookies: String = (0..100)
            .map(|n| format!("Set-Cookie: c{number}-{n}={}; Path=/{}\r\n", "x".repeat(200), "y".repeat(200)))
            .collect();
        peer.switch(&request, &cookies);
        if number > 3 {
            peer.open(4);
            peer.join(4);
            peer.receive_all();
        }
    });
    let client = TestClient::new(super::options(&server.root()));
    client.wait("connect");
    // The paths are of elsewhere, so nothing goes back.
    assert!(server.requests().iter().all(|request| request.header("cookie").is_none()));
}
