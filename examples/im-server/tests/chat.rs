//! `/chat` over raw WebSocket, for both generations.

mod support;

use serde_json::{json, Value};
use support::{message, payload, Client, Server, GENERATIONS};

#[tokio::test]
async fn message_with_ack_and_receipt() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut alice = Client::chat(&server, eio, "alice").await;
        let mut bob = Client::chat(&server, eio, "bob").await;
        alice.emit("to", message("alice", "bob", "f1")).await;

        let ack = alice.next("to_ack").await;
        assert_eq!((&ack["code"], &ack["data"]["action"]), (&json!(0), &json!("CHAT_TO_ACK")));
        let stored = payload(&ack);
        assert_eq!((&stored["fp"], &stored["timelineId"]), (&json!("f1"), &json!("alice@bob")));
        assert!(stored["_id"].is_string() && stored["sequenceId"].is_u64() && stored["send_time"].is_u64());

        let received = bob.next("c_message").await;
        assert_eq!(received["data"]["action"], "CHAT_MESSAGE");
        assert_eq!(payload(&received), stored);
        assert!(received["meta"].get("sync").is_none());

        assert_eq!(server.get("/messages")[0]["delivered"], false);
        bob.emit("c_message_ack", payload(&received).clone()).await;
        server.until("/messages", |all| all[0]["delivered"] == true).await;
    }
}

#[tokio::test]
async fn ack_function_gets_the_envelope() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut alice = Client::chat(&server, eio, "alice").await;
        alice.next("c_online").await;
        let packet = format!("42/chat,7{}", json!(["to", message("alice", "bob", "f1")]));
        alice.send_packet(&packet).await;
        let ack = alice.next("to_ack").await;
        assert_eq!(alice.packet().await.unwrap(), format!("43/chat,7{}", json!([ack])));
        alice.send_packet("42/chat,8[\"to\",5]").await;
        let error = alice.next("im_error").await;
        assert_eq!(alice.packet().await.unwrap(), format!("43/chat,8{}", json!([error])));
    }
}

#[tokio::test]
async fn offline_messages_come_until_their_receipt() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut alice = Client::chat(&server, eio, "alice").await;
        for fp in ["f1", "f2"] {
            alice.emit("to", message("alice", "bob", fp)).await;
            alice.next("to_ack").await;
        }
        for _ in 0..2 {
            let mut bob = Client::chat(&server, eio, "bob").await;
            bob.send_packet("42/chat,[\"offline_message\"]").await;
            let offline = bob.next("offline_message").await;
            assert_eq!(offline["data"]["action"], "CHAT_PULL_OFFLINE_MESSAGE");
            assert_eq!(payload(&offline).as_array().unwrap().len(), 2);
            assert_eq!(payload(&offline)[0]["fp"], "f1");
        }
        let mut bob = Client::chat(&server, eio, "bob").await;
        bob.emit("offline_message", Value::Null).await;
        let offline = bob.next("offline_message").await;
        bob.emit("c_message_ack", json!({"data": payload(&offline)})).await;
        server.until("/messages", |all| all[0]["delivered"] == true && all[1]["delivered"] == true).await;
        bob.emit("offline_message", Value::Null).await;
        assert_eq!(payload(&bob.next("offline_message").await), &json!([]));
    }
}

#[tokio::test]
async fn newer_connection_of_a_device_class_kicks_the_older_out() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut watcher = Client::chat(&server, eio, "watcher").await;
        let mut desktop = Client::chat(&server, eio, "alice").await;
        let mut mobile = Client::mobile(&server, eio, "alice").await;
        let mut newer = Client::chat(&server, eio, "alice").await;
        assert_eq!(desktop.refused().await, 20004);
        newer.emit("to", message("alice", "bob", "f1")).await;
        newer.next("to_ack").await;
        let copy = mobile.next("c_message").await;
        assert_eq!((&copy["meta"]["sync"], &payload(&copy)["fp"]), (&json!(true), &json!("f1")));
        assert!(newer.nothing("c_message").await);

        // Three arrivals of alice, and not one departure while she is somewhere.
        for _ in 0..4 {
            assert_eq!(payload(&watcher.next("c_online").await)["type"], "online");
        }
        drop((newer, mobile));
        let gone = watcher.next("c_online").await;
        let expected = json!({"type": "offline", "current": "alice", "clients": ["watcher"]});
        assert_eq!(payload(&gone), &expected);
    }
}

