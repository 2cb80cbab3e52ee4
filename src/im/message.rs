//! Messages: `{type, from, to, content, fp, typeu, time}`.

use std::{
    collections::HashSet,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{value::RawValue, Map, Value};

use crate::json::{fault, fields};

const FINGERPRINT_LENGTH: usize = 30;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A recalled text, and a recalled message that was no text: they carry the fingerprint of what they recall.
const RECALLED: [i64; 2] = [10, 21];

/// Makes a message from `{type, from, to, content, typeu?, fp?, time?}`; the error names the field at fault.
pub fn create_message(json: &str) -> Result<String, String> {
    let message = object(json)?;
    match message.get("type").map(Value::as_i64) {
        Some(Some(kind)) if kind > 0 && !RECALLED.contains(&kind) => {}
        None => return Err("\"type\" is missing (1 text, 2 image, 3 voice)".into()),
        Some(_) => {
            return Err("\"type\" must be a number that a client may send: 1 text, 2 image, 3 voice".into())
        }
    }
    for field in ["from", "to", "content"] {
        match message.get(field) {
            None => return Err(format!("{field:?} is missing")),
            Some(Value::String(text)) if field == "content" || !text.is_empty() => {}
            Some(_) if field == "content" => return Err("\"content\" must be a string".into()),
            Some(_) => return Err(format!("{field:?} must be a string that is not empty")),
        }
    }
    let missing = missing_fields(&message)?;
    // What the caller wrote stays as it is, to the last digit of a number.
    let given = json.trim();
    match missing.is_empty() {
        true => Ok(given.to_owned()),
        false => Ok(format!("{{{},{}", missing.join(","), &given[1..])),
    }
}

/// Completes a message that is to be sent, and gives it with its fingerprint.
pub fn with_fingerprint(json: &str) -> Result<(String, String), String> {
    let message = create_message(json)?;
    let fingerprint = fingerprint_of(&message).ok_or("\"fp\" is missing")?;
    Ok((message, fingerprint))
}

fn object(json: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(json) {
        Ok(Value::Object(message)) => Ok(message),
        Ok(_) => Err("a message must be a JSON object".into()),
        Err(error) => Err(format!("the message is no JSON: {}", fault(&error))),
    }
}

/// The fields that a message lacks, as JSON; those that are there have to be right.
fn missing_fields(message: &Map<String, Value>) -> Result<Vec<String>, String> {
    let mut missing = Vec::new();
    match message.get("fp") {
        None => missing.push(format!("\"fp\":\"{}\"", random_fingerprint()?)),
        Some(Value::String(fp)) if !fp.is_empty() => {}
        Some(_) => return Err("\"fp\" must be a string that is not empty".into()),
    }
    match message.get("typeu").map(Value::as_i64) {
        None => missing.push("\"typeu\":1".into()),
        Some(Some(1 | 2)) => {}
        Some(_) => return Err("\"typeu\" must be 1 (one to one) or 2 (group)".into()),
    }
    match message.get("time").map(Value::as_u64) {
        None => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            missing.push(format!("\"time\":{}", now.as_millis()));
        }
        Some(Some(_)) => {}
        Some(None) => return Err("\"time\" must be milliseconds since 1970".into()),
    }
    Ok(missing)
}

/// The system's randomness, because a generator of our own would repeat itself in a forked child.
fn random_fingerprint() -> Result<String, String> {
    let mut text = String::with_capacity(FINGERPRINT_LENGTH);
    let mut bytes = [0; 2 * FINGERPRINT_LENGTH];
    while text.len() < FINGERPRINT_LENGTH {
        getrandom::fill(&mut bytes).map_err(|error| format!("the system has no randomness: {error}"))?;
        // 248 is the largest multiple of 62 in a byte: beyond it some characters would be likelier.
        let picked = bytes.iter().filter(|&&b| b < 248).map(|&b| char::from(ALPHABET[usize::from(b) % 62]));
        text.extend(picked.take(FINGERPRINT_LENGTH - text.len()));
    }
    Ok(text)
}

/// The fingerprint of a message or of anything that carries one.
pub fn fingerprint_of(json: &str) -> Option<String> {
    let [fingerprint] = fields(json, ["fp"])?;
    serde_json::from_str(fingerprint?).ok()
}

