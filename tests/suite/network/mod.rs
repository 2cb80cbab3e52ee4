//! The way to the server as the caller's options say: headers, cookies, proxies, TLS; against the official servers of both
//! generations, real proxies, and scripted ones for what real ones do seldom.

mod cookies;
mod headers;
mod over_polling;
mod proxy;
mod secrets;
mod tls_options;

use serde_json::{json, Value};

use crate::support::{steps::with, *};

/// Options for one of the official servers, whose path they name.
fn options(root: &str) -> Value {
    json!({ "root": root, "nsp": "chat", "path": "/socket.io", "reconnectionDelay": 10, "reconnectionDelayMax": 20 })
}

/// The same without another attempt, and without another transport, which would often fail alike: see `over_polling` for that
/// one.
fn once(root: &str) -> Value {
    with(options(root), json!({ "reconnection": false, "transports": ["websocket"] }))
}

fn local(scheme: &str, port: u16) -> String {
    format!("{scheme}://localhost:{port}")
}

/// Asks the server for an echo and gets it: the connection works both ways.
#[track_caller]
fn works(client: &TestClient) {
    client.wait("connect");
    steps::works(client);
}

/// The one attempt of a `connect_error`, which failed in this step; all of `parts` are in its message.
#[track_caller]
fn failed_at(error: &Value, step: &str, parts: &[&str]) -> Value {
    let attempts = error["attempts"].as_array().unwrap_or_else(|| panic!("no attempts: {error}"));
    assert_eq!((attempts.len(), &attempts[0]["step"]), (1, &json!(step)), "{error}");
    let message = attempts[0]["message"].as_str().expect("a message");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert!(error["message"].as_str().is_some_and(|all| all.contains(message)), "{error}");
    attempts[0].clone()
}
