//! Losing a connection and getting it back, or not.

use ::im_client::*;
use serde_json::{json, Value};

use crate::support::{steps::with, *};

const GENERATIONS: [u32; 2] = [2, 4];
/// `IM_ERROR_DISCONNECTED` and `IM_ERROR_CANCELED`.
const DISCONNECTED: im_status = -10;
const CANCELED: im_status = -9;

/// Options for a server of tests/servers, with quick retries.
fn quick(server: &Server, nsp: &str) -> Value {
    json!({
        "root": server.root(), "nsp": nsp, "path": "/socket.io", "reconnectionDelay": 10, "reconnectionDelayMax": 30
    })
}

/// The same for a raw server, which speaks WebSocket alone.
fn quick_at(root: &str, nsp: &str, path: &str) -> Value {
    json!({
        "root": root, "nsp": nsp, "path": path, "transports": ["websocket"],
        "reconnectionDelay": 10, "reconnectionDelayMax": 30
    })
}

fn connected(options: Value) -> TestClient {
    let client = TestClient::new(options);
    client.wait("connect");
    client
}

fn open(client: &TestClient) {
    assert_eq!(im_client_open(client.handle), 0);
}

/// The names of the connection's own events, in their order.
fn story(client: &TestClient) -> Vec<String> {
    let own = ["connect", "disconnect", "connect_error", "error"];
    let names = client.events().into_iter().map(|event| event.name);
    names.filter(|name| own.contains(&name.as_str()) || name.starts_with("reconnect")).collect()
}

fn numbers(range: std::ops::Range<i64>) -> Vec<Value> {
    range.map(|n| json!(n)).collect()
}

/// Nothing that a client does by itself within a few milliseconds is missed by this: another client goes through many
/// round trips with the same server.
fn many_round_trips(server: &Server) {
    let other = connected(quick(server, "sso"));
    for n in 0..50 {
        let outcomes = Outcomes::default();
        other.ask("echo", &json!(n), 0, &outcomes);
        assert_eq!(outcome(&outcomes), (0, Some(json!(n))));
    }
}

/// The client has no connection, wants none, and makes none.
#[track_caller]
fn stays_away(server: &Server, client: &TestClient, nsp: &str) {
    let connects = server.stats()["connects"][nsp].clone();
    many_round_trips(server);
    let stats = server.stats();
    assert_eq!((&stats["connects"][nsp], &stats["connectsNow"][nsp]), (&connects, &json!(0)), "{stats}");
    assert_eq!(client.count("reconnect_attempt"), 0);
    assert_eq!(client.state(), IM_STATE_DISCONNECTED);
}

fn comes_back(how: &str, reason: &str) {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(quick(&server, "chat"));
        let sid = client.wait("connect").json["sid"].clone();
        server.post("/control/drop", json!({ "how": how }));
        let lost = client.wait("disconnect").json;
        assert_eq!((&lost["reason"], &lost["willReconnect"]), (&json!(reason), &json!(true)), "{lost}");
        assert_eq!(client.wait("reconnect_attempt").json, json!({ "attempt": 1 }));
        assert_eq!(client.wait("reconnect").json, json!({ "attempt": 1 }));
        assert_eq!(story(&client), ["connect", "disconnect", "reconnect_attempt", "connect", "reconnect"]);
        assert_ne!(client.wait_nth("connect", 2).json["sid"], sid);
        assert_eq!(client.state(), IM_STATE_CONNECTED);
        assert_eq!(server.stats()["connectPackets"], json!(["40/chat,", "40/chat,"]));
    }
}

#[test]
fn a_closed_transport_comes_back() {
    comes_back("close", "transport close");
}

#[test]
fn a_reset_transport_comes_back() {
    comes_back("reset", "transport error");
}

/// Whoever is told of a loss that is not the end, and asks, is not told that no connection is wanted.
#[test]
fn the_state_after_a_loss_is_reconnecting() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let slow = json!({"reconnectionDelay": 60_000, "reconnectionDelayMax": 60_000});
        let client = connected(with(quick(&server, "chat"), slow));
        for (how, nth) in [("close", 1), ("reset", 2)] {
            server.drop_one(how);
            assert_eq!(client.wait_nth("disconnect", nth).json["willReconnect"], true);
            assert_eq!(client.state(), IM_STATE_RECONNECTING);
            im_client_network_changed(client.handle);
            client.wait_nth("connect", nth + 1);
        }
    }
}

