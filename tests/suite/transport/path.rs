//! Which path: the one that is given; else `/ws` and `/socket.io`, with one connection in the end, and remembered.

use serde_json::{json, Value};

use super::{fresh, with};
use crate::support::*;

/// Options that leave the path open. The namespace is one in which the library does nothing by itself.
fn searching(root: &str) -> Value {
    json!({ "root": root, "nsp": "room", "transports": ["websocket"], "reconnectionDelay": 10, "reconnectionDelayMax": 20 })
}

#[test]
fn the_default_finds_the_reference_server() {
    let (server, root) = fresh(|| egg(&[]));
    let client = TestClient::connect(&root, "chat", json!({ "token": "t", "userId": "u" }));
    assert_eq!(client.wait("connect").json["path"], "/ws");
    let stats = server.stats();
    assert_eq!((&stats["engines"], &stats["connects"]["/chat"]), (&json!(1), &json!(1)), "{stats}");
    assert!(stats["upgradeUrls"][0].as_str().unwrap().starts_with("/ws/?"), "{stats}");
}

fn finds_socket_io(flags: &[&str]) {
    for generation in [2, 4] {
        let (server, root) = fresh(|| socketio(generation, flags));
        let client = TestClient::connect(&root, "chat", json!({}));
        assert_eq!(client.wait("connect").json["path"], "/socket.io");
        let stats = server.stats();
        assert_eq!((&stats["engines"], &stats["connects"]["/chat"]), (&json!(1), &json!(1)), "{stats}");
        assert_eq!(stats["connectPackets"], json!(["40/chat,"]), "{stats}");
        let urls: Vec<&str> =
            stats["upgradeUrls"].as_array().unwrap().iter().map(|url| url.as_str().unwrap()).collect();
        assert_eq!(urls.len(), 2, "{urls:?}");
        assert!(urls[0].starts_with("/ws/?") && urls[1].starts_with("/socket.io/?"), "{urls:?}");
    }
}

#[test]
fn the_default_finds_a_stock_server_that_closes_other_upgrades() {
    finds_socket_io(&[]);
}

#[test]
fn the_default_finds_a_stock_server_that_refuses_other_upgrades() {
    finds_socket_io(&["--refuse-other-upgrades", "404"]);
}

#[test]
fn the_default_finds_a_stock_server_that_swallows_other_upgrades() {
    finds_socket_io(&["--swallow-other-upgrades"]);
}

/// A refusal starts the second path at once: a client that waited for its 250 ms of silence could not connect within a
/// connect timeout of 200 ms, however often it tried.
fn refused_at_once(refuse: fn(&mut Peer)) {
    let server = RawServer::start(move |peer| match peer.request() {
        Some(request) if request.path == "/ws/" => refuse(peer),
        Some(request) => {
            peer.switch(&request, "");
            peer.open(4);
            peer.join(4);
            peer.receive_all();
        }
        None => {}
    });
    let client = TestClient::new(with(searching(&server.root()), json!({ "timeout": 200 })));
    assert_eq!(client.wait("connect").json["path"], "/socket.io");
    // A slow machine may have needed several attempts.
    let paths = server.paths();
    assert_eq!(paths[paths.len() - 2..], ["/ws/", "/socket.io/"]);
}

#[test]
fn an_http_error_starts_the_second_path_at_once() {
    refused_at_once(|peer| peer.answer("404 Not Found", ""));
}

#[test]
fn a_closed_connection_starts_the_second_path_at_once() {
    refused_at_once(|_| {});
}

#[test]
fn a_reset_starts_the_second_path_at_once() {
    refused_at_once(Peer::reset);
}

#[test]
fn an_invalid_upgrade_starts_the_second_path_at_once() {
    refused_at_once(|peer| {
        peer.answer("101 Switching Protocols", "");
        peer.drain();
    });
}

#[test]
fn a_websocket_of_something_else_starts_the_second_path_at_once() {
    let server = RawServer::start(|peer| {
        let request = peer.upgrade();
        if request.is_some_and(|request| request.path == "/ws/") {
            peer.text("welcome to the ticker");
        } else {
            peer.open(4);
            peer.join(4);
        }
        peer.receive_all();
    });
    let client = TestClient::new(with(searching(&server.root()), json!({ "timeout": 200 })));
    assert_eq!(client.wait("connect").json["path"], "/socket.io");
    assert_eq!(server.frames_with("40"), ["40/room,"]);
}

