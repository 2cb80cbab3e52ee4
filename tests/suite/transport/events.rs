//! What goes over a connection: namespaces, queries, auth, acknowledgements, arguments of all kinds.

use std::{
    ffi::{c_void, CStr},
    sync::Mutex,
};

use ::im_client::*;
use serde_json::{json, Value};

use super::{raw_options, with, works};
use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];
/// `IM_ERROR_NOT_FOUND`.
const NOT_FOUND: im_status = -11;

fn options(server: &Server, nsp: &str) -> Value {
    json!({ "root": server.root(), "nsp": nsp, "path": "/socket.io" })
}

#[test]
fn a_namespace_may_have_its_slash() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        for nsp in ["chat", "/chat"] {
            let client = TestClient::new(options(&server, nsp));
            client.wait("connect");
            works(&client);
        }
        assert_eq!(server.stats()["connects"]["/chat"], 2);
    }
}

#[test]
fn the_query_arrives_as_it_was_given() {
    let query = json!({ "token": "a b&c=d+e%20f", "näme": "ü€😀", "empty": "", "n": 17, "flag": true, "slash": "/?#'()" });
    let expected = json!({ "token": "a b&c=d+e%20f", "näme": "ü€😀", "empty": "", "n": "17", "flag": "true", "slash": "/?#'()" });
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        for protocol in [json!("auto"), json!(if generation == 2 { 3 } else { 4 })] {
            let more = json!({ "query": query, "protocol": protocol });
            let client = TestClient::new(with(options(&server, "chat"), more));
            client.wait("connect");
            client.emit("handshake", &Value::Null);
            let seen = client.wait("handshake").json["query"].clone();
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(&seen[name], value, "{name} on generation {generation} of {seen}");
            }
            assert_eq!(seen["deviceType"], "desktop");
        }
    }
}

#[test]
fn the_auth_arrives() {
    let auth = json!({ "token": "ä\"b", "n": { "deep": [1, null] } });
    let server = socketio(4, &[]);
    let client = TestClient::new(with(options(&server, "chat"), json!({ "auth": auth })));
    client.wait("connect");
    client.emit("handshake", &Value::Null);
    assert_eq!(client.wait("handshake").json["auth"], auth);
    // 2.5 takes it and ignores it; on the wire it is there.
    let server = socketio(2, &[]);
    let client = TestClient::new(with(options(&server, "chat"), json!({ "auth": auth })));
    assert_eq!(client.wait("connect").json["protocol"], 3);
    works(&client);
    let packets = server.stats()["connectPackets"].clone();
    let packet = packets[0].as_str().unwrap();
    let data = packet.strip_prefix("40/chat,").unwrap();
    assert_eq!(serde_json::from_str::<Value>(data).unwrap(), auth);
    assert_eq!(packets.as_array().unwrap().len(), 1);
}

fn reply(client: &TestClient, ack_id: u64, json: &str) -> im_status {
    let json = c(json);
    // SAFETY: NUL-terminated.
    unsafe { im_client_reply(client.handle, ack_id, json.as_ptr()) }
}

#[test]
fn acknowledgements_go_both_ways() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(options(&server, "chat"));
        // Asked before the connection is up.
        let early = Outcomes::default();
        client.ask("echo", &json!("early"), 0, &early);
        assert_eq!(outcome(&early), (0, Some(json!("early"))));
        let many: Vec<Outcomes> = (0..20).map(|_| Outcomes::default()).collect();
        for (n, outcomes) in many.iter().enumerate() {
            client.ask("echo", &json!(n), 0, outcomes);
        }
        for (n, outcomes) in many.iter().enumerate() {
            assert_eq!(outcome(outcomes), (0, Some(json!(n))));
        }
        for n in 1..=3 {
            client.emit("ask", &json!({ "n": n }));
            let question = client.wait_nth("question", n);
            assert_ne!(question.ack_id, 0);
            assert_eq!(question.json, json!({ "n": n }));
            assert_eq!(reply(&client, question.ack_id, &format!("[\"answer\", {n}]")), 0);
            assert_eq!(reply(&client, question.ack_id, "1"), NOT_FOUND, "the second");
            assert_eq!(client.wait_nth("answered", n).args, json!([["answer", n]]));
        }
    }
}

