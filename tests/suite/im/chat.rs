//! Every event of the protocol's table, exchanged between clients through the server.

use serde_json::{json, Value};

use super::kit::*;
use crate::support::{egg, Server, TestClient};

/// The table of the protocol; the header has to have it all, and no other test invents a name.
const TABLE: [(&str, &str); 16] = [
    ("IMERROR", "im_error"),
    ("SSO_QRLOGIN", "qrlogin"),
    ("CHAT_TO", "to"),
    ("CHAT_TO_ACK", "to_ack"),
    ("CHAT_ONLINE", "c_online"),
    ("CHAT_MESSAGE", "c_message"),
    ("CHAT_MESSAGE_ACK", "c_message_ack"),
    ("CHAT_PULL_OFFLINE_MESSAGE", "offline_message"),
    ("CHAT_PULL_HISTORY_MESSAGE", "history_message"),
    ("CHAT_PULL_RECENT_CONVERSATION", "recent_conversation"),
    ("CHAT_PULL_READED_MESSAGE", "readed_message"),
    ("CHAT_TO_READED", "to_reader"),
    ("CHAT_TO_TYPING", "to_typing"),
    ("CHAT_TO_UNDO", "to_undo"),
    ("CHAT_GROUP_NOTICE", "g_notice"),
    ("CHAT_SYSTEM_NOTICE", "sys_notice"),
];

/// The payload of the first such event; its envelope names the constant.
fn first(client: &TestClient, constant: &str) -> Value {
    let event = client.wait_where(wire(constant), "its action is the constant", |envelope| {
        envelope["code"] == 0 && envelope["data"]["action"] == constant
    });
    payload(&event.json).clone()
}

#[test]
fn the_header_has_every_event_of_the_table() {
    for (constant, name) in TABLE {
        assert_eq!(wire(constant), name);
    }
}

#[test]
fn a_message_is_stored_acknowledged_delivered_and_receipted() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    let saved = send(&ann, &message("ann", "bob", "f1"));
    assert_eq!((&saved["timelineId"], &saved["content"]), (&json!("ann@bob"), &json!("f1")));
    assert!(saved["_id"].is_string() && saved["sequenceId"].is_u64() && saved["send_time"].is_u64());
    assert_eq!(first(&ann, "CHAT_TO_ACK"), saved);
    assert_eq!(first(&bob, "CHAT_MESSAGE"), saved);
    assert_eq!(server.wait_received(wire("CHAT_MESSAGE_ACK"), 1), [saved]);
    wait_delivered(&server, "f1");
}

#[test]
fn presence_tells_of_arrivals_and_departures() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    let online = |kind: &str, who: &str| {
        let event = ann.wait_where(wire("CHAT_ONLINE"), &format!("{who} {kind}"), |envelope| {
            payload(envelope)["type"] == kind && payload(envelope)["current"] == who
        });
        payload(&event.json)["clients"].clone()
    };
    assert_eq!(online("online", "ann"), json!(["ann"]));
    assert_eq!(online("online", "bob"), json!(["ann", "bob"]));
    drop(bob);
    assert_eq!(online("offline", "bob"), json!(["ann"]));
}

#[test]
fn offline_messages_come_at_the_next_login_and_only_once() {
    let server = egg(&[]);
    let ann = TestClient::chat(&server.root(), "ann");
    let sent = [send(&ann, &message("ann", "bob", "f1")), send(&ann, &message("ann", "bob", "f2"))];
    let bob = TestClient::chat(&server.root(), "bob");
    assert_eq!(first(&bob, "CHAT_PULL_OFFLINE_MESSAGE"), json!(sent));
    wait_delivered(&server, "f2");
    assert_eq!(bob.emit(wire("CHAT_PULL_OFFLINE_MESSAGE"), &Value::Null), 0);
    let again = bob.wait_nth(wire("CHAT_PULL_OFFLINE_MESSAGE"), 2);
    assert_eq!(payload(&again.json), &json!([]));
}

