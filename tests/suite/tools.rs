//! The tests' own tools do what they say: a tool that lies makes tests that prove nothing.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::json;

use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];

/// A request over a connection of its own; gives all that came up to the end of the connection.
fn ask(server: &PollingServer, method: &str, target: &str, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.2", server.port())).expect("it listens");
    let length = body.len();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("it reads");
    let mut answer = Vec::new();
    // A reset ends it too.
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn open(server: &PollingServer) -> String {
    text(&ask(server, "GET", "/socket.io/?EIO=4&transport=polling", ""))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_official_clients_take_the_polling_server_for_a_good_one() {
    for generation in GENERATIONS {
        let server = PollingServer::good(generation);
        let client = official_client(generation, &server.root(), &[]);
        assert!(client.first_line().contains("\"polling\""), "{}", client.first_line());
        let hello = || server.frames_with("42/room,[\"hello\"").first().cloned();
        let hello = wait_for("the client's event", hello);
        assert!(hello.contains("ä€😀"), "{hello}");
        server.push("42/room,7[\"question\",\"€😀\",[1]]");
        wait_until("the answer", || server.frames_with("43/room,7") == ["43/room,7[\"€😀\",[1]]"]);
        server.push("451-/room,8[\"question\",{\"_placeholder\":true,\"num\":0}]");
        server.push_binary(&[1, 2, 3]);
        wait_until("the binary answer", || !server.frames_with("461-/room,8").is_empty());
        let binary = if generation == 2 { "b4AQID" } else { "bAQID" };
        wait_until("its attachment", || !server.frames_with(binary).is_empty());
        assert_eq!((server.came(TurnKind::Open), server.most_at_once(TurnKind::Poll)), (1, 1));
        assert_eq!(server.most_at_once(TurnKind::Post), 1);
        assert!(server.bodies().iter().any(|body| body.contains("hello")));
        server.push("42/room,[\"leave\"]");
        wait_until("the goodbye", || server.frames_with("1") == ["1"]);
    }
}

#[test]
fn an_old_session_is_unknown() {
    let server = PollingServer::good(4);
    assert!(open(&server).contains("\"sid\":\"polling-1\""));
    assert!(open(&server).contains("\"sid\":\"polling-2\""));
    for method in ["GET", "POST"] {
        let answer = text(&ask(&server, method, "/socket.io/?EIO=4&transport=polling&sid=polling-1", ""));
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"code\":1"), "{answer}");
    }
    let answer = text(&ask(&server, "POST", "/socket.io/?EIO=4&transport=polling&sid=polling-2", "40/room,"));
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
    let answer = text(&ask(&server, "GET", "/socket.io/?EIO=4&transport=polling&sid=polling-2", ""));
    assert!(answer.ends_with("40/room,{\"sid\":\"socket-2\"}"), "{answer}");
    let answer = text(&ask(&server, "GET", "/socket.io/?EIO=4&transport=websocket", ""));
    assert!(answer.contains("\"code\":0"), "{answer}");
}

/// What a client gets that asks for a session.
fn got(answer: HttpAnswer) -> String {
    let server = PollingServer::start(4, move |turn| turn.answer(&answer));
    open(&server)
}

#[test]
fn hostile_answers_are_what_they_say() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\n";
    for (answer, expected) in [
        (HttpAnswer::payload("hello"), format!("{head}Content-Length: 5\r\n\r\nhello")),
        (HttpAnswer::payload(""), format!("{head}Content-Length: 0\r\n\r\n")),
        (HttpAnswer::payload("hello").without_length(), format!("{head}Connection: close\r\n\r\nhello")),
        (
            HttpAnswer::payload("hello").chunked(3),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
        ),
        (HttpAnswer::payload("hello").dripping(1, 1), format!("{head}Content-Length: 5\r\n\r\nhello")),
        (HttpAnswer::payload("hello").cut_after(0), format!("{head}Content-Length: 5\r\n\r\n")),
        (HttpAnswer::payload("hello").cut_after(2), format!("{head}Content-Length: 5\r\n\r\nhe")),
        (
            HttpAnswer::payload("hello").chunked(3).cut_after(4),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n3\r\nh"),
        ),
        (
            HttpAnswer::payload("x").header("Set-Cookie: a=b"),
            format!("{head}Set-Cookie: a=b\r\nContent-Length: 1\r\n\r\nx"),
        ),
    ] {
        assert_eq!(got(answer), expected);
    }
    for (answer, status, content) in [
        (HttpAnswer::status("503 Service Unavailable", "later"), "503 Service Unavailable", "later"),
        (
            HttpAnswer::refusal(1, "Session ID unknown"),
            "400 Bad Request",
            "{\"code\":1,\"message\":\"Session ID unknown\"}",
        ),
        (HttpAnswer::captive_portal(), "200 OK", "Free WiFi</form></body></html>"),
        (HttpAnswer::redirect("http://127.0.0.1:1/"), "302 Found", "\r\n\r\nmoved"),
    ] {
        let got = got(answer);
        assert!(got.starts_with(&format!("HTTP/1.1 {status}\r\n")) && got.ends_with(content), "{got}");
    }
    assert!(got(HttpAnswer::redirect("http://127.0.0.1:1/")).contains("Location: http://127.0.0.1:1/\r\n"));
    let huge = got(HttpAnswer::payload(vec![b'x'; 5_000_000]));
    assert_eq!(
        huge.bytes().filter(|byte| *byte == b'x').count(),
        5_000_000 + "text/plain".matches('x').count()
    );
}

