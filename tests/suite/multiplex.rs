//! Several namespaces over one connection.

use serde_json::{json, Value};

use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];
const TRANSPORTS: [&str; 2] = ["websocket", "polling"];

fn options(root: &str, nsp: &str, transport: &str) -> Value {
    json!({
        "root": root, "nsp": nsp, "path": "/socket.io", "transports": [transport], "multiplex": true,
        "query": { "token": "t", "deviceType": "desktop" },
        "reconnectionDelay": 10, "reconnectionDelayMax": 20
    })
}

fn with(mut options: Value, name: &str, value: Value) -> Value {
    options[name] = value;
    options
}

fn works(client: &TestClient, what: &Value) {
    let outcomes = Outcomes::default();
    client.ask("echo", what, 0, &outcomes);
    assert_eq!(outcome(&outcomes), (0, Some(what.clone())));
}

fn three(server: &Server, transport: &str) -> [TestClient; 3] {
    let clients = ["chat", "sso", "/"].map(|nsp| TestClient::new(options(&server.root(), nsp, transport)));
    clients.iter().for_each(|client| drop(client.wait("connect")));
    clients
}

#[test]
fn several_namespaces_share_one_connection() {
    for generation in GENERATIONS {
        for transport in TRANSPORTS {
            let server = socketio(generation, &[]);
            let clients = three(&server, transport);
            let stats = server.stats();
            assert_eq!(stats["engines"], 1, "{generation} {transport}: {stats}");
            for (number, client) in clients.iter().enumerate() {
                works(client, &json!({ "of": number }));
                let connect = client.wait("connect").json;
                assert_eq!(connect["protocol"], if generation == 2 { 3 } else { 4 });
                assert_eq!(connect["transport"], transport);
                client.emit("handshake", &Value::Null);
                assert_eq!(client.wait("handshake").json["query"]["token"], "t");
            }
            // Each has its own socket id.
            let ids: std::collections::BTreeSet<String> =
                clients.iter().map(|client| client.info()["socketId"].to_string()).collect();
            assert_eq!(ids.len(), 3);
        }
    }
}

#[test]
fn what_each_namespace_sends_and_receives_stays_its_own_and_in_order() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let clients = three(&server, "websocket");
        for client in &clients {
            client.emit("burst", &json!(300));
        }
        for client in &clients {
            client.wait_nth("burst", 300);
            assert_eq!(client.all("burst"), (0..300).map(|n| json!(n)).collect::<Vec<_>>());
        }
        for number in 0..100 {
            for (at, client) in clients.iter().enumerate() {
                assert_eq!(client.emit(&format!("count{at}"), &json!(number)), 0);
            }
        }
        for at in 0..3 {
            let received = server.wait_received(&format!("count{at}"), 100);
            assert_eq!(received, (0..100).map(|n| json!(n)).collect::<Vec<_>>());
        }
        assert_eq!(server.stats()["engines"], 1);
    }
}

#[test]
fn binary_events_of_several_namespaces_do_not_mix() {
    for generation in GENERATIONS {
        for transport in TRANSPORTS {
            let server = socketio(generation, &[]);
            let clients = three(&server, transport);
            for client in &clients {
                for _ in 0..20 {
                    client.emit("binary", &Value::Null);
                }
            }
            for client in &clients {
                client.wait_nth("binary", 20);
                for event in client.events().iter().filter(|event| event.name == "binary") {
                    assert_eq!(event.blobs[0], [1, 2, 3]);
                    assert_eq!(event.blobs.len(), 3);
                }
            }
            assert_eq!(server.stats()["engines"], 1);
        }
    }
}

#[test]
fn force_new_makes_a_connection_of_its_own() {
    let server = socketio(4, &[]);
    let shared = TestClient::new(options(&server.root(), "chat", "websocket"));
    shared.wait("connect");
    let own = TestClient::new(with(options(&server.root(), "sso", "websocket"), "forceNew", json!(true)));
    own.wait("connect");
    assert_eq!(server.stats()["engines"], 2);
    works(&own, &json!(1));
    works(&shared, &json!(2));
}

#[test]
fn clients_that_differ_about_the_connection_do_not_share_it() {
    let server = socketio(4, &[]);
    let first = TestClient::new(options(&server.root(), "chat", "websocket"));
    first.wait("connect");
    for (name, value) in [
        ("query", json!({ "token": "another" })),
        ("multiplex", json!(false)),
        ("extraHeaders", json!({ "x-some": "header" })),
        ("nsp", json!("chat")),
    ] {
        let before = server.stats()["engines"].as_u64().unwrap();
        let other = TestClient::new(with(options(&server.root(), "sso", "websocket"), name, value));
        other.wait("connect");
        assert_eq!(server.stats()["engines"], before + 1, "{name}");
        works(&other, &json!(1));
    }
    works(&first, &json!(1));
}

