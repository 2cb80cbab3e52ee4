//! A message outlives the connection that it was sent on.

use ::im_client::*;
use serde_json::{json, Value};

use super::kit::*;
use crate::support::{c, egg, last_error, outcome, wait_until, Outcomes, TestClient};

fn fails_with(outcomes: &Outcomes, name: &str) {
    assert_eq!(outcome(outcomes), (status(name), None));
}

fn stored(outcomes: &Outcomes) {
    assert_eq!(outcome(outcomes).0, status("IM_OK"));
    assert_eq!(outcomes.lock().expect("no panic").len(), 1);
}

/// Sends messages with these fingerprints.
fn send_all(client: &TestClient, fps: &[&str]) -> Vec<Outcomes> {
    fps.iter()
        .map(|fp| {
            let outcomes = Outcomes::default();
            client.send_message(&message("ann", "bob", fp), 0, &outcomes);
            outcomes
        })
        .collect()
}

/// The server has taken what was sent until now, and the client its answers.
fn asked(client: &TestClient) {
    let outcomes = Outcomes::default();
    client.ask("question", &Value::Null, 0, &outcomes);
    assert_eq!(outcome(&outcomes).0, status("IM_OK"));
}

#[test]
fn a_message_whose_answer_was_lost_is_sent_again_and_shown_once() {
    let data = tempfile::NamedTempFile::new().expect("a temporary file");
    let server = egg(&["--data", data.path().to_str().expect("UTF-8")]);
    let ann = TestClient::new(options(&server.root(), "ann"));
    let bob = TestClient::new(options(&server.root(), "bob"));
    ann.wait("connect");
    bob.wait("connect");
    server.post("/control/pause", json!({}));
    let outcomes = Outcomes::default();
    ann.send_message(&message("ann", "bob", "f1"), 0, &outcomes);
    server.wait_received(wire("CHAT_TO"), 1);
    assert!(outcomes.lock().expect("no panic").is_empty());
    server.post("/control/drop", json!({ "how": "reset" }));
    server.post("/control/resume", json!({}));
    stored(&outcomes);
    let sent = server.received(wire("CHAT_TO"));
    assert_eq!(sent, [sent[0].clone(), sent[0].clone()], "the same message, to its fingerprint");
    let journal = std::fs::read_to_string(data.path()).expect("the server wrote it");
    assert_eq!(journal.lines().count(), 2, "this server compares no fingerprints");
    stored(&send_all(&ann, &["f2"])[0]);
    wait_until("f2", || shown(&bob).contains(&"f2".to_owned()));
    assert_eq!(shown(&bob), ["f1", "f2"]);
    // Both copies are receipted, so neither comes again.
    wait_until("the receipts", || {
        let messages = server.get("/control/messages");
        messages.as_array().expect("a list").iter().all(|message| message["delivered"] == true)
    });
}

#[test]
fn what_waits_is_sent_in_order_and_one_at_a_time() {
    let server = scripted(|_, _| Answer::Ack);
    let ann = TestClient::new(with(options(&server.root(), "ann"), "autoConnect", false));
    let fps: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let all = send_all(&ann, &fps.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ann.info()["outbox"]["messages"], 100);
    assert_eq!(im_client_open(ann.handle), 0);
    all.iter().for_each(stored);
    assert_eq!(got(&server).into_iter().map(|(_, fp)| fp).collect::<Vec<_>>(), fps);
    assert_eq!(ann.info()["outbox"]["messages"], 0);
}

/// The connection ends at every third message: after each loss the first unanswered one leads.
#[test]
fn the_order_survives_many_losses() {
    let server = scripted(|connection, message| {
        let number: usize = fp(message).parse().expect("a number");
        match number / 3 >= connection {
            true => Answer::Drop,
            false => Answer::Ack,
        }
    });
    let ann = TestClient::new(options(&server.root(), "ann"));
    let fps: Vec<String> = (0..30).map(|n| n.to_string()).collect();
    send_all(&ann, &fps.iter().map(String::as_str).collect::<Vec<_>>()).iter().for_each(stored);
    let mut order: Vec<String> = got(&server).into_iter().map(|(_, fp)| fp).collect();
    assert_eq!(order.len(), 30 + 9, "each loss costs one more sending");
    order.dedup();
    assert_eq!(order, fps);
}

#[test]
fn one_message_is_in_flight_unless_the_option_says_more() {
    for (in_flight, out) in [(1, &["a"][..]), (3, &["a", "b", "c"])] {
        let server = scripted(|_, _| Answer::Silence);
        let ann = TestClient::new(with(options(&server.root(), "ann"), "inFlight", in_flight));
        ann.wait("connect");
        send_all(&ann, &["a", "b", "c", "d", "e"]);
        asked(&ann);
        assert_eq!(got(&server).into_iter().map(|(_, fp)| fp).collect::<Vec<_>>(), out);
    }
}

#[test]
fn answers_of_several_in_flight_may_come_in_any_order() {
    let server = scripted(|_, message| match fp(message).as_str() {
        "c" => Answer::AckAll(["c", "a", "b"].map(|fp| json!({ "fp": fp })).to_vec()),
        "d" => Answer::Ack,
        _ => Answer::Silence,
    });
    let ann = TestClient::new(with(options(&server.root(), "ann"), "inFlight", 3));
    send_all(&ann, &["a", "b", "c", "d"]).iter().for_each(stored);
}

