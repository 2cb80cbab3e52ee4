//! `im_client_info`: every field of its table, and what it says.

use std::time::{SystemTime, UNIX_EPOCH};

use ::im_client::{im_client_cancel, im_client_open};
use serde_json::{json, Value};

use crate::support::*;

#[path = "../../src/client/info_table.rs"]
pub mod info_table;

const GENERATIONS: [u32; 2] = [2, 4];

fn options(server: &Server, more: Value) -> Value {
    let mut options = json!({ "root": server.root(), "nsp": "/", "path": "/socket.io", "reconnectionDelay": 10, "reconnectionDelayMax": 20 });
    options.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    options
}

fn connected(server: &Server) -> TestClient {
    let client = TestClient::new(options(server, json!({})));
    client.wait("connect");
    client
}

fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("later than 1970");
    u64::try_from(since.as_millis()).expect("small")
}

#[test]
fn info_has_every_field_of_its_table_at_any_time_and_no_other() {
    let mut fields: Vec<&str> = info_table::INFO_FIELDS.iter().map(|(name, _)| *name).collect();
    fields.sort_unstable();
    let has_all = |client: &TestClient, when: &str| {
        let info = client.info();
        let mut found: Vec<&str> = info.as_object().expect("an object").keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, fields, "{when}");
        info
    };
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(options(&server, json!({ "autoConnect": false })));
        let info = has_all(&client, "before the first connection");
        for field in
            ["url", "path", "transport", "protocol", "socketId", "connectedSince", "lastDisconnect", "rttMs"]
        {
            assert_eq!(info[field], Value::Null, "{field}");
        }
        assert_eq!(info["state"], "disconnected");
        assert_eq!(im_client_open(client.handle), 0);
        client.wait("connect");
        let info = has_all(&client, "connected");
        assert_eq!((&info["state"], &info["transport"]), (&json!("connected"), &json!("websocket")));
        assert_eq!(info["protocol"], if generation == 2 { 3 } else { 4 });
        assert_eq!((&info["path"], &info["namespace"]), (&json!("/socket.io"), &json!("/")));
        client.close();
        client.wait("disconnect");
        let info = has_all(&client, "closed");
        assert_eq!(info["lastDisconnect"], json!({ "reason": "io client disconnect" }));
        assert_eq!(info["connectedSince"], Value::Null);
    }
}

#[test]
fn the_round_trip_comes_from_heartbeats_on_2_and_from_acknowledgements_on_4() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--ping-interval", "50", "--ping-timeout", "5000"]);
        let client = connected(&server);
        let (answers, late) = (Answers::default(), Answers::default());
        client.ask_plain("echo", &json!(1), &answers);
        answers.wait();
        assert!(client.ask_blobs("slow_ack", "[200,1]", &[], 0, 0, &late) > 0);
        late.wait();
        let info = wait_for("a round-trip time", || {
            let info = client.info();
            (!info["rttMs"].is_null()).then_some(info)
        });
        assert_eq!(info["rttSource"], if generation == 2 { "heartbeat" } else { "acknowledgement" });
        let rtt = info["rttMs"].as_f64().expect("a number");
        assert!((0.0..5000.0).contains(&rtt), "{rtt}");
        if generation == 4 {
            assert!(rtt >= 200.0 / 8.0, "the slow answer counts an eighth: {rtt}");
        }
        server.post("/control/drop", json!({}));
        client.wait("disconnect");
        client.close();
        wait_until("the end", || client.info()["state"] == "disconnected");
        let info = client.info();
        assert_eq!((&info["rttMs"], &info["rttSource"]), (&Value::Null, &Value::Null));
    }
}

#[test]
fn traffic_reconnects_and_the_last_end_are_told() {
    for generation in GENERATIONS {
        let (server, start) = (socketio(generation, &[]), milliseconds());
        let client = connected(&server);
        let info = client.info();
        assert!((start..=milliseconds()).contains(&info["connectedSince"].as_u64().expect("a time")));
        assert_eq!(info["sent"], json!({ "packets": 0, "bytes": 0 }));
        assert_eq!((&info["connections"], &info["reconnects"]), (&json!(1), &json!(0)));
        let text = "x".repeat(1000);
        client.emit("echo", &json!(text));
        client.wait("echo");
        assert_eq!(client.emit_blobs("tell", "[\"blob\"]", &[&[7; 500]], 0), 0);
        client.wait("blob");
        let info = client.info();
        assert_eq!((&info["sent"]["packets"], &info["received"]["packets"]), (&json!(2), &json!(2)));
        for way in ["sent", "received"] {
            let bytes = info[way]["bytes"].as_u64().expect("a number");
            assert!((1500..1700).contains(&bytes), "{way}: {bytes}");
        }
        server.post("/control/drop", json!({}));
        client.wait_nth("connect", 2);
        let info = client.info();
        assert_eq!((&info["connections"], &info["reconnects"]), (&json!(2), &json!(1)));
        assert_eq!(info["lastDisconnect"]["reason"], "transport close");
        assert_eq!(info["lastDisconnect"].get("willReconnect"), None);
    }
}

#[test]
fn what_was_not_answered_not_sent_and_not_asked_any_more_is_counted() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server);
        let answers = Answers::default();
        assert!(client.ask_blobs("silent", "[]", &[], 0, 30, &answers) > 0);
        let canceled = client.ask_plain("silent", &json!(1), &answers);
        assert_eq!(im_client_cancel(client.handle, canceled), 0);
        client.emit("ask", &json!("?"));
        client.wait("question");
        wait_until("both outcomes", || answers.all().len() == 2);
        let info = client.info();
        assert_eq!((&info["expiredRequests"], &info["canceledRequests"]), (&json!(1), &json!(1)));
        assert_eq!((&info["unansweredQuestions"], &info["pendingRequests"]), (&json!(1), &json!(0)));
        let question = client.wait("question");
        assert_eq!(client.reply_blobs(question.ack_id, "[]", &[]), 0);
        assert_eq!(client.info()["unansweredQuestions"], 0);
    }
}

/// Nobody hears of a plain emit: of one that is dropped the counter tells.
#[test]
fn what_was_queued_and_proves_larger_than_the_server_takes_is_counted() {
    let server = socketio(4, &["--max-payload", "5000"]);
    let client = TestClient::new(options(&server, json!({ "autoConnect": false })));
    let (large, answers) = (json!("x".repeat(5000)), Answers::default());
    assert_eq!(client.emit("large", &large), 0);
    client.ask_plain("large", &large, &answers);
    assert_eq!(client.emit("small", &json!(1)), 0);
    assert_eq!(client.info()["tooLargePackets"], 0, "nobody knows yet");
    assert_eq!(im_client_open(client.handle), 0);
    server.wait_received("small", 1);
    assert_eq!(client.info()["tooLargePackets"], 2);
    // What the call itself refuses was never queued.
    assert!(client.emit("large", &large) < 0);
    let info = client.info();
    assert_eq!((&info["tooLargePackets"], &info["sent"]["packets"]), (&json!(2), &json!(1)));
    assert!(server.received("large").is_empty());
}
