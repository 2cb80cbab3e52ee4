//! The head of a packet: `type[attachments-][/namespace,][ack id][json]`.

use super::DecodeError;
use crate::secret::Secret;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    /// ERROR in protocol 4, CONNECT_ERROR in protocol 5.
    Error,
    BinaryEvent,
    BinaryAck,
}

/// A packet whose parts are borrowed from its text; the JSON is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub kind: Kind,
    pub attachments: usize,
    /// With its slash and without the query that 2.x puts behind it; `/` where none was written.
    pub namespace: &'a str,
    pub id: Option<u64>,
    /// The JSON text, empty where there is none.
    pub data: &'a str,
}

impl<'a> Packet<'a> {
    /// Splits a packet's text into its parts.
    pub fn split(text: &'a str) -> Result<Self, DecodeError> {
        let (kind, rest) = split_kind(text)?;
        let (attachments, rest) = match kind {
            Kind::BinaryEvent | Kind::BinaryAck => split_attachments(rest)?,
            _ => (0, rest),
        };
        let (namespace, rest) = split_namespace(rest);
        let (id, data) = split_id(rest)?;
        Ok(Packet { kind, attachments, namespace, id, data })
    }
}

fn split_kind(text: &str) -> Result<(Kind, &str), DecodeError> {
    let kind = match text.as_bytes().first() {
        None => return Err(DecodeError::Empty),
        Some(b'0') => Kind::Connect,
        Some(b'1') => Kind::Disconnect,
        Some(b'2') => Kind::Event,
        Some(b'3') => Kind::Ack,
        Some(b'4') => Kind::Error,
        Some(b'5') => Kind::BinaryEvent,
        Some(b'6') => Kind::BinaryAck,
        Some(_) => return Err(DecodeError::UnknownType),
    };
    Ok((kind, &text[1..]))
}

fn split_attachments(text: &str) -> Result<(usize, &str), DecodeError> {
    let (digits, rest) = text.split_once('-').ok_or(DecodeError::Attachments)?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse() {
        Ok(count) if plain && count > 0 => Ok((count, rest)),
        _ => Err(DecodeError::Attachments),
    }
}

fn split_namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return ("/", text);
    }
    let (namespace, rest) = text.split_once(',').unwrap_or((text, ""));
    (namespace.split('?').next().unwrap_or(namespace), rest)
}

fn split_id(text: &str) -> Result<(Option<u64>, &str), DecodeError> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return Ok((None, text));
    }
    // The ids of a server may fill 64 bits.
    let id = text[..end].parse().map_err(|_| DecodeError::AckId)?;
    Ok((Some(id), &text[end..]))
}

/// The Engine.IO packet type `message`: packets are written with it in front, so that they are frames without a copy.
const MESSAGE: char = '4';

/// Begins a frame, with room for just what follows: a string that is full becomes a frame without another allocation. It is
/// written in place, for a string that has just been written is costly to move.
fn head(frame: &mut String, kind: char, namespace: &str, id: Option<u64>, room: usize) {
    let namespace = if namespace == "/" { "" } else { namespace };
    let digits = id.map_or(0, |id| id.checked_ilog10().unwrap_or(0) as usize + 1);
    frame.reserve_exact(2 + namespace.len() + usize::from(!namespace.is_empty()) + digits + room);
    frame.push(MESSAGE);
    frame.push(kind);
    if !namespace.is_empty() {
        frame.push_str(namespace);
        frame.push(',');
    }
    if let Some(id) = id {
        frame.push_str(itoa::Buffer::new().format(id));
    }
}

/// The frame of an EVENT; `arguments` are JSON values joined by commas.
#[inline(always)]
pub fn encode_event(namespace: &str, id: Option<u64>, name: &str, arguments: &str) -> String {
    match is_written_as_it_is(name) {
        true => event(namespace, id, "\"", name, arguments),
        false => event_with_escapes(namespace, id, name, arguments),
    }
}

#[cold]
fn event_with_escapes(namespace: &str, id: Option<u64>, name: &str, arguments: &str) -> String {
    event(namespace, id, "", &serde_json::Value::from(name).to_string(), arguments)
}

/// Is this a JSON string between two quotes? Nearly every name is.
fn is_written_as_it_is(name: &str) -> bool {
    name.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\')
}