#[test]
fn only_what_is_unanswered_is_sent_again() {
    let server = scripted(|connection, message| match (connection, fp(message).as_str()) {
        (1, "b") => Answer::AckAll(vec![json!({ "fp": "b" })]),
        (1, "d") => Answer::Drop,
        (1, _) => Answer::Silence,
        _ => Answer::Ack,
    });
    let ann = TestClient::new(with(options(&server.root(), "ann"), "inFlight", 3));
    send_all(&ann, &["a", "b", "c", "d"]).iter().for_each(stored);
    let second: Vec<String> =
        got(&server).into_iter().filter(|(connection, _)| *connection == 2).map(|(_, fp)| fp).collect();
    assert_eq!(second, ["a", "c", "d"]);
}

#[test]
fn a_message_that_is_dropped_silently_expires_and_the_next_goes_on() {
    let server = scripted(|_, message| match fp(message).as_str() {
        "lost" => Answer::Silence,
        _ => Answer::Ack,
    });
    let ann = TestClient::new(options(&server.root(), "ann"));
    ann.wait("connect");
    let (lost, next) = (Outcomes::default(), Outcomes::default());
    ann.send_message(&message("ann", "bob", "lost"), 100, &lost);
    ann.send_message(&message("ann", "bob", "next"), 0, &next);
    fails_with(&lost, "IM_ERROR_TIMEOUT");
    stored(&next);
}

#[test]
fn closing_keeps_messages_for_the_next_open() {
    let server = scripted(|connection, _| if connection == 1 { Answer::Silence } else { Answer::Ack });
    let ann = TestClient::new(options(&server.root(), "ann"));
    ann.wait("connect");
    let all = send_all(&ann, &["a", "b"]);
    asked(&ann);
    ann.close();
    ann.wait("disconnect");
    assert!(all.iter().all(|outcomes| outcomes.lock().expect("no panic").is_empty()));
    assert_eq!(im_client_open(ann.handle), 0);
    all.iter().for_each(stored);
    assert_eq!(got(&server), [(1, "a".into()), (2, "a".into()), (2, "b".into())]);
}

#[test]
fn destroying_the_socket_cancels_and_drops_them() {
    let server = scripted(|connection, _| if connection == 1 { Answer::Silence } else { Answer::Ack });
    let ann = TestClient::new(options(&server.root(), "ann"));
    ann.wait("connect");
    let all = send_all(&ann, &["a", "b"]);
    asked(&ann);
    assert_eq!(im_client_destroy_socket(ann.handle), 0);
    all.iter().for_each(|outcomes| fails_with(outcomes, "IM_ERROR_CANCELED"));
    assert_eq!(im_client_open(ann.handle), 0);
    stored(&send_all(&ann, &["c"])[0]);
    assert_eq!(got(&server), [(1, "a".into()), (2, "c".into())]);
}

#[test]
fn a_canceled_message_makes_room_for_the_next() {
    let server = scripted(|_, message| if fp(message) == "a" { Answer::Silence } else { Answer::Ack });
    let ann = TestClient::new(options(&server.root(), "ann"));
    ann.wait("connect");
    let (first, next) = (Outcomes::default(), Outcomes::default());
    let request = ann.send_message(&message("ann", "bob", "a"), 0, &first);
    ann.send_message(&message("ann", "bob", "b"), 0, &next);
    assert_eq!(im_client_cancel(ann.handle, request), 0);
    fails_with(&first, "IM_ERROR_CANCELED");
    stored(&next);
}

#[test]
fn a_plain_emit_of_to_is_sent_once() {
    let server = scripted(|connection, _| if connection == 1 { Answer::Drop } else { Answer::Ack });
    let ann = TestClient::new(options(&server.root(), "ann"));
    ann.wait("connect");
    assert_eq!(ann.emit(wire("CHAT_TO"), &message("ann", "bob", "plain")), 0);
    ann.wait("reconnect");
    stored(&send_all(&ann, &["kept"])[0]);
    assert_eq!(got(&server), [(1, "plain".into()), (2, "kept".into())]);
}

#[test]
fn a_flush_waits_until_every_message_went_out() {
    let server = scripted(|_, _| Answer::Ack);
    let ann = TestClient::new(options(&server.root(), "ann"));
    ann.wait("connect");
    let all = send_all(&ann, &["a", "b", "c"]);
    ann.flush();
    ann.close();
    all[..2].iter().for_each(stored);
    wait_until("the last one at the server", || got(&server).len() == 3);
    let silent = scripted(|_, _| Answer::Silence);
    let ann = TestClient::new(options(&silent.root(), "ann"));
    send_all(&ann, &["a", "b"]);
    assert_eq!(im_client_flush(ann.handle, 50), status("IM_ERROR_TIMEOUT"));
    assert!(last_error().contains("2 messages"), "{}", last_error());
}

#[test]
fn the_queue_is_bounded() {
    let server = scripted(|_, _| Answer::Silence);
    let options = with(with(options(&server.root(), "ann"), "autoConnect", false), "sendQueueBytes", 1024);
    let ann = TestClient::new(options);
    let large = with(message("ann", "bob", "large"), "content", "x".repeat(1000));
    ann.send_message(&large, 0, &Outcomes::default());
    unsafe extern "C" fn never(_: im_status, _: *const im_event, _: *mut std::ffi::c_void) {
        std::process::abort();
    }
    let next = c(&message("ann", "bob", "next").to_string());
    // SAFETY: NUL-terminated; `never` takes no data.
    let refused =
        unsafe { im_client_send_message(ann.handle, next.as_ptr(), 0, Some(never), std::ptr::null_mut()) };
    assert_eq!(refused, i64::from(status("IM_ERROR_QUEUE_FULL")));
    assert!(last_error().contains("sendQueueBytes"), "{}", last_error());
    assert_eq!(ann.info()["outbox"]["messages"], 1);
}