/// From the call that wants a connection on, not only once the network thread has looked.
#[test]
fn the_state_is_connecting_from_the_start() {
    let (_refusing, port) = refusing();
    let options =
        json!({"root": format!("http://127.0.0.1:{port}"), "nsp": "chat", "reconnectionDelay": 60_000});
    for _ in 0..50 {
        assert_ne!(TestClient::new(options.clone()).state(), IM_STATE_DISCONNECTED);
        let client = TestClient::new(with(options.clone(), json!({"autoConnect": false})));
        assert_eq!(client.state(), IM_STATE_DISCONNECTED);
        open(&client);
        assert_ne!(client.state(), IM_STATE_DISCONNECTED);
        client.close();
        wait_until("rest", || client.state() == IM_STATE_DISCONNECTED);
    }
}

#[test]
fn every_loss_counts_from_one() {
    let server = socketio(4, &[]);
    let client = connected(quick(&server, "chat"));
    for n in 1..=5 {
        server.post("/control/drop", json!({}));
        assert_eq!(client.wait_nth("reconnect", n).json, json!({ "attempt": 1 }));
    }
    assert_eq!(client.all("reconnect_attempt"), vec![json!({ "attempt": 1 }); 5]);
}

/// A port that is taken and refuses connections.
fn refusing() -> (tokio::net::TcpSocket, u16) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind("127.0.0.2:0".parse().expect("an address")).expect("a port");
    let port = socket.local_addr().expect("it is bound").port();
    (socket, port)
}

#[test]
fn attempts_are_numbered_and_end() {
    let (_socket, port) = refusing();
    let root = format!("http://127.0.0.2:{port}");
    let client = TestClient::new(with(quick_at(&root, "room", "/ws"), json!({ "reconnectionAttempts": 4 })));
    assert_eq!(client.wait("reconnect_failed").json, json!({ "attempts": 4 }));
    let attempts: Vec<Value> = (1..=4).map(|n| json!({ "attempt": n })).collect();
    assert_eq!(client.all("reconnect_attempt"), attempts);
    let errors = client.all("connect_error");
    let retries: Vec<&Value> = errors.iter().map(|error| &error["willRetry"]).collect();
    assert_eq!(retries, [&json!(true), &json!(true), &json!(true), &json!(true), &json!(false)]);
    let numbers: Vec<Value> =
        client.all("reconnect_error").iter().map(|error| error["attempt"].clone()).collect();
    assert_eq!(numbers, [json!(1), json!(2), json!(3), json!(4)]);
    wait_until("rest", || client.state() == IM_STATE_DISCONNECTED);
    // Opening begins anew.
    open(&client);
    assert_eq!(client.wait_nth("reconnect_failed", 2).json, json!({ "attempts": 4 }));
    assert_eq!(client.all("reconnect_attempt"), [&attempts[..], &attempts[..]].concat());
}

#[test]
fn attempts_after_a_loss_end_too() {
    let server = RawServer::start(|peer| match peer.number {
        1 => {
            peer.connect(4);
        }
        _ => peer.refuse("503 Service Unavailable", ""),
    });
    let options = with(quick_at(&server.root(), "room", "/ws"), json!({ "reconnectionAttempts": 3 }));
    let client = TestClient::new(options);
    assert_eq!(client.wait("reconnect_failed").json, json!({ "attempts": 3 }));
    assert_eq!(server.accepted(), 4);
    assert_eq!(client.wait("disconnect").json["willReconnect"], true);
    assert_eq!(client.count("reconnect"), 0);
    wait_until("rest", || client.state() == IM_STATE_DISCONNECTED);
}

