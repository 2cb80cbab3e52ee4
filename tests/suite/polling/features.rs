//! What the library does besides plain events, over long-polling: binary, acknowledgements, `retries`, msgpack, credentials.

use ::im_client::im_status;
use serde_json::{json, Value};

use super::{polling, with, works, GENERATIONS};
use crate::support::*;

const VOLATILE: u32 = 1;
const DISCONNECTED: im_status = -10;
const TIMEOUT: im_status = -8;
const CANCELED: im_status = -9;

fn connected(server: &Server, more: Value) -> TestClient {
    let client = TestClient::new(with(polling(server, "chat"), more));
    assert_eq!(client.wait("connect").json["transport"], "polling");
    client
}

fn hex(data: &[u8]) -> Value {
    json!({ "hex": data.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
}

fn place(number: usize) -> String {
    format!("{{\"_placeholder\":true,\"num\":{number}}}")
}

#[test]
fn binary_goes_both_ways_over_polling_nested_and_in_several_pieces() {
    for generation in GENERATIONS {
        for parser in ["default", "msgpack"] {
            let server = socketio(generation, &["--parser", parser]);
            let client = connected(&server, json!({ "parser": parser }));
            let (all, large) = ((0..=255).collect::<Vec<u8>>(), vec![7; 70_000]);
            let args = format!("[\"€😀\",{{\"deep\":[{},[{}]]}},{}]", place(1), place(0), place(2));
            assert_eq!(client.emit_blobs("describe", &args, &[&all, b"", &large], 0), 0, "{}", last_error());
            let expected = json!(["€😀", { "deep": [hex(b""), [hex(&all)]] }, hex(&large)]);
            assert_eq!(client.wait("described").args, expected, "{generation} {parser}");
            client.emit("binary", &Value::Null);
            let came = client.wait("binary").blobs;
            assert_eq!(came, [vec![1, 2, 3], Vec::new(), vec![7; 70_000]], "{generation} {parser}");
            // Plain events keep their places among them.
            for n in 0..100_u8 {
                assert_eq!(client.emit_blobs("echo", &format!("[{n},{}]", place(0)), &[&[n; 300]], 0), 0);
                assert_eq!(client.emit("echo", &json!(n)), 0);
            }
            client.wait_nth("echo", 200);
            let echoes: Vec<_> = client.events().into_iter().filter(|event| event.name == "echo").collect();
            for (n, two) in echoes.chunks(2).enumerate() {
                let byte = u8::try_from(n).unwrap();
                assert_eq!((&two[0].json, &two[0].blobs[..]), (&json!(n), &[vec![byte; 300]][..]));
                assert_eq!((&two[1].json, two[1].blobs.len()), (&json!(n), 0));
            }
            assert_eq!(client.count("disconnect"), 0);
        }
    }
}

#[test]
fn acknowledgements_go_both_ways_over_polling_with_binary() {
    for generation in GENERATIONS {
        for parser in ["default", "msgpack"] {
            let server = socketio(generation, &["--parser", parser]);
            let client = connected(&server, json!({ "parser": parser }));
            let answers = Answers::default();
            let args = format!("[{{\"x\":{}}},2]", place(0));
            assert!(client.ask_blobs("describe", &args, &[b"\x04\x00"], 0, 0, &answers) > 0);
            let answer = answers.wait();
            assert_eq!((answer.status, answer.args), (0, json!([{ "x": hex(b"\x04\x00") }, 2])));
            let answers = Answers::default();
            assert!(client.ask_blobs("binary", "[]", &[], 0, 0, &answers) > 0);
            assert_eq!(answers.wait().blobs, [vec![1, 2, 3], Vec::new(), vec![7; 70_000]]);
            // The server asks.
            assert_eq!(client.emit_blobs("ask_binary", "[\"q\"]", &[b"\x01\x02"], 0), 0);
            let question = client.wait("question");
            assert_eq!(question.blobs, [vec![1, 2]]);
            let args = format!("[\"a\",{{\"deep\":[{}]}},{}]", place(1), place(0));
            assert_eq!(client.reply_blobs(question.ack_id, &args, &[b"x", b"y"]), 0, "{}", last_error());
            assert_eq!(client.wait("described").args, json!(["a", { "deep": [hex(b"y")] }, hex(b"x")]));
        }
    }
}

#[test]
fn many_acknowledgements_in_any_order_find_their_questions_over_polling() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({}));
        let asked: Vec<Answers> = (0..500)
            .map(|n| {
                let answers = Answers::default();
                assert!(client.ask_blobs("shuffle_ack", &format!("[500,{n}]"), &[], 0, 0, &answers) > 0);
                answers
            })
            .collect();
        for (n, answers) in asked.iter().enumerate() {
            let answer = answers.wait();
            assert_eq!((answer.status, answer.args), (0, json!([n])));
        }
        // Each other outcome, too.
        let [late, gone, canceled] = [(); 3].map(|()| Answers::default());
        assert!(client.ask_blobs("silent", "[]", &[], 0, 50, &late) > 0);
        assert!(client.ask_blobs("silent", "[]", &[], 0, 0, &gone) > 0);
        let id = client.ask_blobs("silent", "[]", &[], 0, 0, &canceled);
        assert_eq!(im_client::im_client_cancel(client.handle, id), 0);
        assert_eq!((late.wait().status, canceled.wait().status), (TIMEOUT, CANCELED));
        server.wait_received("silent", 2);
        server.post("/control/drop", json!({}));
        assert_eq!(gone.wait().status, DISCONNECTED);
    }
}

