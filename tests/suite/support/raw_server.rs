//! A server that does, byte for byte, what a script says: for what no real server does. One thread per connection; the
//! script gets a `Peer` and may do anything with it; connections, requests and frames are recorded in their order.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    os::fd::AsRawFd,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Condvar, Mutex, MutexGuard, Weak,
    },
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{json, Value};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{flood::make_narrow, ports, wait_for, PATIENCE};

/// Loopback, but not the address of the other servers of the tests: what the library remembers of a root that another test
/// used can't be taken for this one's.
const HOST: &str = "127.0.0.2";

/// WebSocket opcodes.
pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;

/// The largest request head that is taken.
const MOST_HEAD: usize = 64 * 1024;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The number of its connection, counted from 1.
    pub connection: usize,
    pub path: String,
    pub query: String,
    pub head: String,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            (found.to_ascii_lowercase() == name).then(|| value.trim())
        })
    }
}

/// A text frame as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub connection: usize,
    pub text: String,
}

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    frames: Vec<Frame>,
    accepted: usize,
    /// Where the connections came from.
    peers: Vec<IpAddr>,
    /// Connections whose script has come to its end.
    ended: Vec<usize>,
    streams: Vec<Weak<TcpStream>>,
}

#[derive(Default)]
struct Shared {
    log: Mutex<Log>,
    changed: Condvar,
    stops: AtomicBool,
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Log)) {
        change(&mut self.log());
        self.changed.notify_all();
    }
}

pub struct RawServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl RawServer {
    /// Listens on a free port; every connection gets the script.
    pub fn start(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::listen((HOST, 0), script)
    }

    /// Listens on a port that was in use a moment ago.
    pub fn on_port(port: u16, script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::listen((HOST, port), script)
    }

    /// As `start`; what nobody reads soon has no room any more.
    pub fn narrow(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::listen_with(make_narrow, (HOST, 0), script)
    }

    pub fn listen(at: impl ToSocketAddrs, script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::listen_with(|_| {}, at, script)
    }

