//! Binary attachments, both ways, both generations: nested anywhere, several, with and without acknowledgements; and what is
//! refused before it is sent.

use ::im_client::im_status;
use serde_json::{json, Value};

use crate::support::*;

const GENERATIONS: [u32; 2] = [2, 4];
const INVALID_ARGUMENT: im_status = -1;

const ZERO: &str = r#"{"_placeholder":true,"num":0}"#;
const ONE: &str = r#"{"_placeholder":true,"num":1}"#;

fn root_client(server: &Server) -> TestClient {
    let client = TestClient::connect(&server.root(), "/", json!({}));
    client.wait("connect");
    client
}

fn hex(data: &[u8]) -> Value {
    json!({ "hex": data.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
}

#[test]
fn nested_attachments_arrive_where_they_were_placed() {
    let (first, second): (Vec<u8>, _) = ((0..=255).collect(), [0xff, 0x00, 0x04]);
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        for nsp in ["/", "chat"] {
            let client = TestClient::connect(&server.root(), nsp, json!({}));
            client.wait("connect");
            let args = format!(r#"["a",{{"deep":[1,{{"x":{ONE}}}],"ü€😀":{ZERO}}}, null]"#);
            assert_eq!(client.emit_blobs("describe", &args, &[&first, &second], 0), 0, "{}", last_error());
            let seen = client.wait("described").args;
            let expected = json!(["a", { "deep": [1, { "x": hex(&second) }], "ü€😀": hex(&first) }, null]);
            assert_eq!(seen, expected, "generation {generation}, {nsp}");
        }
    }
}

#[test]
fn attachments_without_a_place_become_further_arguments() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = root_client(&server);
        assert_eq!(client.emit_blobs("describe", "[7]", &[b"one", b""], 0), 0, "{}", last_error());
        assert_eq!(client.wait("described").args, json!([7, hex(b"one"), hex(b"")]));
        assert_eq!(client.emit_blobs("describe", "[]", &[b"alone"], 0), 0, "{}", last_error());
        assert_eq!(client.wait_nth("described", 2).args, json!([hex(b"alone")]));
    }
}

#[test]
fn ten_attachments_arrive_and_eleven_are_refused_before_anything_is_sent() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = root_client(&server);
        let bytes: Vec<[u8; 2]> = (0..11).map(|n| [n, 0xee]).collect();
        let blobs: Vec<&[u8]> = bytes.iter().map(|bytes| &bytes[..]).collect();
        assert_eq!(client.emit_blobs("describe", "[]", &blobs[..10], 0), 0, "{}", last_error());
        let expected: Vec<Value> = blobs[..10].iter().map(|blob| hex(blob)).collect();
        assert_eq!(client.wait("described").args, json!(expected));
        let answers = Answers::default();
        assert_eq!(client.emit_blobs("describe", "[]", &blobs, 0), INVALID_ARGUMENT);
        assert!(
            last_error().contains("11 attachments") && last_error().contains("at most 10"),
            "{}",
            last_error()
        );
        assert_eq!(client.ask_blobs("describe", "[]", &blobs, 0, 0, &answers), i64::from(INVALID_ARGUMENT));
        assert_eq!(answers.freed(), 1, "the free function runs also where the call fails");
        assert_eq!(client.reply_blobs(1, "[]", &blobs), INVALID_ARGUMENT);
        // The connection lives, and nothing of the refused packets is on it.
        assert_eq!(client.emit_blobs("echo", "[\"after\"]", &[], 0), 0);
        assert_eq!(client.wait("echo").json, "after");
        assert_eq!((client.count("described"), client.count("disconnect")), (1, 0));
        assert!(answers.all().is_empty());
    }
}