#[test]
fn no_attempts_is_a_number_too() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
    });
    let options = with(quick_at(&server.root(), "room", "/ws"), json!({ "reconnectionAttempts": 0 }));
    let client = TestClient::new(options);
    assert_eq!(client.wait("disconnect").json["willReconnect"], false);
    assert_eq!(client.wait("reconnect_failed").json, json!({ "attempts": 0 }));
    wait_until("rest", || client.state() == IM_STATE_DISCONNECTED);
    assert_eq!(server.accepted(), 1);
}

#[test]
fn several_failures_then_a_success_count_up() {
    let server = RawServer::start(|peer| match peer.number {
        1 => {
            peer.connect(4);
        }
        2..=4 => peer.refuse("503 Service Unavailable", ""),
        _ => peer.behave(4),
    });
    let client = TestClient::new(quick_at(&server.root(), "room", "/ws"));
    assert_eq!(client.wait("reconnect").json, json!({ "attempt": 4 }));
    assert_eq!(
        story(&client),
        [
            "connect",
            "disconnect",
            "reconnect_attempt",
            "connect_error",
            "reconnect_error",
            "reconnect_attempt",
            "connect_error",
            "reconnect_error",
            "reconnect_attempt",
            "connect_error",
            "reconnect_error",
            "reconnect_attempt",
            "connect",
            "reconnect"
        ]
    );
}

#[test]
fn without_reconnection_a_loss_is_final() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(with(quick(&server, "chat"), json!({ "reconnection": false })));
        server.post("/control/drop", json!({}));
        let lost = client.wait("disconnect").json;
        assert_eq!((&lost["reason"], &lost["willReconnect"]), (&json!("transport close"), &json!(false)));
        stays_away(&server, &client, "/chat");
        assert_eq!(story(&client), ["connect", "disconnect"]);
        open(&client);
        client.wait_nth("connect", 2);
    }
}

#[test]
fn without_reconnection_a_failed_attempt_is_final() {
    let (_socket, port) = refusing();
    let root = format!("http://127.0.0.2:{port}");
    let client = TestClient::new(with(quick_at(&root, "room", "/ws"), json!({ "reconnection": false })));
    assert_eq!(client.wait("connect_error").json["willRetry"], false);
    wait_until("rest", || client.state() == IM_STATE_DISCONNECTED);
    assert_eq!(story(&client), ["connect_error"]);
}

#[test]
fn a_close_is_final_until_an_open() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(quick(&server, "chat"));
        client.close();
        let lost = client.wait("disconnect").json;
        assert_eq!(
            (&lost["reason"], &lost["willReconnect"]),
            (&json!("io client disconnect"), &json!(false))
        );
        stays_away(&server, &client, "/chat");
        // The server was told, and the transport is closed too.
        let stats = server.stats();
        let reasons = &stats["disconnects"]["/chat"];
        assert_eq!(reasons, &json!({ "client namespace disconnect": 1 }), "{stats}");
        wait_until("the end of the transports", || server.stats()["enginesNow"] == 0);
        client.emit("kept", &json!(generation));
        open(&client);
        client.wait_nth("connect", 2);
        assert_eq!(server.wait_received("kept", 1), [generation]);
        assert_eq!(story(&client), ["connect", "disconnect", "connect"]);
    }
}

#[test]
fn destroying_the_socket_is_final_and_drops_what_is_unsent() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(quick(&server, "chat"));
        let asked = Outcomes::default();
        client.ask("silent", &json!(1), 0, &asked);
        server.wait_received("silent", 1);
        assert_eq!(im_client_destroy_socket(client.handle), 0);
        assert_eq!(outcome(&asked), (CANCELED, None));
        assert_eq!(client.wait("disconnect").json["reason"], "io client disconnect");
        stays_away(&server, &client, "/chat");
        client.emit("dropped", &json!(1));
        assert_eq!(im_client_destroy_socket(client.handle), 0);
        open(&client);
        client.wait_nth("connect", 2);
        client.emit("kept", &json!(2));
        server.wait_received("kept", 1);
        assert!(server.received("dropped").is_empty());
    }
}

