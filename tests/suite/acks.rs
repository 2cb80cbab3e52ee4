//! Acknowledgements: each question its own answer, in its time, once; and `retries`, as the JavaScript client 4.8 does it:
//! one at a time, in order, again without an answer or after a loss, then given up.

use ::im_client::{im_client_cancel, im_client_open, im_status};
use serde_json::{json, Value};

use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];
const TIMEOUT: im_status = -8;
const CANCELED: im_status = -9;
const DISCONNECTED: im_status = -10;
const NOT_FOUND: im_status = -11;
const VOLATILE: u32 = 1;

/// Options for the root namespace with quick reconnects.
fn options(root: &str, more: &Value) -> Value {
    let mut options = json!({ "root": root, "nsp": "/", "path": "/socket.io" });
    for more in [&json!({ "reconnectionDelay": 10, "reconnectionDelayMax": 20 }), more] {
        options.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    }
    options
}

fn connected(server: &Server, more: Value) -> TestClient {
    let client = TestClient::new(options(&server.root(), &more));
    client.wait("connect");
    client
}

fn offline() -> TestClient {
    TestClient::new(options("http://127.0.0.1:1", &json!({ "autoConnect": false })))
}

/// The status of an outcome, and the arguments of its answer.
fn outcome_of(answers: &Answers) -> (im_status, Value) {
    let answer = answers.wait();
    (answer.status, answer.args)
}

fn cancel(client: &TestClient, request: i64) -> im_status {
    im_client_cancel(client.handle, request)
}

// Without retries.

#[test]
fn a_thousand_shuffled_answers_reach_their_own_questions() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({}));
        let asked: Vec<Answers> = (0..1000)
            .map(|n| {
                let answers = Answers::default();
                let args = format!("[1000,{n}]");
                assert!(client.ask_blobs("shuffle_ack", &args, &[], 0, 0, &answers) > 0);
                answers
            })
            .collect();
        for (n, answers) in asked.iter().enumerate() {
            assert_eq!(outcome_of(answers), (0, json!([n])));
        }
        assert!(asked.iter().all(|answers| answers.all().len() == 1), "each has one outcome");
        assert_eq!(client.info()["pendingRequests"], 0);
    }
}

#[test]
fn a_time_of_its_own_goes_before_the_default() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "ackTimeout": 50 }));
        let (default, own) = (Answers::default(), Answers::default());
        assert!(client.ask_blobs("slow_ack", "[300,\"x\"]", &[], 0, 60_000, &own) > 0);
        client.ask_plain("silent", &json!(1), &default);
        assert_eq!(outcome_of(&default), (TIMEOUT, Value::Null));
        assert_eq!(outcome_of(&own), (0, json!(["x"])));
        assert_eq!(client.info()["expiredRequests"], 1);
    }
}

#[test]
fn twenty_thousand_unsent_requests_are_canceled_last_one_first() {
    let client = offline();
    let answers = Answers::default();
    let ids: Vec<i64> = (0..20_000).map(|n| client.ask_plain("x", &json!(n), &answers)).collect();
    for id in ids.iter().rev() {
        assert_eq!(cancel(&client, *id), 0);
    }
    wait_until("all outcomes", || answers.all().len() == ids.len());
    assert!(answers.all().iter().all(|answer| answer.status == CANCELED));
    assert_eq!(client.info()["sendQueue"], json!({ "packets": 0, "bytes": 0 }));
}

#[test]
fn twenty_thousand_unsent_requests_expire_together() {
    let client = offline();
    let answers = Answers::default();
    for n in 0..20_000 {
        assert!(client.ask_blobs("x", &format!("[{n}]"), &[], 0, 1000, &answers) > 0);
    }
    wait_until("all outcomes", || answers.all().len() == 20_000);
    assert!(answers.all().iter().all(|answer| answer.status == TIMEOUT));
    let info = client.info();
    assert_eq!(info["expiredRequests"], 20_000);
    assert_eq!(info["sendQueue"], json!({ "packets": 0, "bytes": 0 }));
}

