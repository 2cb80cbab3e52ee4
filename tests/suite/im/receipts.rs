//! A receipt goes out when the caller has had the message, never earlier: the server forgets what was receipted.

use ::im_client::*;
use serde_json::{json, Value};

use super::kit::*;
use crate::support::{egg, Server, TestClient};

fn receipts(server: &Server) -> Vec<Value> {
    server.received(wire("CHAT_MESSAGE_ACK"))
}

/// A client that hears nothing but the answers to its own questions.
fn nearly_deaf(server: &Server, id: &str) -> TestClient {
    let client = TestClient::deaf(user(server, id));
    client.on(wire("CHAT_PULL_RECENT_CONVERSATION"));
    round_trip(&client);
    client
}

/// The message comes to the user's next client as an offline message.
fn comes_again(server: &Server, ann: &TestClient, bob: TestClient, fp: &str) {
    drop(bob);
    ann.wait_where(wire("CHAT_ONLINE"), "bob left", |envelope| payload(envelope)["type"] == "offline");
    assert_eq!(stored(server, fp)["delivered"], false);
    let bob = TestClient::chat(&server.root(), "bob");
    let pulled = bob.wait(wire("CHAT_PULL_OFFLINE_MESSAGE"));
    assert_eq!(payload(&pulled.json)[0]["fp"], fp);
    wait_delivered(server, fp);
}

#[test]
fn the_receipt_waits_for_the_last_callback() {
    let server = egg(&[]);
    let (ann, bob) = (TestClient::chat(&server.root(), "ann"), nearly_deaf(&server, "bob"));
    let gates = [Gate::default(), Gate::default()];
    for gate in gates.clone() {
        subscribe(&bob, wire("CHAT_MESSAGE"), move |_| gate.pass());
    }
    let saved = send(&ann, &message("ann", "bob", "f1"));
    for (gate, marker) in gates.iter().zip(["first", "second"]) {
        gate.reached();
        // What bob sends later has arrived, so a receipt would be there.
        arrived(&bob, &server, marker);
        assert_eq!(receipts(&server).len(), 0, "the {marker} callback still runs");
        assert_eq!(stored(&server, "f1")["delivered"], false);
        gate.open();
    }
    assert_eq!(server.wait_received(wire("CHAT_MESSAGE_ACK"), 1), [saved]);
    wait_delivered(&server, "f1");
}

#[test]
fn the_receipt_waits_for_a_subscription_to_everything_too() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    let gate = Gate::default();
    let closed = gate.clone();
    subscribe(&bob, "CHAT_MESSAGE", move |_| closed.pass());
    send(&ann, &message("ann", "bob", "f1"));
    gate.reached();
    arrived(&bob, &server, "marker");
    assert_eq!(bob.count(wire("CHAT_MESSAGE")), 1, "the recorder was called before");
    assert_eq!(receipts(&server).len(), 0);
    gate.open();
    wait_delivered(&server, "f1");
    assert_eq!(receipts(&server).len(), 1);
}

#[test]
fn offline_messages_get_one_receipt_for_the_list() {
    let server = egg(&[]);
    let ann = TestClient::chat(&server.root(), "ann");
    let list = [send(&ann, &message("ann", "bob", "f1")), send(&ann, &message("ann", "bob", "f2"))];
    let _bob = TestClient::chat(&server.root(), "bob");
    assert_eq!(server.wait_received(wire("CHAT_MESSAGE_ACK"), 1), [json!({ "data": list })]);
    wait_delivered(&server, "f2");
}

#[test]
fn the_receipt_for_offline_messages_waits_for_the_callback() {
    let server = egg(&[]);
    let ann = TestClient::chat(&server.root(), "ann");
    send(&ann, &message("ann", "bob", "f1"));
    let bob = TestClient::deaf(user(&server, "bob"));
    let gate = Gate::default();
    let closed = gate.clone();
    subscribe(&bob, wire("CHAT_PULL_OFFLINE_MESSAGE"), move |_| closed.pass());
    gate.reached();
    arrived(&bob, &server, "marker");
    assert_eq!(receipts(&server).len(), 0);
    gate.open();
    wait_delivered(&server, "f1");
}

/// What the server pushes as a message gets no receipt.
fn gets_no_receipt(event: &str, envelope: Value) {
    let server = egg(&[]);
    let bob = TestClient::chat(&server.root(), "bob");
    server.post("/control/emit", json!({ "nsp": "/chat", "event": event, "args": [envelope] }));
    bob.wait_where(event, "it is ours", |json| *json == envelope);
    round_trip(&bob);
    assert_eq!(receipts(&server).len(), 0);
}

