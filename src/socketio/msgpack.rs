//! Packets as the official `socket.io-msgpack-parser` writes them: a packet is **one** binary frame, a MessagePack map
//! `{type, nsp, data, id}`, and binary values stand where they belong instead of following as frames of their own.
//!
//! Version 3 of that parser (Socket.IO 3 and 4) writes every packet so. Version 2 (Socket.IO 2.x) writes CONNECT, DISCONNECT
//! and ERROR as the JSON text of the same map, and reads them in either form.
//!
//! To the floors above all packets look alike: the data is JSON text, a binary value an attachment with
//! `{"_placeholder":true,"num":n}` in its place.
//!
//! * `tokens`: MessagePack, one value or head at a time
//! * `to_json`, `from_json`: values as JSON text, and back
//!
//! No crate does the format: `rmp` looks for a maintainer by its own word, and what it would save are the heads of values,
//! a table that has been fixed since 2013.

use std::{borrow::Cow, fmt};

use serde_json::{json, Value};

use super::{decoder::arguments_of, DecodeError, Decoded, Kind};
use crate::engineio::Revision;

mod from_json;
mod to_json;
mod tokens;

use from_json::Writer;
use tokens::{Token, Tokens};

/// Arrays and maps may stand so deep in each other, on the way in and on the way out: the limit that serde_json sets itself.
pub const MOST_DEPTH: usize = 127;

/// The format itself sets no limit, and a binary value of two bytes costs some hundred here.
pub const MOST_ATTACHMENTS: usize = 1024;

/// Why bytes are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes end within a value.
    Truncated,
    /// So many bytes follow the packet.
    Trailing(usize),
    /// The byte `c1`, which MessagePack never uses.
    Reserved,
    /// A string that is no UTF-8.
    Text,
    /// A key that is no string.
    Key,
    Depth,
    Attachments,
    /// No map.
    Map,
    /// A member that is missing or of the wrong type.
    Member(&'static str),
    /// A text frame that is no packet in JSON, as the parser for Socket.IO 2.x writes some.
    Json,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Truncated => write!(f, "a value that is cut short"),
            Malformed::Trailing(bytes) => write!(f, "{bytes} bytes behind it"),
            Malformed::Reserved => write!(f, "the byte c1, which stands for nothing"),
            Malformed::Text => write!(f, "a string that is no UTF-8"),
            Malformed::Key => write!(f, "a key that is no string"),
            Malformed::Depth => write!(f, "arrays or maps more than {MOST_DEPTH} deep"),
            Malformed::Attachments => write!(f, "more than {MOST_ATTACHMENTS} binary values"),
            Malformed::Map => write!(f, "something else than a map"),
            Malformed::Member(name) => write!(f, "a {name:?} that is missing or of the wrong type"),
            Malformed::Json => write!(
                f,
                "text that is none of its packets; a server with the default parser needs the option \"parser\" \
                 to be \"default\""
            ),
        }
    }
}

impl From<Malformed> for DecodeError {
    fn from(malformed: Malformed) -> Self {
        DecodeError::Msgpack(malformed)
    }
}

/// Reads the packet of a binary frame.
pub fn decode(bytes: &[u8], revision: Option<Revision>) -> Result<Decoded<'static>, DecodeError> {
    let mut tokens = Tokens::new(bytes);
    let mut members = Members::default();
    let Token::Map(count) = tokens.next()? else { return Err(Malformed::Map.into()) };
    for _ in 0..count {
        let Token::Text(key) = tokens.next()? else { return Err(Malformed::Key.into()) };
        members.take(key, &mut tokens)?;
    }
    match tokens.left() {
        0 => members.packet(revision),
        bytes => Err(Malformed::Trailing(bytes).into()),
    }
}

/// Reads the packet of a text frame, as the parser for Socket.IO 2.x writes CONNECT, DISCONNECT and ERROR.
pub fn decode_text(text: &str, revision: Option<Revision>) -> Result<Decoded<'static>, DecodeError> {
    let Ok(Value::Object(mut map)) = serde_json::from_str(text) else { return Err(Malformed::Json.into()) };
    let members = Members {
        kind: map.get("type").and_then(Value::as_u64).map(i128::from),
        namespace: map.get("nsp").and_then(Value::as_str).map(Into::into),
        id: None,
        data: map.remove("data").map(|data| data.to_string()).unwrap_or_default(),
        attachments: Vec::new(),
    };
    members.packet(revision)
}

/// The members of a packet's map, as far as they were read.
#[derive(Default)]
struct Members {
    kind: Option<i128>,
    namespace: Option<String>,
    id: Option<u64>,
    /// JSON text, empty where there is none.
    data: String,
    attachments: Vec<Vec<u8>>,
}

