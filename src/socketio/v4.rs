//! What Socket.IO protocol 4 (2.x servers) does in its own way.

use serde_json::Value;

use super::packet::encode_connect;
use crate::secret::Secret;

/// May a CONNECT carry this? 2.5 takes an object or nothing.
pub fn connect_data_is_valid(data: &str) -> bool {
    data.is_empty() || matches!(serde_json::from_str(data), Ok(Value::Object(_) | Value::Array(_)))
}

/// May an event have this name? Protocol 4 reserves none on the wire.
pub fn event_name_is_valid(_name: &str) -> bool {
    true
}

/// The CONNECT of the official 2.x client: the query goes with it. The root namespace needs none.
pub fn connect_frame(namespace: &str, query: &str, auth: Option<&str>) -> Option<Secret> {
    (namespace != "/").then(|| encode_connect(namespace, Some(query), auth))
}

/// The socket id follows from the Engine.IO session's.
pub fn socket_id(namespace: &str, engine_sid: &str) -> String {
    match namespace {
        "/" => engine_sid.to_owned(),
        namespace => format!("{namespace}#{engine_sid}"),
    }
}
