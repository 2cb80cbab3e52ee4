//! What the server refuses. It answers a failed `to_ack`, or an `im_error` 20003 that names no message.

use super::kit::*;
use crate::support::{egg, outcome, Outcomes, TestClient};

fn sends(client: &TestClient, fp: &str) -> Outcomes {
    let outcomes = Outcomes::default();
    client.send_message(&message("ann", "bob", fp), 0, &outcomes);
    outcomes
}

fn open(outcomes: &Outcomes) -> bool {
    outcomes.lock().expect("no panic").is_empty()
}

#[test]
fn a_20003_refuses_the_only_message_that_is_unanswered() {
    let server = egg(&[]);
    let ann = TestClient::new(options(&server.root(), "ann"));
    let (refused, next) = (Outcomes::default(), Outcomes::default());
    ann.send_message(&with(message("ann", "no such group", "f1"), "typeu", 2), 0, &refused);
    ann.send_message(&message("ann", "bob", "f2"), 0, &next);
    let (result, reply) = outcome(&refused);
    let reply = reply.expect("the im_error");
    assert_eq!((result, &reply["code"]), (status("IM_ERROR_REFUSED"), &20003.into()));
    assert_eq!(outcome(&next).0, status("IM_OK"));
    assert_eq!(ann.all(wire("IMERROR")), [reply], "it comes as an event too");
}

#[test]
fn a_to_ack_with_a_failure_code_refuses() {
    let server = scripted(|_, _| Answer::Failure);
    let ann = TestClient::new(options(&server.root(), "ann"));
    let (result, reply) = outcome(&sends(&ann, "f1"));
    assert_eq!(result, status("IM_ERROR_REFUSED"));
    assert_eq!(payload(&reply.expect("the to_ack"))["fp"], "f1");
}

#[test]
fn a_20003_while_several_are_unanswered_is_just_an_event() {
    let server = scripted(|connection, message| match (connection, fp(message).as_str()) {
        (1, "a") => Answer::Silence,
        (1, _) => Answer::Error(20003),
        _ => Answer::Ack,
    });
    let ann = TestClient::new(with(options(&server.root(), "ann"), "inFlight", 2));
    ann.wait("connect");
    let both = [sends(&ann, "a"), sends(&ann, "b")];
    ann.wait(wire("IMERROR"));
    assert!(both.iter().all(open));
    ann.close();
    assert_eq!(::im_client::im_client_open(ann.handle), 0);
    both.iter().for_each(|outcomes| assert_eq!(outcome(outcomes).0, status("IM_OK")));
}

#[test]
fn another_code_refuses_nothing() {
    let server = scripted(|connection, _| if connection == 1 { Answer::Error(20002) } else { Answer::Ack });
    let ann = TestClient::new(options(&server.root(), "ann"));
    ann.wait("connect");
    let outcomes = sends(&ann, "a");
    ann.wait(wire("IMERROR"));
    assert!(open(&outcomes));
    ann.close();
    ann.wait("disconnect");
    assert_eq!(::im_client::im_client_open(ann.handle), 0);
    assert_eq!(outcome(&outcomes).0, status("IM_OK"));
}

#[test]
fn the_refusal_of_a_plain_emit_is_not_taken_for_a_messages() {
    let server = scripted(|connection, message| match (connection, fp(message).as_str()) {
        (1, "kept") => Answer::Silence,
        (1, _) => Answer::Error(20003),
        _ => Answer::Ack,
    });
    let ann = TestClient::new(options(&server.root(), "ann"));
    ann.wait("connect");
    let kept = sends(&ann, "kept");
    assert_eq!(ann.emit(wire("CHAT_TO"), &message("ann", "g", "plain")), 0);
    ann.wait(wire("IMERROR"));
    assert!(open(&kept));
    ann.close();
    ann.wait("disconnect");
    assert_eq!(::im_client::im_client_open(ann.handle), 0);
    assert_eq!(outcome(&kept).0, status("IM_OK"));
}
