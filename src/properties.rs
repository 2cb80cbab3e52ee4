//! Properties of the parsers that hold for any input.

mod splitting;

use proptest::prelude::*;
use serde_json::Value;

use crate::{
    client::Event,
    engineio::{self, v3, v4, Frame, Revision},
    im::Envelope,
    socketio::{encode_ack, encode_event, msgpack, placeholders, Arguments, Decoder, Parser, Received},
};

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no such numbers", |n| n.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// JSON with placeholders, and what nearly is one, anywhere.
fn json_with_placeholders() -> impl Strategy<Value = Value> {
    let placeholder = (any::<bool>(), 0..20_u8, json())
        .prop_map(|(real, num, more)| serde_json::json!({ "_placeholder": real, "num": num, "more": more }));
    prop_oneof![placeholder, json()].prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z\"\\\\{}:]{0,4}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The numbers of all placeholders, found in a tree.
fn numbers_in(value: &Value) -> Vec<Option<usize>> {
    let mut found = Vec::new();
    match value {
        Value::Object(map) => {
            if map.get("_placeholder") == Some(&Value::Bool(true)) {
                found.push(map["num"].as_u64().and_then(|num| usize::try_from(num).ok()));
            }
            map.values().for_each(|inner| found.extend(numbers_in(inner)));
        }
        Value::Array(list) => list.iter().for_each(|inner| found.extend(numbers_in(inner))),
        _ => {}
    }
    found
}

/// JSON whose numbers JavaScript holds as they are, which is what the msgpack parser promises to keep.
fn exact_json() -> impl Strategy<Value = Value> {
    fn exact(value: Value) -> Value {
        match value {
            Value::Number(number) if number.is_i64() => Value::from(number.as_i64().unwrap() >> 11),
            // A whole float goes out as an integer.
            Value::Number(number) => match number.as_f64().unwrap() {
                whole if whole.fract() == 0.0 => Value::Null,
                broken => Value::from(broken),
            },
            Value::Array(list) => list.into_iter().map(exact).collect(),
            Value::Object(map) => map.into_iter().map(|(key, value)| (key, exact(value))).collect(),
            other => other,
        }
    }
    json().prop_map(exact)
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        // What can't be told apart on the wire: the separator of revision 4 (JSON escapes it).
        "[0-6][^\u{1e}]{0,40}".prop_map(Frame::Text),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Frame::Binary),
    ]
}

fn revision() -> impl Strategy<Value = Option<Revision>> {
    prop_oneof![Just(None), Just(Some(Revision::V3)), Just(Some(Revision::V4))]
}

