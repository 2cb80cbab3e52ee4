//! What goes wrong on a connection that stands: a `disconnect` with the reason that users know and a description that names
//! the fault, then a reconnect that works; or nothing at all, where nothing was at fault.

use serde_json::{json, Value};

use super::{emit_what_is_to_be_kept, nothing_is_lost, options, says, with};
use crate::support::*;

/// The first connection goes wrong when the client has said "go"; the next is good.
#[track_caller]
fn ends_with(
    reason: &str,
    parts: &[&str],
    generation: u32,
    more: &Value,
    fault: impl Fn(&mut Peer) + Send + Sync + 'static,
) {
    let server = RawServer::start(move |peer| {
        peer.connect(generation);
        if peer.number == 1 && peer.receive_until("42/room,[\"go\"]") {
            return fault(peer);
        }
        peer.receive_all();
    });
    let slow = json!({ "reconnectionDelay": 50, "reconnectionDelayMax": 50, "randomizationFactor": 0 });
    let client = TestClient::new(with(with(options(&server.root()), &slow), more));
    client.wait("connect");
    assert_eq!(client.emit_args("go", &json!([]), 0), 0);
    let lost = client.wait("disconnect").json;
    emit_what_is_to_be_kept(&client);
    assert_eq!((&lost["reason"], &lost["willReconnect"]), (&json!(reason), &json!(true)), "{lost}");
    says(&lost["description"], parts);
    assert_eq!(client.wait("reconnect").json, json!({ "attempt": 1 }));
    client.emit("last", &json!(3));
    wait_until("the last emit", || server.frames_with("42/room,[\"last\"").len() == 1);
    let frames: Vec<String> =
        server.frames().into_iter().filter(|frame| frame.connection == 2).map(|frame| frame.text).collect();
    let connect = "40/room,";
    assert_eq!(
        frames,
        [connect, "42/room,[\"kept\",1]", "42/room,[\"kept\",{\"two\":2}]", "42/room,[\"last\",3]"]
    );
    assert_eq!((client.count("disconnect"), client.count("connect")), (1, 2));
}

/// The server sends this text frame: a parse error.
#[track_caller]
fn is_a_parse_error(generation: u32, text: &'static str) {
    ends_with("parse error", &["the server sent"], generation, &json!({}), move |peer| {
        peer.text(text);
        peer.receive_all();
    });
}

/// These bytes are against RFC 6455: a transport error.
#[track_caller]
fn is_a_transport_error(parts: &[&str], bytes: impl AsRef<[u8]> + Send + Sync + 'static) {
    for generation in [2, 4] {
        let bytes = bytes.as_ref().to_vec();
        ends_with("transport error", parts, generation, &json!({}), move |peer| {
            peer.write(&bytes);
            peer.drain();
        });
    }
}

/// After this the connection stands and works.
#[track_caller]
fn does_nothing(generation: u32, fault: impl Fn(&mut Peer) + Send + Sync + 'static) -> TestClient {
    let server = RawServer::start(move |peer| {
        peer.connect(generation);
        fault(peer);
        peer.text("42/room,[\"after\"]");
        peer.receive_all();
    });
    let client = TestClient::new(options(&server.root()));
    emit_what_is_to_be_kept(&client);
    client.wait("after");
    nothing_is_lost(&server, &client);
    assert_eq!((client.count("connect"), client.count("disconnect")), (1, 0));
    client
}

/// The vectors of the wire notes, in this namespace.
const REJECTED_BY_BOTH: [&str; 19] = [
    "45",
    "451",
    "45a-",
    "451.23-",
    "450-/room,[\"a\"]",
    "442[\"some\",\"data\"",
    "40/room,\"invalid\"",
    "41/room,{}",
    "42/room,{}",
    "42/room,[true,\"foo\"]",
    "42/room,[null,\"bar\"]",
    "42/room,[{\"toString\":\"foo\"}]",
    "4999",
    "4",
    "42/room,",
    "43/room,",
    "4511-/room,[\"eleven\"]",
    "42/room,18446744073709551616[\"id of 65 bits\"]",
    "42/room,[]",
];

