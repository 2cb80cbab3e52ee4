//! The open packet: what the server says of the session.

use std::{fmt, time::Duration};

use serde_json::Value;

use crate::json::{fault, fields};

/// The longest heartbeat that is believed, so that no sum of times overflows.
const LONGEST: u64 = 7 * 24 * 3600 * 1000;

/// The largest open packet that is read: it takes a multiple of its size, and good ones have a hundred bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The longest session id that is taken: it stands in the URL of every request of long-polling.
const MOST_SID: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The id of the Engine.IO session.
    pub sid: String,
    /// The transports that the server lets this session upgrade to.
    pub upgrades: Vec<String>,
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
    /// The largest message that the server takes, in bytes. Servers from Socket.IO 4.5 on say it, so its presence proves
    /// revision 4.
    pub max_payload: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeError(String);

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server's open packet {}", self.0)
    }
}

impl Handshake {
    /// Reads the data of an open packet.
    pub fn parse(json: &str) -> Result<Self, HandshakeError> {
        if json.len() > MOST_BYTES {
            return Err(HandshakeError(format!("has {} bytes, more than {MOST_BYTES}", json.len())));
        }
        let names = ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"];
        let [sid, upgrades, interval, timeout, max_payload] =
            fields(json, names).ok_or_else(|| no_object(json))?;
        let sid: Option<String> = sid.and_then(|sid| serde_json::from_str(sid).ok());
        let sid = sid.filter(|sid| !sid.is_empty()).ok_or_else(|| HandshakeError("has no \"sid\"".into()))?;
        if sid.len() > MOST_SID {
            return Err(HandshakeError(format!("has a \"sid\" of more than {MOST_SID} bytes")));
        }
        Ok(Handshake {
            sid,
            upgrades: upgrades.map(texts).unwrap_or_default(),
            ping_interval: milliseconds(interval, "pingInterval")?,
            ping_timeout: milliseconds(timeout, "pingTimeout")?,
            max_payload: max_payload.and_then(|bytes| bytes.parse().ok()),
        })
    }
}

fn no_object(json: &str) -> HandshakeError {
    HandshakeError(match serde_json::from_str::<Value>(json) {
        Ok(_) => "is no JSON object".into(),
        Err(error) => format!("is no JSON: {}", fault(&error)),
    })
}

/// The strings of an array.
fn texts(json: &str) -> Vec<String> {
    match serde_json::from_str(json) {
        Ok(Value::Array(list)) => list.iter().filter_map(|text| text.as_str().map(Into::into)).collect(),
        _ => Vec::new(),
    }
}

fn milliseconds(json: Option<&str>, name: &str) -> Result<Duration, HandshakeError> {
    match json.and_then(|json| json.parse().ok()) {
        Some(ms) if (1..=LONGEST).contains(&ms) => Ok(Duration::from_millis(ms)),
        _ => Err(HandshakeError(format!("has no usable \"{name}\" (milliseconds, at least 1)"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_are_read() {
        let v2 = r#"{"sid":"a","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000}"#;
        let read = Handshake::parse(v2).unwrap();
        assert_eq!(read.sid, "a");
        assert_eq!(read.upgrades, ["websocket"]);
        assert_eq!(read.ping_interval, Duration::from_secs(25));
        assert_eq!(read.max_payload, None);
        let v4 = r#"{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        assert_eq!(Handshake::parse(v4).unwrap().max_payload, Some(1_000_000));
    }

    #[test]
    fn a_handshake_that_lies_is_named() {
        for (json, fault) in [
            ("", "no JSON"),
            ("[]", "no JSON object"),
            (r#"{"pingInterval":1,"pingTimeout":1}"#, "sid"),
            (r#"{"sid":"","pingInterval":1,"pingTimeout":1}"#, "sid"),
            (r#"{"sid":"a","pingTimeout":1}"#, "pingInterval"),
            (r#"{"sid":"a","pingInterval":0,"pingTimeout":1}"#, "pingInterval"),
            (r#"{"sid":"a","pingInterval":-5,"pingTimeout":1}"#, "pingInterval"),
            (r#"{"sid":"a","pingInterval":1,"pingTimeout":18446744073709551615}"#, "pingTimeout"),
            (r#"{"sid":"\ud800","pingInterval":1,"pingTimeout":1}"#, "sid"),
            (r#"{"\ud800":0,"sid":"a","pingInterval":1,"pingTimeout":1}"#, "no JSON: "),
        ] {
            let error = Handshake::parse(json).unwrap_err().to_string();
            assert!(error.contains(fault), "{json}: {error}");
        }
    }

    #[test]
    fn a_handshake_of_any_size_is_not_read() {
        let with_sid = |length: usize| {
            let sid = "x".repeat(length);
            Handshake::parse(&format!(r#"{{"sid":"{sid}","pingInterval":1,"pingTimeout":1}}"#))
        };
        assert_eq!(with_sid(MOST_SID).unwrap().sid.len(), MOST_SID);
        assert!(with_sid(MOST_SID + 1).unwrap_err().to_string().contains("a \"sid\" of more than 1024"));
        assert!(with_sid(MOST_BYTES).unwrap_err().to_string().contains("more than 65536"));
    }
}
