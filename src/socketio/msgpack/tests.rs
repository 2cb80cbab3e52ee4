//! Against bytes of the official parsers, which tests/servers/record_msgpack.js records.

use serde_json::{json, Value};

use super::*;

const RECORDED: &str = include_str!("recorded.json");

struct Recorded {
    /// The parser's version and what the packet is.
    what: String,
    /// Only a server writes it so.
    theirs: bool,
    frame: Result<Vec<u8>, String>,
    revision: Option<Revision>,
    packet: Value,
    attachments: Vec<Vec<u8>>,
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn recorded() -> Vec<Recorded> {
    let all: Vec<Value> = serde_json::from_str(RECORDED).unwrap();
    assert!(all.len() > 30, "both parsers are recorded");
    let one = |packet: Value| {
        let parser = packet["parser"].as_str().unwrap();
        Recorded {
            what: format!("{parser}, {}", packet["what"].as_str().unwrap()),
            theirs: packet["theirs"].as_bool().unwrap(),
            frame: match packet["hex"].as_str() {
                Some(hex) => Ok(bytes(hex)),
                None => Err(packet["text"].as_str().unwrap().to_owned()),
            },
            revision: Some(if parser.starts_with('2') { Revision::V3 } else { Revision::V4 }),
            attachments: packet["attachments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hex| bytes(hex.as_str().unwrap()))
                .collect(),
            packet,
        }
    };
    all.into_iter().map(one).collect()
}

/// JSON as JavaScript reads it: every number a float.
fn as_javascript(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(list) => list.into_iter().map(as_javascript).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, as_javascript(value))).collect(),
        other => other,
    }
}

fn parsed(json: &str) -> Value {
    match json {
        "" => Value::Null,
        json => as_javascript(serde_json::from_str(json).unwrap()),
    }
}

#[test]
fn packets_of_the_official_parsers_are_read() {
    for Recorded { what, frame, revision, packet, attachments, .. } in recorded() {
        let read = match &frame {
            Ok(bytes) => decode(bytes, revision),
            Err(text) => decode_text(text, revision),
        };
        let read = read.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(kind(packet["type"].as_i64().unwrap().into()).unwrap(), read.kind, "{what}");
        assert_eq!(
            (&*read.namespace, read.id),
            (packet["nsp"].as_str().unwrap(), packet["id"].as_u64()),
            "{what}"
        );
        assert_eq!(parsed(&read.data), parsed(packet["json"].as_str().unwrap()), "{what}");
        assert_eq!(read.attachments, attachments, "{what}");
    }
}

#[test]
fn packets_are_written_byte_for_byte_as_the_official_parsers_do() {
    let mut written = 0;
    for Recorded { what, theirs, frame, packet, attachments, .. } in recorded() {
        let (Ok(bytes), false) = (frame, theirs) else { continue };
        let data = packet["json"].as_str().filter(|data| !data.is_empty());
        let number = u8::try_from(packet["type"].as_u64().unwrap()).unwrap();
        let own = encode(number, packet["nsp"].as_str().unwrap(), data, packet["id"].as_u64(), &attachments);
        assert_eq!(own.unwrap(), bytes, "{what}");
        written += 1;
    }
    assert!(written > 20);
}