impl Members {
    fn take(&mut self, key: &str, tokens: &mut Tokens<'_>) -> Result<(), Malformed> {
        match key {
            "type" => match tokens.next()? {
                Token::Integer(kind) => self.kind = Some(kind),
                _ => return Err(Malformed::Member("type")),
            },
            "nsp" => match tokens.next()? {
                Token::Text(namespace) => self.namespace = Some(namespace.to_owned()),
                _ => return Err(Malformed::Member("nsp")),
            },
            "id" => self.id = id(tokens.next()?)?,
            // JavaScript writes `undefined`, where there is no data, as a value.
            "data" if tokens.skip_nil() => {}
            "data" => (self.data, self.attachments) = to_json::value(tokens)?,
            // `options` and whatever else: nothing of ours.
            _ => drop(to_json::value(tokens)?),
        }
        Ok(())
    }

    fn packet(self, revision: Option<Revision>) -> Result<Decoded<'static>, DecodeError> {
        let kind = kind(self.kind.ok_or(Malformed::Member("type"))?)?;
        let namespace = self.namespace.ok_or(Malformed::Member("nsp"))?;
        let (name, extent) = {
            let arguments = arguments_of(kind, &self.data, revision)?;
            (arguments.name.into_owned(), arguments.extent)
        };
        Ok(Decoded {
            kind,
            namespace: Cow::Owned(namespace),
            id: self.id,
            data: Cow::Owned(self.data),
            name: Cow::Owned(name),
            extent,
            attachments: self.attachments,
        })
    }
}

fn id(token: Token<'_>) -> Result<Option<u64>, Malformed> {
    match token {
        Token::Nil => Ok(None),
        Token::Integer(id) => u64::try_from(id).map(Some).map_err(|_| Malformed::Member("id")),
        _ => Err(Malformed::Member("id")),
    }
}

fn kind(number: i128) -> Result<Kind, DecodeError> {
    Ok(match number {
        0 => Kind::Connect,
        1 => Kind::Disconnect,
        2 => Kind::Event,
        3 => Kind::Ack,
        4 => Kind::Error,
        // Socket.IO 2.x names binary packets so here too, though they look the same.
        5 => Kind::BinaryEvent,
        6 => Kind::BinaryAck,
        _ => return Err(DecodeError::UnknownType),
    })
}

const CONNECT: u8 = 0;
const DISCONNECT: u8 = 1;
const EVENT: u8 = 2;
const ACK: u8 = 3;

/// The frame of an EVENT. `name` is the event's name as a JSON string, `arguments` JSON values joined by commas, in which a
/// placeholder stands for an attachment. Fails where MessagePack can't say what the JSON says.
pub fn encode_event(
    namespace: &str,
    id: Option<u64>,
    name: &str,
    arguments: &str,
    attachments: &[Vec<u8>],
) -> Result<Vec<u8>, Unsayable> {
    let comma = if arguments.is_empty() { "" } else { "," };
    let name = Value::from(name);
    encode(EVENT, namespace, Some(&format!("[{name}{comma}{arguments}]")), id, attachments)
}

/// The frame of an ACK; `arguments` are JSON values joined by commas.
pub fn encode_ack(
    namespace: &str,
    id: u64,
    arguments: &str,
    attachments: &[Vec<u8>],
) -> Result<Vec<u8>, Unsayable> {
    encode(ACK, namespace, Some(&format!("[{arguments}]")), Some(id), attachments)
}

/// The binary frame of a CONNECT; `auth` is a JSON object.
pub fn encode_connect(namespace: &str, auth: Option<&str>) -> Result<Vec<u8>, Unsayable> {
    encode(CONNECT, namespace, auth, None, &[])
}

/// The frame of a CONNECT to Socket.IO 2.x, as its client sends it: the query goes with it. The parser there refuses one that
/// carries data, so an `auth` can't.
pub fn connect_text(namespace: &str, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    format!("4{}", json!({ "type": CONNECT, "nsp": format!("{namespace}{mark}{query}") }))
}

/// The frame of a DISCONNECT to Socket.IO 2.x.
pub fn disconnect_text(namespace: &str) -> String {
    format!("4{}", json!({ "type": DISCONNECT, "nsp": namespace }))
}

/// The binary frame of a DISCONNECT.
pub fn encode_disconnect(namespace: &str) -> Vec<u8> {
    // Without data nothing can fail.
    encode(DISCONNECT, namespace, None, None, &[]).unwrap_or_default()
}

/// JSON that MessagePack, or the limits here, can't say: what, and where in the array of event name and arguments.
#[derive(Debug)]
pub struct Unsayable(serde_json::Error);

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the msgpack parser can't send this: {}", self.0)
    }
}

fn encode(
    kind: u8,
    namespace: &str,
    data: Option<&str>,
    id: Option<u64>,
    attachments: &[Vec<u8>],
) -> Result<Vec<u8>, Unsayable> {
    let mut writer = Writer::new(attachments);
    writer.map(2 + usize::from(data.is_some()) + usize::from(id.is_some()));
    writer.text("type");
    writer.integer(kind.into());
    writer.text("nsp");
    writer.text(namespace);
    if let Some(data) = data {
        writer.text("data");
        writer.json(data).map_err(Unsayable)?;
    }
    if let Some(id) = id {
        writer.text("id");
        writer.integer(id.into());
    }
    Ok(writer.done())
}

#[cfg(test)]
#[path = "msgpack/tests.rs"]
mod tests;
