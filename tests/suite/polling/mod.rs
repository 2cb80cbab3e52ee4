//! HTTP long-polling, the order of the transports, and the upgrade to WebSocket, against the official servers.

mod endless;
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

use crate::support::{
    steps::{with, works},
    *,
};

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
