//! What Socket.IO protocol 5 (3.x and 4.x servers) does in its own way.

use serde_json::Value;

use super::{packet::encode_connect, Recovery, RESERVED_EVENTS};
use crate::secret::Secret;

/// May a CONNECT carry this? An object or nothing.
pub fn connect_data_is_valid(data: &str) -> bool {
    data.is_empty() || matches!(serde_json::from_str(data), Ok(Value::Object(_)))
}

/// May an event have this name?
pub fn event_name_is_valid(name: &str) -> bool {
    !RESERVED_EVENTS.contains(&name)
}

/// The CONNECT of protocol 5, also for the root namespace; 2.5 takes this form too.
pub fn connect_frame(namespace: &str, auth: Option<&str>) -> Secret {
    encode_connect(namespace, None, auth)
}

/// What the server's CONNECT says: the socket id, and the private id for connection state recovery.
pub fn connect_answer(data: &str) -> Option<(String, Option<String>)> {
    let value: Value = serde_json::from_str(data).ok()?;
    let sid = value["sid"].as_str()?.to_owned();
    Some((sid, value["pid"].as_str().map(Into::into)))
}

/// A CONNECT answer with a sid is of this protocol.
pub fn answer_has_sid(data: &str) -> bool {
    connect_answer(data).is_some()
}

/// The data of a CONNECT: the caller's auth, and before it what asks the server to continue a session.
pub fn connect_data(auth: Option<&str>, recovery: Option<&Recovery>) -> Option<Secret> {
    let Some(Recovery { pid, offset }) = recovery else { return auth.map(Into::into) };
    let mut data = Secret::of(&["{\"pid\":", &Secret::json(&Value::from(pid.as_str()))]);
    if let Some(offset) = offset {
        data.push(&format!(",\"offset\":{}", Value::from(offset.as_str())));
    }
    // The caller's own members stand behind, and so win over these, as with the official client.
    let rest = auth.map_or("", |auth| auth.trim().trim_start_matches('{').trim_start());
    if !rest.is_empty() && !rest.starts_with('}') {
        data.push(",");
    }
    data.push(if rest.is_empty() { "}" } else { rest });
    Some(data)
}

/// The last element of an array, where it is a string without escapes: offsets are.
pub fn last_string(array: &str) -> Option<&str> {
    let inner = array.trim_end().strip_suffix(']')?.trim_end().strip_suffix('"')?;
    let (before, text) = inner.rsplit_once('"')?;
    (!before.ends_with('\\') && !text.contains('\\')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_continued_beside_the_callers_auth() {
        let recovery = Recovery { pid: "p".into(), offset: Some("o".into()) };
        for (auth, data) in [
            (None, r#"{"pid":"p","offset":"o"}"#),
            (Some("{}"), r#"{"pid":"p","offset":"o"}"#),
            (Some(r#"{"t":1}"#), r#"{"pid":"p","offset":"o","t":1}"#),
        ] {
            assert_eq!(connect_data(auth, Some(&recovery)).as_deref(), Some(data));
            assert_eq!(connect_data(auth, None).as_deref(), auth);
        }
        let fresh = Recovery { offset: None, ..recovery };
        assert_eq!(connect_data(None, Some(&fresh)).as_deref(), Some(r#"{"pid":"p"}"#));
    }

    #[test]
    fn the_last_string_of_an_array_is_found() {
        for (array, last) in [
            (r#"["a","b"]"#, Some("b")),
            (r#"["a",1,"b" ] "#, Some("b")),
            (r#"["a",{"x":"b"}]"#, None),
            (r#"["a",1]"#, None),
            (r#"["a","\""]"#, None),
            ("[]", None),
        ] {
            assert_eq!(last_string(array), last, "{array}");
        }
    }
}
