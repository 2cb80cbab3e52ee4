//! `im_client_send_message`: a message and the server's answer to it.

use ::im_client::*;
use serde_json::json;

use super::kit::*;
use crate::support::{c, egg, last_error, outcome, wait_until, Outcomes, Server, TestClient};

fn connected(server: &Server) -> TestClient {
    let ann = TestClient::new(user(server, "ann"));
    ann.wait("connect");
    ann
}

/// Sends a message to a server that says nothing any more, and waits until it has got it.
fn send_unanswered(server: &Server, ann: &TestClient, outcomes: &Outcomes) -> i64 {
    server.post("/control/pause", json!({}));
    let before = server.received(wire("CHAT_TO")).len();
    let request = ann.send_message(&message("ann", "bob", "f1"), 0, outcomes);
    server.wait_received(wire("CHAT_TO"), before + 1);
    request
}

fn fails_with(outcomes: &Outcomes, name: &str) {
    assert_eq!(outcome(outcomes), (status(name), None));
}

#[test]
fn each_of_200_messages_completes_with_its_own_answer() {
    let server = egg(&[]);
    let ann = connected(&server);
    let all: Vec<(String, Outcomes)> = (0..200).map(|n| (format!("f{n}"), Outcomes::default())).collect();
    for (fp, outcomes) in &all {
        ann.send_message(&message("ann", "bob", fp), 0, outcomes);
    }
    for (fp, outcomes) in &all {
        let (result, reply) = outcome(outcomes);
        let reply = reply.expect("the to_ack");
        assert_eq!((result, &payload(&reply)["fp"]), (status("IM_OK"), &json!(fp)));
        assert_eq!(reply["data"]["action"], "CHAT_TO_ACK");
        assert_eq!(outcomes.lock().expect("no panic").len(), 1);
    }
    assert_eq!(ann.info()["pendingRequests"], 0);
    ann.wait_nth(wire("CHAT_TO_ACK"), 200);
}

#[test]
fn messages_are_completed_before_they_are_sent() {
    let server = egg(&[]);
    let ann = connected(&server);
    let outcomes = Outcomes::default();
    ann.send_message(&json!({ "type": 1, "from": "ann", "to": "bob", "content": "hi" }), 0, &outcomes);
    assert_eq!(outcome(&outcomes).0, status("IM_OK"));
    let sent = &server.received(wire("CHAT_TO"))[0];
    assert_eq!(sent["fp"].as_str().map(str::len), Some(30));
    assert_eq!(sent["typeu"], 1);
    assert!(sent["time"].is_u64());
}

#[test]
fn a_message_waits_for_the_connection() {
    let server = egg(&[]);
    let ann = TestClient::new(with(user(&server, "ann"), "autoConnect", false));
    let outcomes = Outcomes::default();
    ann.send_message(&message("ann", "bob", "f1"), 0, &outcomes);
    assert_eq!(ann.info()["pendingRequests"], 1);
    assert_eq!(im_client_open(ann.handle), 0);
    assert_eq!(outcome(&outcomes).0, status("IM_OK"));
}

#[test]
fn an_unanswered_message_times_out() {
    let server = egg(&[]);
    let ann = connected(&server);
    let outcomes = Outcomes::default();
    server.post("/control/pause", json!({}));
    ann.send_message(&message("ann", "bob", "f1"), 50, &outcomes);
    fails_with(&outcomes, "IM_ERROR_TIMEOUT");
}

#[test]
fn the_option_message_timeout_counts_where_none_is_named() {
    let server = egg(&[]);
    let ann = TestClient::new(with(user(&server, "ann"), "messageTimeout", 50));
    server.post("/control/pause", json!({}));
    let outcomes = Outcomes::default();
    ann.send_message(&message("ann", "bob", "f1"), 0, &outcomes);
    fails_with(&outcomes, "IM_ERROR_TIMEOUT");
}

#[test]
fn a_message_that_timed_out_before_the_connection_is_not_sent() {
    let server = egg(&[]);
    let ann = TestClient::new(with(user(&server, "ann"), "autoConnect", false));
    let outcomes = Outcomes::default();
    ann.send_message(&message("ann", "bob", "f1"), 1, &outcomes);
    fails_with(&outcomes, "IM_ERROR_TIMEOUT");
    assert_eq!(im_client_open(ann.handle), 0);
    round_trip(&ann);
    assert_eq!(server.received(wire("CHAT_TO")).len(), 0);
}

