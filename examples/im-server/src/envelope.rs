//! Event names, error codes and the envelope around everything the server sends.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{json, Value};

/// An event has a constant (carried in `data.action`) and a name on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub constant: &'static str,
    pub wire: &'static str,
}

macro_rules! events {
    ($($ident:ident = $constant:literal, $wire:literal;)*) => {
        $(pub const $ident: Event = Event { constant: $constant, wire: $wire };)*
    };
}

events! {
    IM_ERROR = "IMERROR", "im_error";
    QRLOGIN = "SSO_QRLOGIN", "qrlogin";
    TO = "CHAT_TO", "to";
    TO_ACK = "CHAT_TO_ACK", "to_ack";
    ONLINE = "CHAT_ONLINE", "c_online";
    MESSAGE = "CHAT_MESSAGE", "c_message";
    MESSAGE_ACK = "CHAT_MESSAGE_ACK", "c_message_ack";
    OFFLINE_MESSAGE = "CHAT_PULL_OFFLINE_MESSAGE", "offline_message";
    HISTORY_MESSAGE = "CHAT_PULL_HISTORY_MESSAGE", "history_message";
    RECENT_CONVERSATION = "CHAT_PULL_RECENT_CONVERSATION", "recent_conversation";
    READED_MESSAGE = "CHAT_PULL_READED_MESSAGE", "readed_message";
    TO_READED = "CHAT_TO_READED", "to_reader";
    TO_TYPING = "CHAT_TO_TYPING", "to_typing";
    TO_UNDO = "CHAT_TO_UNDO", "to_undo";
    GROUP_NOTICE = "CHAT_GROUP_NOTICE", "g_notice";
    SYSTEM_NOTICE = "CHAT_SYSTEM_NOTICE", "sys_notice";
}

/// The business errors of `im_error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    LogInAgain,
    AuthFailed,
    ParameterAbsent,
    SendFailed,
    OtherDevice,
}

impl Refusal {
    pub fn code(self) -> i64 {
        match self {
            Refusal::LogInAgain => 401,
            Refusal::AuthFailed => 20001,
            Refusal::ParameterAbsent => 20002,
            Refusal::SendFailed => 20003,
            Refusal::OtherDevice => 20004,
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Refusal::LogInAgain => "Re login",
            Refusal::AuthFailed => "Auth failed",
            Refusal::ParameterAbsent => "Parameter absent",
            Refusal::SendFailed => "Send message failed",
            Refusal::OtherDevice => "you are sign in on other device",
        }
    }

    pub fn envelope(self) -> Value {
        json!({
            "meta": {"timestamp": now_ms(), "msg": self.text()},
            "code": self.code(),
            "data": {"action": IM_ERROR.constant, "payload": null},
        })
    }
}

/// The envelope of an event that went well.
pub fn success(event: Event, payload: Value) -> Value {
    with_code(event, 0, payload)
}

pub fn with_code(event: Event, code: i64, payload: Value) -> Value {
    json!({
        "meta": {"timestamp": now_ms()},
        "code": code,
        "data": {"action": event.constant, "payload": payload},
    })
}

/// The copy of a message for another device of its own sender.
pub fn sync_copy(event: Event, payload: Value) -> Value {
    let mut envelope = success(event, payload);
    envelope["meta"]["sync"] = Value::Bool(true);
    envelope
}

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
