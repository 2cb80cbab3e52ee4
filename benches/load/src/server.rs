//! The load server: Socket.IO of both generations over WebSocket, on one thread, with frames that are made once and written in
//! batches, so that a client is never kept waiting by it.
//!
//! `load-server [--port N] [--ping-interval MS] [--payload BYTES]` prints `{"port":N}`; it ends when its stdin closes.
//!
//! | event | what it does |
//! |---|---|
//! | `to` | is counted |
//! | `count`, with acknowledgement | answers how many `to` came on this connection since the last `count` |
//! | `echo`, with acknowledgement | answers its arguments |
//! | `start` n | sends `c_message` n times |
//!
//! `GET /stats` gives `{"connections", "opened", "pongs"}`.

mod frames;
mod packets;

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::LocalSet,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// As the reference server sends it, 338 bytes.
const ENVELOPE: &str = include_str!("envelope.json");
const BATCH: usize = 64 * 1024;

#[derive(Default)]
struct Stats {
    connections: Cell<u64>,
    opened: Cell<u64>,
    pongs: Cell<u64>,
}

#[derive(Clone, Copy)]
struct Settings {
    port: u16,
    ping_interval: u64,
    /// 0: the envelope as it is.
    payload: usize,
}

fn add(counter: &Cell<u64>, change: i64) {
    counter.set(counter.get().wrapping_add_signed(change));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let settings = settings();
    raise_descriptor_limit();
    let listener = TcpListener::bind(("127.0.0.1", settings.port)).await?;
    println!("{{\"port\":{}}}", listener.local_addr()?.port());
    std::thread::spawn(|| {
        while matches!(io::stdin().read(&mut [0; 64]), Ok(1..)) {}
        std::process::exit(0);
    });
    let stats = Rc::new(Stats::default());
    LocalSet::new()
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                let stats = stats.clone();
                tokio::task::spawn_local(async move {
                    // A client that goes away ends its connection, and nothing else.
                    let _ = serve(stream, settings, &stats).await;
                });
            }
        })
        .await
}

fn settings() -> Settings {
    let mut settings = Settings { port: 0, ping_interval: 25_000, payload: 0 };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{flag}: a number is missing"));
        let number: u64 = value.parse().unwrap_or_else(|error| panic!("{flag} {value}: {error}"));
        match flag.as_str() {
            "--port" => settings.port = number as u16,
            "--ping-interval" => settings.ping_interval = number,
            "--payload" => settings.payload = number as usize,
            _ => panic!("{flag}: unknown flag"),
        }
    }
    settings
}

fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls get a valid structure.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

async fn serve(mut stream: TcpStream, settings: Settings, stats: &Stats) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let head = read_head(&mut stream).await?;
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let Some(key) = header("sec-websocket-key") else {
        return answer_plain(&mut stream, &head, stats).await;
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let mut out = upgrade.into_bytes();
    add(&stats.opened, 1);
    add(&stats.connections, 1);
    let first = head.lines().next().unwrap_or_default();
    let mut connection =
        Connection { legacy: first.contains("EIO=3"), settings, stats, counted: 0, closing: false };
    connection.open(&mut out);
    let result = connection.run(&mut stream, out).await;
    add(&stats.connections, -1);
    result
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn answer_plain(stream: &mut TcpStream, head: &str, stats: &Stats) -> io::Result<()> {
    let (status, body) = if head.starts_with("GET /stats") {
        let (connections, opened, pongs) = (&stats.connections, &stats.opened, &stats.pongs);
        let body = format!(
            "{{\"connections\":{},\"opened\":{},\"pongs\":{}}}",
            connections.get(),
            opened.get(),
            pongs.get()
        );
        ("200 OK", body)
    } else {
        ("404 Not Found", String::new())
    };
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await
}

struct Connection<'a> {
    legacy: bool,
    settings: Settings,
    stats: &'a Stats,
    counted: u64,
    closing: bool,
}

