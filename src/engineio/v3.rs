//! What revision 3 does in its own way: packets of a long-polling payload carry their length in UTF-16 units, binary ones
//! are `b4<base64>`, and a binary frame starts with the byte of the packet type.

use std::fmt;

use base64::{engine::general_purpose::STANDARD, Engine};

use super::Frame;

/// The packet type `message` in front of a binary frame.
const MESSAGE: u8 = 4;
/// A length of more digits than this is a lie: nobody sends gigabytes in one packet.
const MOST_DIGITS: usize = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadError {
    Empty,
    /// No `<digits>:` where a length has to stand.
    Length,
    /// Fewer characters follow than the length says.
    TooShort,
    Base64,
    /// A binary body (`00`/`01`, digits, `ff`) that does not follow its form.
    Binary,
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PayloadError::Empty => "an empty long-polling payload",
            PayloadError::Length => "a packet without a length in a long-polling payload",
            PayloadError::TooShort => "a long-polling payload is shorter than it says",
            PayloadError::Base64 => "a binary packet of a long-polling payload is no base64",
            PayloadError::Binary => "a binary long-polling payload does not follow its form",
        })
    }
}

/// A binary frame of the WebSocket: the packet type, then the data.
pub fn encode_binary(data: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(1 + data.len());
    frame.push(MESSAGE);
    frame.extend_from_slice(data);
    frame
}

/// The data of a binary frame; nothing if it is not of type message.
pub fn decode_binary(frame: &[u8]) -> Option<&[u8]> {
    frame.strip_prefix(&[MESSAGE])
}

fn utf16_units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Writes the packets as the body of one request, for a session that asked for `b64=1`.
pub fn encode_payload<'a>(packets: impl IntoIterator<Item = &'a Frame>) -> String {
    let mut body = String::new();
    for packet in packets {
        let text = match packet {
            Frame::Text(text) => text.clone(),
            Frame::Binary(data) => format!("b4{}", STANDARD.encode(data)),
        };
        body.push_str(&format!("{}:{text}", utf16_units(&text)));
    }
    body
}

/// Reads the first packet of a text response; gives also how many bytes it takes.
pub fn first_packet(body: &str) -> Result<(Frame, usize), PayloadError> {
    if body.is_empty() {
        return Err(PayloadError::Empty);
    }
    let (digits, tail) = body.split_once(':').ok_or(PayloadError::Length)?;
    let packet = take_units(tail, length(digits)?)?;
    Ok((text_packet(packet)?, digits.len() + 1 + packet.len()))
}

/// Reads the packets of one text response.
pub fn decode_payload(body: &str) -> Result<Vec<Frame>, PayloadError> {
    super::all_packets(body, first_packet)
}

fn length(digits: &str) -> Result<usize, PayloadError> {
    let plain =
        !digits.is_empty() && digits.len() <= MOST_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse() {
        Ok(units) if plain && units > 0 => Ok(units),
        _ => Err(PayloadError::Length),
    }
}

/// The part of `text` that is so many UTF-16 units long.
fn take_units(text: &str, units: usize) -> Result<&str, PayloadError> {
    let mut seen = 0;
    for (at, character) in text.char_indices() {
        if seen == units {
            return Ok(&text[..at]);
        }
        seen += character.len_utf16();
    }
    if seen == units {
        Ok(text)
    } else {
        Err(PayloadError::TooShort)
    }
}

fn text_packet(packet: &str) -> Result<Frame, PayloadError> {
    let Some(binary) = packet.strip_prefix('b') else {
        return match packet.as_bytes().first() {
            Some(b'0'..=b'6') => Ok(Frame::Text(packet.into())),
            _ => Err(PayloadError::Length),
        };
    };
    let data = binary.strip_prefix('4').ok_or(PayloadError::Binary)?;
    STANDARD.decode(data).map(Frame::Binary).map_err(|_| PayloadError::Base64)
}

