//! Every row of the wire notes that a session decides.

use super::*;

fn handshake(max_payload: Option<u64>) -> Handshake {
    Handshake {
        sid: "engine".into(),
        upgrades: vec![],
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        max_payload,
    }
}

fn settings(namespace: &str, revision: Option<Revision>) -> Settings {
    Settings {
        namespace: namespace.into(),
        query: "token=a%20b".into(),
        auth: None,
        recovery: None,
        revision,
        parser: Parser::Default,
        shared: false,
    }
}

fn session(namespace: &str, revision: Option<Revision>, max_payload: Option<u64>) -> (Session, Instant) {
    let now = Instant::now();
    (Session::new(settings(namespace, revision), handshake(max_payload), now), now)
}

fn sent(session: &mut Session) -> Vec<String> {
    std::iter::from_fn(|| session.poll_transmit()).map(text_of).collect()
}

fn text_of(transmit: Transmit) -> String {
    match transmit {
        Transmit::Text(text) => text.into_owned(),
        Transmit::Secret(text) => text.to_string(),
        Transmit::Data(data) => panic!("no text but {data:?}"),
    }
}

fn connected(socket_id: &str) -> Option<Happening<'static>> {
    Some(Happening::Connected { socket_id: socket_id.into() })
}

#[test]
fn max_payload_proves_generation_4() {
    let (mut session, now) = session("/chat", None, Some(1_000_000));
    assert_eq!(session.revision(), Some(Revision::V4));
    assert_eq!(sent(&mut session), ["40/chat,"]);
    let answer = session.on_text("40/chat,{\"sid\":\"s\",\"pid\":\"p\"}", now).unwrap();
    assert_eq!(answer, Some(Happening::Connected { socket_id: "s".into() }));
    assert!(sent(&mut session).is_empty(), "one CONNECT, no ping");
}

#[test]
fn an_answer_without_sid_says_generation_2_and_only_then_the_client_pings() {
    let (mut session, now) = session("/chat", None, None);
    assert_eq!(sent(&mut session), ["40/chat,"]);
    assert_eq!(session.deadline(), None, "no ping before the answer");
    assert_eq!(session.on_text("40/chat,", now).unwrap(), connected("/chat#engine"));
    assert_eq!(session.revision(), Some(Revision::V3));
    session.on_time(now + Duration::from_secs(25)).unwrap();
    assert_eq!(sent(&mut session), ["2"]);
    assert_eq!(session.on_time(now + Duration::from_secs(45)), Err(Failure::PingTimeout));
}

#[test]
fn an_unsolicited_root_connect_says_generation_2() {
    let (mut session, now) = session("/chat", None, None);
    assert_eq!(sent(&mut session), ["40/chat,"]);
    assert_eq!(session.on_text("40", now).unwrap(), None);
    assert_eq!(session.revision(), Some(Revision::V3));
    assert_eq!(session.on_text("40/chat,", now).unwrap(), connected("/chat#engine"));
    assert!(sent(&mut session).is_empty());
}

#[test]
fn an_answer_with_sid_says_generation_4_without_max_payload() {
    let (mut session, now) = session("/chat", None, None);
    session.on_text("40/chat,{\"sid\":\"s\"}", now).unwrap();
    assert_eq!(session.revision(), Some(Revision::V4));
    assert_eq!(session.deadline(), Some(now + Duration::from_secs(45)));
}

#[test]
fn a_ping_of_the_server_says_generation_4_and_is_answered() {
    let (mut session, now) = session("/chat", None, None);
    assert_eq!(sent(&mut session), ["40/chat,"]);
    assert_eq!(session.on_text("2", now).unwrap(), Some(Happening::Heartbeat { latency: None }));
    assert_eq!(sent(&mut session), ["3"]);
    assert_eq!(session.revision(), Some(Revision::V4));
}

#[test]
fn the_root_of_an_unknown_server_waits_a_second_before_it_asks() {
    let (mut session, now) = session("/", None, None);
    assert!(sent(&mut session).is_empty());
    assert_eq!(session.deadline(), Some(now + Duration::from_secs(1)));
    assert_eq!(session.on_text("40", now).unwrap(), connected("engine"));
    session.on_time(now + Duration::from_secs(1)).unwrap();
    assert!(sent(&mut session).is_empty(), "never a second CONNECT");
    let (mut silent, now) = self::session("/", None, None);
    silent.on_time(now + Duration::from_secs(1)).unwrap();
    assert_eq!(sent(&mut silent), ["40"]);
    assert_eq!(silent.on_text("40{\"sid\":\"s\"}", now).unwrap(), connected("s"));
}

