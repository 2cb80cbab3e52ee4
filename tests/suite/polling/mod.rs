//! HTTP long-polling, the order of the transports, and the upgrade to WebSocket, against the official servers.

mod fallback;
mod faults;
mod features;
mod goodbye;
mod hostile;
mod recovery;
mod through_nginx;
mod traffic;
mod upgrade;

use serde_json::{json, Value};

use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];

/// After so many requests a client of `PollingServer` that is upgrading is connected and waits for packets: the handshake, the
/// POST of its CONNECT, the GET that brings the answer, the upgrade, and the GET that waits.
const REQUESTS_TO_REST: usize = 5;

/// Options for long-polling alone, with quick retries.
fn polling(server: &Server, nsp: &str) -> Value {
    json!({
        "root": server.root(), "nsp": nsp, "path": "/socket.io", "transports": ["polling"],
        "reconnectionDelay": 10, "reconnectionDelayMax": 30
    })
}

/// Options with some more, or others.
fn with(mut options: Value, more: Value) -> Value {
    let more = more.as_object().expect("options are an object").clone();
    options.as_object_mut().expect("options are an object").extend(more);
    options
}

/// Asks the server for an echo and gets it: the connection works both ways.
fn works(client: &TestClient) {
    let outcomes = Outcomes::default();
    client.ask("echo", &json!({ "works": [1, "ä"] }), 0, &outcomes);
    assert_eq!(outcome(&outcomes), (0, Some(json!({ "works": [1, "ä"] }))));
}
