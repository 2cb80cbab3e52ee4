//! What is emitted: once, in order, across many reconnects; dropped only where the caller wants it so.

use std::sync::{mpsc, Mutex};

use ::im_client::{im_client_cancel, im_client_open, im_status};
use serde_json::{json, Value};

use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];
const CANCELED: im_status = -9;
const VOLATILE: u32 = 1;

fn options(root: &str) -> Value {
    json!({ "root": root, "nsp": "/", "path": "/socket.io", "reconnectionDelay": 10, "reconnectionDelayMax": 20 })
}

fn connected(server: &Server) -> TestClient {
    let client = TestClient::new(options(&server.root()));
    client.wait("connect");
    client
}

/// A client that does not connect before it is told to.
fn closed(root: &str) -> TestClient {
    let mut options = options(root);
    options["autoConnect"] = false.into();
    TestClient::new(options)
}

fn open(client: &TestClient) {
    assert_eq!(im_client_open(client.handle), 0, "{}", last_error());
}

fn increases(numbers: &[Value]) -> bool {
    numbers.windows(2).all(|two| two[0].as_u64() < two[1].as_u64())
}

#[test]
fn no_plain_emit_is_sent_twice_or_out_of_order_by_many_reconnects() {
    const ROUNDS: usize = 25;
    const EACH: usize = 30;
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server);
        for round in 0..ROUNDS {
            for n in 0..EACH {
                assert_eq!(client.emit("sequence", &json!(round * EACH + n)), 0);
            }
            let how = if round % 2 == 0 { "reset" } else { "close" };
            server.drop_one(how);
        }
        // The question itself may go down with a connection that the client does not yet know to be lost.
        wait_until("an answer behind them", || {
            let answers = Answers::default();
            client.ask_plain("echo", &json!("the last"), &answers);
            answers.wait().status == 0
        });
        let received = server.received("sequence");
        assert!(increases(&received), "generation {generation}: {received:?}");
        // On a busy machine most of them are cut before they stand.
        assert!(client.count("reconnect") >= ROUNDS / 5, "{}", client.count("reconnect"));
        // What was on its way may be lost with its connection, but most arrives.
        assert!(received.len() >= ROUNDS, "{}", received.len());
    }
}

#[test]
fn what_is_emitted_while_disconnected_arrives_complete_in_order_and_once() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = closed(&server.root());
        for round in 0..20 {
            for n in 0..20 {
                assert_eq!(client.emit("sequence", &json!(round * 20 + n)), 0);
            }
            open(&client);
            client.wait_nth("connect", round + 1);
            client.flush();
            // Written is not yet arrived: a reset would take it away.
            server.wait_received("sequence", (round + 1) * 20);
            client.close();
            client.wait_nth("disconnect", round + 1);
        }
        assert_eq!(server.received("sequence"), (0..400).map(|n| json!(n)).collect::<Vec<_>>());
    }
}

#[test]
fn clearing_the_send_buffer_drops_what_is_unsent_and_cancels_its_requests() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = closed(&server.root());
        let answers = Answers::default();
        for n in 0..3 {
            assert_eq!(client.emit("dropped", &json!(n)), 0);
            client.ask_plain("dropped", &json!(n), &answers);
        }
        assert_eq!(client.emit_blobs("dropped", "[]", &[b"x"], 0), 0);
        assert_eq!(client.clear_send_buffer(), 7);
        wait_until("the outcomes", || answers.all().len() == 3);
        assert!(answers.all().iter().all(|answer| answer.status == CANCELED));
        assert_eq!(client.clear_send_buffer(), 0);
        let info = client.info();
        assert_eq!((&info["clearedPackets"], &info["pendingRequests"]), (&json!(7), &json!(0)));
        assert_eq!(info["sendQueue"], json!({ "packets": 0, "bytes": 0 }));
        open(&client);
        client.emit("kept", &json!(1));
        server.wait_received("kept", 1);
        assert!(server.received("dropped").is_empty());
    }
}

