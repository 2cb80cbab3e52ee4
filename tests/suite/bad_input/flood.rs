//! Servers that send without an end. All clients of the process share the network thread: the flood of one server holds up
//! neither another client nor the client's own clocks, and fills no memory. These tests have a process for themselves: other
//! tests share this one's network thread.

use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc,
};

use serde_json::{json, Value};

use super::{options, with};
use crate::support::*;

/// `IM_ERROR_TIMEOUT`.
const TIMEOUT: i32 = -8;

/// What may come without an end and break no rule.
fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| frame(TEXT, text.as_bytes());
    // A debug build reads ten packets in a millisecond: of smaller ones a turn would have thousands.
    let packet = |start: &str| text(&format!("{start}[\"{}\"]", "x".repeat(100)));
    vec![
        ("empty fragments", fragment(CONTINUATION, b"")),
        ("WebSocket pongs", frame(0xa, b"")),
        ("WebSocket pings", frame(PING, b"")),
        ("noops", text("6")),
        ("pings", text("2")),
        ("unasked acknowledgements", packet("43/room,77")),
        ("another namespace", packet("42/elsewhere,")),
    ]
}

/// Sends without an end what `floods` has of this name, while the script reads what the client sends.
fn flood(peer: &mut Peer, name: &str) -> Flood {
    let (_, unit) = floods().into_iter().find(|(known, _)| *known == name).expect("a flood of this name");
    if name == "empty fragments" {
        peer.write(fragment(TEXT, b"42/room,[\"begun\","));
    }
    peer.flood(&unit)
}