#[test]
fn silence_starts_the_second_path_and_the_loser_is_closed_before_the_connect() {
    let server = RawServer::start(|peer| {
        let Some(request) = peer.request() else { return };
        if request.path == "/ws/" {
            return peer.drain();
        }
        peer.switch(&request, "");
        peer.open(4);
        peer.receive_until("40/room");
        // A client that kept the first connection until it is connected by the second would wait here in vain.
        peer.wait_for_end_of(1);
        peer.text("40/room,{\"sid\":\"second\"}");
        peer.receive_all();
    });
    let client = TestClient::new(searching(&server.root()));
    assert_eq!(client.wait("connect").json["sid"], "second");
    assert_eq!(server.paths(), ["/ws/", "/socket.io/"]);
}

#[test]
fn a_slow_first_path_that_opens_first_wins() {
    let server = RawServer::start(|peer| {
        let Some(request) = peer.request() else { return };
        if request.path != "/ws/" {
            return peer.drain();
        }
        peer.wait_for_requests(2);
        peer.switch(&request, "");
        peer.open(4);
        peer.receive_until("40/room");
        peer.wait_for_end_of(2);
        peer.text("40/room,{\"sid\":\"first\"}");
        peer.receive_all();
    });
    let client = TestClient::new(searching(&server.root()));
    let connected = client.wait("connect").json;
    assert_eq!((&connected["sid"], &connected["path"]), (&json!("first"), &json!("/ws")));
    assert_eq!(server.frames_with("40"), ["40/room,"]);
}

#[test]
fn two_paths_that_both_open_get_one_connect() {
    for _ in 0..10 {
        let server = RawServer::start(|peer| {
            let Some(request) = peer.request() else { return };
            peer.wait_for_requests(2);
            peer.switch(&request, "");
            peer.open(4);
            peer.join(4);
            peer.receive_all();
        });
        let client = TestClient::new(searching(&server.root()));
        client.wait("connect");
        client.emit("hello", &json!(1));
        wait_until("the loser's end", || server.ended() == 1);
        wait_until("the emit", || server.frames_with("42").len() == 1);
        assert_eq!(server.frames_with("40"), ["40/room,"]);
        assert_eq!(server.accepted(), 2);
    }
}

/// An open alone connects the root of a 2.x server: the second path's must not come while the first is there.
#[test]
fn the_paths_do_not_overlap_for_the_root_namespace() {
    let server = RawServer::start(|peer| {
        let Some(request) = peer.request() else { return };
        if request.path == "/ws/" {
            return peer.drain();
        }
        // A client that raced them would close the first only after this open.
        peer.wait_for_end_of(1);
        peer.switch(&request, "");
        peer.open(2);
        peer.text("40");
        peer.receive_all();
    });
    let client = TestClient::new(with(searching(&server.root()), json!({ "nsp": "/" })));
    assert_eq!(client.wait("connect").json["path"], "/socket.io");
    assert_eq!(server.paths(), ["/ws/", "/socket.io/"]);
    assert!(server.frames_with("40").is_empty());
}

#[test]
fn the_path_that_worked_is_remembered_for_clients_and_reconnects() {
    let server = RawServer::start(|peer| match peer.request() {
        Some(request) if request.path == "/socket.io/" => {
            peer.switch(&request, "");
            peer.open(4);
            peer.join(4);
            // The second connection is lost as soon as somebody says so.
            peer.receive_until("42/room,[\"go\"");
        }
        Some(_) => peer.answer("404 Not Found", ""),
        None => {}
    });
    let first = TestClient::new(searching(&server.root()));
    first.wait("connect");
    let second = TestClient::new(searching(&server.root()));
    second.wait("connect");
    assert_eq!(server.paths(), ["/ws/", "/socket.io/", "/socket.io/"]);
    second.emit("go", &Value::Null);
    second.wait_nth("connect", 2);
    assert_eq!(server.paths(), ["/ws/", "/socket.io/", "/socket.io/", "/socket.io/"]);
}

#[test]
fn a_remembered_path_that_is_refused_is_searched_anew() {
    let serving = |path: &'static str| {
        move |peer: &mut Peer| match peer.request() {
            Some(request) if request.path == path => {
                peer.switch(&request, "");
                peer.open(4);
                peer.join(4);
                peer.receive_all();
            }
            Some(_) => peer.answer("404 Not Found", ""),
            None => {}
        }
    };
    let server = RawServer::start(serving("/socket.io/"));
    let port = server.port();
    // The pause leaves time to start the next server: one that is met in its last moments closes connections, which is a
    // refusal too.
    let later = json!({ "reconnectionDelay": 500, "randomizationFactor": 0 });
    let client = TestClient::new(with(searching(&server.root()), later));
    assert_eq!(client.wait("connect").json["path"], "/socket.io");
    drop(server);
    let server = RawServer::on_port(port, serving("/ws/"));
    assert_eq!(client.wait_nth("connect", 2).json["path"], "/ws");
    assert_eq!(server.paths(), ["/socket.io/", "/ws/"], "a network that was down made it forget the path");
    let other = TestClient::new(searching(&server.root()));
    assert_eq!(other.wait("connect").json["path"], "/ws");
    assert_eq!(server.paths(), ["/socket.io/", "/ws/", "/ws/"]);
}