/// An event with an acknowledgement that comes twice, or that nobody asked for, does nothing.
#[test]
fn acks_that_nobody_waits_for_are_ignored() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(options(&server, "chat"));
        client.wait("connect");
        let outcomes = Outcomes::default();
        client.ask("silent", &json!(1), 0, &outcomes);
        server.wait_received("silent", 1);
        // The first request of a client has the id 0.
        client.emit("raw", &json!("3/chat,0[\"first\"]"));
        client.emit("raw", &json!("3/chat,0[\"second\"]"));
        client.emit("raw", &json!("3/chat,99[\"x\"]"));
        client.emit("raw", &json!("3/chat,18446744073709551615[]"));
        assert_eq!(outcome(&outcomes), (0, Some(json!("first"))));
        works(&client);
        assert_eq!(outcomes.lock().unwrap().len(), 1);
        assert_eq!(client.count("disconnect"), 0);
    }
}

#[test]
fn the_servers_ack_ids_may_be_zero_or_fill_64_bits() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
        peer.text("42/room,0[\"q\",\"zero\"]");
        peer.text("42/room,18446744073709551615[\"q\",\"most\"]");
        peer.text("42/room,9007199254740993[\"q\",\"odd\"]");
        peer.receive_all();
    });
    let client = TestClient::new(raw_options(&server));
    client.wait_nth("q", 3);
    for event in client.events().iter().filter(|event| event.name == "q") {
        assert_ne!(event.ack_id, 0);
        assert_eq!(reply(&client, event.ack_id, &event.json.to_string()), 0);
    }
    wait_until("three answers", || server.frames_with("43").len() == 3);
    assert_eq!(
        server.frames_with("43"),
        [
            "43/room,0[\"zero\"]",
            "43/room,18446744073709551615[\"most\"]",
            "43/room,9007199254740993[\"odd\"]"
        ]
    );
}

#[test]
fn arguments_of_all_kinds_arrive_both_ways() {
    let texts = [
        "ä€中",
        "😀👩‍👩‍👧 𝕏",
        "quote \" backslash \\ slash /",
        "\n\r\t\u{8}\u{c}",
        "\u{0}\u{1e}\u{7f}",
        "\u{2028}\u{2029}",
    ];
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(options(&server, "chat"));
        for event in ["several", "no_args", "unicode"] {
            assert_eq!(client.emit_args(event, &json!([]), 0), 0);
        }
        assert_eq!(client.wait("several").args, json!([1, "two", { "three": 3 }, [4], null]));
        assert_eq!(client.wait("several").json, json!(1));
        let bare = client.wait("no_args");
        assert_eq!((bare.json, bare.args), (Value::Null, json!([])));
        assert_eq!(client.wait("unicode").args, json!(texts));
        // And back.
        let args = json!(["ä€中😀", texts, { "\u{0}key": "\u{2028}" }, null, [], {}]);
        assert_eq!(client.emit_args("echo", &args, 0), 0);
        assert_eq!(client.wait("echo").args, args);
        // An event's name may be anything too.
        assert_eq!(client.emit_args("tell", &json!(["ä \"q\" \\ 😀", 1]), 0), 0);
        assert_eq!(client.wait("ä \"q\" \\ 😀").args, json!([1]));
        assert_eq!(client.emit("e \"x\" \\ ü", &json!(2)), 0);
        assert_eq!(server.wait_received("e \"x\" \\ ü", 1), [2]);
    }
}

unsafe extern "C" fn keep_raw(event: *const im_event, texts: *mut c_void) {
    // SAFETY: both live through the callback.
    let (event, texts) = unsafe { (&*event, &*texts.cast::<Mutex<Vec<[String; 2]>>>()) };
    // SAFETY: the event's strings live through the callback.
    let text = |pointer| unsafe { CStr::from_ptr(pointer) }.to_str().expect("UTF-8").to_owned();
    // SAFETY: a valid event.
    let args = text(unsafe { im_event_args(event) });
    texts.lock().expect("no test panics in a callback").push([text(event.json), args]);
}

#[test]
fn numbers_are_kept_to_the_letter() {
    let numbers = "0,-0.0,-1,0.1,1.5e-7,1e308,5e-324,9007199254740991,9007199254740993,18446744073709551615,\
                   -9223372036854775808";
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let texts: Mutex<Vec<[String; 2]>> = Mutex::default();
        let client = TestClient::deaf(options(&server, "chat"));
        let name = c("numbers");
        let data = std::ptr::from_ref(&texts).cast_mut().cast::<c_void>();
        // SAFETY: `keep_raw` takes this pointer, and the client is destroyed before the texts are.
        let id = unsafe { im_client_on(client.handle, name.as_ptr(), Some(keep_raw), data) };
        assert!(id > 0, "{}", last_error());
        client.emit_args("numbers", &json!([]), 0);
        let [first, args] = wait_for("the numbers", || texts.lock().unwrap().first().cloned());
        assert_eq!((&*first, args), ("0", format!("[{numbers}]")));
        drop(client);
    }
    // And on the way out.
    let server = RawServer::start(|peer| peer.behave(4));
    let client = TestClient::new(raw_options(&server));
    let (event, argument) = (c("n"), c(&format!("[{numbers}]")));
    // SAFETY: NUL-terminated.
    assert_eq!(unsafe { im_client_emit(client.handle, event.as_ptr(), argument.as_ptr()) }, 0);
    wait_until("the numbers at the server", || !server.frames_with("42").is_empty());
    assert_eq!(server.frames_with("42"), [format!("42/room,[\"n\",[{numbers}]]")]);
}

