//! Which generation the server is of, found out with exactly one CONNECT and without a ping.

use serde_json::{json, Value};

use super::{fresh, raw_options, with, works};
use crate::support::*;

/// Connects with default options; gives what the client says of the connection and what the server saw.
fn connect_by_default(start: impl Fn() -> Server, nsp: &str) -> (Value, Value) {
    let (server, root) = fresh(start);
    let client =
        TestClient::new(json!({ "root": root, "nsp": nsp, "query": { "token": "t-1", "userId": "u1" } }));
    let connected = client.wait("connect").json;
    (connected, server.stats())
}

#[test]
fn socket_io_2_is_found_out() {
    let (connected, stats) = connect_by_default(|| socketio(2, &[]), "chat");
    assert_eq!(connected["protocol"], 3);
    assert_eq!(stats["connectPackets"], json!(["40/chat,"]));
    assert_eq!((&stats["engines"], &stats["connects"]["/chat"]), (&json!(1), &json!(1)));
    let sid = connected["sid"].as_str().unwrap();
    assert!(sid.starts_with("/chat#"), "{sid}");
}

#[test]
fn socket_io_4_is_found_out() {
    let (connected, stats) = connect_by_default(|| socketio(4, &[]), "chat");
    assert_eq!(connected["protocol"], 4);
    assert_eq!(stats["connectPackets"], json!(["40/chat,"]));
    assert_eq!((&stats["engines"], &stats["connects"]["/chat"]), (&json!(1), &json!(1)));
    assert_eq!(stats["packetsReceived"]["ping"], Value::Null);
}

#[test]
fn egg_is_found_out() {
    let (connected, stats) = connect_by_default(|| egg(&[]), "chat");
    assert_eq!(connected["protocol"], 3);
    assert_eq!(connected["path"], "/ws");
    assert_eq!(stats["connectPackets"], json!(["40/chat,"]));
    assert_eq!((&stats["engines"], &stats["connects"]["/chat"]), (&json!(1), &json!(1)));
}

/// An asynchronous middleware holds back the answers and 2.x's own `40`. The server's short ping interval shows that nothing
/// is sent meanwhile but the one CONNECT.
fn a_late_answer_does_not_matter(generation: u32, nsp: &str, connects: Value) {
    let flags = ["--connect-delay", "700", "--ping-interval", "100", "--ping-timeout", "10000"];
    let server = socketio(generation, &flags);
    let client = TestClient::new(json!({ "root": server.root(), "nsp": nsp, "path": "/socket.io" }));
    let connected = client.wait("connect").json;
    assert_eq!(connected["protocol"], json!(if generation == 2 { 3 } else { 4 }));
    works(&client);
    let stats = server.stats();
    assert_eq!(stats["connectPackets"], connects, "{stats}");
    assert_eq!((&stats["engines"], &stats["upgrades"]), (&json!(1), &json!(1)), "{stats}");
    if generation == 4 {
        assert_eq!(stats["packetsReceived"]["ping"], Value::Null, "{stats}");
    }
}

#[test]
fn a_late_connect_of_socket_io_2() {
    a_late_answer_does_not_matter(2, "chat", json!(["40/chat,"]));
}

#[test]
fn a_late_connect_of_socket_io_4() {
    a_late_answer_does_not_matter(4, "chat", json!(["40/chat,"]));
}

#[test]
fn a_late_root_of_socket_io_2_is_waited_for() {
    a_late_answer_does_not_matter(2, "/", json!([]));
}

#[test]
fn a_late_root_of_socket_io_4() {
    a_late_answer_does_not_matter(4, "/", json!(["40"]));
}

#[test]
fn the_root_of_socket_io_2_is_connected_without_asking() {
    let (connected, stats) = connect_by_default(|| socketio(2, &[]), "/");
    assert_eq!(connected["protocol"], 3);
    assert_eq!((&stats["connectPackets"], &stats["connects"]["/"]), (&json!([]), &json!(1)));
}

#[test]
fn the_root_of_socket_io_4_is_asked_for() {
    let (connected, stats) = connect_by_default(|| socketio(4, &[]), "/");
    assert_eq!(connected["protocol"], 4);
    assert_eq!((&stats["connectPackets"], &stats["connects"]["/"]), (&json!(["40"]), &json!(1)));
}

