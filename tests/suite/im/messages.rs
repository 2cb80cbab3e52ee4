//! The functions for messages, through the C ABI.

use std::ptr::null;

use ::im_client::*;
use serde_json::{json, Value};

use super::kit::*;
use crate::support::{c, egg, last_error, TestClient};

fn create(json: &str) -> Option<Value> {
    // SAFETY: NUL-terminated.
    let made = owned(unsafe { im_message_create(c(json).as_ptr()) })?;
    Some(serde_json::from_str(&made).expect("JSON"))
}

fn unique(json: &str) -> Option<String> {
    // SAFETY: NUL-terminated.
    owned(unsafe { im_messages_unique(c(json).as_ptr()) })
}

#[test]
fn a_message_is_made_from_its_four_fields() {
    let message = create(r#"{"type":1,"from":"ann","to":"bob","content":"hi 😀"}"#).expect("a message");
    let fp = message["fp"].as_str().expect("a fingerprint");
    assert!(fp.len() == 30 && fp.bytes().all(|b| b.is_ascii_alphanumeric()), "{fp}");
    let expected = json!({
        "type": 1, "from": "ann", "to": "bob", "content": "hi 😀", "typeu": 1, "fp": fp, "time": message["time"],
    });
    assert_eq!(message, expected);
    assert!(message["time"].as_u64().is_some_and(|time| time > 1_600_000_000_000));
}

#[test]
fn no_two_messages_have_one_fingerprint() {
    let made =
        || create(r#"{"type":1,"from":"ann","to":"bob","content":""}"#).expect("a message")["fp"].to_string();
    let fingerprints: std::collections::HashSet<String> = (0..1000).map(|_| made()).collect();
    assert_eq!(fingerprints.len(), 1000);
}

#[test]
fn what_the_caller_gives_stays() {
    let own = message("ann", "g1", "own");
    assert_eq!(create(&with(own.clone(), "typeu", 2).to_string()), Some(with(own, "typeu", 2)));
}

#[test]
fn the_field_at_fault_is_named() {
    for (fault, name) in [
        (r#"{"from":"a","to":"b","content":""}"#, "\"type\""),
        (r#"{"type":"1","from":"a","to":"b","content":""}"#, "\"type\""),
        (r#"{"type":1,"to":"b","content":""}"#, "\"from\""),
        (r#"{"type":1,"from":"a","to":2,"content":""}"#, "\"to\""),
        (r#"{"type":1,"from":"a","to":"b"}"#, "\"content\""),
        (r#"{"type":1,"from":"a","to":"b","content":"","typeu":9}"#, "\"typeu\""),
        (r#"{"type":1,"from":"a","to":"b","content":"","fp":1}"#, "\"fp\""),
        ("[]", "object"),
        ("{", "JSON"),
    ] {
        assert_eq!(create(fault), None, "{fault}");
        assert_eq!(im_last_status(), status("IM_ERROR_JSON"), "{fault}");
        assert!(last_error().contains(name), "{fault}: {}", last_error());
    }
    // SAFETY: NULL is allowed.
    assert_eq!(owned(unsafe { im_message_create(null()) }), None);
    assert_eq!(im_last_status(), status("IM_ERROR_INVALID_ARGUMENT"));
}

#[test]
fn a_timeline_has_a_direction() {
    // SAFETY: NUL-terminated.
    let id = |from: &str, to: &str| owned(unsafe { im_timeline_id(c(from).as_ptr(), c(to).as_ptr()) });
    assert_eq!(id("ann", "bob").as_deref(), Some("ann@bob"));
    assert_eq!(id("bob", "ann").as_deref(), Some("bob@ann"));
    // SAFETY: NULL is allowed.
    assert_eq!(owned(unsafe { im_timeline_id(c("ann").as_ptr(), null()) }), None);
    assert_eq!(im_last_status(), status("IM_ERROR_INVALID_ARGUMENT"));
}

#[test]
fn copies_are_taken_out_and_recalls_stay() {
    let list = r#"[{"fp":"a","type":1,"n":1},{"fp":"b","type":1},{"fp":"a","type":1,"n":2},{"fp":"a","type":10},{"fp":"a","type":21}]"#;
    let expected =
        r#"[{"fp":"a","type":1,"n":1},{"fp":"b","type":1},{"fp":"a","type":10},{"fp":"a","type":21}]"#;
    assert_eq!(unique(list).as_deref(), Some(expected));
    assert_eq!(unique("{}"), None);
    assert_eq!(im_last_status(), status("IM_ERROR_JSON"));
}

#[test]
fn a_made_message_is_one_for_the_server() {
    let server = egg(&[]);
    let (ann, bob) = pair(&server);
    let message = create(r#"{"type":1,"from":"ann","to":"bob","content":"hi"}"#).expect("a message");
    let saved = send(&ann, &message);
    for field in ["type", "from", "to", "content", "fp", "typeu", "time"] {
        assert_eq!(saved[field], message[field], "{field}");
    }
    assert_eq!(payload(&bob.wait(wire("CHAT_MESSAGE")).json), &saved);
}

#[test]
fn the_copy_of_a_message_that_came_twice_is_found() {
    let server = egg(&[]);
    let ann = TestClient::chat(&server.root(), "ann");
    for _ in 0..2 {
        assert_eq!(ann.emit(wire("CHAT_TO"), &message("ann", "bob", "f1")), 0);
    }
    ann.wait_nth(wire("CHAT_TO_ACK"), 2);
    let bob = TestClient::new(with(user(&server, "bob"), "dedupe", false));
    let list = payload(&bob.wait(wire("CHAT_PULL_OFFLINE_MESSAGE")).json).clone();
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    let kept: Value = serde_json::from_str(&unique(&list.to_string()).expect("a list")).expect("JSON");
    assert_eq!(kept, json!([list[0]]));
}
