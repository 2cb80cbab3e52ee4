//! Answers to long-polling that are wrong: each is named, and the client works once the server behaves.

use serde_json::{json, Value};

use crate::support::*;

/// One HTTP answer to every request.
fn answered(status: &'static str, body: &'static str) -> (RawServer, TestClient) {
    let server = RawServer::start(move |peer| peer.refuse(status, body));
    let options = json!({
        "root": server.root(), "nsp": "room", "path": "/ws", "transports": ["polling"], "reconnection": false
    });
    let client = TestClient::new(options);
    (server, client)
}

fn attempt(client: &TestClient) -> Value {
    client.wait("connect_error").json["attempts"][0].clone()
}

#[test]
fn a_login_page_in_between_is_named() {
    let (_server, client) = answered("200 OK", "<html><title>Please log in</title>");
    let message = attempt(&client)["message"].clone();
    let message = message.as_str().unwrap();
    assert!(message.contains("Please log in") && message.contains("login page"), "{message}");
}

#[test]
fn payloads_that_are_none_are_named() {
    for body in ["", "0", "0{", "0[]", "0{}", "4{}", "9:0{}", "1:0", "5:0{}2:40", "{}", "\u{1e}", "0{}\u{1e}"]
    {
        let (_server, client) = answered("200 OK", body);
        let attempt = attempt(&client);
        assert_eq!(attempt["transport"], "polling");
        assert!(!attempt["message"].as_str().unwrap().is_empty(), "{body:?}: {attempt}");
    }
}

#[test]
fn http_errors_are_told_with_their_status() {
    for (status, code) in [("301 Moved Permanently", 301), ("404 Not Found", 404), ("502 Bad Gateway", 502)] {
        let (_server, client) = answered(status, "somebody says no");
        let attempt = attempt(&client);
        assert_eq!((&attempt["status"], &attempt["step"]), (&json!(code), &json!("upgrade")));
        assert!(attempt["message"].as_str().unwrap().contains("somebody says no"), "{attempt}");
    }
}

/// `{"code": 1}`: the session is unknown, because the server was restarted or another node answers.
#[test]
fn a_session_that_the_server_forgot_is_made_anew() {
    for generation in super::GENERATIONS {
        let server = socketio(generation, &[]);
        let client = TestClient::new(super::polling(&server, "chat"));
        client.wait("connect");
        let port = server.port.to_string();
        drop(server);
        client.wait("disconnect");
        let server = socketio(generation, &["--port", &port]);
        client.wait("reconnect");
        super::works(&client);
        drop(server);
    }
}

#[test]
fn a_request_that_takes_too_long_is_told() {
    let server = RawServer::start(|peer| peer.drain());
    let options = json!({
        "root": server.root(), "nsp": "room", "path": "/ws", "transports": ["polling"], "reconnection": false,
        "requestTimeout": 50
    });
    let client = TestClient::new(options);
    let attempt = attempt(&client);
    assert!(attempt["message"].as_str().unwrap().contains("requestTimeout"), "{attempt}");
}
