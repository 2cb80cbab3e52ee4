//! Connection state recovery of Socket.IO 4.6 and later: what was missed comes after the loss, and `recovered` says so.

use serde_json::{json, Value};

use crate::support::*;

fn client(server: &Server) -> TestClient {
    let client = TestClient::new(json!({
        "root": server.root(), "nsp": "chat", "path": "/socket.io", "reconnectionDelay": 300, "randomizationFactor": 0
    }));
    assert_eq!(client.wait("connect").json["recovered"], false);
    client
}

fn tell(server: &Server, number: u64) {
    server.post("/control/emit", json!({ "nsp": "/chat", "event": "told", "args": [number] }));
}

#[test]
fn what_was_missed_comes_after_a_short_loss() {
    let server = socketio(4, &["--recovery", "60000"]);
    let client = client(&server);
    // The session is continued behind the last event that came.
    tell(&server, 0);
    assert_eq!(client.wait("told").args, json!([0, client.wait("told").args[1]]));
    for loss in 1..=3 {
        let sid = client.wait_nth("connect", loss).json["sid"].clone();
        server.post("/control/drop", json!({}));
        client.wait_nth("disconnect", loss);
        tell(&server, u64::try_from(loss).expect("small"));
        let connected = client.wait_nth("connect", loss + 1).json;
        assert_eq!((&connected["recovered"], &connected["sid"]), (&json!(true), &sid), "{connected}");
        client.wait_nth("told", loss + 1);
    }
    assert_eq!(client.all("told"), [0, 1, 2, 3].map(Value::from));
}

#[test]
fn a_server_without_recovery_gives_a_new_session() {
    let server = socketio(4, &[]);
    let client = client(&server);
    let sid = client.wait("connect").json["sid"].clone();
    server.post("/control/drop", json!({}));
    let connected = client.wait_nth("connect", 2).json;
    assert_eq!(connected["recovered"], false);
    assert_ne!(connected["sid"], sid);
}