#[test]
fn a_volatile_question_fails_where_it_can_not_go_out() {
    let answers = Answers::default();
    assert_eq!(offline().ask_blobs("x", "[]", &[], VOLATILE, 0, &answers), i64::from(DISCONNECTED));
    assert!(last_error().contains("volatile"), "{}", last_error());
    assert_eq!((answers.freed(), answers.all().len()), (1, 0));
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({}));
        let answers = Answers::default();
        assert!(client.ask_blobs("echo", "[1]", &[], VOLATILE, 0, &answers) > 0);
        assert_eq!(outcome_of(&answers), (0, json!([1])));
        let lost = Answers::default();
        assert!(client.ask_blobs("silent", "[1]", &[], VOLATILE, 0, &lost) > 0);
        server.wait_received("silent", 1);
        server.post("/control/drop", json!({}));
        assert_eq!(outcome_of(&lost).0, DISCONNECTED);
    }
}

// With retries.

#[test]
fn a_question_is_asked_again_until_it_is_answered() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "retries": 100, "ackTimeout": 150 }));
        let answers = Answers::default();
        assert!(client.ask_blobs("nth_ack", "[3,\"v\"]", &[], 0, 0, &answers) > 0);
        assert_eq!(outcome_of(&answers), (0, json!(["v", 3])));
        // On a slow machine a further try may have been on its way.
        assert!(server.received("nth_ack").len() >= 3);
        let info = client.info();
        assert!(info["retriedPackets"].as_u64() >= Some(2), "{info}");
        assert_eq!(info["pendingRequests"], 0);
        assert_eq!((answers.all().len(), answers.freed()), (1, 1));
    }
}

#[test]
fn the_next_goes_on_when_one_is_given_up() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "retries": 2, "ackTimeout": 60_000 }));
        let (given_up, next) = (Answers::default(), Answers::default());
        assert!(client.ask_blobs("silent", "[1]", &[], 0, 50, &given_up) > 0);
        assert_eq!(client.emit("echo", &json!("plain")), 0);
        client.ask_plain("echo", &json!("after"), &next);
        assert_eq!(outcome_of(&given_up), (TIMEOUT, Value::Null));
        assert_eq!(outcome_of(&next), (0, json!(["after"])));
        assert_eq!(server.received("silent").len(), 3, "one try, and two more");
        assert_eq!(server.received("echo"), [json!("plain"), json!("after")]);
        assert_eq!(client.info()["expiredRequests"], 1);
    }
}

#[test]
fn retried_emits_go_out_one_at_a_time() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "retries": 1, "ackTimeout": 60_000 }));
        let all: Vec<Answers> = (0..20).map(|_| Answers::default()).collect();
        for (n, answers) in all.iter().enumerate() {
            client.ask_plain("alone_ack", &json!(n), answers);
        }
        for (n, answers) in all.iter().enumerate() {
            assert_eq!(outcome_of(answers), (0, json!([n, 1])), "the answer, and how many waited for one");
        }
    }
}

#[test]
fn a_lost_connection_counts_as_a_try() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "retries": 2, "ackTimeout": 60_000 }));
        let (arrives, never, next) = (Answers::default(), Answers::default(), Answers::default());
        assert!(client.ask_blobs("nth_ack_else_drop", "[3,\"arrives\"]", &[], 0, 0, &arrives) > 0);
        assert!(client.ask_blobs("nth_ack_else_drop", "[9,\"never\"]", &[], 0, 0, &never) > 0);
        client.ask_plain("echo", &json!("next"), &next);
        assert_eq!(outcome_of(&arrives), (0, json!(["arrives", 3])));
        assert_eq!(outcome_of(&never), (DISCONNECTED, Value::Null));
        assert_eq!(outcome_of(&next), (0, json!(["next"])));
        assert_eq!(server.received("nth_ack_else_drop").len(), 6);
        for answers in [arrives, never, next] {
            assert_eq!(answers.all().len(), 1, "each has one outcome");
        }
    }
}

#[test]
fn an_answer_to_an_earlier_try_counts_and_ends_the_tries() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
        if peer.receive_until("42/room,0") && peer.receive_until("42/room,0") {
            // Two tries are out; the answer may be that to the first.
            peer.text(r#"43/room,0["late"]"#);
        }
        peer.receive_all();
    });
    let options =
        json!({ "root": server.root(), "nsp": "room", "path": "/ws", "retries": 9, "ackTimeout": 100 });
    let client = TestClient::new(options);
    let answers = Answers::default();
    client.ask_plain("q", &json!(1), &answers);
    assert_eq!(outcome_of(&answers), (0, json!(["late"])));
    assert_eq!(client.emit("after", &json!(1)), 0);
    wait_until("the next", || !server.frames_with("42/room,1[\"after\"").is_empty());
    let tries = server.frames_with("42/room,0");
    assert!(tries.windows(2).all(|two| two[0] == two[1]), "{tries:?}");
    assert_eq!(answers.all().len(), 1);
}