/// The server says goodbye: it does not want this client.
#[test]
fn a_disconnect_by_the_server_is_final() {
    for generation in GENERATIONS {
        for goodbye in ["disconnect_me", "close_me"] {
            let server = socketio(generation, &[]);
            let client = connected(quick(&server, "chat"));
            client.emit_args(goodbye, &json!([]), 0);
            let lost = client.wait("disconnect").json;
            assert_eq!(
                (&lost["reason"], &lost["willReconnect"]),
                (&json!("io server disconnect"), &json!(false)),
                "{goodbye} on {generation}"
            );
            stays_away(&server, &client, "/chat");
            assert_eq!(story(&client), ["connect", "disconnect"]);
            // The caller may come back.
            open(&client);
            client.wait_nth("connect", 2);
        }
    }
}

#[test]
fn a_transport_that_the_server_drops_is_not_a_goodbye() {
    for generation in GENERATIONS {
        for (event, reason) in [("drop_me", "transport close"), ("reset_me", "transport error")] {
            let server = socketio(generation, &[]);
            let client = connected(quick(&server, "chat"));
            client.emit_args(event, &json!([]), 0);
            assert_eq!(client.wait("disconnect").json["reason"], reason);
            client.wait("reconnect");
        }
    }
}

#[test]
fn a_refused_namespace_is_final() {
    for (generation, data) in [
        (2, json!("refused by the server")),
        (4, json!({ "message": "refused by the server", "data": { "code": 42 } })),
    ] {
        let server = socketio(generation, &[]);
        let client = TestClient::new(quick(&server, "refused"));
        let error = client.wait("connect_error").json;
        assert_eq!(error["message"], "refused by the server");
        assert_eq!((&error["data"], &error["willRetry"]), (&data, &json!(false)));
        assert_eq!(error["attempts"][0]["step"], "namespace");
        stays_away(&server, &client, "/refused");
        assert_eq!(story(&client), ["connect_error", "error"]);
        assert_eq!(client.wait("error").json, data);
        // The connection is not left behind.
        wait_until("the end of the connection", || server.stats()["enginesNow"] == 0);
        open(&client);
        client.wait_nth("connect_error", 2);
    }
}

#[test]
fn a_namespace_that_does_not_exist_is_refused() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(quick(&server, "nowhere"));
        let error = client.wait("connect_error").json;
        assert_eq!((&error["message"], &error["willRetry"]), (&json!("Invalid namespace"), &json!(false)));
    }
}

// Closing at every moment.

#[test]
fn closing_while_connecting() {
    let server = RawServer::start(|peer| match peer.number {
        1 => peer.drain(),
        _ => peer.behave(4),
    });
    let client = TestClient::new(quick_at(&server.root(), "room", "/ws"));
    wait_until("the connection", || server.accepted() == 1);
    assert_eq!(client.state(), IM_STATE_CONNECTING);
    client.close();
    wait_until("the end of the attempt", || server.ended() == 1);
    wait_until("rest", || client.state() == IM_STATE_DISCONNECTED);
    open(&client);
    client.wait("connect");
    assert_eq!(server.accepted(), 2);
    assert_eq!(client.count("connect_error"), 0);
}

#[test]
fn closing_between_open_and_connect() {
    let server = RawServer::start(|peer| {
        if peer.number > 1 {
            return peer.behave(4);
        }
        peer.upgrade();
        peer.open(4);
        peer.receive_all();
    });
    let client = TestClient::new(quick_at(&server.root(), "room", "/ws"));
    wait_until("the CONNECT", || server.frames_with("40").len() == 1);
    client.close();
    wait_until("the end of the attempt", || server.ended() == 1);
    wait_until("rest", || client.state() == IM_STATE_DISCONNECTED);
    client.emit("kept", &json!(1));
    open(&client);
    client.wait("connect");
    wait_until("what was kept", || server.frames_with("42") == ["42/room,[\"kept\",1]"]);
}

