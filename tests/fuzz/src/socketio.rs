//! The Socket.IO codecs. A message is what stands between two separators of the input; one that begins with a zero byte is a
//! binary frame.

use im_client::internals::{engineio::Revision, Arguments, Decoded, Decoder, Kind, Parser};
use serde_json::Value;

const SEPARATOR: u8 = 0x1e;

/// Protocol 4: servers of Socket.IO 2.x.
pub fn v4(data: &[u8]) {
    connection(data, Revision::V3);
}

/// Protocol 5: servers of Socket.IO 3.x and 4.x.
pub fn v5(data: &[u8]) {
    connection(data, Revision::V4);
}

/// Packets of the msgpack parser, of either protocol.
pub fn msgpack(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let revision = [None, Some(Revision::V3), Some(Revision::V4)][usize::from(first % 3)];
    let mut decoder = Decoder::new(Parser::Msgpack);
    if let Ok(Some(packet)) = decoder.binary(data, revision) {
        whole(&packet);
        comes_back(&packet, Parser::Msgpack, revision);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(Some(packet)) = decoder.text(text, revision) {
            whole(&packet);
        }
    }
}

/// Until the first fault, behind which a connection reads nothing.
fn connection(data: &[u8], revision: Revision) {
    let mut decoder = Decoder::default();
    for message in data.split(|byte| *byte == SEPARATOR) {
        let decoded = match (message.split_first(), std::str::from_utf8(message)) {
            (Some((0, data)), _) => {
                decoder.binary(data, Some(revision)).map(|packet| packet.map(Decoded::into_owned))
            }
            (_, Ok(text)) => decoder.text(text, Some(revision)).map(|packet| packet.map(Decoded::into_owned)),
            _ => return,
        };
        match decoded {
            Ok(Some(packet)) => {
                whole(&packet);
                comes_back(&packet, Parser::Default, Some(revision));
            }
            Ok(None) => {}
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return;
            }
        }
    }
}

/// What a packet says of itself is so: the event in place is the one that a parser finds.
fn whole(packet: &Decoded<'_>) {
    let is_event = matches!(packet.kind, Kind::Event | Kind::BinaryEvent);
    if !is_event && !matches!(packet.kind, Kind::Ack | Kind::BinaryAck) {
        return;
    }
    let Ok(Value::Array(mut parsed)) = serde_json::from_str(&packet.data) else {
        // serde_json refuses what is nested too deep and numbers beyond a float; the scanner leaves both to the caller's parser.
        return;
    };
    if is_event {
        match parsed.remove(0) {
            Value::String(name) => assert_eq!(packet.name, name),
            // An integer is its digits, also where it is -0 or too large for serde_json.
            Value::Number(_) => {
                assert!(packet.name.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()))
            }
            name => panic!("{name} is no event's name"),
        }
    }
    let all = format!("[{}]", &packet.data[packet.extent.all.clone()]);
    assert_eq!(serde_json::from_str::<Value>(&all).ok(), Some(Value::Array(parsed.clone())));
    let first = packet.extent.first.clone().map(|first| &packet.data[first]);
    assert_eq!(first.and_then(|first| serde_json::from_str::<Value>(first).ok()).as_ref(), parsed.first());
    assert!(
        is_event
            == Arguments::of_event(&packet.data).is_some_and(|read| read.name == packet.name && is_event)
    );
}

/// An event that is sent as it was received is received as it was sent.
fn comes_back(packet: &Decoded<'_>, parser: Parser, revision: Option<Revision>) {
    if !matches!(packet.kind, Kind::Event | Kind::BinaryEvent) {
        return;
    }
    let arguments = &packet.data[packet.extent.all.clone()];
    let attachments = packet.attachments.clone();
    let Ok(sent) = parser.event(&packet.namespace, packet.id, &packet.name, arguments, attachments) else {
        return;
    };
    let mut decoder = Decoder::new(parser);
    let mut received = None;
    if !sent.frame.is_empty() {
        // Behind the Engine.IO packet type.
        received = decoder.text(&sent.frame[1..], revision).expect("our own packet").map(Decoded::into_owned);
    }
    for attachment in &sent.attachments {
        received = decoder.binary(attachment, revision).expect("our own attachment");
    }
    let received = received.expect("a whole packet");
    assert_eq!(
        (&received.name, received.id, &received.namespace),
        (&packet.name, packet.id, &packet.namespace)
    );
    assert_eq!(received.attachments, packet.attachments);
    if parser == Parser::Default {
        assert_eq!(&received.data[received.extent.all], arguments);
    }
}
