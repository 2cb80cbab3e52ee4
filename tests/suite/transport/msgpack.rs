//! The option `parser`: servers with the official `socket.io-msgpack-parser`, both generations.

use std::{
    ffi::c_void,
    sync::{Arc, Mutex},
};

use ::im_client::*;
use serde_json::{json, Value};

use super::{raw_options, with, works};
use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];
/// `IM_ERROR_JSON`.
const JSON: im_status = -4;

fn server(generation: u32, flags: &[&str]) -> Server {
    socketio(generation, &[&["--parser", "msgpack"], flags].concat())
}

fn options(server: &Server, nsp: &str) -> Value {
    json!({ "root": server.root(), "nsp": nsp, "path": "/socket.io", "parser": "msgpack" })
}

fn connected(server: &Server, nsp: &str) -> TestClient {
    let client = TestClient::new(options(server, nsp));
    client.wait("connect");
    client
}

/// The attachments of an event's occurrences.
type Blobs = Mutex<Vec<Vec<Vec<u8>>>>;

fn blobs_of(client: &TestClient, event: &str) -> Arc<Blobs> {
    unsafe extern "C" fn keep(event: *const im_event, blobs: *mut c_void) {
        // SAFETY: the event lives through the callback, the list until `free`.
        let (count, blobs) = unsafe { ((*event).blob_count, &*blobs.cast::<Blobs>()) };
        let blob = |index| {
            let mut blob = im_blob { data: std::ptr::null(), len: 0 };
            // SAFETY: a valid event, and a place to write to.
            assert_eq!(unsafe { im_event_blob(event, index, &mut blob) }, 0);
            match blob.len {
                0 => Vec::new(),
                // SAFETY: the event's bytes.
                len => unsafe { std::slice::from_raw_parts(blob.data.cast::<u8>(), len) }.to_vec(),
            }
        };
        blobs.lock().expect("nobody panics with it").push((0..count).map(blob).collect());
    }
    unsafe extern "C" fn free(blobs: *mut c_void) {
        // SAFETY: made by `Arc::into_raw` below.
        drop(unsafe { Arc::from_raw(blobs.cast::<Blobs>()) });
    }
    let blobs: Arc<Blobs> = Arc::default();
    let data = Arc::into_raw(blobs.clone()).cast_mut().cast();
    // SAFETY: `keep` and `free` take this pointer.
    let id =
        unsafe { im_client_subscribe(client.handle, c(event).as_ptr(), 0, Some(keep), data, Some(free)) };
    assert!(id > 0, "{}", last_error());
    blobs
}

#[test]
fn the_generation_is_found_out_with_one_connect() {
    for generation in GENERATIONS {
        for nsp in ["chat", "/"] {
            let server = server(generation, &[]);
            let client = TestClient::new(options(&server, nsp));
            let connect = client.wait("connect").json;
            assert_eq!(connect["protocol"], if generation == 2 { 3 } else { 4 });
            works(&client);
            let stats = server.stats();
            let name = if nsp == "/" { "/" } else { "/chat" };
            assert_eq!(stats["connects"][name], 1, "{stats}");
            assert_eq!(stats["engines"], 1, "{stats}");
            let asked = stats["connectPackets"].as_array().unwrap().len();
            // The root of 2.x is connected without being asked for.
            assert_eq!(asked, usize::from(generation == 4 || nsp != "/"), "{stats}");
            // A ping as 2.x expects it would end a connection of 4.x.
            assert_eq!(stats["packetsReceived"]["ping"], Value::Null, "{stats}");
        }
    }
}

#[test]
fn a_late_answer_does_not_matter() {
    for generation in GENERATIONS {
        for nsp in ["chat", "/"] {
            let server = server(
                generation,
                &["--connect-delay", "700", "--ping-interval", "100", "--ping-timeout", "10000"],
            );
            let client = connected(&server, nsp);
            works(&client);
            let stats = server.stats();
            assert_eq!(stats["connects"][if nsp == "/" { "/" } else { "/chat" }], 1, "{stats}");
        }
    }
}