#[test]
fn the_root_of_generation_4_must_be_asked_for() {
    let now = Instant::now();
    let auth = Settings { auth: Some("{\"t\":1}".into()), ..settings("/", None) };
    let mut session = Session::new(auth, handshake(Some(1)), now);
    assert_eq!(sent(&mut session), ["40{\"t\":1}"]);
}

#[test]
fn a_named_generation_2_sends_the_query_in_its_connect() {
    let (mut chat, _) = session("/chat", Some(Revision::V3), None);
    assert_eq!(sent(&mut chat), ["40/chat?token=a%20b,"]);
    let (mut root, now) = session("/", Some(Revision::V3), None);
    assert!(sent(&mut root).is_empty(), "the root is implicit");
    assert_eq!(root.on_text("40", now).unwrap(), connected("engine"));
}

#[test]
fn the_wrong_named_generation_is_told() {
    let (mut session, now) = session("/chat", Some(Revision::V4), None);
    let failure = session.on_text("40/chat,", now).unwrap_err();
    assert!(matches!(&failure, Failure::Generation(text) if text.contains("2.x") && text.contains("auto")));
}

#[test]
fn refusals_end_the_session() {
    for (text, data) in [
        ("44/chat,\"no\"", "\"no\""),
        ("44/chat,{\"message\":\"no\",\"data\":{\"code\":1}}", "{\"message\":\"no\",\"data\":{\"code\":1}}"),
        ("44\"no\"", "\"no\""),
    ] {
        let (mut session, now) = session("/chat", None, None);
        let refused = Some(Happening::Refused { data: data.into() });
        assert_eq!(session.on_text(text, now).unwrap(), refused, "{text}");
    }
    let (mut v4, now) = session("/chat", None, Some(1));
    assert_eq!(v4.on_text("44\"no\"", now).unwrap(), None, "only 2.x sends the root's to all");
}

#[test]
fn a_disconnect_of_the_server_ends_the_session_and_others_are_ignored() {
    let (mut session, now) = session("/chat", None, Some(1));
    session.on_text("40/chat,{\"sid\":\"s\"}", now).unwrap();
    assert_eq!(session.on_text("41/other,", now).unwrap(), None);
    assert_eq!(session.on_text("42/other,[\"a\"]", now).unwrap(), None);
    assert_eq!(session.on_text("41/chat,", now).unwrap(), Some(Happening::Disconnected));
    assert_eq!(session.leave(), None);
}

#[test]
fn the_answer_to_our_ping_tells_the_round_trip() {
    let (mut session, now) = session("/chat", None, None);
    session.on_text("40/chat,", now).unwrap();
    let due = session.deadline().unwrap();
    session.on_time(due).unwrap();
    let latency = Some(Duration::from_millis(7));
    let answered = session.on_text("3", due + Duration::from_millis(7)).unwrap();
    assert_eq!(answered, Some(Happening::Heartbeat { latency }));
    assert_eq!(session.on_text("3", due).unwrap(), None, "nobody asked");
    session.on_time(session.deadline().unwrap()).unwrap();
    session.pause(due);
    session.resume(due);
    assert_eq!(session.on_text("3", due).unwrap(), None, "the answer may have waited");
}

#[test]
fn leaving_says_goodbye_once() {
    let (mut session, now) = session("/chat", None, Some(1));
    session.on_text("40/chat,{\"sid\":\"s\"}", now).unwrap();
    assert_eq!(session.leave().map(text_of).as_deref(), Some("41/chat,"));
    assert_eq!(session.leave(), None);
}

#[test]
fn events_and_acks_come_with_their_ids() {
    let (mut session, now) = session("/chat", None, Some(1));
    session.on_text("40/chat,{\"sid\":\"s\"}", now).unwrap();
    let Some(Happening::Event(event)) = session.on_text("42/chat,0[\"a\",1,2]", now).unwrap() else {
        panic!("no event")
    };
    assert_eq!((&*event.name, event.id), ("a", Some(0)));
    assert_eq!(&event.data[event.extent.first.unwrap()], "1");
    let Some(Happening::Ack(ack)) = session.on_text("43/chat,9[\"ok\"]", now).unwrap() else {
        panic!("no ack")
    };
    assert_eq!(ack.id, Some(9));
    assert_eq!(session.on_text("6", now).unwrap(), None);
    assert_eq!(session.on_text("1", now).unwrap(), Some(Happening::Closed));
}

