//! Its asynchronous client, all on one thread: on the one core that a driver has, a second would only add changes between them.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use rust_socketio::{
    asynchronous::{Client, ClientBuilder},
    Event, Payload, TransportType,
};
use serde_json::{json, Value};
use tokio::{
    sync::mpsc::{unbounded_channel, UnboundedSender},
    time::{sleep, timeout},
};

use crate::{answer, content_length, figures, message, PATIENCE, SILENCE};

/// What a callback has to give: here it has done all when it returns.
type Finished = Pin<Box<dyn Future<Output = ()> + Send>>;

#[tokio::main(flavor = "current_thread")]
pub async fn measure(root: &str, measure: &str, count: usize) {
    match measure {
        "receive" => receive(root, count).await,
        "emit" => emit(root, count).await,
        "roundtrip" => round_trips(root, count, None).await,
        "pair" => round_trips(root, count, Some(message())).await,
        "connect" => connects(root, count).await,
        "idle" => idle(root, count).await,
        "inflight" => in_flight(root, count).await,
        other => panic!("{other}: no such measure"),
    }
    // Without waiting for its tasks.
    std::process::exit(0);
}

fn builder(root: &str, connected: UnboundedSender<Instant>) -> ClientBuilder {
    ClientBuilder::new(root).transport_type(TransportType::Websocket).reconnect(false).on(
        Event::Connect,
        move |_, _| {
            connected.send(Instant::now()).expect("main waits");
            Box::pin(async {})
        },
    )
}

async fn open(root: &str) -> Client {
    open_with(root, |builder| builder).await.0
}

/// When it was connected, too.
async fn open_with(root: &str, more: impl FnOnce(ClientBuilder) -> ClientBuilder) -> (Client, Instant) {
    let (connected, mut wait) = unbounded_channel();
    let client = more(builder(root, connected)).connect().await.expect("the server listens");
    (client, wait.recv().await.expect("it connects"))
}

async fn receive(root: &str, count: usize) {
    let (done, mut wait) = unbounded_channel();
    let (mut received, mut content) = (0, 0);
    let (client, _) = open_with(root, |builder| {
        builder.on("c_message", move |payload, _| {
            content += content_length(payload);
            received += 1;
            if received == count {
                done.send(content).expect("main waits");
            }
            Box::pin(async {})
        })
    })
    .await;
    let start = figures::Usage::now();
    client.emit("start", json!(count)).await.expect("connected");
    assert!(wait.recv().await.expect("all come") > 0);
    start.tell(count);
}

/// The answer's first argument, and when it came.
async fn call(client: &Client, event: &str, argument: Value) -> (Value, Instant) {
    let (done, mut wait) = unbounded_channel();
    let on_answer = move |payload: Payload, _: Client| -> Finished {
        done.send((answer(payload), Instant::now())).expect("main waits");
        Box::pin(async {})
    };
    client.emit_with_ack(event, argument, PATIENCE, on_answer).await.expect("connected");
    wait.recv().await.expect("an answer comes")
}

async fn emit(root: &str, count: usize) {
    let client = open(root).await;
    let message = message();
    let start = figures::Usage::now();
    for _ in 0..count {
        client.emit("to", message.clone()).await.expect("connected");
    }
    assert_eq!(call(&client, "count", json!(null)).await.0, json!(count));
    start.tell(count);
}

async fn round_trips(root: &str, count: usize, before: Option<Value>) {
    let client = open(root).await;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        if let Some(message) = &before {
            client.emit("to", message.clone()).await.expect("connected");
        }
        times.push(call(&client, "echo", json!(1)).await.1 - start);
    }
    figures::tell_times(times);
}

async fn connects(root: &str, count: usize) {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        let (client, connected) = open_with(root, |builder| builder).await;
        times.push(connected - start);
        client.disconnect().await.expect("connected");
    }
    figures::tell_times(times);
}

/// Beside one client, which brings all that is there once.
async fn idle(root: &str, count: usize) {
    let mut clients = vec![open(root).await];
    let before = figures::resident();
    for _ in 0..count {
        clients.push(open(root).await);
    }
    sleep(Duration::from_secs(1)).await;
    figures::tell_idle(before, count);
}

async fn in_flight(root: &str, count: usize) {
    let client = open(root).await;
    let (answered, mut wait) = unbounded_channel();
    for asked in 0..count {
        let answered = answered.clone();
        let on_answer = move |payload: Payload, _: Client| -> Finished {
            let answer = answer(payload).as_u64().and_then(|value| usize::try_from(value).ok());
            answered.send((asked, answer.expect("a number"))).expect("main waits");
            Box::pin(async {})
        };
        client.emit_with_ack("echo", json!(asked), PATIENCE, on_answer).await.expect("connected");
    }
    let mut answers = Vec::new();
    while let Ok(Some(answer)) = timeout(SILENCE, wait.recv()).await {
        answers.push(answer);
    }
    figures::tell_answers(&answers, count);
}