#[test]
fn a_reset_is_one() {
    let server = PollingServer::start(4, |turn| turn.answer(&HttpAnswer::payload("hello").reset_after(0)));
    let mut stream = TcpStream::connect(("127.0.0.2", server.port())).expect("it listens");
    stream.write_all(b"GET /?transport=polling HTTP/1.1\r\n\r\n").expect("it reads");
    let error = stream.read_to_end(&mut Vec::new()).expect_err("no orderly end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn the_binary_payload_of_revision_3_is_told() {
    let server = PollingServer::start(2, |turn| turn.answer(&HttpAnswer::binary_v3(&["40", "42[\"ten+\"]"])));
    let answer = ask(&server, "GET", "/?EIO=3&transport=polling", "");
    assert!(answer.ends_with(b"\x00\x02\xff40\x00\x01\x00\xff42[\"ten+\"]"), "{}", text(&answer));
}

/// A script of an upgrade by hand: the official client goes over to the WebSocket.
#[test]
fn an_upgrade_may_be_scripted() {
    for generation in GENERATIONS {
        let server = PollingServer::start(generation, move |turn| match turn.kind {
            TurnKind::Open => turn.open_with(&json!({ "upgrades": ["websocket"], "pingInterval": 60_000 })),
            TurnKind::Upgrade => {
                turn.switch();
                assert_eq!(turn.receive().as_deref(), Some("2probe"));
                turn.text("3probe");
                turn.push("6");
                assert!(turn.receive_until("5"));
                turn.text("42/room,1[\"question\",\"upgraded?\"]");
                assert!(turn.receive_until("43/room,1[\"upgraded?\"]"));
            }
            _ => turn.behave(),
        });
        let _client = official_client(generation, &server.root(), &["--transports", "polling,websocket"]);
        wait_until("the answer", || !server.frames_with("43/room,1").is_empty());
        assert_eq!((server.came(TurnKind::Upgrade), server.most_at_once(TurnKind::Poll)), (1, 1));
    }
}

/// Scripts see which request it is, and may be hostile to one alone.
#[test]
fn a_script_knows_the_turn() {
    let server = PollingServer::start(4, |turn| match (turn.kind, turn.nth) {
        (TurnKind::Open, 1) => turn.answer(&HttpAnswer::status("503 Service Unavailable", "")),
        (TurnKind::Open, 2) => turn.hang_up(),
        (TurnKind::Open, 3) => {
            turn.write("HTTP/1.1 what?\r\n\r\n");
            turn.hang_up();
        }
        _ => turn.behave(),
    });
    assert!(open(&server).starts_with("HTTP/1.1 503 "));
    assert_eq!(open(&server), "");
    assert_eq!(open(&server), "HTTP/1.1 what?\r\n\r\n");
    assert!(open(&server).contains("polling-1"));
    assert_eq!((server.came(TurnKind::Open), server.accepted()), (4, 4));
}

#[test]
fn nginx_routes_by_its_cookie_and_tells_its_requests() {
    let servers = [socketio(4, &[]), socketio(4, &[])];
    let nginx = Nginx::sticky(&servers[0], &servers[1]);
    let clients: Vec<TestClient> = (0..2)
        .map(|_| TestClient::new(json!({ "root": nginx.root(), "nsp": "chat", "path": "/socket.io" })))
        .collect();
    clients.iter().for_each(|client| drop(client.wait("connect")));
    for server in &servers {
        let connections = server.connections();
        assert_eq!(connections.len(), 1, "each in its turn: {connections:?}");
        assert_eq!(connections[0]["transport"], "websocket");
        assert_eq!(connections[0]["sockets"][0]["nsp"], "/chat");
    }
    drop(clients);
    wait_until("both in the log", || nginx.upgrades() == [101, 101]);
    assert!(nginx.requests().iter().all(|request| request["method"] == "GET"));
}

#[test]
fn a_hostile_nginx_lets_no_websocket_through() {
    for (upgrades, status) in [(Upgrades::Stripped, 400), (Upgrades::Refused, 403), (Upgrades::Cut(0), 101)] {
        let server = socketio(4, &[]);
        let nginx = Nginx::before(&server, upgrades);
        let options = json!({ "root": nginx.root(), "nsp": "chat", "path": "/socket.io", "reconnection": false,
                              "transports": ["websocket"] });
        let client = TestClient::new(options);
        client.wait("connect_error");
        wait_until("the log", || nginx.upgrades().contains(&status));
        assert_eq!(client.count("connect"), 0);
    }
}

#[test]
fn an_nginx_that_cuts_later_loses_a_connection_that_stood() {
    let server = socketio(4, &["--ping-interval", "100", "--ping-timeout", "200"]);
    for (upgrades, reason) in
        [(Upgrades::Cut(2000), "transport close"), (Upgrades::Silenced(2000), "ping timeout")]
    {
        let nginx = Nginx::before(&server, upgrades);
        let client = TestClient::new(json!({ "root": nginx.root(), "nsp": "chat", "path": "/socket.io",
                                             "reconnection": false, "transports": ["websocket"] }));
        client.wait("connect");
        client.emit_args("flood", &json!([100, 100]), 0);
        assert_eq!(client.wait("disconnect").json["reason"], reason);
    }
    let nginx = Nginx::before(&server, Upgrades::Passed);
    let client = TestClient::new(json!({ "root": nginx.root(), "nsp": "chat", "path": "/socket.io" }));
    client.wait("connect");
    client.emit_args("flood", &json!([100, 100]), 0);
    client.wait_nth("flood", 100);
}