#[test]
fn closing_during_the_back_off() {
    let (socket, port) = refusing();
    let root = format!("http://127.0.0.2:{port}");
    // A back-off that outlasts the test.
    let long = json!({ "reconnectionDelay": 600_000, "reconnectionDelayMax": 600_000 });
    let client = TestClient::new(with(quick_at(&root, "room", "/ws"), long));
    client.wait("connect_error");
    wait_until("the back-off", || client.state() == IM_STATE_RECONNECTING);
    client.close();
    wait_until("rest", || client.state() == IM_STATE_DISCONNECTED);
    drop(socket);
    let server = RawServer::on_port(port, |peer| peer.behave(4));
    open(&client);
    client.wait("connect");
    assert_eq!((server.accepted(), client.count("reconnect_attempt")), (1, 0));
}

/// An open does not cut the back-off short, and does no harm.
#[test]
fn opening_what_is_open() {
    let server = socketio(4, &[]);
    let client = connected(quick(&server, "chat"));
    for _ in 0..10 {
        open(&client);
    }
    many_round_trips(&server);
    assert_eq!(server.stats()["connects"]["/chat"], 1);
    assert_eq!(story(&client), ["connect"]);
}

#[test]
fn closing_and_opening_quickly() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(quick(&server, "chat"));
        for _ in 0..50 {
            client.close();
            open(&client);
        }
        client.emit("last", &json!(1));
        server.wait_received("last", 1);
        wait_until("one connection alone", || server.stats()["connectsNow"]["/chat"] == 1);
        // Every connection that was told was told to be over, but the last.
        wait_until("as many ends as beginnings but one", || {
            client.state() == IM_STATE_CONNECTED && client.count("connect") == client.count("disconnect") + 1
        });
        client.close();
        open(&client);
        client.close();
        wait_until("no connection", || server.stats()["connectsNow"]["/chat"] == 0);
        stays_away(&server, &client, "/chat");
    }
}

/// What is emitted after a close waits for the open, whether or not the network thread has looked at the close yet.
#[test]
fn what_is_asked_after_a_close_waits_for_the_open() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(quick(&server, "chat"));
        for n in 0..20 {
            let outcomes = Outcomes::default();
            client.close();
            client.ask("echo", &json!(n), 0, &outcomes);
            client.wait_nth("disconnect", n + 1);
            assert_eq!(*outcomes.lock().unwrap(), [], "it did not wait");
            assert_eq!(server.received("echo").len(), n, "it was sent all the same");
            open(&client);
            assert_eq!(outcome(&outcomes), (0, Some(json!(n))));
        }
    }
}

#[test]
fn a_client_that_opens_later() {
    let server = socketio(4, &[]);
    let client = TestClient::new(with(quick(&server, "chat"), json!({ "autoConnect": false })));
    client.emit("before", &json!(1));
    many_round_trips(&server);
    assert_eq!(
        (server.stats()["connects"]["/chat"].clone(), client.state()),
        (json!(0), IM_STATE_DISCONNECTED)
    );
    open(&client);
    client.wait("connect");
    assert_eq!(server.wait_received("before", 1), [1]);
}

// What was emitted.

#[test]
fn emits_while_there_is_no_connection_are_sent_in_order_once() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(quick(&server, "chat"));
        // Before the first connection.
        for n in 0..50 {
            client.emit("n", &json!(n));
        }
        client.wait("connect");
        server.wait_received("n", 50);
        server.post("/control/stop-listening", json!({}));
        client.wait("disconnect");
        for n in 50..150 {
            client.emit("n", &json!(n));
            client.emit_args("gone", &json!([n]), IM_EMIT_VOLATILE);
        }
        client.wait("connect_error");
        for n in 150..200 {
            client.emit("n", &json!(n));
        }
        server.post("/control/start-listening", json!({}));
        client.wait("reconnect");
        for n in 200..250 {
            client.emit("n", &json!(n));
        }
        client.emit_args("there", &json!([1]), IM_EMIT_VOLATILE);
        server.wait_received("there", 1);
        assert_eq!(server.received("n"), numbers(0..250));
        assert!(server.received("gone").is_empty());
    }
}