#[test]
fn canceling_a_try_lets_the_next_go() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "retries": 9, "ackTimeout": 60_000 }));
        let (out, queued, next) = (Answers::default(), Answers::default(), Answers::default());
        let first = client.ask_plain("silent", &json!("out"), &out);
        let second = client.ask_plain("silent", &json!("queued"), &queued);
        client.ask_plain("echo", &json!("next"), &next);
        server.wait_received("silent", 1);
        assert_eq!((cancel(&client, second), cancel(&client, first)), (0, 0));
        assert_eq!((outcome_of(&out).0, outcome_of(&queued).0), (CANCELED, CANCELED));
        assert_eq!(outcome_of(&next), (0, json!(["next"])));
        assert_eq!(server.received("silent"), [json!("out")]);
        assert_eq!(cancel(&client, first), NOT_FOUND);
        assert_eq!(client.info()["sendQueue"], json!({ "packets": 0, "bytes": 0 }));
    }
}

#[test]
fn many_reconnects_neither_lose_nor_reorder_what_is_retried() {
    const COUNT: usize = 300;
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "retries": 1000, "ackTimeout": 2000 }));
        for round in 0..20 {
            for n in 0..COUNT / 20 {
                assert_eq!(client.emit("echo", &json!(round * (COUNT / 20) + n)), 0);
            }
            let how = if round % 2 == 0 { "reset" } else { "close" };
            // What is not there can't be dropped.
            wait_until("the connection", || client.count("connect") > round);
            server.drop_one(how);
        }
        wait_until("the last connection", || client.count("reconnect") == 20);
        wait_until("all acknowledgements", || client.info()["pendingRequests"] == 0);
        let mut received = server.received("echo");
        // One whose acknowledgement was lost came twice, but nothing came between.
        received.dedup();
        assert_eq!(received, (0..COUNT).map(|n| json!(n)).collect::<Vec<_>>(), "generation {generation}");
    }
}

#[test]
fn closing_keeps_what_is_retried_for_the_next_open() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "retries": 5, "ackTimeout": 60_000 }));
        let (out, queued) = (Answers::default(), Answers::default());
        assert!(client.ask_blobs("nth_ack", "[2,\"out\"]", &[], 0, 0, &out) > 0);
        client.ask_plain("echo", &json!("queued"), &queued);
        server.wait_received("nth_ack", 1);
        client.close();
        client.wait("disconnect");
        assert!(out.all().is_empty() && queued.all().is_empty());
        assert_eq!(im_client_open(client.handle), 0);
        assert_eq!(outcome_of(&out), (0, json!(["out", 2])));
        assert_eq!(outcome_of(&queued), (0, json!(["queued"])));
    }
}

#[test]
fn binary_is_retried_with_its_attachments() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "retries": 5, "ackTimeout": 60_000 }));
        let answers = Answers::default();
        let sent = client.ask_blobs("nth_ack_else_drop", "[2]", &[b"bytes"], 0, 0, &answers);
        assert!(sent > 0, "{}", last_error());
        let answer = answers.wait();
        assert_eq!(
            (answer.status, &answer.args[1], &answer.blobs[..]),
            (0, &json!(2), &[b"bytes".to_vec()][..])
        );
    }
}

#[test]
fn every_retried_request_is_canceled_by_the_end_of_the_client() {
    let server = socketio(4, &[]);
    let client = connected(&server, json!({ "retries": 9, "ackTimeout": 60_000 }));
    let all: Vec<Answers> = (0..3).map(|_| Answers::default()).collect();
    for answers in &all {
        client.ask_plain("silent", &json!(1), answers);
    }
    server.wait_received("silent", 1);
    drop(client);
    for answers in all {
        assert_eq!((answers.all().len(), answers.freed()), (1, 1));
        assert_eq!(outcome_of(&answers).0, CANCELED);
    }
}