#[test]
fn integer_names_are_names() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
        peer.text("42/room,[12,\"twelve\"]");
        peer.text("42/room,[-1]");
        peer.text("42/room,[\"12\",\"as text\"]");
        peer.receive_all();
    });
    let client = TestClient::new(raw_options(&server));
    assert_eq!(client.wait_nth("12", 2).json, "as text");
    assert_eq!(client.wait("12").json, "twelve");
    assert_eq!(client.wait("-1").args, json!([]));
}

fn names_of(client: &TestClient) -> Vec<String> {
    client.events().into_iter().map(|event| event.name).collect()
}

#[test]
fn events_before_the_connect_come_after_it_in_order() {
    for generation in GENERATIONS {
        let server = RawServer::start(move |peer| {
            peer.upgrade();
            peer.open(generation);
            peer.receive_until("40/room");
            peer.text("42/room,[\"early\",1]");
            peer.text("42/room,7[\"question\",2]");
            peer.text("42/other,[\"not ours\",3]");
            match generation {
                2 => peer.text("40/room,"),
                _ => peer.text("40/room,{\"sid\":\"s\"}"),
            }
            peer.text("42/room,[\"late\",4]");
            peer.receive_all();
        });
        let client = TestClient::new(raw_options(&server));
        let late = client.wait("late");
        assert_eq!(late.json, 4);
        assert_eq!(names_of(&client), ["connect", "early", "question", "late"]);
        // The early question can be answered.
        assert_eq!(reply(&client, client.wait("question").ack_id, "true"), 0);
        wait_until("the answer", || server.frames_with("43") == ["43/room,7[true]"]);
    }
}

#[test]
fn a_binary_event_before_the_connect_comes_after_it() {
    let server = RawServer::start(|peer| {
        peer.upgrade();
        peer.open(4);
        peer.receive_until("40/room");
        peer.text("451-/room,[\"early\",{\"_placeholder\":true,\"num\":0}]");
        peer.binary(&[1, 2, 3]);
        peer.text("40/room,{\"sid\":\"s\"}");
        peer.text("42/room,[\"late\"]");
        peer.receive_all();
    });
    let client = TestClient::new(raw_options(&server));
    client.wait("late");
    assert_eq!(names_of(&client), ["connect", "early", "late"]);
}

#[test]
fn a_burst_arrives_whole_and_in_order() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(options(&server, "chat"));
        client.emit("burst", &json!(500));
        client.wait_nth("burst", 500);
        assert_eq!(client.all("burst"), (0..500).map(|n| json!(n)).collect::<Vec<_>>());
        for n in 0..500 {
            assert_eq!(client.emit("up", &json!(n)), 0);
        }
        assert_eq!(server.wait_received("up", 500), (0..500).map(|n| json!(n)).collect::<Vec<_>>());
    }
}

/// Frames come in any pieces: in TCP segments of one byte, in fragments that cut characters.
#[test]
fn frames_in_pieces_are_put_together() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
        let text = "42/room,[\"pieces\",\"ä€😀\"]".as_bytes();
        peer.write_pieces(&frame(TEXT, text), 1);
        // The cut goes through a character.
        let middle = text.len() - 5;
        peer.write(fragment(TEXT, &text[..3]));
        peer.write(frame(PING, b"in between"));
        peer.write(fragment(CONTINUATION, &text[3..middle]));
        peer.write(fragment(CONTINUATION, b""));
        peer.write(frame(CONTINUATION, &text[middle..]));
        // Two frames in one segment, and a large one.
        let large = format!("42/room,[\"pieces\",\"{}\"]", "x".repeat(300_000));
        peer.write([frame(TEXT, text), frame(TEXT, text), frame(TEXT, large.as_bytes())].concat());
        peer.receive_all();
    });
    let client = TestClient::new(raw_options(&server));
    let large = client.wait_nth("pieces", 5).json;
    assert_eq!(large.as_str().map(str::len), Some(300_000));
    assert!(client.all("pieces")[..4].iter().all(|text| text == "ä€😀"));
    assert_eq!(client.count("disconnect"), 0);
}