impl Connection<'_> {
    fn open(&self, out: &mut Vec<u8>) {
        let interval = self.settings.ping_interval;
        let open = format!(
            "0{{\"sid\":\"load\",\"upgrades\":[],\"pingInterval\":{interval},\"pingTimeout\":20000,\"maxPayload\":100000000}}"
        );
        frames::push_text(out, open.as_bytes());
        if self.legacy {
            frames::push_text(out, b"40");
        }
    }

    async fn run(&mut self, stream: &mut TcpStream, mut out: Vec<u8>) -> io::Result<()> {
        let mut buffer = Vec::new();
        let mut pings = tokio::time::interval(Duration::from_millis(self.settings.ping_interval));
        pings.reset();
        while !self.closing {
            if !out.is_empty() {
                stream.write_all(&out).await?;
                out.clear();
            }
            out.shrink_to(BATCH);
            tokio::select! {
                read = stream.read_buf(&mut buffer) => if read? == 0 { break },
                _ = pings.tick(), if !self.legacy => {
                    frames::push_text(&mut out, b"2");
                    continue;
                }
            }
            let mut start = 0;
            while let Some(frame) = frames::next_frame(&mut buffer, start) {
                start = frame.payload.end;
                self.closing |= frame.opcode == frames::CLOSE;
                if frame.opcode == frames::TEXT {
                    let burst = self.take(&String::from_utf8_lossy(&buffer[frame.payload]), &mut out);
                    if burst > 0 {
                        self.burst(stream, burst, &mut out).await?;
                    }
                }
            }
            buffer.drain(..start);
            if buffer.is_empty() {
                // 10,000 idle connections must not cost the memory of their busiest moment.
                buffer = Vec::new();
            }
        }
        Ok(())
    }

    /// Deals with a packet; gives how many messages it asks for.
    fn take(&mut self, text: &str, out: &mut Vec<u8>) -> u64 {
        match text.as_bytes().first() {
            Some(b'2') => frames::push_text(out, b"3"),
            Some(b'3') => add(&self.stats.pongs, 1),
            _ => {}
        }
        if let Some(rest) = text.strip_prefix("40") {
            let (namespace, _) = packets::namespace(rest);
            let name = rest.split([',', '{', '?']).next().unwrap_or_default();
            match self.legacy {
                true => frames::push_text(out, format!("40{name}").as_bytes()),
                false => frames::push_text(out, format!("40{namespace}{{\"sid\":\"load\"}}").as_bytes()),
            }
        }
        let Some(event) = packets::event(text) else {
            return 0;
        };
        let (namespace, id) = (event.namespace, event.id);
        match event.name {
            "to" => self.counted += 1,
            "count" => {
                let counted = std::mem::take(&mut self.counted);
                frames::push_text(out, format!("43{namespace}{id}[{counted}]").as_bytes());
            }
            "echo" => {
                frames::push_text(out, format!("43{namespace}{id}[{}]", event.arguments).as_bytes());
            }
            "start" => return event.arguments.parse().unwrap_or(0),
            _ => {}
        }
        0
    }

    async fn burst(&self, stream: &mut TcpStream, count: u64, out: &mut Vec<u8>) -> io::Result<()> {
        stream.write_all(out).await?;
        out.clear();
        let mut one = Vec::new();
        let content = match self.settings.payload {
            0 => ENVELOPE.trim_end().to_owned(),
            bytes => format!("{{\"content\":\"{}\"}}", "x".repeat(bytes.saturating_sub(14))),
        };
        frames::push_text(&mut one, format!("42[\"c_message\",{content}]").as_bytes());
        let in_a_batch = (BATCH / one.len()).max(1);
        let batch = one.repeat(in_a_batch);
        let mut left = usize::try_from(count).unwrap_or(usize::MAX);
        while left > 0 {
            let now = left.min(in_a_batch);
            stream.write_all(&batch[..now * one.len()]).await?;
            left -= now;
        }
        Ok(())
    }
}
