//! What the tests of the IM layer share.

use std::{
    ffi::{c_char, c_void, CStr},
    sync::{Arc, Condvar, Mutex},
};

use ::im_client::*;
use serde_json::{json, Value};

use crate::support::{c, last_error, wait_until, Server, TestClient, PATIENCE};

/// The value of a macro of the C header, as a C caller gets it.
pub fn macro_of(name: &str) -> &'static str {
    let lines = include_str!("../../../include/im_client.h").lines();
    let mut values =
        lines.filter_map(|line| line.strip_prefix("#define ")?.strip_prefix(name)?.strip_prefix(' '));
    values.next().unwrap_or_else(|| panic!("the header has no {name}")).trim_matches(['"', '(', ')'])
}

/// The name on the wire of an event of the protocol.
pub fn wire(constant: &str) -> &'static str {
    macro_of(&format!("IM_{constant}"))
}

pub fn status(name: &str) -> im_status {
    macro_of(name).parse().expect("a status is a number")
}

/// The options of a chat user whose reconnections come fast and on time.
pub fn user(server: &Server, id: &str) -> Value {
    json!({
        "root": server.root(),
        "nsp": "chat",
        "path": "/ws",
        "query": { "token": format!("token-{id}"), "userId": id },
        "reconnectionDelay": 50,
        "randomizationFactor": 0,
    })
}

/// The options of a device that waits for its QR code to be scanned.
pub fn device(server: &Server, id: &str) -> Value {
    let mut options = user(server, "");
    options["nsp"] = "sso".into();
    options["query"] = json!({ "device_id": id });
    options
}

/// Options with one of them set.
pub fn with(mut options: Value, name: &str, value: impl Into<Value>) -> Value {
    options[name] = value.into();
    options
}

/// Two users who are online and know what they missed: a message that is stored before they do comes twice, its receipt too.
pub fn pair(server: &Server) -> (TestClient, TestClient) {
    let pair = (TestClient::chat(&server.root(), "ann"), TestClient::chat(&server.root(), "bob"));
    for client in [&pair.0, &pair.1] {
        client.wait(wire("CHAT_PULL_OFFLINE_MESSAGE"));
    }
    pair
}

/// A text message; its content is its fingerprint.
pub fn message(from: &str, to: &str, fp: &str) -> Value {
    json!({ "type": 1, "from": from, "to": to, "content": fp, "fp": fp, "typeu": 1, "time": 1_577_808_000_000_u64 })
}

/// Sends a message and waits until the server has stored it; gives what it stored.
pub fn send(from: &TestClient, message: &Value) -> Value {
    assert_eq!(from.emit(wire("CHAT_TO"), message), 0);
    let ack = from
        .wait_where(wire("CHAT_TO_ACK"), "fp is the message's", |ack| payload(ack)["fp"] == message["fp"]);
    payload(&ack.json).clone()
}

pub fn payload(envelope: &Value) -> &Value {
    &envelope["data"]["payload"]
}

/// Has the server answered what the client sent until now? The client must record `recent_conversation`.
pub fn round_trip(client: &TestClient) {
    let name = wire("CHAT_PULL_RECENT_CONVERSATION");
    let before = client.count(name);
    assert_eq!(client.emit(name, &Value::Null), 0);
    client.wait_nth(name, before + 1);
}

/// Waits until the server has got what the client sent until now; the client's callbacks may be blocked.
pub fn arrived(client: &TestClient, server: &Server, marker: &str) {
    assert_eq!(client.emit(marker, &Value::Null), 0);
    server.wait_received(marker, 1);
}

/// What the server keeps of a message.
pub fn stored(server: &Server, fp: &str) -> Value {
    look_up(server, fp).unwrap_or_else(|| panic!("the server has no message {fp}"))
}

fn look_up(server: &Server, fp: &str) -> Option<Value> {
    let messages = server.get("/control/messages");
    messages.as_array().and_then(|list| list.iter().find(|message| message["fp"] == fp)).cloned()
}

/// Waits for a message that may still be on its way to the server, and for its receipt.
pub fn wait_delivered(server: &Server, fp: &str) {
    let delivered = || look_up(server, fp).is_some_and(|message| message["delivered"] == true);
    wait_until(&format!("the receipt for {fp}"), delivered);
}

/// How many connections the server has seen.
pub fn connections(server: &Server) -> u64 {
    server.stats()["engines"].as_u64().expect("a number")
}

/// Proves that a client without a connection makes none: in the time in which another one with the same delays has lost its
/// connection and reconnected three times, nobody connected but that one and those who are expected to.
pub fn only_reconnect(server: &Server, expected: &[&TestClient]) {
    let clock = TestClient::new(user(server, "clock"));
    clock.wait("connect");
    let before = connections(server);
    for round in 1..=3 {
        server.post("/control/drop", json!({}));
        for client in expected.iter().chain([&&clock]) {
            client.wait_nth("reconnect", round);
        }
    }
    let lost = 3 * (expected.len() as u64 + 1);
    assert_eq!(connections(server), before + lost, "somebody connected who should not");
}

type Function = Box<dyn Fn(&im_event) + Send + Sync>;

/// Subscribes a closure to an event.
pub fn subscribe(
    client: &TestClient,
    event: &str,
    function: impl Fn(&im_event) + Send + Sync + 'static,
) -> i64 {
    unsafe extern "C" fn call(event: *const im_event, function: *mut c_void) {
        // SAFETY: both live through the callback.
        let (event, function) = unsafe { (&*event, &*function.cast::<Function>()) };
        function(event);
    }
    unsafe extern "C" fn free(function: *mut c_void) {
        // SAFETY: made by `Box::into_raw` below.
        drop(unsafe { Box::from_raw(function.cast::<Function>()) });
    }
    let function: *mut Function = Box::into_raw(Box::new(Box::new(function)));
    // SAFETY: `call` and `free` take this pointer.
    let id = unsafe {
        im_client_subscribe(client.handle, c(event).as_ptr(), 0, Some(call), function.cast(), Some(free))
    };
    assert!(id > 0, "{}", last_error());
    id
}

/// A callback's way through a gate that the test opens.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<(usize, bool)>, Condvar)>);

impl Gate {
    /// For the callback: says that it is there and waits until the gate is open.
    pub fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().expect("nobody panics with it");
        state.0 += 1;
        changed.notify_all();
        drop(changed.wait_timeout_while(state, 2 * PATIENCE, |state| !state.1));
    }

    /// Waits until a callback stands at the gate.
    pub fn reached(&self) {
        wait_until("a callback", || self.0 .0.lock().expect("nobody panics with it").0 > 0);
    }

    pub fn open(&self) {
        self.0 .0.lock().expect("nobody panics with it").1 = true;
        self.0 .1.notify_all();
    }
}

/// A string that the library gave, which is freed; none for NULL.
pub fn owned(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the library gave it, NUL-terminated.
    let copy = unsafe { CStr::from_ptr(text) }.to_str().expect("UTF-8").to_owned();
    // SAFETY: the library gave it.
    unsafe { im_string_free(text) };
    Some(copy)
}