proptest! {
    #[test]
    fn placeholders_are_those_that_a_parser_finds(value in json_with_placeholders()) {
        let (mut wanted, compact) = (numbers_in(&value), value.to_string());
        wanted.sort_unstable();
        for text in [compact.clone(), serde_json::to_string_pretty(&value).unwrap(), compact.replace("num", "n\\u0075m")] {
            let mut found = placeholders(&text);
            found.sort_unstable();
            prop_assert_eq!(&found, &wanted, "{}", text);
        }
    }

    #[test]
    fn payloads_of_both_revisions_come_back(frames in prop::collection::vec(frame(), 1..8)) {
        prop_assert_eq!(v3::decode_payload(&v3::encode_payload(&frames)).unwrap(), frames.clone());
        prop_assert_eq!(v4::decode_payload(&v4::encode_payload(&frames)).unwrap(), frames);
    }

    #[test]
    fn events_come_back(
        name in "[a-zA-Z\"\\\\ é😀]{1,12}",
        namespace in "/[a-z/]{0,8}",
        id in any::<Option<u64>>(),
        arguments in prop::collection::vec(json(), 0..4),
    ) {
        let texts: Vec<String> = arguments.iter().map(Value::to_string).collect();
        let frame = encode_event(&namespace, id, &name, &texts.join(","));
        let Ok(engineio::Packet::Message(message)) = engineio::decode(&frame) else { panic!("no message") };
        let packet = Decoder::default().text(message, None).unwrap().unwrap();
        prop_assert_eq!((&*packet.name, packet.id, &*packet.namespace), (&*name, id, &*namespace));
        let all: Value = serde_json::from_str(&format!("[{}]", &packet.data[packet.extent.all.clone()])).unwrap();
        prop_assert_eq!(all, serde_json::from_str::<Value>(&format!("[{}]", texts.join(","))).unwrap());
        let first = packet.extent.first.map(|first| packet.data[first].to_owned());
        prop_assert_eq!(first.as_ref(), texts.first());
    }

    #[test]
    fn packets_come_back_with_their_attachments(
        name in "[a-zé😀]{1,8}",
        id in any::<u64>(),
        is_ack in any::<bool>(),
        argument in exact_json(),
        attachments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..=10),
        revision in revision(),
    ) {
        let placeholders = (0..attachments.len()).map(|num| serde_json::json!([{ "_placeholder": true, "num": num }]));
        let arguments: Vec<Value> = std::iter::once(argument).chain(placeholders).collect();
        let texts: Vec<String> = arguments.iter().map(Value::to_string).collect();
        let texts = texts.join(",");
        for parser in [Parser::Default, Parser::Msgpack] {
            let sent = match is_ack {
                true => parser.ack("/chat", id, &texts, attachments.clone()),
                false => parser.event("/chat", Some(id), &name, &texts, attachments.clone()),
            };
            let sent = sent.unwrap();
            let mut decoder = Decoder::new(parser);
            if parser == Parser::Default {
                prop_assert_eq!(decoder.text(&sent.frame[1..], revision), Ok(None));
            }
            let (last, before) = sent.attachments.split_last().unwrap();
            for attachment in before {
                prop_assert_eq!(decoder.binary(attachment, revision), Ok(None));
            }
            let packet = decoder.binary(last, revision).unwrap().unwrap();
            let name = if is_ack { "" } else { &name };
            prop_assert_eq!((&*packet.name, packet.id, &*packet.namespace), (name, Some(id), "/chat"));
            let all: Value = serde_json::from_str(&format!("[{}]", &packet.data[packet.extent.all])).unwrap();
            prop_assert_eq!(all, Value::from(arguments.clone()));
            prop_assert_eq!(&packet.attachments, &attachments);
        }
    }

    /// What a callback sees, also where it stands in the memory of an event before it.
    #[test]
    fn an_event_in_place_is_the_one_that_a_parser_finds(
        events in prop::collection::vec((any::<String>(), prop::collection::vec(json(), 0..4), any::<bool>()), 1..4),
        revision in revision(),
    ) {
        let mut spent = None;
        for (name, arguments, pretty) in events {
            let array = Value::from_iter(std::iter::once(Value::from(format!("n{name}"))).chain(arguments));
            let text = if pretty { serde_json::to_string_pretty(&array) } else { serde_json::to_string(&array) };
            let text = format!("2{}", text.unwrap());
            let packet = Decoder::default().text(&text, revision).unwrap().unwrap();
            let (name, data, extent) = (packet.name, packet.data, packet.extent);
            let received = Received { name, id: packet.id, data, extent, attachments: packet.attachments };
            let event = Event::received(1, received, 0, spent.take());
            let parsed = array.as_array().unwrap();
            prop_assert_eq!(Some(event.name()), parsed[0].as_str());
            let first: Value = serde_json::from_str(event.json()).unwrap();
            prop_assert_eq!(&first, parsed.get(1).unwrap_or(&Value::Null));
            let all: Value = serde_json::from_str(event.arguments().to_str().unwrap()).unwrap();
            prop_assert_eq!(all.as_array().unwrap(), &parsed[1..]);
            spent = Event::spent(event, usize::MAX);
        }
    }

    #[test]
    fn acknowledgements_come_back(id in any::<u64>(), argument in json()) {
        let frame = encode_ack("/chat", id, &argument.to_string());
        let packet = Decoder::default().text(&frame[1..], None).unwrap().unwrap();
        prop_assert_eq!(packet.id, Some(id));
        prop_assert_eq!(&packet.data[packet.extent.all.clone()], argument.to_string());
    }

    #[test]
    fn no_text_confuses_the_decoders(text in "\\PC*", revision in revision()) {
        let _ = engineio::decode(&text);
        let _ = v3::decode_payload(&text);
        let _ = v4::decode_payload(&text);
        let mut decoder = Decoder::default();
        let _ = decoder.text(&text, revision);
        decoder.reset();
        prop_assert!(decoder.text("2[\"a\"]", revision).unwrap().is_some(), "the decoder is stuck");
    }

    #[test]
    fn no_packet_like_text_confuses_the_decoders(
        text in "[0-9]{1,2}-?(/[a-z]{0,3},)?[0-9]{0,22}[\\[{\"]?[a-z0-9\"\\\\,:\\[\\]{} ]{0,20}",
        revision in revision(),
    ) {
        let _ = Decoder::default().text(&text, revision);
    }

    #[test]
    fn no_bytes_confuse_the_binary_payload(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = v3::decode_binary_payload(&bytes);
        let _ = v3::decode_binary(&bytes);
    }

    #[test]
    fn msgpack_events_come_back(
        name in "[a-zA-Z\"\\\\ é😀]{1,12}",
        namespace in "/[a-z/]{0,8}",
        id in any::<Option<u64>>(),
        argument in exact_json(),
        attachments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..4),
    ) {
        let placeholders = (0..attachments.len()).map(|num| serde_json::json!({ "x": [{ "_placeholder": true, "num": num }] }));
        let arguments: Vec<Value> = std::iter::once(argument).chain(placeholders).collect();
        let texts: Vec<String> = arguments.iter().map(Value::to_string).collect();
        let frame = msgpack::encode_event(&namespace, id, &name, &texts.join(","), &attachments).unwrap();
        let packet = msgpack::decode(&frame, None).unwrap();
        prop_assert_eq!((&*packet.name, packet.id, &*packet.namespace), (&*name, id, &*namespace));
        let all: Value = serde_json::from_str(&format!("[{}]", &packet.data[packet.extent.all])).unwrap();
        prop_assert_eq!(all, Value::from(arguments));
        prop_assert_eq!(packet.attachments, attachments);
    }

    #[test]
    fn msgpack_acknowledgements_come_back(id in any::<u64>(), argument in exact_json()) {
        let frame = msgpack::encode_ack("/chat", id, &argument.to_string(), &[]).unwrap();
        let packet = msgpack::decode(&frame, None).unwrap();
        prop_assert_eq!(packet.id, Some(id));
        let read: Value = serde_json::from_str(&packet.data[packet.extent.all]).unwrap();
        prop_assert_eq!(read, argument);
    }

    #[test]
    fn no_bytes_confuse_msgpack(bytes in prop::collection::vec(any::<u8>(), 0..80), revision in revision()) {
        let _ = msgpack::decode(&bytes, revision);
    }

    /// What is decoded where bytes of a good packet are others: any packet at all is one whose data is JSON.
    #[test]
    fn no_packet_like_bytes_confuse_msgpack(
        argument in json(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut frame = msgpack::encode_event("/", Some(1), "a", &argument.to_string(), &[]).unwrap();
        for (at, byte) in changes {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        for bytes in [&frame[..], &frame[..cut.index(frame.len())]] {
            if let Ok(packet) = msgpack::decode(bytes, None) {
                prop_assert!(packet.data.is_empty() || serde_json::from_str::<Value>(&packet.data).is_ok());
            }
        }
    }

    #[test]
    fn no_text_confuses_msgpack(text in "\\PC*", data in json(), revision in revision()) {
        let _ = msgpack::decode_text(&text, revision);
        let _ = msgpack::decode_text(&data.to_string(), revision);
        let _ = msgpack::decode_text(&serde_json::json!({ "type": 4, "nsp": "/", "data": data }).to_string(), revision);
    }

    #[test]
    fn arguments_are_what_a_parser_finds(text in json()) {
        let text = text.to_string();
        let parsed: Value = serde_json::from_str(&text).unwrap();
        let named = parsed.as_array().and_then(|list| list.first()).filter(|name| {
            name.is_string() || name.is_i64() || name.is_u64()
        });
        let read = Arguments::of_event(&text);
        prop_assert_eq!(read.is_some(), named.is_some());
        if let (Some(read), Some(name)) = (read, named) {
            let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
            prop_assert_eq!(&*read.name, name.as_str());
        }
    }

    #[test]
    fn the_envelope_is_what_a_parser_finds(code in any::<i32>(), payload in json(), meta in json()) {
        let value = serde_json::json!({ "meta": meta, "code": code, "data": { "action": "X", "payload": &payload } });
        let text = value.to_string();
        let envelope = Envelope::parse(&text).unwrap();
        prop_assert_eq!(envelope.code, i64::from(code));
        prop_assert_eq!(envelope.payload, payload.to_string());
    }
}
