//! What revision 4 does in its own way: packets of a long-polling payload are joined with 0x1e, binary ones are
//! `b<base64>`, and a binary frame is the data alone.

use std::fmt;

use base64::{engine::general_purpose::STANDARD, Engine};

use super::Frame;

const SEPARATOR: char = '\u{1e}';

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadError {
    Empty,
    Base64,
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PayloadError::Empty => write!(f, "an empty packet in a long-polling payload"),
            PayloadError::Base64 => write!(f, "a binary packet of a long-polling payload is no base64"),
        }
    }
}

/// Writes the packets as the body of one request.
pub fn encode_payload<'a>(packets: impl IntoIterator<Item = &'a Frame>) -> String {
    let parts: Vec<String> = packets
        .into_iter()
        .map(|packet| match packet {
            Frame::Text(text) => text.clone(),
            Frame::Binary(data) => format!("b{}", STANDARD.encode(data)),
        })
        .collect();
    parts.join("\u{1e}")
}

/// Reads the first packet of a response; gives also how many bytes it takes with the separator behind it.
pub fn first_packet(body: &str) -> Result<(Frame, usize), PayloadError> {
    let (part, taken) = match body.find(SEPARATOR) {
        // Behind a separator there has to be another.
        Some(at) if at + 1 == body.len() => return Err(PayloadError::Empty),
        Some(at) => (&body[..at], at + 1),
        None => (body, body.len()),
    };
    let frame = match part.strip_prefix('b') {
        Some(data) => Frame::Binary(STANDARD.decode(data).map_err(|_| PayloadError::Base64)?),
        None if part.is_empty() => return Err(PayloadError::Empty),
        None => Frame::Text(part.into()),
    };
    Ok((frame, taken))
}

/// Reads the packets of one response.
pub fn decode_payload(body: &str) -> Result<Vec<Frame>, PayloadError> {
    super::all_packets(body, first_packet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_joined_with_the_record_separator() {
        let packets =
            [Frame::Text("42[\"€😀\"]".into()), Frame::Binary(vec![1, 2, 3, 4]), Frame::Text("2".into())];
        let body = encode_payload(&packets);
        assert_eq!(body, "42[\"€😀\"]\u{1e}bAQIDBA==\u{1e}2");
        assert_eq!(decode_payload(&body).unwrap(), packets);
    }

    #[test]
    fn what_is_no_payload_is_rejected() {
        assert_eq!(decode_payload(""), Err(PayloadError::Empty));
        assert_eq!(decode_payload("2\u{1e}"), Err(PayloadError::Empty));
        assert_eq!(decode_payload("b!"), Err(PayloadError::Base64));
    }
}
