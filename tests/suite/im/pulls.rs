//! What goes out by itself as soon as the connection is up.

use ::im_client::*;
use serde_json::{json, Value};

use super::kit::*;
use crate::support::{egg, Server, TestClient};

fn events(server: &Server) -> Vec<(String, Value)> {
    let stats = server.stats();
    let events = stats["events"].as_array().expect("a list").iter();
    events.map(|event| (event["name"].as_str().expect("a name").to_owned(), event["args"].clone())).collect()
}

fn pulls() -> [(String, Value); 2] {
    ["CHAT_PULL_OFFLINE_MESSAGE", "CHAT_PULL_READED_MESSAGE"].map(|name| (wire(name).to_owned(), json!([])))
}

#[test]
fn pulls_go_out_first_and_without_an_argument() {
    let server = egg(&[]);
    let ann = TestClient::new(with(user(&server, "ann"), "autoConnect", false));
    assert_eq!(ann.emit("before", &json!(1)), 0);
    assert_eq!(im_client_open(ann.handle), 0);
    server.wait_received("before", 1);
    assert_eq!(events(&server), [&pulls()[..], &[("before".into(), json!([1]))]].concat());
    assert_eq!(payload(&ann.wait(wire("CHAT_PULL_OFFLINE_MESSAGE")).json), &json!([]));
    assert_eq!(payload(&ann.wait(wire("CHAT_TO_READED")).json), &json!([]));
}

#[test]
fn pulls_go_out_at_every_connect() {
    let server = egg(&[]);
    let ann = TestClient::new(user(&server, "ann"));
    ann.wait_nth(wire("CHAT_TO_READED"), 1);
    for round in 1..=2 {
        server.post("/control/drop", json!({}));
        ann.wait_nth("reconnect", round);
        ann.wait_nth(wire("CHAT_TO_READED"), round + 1);
    }
    assert_eq!(events(&server), [pulls(), pulls(), pulls()].concat());
}

#[test]
fn what_came_during_a_loss_is_pulled_after_it() {
    let server = egg(&[]);
    let (ann, bob) = (TestClient::new(user(&server, "ann")), TestClient::new(user(&server, "bob")));
    round_trip(&ann);
    // The answer to the first pull may come behind that of a later question.
    bob.wait_nth(wire("CHAT_PULL_OFFLINE_MESSAGE"), 1);
    bob.close();
    ann.wait_where(wire("CHAT_ONLINE"), "bob left", |envelope| payload(envelope)["type"] == "offline");
    let saved = send(&ann, &message("ann", "bob", "f1"));
    assert_eq!(im_client_open(bob.handle), 0);
    let pulled = bob.wait_nth(wire("CHAT_PULL_OFFLINE_MESSAGE"), 2);
    assert_eq!(payload(&pulled.json), &json!([saved]));
}

#[test]
fn there_are_no_pulls_where_they_are_switched_off() {
    let server = egg(&[]);
    let ann = TestClient::new(with(user(&server, "ann"), "pullOnConnect", false));
    arrived(&ann, &server, "marker");
    assert_eq!(events(&server), [("marker".into(), json!([null]))]);
}

#[test]
fn there_are_no_pulls_in_sso() {
    let server = egg(&[]);
    let phone = TestClient::new(device(&server, "d1"));
    arrived(&phone, &server, "marker");
    assert_eq!(events(&server), [("marker".into(), json!([null]))]);
}
