//! Business errors: what is told, and when a lost connection is not made again.

use ::im_client::*;
use serde_json::{json, Value};

use super::kit::*;
use crate::support::{egg, Server, TestClient};

/// The client was refused: it says so, with the code, and stays away.
fn stays_away(server: &Server, client: &TestClient, code: &str, reason: &str, others: &[&TestClient]) {
    let code: i64 = macro_of(code).parse().expect("a number");
    assert_eq!(client.wait(wire("IMERROR")).json["code"], code);
    let disconnect = client.wait("disconnect").json;
    assert_eq!(disconnect["code"], code, "{disconnect}");
    assert_eq!(disconnect["reason"], reason, "{disconnect}");
    assert_eq!(disconnect["willReconnect"], false, "{disconnect}");
    only_reconnect(server, others);
    assert_eq!((client.count("connect"), client.count("reconnect_attempt")), (1, 0));
    assert_eq!(client.state(), IM_STATE_DISCONNECTED);
    assert_eq!(client.info()["connections"], 1);
}

/// What the server says to a query that it refuses.
fn refused(options: impl Fn(&Server) -> Value, code: &str) {
    let server = egg(&[]);
    let client = TestClient::new(options(&server));
    stays_away(&server, &client, code, "io server disconnect", &[]);
}

fn chat_with(query: Value) -> impl Fn(&Server) -> Value {
    move |server| with(user(server, "ann"), "query", query.clone())
}

#[test]
fn a_missing_device_id_is_20002() {
    refused(|server| with(device(server, ""), "query", json!({})), "IM_CODE_PARAMETER_ABSENT");
}

#[test]
fn a_missing_token_is_20002() {
    refused(chat_with(json!({ "userId": "ann" })), "IM_CODE_PARAMETER_ABSENT");
}

#[test]
fn a_bad_token_is_20001() {
    refused(chat_with(json!({ "userId": "ann", "token": "bad" })), "IM_CODE_AUTH_FAILED");
}

#[test]
fn a_session_that_must_log_in_again_is_401() {
    refused(chat_with(json!({ "userId": "ann", "token": "relogin" })), "IM_CODE_RELOGIN");
}

#[test]
fn a_refused_client_may_be_opened_again_by_its_user() {
    let server = egg(&[]);
    let client =
        TestClient::new(with(user(&server, "ann"), "query", json!({ "userId": "ann", "token": "bad" })));
    client.wait("disconnect");
    assert_eq!(im_client_open(client.handle), 0);
    client.wait_nth("connect", 2);
    client.wait_nth("disconnect", 2);
    assert_eq!(client.all(wire("IMERROR")).len(), 2);
}

#[test]
fn the_same_user_on_the_same_device_class_kicks_out_the_first() {
    let server = egg(&[]);
    let first = TestClient::new(user(&server, "ann"));
    round_trip(&first);
    let second = TestClient::new(user(&server, "ann"));
    stays_away(&server, &first, "IM_CODE_OTHER_DEVICE", "io server disconnect", &[&second]);
    round_trip(&second);
    assert_eq!(second.count(wire("IMERROR")), 0);
}

#[test]
fn a_desktop_and_a_phone_of_one_user_live_together_and_see_each_others_messages() {
    let server = egg(&[]);
    let (desktop, bob) = pair(&server);
    let mut options = user(&server, "ann");
    options["query"]["deviceType"] = json!("Mobile");
    let phone = TestClient::new(options);
    round_trip(&phone);
    let from_desktop = send(&desktop, &message("ann", "bob", "f1"));
    let from_phone = send(&phone, &message("ann", "bob", "f2"));
    for (other, saved) in [(&phone, from_desktop), (&desktop, from_phone)] {
        let copy = other.wait(wire("CHAT_MESSAGE")).json;
        assert_eq!((&copy["meta"]["sync"], payload(&copy)), (&json!(true), &saved));
    }
    let received = bob.wait_nth(wire("CHAT_MESSAGE"), 2).json;
    assert_eq!(received["meta"]["sync"], Value::Null);
    assert_eq!(desktop.count(wire("IMERROR")) + phone.count(wire("IMERROR")), 0);
}

/// A client whose server says a code and cuts the transport so much later.
fn cut(server: &Server, code: &str, after_ms: u64) -> TestClient {
    let ann = TestClient::new(user(server, "ann"));
    round_trip(&ann);
    let code: i64 = macro_of(code).parse().expect("a number");
    let error =
        json!({ "userId": "ann", "code": code, "transportOnly": true, "disconnectAfterMs": after_ms });
    assert_eq!(server.post("/control/error", error)["sent"], 1);
    ann
}

fn stays_away_after(code: &str, after_ms: u64) {
    let server = egg(&[]);
    let ann = cut(&server, code, after_ms);
    stays_away(&server, &ann, code, "transport close", &[]);
}

#[test]
fn a_connection_lost_after_401_is_not_made_again() {
    stays_away_after("IM_CODE_RELOGIN", 0);
}

#[test]
fn a_connection_lost_after_20001_is_not_made_again() {
    stays_away_after("IM_CODE_AUTH_FAILED", 0);
}

#[test]
fn a_connection_lost_after_20002_is_not_made_again() {
    stays_away_after("IM_CODE_PARAMETER_ABSENT", 0);
}

#[test]
fn a_connection_lost_300_ms_after_a_code_is_not_made_again() {
    stays_away_after("IM_CODE_AUTH_FAILED", 300);
}

#[test]
fn a_connection_lost_long_after_20004_is_not_made_again() {
    stays_away_after("IM_CODE_OTHER_DEVICE", 1200);
}

fn comes_back_after(code: &str, after_ms: u64) {
    let server = egg(&[]);
    let ann = cut(&server, code, after_ms);
    let disconnect = ann.wait("disconnect").json;
    assert_eq!((&disconnect["willReconnect"], &disconnect["code"]), (&json!(true), &Value::Null));
    ann.wait("reconnect");
    round_trip(&ann);
}

#[test]
fn a_connection_lost_after_20003_is_made_again() {
    comes_back_after("IM_CODE_SEND_FAILED", 0);
}

#[test]
fn a_connection_lost_long_after_20001_is_made_again() {
    comes_back_after("IM_CODE_AUTH_FAILED", 2500);
}

#[test]
fn a_code_of_an_earlier_connection_does_not_count() {
    let server = egg(&[]);
    let ann = cut(&server, "IM_CODE_AUTH_FAILED", 0);
    ann.wait("disconnect");
    assert_eq!(im_client_open(ann.handle), 0);
    ann.wait_nth("connect", 2);
    server.post("/control/drop", json!({}));
    let disconnect = ann.wait_nth("disconnect", 2).json;
    assert_eq!((&disconnect["willReconnect"], &disconnect["code"]), (&json!(true), &Value::Null));
    ann.wait_nth("connect", 3);
}

#[test]
fn an_error_alone_changes_nothing() {
    let server = egg(&[]);
    let ann = TestClient::new(user(&server, "ann"));
    round_trip(&ann);
    server.post("/control/error", json!({ "userId": "ann", "code": 20001 }));
    ann.wait(wire("IMERROR"));
    round_trip(&ann);
    assert_eq!((ann.count("disconnect"), connections(&server)), (0, 1));
}
