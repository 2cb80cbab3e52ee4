//! From long-polling to WebSocket.

use ::im_client::IM_EVENT_KIND_LOCAL;
use serde_json::{json, Value};

use super::{polling, with, works, GENERATIONS};
use crate::support::*;

fn upgrading(server: &Server, nsp: &str) -> Value {
    with(polling(server, nsp), json!({ "transports": ["polling", "websocket"] }))
}

fn wait_upgraded(client: &TestClient) {
    wait_until("the upgrade", || client.info()["transport"] == "websocket");
}

#[test]
fn a_polling_connection_is_upgraded() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(upgrading(&server, "chat"));
        client.wait("connect");
        wait_upgraded(&client);
        works(&client);
        let stats = server.stats();
        assert_eq!((&stats["engines"], &stats["upgrades"]), (&json!(1), &json!(1)));
        client.emit("handshake", &Value::Null);
        assert_eq!(client.wait("handshake").json["transport"], "websocket");
        assert_eq!(client.count("disconnect"), 0);
    }
}

#[test]
fn nothing_is_lost_or_reordered_by_an_upgrade() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        for _ in 0..5 {
            let client = TestClient::new(upgrading(&server, "chat"));
            let before = server.received("count").len();
            client.emit("burst", &json!(500));
            let numbers: Vec<Value> = (0..500).map(|n| json!(n)).collect();
            for number in &numbers {
                assert_eq!(client.emit("count", number), 0);
                if number.as_u64().unwrap() % 50 == 0 {
                    works(&client);
                }
            }
            client.wait_nth("burst", 500);
            assert_eq!(client.all("burst"), numbers);
            wait_upgraded(&client);
            works(&client);
            // The server's list is bounded at 1,000 entries of all names.
            let seen = server.received("count");
            let ours: Vec<Value> = seen.iter().rev().take(400).rev().cloned().collect();
            assert_eq!(ours, numbers[100..], "after {before}");
        }
    }
}

#[test]
fn an_upgrade_that_is_not_wanted_is_not_tried() {
    let server = socketio(4, &[]);
    let client = TestClient::new(with(upgrading(&server, "chat"), json!({ "upgrade": false })));
    client.wait("connect");
    works(&client);
    assert_eq!(client.info()["transport"], "polling");
    assert_eq!(server.stats()["upgrades"], 0);
}

#[test]
fn a_server_that_offers_no_upgrade_is_not_asked() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--transports", "polling"]);
        let client = TestClient::new(upgrading(&server, "chat"));
        client.wait("connect");
        works(&client);
        assert_eq!(client.info()["transport"], "polling");
        assert_eq!(server.stats()["upgrades"], 0);
    }
}

#[test]
fn an_upgraded_connection_is_remembered_where_that_is_asked_for() {
    let server = socketio(4, &[]);
    // An upgrade may be done before the CONNECT is answered, so the requests have to tell.
    let polled = || {
        let stats = server.stats();
        let urls = stats["requestUrls"].as_array().expect("a list").clone();
        urls.iter().filter(|url| url.as_str().is_some_and(|url| !url.contains("sid="))).count()
    };
    for (remember, begins_with_polling) in [(true, 0), (false, 1)] {
        let client =
            TestClient::new(with(upgrading(&server, "chat"), json!({ "rememberUpgrade": remember })));
        client.wait("connect");
        wait_upgraded(&client);
        // It has proved itself only when something came over it.
        works(&client);
        let before = polled();
        server.post("/control/drop", json!({}));
        client.wait_nth("connect", 2);
        works(&client);
        assert_eq!(polled() - before, begins_with_polling);
    }
}

#[test]
fn the_upgrade_is_told_where_it_comes_after_the_connect() {
    let server = socketio(4, &[]);
    let client = TestClient::new(upgrading(&server, "chat"));
    let connect = client.wait("connect").json;
    wait_upgraded(&client);
    works(&client);
    match connect["transport"].as_str() {
        Some("polling") => {
            let told = client.wait("upgrade");
            assert_eq!((told.kind, told.json), (IM_EVENT_KIND_LOCAL, json!({ "transport": "websocket" })));
        }
        _ => assert_eq!(client.count("upgrade"), 0),
    }
}

/// The server takes its time to accept the namespace, so that the upgrade comes first.
#[test]
fn an_upgrade_before_the_connect_is_remembered_too() {
    let server = socketio(4, &["--connect-delay", "1000"]);
    let client = TestClient::new(with(upgrading(&server, "chat"), json!({ "rememberUpgrade": true })));
    assert_eq!(client.wait("connect").json["transport"], "websocket");
    let url = |client: &TestClient| client.info()["url"].as_str().unwrap_or_default().to_owned();
    assert!(url(&client).contains("transport=polling"), "{}", url(&client));
    server.post("/control/drop", json!({}));
    client.wait_nth("connect", 2);
    assert!(url(&client).contains("transport=websocket"), "{}", url(&client));
}