#[test]
fn events_and_acknowledgements_have_their_parts() {
    let attachments = [vec![7]];
    let frame = encode_event("/chat", Some(3), "pic", r#"{"_placeholder":true,"num":0},2"#, &attachments);
    let packet = decode(&frame.unwrap(), None).unwrap();
    assert_eq!(
        (packet.kind, &*packet.namespace, packet.id, &*packet.name),
        (Kind::Event, "/chat", Some(3), "pic")
    );
    assert_eq!(&packet.data[packet.extent.all], r#"{"_placeholder":true,"num":0},2"#);
    assert_eq!(packet.attachments, attachments);
    let packet = decode(&encode_ack("/", u64::MAX, "1,\"two\"", &[]).unwrap(), None).unwrap();
    assert_eq!((packet.kind, packet.id), (Kind::Ack, Some(u64::MAX)));
    assert_eq!(&packet.data[packet.extent.first.unwrap()], "1");
    let packet = decode(&encode_event("/", None, "a", "", &[]).unwrap(), None).unwrap();
    assert_eq!((&*packet.data, packet.id, packet.extent.first), ("[\"a\"]", None, None));
    assert_eq!(decode(&encode_disconnect("/chat"), None).unwrap().kind, Kind::Disconnect);
    let packet = decode(&encode_connect("/chat", Some("{\"t\":1}")).unwrap(), None).unwrap();
    assert_eq!((packet.kind, &*packet.data), (Kind::Connect, "{\"t\":1}"));
}

/// Members in no order, an unknown one with a binary value, an id that is nil.
#[test]
fn unknown_members_are_passed_over() {
    let frame =
        bytes("85 a26964c0 a3666f6f92c4010981a178c0 a46461746192a161c40105 a36e7370a12f a47479706502");
    let packet = decode(&frame, None).unwrap();
    assert_eq!((&*packet.data, packet.id), (r#"["a",{"_placeholder":true,"num":0}]"#, None));
    assert_eq!(packet.attachments, [[5]]);
}

/// The data of an event with this one argument, as it is read.
fn read_argument(hex: &str) -> Result<(String, Vec<Vec<u8>>), DecodeError> {
    let mut frame = bytes("83 a47479706502 a36e7370a12f a46461746192a161");
    frame.extend(bytes(hex));
    let packet = decode(&frame, None)?;
    Ok((packet.data[packet.extent.all].to_owned(), packet.attachments))
}

#[test]
fn values_of_other_encoders_are_read() {
    for (hex, json) in [
        ("cfffffffffffffffff", "18446744073709551615"),
        ("d38000000000000000", "-9223372036854775808"),
        ("d0ff", "-1"),
        ("ca3fc00000", "1.5"),
        ("ca7fc00000", "null"),
        ("cb8000000000000000", "-0.0"),
        ("d6ff00000001", "\"1970-01-01T00:00:01.000Z\""),
        ("d7ff 00000004 00000001", "\"1970-01-01T00:00:01.000000001Z\""),
        ("c70cff 3b9ac9ff ffffffffffffffff", "\"1969-12-31T23:59:59.999999999Z\""),
        ("c70cff 00000000 7fffffffffffffff", "null"),
        ("d700 7fffffffffffffff", "null"),
        ("d90161", "\"a\""),
        ("dc000101", "[1]"),
        ("df00000001a16102", "{\"a\":2}"),
        ("d40000", "null"),
    ] {
        assert_eq!(read_argument(hex).unwrap(), (json.to_owned(), vec![]), "{hex}");
    }
    let extension = (r#"[5,{"_placeholder":true,"num":0}]"#.to_owned(), vec![vec![1, 2]]);
    for hex in ["d505 0102", "c70205 0102", "c8000205 0102", "c90000000205 0102"] {
        assert_eq!(read_argument(hex).unwrap(), extension, "{hex}");
    }
}

#[test]
fn what_is_no_packet_is_named() {
    let deep = "91".repeat(MOST_DEPTH) + "c0";
    let many = format!("dc{:04x}{}", MOST_ATTACHMENTS + 1, "c400".repeat(MOST_ATTACHMENTS + 1));
    for (hex, malformed) in [
        ("c1", Malformed::Reserved),
        ("a1ff", Malformed::Text),
        ("810102", Malformed::Key),
        ("81c0c0", Malformed::Key),
        ("c4", Malformed::Truncated),
        ("c402ff", Malformed::Truncated),
        ("ddffffffff", Malformed::Truncated),
        ("dfffffffff", Malformed::Truncated),
        ("dbffffffff61", Malformed::Truncated),
        ("c6ffffffff61", Malformed::Truncated),
        ("d4", Malformed::Truncated),
        ("01c0c0", Malformed::Trailing(2)),
        (&*deep, Malformed::Depth),
        (&*many, Malformed::Attachments),
    ] {
        assert_eq!(read_argument(hex), Err(DecodeError::Msgpack(malformed)), "{hex}");
    }
    assert!(read_argument(&("91".repeat(MOST_DEPTH - 1) + "c0")).is_ok(), "the array of all is one of them");
    for (hex, error) in [
        ("", Malformed::Truncated),
        ("90", Malformed::Map),
        ("04", Malformed::Map),
        ("810002", Malformed::Key),
        ("80", Malformed::Member("type")),
        ("81a474797065a130", Malformed::Member("type")),
        ("81a47479706501", Malformed::Member("nsp")),
        ("82a47479706501a36e737001", Malformed::Member("nsp")),
        ("83a47479706501a36e7370a12fa26964ff", Malformed::Member("id")),
        ("83a47479706501a36e7370a12fa26964cb3ff0000000000000", Malformed::Member("id")),
    ] {
        assert_eq!(decode(&bytes(hex), None), Err(DecodeError::Msgpack(error)), "{hex}");
    }
    assert_eq!(decode(&bytes("82a47479706509a36e7370a12f"), None), Err(DecodeError::UnknownType));
    for (hex, kind) in [
        ("82a47479706502a36e7370a12f", Kind::Event),
        ("83a47479706502a36e7370a12fa46461746191c0", Kind::Event),
        ("83a47479706503a36e7370a12fa46461746101", Kind::Ack),
        ("83a47479706501a36e7370a12fa46461746180", Kind::Disconnect),
        ("82a47479706504a36e7370a12f", Kind::Error),
    ] {
        assert_eq!(decode(&bytes(hex), None), Err(DecodeError::Data(kind)), "{hex}");
    }
    let reserved = encode_event("/", None, "connect", "", &[]).unwrap();
    assert_eq!(decode(&reserved, Some(Revision::V4)), Err(DecodeError::Data(Kind::Event)));
}

#[test]
fn a_text_that_is_no_packet_is_named() {
    for text in ["", "0", "0/chat,", "2[\"a\"]", "[]", "{"] {
        assert_eq!(decode_text(text, None), Err(DecodeError::Msgpack(Malformed::Json)), "{text:?}");
    }
    assert_eq!(decode_text("{\"type\":0}", None), Err(DecodeError::Msgpack(Malformed::Member("nsp"))));
    assert_eq!(decode_text("{\"nsp\":\"/\"}", None), Err(DecodeError::Msgpack(Malformed::Member("type"))));
}

/// How a JSON text goes out as the one argument of an event.
fn argument(json: &str, attachments: &[Vec<u8>]) -> String {
    let frame = encode_event("/", None, "a", json, attachments).unwrap();
    let head = bytes("83 a47479706502 a36e7370a12f a46461746192a161").len();
    frame[head..].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn numbers_are_what_javascript_would_make_of_them() {
    for (json, hex) in [
        ("9007199254740992", "cf0020000000000000"),
        ("9007199254740993", "cb4340000000000000"),
        ("18446744073709551615", "cb43f0000000000000"),
        ("-9007199254740992", "d3ffe0000000000000"),
        ("-9007199254740993", "cbc340000000000000"),
        ("1.0", "01"),
        ("1e3", "cd03e8"),
        ("-128.0", "d080"),
        ("1e300", "cb7e37e43c8800759c"),
        ("-0", "cb8000000000000000"),
        ("0.5", "cb3fe0000000000000"),
    ] {
        assert_eq!(argument(json, &[]), hex, "{json}");
    }
}

#[test]
fn a_placeholder_becomes_its_attachment_and_others_stay() {
    let attachments = [vec![1], vec![2, 3]];
    for (json, hex) in [
        (r#"{"_placeholder":true,"num":1}"#, "c4020203"),
        (r#"{"num":0,"_placeholder":true}"#, "c40101"),
        (r#"{"_placeholder":true,"num":1,"more":[{}]}"#, "c4020203"),
        (r#"[{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":0}}]"#, "92c4010181a178c40101"),
        (r#"{"_placeholder":true,"num":2}"#, "82ac5f706c616365686f6c646572c3a36e756d02"),
        (r#"{"_placeholder":1,"num":0}"#, "82ac5f706c616365686f6c64657201a36e756d00"),
        (r#"{"_placeholder":true,"num":-0.5}"#, "82ac5f706c616365686f6c646572c3a36e756dcbbfe0000000000000"),
    ] {
        assert_eq!(argument(json, &attachments), hex, "{json}");
    }
}

#[test]
fn what_can_not_be_said_is_named() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(encode_ack("/", 0, &deep(MOST_DEPTH - 1), &[]).is_ok(), "the array of all is one of them");
    for (json, fault) in [
        (&*deep(MOST_DEPTH), "recursion limit"),
        ("1e400", "number out of range"),
        ("\"\\ud800\"", "hex escape"),
    ] {
        let error = encode_ack("/", 0, json, &[]).unwrap_err().to_string();
        assert!(error.contains(fault) && error.contains("msgpack"), "{error}");
    }
}

/// Heads of 32 bits, which the recorded packets have not.
#[test]
fn what_is_large_comes_back() {
    let attachments = [vec![9; 70_000]];
    let array = format!("[{}]", vec!["1"; 70_000].join(","));
    let map: Vec<String> = (0..70_000).map(|at| format!("\"k{at}\":{at}")).collect();
    let text = "x".repeat(70_000);
    let arguments = format!("{array},{{{}}},\"{text}\",{{\"_placeholder\":true,\"num\":0}}", map.join(","));
    let frame = encode_event("/", None, "a", &arguments, &attachments).unwrap();
    let packet = decode(&frame, None).unwrap();
    assert_eq!(&packet.data[packet.extent.all], arguments);
    assert_eq!(packet.attachments, attachments);
}
