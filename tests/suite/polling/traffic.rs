//! What goes over long-polling, in both generations.

use std::sync::{mpsc, Mutex};

use ::im_client::im_client_open;
use serde_json::{json, Value};

use super::{polling, with, works, GENERATIONS};
use crate::support::*;

#[test]
fn polling_alone_connects_and_says_so() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        for nsp in ["chat", "/"] {
            let client = TestClient::new(polling(&server, nsp));
            let connect = client.wait("connect").json;
            assert_eq!(connect["transport"], "polling");
            assert_eq!(connect["protocol"], if generation == 2 { 3 } else { 4 });
            works(&client);
            let info = client.info();
            assert_eq!(info["transport"], "polling");
            assert!(info["url"].as_str().unwrap().starts_with("http://"), "{info}");
        }
        let stats = server.stats();
        assert_eq!(stats["upgrades"], 0, "no WebSocket was tried");
        assert_eq!(stats["connects"]["/chat"], 1);
    }
}

/// Lengths count in UTF-16 units there; every character has to survive.
#[test]
fn all_of_unicode_survives_polling() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(polling(&server, "chat"));
        client.wait("connect");
        client.emit("unicode", &Value::Null);
        let seen = client.wait("unicode").args;
        let outcomes = Outcomes::default();
        client.ask("echo", &seen, 0, &outcomes);
        assert_eq!(outcome(&outcomes), (0, Some(seen)));
    }
}

#[test]
fn a_thousand_events_keep_their_order_over_polling() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(polling(&server, "chat"));
        client.wait("connect");
        client.emit("burst", &json!(1000));
        client.wait_nth("burst", 1000);
        let numbers: Vec<Value> = (0..1000).map(|n| json!(n)).collect();
        assert_eq!(client.all("burst"), numbers);
        for number in &numbers {
            assert_eq!(client.emit("count", number), 0);
        }
        assert_eq!(server.wait_received("count", 1000), numbers);
    }
}

#[test]
fn what_was_emitted_before_the_connection_goes_out_over_polling_once() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(polling(&server, "chat"));
        for number in 0..100 {
            assert_eq!(client.emit("early", &json!(number)), 0);
        }
        client.flush();
        let numbers: Vec<Value> = (0..100).map(|n| json!(n)).collect();
        assert_eq!(server.wait_received("early", 100), numbers);
        works(&client);
        assert_eq!(server.received("early").len(), 100);
    }
}

/// A server closes the session on a POST that is larger than its limit.
#[test]
fn posts_stay_within_the_servers_limit() {
    let server = socketio(4, &["--max-payload", "5000"]);
    let client = TestClient::new(polling(&server, "chat"));
    let text = "x".repeat(900);
    for number in 0..200 {
        assert_eq!(client.emit("part", &json!([number, text])), 0);
    }
    client.wait("connect");
    let received = server.wait_received("part", 200);
    let numbers: Vec<&Value> = received.iter().map(|part| &part[0]).collect();
    assert_eq!(numbers, (0..200).map(|n| json!(n)).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    assert_eq!(client.count("disconnect"), 0);
    assert_eq!(server.stats()["engines"], 1);
}

#[test]
fn heartbeats_keep_a_polling_connection() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--ping-interval", "100", "--ping-timeout", "2000"]);
        let client = TestClient::new(polling(&server, "chat"));
        client.wait("connect");
        let beats = |name: &str, way: &str| server.stats()[way][name].as_u64().unwrap_or(0);
        wait_until("ten beats each way", || match generation {
            2 => beats("ping", "packetsReceived") >= 10 && beats("pong", "packetsSent") >= 10,
            _ => beats("pong", "packetsReceived") >= 10 && beats("ping", "packetsSent") >= 10,
        });
        assert_eq!(client.count("disconnect"), 0);
        works(&client);
    }
}

#[test]
fn a_silent_server_is_noticed_over_polling() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--ping-interval", "200", "--ping-timeout", "300"]);
        let client = TestClient::new(polling(&server, "chat"));
        client.wait("connect");
        server.post("/control/pause", json!({}));
        assert_eq!(client.wait("disconnect").json["reason"], "ping timeout");
        server.post("/control/resume", json!({}));
        client.wait("reconnect");
        works(&client);
    }
}

/// A server does not notice by itself that nobody polls any more: it has to be told.
#[test]
fn a_polling_client_that_closes_is_gone_at_once() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(polling(&server, "chat"));
        client.wait("connect");
        client.close();
        assert_eq!(client.wait("disconnect").json["reason"], "io client disconnect");
        wait_until("the end of the session", || server.stats()["enginesNow"] == 0);
        let client = TestClient::new(polling(&server, "chat"));
        client.wait("connect");
        drop(client);
        wait_until("the end of the session of a destroyed client", || server.stats()["enginesNow"] == 0);
    }
}

#[test]
fn the_server_disconnects_a_polling_client() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(polling(&server, "chat"));
        client.wait("connect");
        client.emit("disconnect_me", &Value::Null);
        let told = client.wait("disconnect").json;
        assert_eq!(
            (&told["reason"], &told["willReconnect"]),
            (&json!("io server disconnect"), &json!(false))
        );
        wait_until("rest", || client.state() == im_client::IM_STATE_DISCONNECTED);
        assert_eq!(client.count("connect"), 1);
    }
}

