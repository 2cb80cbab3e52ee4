//! Connection state recovery of Socket.IO 4: after a loss the server keeps a session for a while, and sends what was missed.

use serde_json::{json, Value};

use super::with;
use crate::support::*;

const TRANSPORTS: [&str; 2] = ["websocket", "polling"];

fn options(server: &Server, transport: &str) -> Value {
    json!({ "root": server.root(), "nsp": "chat", "path": "/socket.io", "transports": [transport],
            "reconnectionDelay": 10, "reconnectionDelayMax": 30 })
}

fn tell_all(server: &Server, name: &str, number: usize) {
    server.post("/control/emit", json!({ "nsp": "/chat", "event": name, "args": [number] }));
}

/// Everything is missed while the server takes no connection.
fn lose(server: &Server, client: &TestClient, losses: usize) {
    server.post("/control/stop-listening", json!({}));
    server.post("/control/drop", json!({}));
    client.wait_nth("disconnect", losses);
}

fn numbers(range: std::ops::Range<usize>) -> Vec<Value> {
    range.map(Value::from).collect()
}

#[test]
fn what_was_missed_comes_once_and_in_order() {
    for transport in TRANSPORTS {
        let server = socketio(4, &["--recovery", "60000"]);
        let client = TestClient::new(options(&server, transport));
        let connect = client.wait("connect").json;
        assert_eq!(connect["recovered"], false);
        (0..5).for_each(|number| tell_all(&server, "n", number));
        client.wait_nth("n", 5);
        for loss in 1..=3 {
            lose(&server, &client, loss);
            let first = loss * 5;
            (first..first + 5).for_each(|number| tell_all(&server, "n", number));
            server.post("/control/start-listening", json!({}));
            let again = client.wait_nth("connect", loss + 1).json;
            assert_eq!((&again["recovered"], &again["sid"]), (&json!(true), &connect["sid"]), "{transport}");
            client.wait_nth("n", first + 5);
        }
        // The connection goes on from there, and nothing comes again.
        tell_all(&server, "n", 20);
        client.wait_nth("n", 21);
        assert_eq!(client.all("n"), numbers(0..21), "{transport}");
        // The server says which event it is behind the arguments: each another.
        let offsets: Vec<Value> = client
            .events()
            .into_iter()
            .filter(|event| event.name == "n")
            .map(|event| event.args[1].clone())
            .collect();
        assert!(offsets.iter().all(Value::is_string), "{offsets:?}");
        assert!(offsets.iter().enumerate().all(|(at, offset)| !offsets[..at].contains(offset)));
        let seen = server.stats()["connectPackets"].as_array().unwrap().last().unwrap().clone();
        assert!(seen.as_str().unwrap().contains(offsets[14].as_str().unwrap()), "the last one seen: {seen}");
    }
}

#[test]
fn a_session_is_not_recovered_after_its_time() {
    for transport in TRANSPORTS {
        let server = socketio(4, &["--recovery", "1"]);
        let client = TestClient::new(options(&server, transport));
        let connect = client.wait("connect").json;
        tell_all(&server, "n", 0);
        client.wait("n");
        lose(&server, &client, 1);
        tell_all(&server, "n", 1);
        server.post("/control/start-listening", json!({}));
        let again = client.wait_nth("connect", 2).json;
        assert_eq!(again["recovered"], false, "{transport}");
        assert_ne!(again["sid"], connect["sid"]);
        tell_all(&server, "n", 2);
        client.wait_nth("n", 2);
        assert_eq!(client.all("n"), [json!(0), json!(2)], "{transport}");
        // What it is then can be recovered no better and no worse than any other.
        super::works(&client);
    }
}

/// A client that left is not asked back, and a session that was upgraded meanwhile is recovered like any other.
#[test]
fn closing_gives_the_session_up_and_an_upgrade_does_not() {
    let server = socketio(4, &["--recovery", "60000"]);
    for transport in TRANSPORTS {
        let client = TestClient::new(options(&server, transport));
        client.wait("connect");
        tell_all(&server, "n", 0);
        client.wait("n");
        client.close();
        client.wait("disconnect");
        assert_eq!(im_client::im_client_open(client.handle), 0);
        assert_eq!(client.wait_nth("connect", 2).json["recovered"], false, "{transport}");
    }
    let more = json!({ "transports": ["polling", "websocket"] });
    let client = TestClient::new(with(options(&server, "polling"), more));
    client.wait("connect");
    wait_until("the upgrade", || client.info()["transport"] == "websocket");
    tell_all(&server, "n", 7);
    client.wait("n");
    lose(&server, &client, 1);
    tell_all(&server, "n", 8);
    server.post("/control/start-listening", json!({}));
    assert_eq!(client.wait_nth("connect", 2).json["recovered"], true);
    client.wait_nth("n", 2);
    assert_eq!(client.all("n"), [json!(7), json!(8)]);
}
