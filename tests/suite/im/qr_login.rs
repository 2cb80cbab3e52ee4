//! sso: a device waits for its QR code to be scanned.

use ::im_client::*;
use serde_json::{json, Value};

use super::kit::*;
use crate::support::{egg, wait_until, Server, TestClient};

fn waiting_device(server: &Server) -> TestClient {
    let client = TestClient::new(device(server, "d1"));
    client.wait("connect");
    client
}

fn ping(client: &TestClient, round: usize) -> Value {
    assert_eq!(client.emit(wire("SSO_QRLOGIN"), &json!("ping")), 0);
    client.wait_nth(wire("SSO_QRLOGIN"), round).json
}

fn scanned(server: &Server, code: i32, token: &str) {
    let sent = server.post("/control/qrlogin", json!({ "device_id": "d1", "code": code, "token": token }));
    assert_eq!(sent["sent"], 1);
}

#[test]
fn a_ping_is_answered_and_the_client_stays() {
    let server = egg(&[]);
    let client = waiting_device(&server);
    for round in 1..=3 {
        assert_eq!(payload(&ping(&client, round)), "pong");
    }
    assert_eq!((client.state(), client.count("disconnect")), (IM_STATE_CONNECTED, 0));
}

#[test]
fn a_failed_login_does_not_close() {
    let server = egg(&[]);
    let client = waiting_device(&server);
    scanned(&server, 1, "ignored");
    assert_eq!(client.wait(wire("SSO_QRLOGIN")).json["code"].to_string(), macro_of("IM_CODE_FAIL"));
    assert_eq!(payload(&ping(&client, 2)), "pong");
    assert_eq!((client.state(), client.count("disconnect")), (IM_STATE_CONNECTED, 0));
}

#[test]
fn a_login_gives_the_token_and_closes() {
    let server = egg(&[]);
    let client = waiting_device(&server);
    scanned(&server, 0, "secret");
    assert_eq!(payload(&client.wait(wire("SSO_QRLOGIN")).json)["token"], "secret");
    let disconnect = client.wait("disconnect").json;
    assert_eq!(disconnect, json!({ "reason": "io client disconnect", "willReconnect": false }));
    wait_until("the client's end of the connection", || client.state() == IM_STATE_DISCONNECTED);
    wait_until("the server's end of the connection", || server.stats()["enginesNow"] == 0);
    only_reconnect(&server, &[]);
    assert_eq!(client.count("connect"), 1);
}

#[test]
fn a_login_closes_after_the_callback_only() {
    let server = egg(&[]);
    let client = waiting_device(&server);
    let gate = Gate::default();
    let closed = gate.clone();
    subscribe(&client, "SSO_QRLOGIN", move |_| closed.pass());
    scanned(&server, 0, "secret");
    gate.reached();
    arrived(&client, &server, "marker");
    assert_eq!(client.state(), IM_STATE_CONNECTED);
    gate.open();
    client.wait("disconnect");
}

#[test]
fn a_login_by_its_constant_closes_too() {
    let server = egg(&["--seed-names"]);
    let client = waiting_device(&server);
    scanned(&server, 0, "secret");
    client.wait("SSO_QRLOGIN");
    assert_eq!(client.wait("disconnect").json["reason"], "io client disconnect");
}

#[test]
fn the_token_of_a_login_opens_the_chat() {
    let server = egg(&[]);
    let client = waiting_device(&server);
    scanned(&server, 0, "secret");
    let token = payload(&client.wait(wire("SSO_QRLOGIN")).json)["token"].clone();
    let query = json!({ "token": token, "userId": "ann" });
    round_trip(&TestClient::new(with(user(&server, "ann"), "query", query)));
}

#[test]
fn the_servers_time_limit_ends_the_client_for_good() {
    let server = egg(&["--sso-timeout", "300"]);
    let client = waiting_device(&server);
    let disconnect = client.wait("disconnect").json;
    assert_eq!(disconnect, json!({ "reason": "io server disconnect", "willReconnect": false }));
    only_reconnect(&server, &[]);
    assert_eq!(client.count("connect"), 1);
    assert_eq!(im_client_open(client.handle), 0, "a new QR code takes a new connection");
    client.wait_nth("connect", 2);
}
