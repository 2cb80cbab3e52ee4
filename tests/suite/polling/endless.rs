//! Answers to long-polling that have no end or are made to cost much: the client says what came, and holds nothing up.

use serde_json::{json, Value};

use super::{with, GENERATIONS};
use crate::support::*;

fn room(server: &PollingServer) -> Value {
    json!({ "root": server.root(), "nsp": "room", "path": "/ws", "transports": ["polling"],
            "reconnectionDelay": 10, "reconnectionDelayMax": 30 })
}

/// Does this in place of an answer to the n-th request of a kind, once; then all is good.
fn once(
    generation: u32,
    (kind, nth): (TurnKind, usize),
    fault: impl Fn(&mut Turn<'_>) + Send + Sync + 'static,
) -> (PollingServer, TestClient) {
    let server = PollingServer::start(generation, move |turn| match (turn.kind, turn.nth) == (kind, nth) {
        true => {
            fault(turn);
            turn.hang_up();
        }
        false => turn.behave(),
    });
    let client = TestClient::new(room(&server));
    (server, client)
}

/// A GET of a session that stands is answered so: the loss says this, and the client comes back.
#[track_caller]
fn a_get_ends_with(says: &[&str], fault: impl Fn(&mut Turn<'_>) + Send + Sync + Clone + 'static) {
    for generation in GENERATIONS {
        let (_server, client) = once(generation, (TurnKind::Poll, 2), fault.clone());
        let loss = client.wait("disconnect").json;
        assert_eq!(loss["reason"], "transport error", "{loss}");
        let description = loss["description"].as_str().expect("a description");
        for words in says {
            assert!(description.contains(words), "{words:?} is not in {description:?} ({generation})");
        }
        client.wait("reconnect");
    }
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

#[test]
fn interim_answers_without_an_end_are_named() {
    const SAYS: &str = "more than 100 interim answers";
    let endless = |turn: &mut Turn<'_>| turn.flood(b"HTTP/1.1 103 Early Hints\r\n\r\n").finish();
    a_get_ends_with(&["GET", SAYS], endless);
    for generation in GENERATIONS {
        let (_server, client) = once(generation, (TurnKind::Open, 1), endless);
        let error = client.wait("connect_error").json;
        assert_eq!(error["attempts"][0]["step"], "upgrade", "{error}");
        assert!(error["message"].as_str().expect("a message").contains(SAYS), "{error}");
        client.wait("connect");
        let (_server, client) = once(generation, (TurnKind::Post, 2), endless);
        client.wait("connect");
        client.emit("n", &json!(1));
        let loss = client.wait("disconnect").json;
        assert!(loss["description"].as_str().expect("a description").contains(SAYS), "{loss}");
        client.wait("reconnect");
    }
}

/// A few are passed over, as HTTP wants.
#[test]
fn some_interim_answers_do_no_harm() {
    for generation in GENERATIONS {
        let server = PollingServer::start(generation, |turn| {
            turn.write(b"HTTP/1.1 102 Processing\r\n\r\n".repeat(3));
            turn.behave();
        });
        let client = TestClient::new(room(&server));
        client.wait("connect");
        server.push("42/room,[\"n\",1]");
        client.wait("n");
        assert_eq!(client.count("disconnect"), 0);
    }
}

#[test]
fn headers_without_an_end_are_refused() {
    a_get_ends_with(&["no HTTP answer came"], |turn| {
        turn.write(HEAD);
        turn.flood(b"X-Endless: 1\r\n").finish();
    });
    a_get_ends_with(&["no HTTP answer came"], |turn| {
        turn.write(HEAD);
        turn.write("X-Endless: ");
        turn.flood(b"x").finish();
    });
}

#[test]
fn chunks_that_lie_are_refused() {
    let chunked = |rest: &'static [u8]| {
        move |turn: &mut Turn<'_>| {
            turn.write(HEAD);
            turn.write("Transfer-Encoding: chunked\r\n\r\n");
            turn.write(rest);
        }
    };
    let endless = |rest: &'static [u8], unit: &'static [u8]| {
        move |turn: &mut Turn<'_>| {
            chunked(rest)(turn);
            turn.flood(unit).finish();
        }
    };
    const BROKE_OFF: [&str; 1] = ["broke off"];
    a_get_ends_with(&BROKE_OFF, endless(b"1;", b"extension=1;"));
    a_get_ends_with(&BROKE_OFF, endless(b"1\r\n6\r\n0\r\n", b"X-Trailer: 1\r\n"));
    a_get_ends_with(&BROKE_OFF, chunked(b"fffffffffffffffff\r\n"));
    a_get_ends_with(&BROKE_OFF, chunked(b"-1\r\n6\r\n0\r\n\r\n"));
    a_get_ends_with(&BROKE_OFF, chunked(b"7fffffffffffffff\r\n6"));
}

#[test]
fn lengths_that_lie_are_refused() {
    for (length, says) in [
        ("9223372036854775807", "broke off"),
        ("18446744073709551616", "no HTTP answer came"),
        ("-1", "no HTTP answer came"),
        ("1\r\nContent-Length: 2", "no HTTP answer came"),
    ] {
        a_get_ends_with(&[says], move |turn| {
            turn.write(HEAD);
            turn.write(format!("Content-Length: {length}\r\n\r\n6"));
        });
    }
}

