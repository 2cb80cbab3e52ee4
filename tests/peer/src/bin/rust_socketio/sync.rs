//! Its synchronous client, which has a thread for each connection.

use std::{
    sync::mpsc::{channel, Sender},
    time::{Duration, Instant},
};

use rust_socketio::{
    client::{Client, ClientBuilder},
    Event, Payload, TransportType,
};
use serde_json::{json, Value};

use crate::{answer, content_length, figures, message, PATIENCE, SILENCE};

pub fn measure(root: &str, measure: &str, count: usize) {
    match measure {
        "receive" => receive(root, count),
        "emit" => emit(root, count),
        "roundtrip" => round_trips(root, count, None),
        "pair" => round_trips(root, count, Some(message())),
        "connect" => connects(root, count),
        "idle" => idle(root, count),
        "inflight" => in_flight(root, count),
        other => panic!("{other}: no such measure"),
    }
}

fn builder(root: &str, connected: Sender<Instant>) -> ClientBuilder {
    ClientBuilder::new(root)
        .transport_type(TransportType::Websocket)
        .reconnect(false)
        .on(Event::Connect, move |_, _| connected.send(Instant::now()).expect("main waits"))
}

fn open(root: &str) -> Client {
    open_with(root, |builder| builder).0
}

/// When it was connected, too.
fn open_with(root: &str, more: impl FnOnce(ClientBuilder) -> ClientBuilder) -> (Client, Instant) {
    let (connected, wait) = channel();
    let client = more(builder(root, connected)).connect().expect("the server listens");
    (client, wait.recv_timeout(PATIENCE).expect("it connects"))
}

fn receive(root: &str, count: usize) {
    let (done, wait) = channel();
    let (mut received, mut content) = (0, 0);
    let (client, _) = open_with(root, |builder| {
        builder.on("c_message", move |payload, _| {
            content += content_length(payload);
            received += 1;
            if received == count {
                done.send(content).expect("main waits");
            }
        })
    });
    let start = figures::Usage::now();
    client.emit("start", json!(count)).expect("connected");
    assert!(wait.recv_timeout(PATIENCE).expect("all come") > 0);
    start.tell(count);
}

/// The answer's first argument, and when it came.
fn call(client: &Client, event: &str, argument: Value) -> (Value, Instant) {
    let (done, wait) = channel();
    client
        .emit_with_ack(event, argument, PATIENCE, move |payload: Payload, _| {
            done.send((answer(payload), Instant::now())).expect("main waits");
        })
        .expect("connected");
    wait.recv_timeout(PATIENCE).expect("an answer comes")
}

fn emit(root: &str, count: usize) {
    let client = open(root);
    let message = message();
    let start = figures::Usage::now();
    for _ in 0..count {
        client.emit("to", message.clone()).expect("connected");
    }
    assert_eq!(call(&client, "count", json!(null)).0, json!(count));
    start.tell(count);
}

fn round_trips(root: &str, count: usize, before: Option<Value>) {
    let client = open(root);
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        if let Some(message) = &before {
            client.emit("to", message.clone()).expect("connected");
        }
        times.push(call(&client, "echo", json!(1)).1 - start);
    }
    figures::tell_times(times);
}

fn connects(root: &str, count: usize) {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        let (client, connected) = open_with(root, |builder| builder);
        times.push(connected - start);
        client.disconnect().expect("connected");
    }
    figures::tell_times(times);
}

/// Beside one client, which brings all that is there once.
fn idle(root: &str, count: usize) {
    let mut clients = vec![open(root)];
    let before = figures::resident();
    clients.extend((0..count).map(|_| open(root)));
    std::thread::sleep(Duration::from_secs(1));
    figures::tell_idle(before, count);
    // Without a goodbye of 500 threads.
    std::process::exit(0);
}

fn in_flight(root: &str, count: usize) {
    let client = open(root);
    let (answered, answers) = channel();
    for asked in 0..count {
        let answered = answered.clone();
        client
            .emit_with_ack("echo", json!(asked), PATIENCE, move |payload: Payload, _| {
                let answer = answer(payload).as_u64().and_then(|value| usize::try_from(value).ok());
                answered.send((asked, answer.expect("a number"))).expect("main waits");
            })
            .expect("connected");
    }
    let answers: Vec<_> = std::iter::from_fn(|| answers.recv_timeout(SILENCE).ok()).collect();
    figures::tell_answers(&answers, count);
}