#[test]
fn a_canceled_message_says_so_once() {
    let server = egg(&[]);
    let ann = connected(&server);
    let outcomes = Outcomes::default();
    let request = send_unanswered(&server, &ann, &outcomes);
    assert_eq!(im_client_cancel(ann.handle, request), status("IM_OK"));
    assert_eq!(im_client_cancel(ann.handle, request), status("IM_ERROR_NOT_FOUND"));
    fails_with(&outcomes, "IM_ERROR_CANCELED");
    im_client_destroy(ann.handle);
    assert_eq!(outcomes.lock().expect("no panic").len(), 1);
}

/// Sends a message that is to be refused at once; gives the status.
fn refused_at_once(ann: &TestClient, message: &str) -> i64 {
    unsafe extern "C" fn never(_: im_status, _: *const im_event, _: *mut std::ffi::c_void) {
        std::process::abort();
    }
    // SAFETY: NUL-terminated; `never` takes no data.
    unsafe { im_client_send_message(ann.handle, c(message).as_ptr(), 0, Some(never), std::ptr::null_mut()) }
}

#[test]
fn a_fingerprint_that_is_on_its_way_is_refused() {
    let server = egg(&[]);
    let ann = connected(&server);
    let outcomes = Outcomes::default();
    let request = send_unanswered(&server, &ann, &outcomes);
    let again = refused_at_once(&ann, &message("ann", "bob", "f1").to_string());
    assert_eq!(again, i64::from(status("IM_ERROR_INVALID_ARGUMENT")));
    assert!(last_error().contains("\"fp\" \"f1\""), "{}", last_error());
    assert_eq!(im_client_cancel(ann.handle, request), 0, "the first one still waits");
    fails_with(&outcomes, "IM_ERROR_CANCELED");
    server.post("/control/resume", json!({}));
    round_trip(&ann);
    assert_eq!(server.received(wire("CHAT_TO")).len(), 1);
}

#[test]
fn a_message_with_a_fault_is_refused_by_the_name_of_the_field() {
    let server = egg(&[]);
    let ann = connected(&server);
    for (message, fault) in [
        (r#"{"type":1,"from":"ann","content":"hi"}"#, "\"to\""),
        (r#"{"from":"ann","to":"bob","content":"hi"}"#, "\"type\""),
        (r#"{"type":1,"from":"ann","to":"bob"}"#, "\"content\""),
        ("{", "JSON"),
    ] {
        assert_eq!(refused_at_once(&ann, message), i64::from(status("IM_ERROR_JSON")), "{message}");
        assert!(last_error().contains(fault), "{message}: {}", last_error());
    }
    round_trip(&ann);
    assert_eq!(server.received(wire("CHAT_TO")).len(), 0);
}

#[test]
fn a_receiver_gets_what_was_sent() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    let text = "ä€中 😀👩‍👩‍👧 \" \\ / \u{0} \u{1e} \u{2028}\n";
    let outcomes = Outcomes::default();
    ann.send_message(&with(message("ann", "bob", "f1"), "content", text), 0, &outcomes);
    assert_eq!(payload(&bob.wait(wire("CHAT_MESSAGE")).json)["content"], text);
    wait_until("the answer", || !outcomes.lock().expect("no panic").is_empty());
}

#[test]
fn the_end_of_the_client_cancels_its_messages() {
    let server = egg(&[]);
    let ann = connected(&server);
    let outcomes = Outcomes::default();
    send_unanswered(&server, &ann, &outcomes);
    assert_eq!(im_client_destroy(ann.handle), status("IM_OK"));
    assert_eq!(*outcomes.lock().expect("no panic"), [(status("IM_ERROR_CANCELED"), None)]);
}

#[test]
fn destroying_the_socket_cancels_its_messages() {
    let server = egg(&[]);
    for round in 0..50 {
        let ann = connected(&server);
        let outcomes = Outcomes::default();
        send_unanswered(&server, &ann, &outcomes);
        assert_eq!(im_client_destroy_socket(ann.handle), status("IM_OK"));
        assert_eq!(outcome(&outcomes).0, status("IM_ERROR_CANCELED"), "round {round}");
        server.post("/control/resume", json!({}));
    }
}