#[test]
fn events_before_the_connect_wait_for_it() {
    let (mut session, now) = session("/chat", None, Some(1));
    assert_eq!(session.on_text("42/chat,[\"a\"]", now).unwrap(), None);
    assert_eq!(session.on_text("451-/chat,[\"b\",{\"_placeholder\":true,\"num\":0}]", now).unwrap(), None);
    assert_eq!(session.on_binary(&[1], now).unwrap(), None);
    session.on_text("40/chat,{\"sid\":\"s\"}", now).unwrap();
    assert_eq!(session.poll_early().unwrap().name, "a");
    assert_eq!(session.poll_early().unwrap().attachments, [[1]]);
    assert_eq!(session.poll_early(), None);
}

#[test]
fn placeholders_have_to_stand_for_an_attachment() {
    for num in ["1", "-1", "9999999999", "\"0\"", "null"] {
        let (mut session, now) = session("/chat", None, Some(1));
        let text = format!("451-/chat,[\"a\",{{\"x\":[{{\"_placeholder\":true,\"num\":{num}}}]}}]");
        assert!(matches!(session.on_text(&text, now), Err(Failure::Parse(_))), "{num}");
    }
}

#[test]
fn a_contradiction_of_the_server_is_not_blamed_on_the_option() {
    let (mut session, now) = session("/chat", None, Some(1));
    let failure = session.on_text("40/chat,", now).unwrap_err();
    assert!(matches!(&failure, Failure::Generation(text) if !text.contains("option")), "{failure}");
}

#[test]
fn binary_frames_follow_their_revision() {
    for (max_payload, frame) in [(Some(1), &[1u8, 2][..]), (None, &[4u8, 1, 2][..])] {
        let (mut session, now) = session("/chat", None, max_payload);
        let answer = if max_payload.is_some() { "40/chat,{\"sid\":\"s\"}" } else { "40/chat," };
        session.on_text(answer, now).unwrap();
        let text = "451-/chat,[\"pic\",{\"_placeholder\":true,\"num\":0}]";
        assert_eq!(session.on_text(text, now).unwrap(), None);
        assert_eq!(session.on_text("2", now).map(|_| ()), Ok(()), "a ping may come between");
        let Some(Happening::Event(event)) = session.on_binary(frame, now).unwrap() else {
            panic!("no event")
        };
        assert_eq!(event.attachments, [[1, 2]]);
    }
}

#[test]
fn what_is_no_packet_fails_as_parse_error() {
    for text in ["", "x", "49", "42/chat,{}", "0{}"] {
        let (mut session, now) = session("/chat", None, Some(1));
        assert!(matches!(session.on_text(text, now), Err(Failure::Parse(_))), "{text:?}");
    }
    let (mut session, now) = session("/chat", None, None);
    assert!(matches!(session.on_binary(&[9], now), Err(Failure::Parse(_))));
}

fn msgpack(namespace: &str, revision: Option<Revision>, max_payload: Option<u64>) -> (Session, Instant) {
    let now = Instant::now();
    let settings = Settings { parser: Parser::Msgpack, ..settings(namespace, revision) };
    (Session::new(settings, handshake(max_payload), now), now)
}

/// What the session sends: texts as they are, data as the JSON of its packet.
fn told(session: &mut Session) -> Vec<String> {
    let packet = |transmit| match transmit {
        Transmit::Text(text) => text.into_owned(),
        Transmit::Secret(text) => text.to_string(),
        Transmit::Data(data) => {
            let packet = super::super::msgpack::decode(&data, None).unwrap();
            format!("{:?} {} {}", packet.kind, packet.namespace, packet.data)
        }
    };
    std::iter::from_fn(|| session.poll_transmit()).map(packet).collect()
}

const ANSWER: &[u8] = b"\x83\xa4type\x00\xa3nsp\xa5/chat\xa4data\x81\xa3sid\xa1s";

