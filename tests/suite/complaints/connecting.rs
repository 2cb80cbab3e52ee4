//! Complaints about connecting: 7 (no fallback to long-polling), 8 (the wrong generation, with an opaque error).

use serde_json::{json, Value};

use crate::support::*;

/// The server through a proxy that lets no WebSocket through, in one of the ways in which proxies do that.
fn behind(upgrades: Upgrades, more: &Value) {
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        let nginx = Nginx::before(&server, upgrades);
        let mut options = json!({ "root": nginx.root(), "nsp": "chat", "path": "/socket.io" });
        options.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let client = TestClient::new(options);
        let connected = client.wait("connect").json;
        assert_eq!(connected["transport"], "polling", "{upgrades:?}, generation {generation}");
        for number in 0..20 {
            let outcomes = Outcomes::default();
            client.ask("echo", &json!({ "number": number, "text": "ä€😀" }), 0, &outcomes);
            assert_eq!(outcome(&outcomes), (0, Some(json!({ "number": number, "text": "ä€😀" }))));
        }
        client.emit("burst", &json!(50));
        client.wait_nth("burst", 50);
        assert!(!nginx.upgrades().is_empty(), "a WebSocket was tried");
        assert_eq!((client.count("connect"), client.count("disconnect")), (1, 0));
    }
}

#[test]
fn a_proxy_that_passes_no_upgrade_on_leaves_a_working_client() {
    behind(Upgrades::Stripped, &json!({}));
}

#[test]
fn a_proxy_that_refuses_websocket_leaves_a_working_client() {
    behind(Upgrades::Refused, &json!({}));
}

#[test]
fn a_proxy_that_cuts_every_websocket_leaves_a_working_client() {
    behind(Upgrades::Cut(0), &json!({}));
}

/// A firewall that says nothing at all: the time of an attempt is shared, so that long-polling has its turn.
#[test]
fn a_proxy_that_silences_every_websocket_leaves_a_working_client() {
    behind(Upgrades::Silenced(0), &json!({ "timeout": 3000 }));
}

/// Long-polling first, as the official clients do it by default: the upgrade fails and nothing is lost by that.
#[test]
fn a_failed_upgrade_leaves_a_working_client() {
    for upgrades in [Upgrades::Stripped, Upgrades::Refused, Upgrades::Cut(0)] {
        behind(upgrades, &json!({ "transports": ["polling", "websocket"] }));
    }
}

/// Told the wrong generation, the client says which one the server has.
#[test]
fn the_wrong_generation_is_told_in_words() {
    for (generation, protocol, words) in [(2, 4, "Socket.IO 2"), (4, 3, "Socket.IO 3")] {
        for transport in ["websocket", "polling"] {
            let server = socketio(generation, &[]);
            let client = TestClient::new(json!({
                "root": server.root(), "nsp": "chat", "path": "/socket.io", "protocol": protocol,
                "transports": [transport], "reconnection": false
            }));
            let error = client.wait("connect_error").json;
            let message = error["message"].as_str().expect("a message");
            assert!(message.contains(words), "{transport}, generation {generation}: {message}");
            assert!(message.contains("\"protocol\""), "{transport}, generation {generation}: {message}");
        }
    }
}
