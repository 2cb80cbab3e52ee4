//! Packets read, checked, and put together with their binary attachments.

use std::{borrow::Cow, fmt};

use serde_json::Value;

use super::{
    msgpack::{self, Malformed},
    placeholders, v4, v5, Arguments, Extent, Kind, Packet, Parser, MAX_ATTACHMENTS,
};
use crate::engineio::Revision;

/// The longest data of a CONNECT or an ERROR that is read: it takes a multiple of its size.
const MOST_CONTROL: usize = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    Empty,
    UnknownType,
    Attachments,
    AckId,
    /// The data does not fit the packet type.
    Data(Kind),
    /// More data than such a packet may have.
    DataTooLong(Kind),
    /// A placeholder that stands for no attachment of its packet.
    Placeholder,
    /// A text packet came while attachments were due.
    AttachmentMissing,
    /// An attachment came that no packet announced.
    AttachmentUnannounced,
    /// With the msgpack parser.
    Msgpack(Malformed),
    /// A packet as the msgpack parser for Socket.IO 2.x writes it, but the parser is the default one.
    OtherParser,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Empty => write!(f, "an empty Socket.IO packet"),
            DecodeError::UnknownType => write!(f, "an unknown Socket.IO packet type"),
            DecodeError::Attachments => {
                write!(f, "a number of attachments that is none, or not 1 to {MAX_ATTACHMENTS}")
            }
            DecodeError::AckId => write!(f, "an acknowledgement id of more than 64 bits"),
            DecodeError::Data(kind) => {
                write!(f, "a Socket.IO {kind:?} packet with data that is no valid JSON for it")
            }
            DecodeError::DataTooLong(kind) => {
                write!(f, "a Socket.IO {kind:?} packet with more than {MOST_CONTROL} bytes of data")
            }
            DecodeError::Placeholder => {
                write!(f, "a Socket.IO packet with a placeholder that stands for no attachment")
            }
            DecodeError::AttachmentMissing => write!(f, "a Socket.IO packet whose attachments did not come"),
            DecodeError::AttachmentUnannounced => write!(f, "a binary attachment that no packet announced"),
            DecodeError::OtherParser => write!(
                f,
                "a packet of the msgpack parser; for such a server the option \"parser\" has to be \"msgpack\""
            ),
            DecodeError::Msgpack(malformed) => write!(f, "a packet for the msgpack parser with {malformed}"),
        }
    }
}

/// One whole packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    pub kind: Kind,
    pub namespace: Cow<'a, str>,
    pub id: Option<u64>,
    pub data: Cow<'a, str>,
    /// Of an event; empty otherwise.
    pub name: Cow<'a, str>,
    pub extent: Extent,
    pub attachments: Vec<Vec<u8>>,
}

impl Decoded<'_> {
    pub fn into_owned(self) -> Decoded<'static> {
        Decoded {
            kind: self.kind,
            namespace: Cow::Owned(self.namespace.into_owned()),
            id: self.id,
            data: Cow::Owned(self.data.into_owned()),
            name: Cow::Owned(self.name.into_owned()),
            extent: self.extent,
            attachments: self.attachments,
        }
    }
}

/// Takes the texts and binaries of Socket.IO packets, gives whole packets.
#[derive(Debug, Default)]
pub struct Decoder {
    parser: Parser,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    packet: Decoded<'static>,
    missing: usize,
}

impl Decoder {
    pub fn new(parser: Parser) -> Self {
        Decoder { parser, waiting: None }
    }

    /// Forgets a half received packet.
    #[cfg(test)]
    pub fn reset(&mut self) {
        self.waiting = None;
    }

