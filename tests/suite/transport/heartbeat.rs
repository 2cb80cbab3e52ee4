//! Who pings whom, and what becomes of a server that falls silent.

use serde_json::{json, Value};

use super::{raw_options, works};
use crate::support::*;

fn beats(generation: u32) -> u64 {
    let server = socketio(generation, &["--ping-interval", "60", "--ping-timeout", "5000"]);
    let client = TestClient::new(json!({ "root": server.root(), "nsp": "chat", "path": "/socket.io" }));
    client.wait("connect");
    let (ours, theirs) = if generation == 2 { ("ping", "pong") } else { ("pong", "ping") };
    let beats = wait_for("several heartbeats", || {
        server.stats()["packetsReceived"][ours].as_u64().filter(|beats| *beats >= 5)
    });
    works(&client);
    let stats = server.stats();
    assert!(stats["packetsSent"][theirs].as_u64() >= Some(5), "{stats}");
    assert_eq!(stats["packetsReceived"][theirs], Value::Null, "{stats}");
    assert_eq!((client.count("connect"), client.count("disconnect")), (1, 0));
    beats
}

#[test]
fn the_client_pings_socket_io_2() {
    assert!(beats(2) >= 5);
}

#[test]
fn the_client_only_answers_the_pings_of_socket_io_4() {
    assert!(beats(4) >= 5);
}

fn silence_is_a_ping_timeout(generation: u32) {
    let server = socketio(generation, &["--ping-interval", "100", "--ping-timeout", "1000"]);
    let options = json!({
        "root": server.root(), "nsp": "chat", "path": "/socket.io", "reconnectionDelay": 50, "reconnectionDelayMax": 50
    });
    let client = TestClient::new(options);
    client.wait("connect");
    server.post("/control/pause", json!({}));
    let lost = client.wait("disconnect").json;
    assert_eq!((&lost["reason"], &lost["willReconnect"]), (&json!("ping timeout"), &json!(true)));
    server.post("/control/resume", json!({}));
    client.wait("reconnect");
    works(&client);
}

#[test]
fn a_silent_socket_io_2_is_a_ping_timeout() {
    silence_is_a_ping_timeout(2);
}

#[test]
fn a_silent_socket_io_4_is_a_ping_timeout() {
    silence_is_a_ping_timeout(4);
}

/// A 2.x server that answers no ping but sends other packets is alive.
#[test]
fn any_packet_keeps_a_connection_of_revision_3_alive() {
    let server = RawServer::start(|peer| {
        peer.upgrade();
        peer.text(r#"0{"sid":"raw","upgrades":[],"pingInterval":20,"pingTimeout":2000}"#);
        peer.join(2);
        for beat in 0..10 {
            if !peer.receive_until("2") {
                return;
            }
            peer.text(&format!("42/room,[\"beat\",{beat}]"));
        }
        peer.receive_all();
    });
    let client = TestClient::new(raw_options(&server));
    client.wait_nth("beat", 10);
    assert_eq!((client.count("connect"), client.count("disconnect")), (1, 0));
    assert!(server.frames_with("2").iter().all(|frame| frame == "2"));
}

/// A server of generation 4 that sends events but no ping is dead: its heartbeat is what says that it reads us.
#[test]
fn events_do_not_replace_the_pings_of_revision_4() {
    let server = RawServer::start(|peer| {
        peer.upgrade();
        let open =
            r#"0{"sid":"raw","upgrades":[],"pingInterval":150,"pingTimeout":150,"maxPayload":1000000}"#;
        peer.text(open);
        peer.join(4);
        let first = peer.number == 1;
        for _ in 0..60 {
            peer.text(if first { "42/room,[\"noise\"]" } else { "2" });
            pause(10);
        }
        peer.receive_all();
    });
    let client = TestClient::new(raw_options(&server));
    assert_eq!(client.wait("disconnect").json["reason"], "ping timeout");
    assert!(client.count("noise") > 0);
    client.wait("reconnect");
}

#[test]
fn a_ping_of_the_websocket_is_answered() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
        peer.write(frame(PING, b"are you there"));
        while let Some((opcode, payload)) = peer.next_frame() {
            if opcode == 10 && payload == b"are you there" {
                peer.text("42/room,[\"ponged\"]");
            }
        }
    });
    let client = TestClient::new(raw_options(&server));
    client.wait("ponged");
}
