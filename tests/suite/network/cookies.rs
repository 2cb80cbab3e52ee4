//! Cookies that the server sets go back to it, as a load balancer with sticky sessions needs.

use serde_json::{json, Value};

use super::{options, with, works};
use crate::support::*;

/// What the raw server's requests carried, in their order.
fn cookies_of(server: &RawServer) -> Vec<Option<String>> {
    server.requests().iter().map(|request| request.header("cookie").map(str::to_owned)).collect()
}

fn some(cookies: &[&str]) -> Vec<Option<String>> {
    cookies.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect()
}

/// A raw server whose n-th answer sets the n-th cookies; it closes each connection but the last.
fn setter(set: &'static [&'static str]) -> RawServer {
    RawServer::start(move |peer| {
        let Some(request) = peer.request() else { return };
        peer.switch(&request, set.get(peer.number - 1).unwrap_or(&""));
        peer.open(4);
        peer.join(4);
        if peer.number > set.len() {
            peer.receive_all();
        }
    })
}

fn raw_options(server: &RawServer, more: Value) -> Value {
    with(with(options(&server.root()), json!({ "path": "/ws", "nsp": "room" })), more)
}

fn engines(server: &Server) -> u64 {
    server.stats()["engines"].as_u64().expect("a number")
}

/// Complaint 19 of the wire notes, with a real load balancer: without its cookie, connections take turns.
#[test]
fn complaint_19_cookies_for_sticky_sessions_are_kept_over_reconnects() {
    for generation in [2, 4] {
        let (first, second) = (socketio(generation, &[]), socketio(generation, &[]));
        let balancer = Daemon::sticky_balancer(&[&first, &second]);
        let root = format!("http://{}", balancer.address());
        let client = TestClient::new(options(&root));
        works(&client);
        let (mine, other) = if engines(&first) == 1 { (&first, &second) } else { (&second, &first) };
        for times in 2..=5 {
            mine.post("/control/drop", json!({}));
            client.wait_nth("connect", times);
        }
        assert_eq!((engines(mine), engines(other)), (5, 0), "generation {generation}");
        // Another client has cookies of its own, and the next turn.
        let another = TestClient::new(options(&root));
        works(&another);
        assert_eq!((engines(mine), engines(other)), (5, 1), "generation {generation}");
        other.post("/control/drop", json!({}));
        another.wait_nth("connect", 2);
        assert_eq!((engines(mine), engines(other)), (5, 2), "generation {generation}");
    }
}

#[test]
fn cookies_change_and_end_as_the_server_says() {
    let server = setter(&[
        "Set-Cookie: lb=one; Path=/; HttpOnly\r\nSet-Cookie: other=x; Path=/elsewhere\r\n",
        "Set-Cookie: lb=two; Path=/\r\nset-cookie: id=7\r\n",
        "Set-Cookie: lb=; Path=/; Expires=Thu, 01-Jan-1970 00:00:01 GMT\r\n",
        "Set-Cookie: id=; Max-Age=0\r\n",
    ]);
    let client = TestClient::new(raw_options(&server, json!({})));
    client.wait_nth("connect", 5);
    assert_eq!(cookies_of(&server), some(&["", "lb=one", "id=7; lb=two", "id=7", ""]));
}

#[test]
fn the_callers_cookie_is_sent_beside_those_that_are_kept() {
    let server = setter(&["Set-Cookie: lb=one; Path=/\r\n", "Set-Cookie: session=new; Path=/\r\n"]);
    let more = json!({ "extraHeaders": { "Cookie": "session=old; theme=dark" } });
    let client = TestClient::new(raw_options(&server, more));
    client.wait_nth("connect", 3);
    let sent =
        ["session=old; theme=dark", "session=old; theme=dark; lb=one", "theme=dark; lb=one; session=new"];
    assert_eq!(cookies_of(&server), some(&sent));
}

/// A load balancer may set its cookie with the refusal of a server that is starting.
#[test]
fn a_refusals_cookies_are_kept() {
    let server = RawServer::start(|peer| {
        if peer.number > 1 {
            return peer.behave(4);
        }
        peer.request();
        peer.write(
            "HTTP/1.1 503 Service Unavailable\r\nSet-Cookie: lb=one; Path=/\r\nConnection: close\r\n\
             Content-Length: 0\r\n\r\n",
        );
    });
    let client = TestClient::new(raw_options(&server, json!({ "transports": ["websocket"] })));
    client.wait("connect");
    assert_eq!(cookies_of(&server), some(&["", "lb=one"]));
}

#[test]
fn a_cookie_that_is_not_for_this_server_does_not_go_back() {
    let server = setter(&[
        "Set-Cookie: a=1; Domain=other.example\r\nSet-Cookie: b=2; Secure\r\nSet-Cookie: nonsense\r\n",
    ]);
    let client = TestClient::new(raw_options(&server, json!({})));
    client.wait_nth("connect", 2);
    assert_eq!(cookies_of(&server), some(&["", ""]));
}
