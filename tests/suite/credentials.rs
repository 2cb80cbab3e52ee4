//! Query and auth that change between two connections: set beforehand, or asked for before each.

use std::{
    ffi::{c_void, CString},
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use ::im_client::*;
use serde_json::{json, Value};

use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];
const NOT_FOUND: im_status = -11;
const OPTION: im_status = -5;
const JSON: im_status = -4;

fn options(server: &Server, more: &Value) -> Value {
    let mut options = json!({
        "root": server.root(), "nsp": "chat", "path": "/socket.io",
        "reconnectionDelay": 10, "reconnectionDelayMax": 20
    });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    options
}

fn set_auth(client: &TestClient, auth: &Value) -> im_status {
    let auth = c(&auth.to_string());
    // SAFETY: NUL-terminated.
    unsafe { im_client_set_auth(client.handle, auth.as_ptr()) }
}

fn set_query(client: &TestClient, query: &Value) -> im_status {
    let query = c(&query.to_string());
    // SAFETY: NUL-terminated.
    unsafe { im_client_set_query(client.handle, query.as_ptr()) }
}

fn answer(client: im_client, request: i64, json: &str) -> im_status {
    let json = c(json);
    // SAFETY: NUL-terminated.
    unsafe { im_client_answer(client, request, json.as_ptr()) }
}

/// What the server saw of the n-th connection.
fn handshake(client: &TestClient, n: usize) -> Value {
    client.wait_nth("connect", n);
    client.emit("handshake", &Value::Null);
    client.wait_nth("handshake", n).json
}

#[test]
fn a_new_token_is_sent_on_the_next_connection() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(options(
            &server,
            &json!({ "query": { "token": "old" }, "auth": { "token": "old" } }),
        ));
        let seen = handshake(&client, 1);
        assert_eq!(seen["query"]["token"], "old");
        assert_eq!(set_query(&client, &json!({ "token": "new ä", "n": 1 })), 0);
        assert_eq!(set_auth(&client, &json!({ "token": "newer" })), 0);
        server.post("/control/drop", json!({}));
        let seen = handshake(&client, 2);
        assert_eq!(seen["query"]["token"], "new ä");
        assert_eq!(seen["query"]["n"], "1");
        assert_eq!(seen["query"]["deviceType"], "desktop");
        if generation == 4 {
            assert_eq!(seen["auth"], json!({ "token": "newer" }));
            // SAFETY: NULL takes it away.
            assert_eq!(unsafe { im_client_set_auth(client.handle, std::ptr::null()) }, 0);
            server.post("/control/drop", json!({}));
            assert_eq!(handshake(&client, 3)["auth"], json!({}));
        }
    }
}

#[test]
fn credentials_that_are_none_are_named_and_change_nothing() {
    let server = socketio(4, &[]);
    let client = TestClient::new(options(&server, &json!({ "query": { "token": "t" }, "auth": { "a": 1 } })));
    handshake(&client, 1);
    assert_eq!(set_query(&client, &json!([])), JSON);
    assert!(last_error().contains("the query must be an object"), "{}", last_error());
    assert_eq!(set_query(&client, &json!({ "a": null })), JSON);
    assert!(last_error().contains("\"a\" must be"), "{}", last_error());
    assert_eq!(set_auth(&client, &json!("x")), JSON);
    assert!(last_error().contains("the auth must be an object"), "{}", last_error());
    let broken = c("{");
    // SAFETY: NUL-terminated.
    assert_eq!(unsafe { im_client_set_auth(client.handle, broken.as_ptr()) }, JSON);
    // SAFETY: NULL is an error.
    assert_eq!(unsafe { im_client_set_query(client.handle, std::ptr::null()) }, -1);
    server.post("/control/drop", json!({}));
    let seen = handshake(&client, 2);
    assert_eq!((&seen["query"]["token"], &seen["auth"]), (&json!("t"), &json!({ "a": 1 })));
}

/// Answers each request event with the next token, inside the callback.
unsafe extern "C" fn next_token(event: *const im_event, count: *mut c_void) {
    // SAFETY: both live through the callback.
    let (event, count) = unsafe { (&*event, &*count.cast::<AtomicI64>()) };
    if event.kind != IM_EVENT_KIND_REQUEST {
        return;
    }
    let number = count.fetch_add(1, Ordering::SeqCst) + 1;
    assert_eq!(answer(event.client, event.request, &format!("{{\"token\":\"token-{number}\"}}")), 0);
    assert_eq!(answer(event.client, event.request, "{}"), NOT_FOUND, "the second answer");
}