#[test]
fn what_a_decoder_must_reject_on_generation_2() {
    REJECTED_BY_BOTH.into_iter().for_each(|text| is_a_parse_error(2, text));
}

#[test]
fn what_a_decoder_must_reject_on_generation_4() {
    REJECTED_BY_BOTH.into_iter().for_each(|text| is_a_parse_error(4, text));
}

#[test]
fn what_protocol_5_alone_must_reject() {
    for text in ["40/room,[]", "42/room,[\"connect\"]", "42/room,[\"disconnect\",\"123\"]"] {
        is_a_parse_error(4, text);
    }
}

#[test]
fn json_that_is_none() {
    for text in [
        "42/room,[\"a\",",
        "42/room,[\"a\",1]]",
        "42/room,[\"a\",1] x",
        "42/room,[\"a\",01]",
        "42/room,[\"a\",nul]",
        "42/room,[\"a\",\"\\x\"]",
        "42/room,[\"a\",\"\\ud800\"",
        "42/room,[\"a\",\"\t\"]",
        "42/room,[\"a\",{\"b\"}]",
        "42/room,7{\"not\":\"an array\"}",
        "43/room,7{\"not\":\"an array\"}",
        "43/room,7",
        "44/room,",
        "44/room,[1]",
    ] {
        is_a_parse_error(4, text);
    }
}

#[test]
fn unknown_packet_types() {
    for generation in [2, 4] {
        for text in ["7", "9", "x", "", "\u{0}", "€", "47/room,[\"a\"]", "48", "4x", "b4AQID", "-1"] {
            is_a_parse_error(generation, text);
        }
    }
}

#[test]
fn a_second_open_packet() {
    ends_with("parse error", &["second open packet"], 4, &json!({}), |peer| {
        peer.open(4);
        peer.receive_all();
    });
}

// Attachments.

const ATTACHMENT: &str = "{\"_placeholder\":true,\"num\":0}";

#[test]
fn attachments_that_never_come() {
    for generation in [2, 4] {
        ends_with("parse error", &["attachments did not come"], generation, &json!({}), |peer| {
            peer.text(&format!("452-/room,[\"a\",{ATTACHMENT},{ATTACHMENT}]"));
            peer.text("42/room,[\"b\"]");
            peer.receive_all();
        });
    }
}

/// Nothing but the engine's own packets comes after the head: the connection lives, and what is next is an error.
#[test]
fn attachments_that_come_late() {
    let client = does_nothing(4, |peer| {
        peer.text(&format!("451-/room,[\"late\",{ATTACHMENT}]"));
        peer.text("2");
        peer.text("6");
        peer.write(frame(PING, b"x"));
        peer.binary(&[1, 2, 3]);
    });
    assert_eq!(client.count("late"), 1);
}

#[test]
fn an_attachment_that_nobody_announced() {
    for generation in [2, 4] {
        ends_with("parse error", &["no packet announced"], generation, &json!({}), |peer| {
            peer.binary(&[4, 1, 2, 3]);
            peer.receive_all();
        });
    }
}

#[test]
fn a_binary_frame_without_a_type_on_generation_2() {
    for data in [&[][..], &[3, 1, 2]] {
        ends_with("parse error", &["binary"], 2, &json!({}), move |peer| {
            peer.text(&format!("451-/room,[\"a\",{ATTACHMENT}]"));
            peer.binary(data);
            peer.receive_all();
        });
    }
}

#[test]
fn a_placeholder_out_of_range() {
    for num in ["1", "-1", "9999999999", "\"0\""] {
        let server = RawServer::start(move |peer| {
            peer.connect(4);
            if peer.number == 1 {
                peer.text(&format!("451-/room,[\"a\",{{\"_placeholder\":true,\"num\":{num}}}]"));
                peer.binary(&[1, 2, 3]);
                peer.text("42/room,[\"after\"]");
            }
            peer.receive_all();
        });
        let client = TestClient::new(options(&server.root()));
        wait_until("an outcome", || client.count("disconnect") + client.count("after") > 0);
        assert_eq!(client.all("a"), Vec::<Value>::new(), "an event whose placeholder stands for nothing");
        assert_eq!(client.wait("disconnect").json["reason"], "parse error");
        client.wait("reconnect");
    }
}

