//! The two ways in which packets are written: which one a server uses has to be known, nothing on the wire tells it.

use std::borrow::Cow;

use super::{
    msgpack::{self, Unsayable},
    packet::{announce_attachments, encode_ack, encode_disconnect, encode_event},
    v4, v5,
};
use crate::{engineio::Revision, secret::Secret};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parser {
    /// A packet is text, its attachments follow as binary frames.
    #[default]
    Default,
    /// A packet is one binary frame.
    Msgpack,
}

/// An event or acknowledgement as it goes out: a text frame, none where that is empty, and binary data right behind it, each
/// in a frame of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    pub frame: String,
    pub attachments: Vec<Vec<u8>>,
}

impl Encoded {
    #[inline(always)]
    fn text(frame: String, attachments: Vec<Vec<u8>>) -> Self {
        let frame = match attachments.len() {
            0 => frame,
            count => announce_attachments(frame, count),
        };
        Encoded { frame, attachments }
    }

    fn binary(data: Vec<u8>) -> Self {
        Encoded { frame: String::new(), attachments: vec![data] }
    }
}

impl From<String> for Encoded {
    fn from(frame: String) -> Self {
        Encoded { frame, attachments: Vec::new() }
    }
}

/// What a session itself sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// A text frame.
    Text(Cow<'static, str>),
    /// A text frame that identifies the caller: wiped when it is written.
    Secret(Secret),
    /// The data of a binary packet; its frame has the form of the revision and the transport.
    Data(Vec<u8>),
}

impl Transmit {
    pub fn text(&self) -> Option<&str> {
        match self {
            Transmit::Text(text) => Some(text),
            Transmit::Secret(text) => Some(text),
            Transmit::Data(_) => None,
        }
    }

    /// In bytes.
    pub fn len(&self) -> usize {
        match self {
            Transmit::Text(text) => text.len(),
            Transmit::Secret(text) => text.len(),
            Transmit::Data(data) => data.len(),
        }
    }
}

impl Parser {
    /// An EVENT; `arguments` are valid JSON values joined by commas, in which placeholders stand for the attachments.
    #[inline(always)]
    pub fn event(
        self,
        namespace: &str,
        id: Option<u64>,
        name: &str,
        arguments: &str,
        attachments: Vec<Vec<u8>>,
    ) -> Result<Encoded, Unsayable> {
        Ok(match self {
            Parser::Default => Encoded::text(encode_event(namespace, id, name, arguments), attachments),
            Parser::Msgpack => {
                Encoded::binary(msgpack::encode_event(namespace, id, name, arguments, &attachments)?)
            }
        })
    }

    /// An ACK; `arguments` as with an event.
    pub fn ack(
        self,
        namespace: &str,
        id: u64,
        arguments: &str,
        attachments: Vec<Vec<u8>>,
    ) -> Result<Encoded, Unsayable> {
        Ok(match self {
            Parser::Default => Encoded::text(encode_ack(namespace, id, arguments), attachments),
            Parser::Msgpack => Encoded::binary(msgpack::encode_ack(namespace, id, arguments, &attachments)?),
        })
    }

    /// The CONNECT, in the form that a server of unknown generation takes or takes no notice of. None where the server
    /// connects the namespace by itself.
    pub(super) fn connect(
        self,
        revision: Option<Revision>,
        namespace: &str,
        query: &str,
        auth: Option<&str>,
    ) -> Option<Transmit> {
        match (self, revision) {
            (Parser::Default, Some(Revision::V3)) => {
                v4::connect_frame(namespace, query, auth).map(Transmit::Secret)
            }
            (Parser::Default, _) => Some(Transmit::Secret(v5::connect_frame(namespace, auth))),
            (Parser::Msgpack, Some(Revision::V3)) => {
                (namespace != "/").then(|| Transmit::Secret(msgpack::connect_text(namespace, query).into()))
            }
            // The options were read under the same limits, so that their auth can be said.
            (Parser::Msgpack, _) => {
                Some(Transmit::Data(msgpack::encode_connect(namespace, auth).unwrap_or_default()))
            }
        }
    }

    /// The DISCONNECT of a namespace.
    pub fn disconnect(self, revision: Option<Revision>, namespace: &str) -> Transmit {
        match (self, revision) {
            (Parser::Default, _) => Transmit::Text(Cow::Owned(encode_disconnect(namespace))),
            (Parser::Msgpack, Some(Revision::V3)) => {
                Transmit::Text(Cow::Owned(msgpack::disconnect_text(namespace)))
            }
            (Parser::Msgpack, _) => Transmit::Data(msgpack::encode_disconnect(namespace)),
        }
    }
}