#[test]
fn placeholders_that_do_not_fit_are_named() {
    let client = TestClient::new(json!({ "root": "http://127.0.0.1:1", "nsp": "/", "autoConnect": false }));
    let one: &[&[u8]] = &[b"a"];
    let two: &[&[u8]] = &[b"a", b"b"];
    for (args, blobs, fault) in [
        (format!("[{ONE}]"), one, "\"num\": 1"),
        (format!("[{ZERO}]"), two, "attachment 1 is named by no placeholder"),
        (format!("[{ZERO},[{ZERO}]]"), one, "two placeholders with \"num\": 0"),
        (r#"[{"_placeholder":true}]"#.into(), one, "no whole number"),
        (r#"[{"_placeholder":true,"num":-1}]"#.into(), one, "no whole number"),
        (format!("[{{\"x\":[{ZERO}]}}]"), &[], "none is given"),
        (r#"[{"\u005fplaceholder":true,"num":0}]"#.into(), &[], "none is given"),
    ] {
        assert_eq!(client.emit_blobs("x", &args, blobs, 0), INVALID_ARGUMENT, "{args}");
        let words = last_error();
        assert!(words.contains(fault) && words.contains("\"args\""), "{args}: {words}");
        assert_eq!(
            client.ask_blobs("x", &args, blobs, 0, 0, &Answers::default()),
            i64::from(INVALID_ARGUMENT)
        );
        assert_eq!(client.reply_blobs(1, &args, blobs), INVALID_ARGUMENT);
    }
    assert_eq!(client.emit("x", &json!({ "_placeholder": true, "num": 0 })), INVALID_ARGUMENT);
    assert!(last_error().contains("\"json\""), "{}", last_error());
    assert_eq!(client.info()["sendQueue"], json!({ "packets": 0, "bytes": 0 }), "nothing was queued");
}

#[test]
fn acknowledgements_carry_binary_both_ways() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = root_client(&server);
        let answers = Answers::default();
        let args = format!("[{{\"x\":{ZERO}}},2]");
        assert!(client.ask_blobs("describe", &args, &[b"\x04\x00"], 0, 0, &answers) > 0, "{}", last_error());
        let answer = answers.wait();
        assert_eq!((answer.status, answer.args), (0, json!([{ "x": hex(b"\x04\x00") }, 2])));
        let answers = Answers::default();
        let args = format!("[[{ONE}],{{\"y\":{ZERO}}}]");
        assert!(client.ask_blobs("echo", &args, &[b"zero", b"one"], 0, 0, &answers) > 0);
        let answer = answers.wait();
        // The server numbers them anew, in the order in which they stand.
        assert_eq!(answer.args[0][0]["_placeholder"], true);
        let num =
            |placeholder: &Value| usize::try_from(placeholder["num"].as_u64().expect("a number")).unwrap();
        assert_eq!(answer.blobs[num(&answer.args[0][0])], b"one");
        assert_eq!(answer.blobs[num(&answer.args[1]["y"])], b"zero");
    }
}

#[test]
fn a_question_with_binary_is_answered_with_binary_and_several_arguments() {
    for generation in GENERATIONS {
        let server = socketio(generation, &[]);
        let client = root_client(&server);
        assert_eq!(client.emit_blobs("ask_binary", "[\"q\"]", &[b"\x01\x02"], 0), 0, "{}", last_error());
        let question = client.wait("question");
        assert!(question.ack_id > 0);
        assert_eq!(
            (question.args.as_array().map(Vec::len), &question.blobs[..]),
            (Some(2), &[vec![1, 2]][..])
        );
        // Much later, from another thread.
        let args = format!("[\"a\",{{\"deep\":[{ONE}]}},{ZERO},4]");
        std::thread::scope(|threads| {
            threads.spawn(|| {
                assert_eq!(client.reply_blobs(question.ack_id, &args, &[b"x", b"y"]), 0, "{}", last_error());
            });
        });
        assert_eq!(client.wait("described").args, json!(["a", { "deep": [hex(b"y")] }, hex(b"x"), 4]));
        const NOT_FOUND: im_status = -11;
        assert_eq!(client.reply_blobs(question.ack_id, "[]", &[]), NOT_FOUND);
    }
}

#[test]
fn many_binary_packets_keep_their_order_and_their_bytes() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--ping-interval", "100", "--ping-timeout", "5000"]);
        let client = root_client(&server);
        for n in 0..200_u32 {
            let large = vec![u8::try_from(n).unwrap(); 5000];
            let args = format!("[{n}]");
            assert_eq!(client.emit_blobs("describe", &args, &[&large, &n.to_be_bytes()], 0), 0);
            assert_eq!(client.emit("echo", &json!(n)), 0);
        }
        wait_until("all answers", || client.count("described") == 200 && client.count("echo") == 200);
        for (n, described) in client.events().iter().filter(|event| event.name == "described").enumerate() {
            let n = u32::try_from(n).unwrap();
            assert_eq!(described.args[0], n);
            assert_eq!(described.args[1], hex(&vec![u8::try_from(n).unwrap(); 5000]));
            assert_eq!(described.args[2], hex(&n.to_be_bytes()));
        }
        assert_eq!(client.count("disconnect"), 0);
    }
}

#[test]
fn attachments_count_in_the_bound_of_the_send_queue() {
    const QUEUE_FULL: im_status = -7;
    let options =
        json!({ "root": "http://127.0.0.1:1", "nsp": "/", "autoConnect": false, "sendQueueBytes": 10_000 });
    let client = TestClient::new(options);
    let blob = [0_u8; 4000];
    assert_eq!(client.emit_blobs("x", "[]", &[&blob], 0), 0);
    assert_eq!(client.emit_blobs("x", "[]", &[&blob], 0), 0);
    assert_eq!(client.emit_blobs("x", "[]", &[&blob], 0), QUEUE_FULL);
    assert!(last_error().contains("sendQueueBytes"), "{}", last_error());
    assert!(client.info()["sendQueue"]["bytes"].as_u64().unwrap() > 8000);
}

#[test]
fn binary_that_was_emitted_before_the_connection_is_sent_after_it_once() {
    for generation in GENERATIONS {
        let server = socketio(generation, &["--connect-delay", "100"]);
        let client = TestClient::connect(&server.root(), "/", json!({}));
        assert_eq!(client.emit_blobs("describe", "[]", &[b"early"], 0), 0);
        assert_eq!(client.wait("described").args, json!([hex(b"early")]));
        client.emit("echo", &json!("last"));
        client.wait("echo");
        assert_eq!(client.count("described"), 1);
    }
}