#[test]
fn a_dropped_polling_connection_comes_back() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(polling(&server, "chat"));
        client.wait("connect");
        server.post("/control/drop", json!({}));
        client.wait("reconnect");
        works(&client);
    }
}

/// More than the send buffer of a request at a time, both ways.
#[test]
fn large_messages_go_both_ways_over_polling() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--max-payload", "10000000"]);
        let client =
            TestClient::new(with(polling(&server, "chat"), json!({ "receiveQueueBytes": 50_000_000 })));
        let text = "ä€😀".repeat(200_000);
        let outcomes = Outcomes::default();
        client.ask("echo", &json!(text), 0, &outcomes);
        assert_eq!(outcome(&outcomes), (0, Some(json!(text))));
    }
}

#[test]
fn the_server_refuses_a_namespace_over_polling() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(polling(&server, "refused"));
        let error = client.wait("connect_error").json;
        assert_eq!(error["attempts"][0]["transport"], "polling");
        assert_eq!(error["willRetry"], false);
        assert!(error["message"].as_str().unwrap().contains("refused by the server"), "{error}");
    }
}

#[test]
fn a_user_chats_with_egg_over_polling() {
    let server = egg(&[]);
    let options = |user: &str| {
        json!({
            "root": server.root(), "nsp": "chat", "transports": ["polling"],
            "query": { "token": format!("token-{user}"), "userId": user }
        })
    };
    let (one, two) = (TestClient::new(options("111")), TestClient::new(options("222")));
    one.wait("connect");
    two.wait("connect");
    let outcomes = Outcomes::default();
    one.send_message(&json!({ "type": 1, "from": "111", "to": "222", "content": "hi 😀" }), 0, &outcomes);
    assert_eq!(outcome(&outcomes).0, 0);
    let message = two.wait("c_message").json;
    assert_eq!(message["data"]["payload"]["content"], "hi 😀");
}

#[test]
fn a_user_chats_with_the_embedded_server_over_polling() {
    let server = im_server(&[]);
    let options = json!({
        "root": server.root(), "nsp": "chat", "transports": ["polling"],
        "query": { "token": "token-111", "userId": "111" }
    });
    let client = TestClient::new(options);
    assert_eq!(client.wait("connect").json["transport"], "polling");
    let outcomes = Outcomes::default();
    client.send_message(&json!({ "type": 1, "from": "111", "to": "111", "content": "hi" }), 0, &outcomes);
    assert_eq!(outcome(&outcomes).0, 0);
}

/// What was handed over before the close is posted, also where more waits than long-polling has room for.
#[test]
fn a_close_posts_what_waited_for_room() {
    let posted = |round: usize| {
        let (go_on, told) = mpsc::channel::<()>();
        let told = Mutex::new(told);
        let server = PollingServer::start(4, move |turn| match turn.kind {
            TurnKind::Open => turn.open_with(&json!({ "maxPayload": 45_000 })),
            TurnKind::Post if turn.body.ends_with(b"[\"small\"]") => {
                let _ = told.lock().expect("nobody panics with it").recv();
                turn.behave();
            }
            _ => turn.behave(),
        });
        let options =
            json!({ "root": server.root(), "nsp": "room", "path": "/ws", "transports": ["polling"] });
        let client = TestClient::new(with(options, json!({ "autoConnect": false })));
        assert_eq!(client.emit_args("small", &json!([]), 0), 0);
        for _ in 0..2 {
            assert_eq!(client.emit("large", &json!("x".repeat(40 << 10))), 0);
        }
        assert_eq!(im_client_open(client.handle), 0);
        wait_until("the first POST", || server.bodies().iter().any(|body| body.contains("small")));
        client.close();
        go_on.send(()).expect("the server waits");
        wait_until("the goodbye", || server.bodies().contains(&"1".to_owned()));
        let bodies = server.bodies();
        let large = bodies.iter().filter(|body| body.contains("large")).count();
        let left = bodies.contains(&"41/room,".to_owned());
        println!("round {round}: {large} large, left: {left}");
        (large, left) == (2, true)
    };
    // A goodbye has 250 ms, which a busy machine may miss now and then.
    assert!((0..5).any(posted));
}

/// Over HTTP binary is base64, in the form of each revision.
#[test]
fn attachments_go_both_ways_over_polling() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(polling(&server, "chat"));
        client.wait("connect");
        let (first, second): (Vec<u8>, _) = ((0..=255).collect(), vec![0xff, 0x00, 0x04]);
        let args = r#"["echoed",{"deep":[{"_placeholder":true,"num":1}]},{"_placeholder":true,"num":0}]"#;
        for times in 1..=20 {
            assert_eq!(client.emit_blobs("tell", args, &[&first, &second], 0), 0, "{}", last_error());
            let echoed = client.wait_nth("echoed", times);
            let place = |number: u64| json!({ "_placeholder": true, "num": number });
            assert_eq!(echoed.args, json!([{ "deep": [place(0)] }, place(1)]));
            assert_eq!(echoed.blobs, [second.clone(), first.clone()]);
        }
        let answers = Answers::default();
        assert!(client.ask_blobs("echo", "[]", &[&first], 0, 0, &answers) > 0);
        assert_eq!(answers.wait().blobs, [first]);
        assert_eq!(client.info()["transport"], "polling");
    }
}
