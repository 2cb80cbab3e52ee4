//! What the caller adds to the requests.

use serde_json::{json, Value};

use super::{options, with, works};
use crate::support::*;

/// The headers with which this client came, as the server sees them.
fn headers_at_the_server(client: &TestClient) -> Value {
    client.wait("connect");
    client.emit("handshake", &Value::Null);
    client.wait("handshake").json["headers"].clone()
}

#[test]
fn extra_headers_reach_the_server() {
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        let extra = json!({ "Authorization": "Bearer abc", "x-device": "a; b", "User-Agent": "im/1", "Host": "im.example" });
        let client = TestClient::new(with(options(&server.root()), json!({ "extraHeaders": extra })));
        let headers = headers_at_the_server(&client);
        for (name, value) in [
            ("authorization", "Bearer abc"),
            ("x-device", "a; b"),
            ("user-agent", "im/1"),
            ("host", "im.example"),
        ] {
            assert_eq!(headers[name], value, "{name} of generation {generation}: {headers}");
        }
        works(&client);
    }
}

#[test]
fn the_headers_of_a_transport_stand_in_for_those_of_all() {
    let server = socketio(4, &[]);
    let more = json!({
        "extraHeaders": { "x-all": "1" },
        "transportOptions": {
            "websocket": { "extraHeaders": { "x-websocket": "2" } },
            "polling": { "extraHeaders": { "x-polling": "3" } },
        },
    });
    let client = TestClient::new(with(options(&server.root()), more));
    let headers = headers_at_the_server(&client);
    assert_eq!(headers["x-websocket"], "2", "{headers}");
    assert!(headers["x-all"].is_null() && headers["x-polling"].is_null(), "{headers}");
}

#[test]
fn headers_go_out_again_at_every_reconnect() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
        if peer.number > 2 {
            peer.receive_all();
        }
    });
    let more = json!({ "path": "/ws", "nsp": "room", "extraHeaders": { "X-Token": "abc" } });
    let client = TestClient::new(with(options(&server.root()), more));
    client.wait_nth("connect", 3);
    let sent: Vec<_> = server.requests().iter().map(|r| r.header("x-token").map(str::to_owned)).collect();
    assert_eq!(sent, vec![Some("abc".to_owned()); 3]);
}

#[test]
fn a_subprotocol_is_asked_for_and_chosen() {
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        for protocols in [json!(["im.v2", "im.v1"]), json!("im.v1")] {
            works(&TestClient::new(with(options(&server.root()), json!({ "protocols": protocols }))));
        }
    }
    let server = RawServer::start(|peer| {
        if let Some(request) = peer.request() {
            peer.switch(&request, "Sec-WebSocket-Protocol: im.v1\r\n");
            peer.open(4);
            peer.join(4);
            peer.receive_all();
        }
    });
    let more = json!({ "path": "/ws", "nsp": "room", "protocols": ["im.v2", "im.v1"] });
    TestClient::new(with(options(&server.root()), more)).wait("connect");
    assert_eq!(server.requests()[0].header("sec-websocket-protocol"), Some("im.v2, im.v1"));
}

/// RFC 6455 and every browser want an answer to the question.
#[test]
fn a_server_that_chooses_no_subprotocol_is_named() {
    let server = RawServer::start(|peer| {
        peer.upgrade();
        peer.drain();
    });
    let more = json!({ "path": "/ws", "protocols": "im.v1" });
    let client = TestClient::new(with(super::once(&server.root()), more));
    super::failed_at(&client.wait("connect_error").json, "upgrade", &["subprotocol", "\"protocols\""]);
}
