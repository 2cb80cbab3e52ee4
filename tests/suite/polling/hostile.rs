//! Answers that go wrong in the middle of a session: each is named, nothing is sent twice, and the client comes back.

use serde_json::{json, Value};

use super::{with, GENERATIONS};
use crate::support::*;

fn room(server: &PollingServer) -> Value {
    json!({ "root": server.root(), "nsp": "room", "path": "/ws", "transports": ["polling"],
            "reconnectionDelay": 10, "reconnectionDelayMax": 30 })
}

/// What a bad answer is, and how the end of the connection is told.
struct Case {
    answer: HttpAnswer,
    reason: &'static str,
    says: &'static [&'static str],
}

fn case(answer: HttpAnswer, reason: &'static str, says: &'static [&'static str]) -> Case {
    Case { answer, reason, says }
}

/// What may come instead of the answer to any request.
fn broken() -> Vec<Case> {
    const FAILED: &str = "transport error";
    let page = || HttpAnswer::payload("x".repeat(64));
    vec![
        case(HttpAnswer::status("503 Service Unavailable", "try later"), FAILED, &["HTTP 503", "try later"]),
        case(HttpAnswer::status("204 No Content", ""), FAILED, &["HTTP 204"]),
        case(HttpAnswer::status("407 Who", ""), FAILED, &["HTTP 407"]),
        case(HttpAnswer::redirect("http://login.example/"), FAILED, &["HTTP 302"]),
        case(HttpAnswer::refusal(1, "Session ID unknown"), FAILED, &["HTTP 400", "Session ID unknown"]),
        case(page().cut_after(0), FAILED, &["broke off"]),
        case(page().cut_after(10), FAILED, &["broke off"]),
        case(page().reset_after(10), FAILED, &["broke off"]),
        case(page().chunked(16).cut_after(20), FAILED, &["broke off"]),
    ]
}

fn told(client: &TestClient, generation: u32, what: &str, case: &Case) {
    let loss = client.wait("disconnect").json;
    assert_eq!(loss["reason"], case.reason, "{generation}: {loss}");
    let description = loss["description"].as_str().unwrap_or_default();
    for words in case.says.iter().chain([&what]) {
        assert!(description.contains(words), "{words:?} is not in {description:?} ({generation})");
    }
    assert_eq!(loss["willReconnect"], true);
}

/// The client is back, and hears the server.
fn is_back(client: &TestClient, server: &PollingServer) {
    client.wait_nth("connect", 2);
    server.push("42/room,[\"again\"]");
    client.wait("again");
}

fn get_fails(generation: u32, case: &Case) {
    let answer = case.answer.clone();
    let server = PollingServer::start(generation, move |turn| match (turn.kind, turn.nth) {
        (TurnKind::Poll, 2) => turn.answer(&answer),
        _ => turn.behave(),
    });
    let client = TestClient::new(room(&server));
    let what = if case.reason == "parse error" { "the server sent" } else { "a long-polling GET failed" };
    told(&client, generation, what, case);
    is_back(&client, &server);
    assert_eq!(server.most_at_once(TurnKind::Poll), 1);
}

#[test]
fn a_get_that_goes_wrong_is_told_and_the_client_comes_back() {
    for generation in GENERATIONS {
        for case in broken() {
            get_fails(generation, &case);
        }
    }
}

#[test]
fn a_payload_that_is_none_is_told_and_the_client_comes_back() {
    const PARSE: &str = "parse error";
    for generation in GENERATIONS {
        for case in [
            case(HttpAnswer::payload(""), PARSE, &["empty"]),
            case(HttpAnswer::payload([0xff, 0xfe]), PARSE, &["not UTF-8"]),
            case(HttpAnswer::captive_portal(), PARSE, &[]),
            case(HttpAnswer::payload("b4!"), PARSE, &[]),
        ] {
            get_fails(generation, &case);
        }
    }
}

/// The memory that an answer may take is bounded, whatever it says of its length.
#[test]
fn an_answer_without_end_is_cut_and_the_limit_is_named() {
    for generation in GENERATIONS {
        let huge = || HttpAnswer::payload("x".repeat(100_000));
        for answer in [huge(), huge().chunked(1000), huge().without_length()] {
            let server = PollingServer::start(generation, move |turn| match (turn.kind, turn.nth) {
                (TurnKind::Poll, 2) => turn.answer(&answer),
                _ => turn.behave(),
            });
            let client = TestClient::new(with(room(&server), json!({ "maxMessageBytes": 10_000 })));
            let loss = client.wait("disconnect").json;
            let description = loss["description"].as_str().unwrap_or_default();
            assert!(
                description.contains("40000 bytes") && description.contains("maxMessageBytes"),
                "{description}"
            );
            is_back(&client, &server);
        }
    }
}

/// Unusual, but right: no length, tiny chunks, one byte at a time, the binary form of revision 3.
#[test]
fn answers_in_any_form_are_read() {
    for generation in GENERATIONS {
        let server = PollingServer::start(generation, move |turn| {
            let event = |n: usize| format!("42/room,[\"n\",{n}]");
            let body = |n: usize| match generation {
                2 => format!("{}:{}", event(n).len(), event(n)),
                _ => event(n),
            };
            let answer = match (turn.kind, turn.nth) {
                (TurnKind::Poll, 2) => HttpAnswer::payload(body(2)).without_length(),
                (TurnKind::Poll, 3) => HttpAnswer::payload(body(3)).chunked(1),
                (TurnKind::Poll, 4) => HttpAnswer::payload(body(4)).dripping(1, 1),
                (TurnKind::Poll, 5) => HttpAnswer::payload(body(5)).chunked(3).dripping(2, 1),
                (TurnKind::Poll, 6) if generation == 2 => HttpAnswer::binary_v3(&[&event(6)]),
                (TurnKind::Poll, 6) => HttpAnswer::payload(body(6)),
                _ => return turn.behave(),
            };
            turn.answer(&answer);
        });
        let client = TestClient::new(room(&server));
        client.wait_nth("n", 5);
        assert_eq!(client.all("n"), [2, 3, 4, 5, 6].map(Value::from));
        assert_eq!(client.count("disconnect"), 0);
    }
}

/// One POST goes wrong, whether the server has read it or not: it is not sent again.
#[test]
fn a_post_that_goes_wrong_is_told_and_nothing_is_sent_twice() {
    for generation in GENERATIONS {
        let mut cases = broken();
        cases.push(case(HttpAnswer::captive_portal(), "transport error", &["\"ok\"", "Login"]));
        cases.push(case(HttpAnswer::payload(""), "transport error", &["\"ok\""]));
        cases.push(case(HttpAnswer::status("413 Too Large", "much"), "transport error", &["HTTP 413"]));
        for case in cases {
            let answer = case.answer.clone();
            let server = PollingServer::start(generation, move |turn| {
                match turn.kind == TurnKind::Post && String::from_utf8_lossy(&turn.body).contains("[\"n\",1]")
                {
                    true => turn.answer(&answer),
                    false => turn.behave(),
                }
            });
            let client = TestClient::new(room(&server));
            client.wait("connect");
            client.emit("n", &json!(0));
            wait_until("the first", || server.frames_with("42/room,[\"n\",0]").len() == 1);
            client.emit("n", &json!(1));
            told(&client, generation, "long-polling POST", &case);
            client.emit("n", &json!(2));
            is_back(&client, &server);
            client.emit("n", &json!(3));
            wait_until("the last", || server.frames_with("42/room,[\"n\",3]").len() == 1);
            for n in 0..4 {
                let count = |body: &String| body.matches(&format!("[\"n\",{n}]")).count();
                let sent: usize = server.bodies().iter().map(count).sum();
                assert_eq!(sent, 1, "{n} of {generation}: {:?}", server.bodies());
            }
            assert_eq!(server.most_at_once(TurnKind::Post), 1);
        }
    }
}

/// A server says how long it keeps an idle connection: a request that crosses its end would be lost.
#[test]
fn a_connection_that_the_server_is_about_to_close_is_not_used_again() {
    for (keeps, connections) in [("timeout=1", 3), ("timeout=100, max=1000", 1), ("", 1)] {
        let server = PollingServer::start(4, move |turn| match turn.kind {
            TurnKind::Post => {
                let body = String::from_utf8_lossy(&turn.body).into_owned();
                if body.starts_with("40") {
                    turn.push("40/room,{\"sid\":\"s\"}");
                }
                turn.answer(&HttpAnswer::ok().header(&format!("Keep-Alive: {keeps}")));
            }
            _ => turn.behave(),
        });
        let client = TestClient::new(room(&server));
        client.wait("connect");
        for n in 0..2 {
            client.emit("n", &json!(n));
            client.flush();
        }
        wait_until("the posts", || server.came(TurnKind::Post) == 3);
        let mut posts: Vec<usize> = server
            .requests()
            .iter()
            .filter(|request| request.head.starts_with("POST"))
            .map(|request| request.connection)
            .collect();
        posts.dedup();
        assert_eq!(posts.len(), connections, "{keeps:?}");
    }
}

/// The WebSocket dies between the answer to the probe and the end of the GET: what was emitted meanwhile goes out at once.
#[test]
fn an_upgrade_that_breaks_in_the_middle_holds_nothing_up() {
    for (generation, multiplex) in GENERATIONS.into_iter().flat_map(|known| [(known, false), (known, true)]) {
        let server = PollingServer::start(generation, |turn| match turn.kind {
            TurnKind::Open => turn.open_with(&json!({ "upgrades": ["websocket"] })),
            TurnKind::Upgrade => {
                turn.switch();
                turn.receive_until("2probe");
                turn.wait_for_requests(super::REQUESTS_TO_REST);
                turn.text("3probe");
            }
            _ => turn.behave(),
        });
        let client = TestClient::new(with(
            room(&server),
            json!({ "transports": ["polling", "websocket"], "multiplex": multiplex }),
        ));
        client.wait("connect");
        wait_until("the probe", || server.frames_with("2probe").len() == 1);
        for n in 0..50 {
            client.emit("n", &json!(n));
        }
        wait_until("all events", || server.frames_with("42/room,[\"n\"").len() == 50);
        let expected: Vec<String> = (0..50).map(|n| format!("42/room,[\"n\",{n}]")).collect();
        assert_eq!(server.frames_with("42/room,[\"n\""), expected);
        assert_eq!((client.count("disconnect"), client.count("upgrade")), (0, 0));
        assert_eq!(client.info()["transport"], "polling");
    }
}