    fn listen_with(
        prepare: impl Fn(&TcpListener),
        at: impl ToSocketAddrs,
        script: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> Self {
        // The standard library sets SO_REUSEADDR, so that the port of a server that just ended can be had again.
        let any_port = at.to_socket_addrs().expect("an address").all(|at| at.port() == 0);
        let listener = wait_for("a port to listen on", || {
            TcpListener::bind(&at).ok().filter(|listener| {
                let port = listener.local_addr().expect("it is bound").port();
                ports::is_new(port) || !any_port
            })
        });
        prepare(&listener);
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        let (script, inner) = (Arc::new(script), shared.clone());
        let acceptor = std::thread::spawn(move || accept(&listener, &inner, &script));
        RawServer { address, shared, acceptor: Some(acceptor) }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn root(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, in their order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log().requests.clone()
    }

    /// The paths of the requests so far, in their order.
    pub fn paths(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.path).collect()
    }

    /// The text frames so far, in their order.
    pub fn frames(&self) -> Vec<Frame> {
        self.shared.log().frames.clone()
    }

    /// The text frames so far that begin in this way.
    pub fn frames_with(&self, start: &str) -> Vec<String> {
        let frames = self.frames().into_iter().map(|frame| frame.text);
        frames.filter(|text| text.starts_with(start)).collect()
    }

    /// How many connections came.
    pub fn accepted(&self) -> usize {
        self.shared.log().accepted
    }

    /// The addresses that they came from.
    pub fn peers(&self) -> Vec<String> {
        self.shared.log().peers.iter().map(IpAddr::to_string).collect()
    }

    /// How many of them have ended.
    pub fn ended(&self) -> usize {
        self.shared.log().ended.len()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::Release);
        self.shared.changed.notify_all();
        let streams: Vec<_> = self.shared.log().streams.iter().filter_map(Weak::upgrade).collect();
        for stream in streams {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the acceptor, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept<F: Fn(&mut Peer) + Send + Sync + 'static>(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    script: &Arc<F>,
) {
    while let Ok((stream, from)) = listener.accept() {
        if shared.stops.load(Ordering::Acquire) {
            return;
        }
        let stream = Arc::new(stream);
        let mut number = 0;
        shared.change(|log| {
            log.accepted += 1;
            log.peers.push(from.ip());
            log.streams.push(Arc::downgrade(&stream));
            number = log.accepted;
        });
        let mut peer = Peer { number, stream, shared: shared.clone(), input: Vec::new(), over: false };
        let script = script.clone();
        std::thread::spawn(move || {
            script(&mut peer);
            let shared = peer.shared.clone();
            drop(peer);
            shared.change(|log| log.ended.push(number));
        });
    }
}

/// The other end of one connection. Writing to a client that is gone is no error: scripts say what a server does, and tests
/// look at what came of it. The connection closes where the script ends.
pub struct Peer {
    /// The number of the connection, counted from 1.
    pub number: usize,
    stream: Arc<TcpStream>,
    shared: Arc<Shared>,
    input: Vec<u8>,
    over: bool,
}

impl Peer {
    // Bytes.

    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = (&*self.stream).write_all(bytes.as_ref());
    }

    pub(super) fn stream(&self) -> Arc<TcpStream> {
        self.stream.clone()
    }

    /// Writes piece after piece, each in a TCP segment of its own.
    pub fn write_pieces(&mut self, bytes: &[u8], size: usize) {
        let _ = self.stream.set_nodelay(true);
        for piece in bytes.chunks(size) {
            self.write(piece);
        }
    }

    /// Reads more; false at the end.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        match (&*self.stream).read(&mut bytes) {
            Ok(count) if count > 0 => {
                self.input.extend_from_slice(&bytes[..count]);
                true
            }
            _ => {
                self.over = true;
                false
            }
        }
    }

    /// Waits until the client has sent something.
    pub fn wait_for_bytes(&mut self) {
        if self.input.is_empty() {
            self.read();
        }
    }

    /// Reads and forgets until the client closes.
    pub fn drain(&mut self) {
        while !self.over && self.read() {
            self.input.clear();
        }
    }

    /// Ends the connection with a TCP reset instead of a FIN.
    pub fn reset(&mut self) {
        let linger = libc::linger { l_onoff: 1, l_linger: 0 };
        let size = libc::socklen_t::try_from(size_of::<libc::linger>()).expect("small");
        // SAFETY: a socket that is open, and an option of the size that is given.
        let done = unsafe {
            libc::setsockopt(
                self.stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_LINGER,
                std::ptr::from_ref(&linger).cast(),
                size,
            )
        };
        assert_eq!(done, 0, "{}", io::Error::last_os_error());
    }

    /// Waits for the end of another connection, or of the server.
    pub fn wait_for_end_of(&self, connection: usize) {
        self.wait(|log| log.ended.contains(&connection));
    }

    /// Waits until so many connections were accepted.
    pub fn wait_for_connections(&self, count: usize) {
        self.wait(|log| log.accepted >= count);
    }

    /// Waits until so many requests have come in.
    pub fn wait_for_requests(&self, count: usize) {
        self.wait(|log| log.requests.len() >= count);
    }

    fn wait(&self, holds: impl Fn(&Log) -> bool) {
        let log = self.shared.log();
        let waits = |log: &mut Log| !holds(log) && !self.shared.stops.load(Ordering::Acquire);
        // Beyond this the test has long failed.
        drop(self.shared.changed.wait_timeout_while(log, 2 * PATIENCE, waits));
    }

    // HTTP.

    /// Reads and records the request.
    pub fn request(&mut self) -> Option<Request> {
        let end = loop {
            if let Some(at) = self.input.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if self.input.len() > MOST_HEAD || !self.read() {
                return None;
            }
        };
        let head: Vec<u8> = self.input.drain(..end).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let target = head.split(' ').nth(1)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let request = Request { connection: self.number, path, query, head };
        self.shared.change(|log| log.requests.push(request.clone()));
        Some(request)
    }

    /// Reads the body of a request, whose length it says; nothing where the client ends before that.
    pub fn body(&mut self, request: &Request) -> Option<Vec<u8>> {
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while self.input.len() < length {
            if !self.read() {
                return None;
            }
        }
        Some(self.input.drain(..length).collect())
    }

    /// Reads the request and answers it with a status and a body.
    pub fn refuse(&mut self, status: &str, body: &str) {
        self.request();
        self.answer(status, body);
    }

    pub fn answer(&mut self, status: &str, body: &str) {
        let length = body.len();
        self.write(format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
    }

    /// Reads the request and answers with 101.
    pub fn upgrade(&mut self) -> Option<Request> {
        let request = self.request()?;
        self.switch(&request, "");
        Some(request)
    }

    /// Answers a request with 101 and more headers.
    pub fn switch(&mut self, request: &Request, headers: &str) {
        let key = request.header("sec-websocket-key").unwrap_or_default();
        let accept = derive_accept_key(key.as_bytes());
        self.write(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
        ));
    }

    // WebSocket.

    /// Sends a text frame.
    pub fn text(&mut self, text: &str) {
        self.write(frame(TEXT, text.as_bytes()));
    }

    /// Sends a binary frame.
    pub fn binary(&mut self, data: &[u8]) {
        self.write(frame(BINARY, data));
    }

    /// Records a text as a frame that came.
    pub(super) fn record(&self, text: &str) {
        let frame = Frame { connection: self.number, text: text.into() };
        self.shared.change(|log| log.frames.push(frame));
    }

    /// Receives and records the next text frame; nothing at the end, or after a Close frame, which is answered.
    pub fn receive(&mut self) -> Option<String> {
        loop {
            let (opcode, payload) = self.next_frame()?;
            match opcode {
                TEXT => {
                    let text = String::from_utf8_lossy(&payload).into_owned();
                    self.record(&text);
                    return Some(text);
                }
                CLOSE => {
                    self.write(frame(CLOSE, &payload));
                    self.over = true;
                    return None;
                }
                _ => {}
            }
        }
    }

    /// Receives frames until the client closes.
    pub fn receive_all(&mut self) {
        while self.receive().is_some() {}
    }

    /// Receives frames up to one that begins in this way; false at the end.
    pub fn receive_until(&mut self, start: &str) -> bool {
        while let Some(text) = self.receive() {
            if text.starts_with(start) {
                return true;
            }
        }
        false
    }

    /// A frame of any kind, unmasked.
    pub fn next_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if self.over {
                return None;
            }
            if let Some((opcode, payload, used)) = parse(&self.input) {
                self.input.drain(..used);
                return Some((opcode, payload));
            }
            if !self.read() {
                return None;
            }
        }
    }

    // Socket.IO.

    /// Sends the open packet of a server of this generation.
    pub fn open(&mut self, generation: u32) {
        let packet = open_packet(generation);
        self.text(&format!("0{packet}"));
    }

    /// Answers the CONNECT as a server of this generation does; gives it as it came.
    pub fn join(&mut self, generation: u32) -> Option<String> {
        let connect = loop {
            let text = self.receive()?;
            if text.starts_with("40") {
                break text;
            }
        };
        let rest = &connect[2..];
        let namespace = match rest.starts_with('/') {
            true => rest.split([',', '?']).next().map(|name| format!("{name},")),
            false => None,
        };
        let namespace = namespace.unwrap_or_default();
        match generation {
            2 => self.text(&format!("40{namespace}")),
            _ => self.text(&format!("40{namespace}{{\"sid\":\"raw-{}\"}}", self.number)),
        }
        Some(connect)
    }

    /// Does everything up to a connected namespace.
    pub fn connect(&mut self, generation: u32) -> Option<String> {
        self.upgrade()?;
        self.open(generation);
        self.join(generation)
    }

    /// Is a good server to the end.
    pub fn behave(&mut self, generation: u32) {
        self.connect(generation);
        self.receive_all();
    }
}