#[test]
fn one_namespace_leaves_and_the_others_stay() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let [chat, sso, root] = three(&server, "websocket");
        chat.close();
        assert_eq!(chat.wait("disconnect").json["reason"], "io client disconnect");
        wait_until("the end of one namespace", || server.stats()["connectsNow"]["/chat"] == 0);
        drop(root);
        works(&sso, &json!("still here"));
        assert_eq!(sso.count("disconnect"), 0);
        assert_eq!(server.stats()["enginesNow"], 1);
        // The last one closes the connection.
        drop(sso);
        wait_until("the end of the connection", || server.stats()["enginesNow"] == 0);
    }
}

#[test]
fn the_server_disconnects_one_namespace_and_the_others_stay() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let [chat, sso, _root] = three(&server, "websocket");
        chat.emit("disconnect_me", &Value::Null);
        assert_eq!(chat.wait("disconnect").json["reason"], "io server disconnect");
        works(&sso, &json!(1));
        assert_eq!(sso.count("disconnect"), 0);
    }
}

#[test]
fn a_refused_namespace_does_not_harm_the_others() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let chat = TestClient::new(options(&server.root(), "chat", "websocket"));
        chat.wait("connect");
        let refused = TestClient::new(options(&server.root(), "refused", "websocket"));
        assert!(refused.wait("connect_error").json["message"].as_str().unwrap().contains("refused"));
        works(&chat, &json!(1));
        drop(refused);
        works(&chat, &json!(2));
        assert_eq!((chat.count("disconnect"), &server.stats()["engines"]), (0, &json!(1)));
    }
}

#[test]
fn a_lost_connection_is_lost_for_all_and_made_anew_once() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let clients = three(&server, "websocket");
        server.post("/control/drop", json!({}));
        for client in &clients {
            client.wait("reconnect");
            works(client, &json!("again"));
        }
        assert_eq!(server.stats()["enginesNow"], 1, "they share the new one too");
    }
}

#[test]
fn heartbeats_keep_a_shared_connection_and_are_told() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--ping-interval", "100", "--ping-timeout", "2000"]);
        let clients = ["chat", "sso"].map(|nsp| TestClient::new(options(&server.root(), nsp, "websocket")));
        for client in &clients {
            client.wait("connect");
            assert!(client.on("ping") > 0);
        }
        for client in &clients {
            client.wait_nth("ping", 5);
            assert_eq!(client.count("disconnect"), 0);
        }
        assert_eq!(server.stats()["engines"], 1);
    }
}

#[test]
fn a_silent_server_is_noticed_by_all() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--ping-interval", "200", "--ping-timeout", "300"]);
        let clients = three(&server, "websocket");
        server.post("/control/pause", json!({}));
        for client in &clients {
            assert_eq!(client.wait("disconnect").json["reason"], "ping timeout");
        }
        server.post("/control/resume", json!({}));
        for client in &clients {
            client.wait("reconnect");
        }
    }
}

#[test]
fn a_shared_connection_that_can_not_be_opened_fails_for_all_who_wait() {
    let server = RawServer::start(|peer| peer.refuse("503 Service Unavailable", "closed today"));
    let clients: Vec<TestClient> = ["a", "b", "c"]
        .iter()
        .map(|nsp| {
            let mut options = options(&server.root(), nsp, "websocket");
            options["reconnection"] = json!(false);
            TestClient::new(options)
        })
        .collect();
    for client in &clients {
        let error = client.wait("connect_error").json;
        assert!(error["message"].as_str().unwrap().contains("closed today"), "{error}");
    }
}

#[test]
fn who_opens_a_shared_connection_may_give_up_and_another_goes_on() {
    let server = RawServer::start(|peer| match peer.number {
        1 => peer.drain(),
        _ => peer.behave(4),
    });
    let first = TestClient::new(options(&server.root(), "a", "websocket"));
    wait_until("the first request", || server.accepted() == 1);
    let second = TestClient::new(options(&server.root(), "b", "websocket"));
    drop(first);
    second.wait("connect");
}

#[test]
fn a_full_member_stops_reading_for_all_and_loses_nothing() {
    let server = socketio(4, &[]);
    let slow = with(options(&server.root(), "chat", "websocket"), "receiveQueueBytes", json!(20_000));
    let slow = TestClient::deaf(with(slow, "delivery", json!("manual")));
    let other = TestClient::new(options(&server.root(), "sso", "websocket"));
    other.wait("connect");
    wait_until("the slow one too", || server.stats()["connectsNow"]["/chat"] == 1);
    let args = json!([2000, 1000]);
    assert_eq!(slow.emit_args("flood", &args, 0), 0);
    // Everything comes, once somebody takes it.
    let mut seen = 0;
    wait_until("the flood", || {
        seen += slow.take_all().iter().filter(|name| *name == "flood").count();
        seen >= 2000
    });
    works(&other, &json!(1));
    assert_eq!((other.count("disconnect"), &server.stats()["engines"]), (0, &json!(1)));
}
