//! Servers that do wrong: each fault gives an event that names it, the process lives, nothing queued is lost, and the same
//! client works as soon as the server behaves.

mod connected;
mod flood;
mod forged;
mod handshake;
mod unasked;

use serde_json::{json, Value};

use crate::support::*;

/// Options for a raw server: one transport, one path, a namespace in which the library does nothing by itself, and quick retries.
fn options(root: &str) -> Value {
    json!({ "root": root, "nsp": "room", "path": "/ws", "transports": ["websocket"], "reconnectionDelay": 10, "reconnectionDelayMax": 20 })
}

/// Options with some more, or others.
fn with(mut options: Value, more: &Value) -> Value {
    let more = more.as_object().expect("options are an object").clone();
    options.as_object_mut().expect("options are an object").extend(more);
    options
}

/// Does the text contain this, whatever the case?
#[track_caller]
fn says(text: &Value, parts: &[&str]) {
    let lower = text.as_str().unwrap_or_default().to_lowercase();
    for part in parts {
        assert!(lower.contains(&part.to_lowercase()), "{part:?} is not in {text}");
    }
}

/// What was emitted while the server did wrong arrives once it behaves, in order, once.
#[track_caller]
fn nothing_is_lost(server: &RawServer, client: &TestClient) {
    client.emit("last", &json!(3));
    wait_until("what was emitted, at the server that behaves", || {
        server.frames_with("42/room,").iter().any(|frame| frame.contains("\"last\""))
    });
    let frames = server.frames_with("42/room,");
    assert_eq!(frames, ["42/room,[\"kept\",1]", "42/room,[\"kept\",{\"two\":2}]", "42/room,[\"last\",3]"]);
}

fn emit_what_is_to_be_kept(client: &TestClient) {
    assert_eq!(client.emit("kept", &json!(1)), 0);
    assert_eq!(client.emit("kept", &json!({ "two": 2 })), 0);
}