/// More than was announced: the rest is no answer to the next request.
#[test]
fn bytes_behind_an_answer_are_no_answer() {
    for generation in GENERATIONS {
        let (server, client) = once(generation, (TurnKind::Poll, 2), move |turn| {
            let noop = if generation == 2 { "1:6" } else { "6" };
            let event = if generation == 2 { "18:42/room,[\"forged\"]" } else { "42/room,[\"forged\"]" };
            let answer = |body: &str| format!("{HEAD}Content-Length: {}\r\n\r\n{body}", body.len());
            turn.write(answer(noop) + &answer(event));
            turn.drain();
        });
        client.wait("connect");
        wait_until("the next GET", || server.came(TurnKind::Poll) >= 3 || client.count("disconnect") > 0);
        server.push("42/room,[\"n\",1]");
        client.wait("n");
        assert_eq!(client.count("forged"), 0);
    }
}

/// Redirects are not followed, so no ring of them is either.
#[test]
fn a_redirect_to_itself_is_asked_once() {
    let server =
        PollingServer::start(4, |turn| turn.answer(&HttpAnswer::redirect("/ws/?EIO=4&transport=polling")));
    let client = TestClient::new(with(room(&server), json!({ "reconnection": false })));
    let error = client.wait("connect_error").json;
    assert!(error["message"].as_str().expect("a message").contains("302"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

/// Byte after byte, or a chunk whose length is zeros without an end: nothing to work with, so the heartbeat ends it.
#[test]
fn an_answer_that_never_ends_is_silence() {
    alone("polling::endless::an_answer_that_never_ends_is_silence", || {
        for (generation, drips) in GENERATIONS.into_iter().flat_map(|known| [(known, true), (known, false)]) {
            let server = PollingServer::start(generation, move |turn| match (turn.kind, turn.nth) {
                (TurnKind::Open, _) => turn.open_with(&json!({ "pingInterval": 1000, "pingTimeout": 1000 })),
                (TurnKind::Poll, 2) => {
                    turn.write(HEAD);
                    let framing =
                        if drips { "Content-Length: 1000000" } else { "Transfer-Encoding: chunked" };
                    turn.write(format!("{framing}\r\n\r\n"));
                    let _endless = if drips { turn.drip(b'6', 5) } else { turn.flood(b"0") };
                    turn.drain();
                    turn.hang_up();
                }
                _ => turn.behave(),
            });
            let client = TestClient::new(room(&server));
            let loss = client.wait("disconnect").json;
            assert_eq!(loss["reason"], "ping timeout", "{loss}");
            client.wait("reconnect");
        }
    });
}

#[test]
fn an_answer_of_many_packets_is_read_to_its_end() {
    const PACKETS: usize = 30_000;
    for generation in GENERATIONS {
        let server = PollingServer::start(generation, move |turn| match (turn.kind, turn.nth) {
            (TurnKind::Poll, 2) => {
                let packet = if generation == 2 { "1:6" } else { "6\u{1e}" };
                let last = if generation == 2 { "16:42/room,[\"last\"]" } else { "42/room,[\"last\"]" };
                turn.answer(&HttpAnswer::payload(packet.repeat(PACKETS) + last));
            }
            _ => turn.behave(),
        });
        let client = TestClient::new(room(&server));
        client.wait("last");
        assert_eq!(client.count("disconnect"), 0);
        server.push("42/room,[\"n\",1]");
        client.wait("n");
    }
}

#[test]
fn sessions_with_giant_names_are_refused() {
    for generation in GENERATIONS {
        let server = PollingServer::start(generation, |turn| match (turn.kind, turn.nth) {
            (TurnKind::Open, 1) => turn.open_with(&json!({ "sid": "s".repeat(2000) })),
            (TurnKind::Open, 2) => turn.open_with(&json!({ "upgrades": "u".repeat(100_000) })),
            _ => turn.behave(),
        });
        let client = TestClient::new(room(&server));
        for (nth, says) in [(1, "\"sid\" of more than 1024 bytes"), (2, "more than 65536")] {
            let error = client.wait_nth("connect_error", nth).json;
            assert_eq!(error["attempts"][0]["step"], "open", "{error}");
            assert!(error["message"].as_str().expect("a message").contains(says), "{error}");
        }
        client.wait("connect");
    }
}

/// The WebSocket that is to take over is flooded with pings: the upgrade ends, long-polling goes on.
#[test]
fn pings_without_an_end_on_the_probe_end_the_upgrade_alone() {
    alone("polling::endless::pings_without_an_end_on_the_probe_end_the_upgrade_alone", || {
        for generation in GENERATIONS {
            let server = PollingServer::start(generation, |turn| match turn.kind {
                TurnKind::Open => turn.open_with(&json!({ "upgrades": ["websocket"] })),
                TurnKind::Upgrade => {
                    turn.switch();
                    turn.flood(&frame(PING, &[b'x'; 125])).finish();
                }
                _ => turn.behave(),
            });
            let client =
                TestClient::new(with(room(&server), json!({ "transports": ["polling", "websocket"] })));
            client.wait("connect");
            wait_until("the end of the probe", || server.ended() >= 1);
            server.push("42/room,[\"n\",1]");
            client.wait("n");
            assert_eq!((client.count("disconnect"), client.count("upgrade")), (0, 0));
        }
    });
}