#[test]
fn clearing_leaves_the_retried_one_that_is_out() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let mut options = options(&server.root());
        options["retries"] = 3.into();
        options["ackTimeout"] = 60_000.into();
        let client = TestClient::new(options);
        let (out, queued) = (Answers::default(), Answers::default());
        assert!(client.ask_blobs("slow_ack", "[200,\"out\"]", &[], 0, 0, &out) > 0);
        client.ask_plain("dropped", &json!(1), &queued);
        assert_eq!(client.emit("dropped", &json!(2)), 0);
        server.wait_received("slow_ack", 1);
        assert_eq!(client.clear_send_buffer(), 2);
        assert_eq!(queued.wait().status, CANCELED);
        assert_eq!(out.wait().args, json!(["out"]));
        assert!(server.received("dropped").is_empty());
    }
}

#[test]
fn a_volatile_emit_is_dropped_and_counted_while_disconnected() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = closed(&server.root());
        for n in 0..3 {
            assert_eq!(client.emit_args("volatile", &json!([n]), VOLATILE), 0);
        }
        assert_eq!(client.info()["droppedVolatile"], 3);
        open(&client);
        client.wait("connect");
        assert_eq!(client.emit_args("volatile", &json!(["connected"]), VOLATILE), 0);
        assert_eq!(server.wait_received("volatile", 1), [json!("connected")]);
        assert_eq!(client.info()["droppedVolatile"], 3);
    }
}

/// A server that does not read: the socket takes no more, what is emitted waits, and what is volatile is dropped.
#[test]
fn a_volatile_emit_is_dropped_where_the_socket_takes_no_more() {
    let (go_on, told) = mpsc::channel::<()>();
    let told = Mutex::new(told);
    let server = RawServer::start(move |peer| {
        // A server that says nothing of its limit.
        peer.upgrade();
        peer.open(3);
        peer.join(4);
        let _ = told.lock().expect("nobody panics with it").recv();
        peer.receive_all();
    });
    let options = json!({ "root": server.root(), "nsp": "room", "path": "/ws", "sendQueueBytes": 1 << 28 });
    let client = TestClient::new(options);
    client.wait("connect");
    let large = json!("x".repeat(1 << 20));
    let mut emitted = 0;
    wait_until("the socket is full", || {
        assert_eq!(client.emit("large", &large), 0);
        emitted += 1;
        assert_eq!(client.emit_args("volatile", &json!([emitted]), VOLATILE), 0);
        client.info()["droppedVolatile"] != 0
    });
    let before = client.info()["sendQueue"].clone();
    assert_eq!(client.emit_args("volatile", &json!(["dropped"]), VOLATILE), 0);
    assert_eq!(client.info()["sendQueue"], before, "it is not queued");
    go_on.send(()).expect("the server waits");
    wait_until("all large ones", || server.frames_with("42/room,[\"large\"").len() == emitted);
    assert!(server.frames_with("42/room,[\"volatile\",\"dropped\"").is_empty());
    wait_until("the socket takes volatile ones again", || {
        client.emit_args("volatile", &json!(["again"]), VOLATILE);
        !server.frames_with("42/room,[\"volatile\",\"again\"").is_empty()
    });
}

/// `IM_ERROR_TOO_LARGE`.
const TOO_LARGE: im_status = -17;

/// A server closes the connection on a packet that is larger than it takes: nothing of that size goes out.
#[test]
fn what_the_server_does_not_take_is_an_error_before_anything_is_sent() {
    for transport in ["websocket", "polling"] {
        let server = socketio(4, &["--max-payload", "5000"]);
        let options = json!({
            "root": server.root(), "nsp": "chat", "path": "/socket.io", "transports": [transport],
            "autoConnect": false, "query": { "userId": "111" }
        });
        let client = TestClient::new(options);
        let large = json!("x".repeat(5000));
        // Nobody knows yet what the server takes.
        let (early, message) = (Outcomes::default(), Outcomes::default());
        client.ask("echo", &large, 0, &early);
        assert_eq!(client.emit("large", &large), 0);
        let text = json!({ "type": 1, "from": "111", "to": "222", "content": large });
        client.send_message(&text, 0, &message);
        assert_eq!(client.emit("small", &json!(1)), 0);
        assert_eq!(im_client_open(client.handle), 0);
        assert_eq!(outcome(&early).0, TOO_LARGE);
        assert_eq!(outcome(&message).0, TOO_LARGE);
        server.wait_received("small", 1);
        // Now it is known.
        assert_eq!(client.emit("large", &large), TOO_LARGE);
        assert!(last_error().contains("at most 5000"), "{}", last_error());
        assert_eq!(client.emit_blobs("large", "[]", &[&[7; 5001]], 0), TOO_LARGE);
        assert_eq!(client.emit("fits", &json!("x".repeat(4900))), 0);
        server.wait_received("fits", 1);
        assert_eq!((server.received("large").len(), client.count("disconnect")), (0, 0), "{transport}");
    }
}

