//! Bodies of long-polling, in the form that the server speaks.

use std::collections::VecDeque;

use hyper::body::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{http::Answer, Frame};
use crate::engineio::{self, v3, v4};

/// How the packets of a body are told apart. A server of revision 3 uses its form whatever the URL asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Revision 3: a length in front of each.
    Lengths,
    /// Revision 4: a separator between them.
    Separators,
}

impl Codec {
    /// Tells the form by the handshake's answer; the error says what came instead.
    pub fn of(answer: &Answer) -> Result<Self, String> {
        match answer.body.first() {
            _ if answer.binary => Ok(Codec::Lengths),
            // The open packet itself, rather than its length.
            Some(b'0') => Ok(Codec::Separators),
            Some(b'1'..=b'9') => Ok(Codec::Lengths),
            Some(_) => Err(format!(
                "the answer is no Engine.IO open packet{}; is another web server, or a login page, in between?",
                super::body_start(&answer.body)
            )),
            None => Err("the answer is empty instead of an Engine.IO open packet".into()),
        }
    }

    /// Begins to read an answer: gives its first packet, and the rest to be read on.
    pub fn read(self, answer: &Answer) -> Result<(Frame, Payload), String> {
        let body = answer.body.clone();
        let mut rest = match (answer.binary, self) {
            (true, _) => Payload { body: Body::Binary(body), at: 0 },
            (false, codec) => {
                let text = Utf8Bytes::try_from(body)
                    .map_err(|_| "the server sent a long-polling payload that is not UTF-8".to_owned())?;
                Payload { body: Body::Text(text, codec), at: 0 }
            }
        };
        let first = rest.read_one()?;
        Ok((first, rest))
    }

    /// One body of at most `limit` bytes, unless the first packet alone is larger; gives how many packets are in it.
    pub fn encode(self, packets: &VecDeque<engineio::Frame>, limit: Option<usize>) -> (Bytes, usize) {
        let mut bytes = 0;
        let fits = |packet: &&engineio::Frame| {
            bytes += size(packet);
            limit.is_none_or(|limit| bytes <= limit)
        };
        let taken = packets.iter().take_while(fits).count().max(1);
        let packets = packets.iter().take(taken);
        let body = match self {
            Codec::Lengths => v3::encode_payload(packets),
            Codec::Separators => v4::encode_payload(packets),
        };
        (body.into(), taken)
    }
}

/// The packets of an answer that are not read yet. They are read one by one: millions of empty ones that stand in one body
/// would take many times its memory, and all of the network thread's time.
#[derive(Default)]
pub struct Payload {
    body: Body,
    at: usize,
}

enum Body {
    Text(Utf8Bytes, Codec),
    Binary(Bytes),
}

impl Default for Body {
    fn default() -> Self {
        Body::Binary(Bytes::new())
    }
}

impl Payload {
    pub fn is_over(&self) -> bool {
        self.at
            == match &self.body {
                Body::Text(text, _) => text.len(),
                Body::Binary(bytes) => bytes.len(),
            }
    }

    /// The next packet.
    pub fn read_one(&mut self) -> Result<Frame, String> {
        let what = |error: &dyn std::fmt::Display| format!("the server sent {error}");
        let (packet, taken) = match &self.body {
            Body::Text(text, Codec::Lengths) => {
                v3::first_packet(&text[self.at..]).map_err(|error| what(&error))?
            }
            Body::Text(text, Codec::Separators) => {
                v4::first_packet(&text[self.at..]).map_err(|error| what(&error))?
            }
            Body::Binary(bytes) => {
                v3::first_binary_packet(&bytes[self.at..]).map_err(|error| what(&error))?
            }
        };
        self.at += taken;
        if self.is_over() {
            // Its memory goes back while the next answer is waited for.
            *self = Payload::default();
        }
        Ok(frame(packet))
    }
}

/// The most that a packet adds to a body: base64 with its mark, and a length or a separator.
pub fn size(packet: &engineio::Frame) -> usize {
    const LENGTH: usize = 8;
    LENGTH
        + match packet {
            engineio::Frame::Text(text) => text.len(),
            engineio::Frame::Binary(data) => data.len().div_ceil(3) * 4 + 2,
        }
}

fn frame(packet: engineio::Frame) -> Frame {
    match packet {
        engineio::Frame::Text(text) => Frame::Text(text.into()),
        engineio::Frame::Binary(data) => Frame::Data(data.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &'static str) -> Answer {
        Answer { body: Bytes::from_static(body.as_bytes()), binary: false }
    }

    #[test]
    fn the_form_is_told_by_the_first_answer() {
        assert_eq!(Codec::of(&answer("95:0{}")), Ok(Codec::Lengths));
        assert_eq!(Codec::of(&answer("0{}")), Ok(Codec::Separators));
        for (body, fault) in [("", "empty"), ("<html>Please log in", "<html>Please log in")] {
            let error = Codec::of(&answer(body)).unwrap_err();
            assert!(error.contains(fault), "{error}");
        }
    }

    #[test]
    fn the_packets_of_a_body_are_read_one_by_one() {
        for (codec, body) in [(Codec::Lengths, "1:62:421:1"), (Codec::Separators, "6\u{1e}42\u{1e}1")] {
            let (first, mut rest) = codec.read(&answer(body)).unwrap();
            let mut frames = vec![first];
            while !rest.is_over() {
                frames.push(rest.read_one().unwrap());
            }
            assert_eq!(frames, ["6", "42", "1"].map(|text| Frame::Text(text.into())));
        }
        // What came before the fault is read.
        let (_, mut rest) = Codec::Separators.read(&answer("6\u{1e}b!")).unwrap();
        assert!(!rest.is_over() && rest.read_one().unwrap_err().contains("base64"));
    }

    #[test]
    fn a_body_stays_within_the_servers_limit() {
        let packets: VecDeque<_> = (0..4).map(|_| engineio::Frame::Text("x".repeat(92))).collect();
        for (limit, taken) in [(None, 4), (Some(250), 2), (Some(100), 1), (Some(10), 1)] {
            let (body, count) = Codec::Separators.encode(&packets, limit);
            assert_eq!(count, taken, "{limit:?}");
            assert!(limit.is_none_or(|limit| body.len() <= limit || taken == 1));
        }
    }
}