#[test]
fn where_both_fail_the_error_tells_both_attempts() {
    let server = RawServer::start(|peer| match peer.request() {
        Some(request) if request.path == "/ws/" => peer.answer("404 Not Found", "no such page"),
        Some(_) => peer.answer("503 Service Unavailable", "try later"),
        None => {}
    });
    let options = json!({ "query": { "token": "secret" }, "reconnection": false });
    let client = TestClient::new(with(searching(&server.root()), options));
    let error = client.wait("connect_error").json;
    let attempts = error["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2, "{error}");
    for (attempt, path, status, body) in
        [(&attempts[0], "/ws", 404, "no such page"), (&attempts[1], "/socket.io", 503, "try later")]
    {
        assert_eq!(attempt["path"], path);
        assert_eq!(attempt["step"], "upgrade");
        assert_eq!(attempt["status"], status);
        assert_eq!(attempt["transport"], "websocket");
        assert!(attempt["message"].as_str().unwrap().contains(body), "{attempt}");
        let url = attempt["url"].as_str().unwrap();
        assert!(url.starts_with("ws://127.0.0.2:") && url.contains("token=***"), "{url}");
    }
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(error["willRetry"], false);
}

#[test]
fn a_given_path_is_the_only_one_that_is_asked() {
    for generation in [2, 4] {
        let server = socketio(generation, &["--path", "/im/v1"]);
        let client = TestClient::new(json!({ "root": server.root(), "nsp": "chat", "path": "/im/v1" }));
        assert_eq!(client.wait("connect").json["path"], "/im/v1");
        let stats = server.stats();
        assert_eq!((&stats["upgrades"], &stats["engines"]), (&json!(1), &json!(1)));
        assert!(stats["upgradeUrls"][0].as_str().unwrap().starts_with("/im/v1/?EIO="), "{stats}");
    }
}

#[test]
fn the_trailing_slash_is_an_option() {
    let server = RawServer::start(|peer| peer.behave(4));
    let plain = json!({ "root": server.root(), "nsp": "room", "path": "/ws", "addTrailingSlash": false });
    TestClient::new(plain).wait("connect");
    let slashed = json!({ "root": server.root(), "nsp": "room", "path": "/ws" });
    TestClient::new(slashed).wait("connect");
    let own = json!({ "root": server.root(), "nsp": "room", "path": "/ws/" });
    TestClient::new(own).wait("connect");
    assert_eq!(server.paths(), ["/ws", "/ws/", "/ws/"]);
}

#[test]
fn timestamps_are_sent_where_they_are_asked_for() {
    let server = RawServer::start(|peer| peer.behave(4));
    let options = |more: Value| {
        with(json!({ "root": server.root(), "nsp": "room", "path": "/ws", "query": { "q": 1 } }), more)
    };
    let value = |query: &str, name: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned))
    };
    TestClient::new(options(json!({}))).wait("connect");
    TestClient::new(options(json!({ "timestampRequests": true }))).wait("connect");
    TestClient::new(options(json!({ "timestampRequests": true, "timestampParam": "stamp" }))).wait("connect");
    let queries: Vec<String> = server.requests().into_iter().map(|request| request.query).collect();
    assert_eq!(queries[0], "EIO=4&transport=websocket&q=1");
    assert_eq!(value(&queries[0], "t"), None);
    assert!(value(&queries[1], "t").is_some_and(|stamp| !stamp.is_empty()), "{}", queries[1]);
    assert!(value(&queries[2], "stamp").is_some_and(|stamp| !stamp.is_empty()), "{}", queries[2]);
    assert_eq!(value(&queries[2], "t"), None);
}

#[test]
fn every_connection_has_another_timestamp() {
    let server = RawServer::start(|peer| {
        peer.connect(4);
    });
    let options = json!({ "timestampRequests": true, "reconnectionDelay": 10 });
    let client = TestClient::new(with(searching(&server.root()), with(options, json!({ "path": "/ws" }))));
    client.wait_nth("connect", 3);
    let queries: Vec<String> = server.requests().into_iter().map(|request| request.query).collect();
    assert!(queries[0] != queries[1] && queries[1] != queries[2], "{queries:?}");
}