#[tokio::test]
async fn recall_reaches_both_sides() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut alice = Client::chat(&server, eio, "alice").await;
        let mut bob = Client::chat(&server, eio, "bob").await;
        for (kind, recalled) in [(1, 10), (2, 21)] {
            let mut sent = message("alice", "bob", &format!("f{kind}"));
            sent["type"] = json!(kind);
            alice.emit("to", sent.clone()).await;
            alice.next("to_ack").await;
            bob.next("c_message").await;

            bob.emit("to_undo", sent.clone()).await;
            assert_eq!(bob.next("im_error").await["code"], 20003, "not bob's to recall");
            alice.emit("to_undo", sent).await;
            for client in [&mut alice, &mut bob] {
                let again = client.next("c_message").await;
                assert_eq!(payload(&again)["type"], recalled);
                assert_eq!(payload(&again)["fp"], format!("f{kind}"));
            }
        }
    }
}

#[tokio::test]
async fn refusals_at_the_door() {
    for eio in GENERATIONS {
        let server = Server::start(&["--require-device-type"]);
        for (query, code) in [
            ("userId=a&deviceType=desktop", 20002),
            ("token=&userId=a&deviceType=desktop", 20002),
            ("token=t&deviceType=desktop", 20002),
            ("token=t&userId=a", 20002),
            ("token=bad&userId=a&deviceType=desktop", 20001),
            ("token=expired&userId=a&deviceType=desktop", 20001),
            ("token=relogin&userId=a&deviceType=desktop", 401),
        ] {
            let mut client = Client::join(&server, eio, "/chat", query).await;
            assert_eq!(client.refused().await, code, "{query}");
        }
        let stats = server.until("/stats", |stats| stats["namespaces"]["/chat"]["now"] == 0).await;
        assert_eq!(stats["namespaces"]["/chat"]["ever"], 7);
    }
}

#[tokio::test]
async fn bad_payloads_are_refused_and_the_connection_lives() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut alice = Client::chat(&server, eio, "alice").await;
        for event in ["to", "c_message_ack", "to_reader", "to_typing", "to_undo", "history_message"] {
            for bad in [json!(null), json!(5), json!("x"), json!({}), json!([[]]), json!({"to": 5, "fp": {}})]
            {
                alice.emit(event, bad.clone()).await;
                assert_eq!(alice.next("im_error").await["code"], 20002, "{event} {bad}");
            }
            alice.send_packet(&format!("42/chat,[\"{event}\"]")).await;
            assert_eq!(alice.next("im_error").await["code"], 20002, "{event} without argument");
        }
        alice.emit("to", json!({"to": "bob", "fp": "x"})).await;
        assert_eq!(alice.next("im_error").await["code"], 20002, "without from");
        alice.emit("to", message("alice", "bob", "f1")).await;
        alice.next("to_ack").await;
    }
}

#[tokio::test]
async fn what_the_server_checks_of_a_message() {
    let server = Server::start(&[]);
    let mut alice = Client::chat(&server, 4, "alice").await;
    let mut bob = Client::chat(&server, 3, "bob").await;
    for typeu in [json!(0), json!(3), json!(-1), json!("1")] {
        let mut dropped = message("alice", "bob", "dropped");
        dropped["typeu"] = typeu;
        alice.emit("to", dropped).await;
    }
    assert!(alice.nothing("to_ack").await && alice.nothing("im_error").await);

    alice.emit("to", message("alice", "alice", "self")).await;
    alice.next("to_ack").await;
    assert!(alice.nothing("c_message").await);

    alice.emit("to", message("mallory", "bob", "forged")).await;
    assert_eq!(payload(&alice.next("to_ack").await)["from"], "alice");
    let received = bob.next("c_message").await;
    assert_eq!(payload(&received)["timelineId"], "alice@bob");

    alice.emit("to", message("alice", "bob", "forged")).await;
    let second = alice.next("to_ack").await;
    assert_ne!(payload(&second)["_id"], payload(&received)["_id"], "sent twice is stored twice");
}