/// The data of a good open packet.
pub fn open_packet(generation: u32) -> Value {
    let mut packet = json!({ "sid": "raw", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000 });
    if generation == 4 {
        packet["maxPayload"] = 1_000_000.into();
    }
    packet
}

/// A whole frame as servers send it.
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame_head(0x80 | opcode, payload.len() as u64);
    bytes.extend_from_slice(payload);
    bytes
}

/// A frame that is not the last of its message.
pub fn fragment(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame_head(opcode, payload.len() as u64);
    bytes.extend_from_slice(payload);
    bytes
}

/// A frame that is masked, as only clients may.
pub fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut bytes = frame_head(0x80 | opcode, payload.len() as u64);
    bytes[1] |= 0x80;
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The head of a frame that announces so many bytes; `first` has the flags and the opcode.
pub fn frame_head(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 126 => bytes.push(length),
        (_, Ok(length)) => {
            bytes.push(126);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    bytes
}

/// A Close frame's payload.
pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason.as_bytes()].concat()
}

/// Reads a frame: opcode, payload unmasked, bytes used. Nothing while it is not whole.
fn parse(input: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (first, second) = (*input.first()?, *input.get(1)?);
    let (length, mut at) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(input.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(input.get(2..10)?.try_into().ok()?), 10),
        short => (u64::from(short), 2),
    };
    let mask: [u8; 4] = match second & 0x80 {
        0 => [0; 4],
        _ => {
            at += 4;
            input.get(at - 4..at)?.try_into().ok()?
        }
    };
    let end = at + usize::try_from(length).ok()?;
    let payload =
        input.get(at..end)?.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Some((first & 0x0f, payload, end))
}

/// A script's pause. Never what a test asserts: it gives a client that does wrong the time to do it.
pub fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
