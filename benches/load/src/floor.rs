//! The floor: what the wire costs where nothing is done with it. Frames are counted, texts are constant.
//!
//! `floor ROOT MEASURE N [BYTES]`, as every driver; see benches/README.md.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{protocol::WebSocketConfig, Message},
    WebSocketStream,
};

const MESSAGE: &str = include_str!("../../drivers/message.json");

type Socket = WebSocketStream<TcpStream>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, measure, count, bytes @ ..] = arguments.as_slice() else {
        panic!("floor ROOT MEASURE N [BYTES]");
    };
    let authority = root.strip_prefix("http://").expect("an http root");
    let count: usize = count.parse().expect("a number");
    let bytes: Option<usize> = bytes.first().map(|bytes| bytes.parse().expect("a number"));
    match measure.as_str() {
        "receive" => receive(authority, count, bytes).await,
        "emit" => emit(authority, count, bytes).await,
        "roundtrip" => round_trips(authority, count, false).await,
        "pair" => round_trips(authority, count, true).await,
        "idle" => idle(authority, count).await,
        "connect" => connects(authority, count).await,
        other => panic!("{other}: no such measure"),
    }
}

/// With small buffers. The default, 128 KiB for each connection, costs time at each read and memory for each connection.
async fn open(authority: &str) -> Socket {
    open_with(authority, WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(4096)).await
}

/// With the buffers that a user of tungstenite gets: best where many messages come or go.
async fn open_for_many(authority: &str) -> Socket {
    open_with(authority, WebSocketConfig::default()).await
}

async fn open_with(authority: &str, config: WebSocketConfig) -> Socket {
    let stream = TcpStream::connect(authority).await.expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    let url = format!("ws://{authority}/socket.io/?EIO=4&transport=websocket");
    let (mut socket, _) =
        client_async_with_config(url, stream, Some(config)).await.expect("the server upgrades");
    next(&mut socket).await;
    socket.send(Message::text("40")).await.expect("open");
    next(&mut socket).await;
    socket
}

async fn next(socket: &mut Socket) -> Message {
    socket.next().await.expect("it stays open").expect("it stays whole")
}

async fn receive(authority: &str, count: usize, bytes: Option<usize>) {
    let mut socket = open_for_many(authority).await;
    let wanted = bytes.map_or(count.to_string(), |bytes| format!("{count},{bytes}"));
    let start = Usage::now();
    socket.send(Message::text(format!("42[\"start\",{wanted}]"))).await.expect("open");
    for _ in 0..count {
        next(&mut socket).await;
    }
    start.tell(count);
}

async fn emit(authority: &str, count: usize, bytes: Option<usize>) {
    let mut socket = open_for_many(authority).await;
    let sized = |bytes: usize| format!("{{\"c\":\"{}\"}}", "x".repeat(bytes.saturating_sub(8)));
    let message = bytes.map_or(MESSAGE.trim_end().to_owned(), sized);
    let text = Message::text(format!("42[\"to\",{message}]"));
    let start = Usage::now();
    for _ in 0..count {
        socket.feed(text.clone()).await.expect("open");
    }
    socket.send(Message::text("420[\"count\"]")).await.expect("open");
    assert_eq!(next(&mut socket).await.to_text().expect("text"), format!("430[{count}]"));
    start.tell(count);
}

async fn round_trips(authority: &str, count: usize, pair: bool) {
    let mut socket = open(authority).await;
    let text = Message::text(format!("42[\"to\",{}]", MESSAGE.trim_end()));
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        if pair {
            socket.send(text.clone()).await.expect("open");
        }
        socket.send(Message::text("420[\"echo\",1]")).await.expect("open");
        next(&mut socket).await;
        times.push(start.elapsed());
    }
    tell_times(times);
}

async fn connects(authority: &str, count: usize) {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        let mut socket = open(authority).await;
        times.push(start.elapsed());
        // As all others end: the next begins with a server at rest. One that still hears the end of the last is awake, and
        // is not to be woken by the connect, which then takes half the time.
        socket.close(None).await.expect("open");
        while socket.next().await.is_some() {}
    }
    tell_times(times);
}

/// Beside one connection, which brings all that is there once.
async fn idle(authority: &str, count: usize) {
    let mut sockets = vec![open(authority).await];
    let before = resident();
    for _ in 0..count {
        sockets.push(open(authority).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let kb = (resident() - before) as f64 / 1024.0 / count as f64;
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).expect("Linux").trim();
    println!("{{\"kbPerClient\":{kb:.2},\"threads\":{threads}}}");
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
        // SAFETY: all zero is a valid structure.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: a valid structure to write to.
        unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
        Usage { cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime), wall: Instant::now() }
    }

    fn tell(&self, count: usize) {
        let end = Usage::now();
        let each = |seconds: f64| seconds * 1e6 / count as f64;
        println!(
            "{{\"cpuUs\":{:.4},\"wallUs\":{:.4}}}",
            each(end.cpu - self.cpu),
            each(end.wall.duration_since(self.wall).as_secs_f64())
        );
    }
}