#[tokio::test]
async fn messages_keep_their_order() {
    let file = std::env::temp_dir().join(format!("im-server-order-{}", std::process::id()));
    for data in [None, file.to_str()] {
        let flags: Vec<&str> = data.map_or(vec![], |file| vec!["--data", file]);
        let server = Server::start(&flags);
        let mut alice = Client::chat(&server, 3, "alice").await;
        let mut bob = Client::chat(&server, 4, "bob").await;
        for number in 0..200 {
            alice.emit("to", message("alice", "bob", &format!("f{number}"))).await;
        }
        for number in 0..200 {
            let fp = json!(format!("f{number}"));
            assert_eq!(payload(&alice.next("to_ack").await)["fp"], fp);
            assert_eq!(payload(&bob.next("c_message").await)["fp"], fp);
        }
    }
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn groups() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut alice = Client::chat(&server, eio, "alice").await;
        let mut bob = Client::chat(&server, eio, "bob").await;
        let group = |kind: &str, members: &[&str]| {
            server
                .post("/group", json!({"groupId": "g1", "members": members, "whoami": "alice", "type": kind}))
        };
        let mut hello = message("alice", "g1", "f1");
        hello["typeu"] = json!(2);

        alice.emit("to", hello.clone()).await;
        assert_eq!(alice.next("im_error").await["code"], 20003, "no such group");
        assert_eq!(group("update", &[]).0, 404);
        assert_eq!(group("create", &["bob", "carol"]).0, 200);
        assert_eq!(payload(&bob.next("g_notice").await)["result"]["members"], json!(["bob", "carol"]));
        alice.emit("to", hello.clone()).await;
        assert_eq!(alice.next("im_error").await["code"], 20003, "not a member");

        group("update", &["alice", "bob", "carol"]);
        let notice = alice.next("g_notice").await;
        assert_eq!(
            (&payload(&notice)["type"], &payload(&notice)["groupId"]),
            (&json!("update"), &json!("g1"))
        );
        assert!(payload(&notice)["updateResult"].is_object());
        alice.emit("to", hello).await;
        assert_eq!(payload(&alice.next("to_ack").await)["timelineId"], "alice@g1");
        assert_eq!(payload(&bob.next("c_message").await)["fp"], "f1");
        assert!(alice.nothing("c_message").await);

        // Carol was away.
        let mut carol = Client::chat(&server, eio, "carol").await;
        carol.emit("offline_message", Value::Null).await;
        assert_eq!(payload(&carol.next("offline_message").await)[0]["fp"], "f1");
        carol.emit("history_message", json!({"timelineId": "alice@g1", "typeu": 2})).await;
        assert_eq!(payload(&carol.next("history_message").await)[0]["fp"], "f1");
        group("destroy", &[]);
        assert_eq!(payload(&carol.next("g_notice").await)["type"], "destroy");
        carol.emit("history_message", json!({"timelineId": "alice@g1", "typeu": 2})).await;
        assert_eq!(carol.next("im_error").await["code"], 20001);
    }
}

#[tokio::test]
async fn history_and_conversations() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut alice = Client::chat(&server, eio, "alice").await;
        for number in 0..12 {
            alice.emit("to", message("alice", "bob", &format!("f{number}"))).await;
            alice.next("to_ack").await;
        }
        let ask = |extra: Value| {
            let mut ask = json!({"timelineId": "bob@alice", "typeu": 1});
            ask.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            ask
        };
        alice.emit("history_message", ask(json!({}))).await;
        let page = alice.next("history_message").await;
        let list = payload(&page).as_array().unwrap();
        assert_eq!((list.len(), &list[0]["fp"]), (10, &json!("f11")));
        alice.emit("history_message", ask(json!({"messageId": list[9]["_id"], "limit": 1}))).await;
        let page = alice.next("history_message").await;
        assert_eq!(payload(&page).as_array().unwrap().len(), 1);
        assert_eq!(payload(&page)[0]["fp"], "f1");

        alice.emit("history_message", json!({"timelineId": "bob@carol", "typeu": 1})).await;
        assert_eq!(alice.next("im_error").await["code"], 20001);
        alice.emit("history_message", json!({"timelineId": "bob@alice"})).await;
        assert_eq!(alice.next("im_error").await["code"], 20002);

        let mut bob = Client::chat(&server, eio, "bob").await;
        bob.emit("recent_conversation", Value::Null).await;
        let recent = bob.next("recent_conversation").await;
        assert_eq!(payload(&recent)[0]["with"], "alice");
        assert_eq!(payload(&recent)[0]["unread"], 12);
        assert_eq!(payload(&recent)[0]["message"]["fp"], "f11");
    }
}

