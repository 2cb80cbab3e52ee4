//! Two naming styles: constants and names on the wire.

use ::im_client::*;
use serde_json::{json, Value};

use super::kit::*;
use crate::support::{c, egg, outcome, Outcomes, Server, TestClient};

/// The names under which a message's event came to subscriptions to both its names.
fn names_heard(server: &Server, text: &str) -> Vec<String> {
    let bob = TestClient::deaf(user(server, "bob"));
    for name in ["CHAT_MESSAGE", "c_message", "connect"] {
        bob.on(name);
    }
    bob.wait("connect");
    let ann = TestClient::new(with(user(server, "ann"), "eventNames", text));
    ann.wait("connect");
    assert_eq!(ann.emit("to", &message("ann", "bob", "f1")), 0);
    wait_delivered_by(server, &bob);
    bob.events().into_iter().map(|event| event.name).filter(|name| name != "connect").collect()
}

/// Waits for both copies of the message: one for each subscription.
fn wait_delivered_by(server: &Server, bob: &TestClient) {
    crate::support::wait_until("two callbacks", || bob.events().len() == 3);
    arrived(bob, server, "marker");
}

#[test]
fn a_subscription_to_either_name_receives_the_wire_name() {
    assert_eq!(names_heard(&egg(&[]), "wire"), ["c_message", "c_message"]);
}

#[test]
fn a_subscription_to_either_name_receives_the_constant() {
    assert_eq!(names_heard(&egg(&["--seed-names"]), "constant"), ["CHAT_MESSAGE", "CHAT_MESSAGE"]);
}

/// Off by one name ends a subscription that was made by the other.
fn off_by_the_other_name(made: &str, off: &str) {
    let server = egg(&[]);
    let ann = TestClient::deaf(user(&server, "ann"));
    for name in [made, "weather"] {
        ann.on(name);
    }
    let say =
        |event: &str| server.post("/control/emit", json!({ "nsp": "/chat", "event": event, "args": [1] }));
    crate::support::wait_until("the connection", || ann.state() == IM_STATE_CONNECTED);
    say("sys_notice");
    ann.wait("sys_notice");
    // SAFETY: NUL-terminated.
    let ended = || unsafe { im_client_off_event(ann.handle, c(off).as_ptr()) };
    assert_eq!(ended(), status("IM_OK"));
    say("sys_notice");
    say("weather");
    ann.wait("weather");
    assert_eq!(ann.count("sys_notice"), 1);
    assert_eq!(ended(), status("IM_ERROR_NOT_FOUND"));
}

#[test]
fn off_by_the_constant_ends_a_subscription_to_the_wire_name() {
    off_by_the_other_name("sys_notice", "CHAT_SYSTEM_NOTICE");
}

#[test]
fn off_by_the_wire_name_ends_a_subscription_to_the_constant() {
    off_by_the_other_name("CHAT_SYSTEM_NOTICE", "sys_notice");
}

/// The names of all events that arrived at the server.
fn arrived_names(server: &Server) -> Vec<Value> {
    let stats = server.stats();
    let events = stats["events"].as_array().expect("a list");
    events.iter().map(|event| event["name"].clone()).collect()
}

#[test]
fn an_emit_goes_out_as_written() {
    let server = egg(&["--seed-names"]);
    let ann = TestClient::new(user(&server, "ann"));
    ann.wait("connect");
    for name in ["to", "CHAT_TO", "to_typing", "other"] {
        assert_eq!(ann.emit(name, &json!({})), 0);
    }
    server.wait_received("other", 1);
    let pulls = ["offline_message", "readed_message"];
    assert_eq!(arrived_names(&server), [&pulls[..], &["to", "CHAT_TO", "to_typing", "other"]].concat());
}

#[test]
fn constants_are_emitted_for_a_server_that_was_built_on_them() {
    let server = egg(&["--seed-names"]);
    let ann = TestClient::new(with(user(&server, "ann"), "eventNames", "constant"));
    ann.wait("CHAT_PULL_OFFLINE_MESSAGE");
    for name in ["CHAT_TO_TYPING", "to_typing", "other"] {
        assert_eq!(ann.emit(name, &json!({ "to": "nobody", "typeu": 1 })), 0);
    }
    server.wait_received("other", 1);
    let pulls = ["CHAT_PULL_OFFLINE_MESSAGE", "CHAT_PULL_READED_MESSAGE"];
    assert_eq!(arrived_names(&server), [&pulls[..], &["CHAT_TO_TYPING", "CHAT_TO_TYPING", "other"]].concat());
}

#[test]
fn receipts_of_both_kinds_go_out_by_their_constants() {
    let server = egg(&["--seed-names"]);
    let ann = TestClient::new(with(user(&server, "ann"), "eventNames", "constant"));
    assert_eq!(ann.emit("to", &message("ann", "bob", "offline")), 0);
    ann.wait("CHAT_TO_ACK");
    let _bob = TestClient::new(with(user(&server, "bob"), "eventNames", "constant"));
    wait_delivered(&server, "offline");
    assert_eq!(ann.emit("to", &message("ann", "bob", "online")), 0);
    wait_delivered(&server, "online");
    assert_eq!(server.received("CHAT_MESSAGE_ACK").len(), 2);
    assert_eq!(server.received("c_message_ack").len(), 0);
}

#[test]
fn a_message_sent_by_its_constant_completes_by_the_constant() {
    let server = egg(&["--seed-names"]);
    let ann = TestClient::new(with(user(&server, "ann"), "eventNames", "constant"));
    let outcomes = Outcomes::default();
    ann.send_message(&message("ann", "bob", "f1"), 0, &outcomes);
    let (result, reply) = outcome(&outcomes);
    assert_eq!(result, status("IM_OK"));
    assert_eq!(payload(&reply.expect("the to_ack"))["fp"], "f1");
}