#[test]
fn msgpack_packets_are_binary() {
    let (mut session, now) = msgpack("/chat", None, Some(1));
    assert_eq!(told(&mut session), ["Connect /chat "]);
    assert_eq!(session.on_binary(ANSWER, now).unwrap(), connected("s"));
    let event = b"\x84\xa4type\x02\xa3nsp\xa5/chat\xa4data\x92\xa3pic\xc4\x01\x07\xa2id\x00";
    let Some(Happening::Event(event)) = session.on_binary(event, now).unwrap() else { panic!("no event") };
    assert_eq!((&*event.name, event.id, event.attachments), ("pic", Some(0), vec![vec![7]]));
    let leave = session.leave();
    session.transmit.extend(leave);
    assert_eq!(told(&mut session), ["Disconnect /chat "]);
}

#[test]
fn msgpack_of_generation_2_connects_by_text() {
    let (mut session, now) = msgpack("/chat", Some(Revision::V3), None);
    assert_eq!(told(&mut session), [r#"4{"nsp":"/chat?token=a%20b","type":0}"#]);
    assert_eq!(session.on_text(r#"4{"type":0,"nsp":"/"}"#, now).unwrap(), None);
    assert_eq!(session.on_text(r#"4{"type":0,"nsp":"/chat"}"#, now).unwrap(), connected("/chat#engine"));
    assert!(told(&mut session).is_empty(), "one CONNECT");
    let frame = b"\x04\x83\xa4type\x02\xa3nsp\xa5/chat\xa4data\x91\xa1a";
    assert!(matches!(session.on_binary(frame, now).unwrap(), Some(Happening::Event(_))));
    assert_eq!(session.leave().map(text_of).as_deref(), Some(r#"4{"nsp":"/chat","type":1}"#));
}

/// A 2.x server takes no notice of the CONNECT in the form of 4.x, and so is asked in its own once it is known.
#[test]
fn msgpack_of_unknown_generation_asks_again_when_the_root_says_2() {
    let (mut session, now) = msgpack("/chat", None, None);
    assert_eq!(told(&mut session), ["Connect /chat "]);
    assert_eq!(session.on_text(r#"4{"type":0,"nsp":"/"}"#, now).unwrap(), None);
    assert_eq!(told(&mut session), [r#"4{"nsp":"/chat?token=a%20b","type":0}"#]);
    assert_eq!(session.on_text(r#"4{"type":0,"nsp":"/chat"}"#, now).unwrap(), connected("/chat#engine"));
    let (mut later, now) = msgpack("/chat", None, None);
    assert_eq!(told(&mut later), ["Connect /chat "]);
    assert_eq!(later.on_binary(ANSWER, now).unwrap(), connected("s"));
    assert_eq!(later.revision(), Some(Revision::V4));
}

#[test]
fn msgpack_of_the_wrong_generation_or_parser_is_told() {
    let (mut session, now) = msgpack("/chat", Some(Revision::V4), None);
    let failure = session.on_text(r#"4{"type":0,"nsp":"/"}"#, now).unwrap_err();
    assert!(matches!(&failure, Failure::Generation(text) if text.contains("2.x")), "{failure}");
    let (mut session, now) = msgpack("/chat", None, None);
    let failure = session.on_text("40", now).unwrap_err();
    assert!(failure.to_string().contains("\"parser\""), "{failure}");
    let (mut session, now) = self::session("/chat", None, None);
    let failure = session.on_text(r#"4{"type":0,"nsp":"/"}"#, now).unwrap_err();
    assert!(failure.to_string().contains("\"parser\""), "{failure}");
}

#[test]
fn pongs_that_wait_are_one() {
    let (mut session, now) = session("/chat", None, Some(1_000_000));
    session.on_text("40/chat,{\"sid\":\"s\"}", now).unwrap();
    sent(&mut session);
    for _ in 0..1000 {
        session.on_text("2", now).unwrap();
    }
    assert_eq!(sent(&mut session), ["3"]);
    session.on_text("2", now).unwrap();
    assert_eq!(sent(&mut session), ["3"], "the next ping has its own");
}

#[test]
fn the_smallest_early_events_have_a_bound_too() {
    let (mut session, now) = session("/chat", None, Some(1_000_000));
    let taken = (0..1_000_000).take_while(|_| session.on_text("42/chat,[\"a\"]", now).is_ok()).count();
    assert!(taken < 100_000, "{taken} events were kept");
}
