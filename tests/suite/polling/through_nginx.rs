//! Through nginx, which is hostile to WebSocket in several ways, with the options that a client has by default.

use serde_json::{json, Value};

use super::{with, works, GENERATIONS};
use crate::support::*;

/// The defaults, with quick retries and a limit for what hangs.
fn default(root: &str) -> Value {
    json!({ "root": root, "nsp": "chat", "timeout": 4000, "reconnectionDelay": 10, "reconnectionDelayMax": 30 })
}

const PINGS: [&str; 4] = ["--ping-interval", "300", "--ping-timeout", "700"];

/// Much, both ways: all of it comes, once and in order.
fn carries_everything(client: &TestClient, server: &Server) {
    let numbers: Vec<Value> = (0..300).map(|n| json!(n)).collect();
    for number in &numbers {
        assert_eq!(client.emit("count", number), 0);
    }
    client.emit("burst", &json!(300));
    client.wait_nth("burst", 300);
    assert_eq!(client.all("burst"), numbers);
    assert_eq!(server.wait_received("count", 300), numbers);
    works(client);
}

#[test]
fn websocket_is_used_where_it_gets_through() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let nginx = Nginx::before(&server, Upgrades::Passed);
        let client = TestClient::new(default(&nginx.root()));
        assert_eq!(client.wait("connect").json["transport"], "websocket");
        carries_everything(&client, &server);
        assert_eq!(client.count("connect_error"), 0);
    }
}

/// The first try fails, the second transport works, and the upgrade that it offers fails too without harm.
#[test]
fn a_proxy_that_kills_every_websocket_leaves_a_working_client() {
    for generation in GENERATIONS {
        for (upgrades, status) in [
            (Upgrades::Stripped, 400),
            (Upgrades::Refused, 403),
            (Upgrades::Cut(0), 101),
            (Upgrades::Cut(15), 101),
            (Upgrades::Silenced(0), 101),
            (Upgrades::Silenced(15), 101),
        ] {
            let server = socketio(generation, &[]);
            let nginx = Nginx::before(&server, upgrades);
            let options = with(default(&nginx.root()), json!({ "path": "/socket.io" }));
            let client = TestClient::new(options);
            let connect = client.wait("connect").json;
            assert_eq!(connect["transport"], "polling", "{generation} {upgrades:?}");
            carries_everything(&client, &server);
            assert_eq!((client.count("disconnect"), client.count("connect_error")), (0, 0), "{upgrades:?}");
            if !matches!(upgrades, Upgrades::Silenced(_)) {
                wait_until("both tries in the log", || nginx.upgrades().len() >= 2);
                assert!(nginx.upgrades().iter().all(|seen| *seen == status), "{:?}", nginx.upgrades());
            }
        }
    }
}

/// Nobody told the path either: both are tried by both transports.
#[test]
fn the_path_is_found_behind_a_proxy_that_kills_every_websocket() {
    for generation in GENERATIONS {
        for upgrades in [Upgrades::Stripped, Upgrades::Refused, Upgrades::Cut(0)] {
            let server = socketio(generation, &[]);
            let nginx = Nginx::before(&server, upgrades);
            let client = TestClient::new(with(default(&nginx.root()), json!({ "timeout": 10000 })));
            let connect = client.wait("connect").json;
            assert_eq!((&connect["transport"], &connect["path"]), (&json!("polling"), &json!("/socket.io")));
            works(&client);
        }
    }
}

/// Asks until so many answers came; gives the values that were acknowledged, and how many requests ended otherwise.
fn ask_until(client: &TestClient, wanted: usize) -> (Vec<Value>, usize) {
    let (mut acknowledged, mut failed, mut number) = (Vec::new(), 0, 0);
    let start = std::time::Instant::now();
    while acknowledged.len() < wanted {
        assert!(start.elapsed() < PATIENCE, "{} of {wanted} after {failed} failures", acknowledged.len());
        let outcomes = Outcomes::default();
        let value = json!(number);
        client.ask("echo", &value, 2000, &outcomes);
        match outcome(&outcomes) {
            (0, Some(echo)) => {
                assert_eq!(echo, value);
                acknowledged.push(value);
            }
            _ => failed += 1,
        }
        number += 1;
    }
    (acknowledged, failed)
}

/// The probe is 12 bytes, its answer 8, the packet that ends long-polling 7: cut at every point of an upgrade, and later.
#[test]
fn an_upgrade_that_is_cut_anywhere_leaves_a_working_client() {
    for generation in GENERATIONS {
        for upgrades in [5, 12, 15, 20, 22, 27, 30, 100].map(Upgrades::Cut) {
            let server = socketio(generation, &PINGS);
            let nginx = Nginx::before(&server, upgrades);
            let options = with(
                default(&nginx.root()),
                json!({ "path": "/socket.io", "transports": ["polling", "websocket"] }),
            );
            let client = TestClient::new(options);
            client.wait("connect");
            let (acknowledged, _) = ask_until(&client, 20);
            // Nothing that was acknowledged is missing at the server, and nothing is there twice.
            let received = server.received("echo");
            for value in &acknowledged {
                let times = received.iter().filter(|seen| *seen == value).count();
                assert_eq!(times, 1, "{value} of {generation} {upgrades:?}");
            }
            let mut unique = received.clone();
            unique.dedup();
            assert_eq!(unique, received, "{generation} {upgrades:?}");
        }
    }
}