#[test]
fn a_fresh_token_is_asked_for_before_each_connection() {
    static QUERIES: AtomicI64 = AtomicI64::new(0);
    static AUTHS: AtomicI64 = AtomicI64::new(100);
    let server = socketio(4, &[]);
    let asks = json!({ "askAuth": true, "askQuery": true, "autoConnect": false });
    let client = TestClient::new(options(&server, &asks));
    for (name, count) in [(c"query", &QUERIES), (c"auth", &AUTHS)] {
        let data = std::ptr::from_ref(count).cast_mut().cast();
        // SAFETY: the counters live as long as the process.
        assert!(unsafe { im_client_on(client.handle, name.as_ptr(), Some(next_token), data) } > 0);
    }
    assert_eq!(im_client_open(client.handle), 0);
    for n in 1..=3 {
        let seen = handshake(&client, n);
        assert_eq!(seen["query"]["token"], format!("token-{n}"));
        assert_eq!(seen["auth"]["token"], format!("token-{}", 100 + n));
        server.post("/control/drop", json!({}));
    }
}

/// The request id of the n-th request event of a name.
fn request(client: &TestClient, name: &str, n: usize) -> i64 {
    let Recorded { kind, json, .. } = client.wait_nth(name, n);
    assert!(kind == IM_EVENT_KIND_REQUEST && json["attempt"].is_u64(), "{kind}: {json}");
    client.requests(name)[n - 1]
}

#[test]
fn the_answer_may_come_much_later_from_another_thread() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(options(&server, &json!({ "askQuery": true })));
        let id = request(&client, "query", 1);
        for wrong in ["[]", "{\"a\":[]}", "7", "{"] {
            assert_eq!(answer(client.handle, id, wrong), JSON, "{wrong}");
        }
        assert_eq!(answer(client.handle, id + 1000, "{}"), NOT_FOUND);
        assert_eq!(client.count("connect"), 0, "it waits");
        assert_eq!(client.state(), IM_STATE_CONNECTING);
        let handle = client.handle;
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            assert_eq!(answer(handle, id, "{\"token\":\"late\"}"), 0);
        })
        .join()
        .unwrap();
        assert_eq!(handshake(&client, 1)["query"]["token"], "late");
        // `null` leaves things as they are.
        server.post("/control/drop", json!({}));
        assert_eq!(answer(client.handle, request(&client, "query", 2), "null"), 0);
        assert_eq!(handshake(&client, 2)["query"]["token"], "late");
    }
}

#[test]
fn a_request_that_nobody_answers_fails_the_attempt_and_says_so() {
    let server = socketio(4, &[]);
    let client = TestClient::new(options(&server, &json!({ "askAuth": true, "timeout": 100 })));
    let error = client.wait("connect_error").json;
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("nobody answered") && message.contains("askAuth"), "{message}");
    assert_eq!(error["willRetry"], true);
    let first = request(&client, "auth", 1);
    // The next attempt asks anew; the old question is gone.
    request(&client, "auth", 2);
    assert_eq!(answer(client.handle, first, "{}"), NOT_FOUND);
    assert_eq!(server.stats()["engines"], 0, "nothing was opened meanwhile");
}

#[test]
fn closing_and_destroying_give_up_the_question() {
    let server = socketio(4, &[]);
    let client = TestClient::new(options(&server, &json!({ "askAuth": true })));
    let id = request(&client, "auth", 1);
    client.close();
    wait_until("rest", || client.state() == IM_STATE_DISCONNECTED);
    wait_until("the end of the question", || answer(client.handle, id, "null") == NOT_FOUND);
    assert_eq!(im_client_open(client.handle), 0);
    request(&client, "auth", 2);
    assert_eq!(im_client_destroy(client.handle), 0);
}

/// What one user wrote must never go out as another's.
#[test]
fn a_client_with_a_store_keeps_its_user() {
    let server = socketio(4, &[]);
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("im.store");
    let more = json!({ "store": store.to_str().unwrap(), "query": { "userId": "ann", "token": "old" } });
    let client = TestClient::new(options(&server, &more));
    handshake(&client, 1);
    for query in [json!({ "userId": "bob" }), json!({ "token": "nobody's" })] {
        assert_eq!(set_query(&client, &query), OPTION);
        assert!(last_error().contains("\"userId\" must stay"), "{}", last_error());
        assert!(!last_error().contains("ann"), "{}", last_error());
    }
    assert_eq!(set_query(&client, &json!({ "userId": "ann", "token": "new" })), 0);
    server.post("/control/drop", json!({}));
    let seen = handshake(&client, 2);
    assert_eq!((&seen["query"]["userId"], &seen["query"]["token"]), (&json!("ann"), &json!("new")));
}

#[test]
fn a_stale_handle_has_no_credentials() {
    let json = CString::new("{}").unwrap();
    // SAFETY: NUL-terminated.
    let statuses = unsafe {
        [
            im_client_set_auth(77, json.as_ptr()),
            im_client_set_query(77, json.as_ptr()),
            im_client_answer(77, 1, json.as_ptr()),
        ]
    };
    assert_eq!(statuses, [-2; 3]);
}
