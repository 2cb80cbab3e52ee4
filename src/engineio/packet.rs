//! One Engine.IO packet: a digit for its type, then its data.

use std::fmt;

/// The text of a ping packet.
pub const PING: &str = "2";
/// The text of a pong packet.
pub const PONG: &str = "3";
/// Ends a session.
pub const CLOSE: &str = "1";
/// What a WebSocket that is to take over a long-polling session sends first, what the server answers, and what makes the change.
pub const PROBE: &str = "2probe";
pub const PROBED: &str = "3probe";
pub const UPGRADE: &str = "5";

/// A packet as it stands in a text frame; the data is borrowed from the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    Open(&'a str),
    Close,
    Ping(&'a str),
    Pong(&'a str),
    Message(&'a str),
    Upgrade,
    Noop,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PacketError {
    Empty,
    UnknownType(char),
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PacketError::Empty => write!(f, "an empty Engine.IO packet"),
            PacketError::UnknownType(found) => {
                write!(f, "{found:?} is no Engine.IO packet type (0 to 6)")
            }
        }
    }
}

/// Reads the packet of a text frame.
pub fn decode(text: &str) -> Result<Packet<'_>, PacketError> {
    let kind = text.chars().next().ok_or(PacketError::Empty)?;
    let data = &text[kind.len_utf8()..];
    Ok(match kind {
        '0' => Packet::Open(data),
        '1' => Packet::Close,
        '2' => Packet::Ping(data),
        '3' => Packet::Pong(data),
        '4' => Packet::Message(data),
        '5' => Packet::Upgrade,
        '6' => Packet::Noop,
        other => return Err(PacketError::UnknownType(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_type_is_read() {
        let all = [
            ("0{}", Packet::Open("{}")),
            ("1", Packet::Close),
            ("2probe", Packet::Ping("probe")),
            ("3probe", Packet::Pong("probe")),
            ("42[\"€😀\"]", Packet::Message("2[\"€😀\"]")),
            ("5", Packet::Upgrade),
            ("6", Packet::Noop),
        ];
        for (text, packet) in all {
            assert_eq!(decode(text), Ok(packet));
        }
    }

    #[test]
    fn what_is_sent_as_text_is_a_packet() {
        for (text, packet) in [
            (PING, Packet::Ping("")),
            (PONG, Packet::Pong("")),
            (CLOSE, Packet::Close),
            (PROBE, Packet::Ping("probe")),
            (PROBED, Packet::Pong("probe")),
            (UPGRADE, Packet::Upgrade),
        ] {
            assert_eq!(decode(text), Ok(packet));
        }
    }

    #[test]
    fn what_is_no_packet_is_named() {
        assert_eq!(decode(""), Err(PacketError::Empty));
        assert_eq!(decode("7"), Err(PacketError::UnknownType('7')));
        assert_eq!(decode("€"), Err(PacketError::UnknownType('€')));
    }
}