#[test]
fn a_failure_gets_no_receipt() {
    let payload = json!({ "fp": "f1" });
    gets_no_receipt(
        "c_message",
        json!({ "code": 1, "data": { "action": "CHAT_MESSAGE", "payload": payload } }),
    );
}

#[test]
fn a_failed_pull_gets_no_receipt() {
    let data = json!({ "action": "CHAT_PULL_OFFLINE_MESSAGE", "payload": [{ "fp": "f1" }] });
    gets_no_receipt("offline_message", json!({ "code": 1, "data": data }));
}

#[test]
fn what_is_no_envelope_gets_no_receipt() {
    gets_no_receipt("c_message", json!("hello"));
}

#[test]
fn there_are_no_receipts_where_they_are_switched_off() {
    let server = egg(&[]);
    let (ann, bob) = (
        TestClient::chat(&server.root(), "ann"),
        TestClient::new(with(user(&server, "bob"), "receipts", false)),
    );
    round_trip(&bob);
    send(&ann, &message("ann", "bob", "f1"));
    bob.wait(wire("CHAT_MESSAGE"));
    round_trip(&bob);
    assert_eq!(receipts(&server).len(), 0);
    // One's own is as good.
    let payload = payload(&bob.wait(wire("CHAT_MESSAGE")).json).clone();
    assert_eq!(bob.emit(wire("CHAT_MESSAGE_ACK"), &payload), 0);
    wait_delivered(&server, "f1");
}

#[test]
fn a_message_that_nobody_subscribed_to_gets_none_and_comes_again() {
    let server = egg(&[]);
    let (ann, bob) = (TestClient::chat(&server.root(), "ann"), nearly_deaf(&server, "bob"));
    send(&ann, &message("ann", "bob", "f1"));
    round_trip(&bob);
    assert_eq!(receipts(&server).len(), 0);
    comes_again(&server, &ann, bob, "f1");
}

#[test]
fn a_discarded_message_gets_none_and_comes_again() {
    let server = egg(&[]);
    let (ann, bob) = (TestClient::chat(&server.root(), "ann"), nearly_deaf(&server, "bob"));
    let subscription = bob.on(wire("CHAT_MESSAGE"));
    assert_eq!(im_client_off(bob.handle, subscription), 0);
    send(&ann, &message("ann", "bob", "f1"));
    round_trip(&bob);
    assert_eq!(bob.info()["discardedEvents"], 1);
    assert_eq!(receipts(&server).len(), 0);
    comes_again(&server, &ann, bob, "f1");
}

#[test]
fn an_early_message_gets_its_receipt_when_somebody_takes_it() {
    let server = egg(&[]);
    let (ann, bob) = (TestClient::chat(&server.root(), "ann"), nearly_deaf(&server, "bob"));
    send(&ann, &message("ann", "bob", "f1"));
    round_trip(&bob);
    assert_eq!(receipts(&server).len(), 0);
    bob.on("CHAT_MESSAGE");
    wait_delivered(&server, "f1");
    assert_eq!(bob.count(wire("CHAT_MESSAGE")), 1);
}

#[test]
fn a_receipt_survives_the_loss_of_the_connection() {
    let server = egg(&[]);
    let (ann, bob) = (TestClient::chat(&server.root(), "ann"), nearly_deaf(&server, "bob"));
    let gate = Gate::default();
    let closed = gate.clone();
    subscribe(&bob, wire("CHAT_MESSAGE"), move |_| closed.pass());
    send(&ann, &message("ann", "bob", "f1"));
    gate.reached();
    server.post("/control/drop", json!({}));
    crate::support::wait_until("the loss", || bob.state() != IM_STATE_CONNECTED || connections(&server) > 2);
    gate.open();
    wait_delivered(&server, "f1");
}

/// A client that is destroyed by its first callback never calls the second: that one's message comes again.
#[test]
fn a_message_that_not_every_callback_saw_gets_none() {
    let server = egg(&[]);
    let ann = TestClient::chat(&server.root(), "ann");
    for round in 0..30 {
        let fp = format!("f{round}");
        let bob = nearly_deaf(&server, "bob");
        let handle = bob.handle;
        subscribe(&bob, wire("CHAT_MESSAGE"), move |_| {
            assert_eq!(im_client_destroy(handle), status("IM_DEFERRED"));
        });
        bob.on(wire("CHAT_MESSAGE"));
        send(&ann, &message("ann", "bob", &fp));
        ann.wait_nth(wire("CHAT_ONLINE"), 3 + 2 * round);
        assert_eq!(bob.count(wire("CHAT_MESSAGE")), 0, "no callback starts after the destroy");
        assert_eq!(stored(&server, &fp)["delivered"], false, "round {round}");
    }
}
