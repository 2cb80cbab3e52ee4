//! What Socket.IO protocol 5 (3.x and 4.x servers) does in its own way.

use serde_json::Value;

use super::{packet::encode_connect, RESERVED_EVENTS};

/// May a CONNECT carry this? An object or nothing.
pub fn connect_data_is_valid(data: &str) -> bool {
    data.is_empty() || matches!(serde_json::from_str(data), Ok(Value::Object(_)))
}

/// May an event have this name?
pub fn event_name_is_valid(name: &str) -> bool {
    !RESERVED_EVENTS.contains(&name)
}

/// The CONNECT of protocol 5, also for the root namespace; 2.5 takes this form too.
pub fn connect_frame(namespace: &str, auth: Option<&str>) -> String {
    encode_connect(namespace, None, auth)
}

/// What the server's CONNECT says: the socket id, and the private id for connection state recovery.
pub fn connect_answer(data: &str) -> Option<(String, Option<String>)> {
    let value: Value = serde_json::from_str(data).ok()?;
    let sid = value["sid"].as_str()?.to_owned();
    Some((sid, value["pid"].as_str().map(Into::into)))
}