#[test]
fn history_comes_newest_first_in_pages() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    let ids: Vec<Value> =
        (0..12).map(|n| send(&ann, &message("ann", "bob", &n.to_string()))["_id"].clone()).collect();
    let newest_first = |from: usize, to: usize| ids[from..to].iter().rev().cloned().collect::<Vec<_>>();
    let name = wire("CHAT_PULL_HISTORY_MESSAGE");
    let page = |n: usize, question: Value| {
        assert_eq!(bob.emit(name, &question), 0);
        let list = payload(&bob.wait_nth(name, n).json).as_array().expect("a list").clone();
        list.into_iter().map(|message| message["_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(page(1, json!({ "timelineId": "ann@bob", "typeu": 1 })), newest_first(2, 12));
    let rest = json!({ "timelineId": "bob@ann", "typeu": 1, "messageId": ids[2], "limit": 5 });
    assert_eq!(page(2, rest), newest_first(0, 2));
}

#[test]
fn history_of_others_is_an_error_by_name() {
    let server = egg(&[]);
    let ann = TestClient::chat(&server.root(), "ann");
    let question = json!({ "timelineId": "bob@carl", "typeu": 1 });
    assert_eq!(ann.emit(wire("CHAT_PULL_HISTORY_MESSAGE"), &question), 0);
    assert_eq!(ann.wait(wire("IMERROR")).json["code"].to_string(), macro_of("IM_CODE_AUTH_FAILED"));
}

#[test]
fn recent_conversations_are_listed() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    send(&ann, &message("ann", "bob", "f1"));
    send(&ann, &message("ann", "carl", "f2"));
    round_trip(&ann);
    let peers: Vec<Value> = first(&ann, "CHAT_PULL_RECENT_CONVERSATION")
        .as_array()
        .expect("a list")
        .iter()
        .map(|conversation| conversation["to"].clone())
        .collect();
    assert_eq!(peers, ["carl", "bob"]);
    round_trip(&bob);
    assert_eq!(first(&bob, "CHAT_PULL_RECENT_CONVERSATION")[0]["unread"], 1);
}

#[test]
fn read_receipts_reach_the_author() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    let saved = send(&ann, &message("ann", "bob", "f1"));
    bob.wait(wire("CHAT_MESSAGE"));
    assert_eq!(bob.emit(wire("CHAT_TO_READED"), &saved), 0);
    let receipts = ann.wait_where(wire("CHAT_TO_READED"), "it is not empty", |envelope| {
        payload(envelope).as_array().is_some_and(|list| !list.is_empty())
    });
    let expected = json!([{
        "_id": saved["_id"], "timelineId": "ann@bob", "typeu": 1, "readed": true, "fp": "f1",
    }]);
    assert_eq!(payload(&receipts.json), &expected);
}

#[test]
fn read_receipts_wait_for_an_author_who_is_away() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    let saved = send(&ann, &message("ann", "bob", "f1"));
    bob.wait(wire("CHAT_MESSAGE"));
    drop(ann);
    bob.wait_where(wire("CHAT_ONLINE"), "ann left", |envelope| payload(envelope)["type"] == "offline");
    assert_eq!(bob.emit(wire("CHAT_TO_READED"), &saved), 0);
    round_trip(&bob);
    let ann = TestClient::chat(&server.root(), "ann");
    // The automatic readed_message is answered as to_reader.
    assert_eq!(first(&ann, "CHAT_TO_READED")[0]["fp"], "f1");
    assert_eq!(ann.count(wire("CHAT_PULL_READED_MESSAGE")), 0);
}

#[test]
fn typing_is_told_to_the_peer() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    assert_eq!(ann.emit(wire("CHAT_TO_TYPING"), &json!({ "to": "bob", "typeu": 1 })), 0);
    assert_eq!(first(&bob, "CHAT_TO_TYPING"), json!({ "timelineId": "ann@bob", "from": "ann" }));
}

fn recall(server: &Server, kind: i32, event: &str) -> (Value, Value) {
    let (ann, bob) = pair(server);
    send(&ann, &with(message("ann", "bob", "f1"), "type", kind));
    bob.wait(wire("CHAT_MESSAGE"));
    assert_eq!(ann.emit(wire("CHAT_TO_UNDO"), &json!({ "fp": "f1" })), 0);
    let recalled = |client: &TestClient| {
        let envelope =
            client.wait_where(wire(event), "it is a recall", |envelope| payload(envelope)["type"] != kind);
        payload(&envelope.json).clone()
    };
    (recalled(&ann), recalled(&bob))
}

#[test]
fn a_recalled_text_comes_again_to_both_sides_as_type_10() {
    let server = egg(&[]);
    let (own, others) = recall(&server, 1, "CHAT_MESSAGE");
    assert_eq!(own["type"].to_string(), macro_of("IM_MESSAGE_TYPE_RECALLED_TEXT"));
    assert_eq!((&own["fp"], &own), (&json!("f1"), &others));
}