// What is nobody's fault.

#[test]
fn packets_of_other_namespaces_and_of_the_engine_are_passed_over() {
    for generation in [2, 4] {
        let client = does_nothing(generation, |peer| {
            for text in [
                "42[\"root\"]",
                "42/other,[\"other\"]",
                "42/roo,[\"prefix\"]",
                "42/room2,[\"longer\"]",
                "43/other,0[1]",
                "41/other,",
                "41",
                "44/other,{\"message\":\"no\"}",
                "3",
                "3probe",
                "6",
                "5",
            ] {
                peer.text(text);
            }
        });
        let names: Vec<String> = client.events().into_iter().map(|event| event.name).collect();
        assert_eq!(names[..2], ["connect", "after"]);
    }
}

#[test]
fn acknowledgements_that_nobody_asked_for_are_passed_over() {
    for generation in [2, 4] {
        does_nothing(generation, |peer| {
            for text in
                ["43/room,0[\"x\"]", "43/room,1[]", "43/room,18446744073709551615[{}]", "43/room,[\"no id\"]"]
            {
                peer.text(text);
            }
        });
    }
}

#[test]
fn a_second_connect_is_passed_over() {
    does_nothing(2, |peer| peer.text("40/room,"));
    does_nothing(4, |peer| peer.text("40/room,{\"sid\":\"again\"}"));
}

#[test]
fn json_of_any_depth_is_taken() {
    let client = does_nothing(4, |peer| {
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        // The harness reads with a parser that has a limit: the depth is in another namespace.
        peer.text(&format!("42/other,[\"deep\",{open}{close}]"));
    });
    assert_eq!(client.count("deep"), 0);
}

// WebSocket.

#[test]
fn text_that_is_no_utf_8() {
    is_a_transport_error(&["UTF-8"], frame(TEXT, b"42/room,[\"a\",\"\xff\xfe\"]"));
    // A character that is cut by the end of the message.
    is_a_transport_error(&["UTF-8"], frame(TEXT, b"42/room,[\"a\",\"\xe2\x82"));
    // Surrogates, and a form that is longer than need be.
    is_a_transport_error(&["UTF-8"], frame(TEXT, b"42/room,[\"\xed\xa0\x80\"]"));
    is_a_transport_error(&["UTF-8"], frame(TEXT, b"42/room,[\"\xc0\xaf\"]"));
}

#[test]
fn frames_that_are_against_the_rules() {
    is_a_transport_error(&["mask"], masked(TEXT, b"42/room,[\"a\"]"));
    is_a_transport_error(&["reserved"], [0xc1, 1, b'2']);
    is_a_transport_error(&["opcode"], [0x83, 1, b'2']);
    is_a_transport_error(&["opcode"], [0x8b, 0]);
    is_a_transport_error(&["fragment"], fragment(PING, b"x"));
    is_a_transport_error(&["control"], frame(PING, &[0; 126]));
    is_a_transport_error(&["continu"], frame(CONTINUATION, b"42/room,[\"a\"]"));
    is_a_transport_error(&["fragment"], [fragment(TEXT, b"42"), frame(TEXT, b"/room,[\"a\"]")].concat());
    is_a_transport_error(&["close"], frame(CLOSE, &[3]));
}

#[test]
fn a_frame_that_announces_more_than_there_is_memory() {
    for length in [1 << 62, u64::MAX, 1 << 40, (16 << 20) + 1] {
        is_a_transport_error(&["maxMessageBytes"], frame_head(0x81, length));
        is_a_transport_error(&["maxMessageBytes"], frame_head(0x82, length));
    }
}

#[test]
fn a_message_that_is_larger_than_allowed() {
    let small = json!({ "maxMessageBytes": 1024 });
    let text = || format!("42/room,[\"a\",\"{}\"]", "x".repeat(1024));
    ends_with("transport error", &["1024", "maxMessageBytes"], 4, &small, move |peer| {
        peer.text(&text());
        peer.drain();
    });
    // In fragments, each of them small, and without an end.
    ends_with("transport error", &["1024", "maxMessageBytes"], 4, &small, |peer| {
        peer.write(fragment(TEXT, b"42/room,[\"a\",\""));
        for _ in 0..20 {
            peer.write(fragment(CONTINUATION, &[b'x'; 100]));
        }
        peer.drain();
    });
}