#[test]
fn the_generation_may_be_named() {
    for (generation, protocol) in [(2, 3), (4, 4)] {
        for nsp in ["chat", "/"] {
            let server = server(generation, &[]);
            let more = json!({ "protocol": protocol, "query": { "token": "a b&c" } });
            let client = TestClient::new(with(options(&server, nsp), more));
            assert_eq!(client.wait("connect").json["protocol"], protocol);
            client.emit("handshake", &Value::Null);
            assert_eq!(client.wait("handshake").json["query"]["token"], "a b&c");
            works(&client);
        }
    }
}

#[test]
fn the_wrong_generation_is_named() {
    for (generation, protocol) in [(2, 4), (4, 3)] {
        let server = server(generation, &[]);
        let more = json!({ "protocol": protocol, "reconnection": false });
        let client = TestClient::new(with(options(&server, "chat"), more));
        let error = client.wait("connect_error").json;
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("\"protocol\""), "{message}");
    }
}

/// 3.0 to 4.4 say no `maxPayload`: the CONNECT goes out as they take it, and 2.x takes no notice of that.
#[test]
fn a_server_without_max_payload_is_asked_at_once() {
    let answer = b"\x83\xa4type\x00\xa3nsp\xa5/room\xa4data\x81\xa3sid\xa5raw-1";
    let server = RawServer::start(move |peer| {
        peer.upgrade();
        peer.text(r#"0{"sid":"raw","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#);
        let connect = peer.next_frame();
        assert_eq!(connect, Some((BINARY, b"\x82\xa4type\x00\xa3nsp\xa5/room".to_vec())));
        peer.binary(answer);
        peer.binary(b"\x83\xa4type\x02\xa3nsp\xa5/room\xa4data\x92\xa2hi\x05");
        peer.receive_all();
    });
    let client = TestClient::new(with(raw_options(&server), json!({ "parser": "msgpack" })));
    let connect = client.wait("connect").json;
    assert_eq!((&connect["protocol"], &connect["sid"]), (&json!(4), &json!("raw-1")));
    assert_eq!(client.wait("hi").json, 5);
}

#[test]
fn the_auth_arrives_where_the_generation_has_one() {
    let auth = json!({ "token": "ä\"b", "n": { "deep": [1, null] } });
    for generation in GENERATIONS {
        let server = server(generation, &[]);
        let client = TestClient::new(with(options(&server, "chat"), json!({ "auth": auth })));
        client.wait("connect");
        client.emit("handshake", &Value::Null);
        let seen = client.wait("handshake").json["auth"].clone();
        // The parser for 2.x would refuse a CONNECT that carries one.
        assert_eq!(seen, if generation == 4 { auth.clone() } else { Value::Null });
    }
}

#[test]
fn arguments_of_all_kinds_go_both_ways() {
    let all = json!([
        "ä€😀", "", "quote \" backslash \\", "\n\u{0}\u{1e}\u{2028}", 0, -1, 127, 128, -33, 65536, 4_294_967_296_i64,
        9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64, 0.1, 1.5e-7, true, false, null, [], {},
        { "a": { "ключ": [{ "": "x" }] }, "b": [[], {}] }, "x".repeat(70_000), vec![1; 70_000],
        { "_placeholder": false, "num": 0 }
    ]);
    for generation in GENERATIONS {
        let server = server(generation, &[]);
        let client = connected(&server, "chat");
        assert_eq!(client.emit_args("echo", &all, 0), 0, "{}", last_error());
        let back = client.wait("echo");
        assert_eq!(back.args, all);
        assert_eq!(back.json, all[0]);
        let outcomes = Outcomes::default();
        client.ask("echo", &all[20], 0, &outcomes);
        assert_eq!(outcome(&outcomes), (0, Some(all[20].clone())));
        client.emit("several", &Value::Null);
        assert_eq!(client.wait("several").args, json!([1, "two", { "three": 3 }, [4], null]));
        client.emit("no_args", &Value::Null);
        assert_eq!(client.wait("no_args").args, json!([]));
        client.emit("unicode", &Value::Null);
        assert_eq!(client.wait("unicode").args[4], "\u{0}\u{1e}\u{7f}");
    }
}

/// Numbers that JavaScript can't hold arrive as the ones that it makes of them.
#[test]
fn large_numbers_are_those_of_javascript() {
    for generation in GENERATIONS {
        let server = server(generation, &[]);
        let client = connected(&server, "chat");
        let numbers =
            json!([9_007_199_254_740_993_i64, u64::MAX, i64::MIN, i64::MIN + 1, 1.0, 1e300, -5e-324]);
        let numbers = numbers.as_array().unwrap();
        for number in numbers {
            assert_eq!(client.emit("number", number), 0);
        }
        // What the server's own parser makes of a number of 64 bits on its way back is no longer ours.
        let received = server.wait_received("number", numbers.len());
        let floats = |numbers: &[Value]| numbers.iter().map(|n| n.as_f64().unwrap()).collect::<Vec<_>>();
        assert_eq!(floats(&received), floats(numbers));
    }
}

#[test]
fn binary_values_come_as_attachments() {
    let expected = json!([
        { "_placeholder": true, "num": 0 },
        { "list": [{ "_placeholder": true, "num": 1 }, "x", { "deep": { "_placeholder": true, "num": 2 } }] }
    ]);
    let sizes = |blobs: &[Vec<u8>]| blobs.iter().map(Vec::len).collect::<Vec<_>>();
    for generation in GENERATIONS {
        let server = server(generation, &[]);
        let client = connected(&server, "chat");
        let blobs = blobs_of(&client, "binary");
        client.emit("binary", &Value::Null);
        assert_eq!(client.wait("binary").args, expected);
        let blobs = wait_for("the attachments", || blobs.lock().unwrap().first().cloned());
        assert_eq!(sizes(&blobs), [3, 0, 70_000]);
        assert_eq!((&blobs[0], blobs[2][69_999]), (&vec![1, 2, 3], 7));
    }
}

#[test]
fn the_server_asks_and_is_answered() {
    for generation in GENERATIONS {
        let server = server(generation, &[]);
        let client = connected(&server, "chat");
        client.emit("ask", &json!({ "why": "because" }));
        let question = client.wait("question");
        assert_eq!(question.json, json!({ "why": "because" }));
        let reply = |json: &str| {
            let json = c(json);
            // SAFETY: NUL-terminated.
            unsafe { im_client_reply(client.handle, question.ack_id, json.as_ptr()) }
        };
        // What can't be said is named, and does not use up the answer.
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert_eq!(reply(&deep), JSON);
        assert!(last_error().contains("msgpack"), "{}", last_error());
        assert_eq!(reply("[1,\"two\"]"), 0, "{}", last_error());
        assert_eq!(client.wait("answered").json, json!([1, "two"]));
        assert_ne!(reply("1"), 0, "one answer");
    }
}

#[test]
fn what_can_not_be_said_is_named_and_not_sent() {
    let server = server(4, &[]);
    let client = connected(&server, "chat");
    let deep = c(&("[".repeat(200) + &"]".repeat(200)));
    let event = c("deep");
    // SAFETY: NUL-terminated.
    assert_eq!(unsafe { im_client_emit(client.handle, event.as_ptr(), deep.as_ptr()) }, JSON);
    assert!(last_error().contains("msgpack"), "{}", last_error());
    works(&client);
    assert!(server.received("deep").is_empty());
    assert_eq!(client.info()["pendingRequests"], 0);
}

#[test]
fn much_comes_complete_and_in_order() {
    for generation in GENERATIONS {
        let server = server(generation, &[]);
        let client = connected(&server, "chat");
        (0..300).for_each(|n| assert_eq!(client.emit("mine", &json!(n)), 0));
        client.emit("burst", &json!(300));
        client.emit_args("flood", &json!([100, 20_000]), 0);
        client.wait_nth("flood", 100);
        let count = |name: &str| client.all(name).iter().map(|n| n.as_u64().unwrap()).collect::<Vec<_>>();
        assert_eq!(count("burst"), (0..300).collect::<Vec<_>>());
        let flood: Vec<Value> = client.all("flood").iter().map(|item| item["i"].clone()).collect();
        assert_eq!(flood, (0..100).map(Value::from).collect::<Vec<_>>());
        let mine = server.wait_received("mine", 300);
        assert_eq!(mine, (0..300).map(Value::from).collect::<Vec<_>>());
    }
}

#[test]
fn two_users_chat() {
    for generation in GENERATIONS {
        let server = server(generation, &[]);
        let user = |id: &str| {
            let query = json!({ "query": { "token": "t", "userId": id } });
            let client = TestClient::new(with(options(&server, "chat"), query));
            client.wait("connect");
            client
        };
        let (ann, bob) = (user("ann"), user("bob"));
        let message =
            json!({ "type": 1, "from": "ann", "to": "bob", "content": "hi 😀", "typeu": 1, "fp": "f1" });
        let outcomes = Outcomes::default();
        ann.send_message(&message, 0, &outcomes);
        assert_eq!(outcome(&outcomes).0, 0);
        assert_eq!(bob.wait("c_message").json["data"]["payload"]["content"], "hi 😀");
        // The library's own packets, a pull and a receipt, are of that parser too.
        server.wait_received("c_message_ack", 1);
    }
}

#[test]
fn refusals_and_ends_are_told() {
    for generation in GENERATIONS {
        let server = server(generation, &[]);
        let client = TestClient::new(options(&server, "refused"));
        assert_eq!(client.wait("connect_error").json["message"], "refused by the server");
        let client = connected(&server, "chat");
        client.emit("disconnect_me", &Value::Null);
        assert_eq!(client.wait("disconnect").json["reason"], "io server disconnect");
        let client = connected(&server, "sso");
        client.close();
        // The server hears of the namespace's end before it hears of the transport's.
        wait_until("the goodbye", || {
            server.stats()["disconnects"]["/sso"]["client namespace disconnect"] == 1
        });
    }
}

#[test]
fn a_lost_connection_comes_back() {
    for generation in GENERATIONS {
        let server = server(generation, &["--ping-interval", "50", "--ping-timeout", "5000"]);
        let client = TestClient::new(with(options(&server, "chat"), json!({ "reconnectionDelay": 10 })));
        client.wait("connect");
        server.post("/control/drop", json!({}));
        client.wait_nth("connect", 2);
        works(&client);
        let beat = if generation == 2 { "ping" } else { "pong" };
        wait_until("heartbeats", || server.stats()["packetsReceived"][beat].as_u64() > Some(3));
    }
}

/// The wrong parser, either way: the error says which option is at fault.
#[test]
fn the_wrong_parser_is_named() {
    for generation in GENERATIONS {
        for (on_server, ours) in [("default", "msgpack"), ("msgpack", "default")] {
            let server = socketio(generation, &["--parser", on_server]);
            let more = json!({ "parser": ours, "reconnection": false });
            let client = TestClient::new(with(options(&server, "chat"), more));
            let error = client.wait("connect_error").json;
            let message = error["message"].as_str().unwrap();
            // A 4.x server with another parser than the default one just closes.
            if ours == "msgpack" || generation == 2 {
                assert!(message.contains("\"parser\""), "{generation}, {ours}: {message}");
            }
        }
    }
}

#[test]
fn what_is_no_packet_ends_the_connection() {
    let connected = b"\x83\xa4type\x00\xa3nsp\xa5/room\xa4data\x81\xa3sid\xa1s";
    for (bad, fault) in [
        (&b"\xc1"[..], "the byte c1"),
        (b"\x04", "something else than a map"),
        (b"\x83\xa4type\x02\xa3nsp\xa5/room\xa4data\x92\xa1a\x81\x01\x02", "a key that is no string"),
        (b"\x83\xa4type\x02\xa3nsp\xa5/room\xa4data\x91\xdd\xff\xff\xff\xff", "cut short"),
        (b"\x83\xa4type\x02\xa3nsp\xa5/room\xa4data\x91\xc0", "no valid JSON for it"),
        (b"", "cut short"),
    ] {
        let server = RawServer::start(move |peer| {
            peer.upgrade();
            peer.open(4);
            peer.next_frame();
            peer.binary(connected);
            peer.binary(bad);
            peer.receive_all();
        });
        let more = json!({ "parser": "msgpack", "reconnection": false });
        let client = TestClient::new(with(raw_options(&server), more));
        let loss = client.wait("disconnect").json;
        assert_eq!(loss["reason"], "parse error");
        let description = loss["description"].as_str().unwrap();
        assert!(description.contains(fault), "{bad:?}: {description}");
    }
}
