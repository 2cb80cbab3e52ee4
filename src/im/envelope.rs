//! `{"meta": {..}, "code": n, "data": {"action": .., "payload": ..}}`: what every event of an IM server carries.

use crate::json::fields;

/// An envelope whose payload is still text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub code: i64,
    /// JSON; `null` where there is none.
    pub meta: &'a str,
    /// JSON; `null` where there is none.
    pub payload: &'a str,
}

impl<'a> Envelope<'a> {
    /// Reads an event's argument; nothing if it is no envelope.
    pub fn parse(json: &'a str) -> Option<Self> {
        let [code, meta, data] = fields(json, ["code", "meta", "data"])?;
        let payload = data.and_then(|data| fields(data, ["payload"])).and_then(|[payload]| payload);
        Some(Envelope {
            code: code?.parse().ok()?,
            meta: meta.unwrap_or("null"),
            payload: payload.unwrap_or("null"),
        })
    }

    /// Is it the copy of what the user sent from another connection?
    pub fn is_sync_copy(&self) -> bool {
        fields(self.meta, ["sync"]) == Some([Some("true")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_stays_as_it_was_written() {
        let json = r#"{"meta":{"timestamp":1},"code":0,"data":{"action":"CHAT_MESSAGE","payload":{"big":12345678901234567890123, "a":1}}}"#;
        let envelope = Envelope::parse(json).unwrap();
        let payload = r#"{"big":12345678901234567890123, "a":1}"#;
        assert_eq!(envelope, Envelope { code: 0, meta: r#"{"timestamp":1}"#, payload });
        assert_eq!(Envelope::parse(r#"{"code":20004,"data":null}"#).unwrap().payload, "null");
        assert_eq!(Envelope::parse(r#"{"code":1}"#).unwrap().payload, "null");
    }

    #[test]
    fn a_sync_copy_says_so() {
        let is_copy =
            |meta: &str| Envelope::parse(&format!(r#"{{"meta":{meta},"code":0}}"#)).unwrap().is_sync_copy();
        assert!(is_copy(r#"{"timestamp":1,"sync":true}"#));
        for meta in [r#"{"sync":false}"#, r#"{"sync":"true"}"#, r#"{"timestamp":1}"#, "null", "[]"] {
            assert!(!is_copy(meta), "{meta}");
        }
        assert!(!Envelope::parse(r#"{"code":0}"#).unwrap().is_sync_copy());
    }

    #[test]
    fn what_is_no_envelope_is_none() {
        for json in ["null", "[]", "\"x\"", "{}", r#"{"code":"0"}"#, r#"{"code":null,"data":{}}"#] {
            assert_eq!(Envelope::parse(json), None, "{json}");
        }
    }
}