/// The id of a conversation's direction.
pub fn timeline_id(from: &str, to: &str) -> String {
    format!("{from}@{to}")
}

/// Takes the later copies out of a list of messages. Two are copies if their `fp` is equal and neither is a recall.
pub fn unique_messages(json: &str) -> Result<String, String> {
    let list: Vec<&RawValue> = serde_json::from_str(json)
        .map_err(|error| format!("the messages are no JSON list: {}", fault(&error)))?;
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(list.len());
    for raw in list {
        let message: Value = serde_json::from_str(raw.get()).unwrap_or_default();
        let recall = message["type"].as_i64().is_some_and(|kind| RECALLED.contains(&kind));
        let copy = match message["fp"].as_str() {
            Some(fp) if !recall => !seen.insert(fp.to_owned()),
            _ => false,
        };
        if !copy {
            kept.push(raw.get());
        }
    }
    Ok(format!("[{}]", kept.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_completed() {
        let json = create_message(r#"{"type":1,"from":"111","to":"222","content":"hi \"you\" 😀"}"#).unwrap();
        let message: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(message["content"], "hi \"you\" 😀");
        assert_eq!(message["typeu"], 1);
        assert!(message["time"].as_u64().unwrap() > 1_600_000_000_000);
        let fp = message["fp"].as_str().unwrap();
        assert!(fp.len() == 30 && fp.bytes().all(|b| b.is_ascii_alphanumeric()), "{fp}");
        assert_ne!(fingerprint_of(&create_message(&json.replace(fp, "own")).unwrap()).unwrap(), fp);
    }

    #[test]
    fn what_the_caller_gave_stays() {
        let json = create_message(
            r#"{"type":2,"from":"1","to":"g","content":"","typeu":2,"fp":"own","time":5,"x":[1]}"#,
        );
        let message: Value = serde_json::from_str(&json.unwrap()).unwrap();
        assert_eq!(
            (&message["fp"], &message["typeu"], &message["time"]),
            (&"own".into(), &2.into(), &5.into())
        );
        assert_eq!(message["x"][0], 1);
    }

    #[test]
    fn the_field_at_fault_is_named() {
        for (json, fault) in [
            ("", "no JSON"),
            ("[]", "JSON object"),
            (r#"{"from":"1","to":"2","content":"x"}"#, "\"type\" is missing"),
            (r#"{"type":10,"from":"1","to":"2","content":"x"}"#, "\"type\" must"),
            (r#"{"type":1,"to":"2","content":"x"}"#, "\"from\" is missing"),
            (r#"{"type":1,"from":1,"to":"2","content":"x"}"#, "\"from\" must"),
            (r#"{"type":1,"from":"1","to":"","content":"x"}"#, "\"to\" must"),
            (r#"{"type":1,"from":"1","to":"2","content":5}"#, "\"content\" must"),
            (r#"{"type":1,"from":"1","to":"2","content":"x","typeu":3}"#, "\"typeu\" must"),
            (r#"{"type":1,"from":"1","to":"2","content":"x","fp":""}"#, "\"fp\" must"),
            (r#"{"type":1,"from":"1","to":"2","content":"x","time":"now"}"#, "\"time\" must"),
        ] {
            let error = create_message(json).unwrap_err();
            assert!(error.contains(fault), "{json}: {error}");
        }
    }

    #[test]
    fn copies_are_found_by_fingerprint_and_recalls_are_none() {
        let list = r#"[{"fp":"a","type":1,"n":12345678901234567890123},{"fp":"a","type":1},{"fp":"a","type":10},{"fp":"a","type":21},{"fp":"b"},{"no":1},{"no":1}]"#;
        let unique = unique_messages(list).unwrap();
        assert_eq!(
            unique,
            r#"[{"fp":"a","type":1,"n":12345678901234567890123},{"fp":"a","type":10},{"fp":"a","type":21},{"fp":"b"},{"no":1},{"no":1}]"#
        );
        assert!(unique_messages("{}").is_err());
        assert_eq!(timeline_id("111", "222"), "111@222");
    }
}