/// An upgrade that dies without a word is noticed long before the ping timeout, and not tried again at once.
#[test]
fn an_upgrade_that_is_silenced_anywhere_leaves_a_working_client() {
    for generation in GENERATIONS {
        for upgrades in [5, 15, 20, 27].map(Upgrades::Silenced) {
            let server = socketio(generation, &[]);
            let nginx = Nginx::before(&server, upgrades);
            let options = with(
                default(&nginx.root()),
                json!({ "path": "/socket.io", "transports": ["polling", "websocket"] }),
            );
            let client = TestClient::new(options);
            client.wait("connect");
            let (acknowledged, failed) = ask_until(&client, 20);
            let received = server.received("echo");
            assert!(acknowledged.iter().all(|value| received.contains(value)));
            assert!(failed < 5, "{failed} failures of {generation} {upgrades:?}");
            assert!(client.count("disconnect") <= 1, "{generation} {upgrades:?}");
            assert_eq!(client.info()["transport"], "polling", "{generation} {upgrades:?}");
        }
    }
}

/// WebSocket gets through, and is cut again and again: what was acknowledged is there, and the client comes back.
#[test]
fn a_websocket_that_is_cut_later_comes_back() {
    for generation in GENERATIONS {
        let server = socketio(generation, &PINGS);
        for upgrades in [Upgrades::Cut(600), Upgrades::Silenced(600)] {
            let nginx = Nginx::before(&server, upgrades);
            let client = TestClient::new(with(default(&nginx.root()), json!({ "path": "/socket.io" })));
            assert_eq!(client.wait("connect").json["transport"], "websocket");
            ask_until(&client, 30);
            client.wait("reconnect");
        }
    }
}

#[test]
fn errors_behind_a_proxy_say_which_transport_failed_at_which_step_with_which_status() {
    for (upgrades, step, status) in [
        (Upgrades::Stripped, "upgrade", json!(400)),
        (Upgrades::Refused, "upgrade", json!(403)),
        (Upgrades::Cut(0), "open", Value::Null),
        (Upgrades::Silenced(0), "open", Value::Null),
    ] {
        let server = socketio(4, &["--transports", "websocket"]);
        let nginx = Nginx::before(&server, upgrades);
        let more = json!({ "path": "/socket.io", "reconnection": false });
        let error = TestClient::new(with(default(&nginx.root()), more)).wait("connect_error").json;
        let attempts = error["attempts"].as_array().unwrap();
        let told: Vec<[&Value; 3]> = attempts
            .iter()
            .map(|attempt| ["transport", "step", "status"].map(|name| &attempt[name]))
            .collect();
        // That server does not know long-polling, and says so.
        let expected = [
            [&json!("websocket"), &json!(step), &status],
            [&json!("polling"), &json!("upgrade"), &json!(400)],
        ];
        assert_eq!(told, expected, "{upgrades:?}: {error}");
        assert!(error["message"].as_str().unwrap().contains("Transport unknown"), "{error}");
    }
}

fn engines(server: &Server) -> u64 {
    server.stats()["engines"].as_u64().expect("a number")
}

/// Two servers behind a cookie: every request of a session, its upgrade and each session after it go to the same one.
#[test]
fn a_sticky_pair_works_with_every_transport() {
    for generation in GENERATIONS {
        for transports in
            [json!(["websocket", "polling"]), json!(["polling"]), json!(["polling", "websocket"])]
        {
            let (first, second) = (socketio(generation, &[]), socketio(generation, &[]));
            let nginx = Nginx::sticky(&first, &second);
            let options =
                with(default(&nginx.root()), json!({ "path": "/socket.io", "transports": transports }));
            let client = TestClient::new(options);
            client.wait("connect");
            works(&client);
            if transports == json!(["polling", "websocket"]) {
                wait_until("the upgrade", || client.info()["transport"] == "websocket");
                works(&client);
            }
            let (mine, other) = if engines(&first) == 1 { (&first, &second) } else { (&second, &first) };
            for times in 2..=4 {
                mine.post("/control/drop", json!({}));
                client.wait_nth("connect", times);
                works(&client);
            }
            assert_eq!((engines(mine), engines(other)), (4, 0), "{generation} {transports}");
            assert_eq!(client.count("connect_error"), 0);
        }
    }
}
