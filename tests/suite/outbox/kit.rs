//! What the tests of the outbox share.

use std::ffi::c_void;

use ::im_client::{im_client, im_client_subscribe, im_event};
use serde_json::{json, Value};

use crate::support::{info_of, last_error, wait_until, Peer, RawServer, TestClient};

pub use crate::im::kit::{message, payload, round_trip, status, wire, with};

/// The options of a chat user whose reconnections come fast.
pub fn options(root: &str, user: &str) -> Value {
    json!({
        "root": root,
        "nsp": "chat",
        "path": "/ws",
        "query": { "token": format!("token-{user}"), "userId": user },
        "reconnectionDelay": 10,
        "reconnectionDelayMax": 20,
    })
}

pub fn envelope(action: &str, code: i64, payload: &Value) -> Value {
    json!({ "meta": { "timestamp": 1 }, "code": code, "data": { "action": action, "payload": payload } })
}

/// What a scripted server does with a message.
pub enum Answer {
    Ack,
    Silence,
    /// `im_error` with this code.
    Error(i64),
    /// `to_ack` with the code 1.
    Failure,
    /// The connection ends.
    Drop,
    /// An acknowledgement for each of these.
    AckAll(Vec<Value>),
}

/// A chat server that answers a message as it is told, by connection (from 1) and message, and every question at once.
pub fn scripted(answer: impl Fn(usize, &Value) -> Answer + Send + Sync + 'static) -> RawServer {
    RawServer::start(move |peer| {
        peer.connect(4);
        while let Some(text) = peer.receive() {
            if let Some(message) = message_of(&text) {
                match answer(peer.number, &message) {
                    Answer::Ack => push(peer, "to_ack", &envelope("CHAT_TO_ACK", 0, &message)),
                    Answer::Failure => push(peer, "to_ack", &envelope("CHAT_TO_ACK", 1, &message)),
                    Answer::Error(code) => push(peer, "im_error", &envelope("IMERROR", code, &Value::Null)),
                    Answer::AckAll(messages) => {
                        for message in messages {
                            push(peer, "to_ack", &envelope("CHAT_TO_ACK", 0, &message));
                        }
                    }
                    Answer::Silence => {}
                    Answer::Drop => return,
                }
            } else if let Some(question) = text.strip_prefix("42/chat,") {
                let id: String = question.chars().take_while(char::is_ascii_digit).collect();
                if !id.is_empty() {
                    peer.text(&format!("43/chat,{id}[]"));
                }
            }
        }
    })
}

fn push(peer: &mut Peer, event: &str, envelope: &Value) {
    peer.text(&format!("42/chat,[\"{event}\",{envelope}]"));
}

/// The message of a frame that sends one.
fn message_of(frame: &str) -> Option<Value> {
    let argument = frame.strip_prefix("42/chat,[\"to\",")?.strip_suffix(']')?;
    Some(serde_json::from_str(argument).expect("a message is JSON"))
}

/// The fingerprints of the messages that a scripted server got, in their order: connection and fingerprint.
pub fn got(server: &RawServer) -> Vec<(usize, String)> {
    let frames = server.frames().into_iter();
    frames.filter_map(|frame| Some((frame.connection, fp(&message_of(&frame.text)?)))).collect()
}

pub fn fp(message: &Value) -> String {
    message["fp"].as_str().expect("a message has a fingerprint").to_owned()
}

/// The fingerprints of all messages that a client was shown, live and offline, in their order.
pub fn shown(client: &TestClient) -> Vec<String> {
    let mut all = Vec::new();
    for event in client.events() {
        let payload = payload(&event.json);
        if event.name == wire("CHAT_MESSAGE") {
            all.push(fp(payload));
        } else if event.name == wire("CHAT_PULL_OFFLINE_MESSAGE") {
            all.extend(payload.as_array().expect("a list").iter().map(fp));
        }
    }
    all
}

unsafe extern "C" fn nothing(_: *const im_event, _: *mut c_void) {}

/// Takes what the test does not look at, which would wait for ten seconds for somebody who does.
pub fn take_the_rest(client: im_client) {
    // SAFETY: the function takes anything.
    let id = unsafe {
        im_client_subscribe(client, std::ptr::null(), 0, Some(nothing), std::ptr::null_mut(), None)
    };
    assert!(id > 0, "{}", last_error());
}

/// Waits until nothing is left in a client that has done all it was asked: no request, message, packet or event.
pub fn wait_empty(client: im_client) {
    wait_until("a client in which nothing waits", || {
        let info = info_of(client);
        let fields = [
            &info["pendingRequests"],
            &info["sendQueue"]["packets"],
            &info["sendQueue"]["bytes"],
            &info["outbox"]["messages"],
            &info["outbox"]["bytes"],
            &info["receiveQueue"]["events"],
            &info["receiveQueue"]["bytes"],
            &info["earlyEvents"],
            &info["unansweredQuestions"],
        ];
        assert!(fields.iter().all(|field| field.is_u64()), "{info}");
        fields.iter().all(|field| **field == 0)
    });
}