    /// Takes the text of a packet; gives the packet unless its attachments are still to come. While the revision is not
    /// known, what either protocol allows is taken.
    pub fn text<'a>(
        &mut self,
        text: &'a str,
        revision: Option<Revision>,
    ) -> Result<Option<Decoded<'a>>, DecodeError> {
        if self.parser == Parser::Msgpack {
            return msgpack::decode_text(text, revision).map(Some);
        }
        if text.starts_with('{') {
            return Err(DecodeError::OtherParser);
        }
        if self.waiting.is_some() {
            return Err(DecodeError::AttachmentMissing);
        }
        let packet = Packet::split(text)?;
        if packet.attachments > MAX_ATTACHMENTS {
            return Err(DecodeError::Attachments);
        }
        let missing = packet.attachments;
        let decoded = check(packet, revision)?;
        let in_range = |num: &Option<usize>| num.is_some_and(|num| num < missing);
        if missing > 0 && !placeholders(&decoded.data).iter().all(in_range) {
            return Err(DecodeError::Placeholder);
        }
        if missing == 0 {
            return Ok(Some(decoded));
        }
        self.waiting = Some(Waiting { packet: decoded.into_owned(), missing });
        Ok(None)
    }

    /// Takes the next attachment; gives the packet with the last one. With the msgpack parser it takes a whole packet.
    pub fn binary(
        &mut self,
        data: &[u8],
        revision: Option<Revision>,
    ) -> Result<Option<Decoded<'static>>, DecodeError> {
        if self.parser == Parser::Msgpack {
            return msgpack::decode(data, revision).map(Some);
        }
        let waiting = self.waiting.as_mut().ok_or(DecodeError::AttachmentUnannounced)?;
        waiting.packet.attachments.push(data.to_vec());
        waiting.missing -= 1;
        if waiting.missing > 0 {
            return Ok(None);
        }
        Ok(self.waiting.take().map(|waiting| waiting.packet))
    }
}

/// Checks the data against the packet type and finds the arguments.
fn check(packet: Packet<'_>, revision: Option<Revision>) -> Result<Decoded<'_>, DecodeError> {
    let Arguments { name, extent } = arguments_of(packet.kind, packet.data, revision)?;
    Ok(Decoded {
        kind: packet.kind,
        namespace: Cow::Borrowed(packet.namespace),
        id: packet.id,
        data: Cow::Borrowed(packet.data),
        name,
        extent,
        attachments: Vec::new(),
    })
}

/// The arguments of a packet's data, which has to fit the packet type.
pub(super) fn arguments_of(
    kind: Kind,
    data: &str,
    revision: Option<Revision>,
) -> Result<Arguments<'_>, DecodeError> {
    let wrong = || DecodeError::Data(kind);
    if matches!(kind, Kind::Connect | Kind::Error) && data.len() > MOST_CONTROL {
        return Err(DecodeError::DataTooLong(kind));
    }
    let arguments = match kind {
        Kind::Event | Kind::BinaryEvent => {
            let read = Arguments::of_event(data).ok_or_else(wrong)?;
            event_name_is_valid(&read.name, revision).then_some(read)
        }
        Kind::Ack | Kind::BinaryAck => Arguments::of_ack(data),
        Kind::Connect => connect_data_is_valid(data, revision).then(nothing),
        Kind::Disconnect => data.is_empty().then(nothing),
        Kind::Error => error_data_is_valid(data).then(nothing),
    };
    arguments.ok_or_else(wrong)
}

fn nothing() -> Arguments<'static> {
    Arguments { name: Cow::Borrowed(""), extent: Extent::default() }
}

fn event_name_is_valid(name: &str, revision: Option<Revision>) -> bool {
    match revision {
        Some(Revision::V4) => v5::event_name_is_valid(name),
        _ => v4::event_name_is_valid(name),
    }
}

fn connect_data_is_valid(data: &str, revision: Option<Revision>) -> bool {
    match revision {
        Some(Revision::V4) => v5::connect_data_is_valid(data),
        _ => v4::connect_data_is_valid(data),
    }
}

