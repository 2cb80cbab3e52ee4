//! Shared connections whose servers, or whose members, do what they should not.

use ::im_client::{im_client_network_changed, im_client_open};
use serde_json::{json, Value};

use crate::{im::kit::status, support::*};

fn options(server: &RawServer, nsp: &str) -> Value {
    json!({
        "root": server.root(), "nsp": nsp, "path": "/socket.io", "transports": ["websocket"], "multiplex": true,
        "reconnectionDelay": 10, "reconnectionDelayMax": 20
    })
}

fn with(mut options: Value, name: &str, value: Value) -> Value {
    options[name] = value;
    options
}

/// A 4.x server that lets everybody join, and does with all other packets what the script says.
fn server(script: impl Fn(&mut Peer, &str) + Send + Sync + 'static) -> RawServer {
    RawServer::start(move |peer| {
        peer.upgrade();
        peer.open(4);
        while let Some(text) = peer.receive() {
            match text.strip_prefix("40").and_then(|rest| rest.split(',').next()) {
                Some(nsp) => peer.text(&format!("40{nsp},{{\"sid\":\"s\"}}")),
                None => script(peer, &text),
            }
        }
    })
}

fn connected(options: Value) -> TestClient {
    let client = TestClient::new(options);
    client.wait("connect");
    client
}

#[test]
fn what_came_before_the_end_of_a_connection_is_read() {
    let server = server(|peer, text| {
        if text.starts_with("42/b,[\"end\"") {
            let last = ["41/a,", "42/b,[\"last\",1]"].map(|packet| frame(TEXT, packet.as_bytes()));
            peer.write([last.concat(), frame(CLOSE, &[])].concat());
        }
    });
    let a = connected(options(&server, "a"));
    let b = connected(with(options(&server, "b"), "reconnection", json!(false)));
    b.emit("end", &Value::Null);
    assert_eq!(b.wait("disconnect").json["reason"], "transport close");
    assert_eq!(b.all("last"), [json!(1)]);
    let told = a.wait("disconnect").json;
    assert_eq!((&told["reason"], &told["willReconnect"]), (&json!("io server disconnect"), &json!(false)));
}

/// A 4.x server ends the whole connection on a packet for a namespace that it does not know (any more).
#[test]
fn a_namespace_that_the_server_ended_is_sent_nothing() {
    let server = server(|peer, text| {
        if text.starts_with("42/b,[\"end\"") {
            for _ in 0..4 {
                peer.text(&format!("42/a,[\"fill\",\"{}\"]", "x".repeat(1000)));
            }
            peer.text("41/a,");
            peer.text("42/b,[\"ended\"]");
        }
    });
    let full =
        with(with(options(&server, "a"), "receiveQueueBytes", json!(1024)), "delivery", json!("manual"));
    // Nobody takes its events, so that it does not see its end.
    let a = TestClient::deaf(full);
    let b = connected(options(&server, "b"));
    wait_until("both", || a.state() == 2);
    b.emit("end", &Value::Null);
    b.wait("ended");
    a.emit("late", &Value::Null);
    b.emit("mark", &json!(1));
    wait_until("the first mark", || server.frames_with("42/b,[\"mark\",1").len() == 1);
    drop(a);
    b.emit("mark", &json!(2));
    wait_until("the second mark", || server.frames_with("42/b,[\"mark\",2").len() == 1);
    assert_eq!((server.frames_with("42/a,"), server.frames_with("41/a,")), (vec![], vec![]));
    assert_eq!(b.count("disconnect"), 0);
}

#[test]
fn attachments_that_are_due_are_not_taken_for_the_next_members() {
    let server = RawServer::start(|peer| {
        peer.upgrade();
        peer.open(4);
        let mut joins = 0;
        while let Some(text) = peer.receive() {
            match text.as_str() {
                "40/b," => peer.text("40/b,{\"sid\":\"b\"}"),
                "40/a," => {
                    joins += 1;
                    if joins == 2 {
                        peer.binary(&[1, 2, 3]);
                    }
                    peer.text("40/a,{\"sid\":\"a\"}");
                }
                "42/a,[\"go\",null]" => {
                    peer.text("451-/a,[\"picture\",{\"_placeholder\":true,\"num\":0}]");
                    peer.text("2");
                }
                "42/a,[\"again\",null]" => {
                    peer.text("451-/a,[\"picture\",{\"_placeholder\":true,\"num\":0}]");
                    peer.binary(&[4]);
                }
                _ => {}
            }
        }
    });
    let b = connected(options(&server, "b"));
    assert!(b.on("ping") > 0);
    let a = connected(options(&server, "a"));
    a.emit("go", &Value::Null);
    b.wait("ping");
    a.close();
    assert_eq!(im_client_open(a.handle), 0);
    a.wait_nth("connect", 2);
    a.emit("again", &Value::Null);
    assert_eq!(a.wait("picture").blobs, [[4]]);
    assert_eq!((a.count("connect_error"), a.count("disconnect"), server.accepted()), (0, 1, 1));
}

#[test]
fn a_check_fails_for_nobody_while_another_member_is_full() {
    let server = server(|peer, text| {
        if text.starts_with("42/b,[\"fill\"") {
            for _ in 0..600 {
                peer.text(&format!("42/a,[\"fill\",\"{}\"]", "x".repeat(1000)));
            }
        } else if text.starts_with("42/b,0[") {
            peer.text("43/b,0[]");
        }
    });
    let full =
        with(with(options(&server, "a"), "receiveQueueBytes", json!(1024)), "delivery", json!("manual"));
    let a = TestClient::deaf(full);
    let b = connected(options(&server, "b"));
    wait_until("both", || a.state() == 2);
    b.emit("fill", &Value::Null);
    wait_until("a full queue", || a.info()["receiveQueue"]["bytes"].as_u64() >= Some(1024));
    assert_eq!(im_client_network_changed(b.handle), 0);
    // Longer than a check may take.
    let outcomes = Outcomes::default();
    b.ask("question", &Value::Null, 4000, &outcomes);
    assert_eq!((outcome(&outcomes).0, b.count("disconnect")), (status("IM_ERROR_TIMEOUT"), 0));
    let mut taken = 0;
    wait_until("all", || {
        taken += a.take_all().iter().filter(|name| *name == "fill").count();
        taken == 600
    });
    assert_eq!((b.count("disconnect"), server.accepted()), (0, 1));
}

/// Who comes next gets a connection that works.
#[test]
fn a_connection_that_all_have_left_ends_though_its_server_reads_nothing() {
    let server = RawServer::start(|peer| match peer.number {
        1 => {
            peer.connect(4);
            peer.wait_for_connections(2);
        }
        _ => peer.behave(4),
    });
    let first = connected(with(options(&server, "a"), "sendQueueBytes", json!(64_000_000)));
    let much = json!("x".repeat(900_000));
    for _ in 0..30 {
        assert_eq!(first.emit("much", &much), 0);
    }
    drop(first);
    let _next = connected(with(options(&server, "b"), "sendQueueBytes", json!(64_000_000)));
}
