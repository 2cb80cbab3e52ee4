//! The load server: Socket.IO of both generations over WebSocket, on one thread, with frames that are made once and written in
//! batches, so that a client is never kept waiting by it.
//!
//! `load-server [--port N] [--ping-interval MS]` prints `{"port":N}`; it ends when its stdin closes.
//!
//! | event | what it does |
//! |---|---|
//! | `to` | is counted, with the bytes of its arguments |
//! | `count`, with acknowledgement | answers how many `to` came on this connection since the last `count` |
//! | `bytes`, with acknowledgement | answers how many bytes they had since the last `bytes` |
//! | `echo`, with acknowledgement | answers its arguments |
//! | `start` n | sends `c_message` n times, as the reference server does |
//! | `start` n, bytes | the same with an argument of so many bytes |
//! | `all` n | sends `c_message` n times to every connection |
//!
//! `GET /stats` gives `{"connections", "opened", "pongs"}`.

mod connection;
mod frames;
mod messages;
mod packets;

use std::{
    io::{self, Read},
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::LocalSet,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use connection::{Connection, House};

struct Settings {
    port: u16,
    ping_interval: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let settings = settings();
    raise_descriptor_limit();
    let listener = listen(settings.port)?;
    println!("{{\"port\":{}}}", listener.local_addr()?.port());
    std::thread::spawn(|| {
        while matches!(io::stdin().read(&mut [0; 64]), Ok(1..)) {}
        std::process::exit(0);
    });
    let house = Rc::new(House::new(settings.ping_interval));
    LocalSet::new()
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                let house = house.clone();
                tokio::task::spawn_local(async move {
                    // A client that goes away ends its connection, and nothing else.
                    let _ = serve(stream, &house).await;
                });
            }
        })
        .await
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    // As many as the kernel takes: a client that finds the queue full would wait a second, which is none of its doing.
    socket.listen(u32::from(u16::MAX))
}

fn settings() -> Settings {
    let mut settings = Settings { port: 0, ping_interval: 25_000 };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{flag}: a number is missing"));
        let number: u64 = value.parse().unwrap_or_else(|error| panic!("{flag} {value}: {error}"));
        match flag.as_str() {
            "--port" => settings.port = u16::try_from(number).expect("a port"),
            "--ping-interval" => settings.ping_interval = number,
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

async fn serve(mut stream: TcpStream, house: &House) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let head = read_head(&mut stream).await?;
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let Some(key) = header("sec-websocket-key") else {
        return answer_plain(&mut stream, &head, house).await;
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let first = head.lines().next().unwrap_or_default();
    Connection::new(house, first.contains("EIO=3"), upgrade.into_bytes()).run(&mut stream).await
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

async fn answer_plain(stream: &mut TcpStream, head: &str, house: &House) -> io::Result<()> {
    let (status, body) = match head.starts_with("GET /stats") {
        true => ("200 OK", house.stats()),
        false => ("404 Not Found", String::new()),
    };
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await
}