#[test]
fn retries_work_over_polling() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "retries": 9, "ackTimeout": 10_000 }));
        let asked: Vec<Answers> = (0..5)
            .map(|n| {
                let answers = Answers::default();
                let args = format!("[2,\"value {n}\"]");
                assert!(client.ask_blobs("nth_ack_else_drop", &args, &[], 0, 0, &answers) > 0);
                answers
            })
            .collect();
        for (n, answers) in asked.iter().enumerate() {
            let answer = answers.wait();
            assert_eq!(answer.status, 0);
            assert_eq!(answer.args[0], format!("value {n}"));
        }
        assert_eq!(client.count("connect"), 6, "each took one connection with it");
        works(&client);
    }
}

#[test]
fn arguments_of_any_number_go_over_polling_and_a_volatile_event_only_while_connected() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "reconnection": false }));
        let all = json!([1, "two", { "three": [3] }, null, true, 1.5]);
        assert_eq!(client.emit_args("echo", &all, 0), 0);
        assert_eq!(client.wait("echo").args, all);
        client.emit("several", &Value::Null);
        assert_eq!(client.wait("several").args, json!([1, "two", { "three": 3 }, [4], null]));
        client.emit("no_args", &Value::Null);
        assert_eq!(client.wait("no_args").args, json!([]));
        client.flush();
        assert_eq!(client.emit_args("volatile", &json!([1]), VOLATILE), 0);
        server.wait_received("volatile", 1);
        client.close();
        client.wait("disconnect");
        assert_eq!(client.emit_args("volatile", &json!([2]), VOLATILE), 0);
        assert_eq!(client.info()["droppedVolatile"], 1);
    }
}

#[test]
fn a_fresh_query_and_auth_go_with_every_polling_connection() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let more = json!({ "askQuery": true, "askAuth": true });
        let client = TestClient::new(with(polling(&server, "chat"), more));
        let answer = |name: &str, n: usize, json: &str| {
            client.wait_nth(name, n);
            let (request, json) = (client.requests(name)[n - 1], c(json));
            // SAFETY: NUL-terminated.
            assert_eq!(unsafe { im_client::im_client_answer(client.handle, request, json.as_ptr()) }, 0);
        };
        for n in 1..=3 {
            // They are asked for at the same time or one after the other.
            answer("query", n, &format!("{{\"token\":\"query ä {n}\"}}"));
            answer("auth", n, &format!("{{\"token\":\"auth ä {n}\"}}"));
            client.wait_nth("connect", n);
            client.emit("handshake", &Value::Null);
            let seen = client.wait_nth("handshake", n).json;
            assert_eq!(
                (&seen["query"]["token"], &seen["transport"]),
                (&json!(format!("query ä {n}")), &json!("polling"))
            );
            if generation == 4 {
                assert_eq!(seen["auth"]["token"], format!("auth ä {n}"));
            }
            server.post("/control/drop", json!({}));
        }
    }
}

/// A 2.x server does not say what it takes. One packet that is larger ends the connection, and nothing else is lost or sent
/// twice. (A later server says it: `IM_ERROR_TOO_LARGE`.)
#[test]
fn a_packet_beyond_the_servers_limit_is_named_and_the_client_comes_back() {
    let server = socketio(2, &["--max-payload", "20000"]);
    let client = connected(&server, json!({}));
    assert_eq!(client.emit("large", &json!("x".repeat(30_000))), 0);
    let loss = client.wait("disconnect").json;
    assert_eq!(loss["reason"], "transport error", "{loss}");
    let description = loss["description"].as_str().unwrap();
    assert!(description.contains("POST") && !description.contains("TLS"), "{description}");
    client.wait("reconnect");
    works(&client);
    assert!(server.received("large").is_empty());
    assert_eq!(client.count("disconnect"), 1);
}

/// `requestTimeout` is for each request: a GET that waits for packets takes as long as a server is silent.
#[test]
fn a_request_that_takes_too_long_ends_the_connection_by_name() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = connected(&server, json!({ "requestTimeout": 400 }));
        let loss = client.wait("disconnect").json;
        assert_eq!(loss["reason"], "transport error", "{loss}");
        assert!(loss["description"].as_str().unwrap().contains("requestTimeout"), "{loss}");
        client.wait("reconnect");
        works(&client);
    }
}