#[tokio::test]
async fn read_receipts_and_typing() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut alice = Client::chat(&server, eio, "alice").await;
        let mut bob = Client::chat(&server, eio, "bob").await;
        bob.emit("to_typing", json!({"to": "alice", "typeu": 1})).await;
        let expected = json!({"timelineId": "bob@alice", "from": "bob"});
        assert_eq!(payload(&alice.next("to_typing").await), &expected);

        for fp in ["now", "later"] {
            alice.emit("to", message("alice", "bob", fp)).await;
            alice.next("to_ack").await;
        }
        let (now, later) = (bob.next("c_message").await, bob.next("c_message").await);
        bob.emit("to_reader", payload(&now).clone()).await;
        let receipt = alice.next("to_reader").await;
        assert_eq!(receipt["data"]["action"], "CHAT_TO_READED");
        let expected = json!([{
            "_id": payload(&now)["_id"], "timelineId": "alice@bob", "typeu": 1, "readed": ["bob"], "fp": "now",
        }]);
        assert_eq!(payload(&receipt), &expected);

        drop(alice);
        while payload(&bob.next("c_online").await)["type"] != "offline" {}
        bob.emit("to_reader", payload(&later).clone()).await;
        server.until("/messages", |all| all[1]["readed"] == true).await;
        let mut alice = Client::chat(&server, eio, "alice").await;
        for fps in [&["later"][..], &[]] {
            alice.emit("readed_message", Value::Null).await;
            let missed = alice.next("to_reader").await;
            let missed = payload(&missed).as_array().unwrap();
            assert!(missed.iter().map(|receipt| receipt["fp"].as_str().unwrap()).eq(fps.iter().copied()));
        }
    }
}

#[tokio::test]
async fn notices_and_kick() {
    let server = Server::start(&[]);
    let mut alice = Client::chat(&server, 3, "alice").await;
    let mut bob = Client::chat(&server, 4, "bob").await;
    server.post("/sys", json!({"to": "bob", "payload": "for bob"}));
    server.post("/sys", json!({"payload": {"text": "for all"}}));
    assert_eq!(payload(&bob.next("sys_notice").await), "for bob");
    for client in [&mut alice, &mut bob] {
        let notice = client.next("sys_notice").await;
        assert_eq!(payload(&notice), &json!({"text": "for all"}));
    }
    assert_eq!(server.post("/kick", json!({"userId": "bob"})), (200, json!({"kicked": 1})));
    assert_eq!(bob.refused().await, 20004);
    for (path, body) in [("/kick", json!({})), ("/sys", json!([])), ("/group", json!({"groupId": "g"}))] {
        let (status, answer) = server.post(path, body);
        assert!(status == 400 && answer["error"].is_string(), "{path}: {answer}");
    }
}

#[tokio::test]
async fn echo_answers_whoever_writes_to_it() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let mut alice = Client::chat(&server, eio, "alice").await;
        alice.emit("to", message("alice", "echo", "f1")).await;
        let sent = payload(&alice.next("to_ack").await).clone();
        let answer = payload(&alice.next("c_message").await).clone();
        assert_eq!((&answer["from"], &answer["to"]), (&json!("echo"), &json!("alice")));
        assert_eq!((&answer["content"], &answer["timelineId"]), (&sent["content"], &json!("echo@alice")));
        assert_ne!(answer["fp"], sent["fp"]);
        alice.emit("c_message_ack", answer).await;
        server.until("/messages", |all| all[1]["delivered"] == true).await;
    }
}

/// A command gets the URL of its server, which ends with it, and its exit code is the command's.
#[test]
fn with_serves_a_command() {
    let script = "printf %s \"$IM_ROOT\"; exec 3<>\"/dev/tcp/127.0.0.1/${IM_ROOT##*:}\" && exit 7";
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_im-server"));
    let output = command.args(["with", "bash", "-c", script]).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    let port = String::from_utf8(output.stdout).unwrap().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());

    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_im-server"));
    let output = command.args(["with", "/no/such/program"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/program"));
}