/// A server of 2.x, so that the client beats, which floods from the connect on and reads.
fn flooding_server(name: &'static str) -> RawServer {
    RawServer::start(move |peer| {
        peer.upgrade();
        peer.text(r#"0{"sid":"raw","upgrades":[],"pingInterval":50,"pingTimeout":600000}"#);
        peer.join(2);
        let _flood = flood(peer, name);
        peer.receive_all();
    })
}

/// A server that answers every question.
fn good_server() -> RawServer {
    RawServer::start(|peer| {
        peer.connect(4);
        while let Some(text) = peer.receive() {
            let id: String =
                text["42/room,".len().min(text.len())..].chars().take_while(char::is_ascii_digit).collect();
            if !id.is_empty() {
                peer.text(&format!("43/room,{id}[\"answer\"]"));
            }
        }
    })
}

#[track_caller]
fn asks(client: &TestClient, what: &str) {
    let outcomes = Outcomes::default();
    client.ask("question", &json!(what), 0, &outcomes);
    assert_eq!(outcome(&outcomes), (0, Some(json!("answer"))), "{what}");
}

/// Its own heartbeat and its own timeouts are on time, another client works, and its end is heard.
fn holds_nothing_up(name: &'static str, multiplex: bool) {
    let (server, good) = (flooding_server(name), good_server());
    let other = TestClient::new(options(&good.root()));
    other.wait("connect");
    let hit = TestClient::new(with(options(&server.root()), &json!({ "multiplex": multiplex })));
    hit.wait("connect");
    wait_until(&format!("its heartbeat, with {name}"), || !server.frames_with("2").is_empty());
    let outcomes = Outcomes::default();
    hit.ask("question", &json!("nobody answers"), 50, &outcomes);
    assert_eq!(outcome(&outcomes).0, TIMEOUT, "{name}");
    for _ in 0..3 {
        asks(&other, name);
    }
    assert_eq!((hit.count("disconnect"), other.count("disconnect")), (0, 0), "{name}: {:?}", hit.events());
    hit.close();
    hit.wait("disconnect");
    wait_until(&format!("its end, with {name}"), || server.ended() == 1);
}

#[test]
fn a_flood_holds_nothing_up() {
    alone("bad_input::flood::a_flood_holds_nothing_up", || {
        for (name, _) in floods() {
            holds_nothing_up(name, false);
        }
    });
}

#[test]
fn a_flood_on_a_shared_connection_holds_nothing_up() {
    alone("bad_input::flood::a_flood_on_a_shared_connection_holds_nothing_up", || {
        for (name, _) in floods() {
            holds_nothing_up(name, true);
        }
    });
}

/// In the handshake the connect timeout ends it, in the words of a silence.
#[test]
fn a_flood_before_the_connect_ends_with_the_timeout() {
    alone("bad_input::flood::a_flood_before_the_connect_ends_with_the_timeout", || {
        for (open, names) in
            [(false, ["empty fragments", "WebSocket pings"]), (true, ["empty fragments", "noops"])]
        {
            for name in names {
                let server = RawServer::start(move |peer| {
                    peer.upgrade();
                    if open {
                        peer.open(4);
                        peer.receive_until("40/room");
                    }
                    let _flood = flood(peer, name);
                    peer.drain();
                });
                // Enough to get there in, whatever else the machine does.
                let once = json!({ "timeout": 2000, "reconnection": false });
                let client = TestClient::new(with(options(&server.root()), &once));
                let attempt = &client.wait("connect_error").json["attempts"][0];
                assert_eq!(attempt["step"], if open { "namespace" } else { "open" }, "{name}: {attempt}");
                assert!(
                    attempt["message"].as_str().expect("a message").contains("2000 ms"),
                    "{name}: {attempt}"
                );
                wait_until("the end of the connection", || server.ended() == 1);
            }
        }
    });
}

/// A server that pings and reads no pong: the pile of pongs has a bound, beyond which the connection ends.
#[test]
fn websocket_pings_whose_pongs_nobody_reads_end_the_connection() {
    alone("bad_input::flood::websocket_pings_whose_pongs_nobody_reads_end_the_connection", || {
        for generation in [2, 4] {
            let gone = Arc::<AtomicBool>::default();
            let told = gone.clone();
            let server = RawServer::narrow(move |peer| {
                if peer.number > 1 {
                    return peer.behave(generation);
                }
                peer.connect(generation);
                peer.flood(&frame(PING, &[b'x'; 125])).finish();
                told.store(true, Ordering::Release);
            });
            let client = TestClient::new(options(&server.root()));
            let loss = client.wait("disconnect").json;
            assert_eq!(loss["reason"], "transport error", "{loss}");
            let description = loss["description"].as_str().expect("a description");
            assert!(description.contains("1024 pings and read no answer"), "{description}");
            wait_until("the end of the flood", || gone.load(Ordering::Acquire));
            client.wait("reconnect");
        }
    });
}

/// The same with pings of Engine.IO: the connection lives. That of the pongs that wait there is one, `session_tests.rs` shows.
#[test]
fn pings_whose_pongs_nobody_reads_do_no_harm() {
    alone("bad_input::flood::pings_whose_pongs_nobody_reads_do_no_harm", || {
        const PINGS: u64 = 20_000;
        for (generation, multiplex) in [(2, false), (2, true), (4, false), (4, true)] {
            let server = RawServer::narrow(move |peer| {
                peer.connect(generation);
                peer.flood_with(&frame(TEXT, b"2"), PINGS).finish();
                peer.text("42/room,[\"flooded\"]");
                // Only now it reads.
                peer.wait_for_connections(2);
                peer.receive_all();
            });
            let client = TestClient::new(with(options(&server.root()), &json!({ "multiplex": multiplex })));
            client.wait("flooded");
            drop(std::net::TcpStream::connect(("127.0.0.2", server.port())).expect("the server listens"));
            client.emit("last", &json!(1));
            wait_until("what was sent behind the pongs", || {
                !server.frames_with("42/room,[\"last\"").is_empty()
            });
            assert_eq!(client.count("disconnect"), 0);
        }
    });
}

/// A frame that never ends, byte by byte: no heartbeat is among it.
#[test]
fn a_frame_that_drips_without_an_end_is_silence() {
    for generation in [2, 4] {
        let server = RawServer::start(move |peer| {
            if peer.number > 1 {
                return peer.behave(generation);
            }
            peer.upgrade();
            let mut packet = open_packet(generation);
            packet["pingInterval"] = json!(1000);
            packet["pingTimeout"] = json!(1000);
            peer.text(&format!("0{packet}"));
            peer.join(generation);
            peer.write(frame_head(0x81, 1 << 20));
            let _drip = peer.drip(b'x', 5);
            peer.drain();
        });
        let client = TestClient::new(options(&server.root()));
        let loss: Value = client.wait("disconnect").json;
        assert_eq!(loss["reason"], "ping timeout", "{loss}");
        client.wait("reconnect");
    }
}