#[test]
fn a_recalled_image_comes_again_as_type_21() {
    let server = egg(&[]);
    let (_, others) = recall(&server, 2, "CHAT_MESSAGE");
    assert_eq!(others["type"].to_string(), macro_of("IM_MESSAGE_TYPE_RECALLED"));
}

#[test]
fn a_recall_may_come_under_its_own_name() {
    let server = egg(&["--undo-event", "CHAT_TO_UNDO"]);
    let (own, others) = recall(&server, 1, "CHAT_TO_UNDO");
    assert_eq!((&own["type"], &others["type"]), (&json!(10), &json!(10)));
}

fn make_group(server: &Server, kind: &str, members: Value) {
    let group = json!({ "type": kind, "whoami": "ann", "groupId": "g1", "members": members });
    server.post("/control/group", group);
}

#[test]
fn group_messages_reach_all_other_members() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    let carl = TestClient::chat(&server.root(), "carl");
    make_group(&server, "create", json!(["ann", "bob", "carl"]));
    ann.wait(wire("CHAT_GROUP_NOTICE"));
    let saved = send(&ann, &with(message("ann", "g1", "f1"), "typeu", 2));
    assert_eq!(first(&bob, "CHAT_MESSAGE"), saved);
    assert_eq!(first(&carl, "CHAT_MESSAGE"), saved);
    wait_delivered(&server, "f1");
    assert_eq!(ann.count(wire("CHAT_MESSAGE")), 0);
}

#[test]
fn group_notices_tell_of_every_change() {
    let server = egg(&[]);
    let ann = TestClient::chat(&server.root(), "ann");
    for kind in ["create", "update", "destroy"] {
        make_group(&server, kind, json!(["ann"]));
    }
    ann.wait_nth(wire("CHAT_GROUP_NOTICE"), 3);
    let notices = ann.all(wire("CHAT_GROUP_NOTICE"));
    let kinds: Vec<_> = notices.iter().map(|notice| payload(notice)["type"].clone()).collect();
    assert_eq!(kinds, ["create", "update", "destroy"]);
    assert_eq!(payload(&notices[1])["updateResult"]["members"], json!(["ann"]));
}

#[test]
fn a_message_to_a_group_that_is_not_ones_own_is_an_error() {
    let server = egg(&[]);
    let ann = TestClient::chat(&server.root(), "ann");
    assert_eq!(ann.emit(wire("CHAT_TO"), &with(message("ann", "g1", "f1"), "typeu", 2)), 0);
    let error = ann.wait(wire("IMERROR")).json;
    assert_eq!(error["code"].to_string(), macro_of("IM_CODE_SEND_FAILED"));
    assert_eq!(error["data"]["action"], "IMERROR");
}

#[test]
fn system_notices_arrive() {
    let server = egg(&[]);
    let ann = TestClient::chat(&server.root(), "ann");
    round_trip(&ann);
    server.post("/control/sys", json!({ "to": ["ann"], "payload": { "text": "maintenance" } }));
    assert_eq!(first(&ann, "CHAT_SYSTEM_NOTICE"), json!({ "text": "maintenance" }));
}

#[test]
fn events_outside_the_table_are_delivered_like_any_other() {
    let server = egg(&[]);
    let ann = TestClient::deaf(user(&server, "ann"));
    ann.on("weather");
    ann.on("connect");
    ann.wait("connect");
    server.post("/control/emit", json!({ "nsp": "/chat", "event": "weather", "args": [{ "sun": true }, 2] }));
    let weather = ann.wait("weather");
    assert_eq!((weather.json, weather.args), (json!({ "sun": true }), json!([{ "sun": true }, 2])));
}

#[test]
fn a_thousand_messages_arrive_in_order_and_once() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    for n in 0..1000 {
        assert_eq!(ann.emit(wire("CHAT_TO"), &message("ann", "bob", &n.to_string())), 0);
    }
    wait_delivered(&server, "999");
    let numbers = |client: &TestClient, event: &str| -> Vec<String> {
        let list = client.all(wire(event)).into_iter();
        list.map(|envelope| payload(&envelope)["content"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let expected: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    ann.wait_nth(wire("CHAT_TO_ACK"), 1000);
    assert_eq!(numbers(&bob, "CHAT_MESSAGE"), expected);
    assert_eq!(numbers(&ann, "CHAT_TO_ACK"), expected);
    let messages = server.get("/control/messages");
    assert!(messages.as_array().expect("a list").iter().all(|message| message["delivered"] == true));
}
