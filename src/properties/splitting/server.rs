//! A server's side of one session, byte by byte.

use std::ops::Range;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::yield_now,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::engineio::{v3, v4, Frame, Revision};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const PING: u8 = 9;
const LAST: u8 = 0x80;
/// The answer to the opening handshake is taken for an attack where it comes in so many small pieces.
const MOST_PIECES: usize = 64;

/// How what is said comes.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Where the bytes are cut, in 65,536ths.
    pub cuts: Vec<u16>,
    /// Where a message is cut into fragments, a list of frames into bodies, a body into chunks.
    pub parts: Vec<u16>,
    pub chunked: bool,
    /// Bodies have the binary form, where the revision has one.
    pub binary: bool,
}

impl Wire {
    pub fn whole() -> Self {
        Wire { cuts: Vec::new(), parts: Vec::new(), chunked: false, binary: false }
    }

    pub fn single_bytes() -> Self {
        let every: Vec<u16> = (0..=u16::MAX).step_by(8).collect();
        Wire { cuts: every.clone(), parts: every, chunked: true, binary: true }
    }

    /// Takes one connection, makes a WebSocket of it and says all frames.
    pub async fn speak_websocket(&self, listener: &TcpListener, revision: Revision, frames: &[Frame]) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_head(&mut stream).await.expect("a request");
        let key = request.lines().find_map(|line| {
            line.to_ascii_lowercase().starts_with("sec-websocket-key:").then(|| line[18..].trim())
        });
        let accept = derive_accept_key(key.expect("a key").as_bytes());
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        let mut bytes = head.into_bytes();
        if self.cuts.len() >= MOST_PIECES {
            write(&mut stream, &std::mem::take(&mut bytes), &[]).await;
        }
        for frame in frames {
            match (frame, revision) {
                (Frame::Text(text), _) => self.message(&mut bytes, TEXT, text.as_bytes()),
                (Frame::Binary(data), Revision::V3) => {
                    self.message(&mut bytes, BINARY, &v3::encode_binary(data))
                }
                (Frame::Binary(data), Revision::V4) => self.message(&mut bytes, BINARY, data),
            }
        }
        write(&mut stream, &bytes, &self.cuts).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }

    /// A message in fragments, a ping between them.
    fn message(&self, bytes: &mut Vec<u8>, kind: u8, message: &[u8]) {
        let parts = pieces(&self.parts, message.len());
        let last = parts.len() - 1;
        for (at, part) in parts.into_iter().enumerate() {
            let kind = if at == 0 { kind } else { 0 };
            push_frame(bytes, kind | if at == last { LAST } else { 0 }, &message[part]);
            if at < last && at % 2 == 0 {
                push_frame(bytes, PING | LAST, b"?");
            }
        }
    }

    /// Answers one GET after the other, until all frames are said.
    pub async fn answer_polls(&self, listener: &TcpListener, revision: Revision, frames: &[Frame]) {
        let (mut stream, _) = listener.accept().await.unwrap();
        // What opens a session comes alone.
        let rest = pieces(&self.parts, frames.len() - 1).into_iter();
        let rest = rest.map(|part| part.start + 1..part.end + 1);
        for part in std::iter::once(0..1).chain(rest).filter(|part| !part.is_empty()) {
            while read_head(&mut stream).await.is_none() {
                stream = listener.accept().await.unwrap().0;
            }
            write(&mut stream, &self.answer(revision, &frames[part]), &self.cuts).await;
        }
    }

    fn answer(&self, revision: Revision, frames: &[Frame]) -> Vec<u8> {
        let binary = self.binary && revision == Revision::V3;
        let body = match revision {
            Revision::V3 if binary => binary_payload(frames),
            Revision::V3 => v3::encode_payload(frames).into_bytes(),
            Revision::V4 => v4::encode_payload(frames).into_bytes(),
        };
        let kind = if binary { "application/octet-stream" } else { "text/plain; charset=UTF-8" };
        let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n").into_bytes();
        if !self.chunked {
            bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes().chain(body));
            return bytes;
        }
        bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
        for part in pieces(&self.parts, body.len()).into_iter().filter(|part| !part.is_empty()) {
            bytes.extend(format!("{:x}\r\n", part.len()).bytes());
            bytes.extend(body[part].iter().chain(b"\r\n"));
        }
        bytes.extend(b"0\r\n\r\n");
        bytes
    }
}

/// Each piece is there to be read before the next is written.
async fn write(stream: &mut TcpStream, bytes: &[u8], cuts: &[u16]) {
    stream.set_nodelay(true).unwrap();
    for piece in pieces(cuts, bytes.len()) {
        // A client that has heard enough is gone.
        if stream.write_all(&bytes[piece]).await.is_err() {
            return;
        }
        // The first lets the runtime see that something came, the second the client read it.
        yield_now().await;
        yield_now().await;
    }
}

/// Up to the empty line; none where the client closed instead.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let count = stream.read_buf(&mut head).await.unwrap_or(0);
        if count == 0 {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

/// So many things cut at these places: at least one piece, some perhaps empty.
fn pieces(cuts: &[u16], len: usize) -> Vec<Range<usize>> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| (usize::from(*cut) * (len + 1)) >> 16).collect();
    places.push(len);
    places.sort_unstable();
    places.dedup();
    let starts = std::iter::once(0).chain(places.clone());
    starts.zip(places).map(|(start, end)| start..end).collect()
}

/// An unmasked frame, as servers send them.
fn push_frame(bytes: &mut Vec<u8>, head: u8, data: &[u8]) {
    bytes.push(head);
    match data.len() {
        short @ 0..126 => bytes.push(u8::try_from(short).unwrap()),
        long => {
            bytes.push(126);
            bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    bytes.extend(data);
}

/// The form of revision 3 that nobody asked for: `00` or `01`, the length's digits, `ff`, the packet.
fn binary_payload(frames: &[Frame]) -> Vec<u8> {
    let mut body = Vec::new();
    for frame in frames {
        let (kind, packet) = match frame {
            Frame::Text(text) => (0, text.clone().into_bytes()),
            Frame::Binary(data) => (1, v3::encode_binary(data)),
        };
        body.push(kind);
        body.extend(packet.len().to_string().bytes().map(|digit| digit - b'0'));
        body.push(0xff);
        body.extend(packet);
    }
    body
}