/// Reads a binary body: `00` (text) or `01` (binary), the length's decimal digits as bytes, `ff`, the packet. A server sends
/// it only where `b64=1` was not asked for; a server that does so all the same is understood.
pub fn decode_binary_payload(body: &[u8]) -> Result<Vec<Frame>, PayloadError> {
    super::all_packets(body, first_binary_packet)
}

/// Reads the first packet of a binary body; gives also how many bytes it takes.
pub fn first_binary_packet(body: &[u8]) -> Result<(Frame, usize), PayloadError> {
    let (&kind, tail) = body.split_first().ok_or(PayloadError::Empty)?;
    let end = tail.iter().position(|&b| b == 0xff).ok_or(PayloadError::Length)?;
    let length = digits(&tail[..end])?;
    let packet = tail[end + 1..].get(..length).ok_or(PayloadError::TooShort)?;
    let frame = match kind {
        0 => Frame::Text(std::str::from_utf8(packet).map_err(|_| PayloadError::Binary)?.to_owned()),
        1 => Frame::Binary(decode_binary(packet).ok_or(PayloadError::Binary)?.to_vec()),
        _ => return Err(PayloadError::Binary),
    };
    Ok((frame, 1 + end + 1 + length))
}

fn digits(bytes: &[u8]) -> Result<usize, PayloadError> {
    if bytes.is_empty() || bytes.len() > MOST_DIGITS || bytes.iter().any(|&b| b > 9) {
        return Err(PayloadError::Length);
    }
    Ok(bytes.iter().fold(0, |sum, &digit| sum * 10 + usize::from(digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_outside_the_bmp_counts_two() {
        let packets = decode_payload("21:42/admin,[\"hi\",\"€😀\"]").unwrap();
        assert_eq!(packets, [Frame::Text("42/admin,[\"hi\",\"€😀\"]".into())]);
        assert_eq!(encode_payload(&packets), "21:42/admin,[\"hi\",\"€😀\"]");
    }

    #[test]
    fn a_handshake_answer_has_two_packets() {
        let body = "13:0{\"sid\":\"abc\"}2:40";
        assert!(decode_payload(body).is_err(), "the length is wrong by one");
        let packets = decode_payload("14:0{\"sid\":\"abc\"}2:40").unwrap();
        assert_eq!(packets[1], Frame::Text("40".into()));
    }

    #[test]
    fn binary_packets_are_base64() {
        let packets = [Frame::Binary(vec![1, 2, 3, 4]), Frame::Text("6".into())];
        assert_eq!(encode_payload(&packets), "10:b4AQIDBA==1:6");
        assert_eq!(decode_payload("10:b4AQIDBA==1:6").unwrap(), packets);
    }

    #[test]
    fn what_is_no_payload_is_rejected() {
        for body in [
            "",
            "1!",
            "))",
            "1:",
            "3:99:",
            "1:aa",
            "1:a2:b",
            "0:",
            "-1:2",
            "99999999999:2",
            "5:b3AAA",
            "3:b4*",
        ] {
            assert!(decode_payload(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn a_binary_frame_starts_with_its_type() {
        assert_eq!(encode_binary(&[9, 8]), [4, 9, 8]);
        assert_eq!(decode_binary(&[4, 9, 8]), Some(&[9, 8][..]));
        assert_eq!(decode_binary(&[2, 9]), None);
        assert_eq!(decode_binary(&[]), None);
    }

    #[test]
    fn a_binary_body_is_read() {
        let mut body = vec![0, 1, 1, 0xff];
        body.extend_from_slice(b"4\xe2\x82\xac1234567");
        body.extend_from_slice(&[1, 3, 0xff, 4, 7, 8]);
        let packets = decode_binary_payload(&body).unwrap();
        assert_eq!(packets, [Frame::Text("4€1234567".into()), Frame::Binary(vec![7, 8])]);
        for bad in [
            &[][..],
            &[0, 0xff],
            &[0, 1],
            &[0, 9, 0xff, 4],
            &[2, 1, 0xff, 4],
            &[1, 1, 0xff, 2],
            &[0, 1, 0xff, 0xfe],
        ] {
            assert!(decode_binary_payload(bad).is_err(), "{bad:?}");
        }
    }
}
