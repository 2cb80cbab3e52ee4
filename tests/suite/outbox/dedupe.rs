//! A message that comes again is receipted again and shown once.

use ::im_client::*;
use serde_json::{json, Value};

use super::kit::*;
use crate::{
    im::kit::{stored, subscribe, wait_delivered},
    support::{egg, wait_until, Outcomes, Server, TestClient},
};

fn push(server: &Server, event: &str, code: i64, payload: &Value) {
    let envelope = envelope("X", code, payload);
    server.post("/control/emit", json!({ "nsp": "/chat", "event": event, "args": [envelope, "more"] }));
}

fn receipts(server: &Server) -> Vec<Value> {
    server.received(wire("CHAT_MESSAGE_ACK"))
}

fn bob(server: &Server) -> TestClient {
    let bob = TestClient::new(options(&server.root(), "bob"));
    round_trip(&bob);
    bob
}

#[test]
fn a_copy_is_receipted_and_not_shown() {
    let server = egg(&[]);
    let bob = bob(&server);
    for kind in [1, 2, 3] {
        let message = with(message("ann", "bob", &format!("f{kind}")), "type", kind);
        push(&server, "c_message", 0, &message);
        push(&server, "c_message", 0, &message);
        push(&server, "CHAT_MESSAGE", 0, &message);
    }
    let receipts = server.wait_received(wire("CHAT_MESSAGE_ACK"), 9);
    assert!(receipts[..3].iter().all(|receipt| receipt["fp"] == "f1"), "{receipts:?}");
    round_trip(&bob);
    assert_eq!(shown(&bob), ["f1", "f2", "f3"]);
    assert_eq!(bob.count("CHAT_MESSAGE"), 0);
}

#[test]
fn items_that_came_live_are_taken_out_of_the_offline_list() {
    let server = egg(&[]);
    let bob = bob(&server);
    let (known, new) = (message("ann", "bob", "known"), message("ann", "bob", "new"));
    push(&server, "c_message", 0, &known);
    push(&server, "offline_message", 0, &json!([known, new, new]));
    push(&server, "offline_message", 0, &json!([new, known]));
    // The receipts are for all that came.
    let receipts = server.wait_received(wire("CHAT_MESSAGE_ACK"), 3);
    assert_eq!(receipts[1], json!({ "data": [known, new, new] }));
    assert_eq!(receipts[2], json!({ "data": [new, known] }));
    round_trip(&bob);
    let lists = bob.events().into_iter().filter(|event| event.name == "offline_message").skip(1);
    let lists: Vec<Value> = lists.map(|event| event.args).collect();
    let of = |items: &Value| json!([envelope("X", 0, items), "more"]);
    assert_eq!(lists, [of(&json!([new])), of(&json!([]))], "an empty list is delivered too");
}

#[test]
fn a_message_from_the_offline_list_is_not_shown_live_again() {
    let server = egg(&[]);
    let bob = bob(&server);
    let message = message("ann", "bob", "f1");
    push(&server, "offline_message", 0, &json!([message]));
    push(&server, "c_message", 0, &message);
    server.wait_received(wire("CHAT_MESSAGE_ACK"), 2);
    round_trip(&bob);
    assert_eq!(shown(&bob), ["f1"]);
}

#[test]
fn other_senders_receivers_kinds_and_events_are_no_copies() {
    let server = egg(&[]);
    let bob = bob(&server);
    let first = message("ann", "bob", "f1");
    let others = [
        first.clone(),
        with(first.clone(), "from", "eve"),
        with(first.clone(), "to", "group"),
        with(first.clone(), "type", 10),
        with(first.clone(), "type", 10),
        with(first.clone(), "type", 21),
        with(first.clone(), "type", 11),
    ];
    others.iter().for_each(|other| push(&server, "c_message", 0, other));
    push(&server, "c_message", 1, &first);
    push(&server, "history_message", 0, &json!([first, first]));
    push(&server, "sys_notice", 0, &first);
    bob.wait("sys_notice");
    assert_eq!(bob.count("c_message"), others.len() + 1);
    assert_eq!(bob.all("history_message"), [envelope("X", 0, &json!([first, first]))]);
}