#[test]
fn a_root_without_max_payload_is_asked_for_after_a_wait() {
    // Socket.IO 3.0 to 4.4: no `maxPayload`, and no `40` by itself.
    let server = RawServer::start(|peer| {
        peer.upgrade();
        peer.text(r#"0{"sid":"raw","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#);
        peer.join(4);
        peer.receive_all();
    });
    let client = TestClient::new(with(raw_options(&server), json!({ "nsp": "/" })));
    let connected = client.wait("connect").json;
    assert_eq!((&connected["protocol"], &connected["sid"]), (&json!(4), &json!("raw-1")));
    assert_eq!(server.frames_with("40"), ["40"]);
}

#[test]
fn nothing_but_the_connect_is_sent_before_the_decision() {
    let server = RawServer::start(|peer| {
        peer.upgrade();
        // With this interval a client that believes in revision 3 too early pings at once.
        peer.text(r#"0{"sid":"raw","upgrades":[],"pingInterval":20,"pingTimeout":5000}"#);
        peer.receive_until("40/room");
        pause(150);
        peer.text("40/room,{\"sid\":\"decided\"}");
        peer.receive_all();
    });
    let client = TestClient::new(raw_options(&server));
    assert_eq!(client.wait("connect").json["protocol"], 4);
    client.emit("after", &json!(1));
    wait_until("the emit", || !server.frames_with("42/room").is_empty());
    let frames: Vec<String> = server.frames().into_iter().map(|frame| frame.text).collect();
    assert_eq!(frames, ["40/room,", "42/room,[\"after\",1]"]);
}

fn as_told(generation: u32, protocol: u32, nsp: &str, connects: &Value) {
    let server = socketio(generation, &[]);
    let client = TestClient::new(json!({
        "root": server.root(), "nsp": nsp, "path": "/socket.io", "protocol": protocol, "query": { "token": "a b" }
    }));
    assert_eq!(client.wait("connect").json["protocol"], protocol);
    let outcomes = client.count("connect");
    assert_eq!(outcomes, 1);
    client.emit("handshake", &Value::Null);
    let handshake = client.wait("handshake").json;
    assert_eq!((&handshake["eio"], &handshake["query"]["token"]), (&json!(protocol), &json!("a b")));
    assert_eq!(&server.stats()["connectPackets"], connects);
}

#[test]
fn protocol_3_is_taken_as_told() {
    // Revision 3 puts the query into its CONNECT too, as the official client does.
    as_told(2, 3, "chat", &json!(["40/chat?token=a%20b&deviceType=desktop,"]));
}

#[test]
fn protocol_3_is_taken_as_told_for_the_root() {
    as_told(2, 3, "/", &json!([]));
}

#[test]
fn protocol_4_is_taken_as_told() {
    as_told(4, 4, "chat", &json!(["40/chat,"]));
    as_told(4, 4, "/", &json!(["40"]));
}

/// The wrong protocol: an error that names the option.
fn wrong_protocol(generation: u32, protocol: u32, nsp: &str, path: Option<&str>) {
    let server = socketio(generation, &[]);
    let mut options =
        json!({ "root": server.root(), "nsp": nsp, "protocol": protocol, "reconnection": false });
    if let Some(path) = path {
        options["path"] = path.into();
    }
    let client = TestClient::new(options);
    let error = client.wait("connect_error").json;
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("\"protocol\""), "{message}");
    assert_eq!(client.count("connect"), 0);
}

#[test]
fn protocol_4_on_socket_io_2_is_named() {
    wrong_protocol(2, 4, "chat", Some("/socket.io"));
}

#[test]
fn protocol_4_on_the_root_of_socket_io_2_is_named() {
    wrong_protocol(2, 4, "/", Some("/socket.io"));
}

#[test]
fn protocol_3_on_socket_io_4_is_named() {
    wrong_protocol(4, 3, "chat", Some("/socket.io"));
}

#[test]
fn protocol_3_on_socket_io_4_is_named_by_the_search_too() {
    wrong_protocol(4, 3, "chat", None);
}

#[test]
fn a_server_that_refuses_revision_4_is_asked_for_3() {
    let server = socketio(2, &["--refuse-eio4"]);
    let client = TestClient::new(json!({ "root": server.root(), "nsp": "chat", "path": "/socket.io" }));
    assert_eq!(client.wait("connect").json["protocol"], 3);
    works(&client);
    let stats = server.stats();
    let urls: Vec<&str> =
        stats["upgradeUrls"].as_array().unwrap().iter().map(|url| url.as_str().unwrap()).collect();
    assert_eq!(urls.len(), 2, "{urls:?}");
    assert!(urls[0].contains("EIO=4") && urls[1].contains("EIO=3"), "{urls:?}");
    assert_eq!((&stats["engines"], &stats["connects"]["/chat"]), (&json!(1), &json!(1)));
}

#[test]
fn a_refused_revision_is_remembered() {
    let (server, root) = fresh(|| socketio(2, &["--refuse-eio4", "--refuse-other-upgrades", "404"]));
    let first = TestClient::connect(&root, "chat", json!({}));
    first.wait("connect");
    let before = server.stats()["upgrades"].as_u64().unwrap();
    let second = TestClient::connect(&root, "chat", json!({}));
    assert_eq!(second.wait("connect").json["protocol"], 3);
    let stats = server.stats();
    assert_eq!(stats["upgrades"], before + 1, "{stats}");
    let last = stats["upgradeUrls"].as_array().unwrap().last().unwrap().as_str().unwrap();
    assert!(last.starts_with("/socket.io/?EIO=3"), "{last}");
}

#[test]
fn a_contradiction_of_the_server_is_not_blamed_on_the_option() {
    // `maxPayload` says 4, the answer to the CONNECT says 2.x; the caller said nothing.
    let server = RawServer::start(|peer| {
        peer.upgrade();
        peer.open(4);
        peer.join(2);
        peer.receive_all();
    });
    let client = TestClient::new(with(raw_options(&server), json!({ "reconnection": false })));
    let error = client.wait("connect_error").json;
    let message = error["message"].as_str().unwrap();
    assert!(!message.contains("option"), "{message}");
}
