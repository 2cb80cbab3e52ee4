//! Repairs the CONNECT packets of 2.x clients.
//!
//! A 2.x client writes its query into the namespace of its CONNECT packet: `40/chat?token=..&userId=..,`. Its own
//! generation of servers splits it off; socketioxide 0.18.9 looks for a namespace of that whole name and refuses
//! ("Invalid namespace"). So the query is taken out before socketioxide sees the packet. Nothing is lost by that: the
//! same query is in the handshake URL.

/// The packet without its query; None if there is nothing to take out.
fn without_query(packet: &str) -> Option<String> {
    let namespace = packet.strip_prefix("40/")?;
    let end = namespace.find(',').unwrap_or(namespace.len());
    let query = namespace[..end].find('?')?;
    Some(format!("40/{}{}", &namespace[..query], &namespace[end..]))
}

/// The body of a 2.x polling POST: `<length in UTF-16 units>:<packet>` repeated. Anything else is returned as it came.
pub fn repair_polling_body(body: &str) -> String {
    let mut repaired = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((length, packets)) = rest.split_once(':') {
        let Ok(length) = length.parse::<usize>() else {
            break;
        };
        let Some(end) = utf16_prefix(packets, length) else {
            break;
        };
        let (packet, next) = packets.split_at(end);
        match without_query(packet) {
            Some(packet) => {
                let length = packet.encode_utf16().count();
                repaired.push_str(&format!("{length}:{packet}"));
            }
            None => repaired.push_str(&rest[..rest.len() - next.len()]),
        }
        rest = next;
    }
    repaired + rest
}

/// The length in bytes of the first `units` UTF-16 units.
fn utf16_prefix(text: &str, units: usize) -> Option<usize> {
    let mut left = units;
    for (at, character) in text.char_indices() {
        if left == 0 {
            return Some(at);
        }
        left = left.checked_sub(character.len_utf16())?;
    }
    (left == 0).then_some(text.len())
}

/// A CONNECT packet is not longer than a URL; longer frames pass as they come.
const MAX_CONNECT: usize = 16 * 1024;
const TEXT_FRAME: u8 = 0x81;
const MASKED: u8 = 0x80;
const MASK_LENGTH: usize = 4;

/// Goes through the bytes a WebSocket client sends (RFC 6455, 5.2) and repairs CONNECT packets among its frames.
#[derive(Default)]
pub struct FrameRepair {
    /// The header, or the header and part of the payload, of a frame that is not complete yet.
    held: Vec<u8>,
    /// What remains of a frame that passes as it comes.
    passing: u64,
}

struct Header {
    length: usize,
    payload: u64,
}

impl FrameRepair {
    pub fn feed(&mut self, mut input: &[u8], output: &mut Vec<u8>) {
        while !input.is_empty() {
            if self.passing > 0 {
                let count = self.passing.min(input.len() as u64) as usize;
                output.extend_from_slice(&input[..count]);
                self.passing -= count as u64;
                input = &input[count..];
                continue;
            }
            self.held.push(input[0]);
            input = &input[1..];
            let Some(header) = header(&self.held) else {
                continue;
            };
            if self.held[0] != TEXT_FRAME || header.payload > MAX_CONNECT as u64 {
                output.append(&mut self.held);
                self.passing = header.payload;
            } else if self.held.len() as u64 == header.length as u64 + header.payload {
                output.extend(repair_frame(&self.held, header.length));
                self.held.clear();
            }
        }
    }
}

/// None while it is not complete. A frame without a mask (against the RFC) has no room for one.
fn header(bytes: &[u8]) -> Option<Header> {
    let second = *bytes.get(1)?;
    let mask = if second & MASKED == 0 { 0 } else { MASK_LENGTH };
    let (payload, extended) = match second & !MASKED {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 2),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 8),
        short => (u64::from(short), 0),
    };
    let length = 2 + extended + mask;
    (bytes.len() >= length).then_some(Header { length, payload })
}

fn repair_frame(frame: &[u8], header: usize) -> Vec<u8> {
    if frame[1] & MASKED == 0 {
        return frame.to_vec();
    }
    let (head, payload) = frame.split_at(header);
    let mask = &head[header - MASK_LENGTH..];
    let apply = |bytes: &[u8]| -> Vec<u8> {
        let masked = bytes.iter().zip(mask.iter().cycle());
        masked.map(|(byte, key)| byte ^ key).collect()
    };
    let repaired = String::from_utf8(apply(payload)).ok();
    let Some(packet) = repaired.and_then(|packet| without_query(&packet)) else {
        return frame.to_vec();
    };
    let mut output = vec![TEXT_FRAME];
    match packet.len() {
        short @ 0..=125 => output.push(MASKED | short as u8),
        long => {
            output.push(MASKED | 126);
            output.extend((long as u16).to_be_bytes());
        }
    }
    output.extend_from_slice(mask);
    output.extend(apply(packet.as_bytes()));
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut frame = vec![TEXT_FRAME];
        if text.len() < 126 {
            frame.push(MASKED | text.len() as u8);
        } else {
            frame.push(MASKED | 126);
            frame.extend((text.len() as u16).to_be_bytes());
        }
        frame.extend(mask);
        frame.extend(text.bytes().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
        frame
    }

    #[test]
    fn query_is_taken_out_of_connect_only() {
        assert_eq!(without_query("40/chat?a=b,").as_deref(), Some("40/chat,"));
        assert_eq!(without_query("40/chat?a=b").as_deref(), Some("40/chat"));
        assert_eq!(without_query("40/chat,"), None);
        assert_eq!(without_query("40/chat,{\"a\":\"?\"}"), None);
        assert_eq!(without_query("42/chat,[\"?\"]"), None);
        assert_eq!(without_query("2probe"), None);
    }

    #[test]
    fn polling_bodies() {
        assert_eq!(repair_polling_body("12:40/chat?a=b,10:42[\"€😀\"]1:2"), "8:40/chat,10:42[\"€😀\"]1:2");
        for odd in ["", "x", "5:2", "99:40/chat?a=b,", "-1:2", "1:😀"] {
            assert_eq!(repair_polling_body(odd), odd);
        }
    }

    #[test]
    fn frames_in_pieces_of_any_size() {
        let long_query = format!("40/chat?{},", "x".repeat(500));
        let long_event = format!("42/chat,[\"{}\"]", "y".repeat(70_000));
        let long_event = {
            let mut frame = vec![TEXT_FRAME, MASKED | 127];
            frame.extend((long_event.len() as u64).to_be_bytes());
            frame.extend([0; 4]);
            frame.extend(long_event.bytes());
            frame
        };
        let ping = vec![0x89, MASKED, 9, 9, 9, 9];
        let input =
            [frame("40/sso?d=1,"), ping.clone(), frame(&long_query), long_event.clone(), frame("2")].concat();
        let expected = [frame("40/sso,"), ping, frame("40/chat,"), long_event, frame("2")].concat();
        for size in [1, 2, 3, 7, 1000, input.len()] {
            let (mut repair, mut output) = (FrameRepair::default(), Vec::new());
            for piece in input.chunks(size) {
                repair.feed(piece, &mut output);
            }
            assert!(output == expected, "in pieces of {size}");
        }
    }
}