/// Found by the soak: a server that has not noticed the end of a connection takes the next one for another device of the user.
#[test]
fn a_sender_is_not_shown_the_copy_for_other_devices_of_what_it_sent() {
    let server = egg(&[]);
    let bob = bob(&server);
    let (sent, elsewhere) = (message("bob", "ann", "sent"), message("bob", "ann", "elsewhere"));
    let outcomes = Outcomes::default();
    bob.send_message(&sent, 60_000, &outcomes);
    let copy =
        |message: &Value| with(envelope("X", 0, message), "meta", json!({ "timestamp": 1, "sync": true }));
    for message in [&sent, &elsewhere, &elsewhere] {
        let args = [copy(message)];
        server.post("/control/emit", json!({ "nsp": "/chat", "event": "c_message", "args": args }));
    }
    // What it sends to itself comes without that mark.
    push(&server, "c_message", 0, &sent);
    server.wait_received(wire("CHAT_MESSAGE_ACK"), 4);
    round_trip(&bob);
    assert_eq!(shown(&bob), ["elsewhere", "sent"]);
}

#[test]
fn the_option_switches_it_off() {
    let server = egg(&[]);
    let bob = TestClient::new(with(options(&server.root(), "bob"), "dedupe", false));
    round_trip(&bob);
    let message = message("ann", "bob", "f1");
    push(&server, "c_message", 0, &message);
    push(&server, "c_message", 0, &message);
    push(&server, "offline_message", 0, &json!([message]));
    bob.wait_nth("offline_message", 2);
    assert_eq!(shown(&bob), ["f1", "f1", "f1"]);
}

/// A message is known once its last callback has returned, not earlier: one that a callback never saw comes again.
#[test]
fn a_message_that_not_every_callback_saw_is_shown_again() {
    let server = egg(&[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("bob.store");
    let with_store = || with(options(&server.root(), "bob"), "store", store.to_str().expect("UTF-8"));
    let ann = TestClient::chat(&server.root(), "ann");
    let bob = TestClient::deaf(with_store());
    let handle = bob.handle;
    subscribe(&bob, wire("CHAT_MESSAGE"), move |_| {
        assert_eq!(im_client_destroy(handle), status("IM_DEFERRED"));
    });
    bob.on(wire("CHAT_MESSAGE"));
    ann.wait_nth(wire("CHAT_ONLINE"), 2);
    crate::im::kit::send(&ann, &message("ann", "bob", "f1"));
    wait_until("the end of bob's client", || {
        ann.all(wire("CHAT_ONLINE")).iter().any(|envelope| payload(envelope)["type"] == "offline")
    });
    assert_eq!(stored(&server, "f1")["delivered"], false);
    // Its store may still be closing.
    drop(bob);
    let bob = TestClient::new(with_store());
    wait_until("the message", || shown(&bob) == ["f1"]);
    wait_delivered(&server, "f1");
    // Known now, also to the next client: the keys are in the store. What is pushed goes to everybody.
    drop(ann);
    drop(bob);
    let bob = TestClient::new(with_store());
    round_trip(&bob);
    push(&server, "c_message", 0, &message("ann", "bob", "f1"));
    push(&server, "offline_message", 0, &json!([message("ann", "bob", "f1"), message("ann", "bob", "f2")]));
    wait_until("the list", || shown(&bob) == ["f2"]);
    // Each goes out once its callback has returned.
    wait_until("three receipts", || receipts(&server).len() >= 3);
    round_trip(&bob);
    assert_eq!(receipts(&server).len(), 3);
}

/// What one account was shown is nothing to another one with the same file.
#[test]
fn each_account_has_its_own_memory() {
    let server = egg(&[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("im.store");
    let message = message("ann", "group", "f1");
    for (user, is_shown) in [("bob", true), ("eve", true), ("bob", false)] {
        let client =
            TestClient::new(with(options(&server.root(), user), "store", store.to_str().expect("UTF-8")));
        round_trip(&client);
        push(&server, "c_message", 0, &message);
        push(&server, "sys_notice", 0, &Value::Null);
        client.wait("sys_notice");
        assert_eq!(!shown(&client).is_empty(), is_shown, "{user}");
    }
}