/// A refusal is a text or an object, in both protocols.
fn error_data_is_valid(data: &str) -> bool {
    matches!(serde_json::from_str(data), Ok(Value::String(_) | Value::Object(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Option<Revision>; 3] = [Some(Revision::V3), Some(Revision::V4), None];

    fn rejects(text: &str, revision: Option<Revision>) -> bool {
        Decoder::default().text(text, revision).is_err()
    }

    #[test]
    fn the_data_of_a_connect_or_an_error_has_a_bound() {
        // With its quotes.
        let text = |head: &str, length: usize| format!("{head}\"{}\"", "x".repeat(length - 2));
        assert!(!rejects(&text("4", MOST_CONTROL), Some(Revision::V3)));
        assert!(rejects(&text("4", MOST_CONTROL + 1), Some(Revision::V3)));
        let connect = |length: usize| {
            let empty = "0{\"sid\":\"a\",\"x\":\"\"}";
            empty.replace("\"x\":\"", &format!("\"x\":\"{}", "x".repeat(length + 1 - empty.len())))
        };
        assert!(!rejects(&connect(MOST_CONTROL), Some(Revision::V4)));
        assert!(rejects(&connect(MOST_CONTROL + 1), Some(Revision::V4)));
    }

    #[test]
    fn what_a_decoder_must_reject() {
        for text in [
            "5",
            "51",
            "5a-",
            "51.23-",
            "50-",
            "442[\"some\",\"data\"",
            "0/admin,\"invalid\"",
            "1/admin,{}",
            "2/admin,{}",
            "2[true,\"foo\"]",
            "2[null,\"bar\"]",
            "2[{\"toString\":\"foo\"}]",
            "999",
            "2",
            "3",
            "4",
            "",
            "511-[\"eleven attachments\"]",
        ] {
            for revision in BOTH {
                assert!(rejects(text, revision), "{text:?} {revision:?}");
            }
        }
        for text in ["0[]", "2[\"connect\"]", "2[\"disconnect\",\"123\"]"] {
            assert!(rejects(text, Some(Revision::V4)), "{text:?} in protocol 5");
            assert!(!rejects(text, Some(Revision::V3)), "{text:?} in protocol 4");
        }
    }

    #[test]
    fn a_rejected_packet_does_not_get_the_decoder_stuck() {
        let mut decoder = Decoder::default();
        assert!(decoder.text("999", None).is_err());
        assert_eq!(decoder.text("2[12,1]", None).unwrap().unwrap().name, "12");
    }

    #[test]
    fn attachments_are_put_together() {
        let mut decoder = Decoder::default();
        let text = r#"52-/chat,7["pic",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
        assert_eq!(decoder.text(text, None), Ok(None));
        assert_eq!(decoder.binary(&[1], None), Ok(None));
        let packet = decoder.binary(&[2], None).unwrap().unwrap();
        assert_eq!(packet.attachments, [vec![1], vec![2]]);
        assert_eq!((&*packet.namespace, packet.id, &*packet.name), ("/chat", Some(7), "pic"));
    }

    #[test]
    fn the_decoder_works_again_after_a_reset_in_the_middle_of_a_binary_packet() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.text(r#"51-["a",{"_placeholder":true,"num":0}]"#, None), Ok(None));
        assert_eq!(decoder.text("2[\"b\"]", None), Err(DecodeError::AttachmentMissing));
        decoder.reset();
        assert_eq!(decoder.text("2[\"b\"]", None).unwrap().unwrap().name, "b");
        assert_eq!(decoder.binary(&[1], None), Err(DecodeError::AttachmentUnannounced));
    }

    #[test]
    fn refusals_of_both_forms_are_taken() {
        for data in ["\"text\"", r#"{"message":"no","data":{"code":1}}"#] {
            let text = format!("4/chat,{data}");
            for revision in BOTH {
                let packet = Decoder::default().text(&text, revision).unwrap().unwrap();
                assert_eq!((packet.kind, &*packet.data), (Kind::Error, data));
            }
        }
    }
}
