//! A session of long-polling that a client leaves behind would stay at its server until the ping timeout, and its user would
//! seem to be there. So there is a goodbye whenever it ends, also in the middle of things.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    thread::JoinHandle,
};

use serde_json::{json, Value};

use super::{with, GENERATIONS};
use crate::support::*;

/// Keeps the library's threads while the only other client is destroyed: what is tested is the goodbye, not how long an
/// ending process waits for it.
fn bystander() -> TestClient {
    TestClient::new(json!({ "root": "http://127.0.0.1:1", "nsp": "room", "autoConnect": false }))
}

fn room(server: &PollingServer) -> Value {
    json!({ "root": server.root(), "nsp": "room", "path": "/ws", "transports": ["polling"],
            "reconnectionDelay": 10, "reconnectionDelayMax": 30 })
}

fn upgrading(server: &PollingServer) -> Value {
    with(room(server), json!({ "transports": ["polling", "websocket"] }))
}

#[derive(Clone, Copy, Debug)]
enum How {
    Close,
    Destroy,
}

const WAYS: [How; 2] = [How::Close, How::Destroy];

/// Ends a client without waiting for it. A closed one lives until the thread is joined.
fn end(client: TestClient, how: How) -> JoinHandle<Option<TestClient>> {
    let handle = client.handle;
    if let How::Close = how {
        client.close();
        wait_until("rest", || client.state() == im_client::IM_STATE_DISCONNECTED);
    }
    let ends = std::thread::spawn(move || matches!(how, How::Close).then_some(client));
    if let How::Destroy = how {
        wait_until("the end of the handle", || im_client::im_client_state(handle) < 0);
    }
    ends
}

fn said_goodbye(server: &PollingServer) {
    let said = wait_for("the goodbye", || Some(server.frames_with("1")).filter(|said| !said.is_empty()));
    assert_eq!(said, ["1"]);
}

/// The answer that opens the session comes when nobody waits for it any more.
#[test]
fn a_client_that_ends_during_the_handshake_says_goodbye() {
    let _bystander = bystander();
    for (generation, how) in GENERATIONS.into_iter().flat_map(|g| WAYS.map(|how| (g, how))) {
        let released = Arc::new(AtomicBool::new(false));
        let release = released.clone();
        let server = PollingServer::start(generation, move |turn| match turn.kind {
            TurnKind::Open => {
                let payload = turn.open_payload(&Value::Null);
                wait_until("the end of the client", || release.load(Ordering::Acquire));
                turn.answer(&HttpAnswer::payload(payload));
            }
            _ => turn.behave(),
        });
        let client = TestClient::new(room(&server));
        wait_until("the handshake", || server.came(TurnKind::Open) == 1);
        let ends = end(client, how);
        released.store(true, Ordering::Release);
        said_goodbye(&server);
        drop(ends.join());
        assert_eq!((server.came(TurnKind::Open), server.came(TurnKind::Poll)), (1, 0), "{how:?}");
    }
}

/// A server of this generation that takes upgrades and never answers the probe, or answers and then never ends the GET.
fn probing(generation: u32, answers: bool) -> PollingServer {
    PollingServer::start(generation, move |turn| match turn.kind {
        TurnKind::Open => turn.open_with(&json!({ "upgrades": ["websocket"] })),
        TurnKind::Upgrade => {
            turn.switch();
            turn.receive_until("2probe");
            turn.wait_for_requests(super::REQUESTS_TO_REST);
            if answers {
                turn.text("3probe");
            }
            turn.receive_all();
        }
        _ => turn.behave(),
    })
}

#[test]
fn a_client_that_ends_during_the_probe_says_goodbye() {
    let _bystander = bystander();
    for (generation, how) in GENERATIONS.into_iter().flat_map(|g| WAYS.map(|how| (g, how))) {
        for answers in [false, true] {
            let server = probing(generation, answers);
            let client = TestClient::new(upgrading(&server));
            client.wait("connect");
            wait_until("the probe", || server.frames_with("2probe").len() == 1);
            let ends = end(client, how);
            said_goodbye(&server);
            drop(ends.join());
            assert_eq!(server.frames_with("41/room,"), ["41/room,"], "{generation}, {how:?}, {answers}");
        }
    }
}

#[test]
fn a_client_that_ends_during_a_pending_post_says_goodbye() {
    let _bystander = bystander();
    for (generation, how) in GENERATIONS.into_iter().flat_map(|g| WAYS.map(|how| (g, how))) {
        let server = PollingServer::start(generation, |turn| {
            match turn.kind == TurnKind::Post && String::from_utf8_lossy(&turn.body).contains("held") {
                true => turn.drain(),
                false => turn.behave(),
            }
        });
        let client = TestClient::new(room(&server));
        client.wait("connect");
        assert_eq!(client.emit("held", &json!(1)), 0);
        wait_until("the POST", || server.bodies().iter().any(|body| body.contains("held")));
        let ends = end(client, how);
        said_goodbye(&server);
        drop(ends.join());
    }
}

/// The server is still there, though what it sent makes no sense.
#[test]
fn a_session_that_ends_with_garbage_gets_its_goodbye() {
    for generation in GENERATIONS {
        let server = PollingServer::start(generation, |turn| match (turn.kind, turn.nth) {
            (TurnKind::Poll, 2) => turn.answer(&HttpAnswer::payload("))")),
            _ => turn.behave(),
        });
        let client = TestClient::new(with(room(&server), json!({ "reconnection": false })));
        assert_eq!(client.wait("disconnect").json["reason"], "parse error");
        said_goodbye(&server);
    }
}

/// Destroyed at any moment, real servers keep nothing of a client.
#[test]
fn no_moment_leaves_a_session_at_the_server() {
    let _bystander = bystander();
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        for transports in [json!(["polling"]), json!(["polling", "websocket"])] {
            for moment in 0..25 {
                let options = json!({ "root": server.root(), "nsp": "chat", "path": "/socket.io",
                                      "transports": transports });
                let client = TestClient::new(options);
                client.emit("count", &json!(moment));
                std::thread::sleep(std::time::Duration::from_millis(moment));
                drop(client);
            }
        }
        wait_until("the end of all sessions", || server.stats()["enginesNow"] == 0);
        assert!(server.stats()["engines"].as_u64() > Some(10), "they came so far");
    }
}
