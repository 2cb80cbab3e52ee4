//! The Engine.IO codecs: what was decoded says the same when it is encoded and decoded again.

use im_client::internals::engineio::{decode, v3, v4, Frame, Handshake, Packet};

pub fn v3(data: &[u8]) {
    if let Ok(frames) = v3::decode_binary_payload(data) {
        assert!(size(&frames) <= data.len(), "more came out of a payload than went in");
    }
    if let Some(inner) = v3::decode_binary(data) {
        assert_eq!(v3::encode_binary(inner), data);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    packet(text);
    if let Ok(frames) = v3::decode_payload(text) {
        let again = v3::decode_payload(&v3::encode_payload(&frames));
        assert_eq!(again.as_deref(), Ok(&frames[..]));
    }
}

pub fn v4(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    packet(text);
    if let Ok(frames) = v4::decode_payload(text) {
        let again = v4::decode_payload(&v4::encode_payload(&frames));
        assert_eq!(again.as_deref(), Ok(&frames[..]));
    }
}

/// A text frame, and the handshake that it may be.
fn packet(text: &str) {
    if let Ok(Packet::Open(json)) = decode(text) {
        if let Ok(handshake) = Handshake::parse(json) {
            assert!(!handshake.sid.is_empty());
            assert!(!handshake.ping_interval.is_zero() && !handshake.ping_timeout.is_zero());
        }
    }
}

fn size(frames: &[Frame]) -> usize {
    let len = |frame: &Frame| match frame {
        Frame::Text(text) => text.len(),
        Frame::Binary(data) => data.len(),
    };
    frames.iter().map(len).sum()
}
