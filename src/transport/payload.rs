//! Bodies of long-polling, in the form that the server speaks.

use std::collections::VecDeque;

use hyper::body::Bytes;

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

    pub fn decode(self, answer: &Answer) -> Result<Vec<Frame>, String> {
        let what = |error: &dyn std::fmt::Display| format!("the server sent {error}");
        if answer.binary {
            let packets = v3::decode_binary_payload(&answer.body).map_err(|error| what(&error))?;
            return Ok(packets.into_iter().map(frame).collect());
        }
        let text = std::str::from_utf8(&answer.body)
            .map_err(|_| "the server sent a long-polling payload that is not UTF-8".to_owned())?;
        let packets = match self {
            Codec::Lengths => v3::decode_payload(text).map_err(|error| what(&error))?,
            Codec::Separators => v4::decode_payload(text).map_err(|error| what(&error))?,
        };
        Ok(packets.into_iter().map(frame).collect())
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
    fn a_body_stays_within_the_servers_limit() {
        let packets: VecDeque<_> = (0..4).map(|_| engineio::Frame::Text("x".repeat(92))).collect();
        for (limit, taken) in [(None, 4), (Some(250), 2), (Some(100), 1), (Some(10), 1)] {
            let (body, count) = Codec::Separators.encode(&packets, limit);
            assert_eq!(count, taken, "{limit:?}");
            assert!(limit.is_none_or(|limit| body.len() <= limit || taken == 1));
        }
    }
}