#[test]
fn a_message_of_just_the_allowed_size() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
        let text = format!("42/room,[\"a\",\"{}\"]", "x".repeat(1024));
        let most = &text[text.len() - 1024..];
        assert_eq!(most.len(), 1024);
        let room = 1024 - "42/room,[\"a\",\"\"]".len();
        peer.text(&format!("42/room,[\"a\",\"{}\"]", "x".repeat(room)));
        peer.receive_all();
    });
    let client = TestClient::new(with(options(&server.root()), &json!({ "maxMessageBytes": 1024 })));
    client.wait("a");
    assert_eq!(client.count("disconnect"), 0);
}

// Ends.

#[test]
fn half_a_frame_and_the_end() {
    for generation in [2, 4] {
        let whole = frame(TEXT, b"42/room,[\"half\",\"of a frame\"]");
        for cut in [1, 2, 5, whole.len() - 1] {
            let half = whole[..cut].to_vec();
            ends_with("transport close", &["without a Close frame"], generation, &json!({}), move |peer| {
                peer.write(&half);
            });
        }
    }
}

#[test]
fn the_end_without_a_word() {
    ends_with("transport close", &["without a Close frame"], 4, &json!({}), |_| {});
}

#[test]
fn a_reset() {
    for generation in [2, 4] {
        ends_with("transport error", &["reset"], generation, &json!({}), Peer::reset);
    }
}

#[test]
fn a_close_packet_of_the_engine() {
    for generation in [2, 4] {
        ends_with("transport close", &["close packet"], generation, &json!({}), |peer| {
            peer.text("1");
            peer.receive_all();
        });
    }
}

#[test]
fn a_close_frame() {
    for generation in [2, 4] {
        ends_with("transport close", &[], generation, &json!({}), |peer| {
            peer.write(frame(CLOSE, b""));
            peer.drain();
        });
    }
}

#[test]
fn a_close_frame_with_a_reason() {
    ends_with("transport close", &["1012", "we restart"], 4, &json!({}), |peer| {
        peer.write(frame(CLOSE, &close_payload(1012, "we restart")));
        peer.drain();
    });
}

/// A frame that comes byte by byte is no fault, however long it takes.
#[test]
fn a_frame_that_drips() {
    let client = does_nothing(4, |peer| {
        for byte in frame(TEXT, b"42/room,[\"dripped\",1]") {
            peer.write([byte]);
            pause(1);
        }
    });
    assert_eq!(client.all("dripped"), [1]);
}

/// A server that stops reading and then resets: what had gone out is lost with it, and no more; and the client comes back.
#[test]
fn a_server_that_stops_reading() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
        if peer.number > 1 {
            return peer.receive_all();
        }
        peer.receive_until("42/room,[\"n\",0,");
        peer.wait_for_connections(2);
        peer.reset();
    });
    let client = TestClient::new(options(&server.root()));
    client.wait("connect");
    // More than the buffers of both sides hold.
    let pad = "x".repeat(64 * 1024);
    let full =
        (0..10_000).find(|n| client.emit_args("n", &json!([n, pad]), 0) == -7).expect("the queue is bounded");
    assert!(full > 100, "{full}");
    assert!(last_error().contains("sendQueueBytes"), "{}", last_error());
    // The end of the pause: another connection is all that the script waits for.
    drop(std::net::TcpStream::connect(("127.0.0.2", server.port())).expect("the server listens"));
    assert_eq!(client.wait("disconnect").json["reason"], "transport error");
    client.wait("reconnect");
    client.flush();
    let last = format!("42/room,[\"n\",{},", full - 1);
    wait_until("the last that was accepted", || !server.frames_with(&last).is_empty());
    // In order and once, whichever connection they went over.
    let numbers: Vec<u64> = server
        .frames_with("42/room,[\"n\",")
        .iter()
        .map(|text| text["42/room,[\"n\",".len()..].split(',').next().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
}
