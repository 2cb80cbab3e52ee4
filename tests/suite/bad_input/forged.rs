//! Events that a server sends by the names of the connection's own: they arrive as what they are, the server's.

use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc,
};

use ::im_client::*;
use serde_json::json;

use super::{options, with};
use crate::support::*;

const FORGED: [&str; 10] = [
    "reconnect",
    "reconnect_failed",
    "reconnect_attempt",
    "reconnect_error",
    "upgrade",
    "ping",
    "error",
    "outbox",
    "query",
    "auth",
];
/// 2.x reserves no name on the wire; later servers can't send these.
const FORGED_BY_2: [&str; 3] = ["connect", "connect_error", "disconnect"];

fn forged_by(generation: u32) -> impl Iterator<Item = &'static str> {
    let more = if generation == 2 { &FORGED_BY_2[..] } else { &[] };
    FORGED.iter().chain(more).copied()
}

/// Sends each of them, then something of its own.
fn forge(peer: &mut Peer, generation: u32) {
    for name in forged_by(generation) {
        peer.text(&format!(
            "42/room,[\"{name}\",{{\"forged\":true,\"fp\":\"f1\",\"status\":0,\"attempt\":0}}]"
        ));
    }
    peer.text("42/room,[\"after\"]");
}

#[test]
fn a_server_cant_forge_the_connections_own_events() {
    for generation in [2, 4] {
        let server = RawServer::start(move |peer| {
            peer.connect(generation);
            forge(peer, generation);
            peer.receive_all();
        });
        let client = TestClient::new(options(&server.root()));
        assert_eq!(client.wait("after").kind, IM_EVENT_KIND_EVENT);
        for name in forged_by(generation) {
            let forged = client.wait_where(name, "the server sent it", |json| json["forged"] == true);
            assert_eq!((forged.kind, forged.request), (IM_EVENT_KIND_EVENT, 0), "{generation}: {name}");
        }
        let own = client.events().into_iter().filter(|event| event.kind != IM_EVENT_KIND_EVENT);
        assert_eq!(own.map(|event| event.name).collect::<Vec<_>>(), ["connect"]);
    }
}

/// Whoever subscribes to a name gets both, and can tell them apart.
#[test]
fn an_error_of_the_connection_and_one_of_the_server_are_told_apart() {
    let server = RawServer::start(|peer| {
        peer.connect(2);
        peer.text("42/room,[\"error\",\"forged\"]");
        peer.text("44/room,\"refused\"");
        peer.receive_all();
    });
    let client = TestClient::deaf(options(&server.root()));
    assert!(client.on("error") > 0);
    client.wait_nth("error", 2);
    let came: Vec<_> = client.events().into_iter().map(|event| (event.kind, event.json)).collect();
    assert_eq!(came, [(IM_EVENT_KIND_EVENT, json!("forged")), (IM_EVENT_KIND_LOCAL, json!("refused"))]);
}

#[track_caller]
fn is_local(client: &TestClient, name: &str) {
    assert_eq!(client.wait(name).kind, IM_EVENT_KIND_LOCAL, "{name}");
}

#[test]
fn the_connections_own_events_have_their_kind() {
    let refuses = Arc::new(AtomicBool::new(false));
    let closed = refuses.clone();
    let server = RawServer::start(move |peer| {
        if closed.load(Ordering::SeqCst) {
            peer.request();
            return peer.refuse("503 Service Unavailable", "");
        }
        peer.connect(4);
        peer.receive_until("42/room,[\"go\"]");
    });
    let client = TestClient::new(options(&server.root()));
    is_local(&client, "connect");
    refuses.store(true, Ordering::SeqCst);
    assert_eq!(client.emit_args("go", &json!([]), 0), 0);
    for name in ["disconnect", "reconnect_attempt", "connect_error", "reconnect_error"] {
        is_local(&client, name);
    }
    refuses.store(false, Ordering::SeqCst);
    is_local(&client, "reconnect");
    let never = TestClient::new(with(options("http://127.0.0.1:1"), &json!({ "reconnectionAttempts": 1 })));
    is_local(&never, "reconnect_failed");
}
