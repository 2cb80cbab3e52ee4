//! The driver of the crate `rust_socketio` (its synchronous client): `rust_socketio ROOT MEASURE N`, see benches/README.md.

use std::{
    sync::mpsc::{channel, Sender},
    time::{Duration, Instant},
};

use rust_socketio::{
    client::{Client, ClientBuilder},
    Event, Payload, TransportType,
};
use serde_json::{json, Value};

const MESSAGE: &str = include_str!("../../../../benches/drivers/message.json");
const PATIENCE: Duration = Duration::from_secs(600);

fn main() {
    let [root, measure, count] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().expect("rust_socketio ROOT MEASURE N");
    let count: usize = count.parse().expect("a number");
    match measure.as_str() {
        "receive" => receive(&root, count),
        "emit" => emit(&root, count),
        "roundtrip" => round_trips(&root, count, false),
        "pair" => round_trips(&root, count, true),
        "connect" => connects(&root, count),
        "idle" => idle(&root, count),
        other => panic!("{other}: no such measure"),
    }
}

fn builder(root: &str, connected: Sender<()>) -> ClientBuilder {
    ClientBuilder::new(root)
        .transport_type(TransportType::Websocket)
        .reconnect(false)
        .on(Event::Connect, move |_, _| connected.send(()).expect("main waits"))
}

fn open(root: &str, more: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let (connected, wait) = channel();
    let client = more(builder(root, connected)).connect().expect("the server listens");
    wait.recv_timeout(PATIENCE).expect("it connects");
    client
}

fn values(payload: Payload) -> Vec<Value> {
    match payload {
        Payload::Text(values) => values,
        other => panic!("{other:?}"),
    }
}

fn receive(root: &str, count: usize) {
    let (done, wait) = channel();
    let (mut received, mut content) = (0, 0);
    let client = open(root, |builder| {
        builder.on("c_message", move |payload, _| {
            let envelope = &values(payload)[0];
            content += envelope["data"]["payload"]["content"].as_str().map_or(0, str::len);
            received += 1;
            if received == count {
                done.send(content).expect("main waits");
            }
        })
    });
    let start = Usage::now();
    client.emit("start", json!(count)).expect("connected");
    assert!(wait.recv_timeout(PATIENCE).expect("all come") > 0);
    start.tell(count);
}

/// The answer's first argument.
fn call(client: &Client, event: &str, argument: Value) -> Value {
    let (done, wait) = channel();
    client
        .emit_with_ack(event, argument, PATIENCE, move |payload: Payload, _| {
            // Its ids are random and several may be in flight; here there is one at a time.
            let _ = done.send(values(payload));
        })
        .expect("connected");
    let mut answer = wait.recv_timeout(PATIENCE).expect("an answer comes");
    match answer.remove(0) {
        Value::Array(mut inner) => inner.remove(0),
        value => value,
    }
}

fn emit(root: &str, count: usize) {
    let client = open(root, |builder| builder);
    let start = Usage::now();
    for _ in 0..count {
        let message: Value = serde_json::from_str(MESSAGE).expect("JSON");
        client.emit("to", message).expect("connected");
    }
    assert_eq!(call(&client, "count", json!(null)), json!(count));
    start.tell(count);
}

fn round_trips(root: &str, count: usize, pair: bool) {
    let client = open(root, |builder| builder);
    let message: Value = serde_json::from_str(MESSAGE).expect("JSON");
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        if pair {
            client.emit("to", message.clone()).expect("connected");
        }
        call(&client, "echo", json!(1));
        times.push(start.elapsed());
    }
    tell_times(times);
}

fn connects(root: &str, count: usize) {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        let client = open(root, |builder| builder);
        times.push(start.elapsed());
        client.disconnect().expect("connected");
    }
    tell_times(times);
}

fn idle(root: &str, count: usize) {
    let before = resident();
    let clients: Vec<Client> = (0..count).map(|_| open(root, |builder| builder)).collect();
    std::thread::sleep(Duration::from_secs(1));
    let kb = (resident() - before) as f64 / 1024.0 / clients.len() as f64;
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).expect("Linux").trim();
    println!("{{\"kbPerClient\":{kb:.2},\"threads\":{threads}}}");
    // Without a goodbye of 500 threads.
    std::process::exit(0);
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
}

fn tell_times(mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e6;
    println!("{{\"p50Us\":{:.1},\"p99Us\":{:.1}}}", at(50), at(99));
}

struct Usage {
    cpu: f64,
    wall: Instant,
}

impl Usage {
    fn now() -> Self {
        Usage { cpu: cpu(), wall: Instant::now() }
    }

    fn tell(&self, count: usize) {
        let each = |seconds: f64| seconds * 1e6 / count as f64;
        let (cpu, wall) = (each(cpu() - self.cpu), each(self.wall.elapsed().as_secs_f64()));
        println!("{{\"cpuUs\":{cpu:.4},\"wallUs\":{wall:.4}}}");
    }
}

/// User and system time of the process, in seconds.
fn cpu() -> f64 {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: a valid structure to write to; all zero is a valid one.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