/// A client that retries, and is not connected yet.
fn retrying(root: &str) -> TestClient {
    let mut options = options(root);
    options["retries"] = 2.into();
    options["ackTimeout"] = 60_000.into();
    options["autoConnect"] = false.into();
    TestClient::new(options)
}

/// What the server takes is known from the first connection on, when a large one may stand in front of others already.
#[test]
fn a_retried_one_that_proves_too_large_holds_up_no_other() {
    let server = socketio(4, &["--max-payload", "5000"]);
    let client = retrying(&server.root());
    let large = json!("x".repeat(5000));
    let (early, next) = (Answers::default(), Answers::default());
    assert_eq!(client.emit("large", &large), 0);
    client.ask_plain("large", &large, &early);
    assert_eq!(client.emit("echo", &json!("plain")), 0);
    client.ask_plain("echo", &json!("next"), &next);
    open(&client);
    assert_eq!(early.wait().status, TOO_LARGE);
    assert_eq!(next.wait().args, json!(["next"]));
    client.flush();
    assert_eq!(server.received("echo"), [json!("plain"), json!("next")]);
    assert_eq!((server.received("large").len(), client.count("disconnect")), (0, 0));
    let info = client.info();
    assert_eq!((&info["tooLargePackets"], &info["pendingRequests"]), (&json!(2), &json!(0)));
    assert_eq!(info["sendQueue"], json!({ "packets": 0, "bytes": 0 }));
    assert_eq!((early.all().len(), early.freed()), (1, 1));
    // One that is out without an answer holds up the others, and they can be dropped.
    let (out, queued) = (Answers::default(), Answers::default());
    client.ask_plain("silent", &json!(1), &out);
    client.ask_plain("dropped", &json!(1), &queued);
    server.wait_received("silent", 1);
    assert_eq!(client.clear_send_buffer(), 1);
    assert_eq!(queued.wait().status, CANCELED);
}

/// It went out once, and the server of the next connection takes less.
#[test]
fn a_retried_one_that_proves_too_large_for_the_next_server_holds_up_no_other() {
    let server = RawServer::start(|peer| {
        peer.upgrade();
        let mut packet = open_packet(4);
        if peer.number > 1 {
            packet["maxPayload"] = json!(1100);
        }
        peer.text(&format!("0{packet}"));
        peer.join(4);
        // The first connection ends without an answer.
        if peer.receive_until("42/room,") && peer.number > 1 {
            peer.text("43/room,1[\"next\"]");
            peer.receive_all();
        }
    });
    let mut options = json!({ "root": server.root(), "nsp": "room", "path": "/ws", "retries": 9 });
    options["ackTimeout"] = 60_000.into();
    options["reconnectionDelay"] = 10.into();
    let client = TestClient::new(options);
    let (large, next) = (Answers::default(), Answers::default());
    client.ask_plain("large", &json!("x".repeat(1100)), &large);
    client.ask_plain("next", &json!(1), &next);
    assert_eq!(large.wait().status, TOO_LARGE);
    assert_eq!(next.wait().args, json!(["next"]));
    assert_eq!((server.frames_with("42/room,0").len(), large.all().len()), (1, 1));
}

/// Ids are given in a row, so a careless caller may cancel what another thread is about to queue.
#[test]
fn a_request_that_ends_while_it_is_being_queued_holds_up_no_later_one() {
    let server = socketio(4, &[]);
    let client = retrying(&server.root());
    // It takes a while to be written, and longer for those who want to see what is sent.
    assert!(client.on_any_outgoing() > 0);
    let (large, canceled, next) = (json!("x".repeat(8 << 20)), Answers::default(), Answers::default());
    let handle = client.handle;
    let cancels = std::thread::spawn(move || while im_client_cancel(handle, 1) != 0 {});
    client.ask_plain("dropped", &large, &canceled);
    cancels.join().expect("it does not panic");
    assert_eq!(canceled.wait().status, CANCELED);
    open(&client);
    client.ask_plain("echo", &json!("next"), &next);
    assert_eq!(next.wait().args, json!(["next"]));
    assert!(server.received("dropped").is_empty());
}
