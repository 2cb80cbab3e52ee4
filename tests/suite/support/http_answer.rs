//! An HTTP answer as no good server gives it, byte for byte.

use std::fmt::Write;

use super::{pause, Peer};

/// How the other side is to know where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length,
    /// `Transfer-Encoding: chunked`, in chunks of this size.
    Chunks(usize),
    /// Not at all, but by the end of the connection.
    Nothing,
}

#[derive(Clone, Debug)]
pub struct HttpAnswer {
    status: String,
    headers: Vec<String>,
    body: Vec<u8>,
    framing: Framing,
    /// Pieces of this size, and a pause in milliseconds between them.
    drip: Option<(usize, u64)>,
    /// How many bytes behind the head are sent before the connection ends.
    cut: Option<usize>,
    reset: bool,
}

impl HttpAnswer {
    fn new(status: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        HttpAnswer {
            status: status.into(),
            headers: vec![format!("Content-Type: {content_type}")],
            body: body.into(),
            framing: Framing::Length,
            drip: None,
            cut: None,
            reset: false,
        }
    }

    /// 200 with a text, as good servers answer a GET.
    pub fn payload(body: impl Into<Vec<u8>>) -> Self {
        Self::new("200 OK", "text/plain; charset=UTF-8", body)
    }

    /// 200 `ok`, as good servers answer a POST.
    pub fn ok() -> Self {
        Self::new("200 OK", "text/html", "ok")
    }

    /// Another status, for example `503 Service Unavailable`.
    pub fn status(status: &str, body: &str) -> Self {
        Self::new(status, "text/plain", body)
    }

    /// 400 with a code of Engine.IO: 1 is an unknown session.
    pub fn refusal(code: u32, message: &str) -> Self {
        let body = format!("{{\"code\":{code},\"message\":\"{message}\"}}");
        Self::new("400 Bad Request", "application/json", body)
    }

    /// 200 with a page, as the login of a captive portal.
    pub fn captive_portal() -> Self {
        let page = "<!DOCTYPE html><html><head><title>Login</title></head><body><form>Free WiFi</form></body></html>";
        Self::new("200 OK", "text/html; charset=UTF-8", page)
    }

    pub fn redirect(location: &str) -> Self {
        Self::new("302 Found", "text/html", "moved").header(&format!("Location: {location}"))
    }

    /// 200 with the binary payload of revision 3, of text packets: what a server sends where `b64=1` was not asked for.
    pub fn binary_v3(packets: &[&str]) -> Self {
        let mut body = Vec::new();
        for packet in packets {
            body.push(0);
            body.extend(packet.len().to_string().bytes().map(|digit| digit - b'0'));
            body.push(0xff);
            body.extend_from_slice(packet.as_bytes());
        }
        Self::new("200 OK", "application/octet-stream", body)
    }

    pub fn header(mut self, line: &str) -> Self {
        self.headers.push(line.into());
        self
    }

    /// In chunks of this size.
    pub fn chunked(mut self, size: usize) -> Self {
        self.framing = Framing::Chunks(size);
        self
    }

    /// Without a length: the body ends with the connection.
    pub fn without_length(mut self) -> Self {
        self.framing = Framing::Nothing;
        self
    }

    /// What follows the head comes in pieces of this size, each in a TCP segment of its own, with a pause between.
    pub fn dripping(mut self, size: usize, milliseconds: u64) -> Self {
        self.drip = Some((size, milliseconds));
        self
    }

    /// The connection ends when so many bytes behind the head are sent; with 0 right behind the head.
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    /// As `cut_after`, with a TCP reset.
    pub fn reset_after(mut self, bytes: usize) -> Self {
        self.reset = true;
        self.cut_after(bytes)
    }

    /// Sends it; says whether the connection can go on.
    pub(super) fn send(&self, peer: &mut Peer) -> bool {
        let rest = self.rest();
        peer.write(self.head());
        let sent = &rest[..self.cut.unwrap_or(rest.len()).min(rest.len())];
        match self.drip {
            None => peer.write(sent),
            Some((size, milliseconds)) => sent.chunks(size).for_each(|piece| {
                peer.write_pieces(piece, size);
                pause(milliseconds);
            }),
        }
        if self.reset {
            peer.reset();
        }
        self.cut.is_none() && self.framing != Framing::Nothing
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {}\r\n", self.status);
        for header in &self.headers {
            let _ = write!(head, "{header}\r\n");
        }
        let _ = match self.framing {
            Framing::Length => write!(head, "Content-Length: {}\r\n", self.body.len()),
            Framing::Chunks(_) => write!(head, "Transfer-Encoding: chunked\r\n"),
            Framing::Nothing => write!(head, "Connection: close\r\n"),
        };
        head + "\r\n"
    }

    /// The body as it stands on the wire.
    fn rest(&self) -> Vec<u8> {
        let Framing::Chunks(size) = self.framing else { return self.body.clone() };
        let mut rest = Vec::new();
        for chunk in self.body.chunks(size) {
            rest.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            rest.extend_from_slice(chunk);
            rest.extend_from_slice(b"\r\n");
        }
        rest.extend_from_slice(b"0\r\n\r\n");
        rest
    }
}
