//! Listening beyond named events: what the client sends, and its heartbeats.

use ::im_client::*;
use serde_json::{json, Value};

use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];
const INVALID_ARGUMENT: i64 = -1;
const VOLATILE: u32 = 1;
const ONCE: u32 = 1;
const OUTGOING: u32 = 2;

fn options(root: &str, nsp: &str, more: Value) -> Value {
    let mut options = json!({ "root": root, "nsp": nsp, "path": "/socket.io" });
    options.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    options
}

fn names(client: &TestClient) -> Vec<String> {
    client.events().into_iter().map(|event| event.name).collect()
}

#[test]
fn any_outgoing_is_told_when_an_event_goes_out() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(options(&server.root(), "/", json!({ "autoConnect": false })));
        assert!(client.on_any_outgoing() > 0, "{}", last_error());
        client.emit("waits", &json!(1));
        assert_eq!(im_client_open(client.handle), 0);
        client.wait("waits");
        assert_eq!(names(&client), ["connect", "waits"], "queued is not sent");
        client.close();
        client.wait("disconnect");
        assert_eq!(client.emit_args("dropped", &json!([]), VOLATILE), 0);
        client.emit("cleared", &json!(1));
        assert_eq!(client.clear_send_buffer(), 1);
        assert_eq!(im_client_open(client.handle), 0);
        client.emit("last", &json!(1));
        client.wait("last");
        assert_eq!(
            (client.count("dropped"), client.count("cleared")),
            (0, 0),
            "what never goes out is not told"
        );
    }
}

#[test]
fn any_outgoing_hears_emits_and_requests_but_no_answers_and_nothing_of_the_library() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::deaf(options(&server.root(), "chat", json!({})));
        assert!(client.on_any_outgoing() > 0);
        assert!(client.on("question") > 0);
        assert_eq!(client.emit_blobs("two", "[1,{\"x\":2}]", &[b"bytes"], 0), 0);
        let answers = Answers::default();
        client.ask_plain("echo", &json!("asked"), &answers);
        assert_eq!(answers.wait().status, 0);
        client.emit("ask", &json!("?"));
        let question = client.wait("question");
        assert_eq!(client.reply_blobs(question.ack_id, "[\"answer\"]", &[]), 0);
        client.emit("end", &Value::Null);
        client.wait("end");
        // The pulls of the namespace chat went out as well, and the answer.
        assert!(!server.received("offline_message").is_empty());
        assert_eq!(names(&client), ["two", "echo", "ask", "question", "end"]);
        let two = &client.events()[0];
        assert_eq!((&two.json, two.args[1]["x"].as_u64()), (&json!(1), Some(2)));
        assert_eq!((&two.blobs[..], two.ack_id), (&[b"bytes".to_vec()][..], 0));
    }
}

#[test]
fn any_outgoing_tells_each_try_of_a_retried_emit() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let more = json!({ "retries": 100, "ackTimeout": 100 });
        let client = TestClient::deaf(options(&server.root(), "/", more));
        client.on_any_outgoing();
        let answers = Answers::default();
        assert!(client.ask_blobs("nth_ack", "[3,\"v\"]", &[], 0, 0, &answers) > 0);
        assert_eq!(answers.wait().args, json!(["v", 3]));
        wait_until("three tries", || client.count("nth_ack") >= 3);
    }
}

#[test]
fn any_outgoing_may_end_by_off_or_be_for_once_and_takes_no_name() {
    let server = socketio(4, &[]);
    let client = TestClient::deaf(options(&server.root(), "/", json!({})));
    let always = client.on_any_outgoing();
    unsafe extern "C" fn count(_event: *const im_event, count: *mut std::ffi::c_void) {
        // SAFETY: the counter outlives the client.
        unsafe { &*count.cast::<std::sync::atomic::AtomicUsize>() }
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
    static ONCE_CALLED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let counter = std::ptr::from_ref(&ONCE_CALLED).cast_mut().cast();
    let subscribe = |event: *const std::ffi::c_char, flags| {
        // SAFETY: NULL or NUL-terminated; `count` takes the counter.
        unsafe { im_client_subscribe(client.handle, event, flags, Some(count), counter, None) }
    };
    assert!(subscribe(std::ptr::null(), OUTGOING | ONCE) > 0);
    assert_eq!(subscribe(c("x").as_ptr(), OUTGOING), INVALID_ARGUMENT);
    assert!(last_error().contains("\"event\""), "{}", last_error());
    assert_eq!(subscribe(std::ptr::null(), 4), INVALID_ARGUMENT);
    for n in 0..3 {
        client.emit("x", &json!(n));
    }
    client.wait_nth("x", 3);
    assert_eq!(ONCE_CALLED.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!(im_client_off(client.handle, always), 0);
    client.on("echo");
    client.emit("echo", &json!("back"));
    client.wait("echo");
    assert_eq!(client.events().len(), 4, "nothing was told any more of what went out");
}

#[test]
fn a_heartbeat_is_told_to_those_who_ask_for_it_alone() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--ping-interval", "50", "--ping-timeout", "5000"]);
        let client = TestClient::new(options(&server.root(), "/", json!({})));
        let deaf = TestClient::deaf(options(&server.root(), "/", json!({})));
        client.wait("connect");
        // Each of the two clients has had some by now.
        let beats =
            || server.stats()["packetsReceived"][if generation == 2 { "ping" } else { "pong" }].as_u64();
        wait_until("some heartbeats", || beats() > Some(8));
        assert_eq!(client.count("ping"), 0, "any is no name");
        assert_eq!(deaf.info()["earlyEvents"], 1, "connect alone waits");
        assert!(deaf.on("ping") > 0);
        let ping = deaf.wait_nth("ping", 3);
        assert_eq!(ping.kind, IM_EVENT_KIND_LOCAL);
        match generation {
            2 => assert!(ping.json["latencyMs"].as_f64().is_some_and(|ms| (0.0..5000.0).contains(&ms))),
            _ => assert_eq!(ping.json, json!({})),
        }
        assert_eq!(client.count("ping"), 0);
    }
}