#[inline(always)]
fn event(namespace: &str, id: Option<u64>, quote: &str, name: &str, arguments: &str) -> String {
    let comma = usize::from(!arguments.is_empty());
    let room = 2 + 2 * quote.len() + name.len() + comma + arguments.len();
    let mut frame = String::new();
    head(&mut frame, '2', namespace, id, room);
    frame.push('[');
    frame.push_str(quote);
    frame.push_str(name);
    frame.push_str(quote);
    if !arguments.is_empty() {
        frame.push(',');
        frame.push_str(arguments);
    }
    frame.push(']');
    frame
}

/// The frame of an ACK; `arguments` are JSON values joined by commas.
pub fn encode_ack(namespace: &str, id: u64, arguments: &str) -> String {
    let mut frame = String::new();
    head(&mut frame, '3', namespace, Some(id), 2 + arguments.len());
    frame.push('[');
    frame.push_str(arguments);
    frame.push(']');
    frame
}

/// Makes an EVENT or ACK frame a binary one: so many attachments follow it.
pub fn announce_attachments(mut frame: String, attachments: usize) -> String {
    let kind = match frame.as_bytes().get(1) {
        Some(b'3') => '6',
        _ => '5',
    };
    frame.replace_range(1..2, &format!("{kind}{attachments}-"));
    frame
}

/// The frame of a CONNECT; `query` (protocol 4) goes behind the namespace, `auth` is a JSON object.
pub(super) fn encode_connect(namespace: &str, query: Option<&str>, auth: Option<&str>) -> Secret {
    let mut frame = Secret::of(&["40"]);
    let query = query.filter(|query| !query.is_empty());
    if namespace != "/" || query.is_some() {
        frame.push(namespace);
        if let Some(query) = query {
            frame.push("?");
            frame.push(query);
        }
        frame.push(",");
    }
    frame.push(auth.unwrap_or_default());
    frame
}

/// The frame of a DISCONNECT.
pub fn encode_disconnect(namespace: &str) -> String {
    let mut frame = String::new();
    head(&mut frame, '1', namespace, None, 0);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_split() {
        let packet = Packet::split("2/chat,18446744073709551615[\"a\"]").unwrap();
        assert_eq!(packet.namespace, "/chat");
        assert_eq!(packet.id, Some(u64::MAX));
        assert_eq!(packet.data, "[\"a\"]");
        let packet = Packet::split("0/chat?token=a%20b,").unwrap();
        assert_eq!((packet.namespace, packet.data), ("/chat", ""));
        let packet = Packet::split("1/chat").unwrap();
        assert_eq!((packet.kind, packet.namespace), (Kind::Disconnect, "/chat"));
        let packet = Packet::split("52-/b,7[\"x\"]").unwrap();
        assert_eq!((packet.attachments, packet.id), (2, Some(7)));
        assert_eq!(Packet::split("30[]").unwrap().id, Some(0), "0 is a real id");
    }

    #[test]
    fn a_head_that_is_none_is_rejected() {
        for text in
            ["", "5", "51", "5a-", "51.23-", "50-", "5-", "5+1-", "999", "x", "2184467440737095516160[\"a\"]"]
        {
            assert!(Packet::split(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn frames_are_written() {
        assert_eq!(encode_event("/", None, "hi", ""), "42[\"hi\"]");
        for (namespace, id, arguments) in
            [("/", None, "1"), ("/chat", Some(0), ""), ("/chat", Some(u64::MAX), "1,2")]
        {
            let frame = encode_event(namespace, id, "hi", arguments);
            assert_eq!(frame.capacity(), frame.len(), "{frame}");
        }
        assert_eq!(encode_event("/chat", Some(0), "to", "{},1"), "42/chat,0[\"to\",{},1]");
        assert_eq!(encode_ack("/chat", 12, "\"ok\""), "43/chat,12[\"ok\"]");
        assert_eq!(encode_ack("/", 0, ""), "430[]");
        let binary = |frame| announce_attachments(frame, 2);
        assert_eq!(binary(encode_event("/chat", Some(7), "a", "1")), "452-/chat,7[\"a\",1]");
        assert_eq!(binary(encode_ack("/", 0, "1")), "462-0[1]");
        assert_eq!(&*encode_connect("/", None, None), "40");
        assert_eq!(&*encode_connect("/", None, Some("{\"t\":1}")), "40{\"t\":1}");
        assert_eq!(&*encode_connect("/chat", None, None), "40/chat,");
        assert_eq!(&*encode_connect("/chat", Some("token=a%20b"), None), "40/chat?token=a%20b,");
        assert_eq!(encode_disconnect("/chat"), "41/chat,");
        assert_eq!(encode_disconnect("/"), "41");
    }
}
