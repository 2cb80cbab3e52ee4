//! Which transport is tried when, and what an error tells.

use serde_json::{json, Value};

use super::{with, works, GENERATIONS};
use crate::support::*;

fn default(server: &Server) -> Value {
    json!({ "root": server.root(), "nsp": "chat", "reconnectionDelay": 10, "reconnectionDelayMax": 30 })
}

#[test]
fn websocket_is_the_first_try_of_the_defaults() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(with(default(&server), json!({ "path": "/socket.io" })));
        assert_eq!(client.wait("connect").json["transport"], "websocket");
        assert_eq!(server.stats()["requests"], 0, "no long-polling was tried");
    }
}

#[test]
fn a_server_without_websocket_is_reached_by_default() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--transports", "polling"]);
        let client = TestClient::new(default(&server));
        assert_eq!(client.wait("connect").json["transport"], "polling");
        works(&client);
        assert_eq!(client.count("connect_error"), 0);
    }
}

#[test]
fn the_next_transport_is_not_tried_where_the_caller_does_not_want_it() {
    let server = socketio(4, &["--transports", "polling"]);
    let client =
        TestClient::new(with(default(&server), json!({ "tryAllTransports": false, "path": "/socket.io" })));
    let error = client.wait("connect_error").json;
    let attempts = error["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1, "{error}");
    assert_eq!((&attempts[0]["transport"], &attempts[0]["status"]), (&json!("websocket"), &json!(400)));
}

#[test]
fn an_error_names_every_transport_with_its_step_and_status() {
    let server = RawServer::start(|peer| peer.refuse("403 Forbidden", "no entry"));
    let options = json!({ "root": server.root(), "nsp": "room", "path": "/ws", "reconnection": false });
    let client = TestClient::new(options);
    let error = client.wait("connect_error").json;
    let attempts = error["attempts"].as_array().unwrap();
    let told: Vec<_> =
        attempts.iter().map(|a| (a["transport"].clone(), a["step"].clone(), a["status"].clone())).collect();
    assert_eq!(
        told,
        [
            (json!("websocket"), json!("upgrade"), json!(403)),
            (json!("polling"), json!("upgrade"), json!(403))
        ]
    );
    for attempt in attempts {
        assert!(attempt["message"].as_str().unwrap().contains("no entry"), "{attempt}");
    }
}

#[test]
fn a_server_that_is_not_there_is_asked_once() {
    let free = std::net::TcpListener::bind("127.0.0.2:0").expect("a free port");
    let root = format!("http://{}", free.local_addr().expect("it is bound"));
    drop(free);
    let client = TestClient::new(json!({ "root": root, "nsp": "room", "reconnection": false }));
    let error = client.wait("connect_error").json;
    assert_eq!(error["attempts"].as_array().unwrap().len(), 1, "{error}");
    assert_eq!(error["attempts"][0]["step"], "connect");
}
