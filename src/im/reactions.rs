//! What the client does by itself. Plain functions from an event to reactions.

use super::{envelope::Envelope, names::EventNames, CHAT, SSO};

/// The session must log in again.
pub const CODE_RELOGIN: i64 = 401;
pub const CODE_AUTH_FAILED: i64 = 20001;
pub const CODE_PARAMETER_ABSENT: i64 = 20002;
/// A message was refused; which one is not said.
pub const CODE_SEND_FAILED: i64 = 20003;
/// The same user connected again with the same device class; this connection is being kicked out.
pub const CODE_OTHER_DEVICE: i64 = 20004;

/// An emit of the library's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emit {
    pub event: &'static str,
    /// The one argument as JSON; empty for none.
    pub argument: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    Emit(Emit),
    Close,
}

/// What goes out as soon as a namespace is connected.
pub fn on_connect(namespace: &str, names: EventNames) -> Vec<Emit> {
    if namespace != CHAT {
        return Vec::new();
    }
    ["offline_message", "readed_message"]
        .map(|event| Emit { event: outgoing(names, event), argument: String::new() })
        .to_vec()
}

fn outgoing(names: EventNames, event: &'static str) -> &'static str {
    match names {
        EventNames::Wire => event,
        EventNames::Constant => names.outgoing(event),
    }
}

/// What follows an event once the caller has taken it; `event` is the canonical name. A receipt earlier than that would be
/// a message lost.
pub fn after_delivery(namespace: &str, event: &str, json: &str, names: EventNames) -> Option<Reaction> {
    let envelope = || Envelope::parse(json).filter(|envelope| envelope.code == 0);
    let receipt = |argument| Some(Reaction::Emit(Emit { event: outgoing(names, "c_message_ack"), argument }));
    match (namespace, event) {
        (CHAT, "c_message") => receipt(envelope()?.payload.to_owned()),
        (CHAT, "offline_message") => {
            // The list goes wrapped, for clients that can't send a bare one; an empty list needs no receipt.
            let payload = envelope()?.payload;
            let empty = payload.trim_start_matches('[').trim_start().starts_with(']') || payload == "null";
            (!empty).then(|| receipt(format!("{{\"data\":{payload}}}"))).flatten()
        }
        (SSO, "qrlogin") => has_token(envelope()?.payload).then_some(Reaction::Close),
        _ => None,
    }
}

fn has_token(payload: &str) -> bool {
    let value: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
    value["token"].as_str().is_some_and(|token| !token.is_empty())
}

/// The code of an `im_error` after which a lost connection is not to be made again.
pub fn ends_session(json: &str) -> Option<i64> {
    let code = Envelope::parse(json)?.code;
    let ending = [CODE_RELOGIN, CODE_AUTH_FAILED, CODE_PARAMETER_ABSENT, CODE_OTHER_DEVICE];
    ending.contains(&code).then_some(code)
}

/// Does this `im_error` refuse a message?
pub fn refuses_message(json: &str) -> bool {
    Envelope::parse(json).is_some_and(|envelope| envelope.code == CODE_SEND_FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: EventNames = EventNames::Wire;

    fn envelope(code: i64, payload: &str) -> String {
        format!(r#"{{"meta":{{"timestamp":1}},"code":{code},"data":{{"action":"X","payload":{payload}}}}}"#)
    }

    fn emit(event: &'static str, argument: &str) -> Option<Reaction> {
        Some(Reaction::Emit(Emit { event, argument: argument.into() }))
    }

    #[test]
    fn pulls_go_out_in_chat_alone_and_in_the_servers_names() {
        let names =
            |namespace, names| on_connect(namespace, names).into_iter().map(|e| e.event).collect::<Vec<_>>();
        assert_eq!(names(CHAT, WIRE), ["offline_message", "readed_message"]);
        assert_eq!(
            names(CHAT, EventNames::Constant),
            ["CHAT_PULL_OFFLINE_MESSAGE", "CHAT_PULL_READED_MESSAGE"]
        );
        assert!(names(SSO, WIRE).is_empty());
        assert!(names("/", WIRE).is_empty());
    }

    #[test]
    fn messages_get_a_receipt() {
        let message = envelope(0, r#"{"fp":"a"}"#);
        assert_eq!(after_delivery(CHAT, "c_message", &message, WIRE), emit("c_message_ack", r#"{"fp":"a"}"#));
        assert_eq!(
            after_delivery(CHAT, "c_message", &message, EventNames::Constant),
            emit("CHAT_MESSAGE_ACK", r#"{"fp":"a"}"#)
        );
        let list = envelope(0, r#"[{"fp":"a"}]"#);
        assert_eq!(
            after_delivery(CHAT, "offline_message", &list, WIRE),
            emit("c_message_ack", r#"{"data":[{"fp":"a"}]}"#)
        );
        assert_eq!(after_delivery(CHAT, "c_message", &envelope(1, "{}"), WIRE), None, "a failure gets none");
        assert_eq!(after_delivery(CHAT, "c_message", "[]", WIRE), None);
        assert_eq!(after_delivery("/", "c_message", &message, WIRE), None, "elsewhere it is no IM event");
        for empty in ["[]", "[ ]", "null"] {
            assert_eq!(after_delivery(CHAT, "offline_message", &envelope(0, empty), WIRE), None);
        }
    }

    #[test]
    fn a_login_closes_and_a_failed_one_does_not() {
        let after = |json: &str| after_delivery(SSO, "qrlogin", json, WIRE);
        assert_eq!(after(&envelope(0, r#"{"token":"t"}"#)), Some(Reaction::Close));
        for json in
            [envelope(1, "{}"), envelope(0, "\"pong\""), envelope(0, "{}"), envelope(1, r#"{"token":"t"}"#)]
        {
            assert_eq!(after(&json), None, "{json}");
        }
    }

    #[test]
    fn codes_that_end_a_session() {
        for code in [401, 20001, 20002, 20004] {
            assert_eq!(ends_session(&envelope(code, "null")), Some(code));
        }
        assert_eq!(ends_session(&envelope(20003, "null")), None);
        assert_eq!(ends_session("{}"), None);
    }
}