#[test]
fn requests_end_or_wait_by_whether_they_went_out() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(quick(&server, "chat"));
        let (out, kept, timed) = (Outcomes::default(), Outcomes::default(), Outcomes::default());
        client.ask("silent", &json!(1), 0, &out);
        server.wait_received("silent", 1);
        server.post("/control/stop-listening", json!({}));
        assert_eq!(outcome(&out), (DISCONNECTED, None));
        client.ask("echo", &json!({ "waits": true }), 0, &kept);
        client.ask("echo", &json!("too late"), 50, &timed);
        assert_eq!(outcome(&timed), (-8, None));
        assert!(kept.lock().unwrap().is_empty());
        server.post("/control/start-listening", json!({}));
        assert_eq!(outcome(&kept), (0, Some(json!({ "waits": true }))));
        assert_eq!(server.received("silent"), [1]);
        // What has its outcome is not sent any more.
        assert_eq!(server.received("echo"), [json!({ "waits": true })]);
        assert_eq!((out.lock().unwrap().len(), kept.lock().unwrap().len()), (1, 1));
    }
}

/// A question of the server that is answered after a reconnect is not answered: the id belongs to the lost connection.
#[test]
fn answers_belong_to_their_connection() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(quick(&server, "chat"));
        client.emit("ask", &json!("old"));
        let old = client.wait("question").ack_id;
        server.post("/control/drop", json!({}));
        client.wait("reconnect");
        // SAFETY: NUL-terminated.
        assert_eq!(unsafe { im_client_reply(client.handle, old, c"1".as_ptr()) }, DISCONNECTED);
        client.emit("ask", &json!("new"));
        let new = client.wait_nth("question", 2).ack_id;
        // SAFETY: NUL-terminated.
        assert_eq!(unsafe { im_client_reply(client.handle, new, c"2".as_ptr()) }, 0);
        assert_eq!(client.wait("answered").json, 2);
        assert_eq!(client.count("answered"), 1);
    }
}

/// Volatile emits that wait behind a full socket are not kept for the next connection.
#[test]
fn volatile_emits_do_not_outlive_their_connection() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
        if peer.number > 1 {
            return peer.receive_all();
        }
        // Reads nothing more until somebody else connects.
        peer.wait_for_connections(2);
        peer.reset();
    });
    let client = TestClient::new(quick_at(&server.root(), "room", "/ws"));
    client.wait("connect");
    // More than the buffers of both sides hold, then the volatile ones behind it.
    let pad = "x".repeat(64 * 1024);
    while client.emit_args("pad", &json!([pad]), 0) == 0 {}
    let waiting = client.info()["sendQueue"]["packets"].as_u64();
    assert!(waiting > Some(0), "{waiting:?}");
    // Room for the small ones, at the end of a queue that does not move.
    assert_eq!(client.emit_args("gone", &json!([1]), IM_EMIT_VOLATILE), 0);
    drop(std::net::TcpStream::connect(("127.0.0.2", server.port())).expect("the server listens"));
    client.wait("reconnect");
    client.flush();
    client.emit("last", &json!(1));
    wait_until("the last", || !server.frames_with("42/room,[\"last\"").is_empty());
    assert_eq!(server.frames_with("42/room,[\"gone\""), Vec::<String>::new());
}

fn twenty_times(generation: u32) {
    let server = socketio(generation, &[]);
    let client = connected(quick(&server, "chat"));
    let mut next = 0;
    for cycle in 1..=20 {
        server.post("/control/stop-listening", json!({}));
        client.wait_nth("disconnect", cycle);
        for _ in 0..5 {
            client.emit("n", &json!(next));
            next += 1;
        }
        server.post("/control/start-listening", json!({}));
        client.wait_nth("reconnect", cycle);
        for _ in 0..2 {
            client.emit("n", &json!(next));
            next += 1;
        }
        // These went out for sure before the next loss.
        server.wait_received("n", usize::try_from(next).expect("small"));
    }
    assert_eq!(server.received("n"), numbers(0..next));
    let stats = server.stats();
    assert_eq!((&stats["connects"]["/chat"], &stats["connectsNow"]["/chat"]), (&json!(21), &json!(1)));
    assert_eq!(client.count("connect"), 21);
}

#[test]
fn twenty_restarts_of_socket_io_2() {
    twenty_times(2);
}

#[test]
fn twenty_restarts_of_socket_io_4() {
    twenty_times(4);
}
