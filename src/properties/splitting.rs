//! However a server's bytes are cut on their way, the same comes out: over WebSocket and long-polling, from servers of both
//! generations, with either parser, through the library's own transports and sessions.

mod server;

use std::{future::poll_fn, sync::Arc, time::Instant};

use proptest::{collection::vec, prelude::*};
use serde_json::{json, Value};
use tokio::{join, net::TcpListener};

use crate::{
    engineio::{self, Frame, Handshake, Packet, Revision},
    socketio::{msgpack, Happening, Parser, Received, Session, Settings},
    transport::{
        self, Access, Address, Dialer, Endpoint, Headers, Progress, Socket, Timestamps, TlsSettings,
    },
};
use server::Wire;

/// An event, or an acknowledgement, which has no name: name, id, arguments, attachments.
type Said = (String, Option<u64>, Value, Vec<Vec<u8>>);

/// What a server says in one session.
#[derive(Clone, Debug)]
struct Talk {
    revision: Revision,
    parser: Parser,
    said: Vec<Said>,
    /// Between its packets, and between a packet and its attachments, stand so many of Engine.IO alone.
    between: Vec<u8>,
}

impl Talk {
    /// From the open packet to the close packet.
    fn frames(&self) -> Vec<Frame> {
        let open = json!({ "sid": "engine", "upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000 });
        let text = |text: &str| Frame::Text(text.into());
        let mut frames = vec![text(&format!("0{open}")), self.connect()];
        let mut between = self.between.iter().cycle();
        for said in &self.said {
            for frame in self.packet(said) {
                let beat = if self.revision == Revision::V4 { engineio::PING } else { engineio::PONG };
                match between.next() {
                    Some(1) => frames.push(text(beat)),
                    Some(2) => frames.extend([text("6"), text(beat)]),
                    _ => {}
                }
                frames.push(frame);
            }
        }
        frames.push(text(engineio::CLOSE));
        frames
    }

    /// The answer to the CONNECT.
    fn connect(&self) -> Frame {
        let sid = r#"{"sid":"socket"}"#;
        match (self.parser, self.revision) {
            (Parser::Default, Revision::V3) => Frame::Text("40/chat,".into()),
            (Parser::Default, Revision::V4) => Frame::Text(format!("40/chat,{sid}")),
            (Parser::Msgpack, Revision::V3) => Frame::Text(msgpack::connect_text("/chat", "")),
            (Parser::Msgpack, Revision::V4) => {
                Frame::Binary(msgpack::encode_connect("/chat", Some(sid)).unwrap())
            }
        }
    }

    /// A packet and its attachments.
    fn packet(&self, (name, id, arguments, attachments): &Said) -> Vec<Frame> {
        let list = arguments.to_string();
        let list = &list[1..list.len() - 1];
        let encoded = match (name.as_str(), id) {
            ("", Some(id)) => self.parser.ack("/chat", *id, list, attachments.clone()),
            _ => self.parser.event("/chat", *id, name, list, attachments.clone()),
        };
        let encoded = encoded.unwrap();
        let head = (!encoded.frame.is_empty()).then_some(Frame::Text(encoded.frame));
        head.into_iter().chain(encoded.attachments.into_iter().map(Frame::Binary)).collect()
    }
}

fn said() -> impl Strategy<Value = Said> {
    let attachments = vec(vec(any::<u8>(), 0..40), 0..4);
    ("[a-z€😀]{0,4}", any::<Option<u32>>(), any::<String>(), attachments).prop_map(
        |(name, id, text, attachments)| {
            // What has neither name nor number is no packet.
            let name = if id.is_none() { format!("n{name}") } else { name };
            let placeholders = (0..attachments.len()).map(|num| json!({ "_placeholder": true, "num": num }));
            let arguments = std::iter::once(Value::from(text)).chain(placeholders).collect();
            (name, id.map(u64::from), arguments, attachments)
        },
    )
}

fn talk() -> impl Strategy<Value = Talk> {
    let revision = prop_oneof![Just(Revision::V3), Just(Revision::V4)];
    let parser = prop_oneof![2 => Just(Parser::Default), 1 => Just(Parser::Msgpack)];
    (revision, parser, vec(said(), 1..6), vec(0..3_u8, 1..8))
        .prop_map(|(revision, parser, said, between)| Talk { revision, parser, said, between })
}

fn dialer(address: &str) -> Arc<Dialer> {
    let access = Access {
        endpoint: Endpoint::parse(&format!("http://{address}")).unwrap(),
        headers: Headers::default(),
        proxy: None,
        tls: TlsSettings::default(),
        local_address: None,
    };
    Arc::new(Dialer::new(Arc::new(access), Arc::default(), Arc::default()))
}

async fn connect(address: &str, revision: Revision, polling: bool) -> Socket {
    let timestamps = Timestamps::default();
    let address_of =
        Address { path: "/socket.io/".into(), revision, query: crate::secret::Secret::default(), timestamps };
    let (dialer, progress) = (dialer(address), Progress::default());
    if polling {
        return poll(&dialer, address_of, &progress).await;
    }
    let request = address_of.request(transport::WEBSOCKET, None);
    Socket::WebSocket(Box::new(transport::connect(&dialer, &request, 1 << 20, &progress).await.unwrap()))
}

#[cfg(feature = "polling")]
async fn poll(dialer: &Arc<Dialer>, address: Address, progress: &Progress) -> Socket {
    let terms = transport::Terms { address, max_message: 1 << 20, upgrade: false, request_timeout: None };
    Socket::Polling(Box::new(transport::Polling::connect(dialer, terms, progress).await.unwrap()))
}

#[cfg(not(feature = "polling"))]
async fn poll(_: &Arc<Dialer>, _: Address, _: &Progress) -> Socket {
    unreachable!("no test asks for it")
}

/// What the client hears up to the close packet.
async fn hear(address: &str, talk: &Talk, polling: bool) -> Vec<Said> {
    let mut socket = connect(address, talk.revision, polling).await;
    let open = loop {
        match poll_fn(|cx| socket.poll_next(cx)).await.unwrap() {
            transport::Frame::Text(text) => break text,
            // A ping may stand between its fragments.
            transport::Frame::Alive => {}
            other => panic!("no open packet but {other:?}"),
        }
    };
    let Ok(Packet::Open(json)) = engineio::decode(&open) else { panic!("{open}") };
    let handshake = Handshake::parse(json).unwrap();
    socket.begin(&handshake);
    let settings = Settings {
        namespace: "/chat".into(),
        query: crate::secret::Secret::default(),
        auth: None,
        recovery: None,
        revision: Some(talk.revision),
        parser: talk.parser,
        shared: false,
    };
    let mut session = Session::new(settings, handshake, Instant::now());
    let mut heard = Vec::new();
    loop {
        let frame = poll_fn(|cx| socket.poll_next(cx)).await.unwrap();
        let now = Instant::now();
        let happening = match &frame {
            transport::Frame::Text(text) => session.on_text(text, now),
            transport::Frame::Binary(data) => session.on_binary(data, now),
            transport::Frame::Data(data) => session.on_data(data, now),
            transport::Frame::Alive => Ok(None),
        };
        match happening.unwrap() {
            Some(Happening::Event(received) | Happening::Ack(received)) => heard.push(of(&received)),
            Some(Happening::Closed) => return heard,
            Some(Happening::Connected { .. } | Happening::Heartbeat { .. }) | None => {}
            Some(other) => panic!("{other:?}"),
        }
    }
}

fn of(received: &Received<'_>) -> Said {
    let arguments = format!("[{}]", &received.data[received.extent.all.clone()]);
    let arguments = serde_json::from_str(&arguments).unwrap();
    (received.name.to_string(), received.id, arguments, received.attachments.clone())
}

/// Has a server say it on this wire; gives what was heard.
fn heard(talk: &Talk, wire: &Wire, polling: bool) -> Vec<Said> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (revision, frames) = (talk.revision, talk.frames());
        let serve = async {
            match polling {
                true => wire.answer_polls(&listener, revision, &frames).await,
                false => wire.speak_websocket(&listener, revision, &frames).await,
            }
        };
        join!(serve, hear(&address, talk, polling)).1
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_websocket_may_be_cut_anywhere(talk in talk(), cuts in vec(any::<u16>(), 0..40), parts in vec(any::<u16>(), 1..20)) {
        let wire = Wire { cuts, parts, chunked: false, binary: false };
        prop_assert_eq!(heard(&talk, &wire, false), talk.said);
    }

    #[cfg(feature = "polling")]
    #[test]
    fn answers_of_long_polling_may_be_cut_anywhere(
        talk in talk(),
        cuts in vec(any::<u16>(), 0..40),
        parts in vec(any::<u16>(), 1..20),
        chunked in any::<bool>(),
        binary in any::<bool>(),
    ) {
        let wire = Wire { cuts, parts, chunked, binary };
        prop_assert_eq!(heard(&talk, &wire, true), talk.said);
    }
}

/// Every byte by itself, and in one piece.
#[test]
fn single_bytes_say_the_same_as_one_piece() {
    let blobs = vec![vec![4, 255], vec![]];
    let arguments = json!(["€😀", { "_placeholder": true, "num": 0 }, { "_placeholder": true, "num": 1 }]);
    let said = vec![
        ("n".to_owned(), Some(7), arguments.clone(), blobs.clone()),
        (String::new(), Some(u64::from(u32::MAX)), arguments, blobs),
        ("m".to_owned(), None, json!([{ "a": "\u{1e}" }]), vec![]),
    ];
    for revision in [Revision::V3, Revision::V4] {
        for parser in [Parser::Default, Parser::Msgpack] {
            let talk = Talk { revision, parser, said: said.clone(), between: vec![0, 1, 2] };
            for wire in [Wire::single_bytes(), Wire::whole()] {
                assert_eq!(heard(&talk, &wire, false), said, "{talk:?}");
                #[cfg(feature = "polling")]
                assert_eq!(heard(&talk, &wire, true), said, "{talk:?}");
            }
        }
    }
}
