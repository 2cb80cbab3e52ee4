//! From a root to a connected namespace, and what goes over it: against the official servers, egg, and a raw one.

mod address;
mod compression;
mod events;
mod generation;
mod heartbeat;
mod msgpack;
mod path;
mod recovery;

use std::{collections::BTreeSet, sync::Mutex};

use serde_json::{json, Value};

use crate::support::{
    steps::{with, works},
    *,
};

/// A server and a root of it that no client of this process has used: what the library remembers of a root (another
/// server may have had the same port) must not decide how a test goes.
fn fresh(start: impl Fn() -> Server) -> (Server, String) {
    static SEEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let server = start();
        if SEEN.lock().expect("no test panics here").insert(server.port) {
            let root = format!("http://localhost:{}", server.port);
            return (server, root);
        }
    }
}

/// Options for a raw server: one transport, one path, a namespace in which the library does nothing by itself, and quick retries.
fn raw_options(server: &RawServer) -> Value {
    json!({ "root": server.root(), "nsp": "room", "path": "/ws", "transports": ["websocket"], "reconnectionDelay": 10, "reconnectionDelayMax": 20 })
}
