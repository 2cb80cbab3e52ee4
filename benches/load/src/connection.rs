//! One connection: what comes in is answered, and what was asked for is sent.

use std::{cell::Cell, io, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream, sync::watch, time::Interval};

use crate::{frames, messages::Messages, packets};

const READ: usize = 64 * 1024;

/// What all connections share.
pub struct House {
    ping_interval: u64,
    messages: Messages,
    /// How many messages every connection was to get, ever.
    to_all: watch::Sender<u64>,
    connections: Cell<u64>,
    opened: Cell<u64>,
    pongs: Cell<u64>,
}

impl House {
    pub fn new(ping_interval: u64) -> Self {
        House {
            ping_interval,
            messages: Messages::usual(),
            to_all: watch::Sender::new(0),
            connections: Cell::new(0),
            opened: Cell::new(0),
            pongs: Cell::new(0),
        }
    }

    pub fn stats(&self) -> String {
        let (connections, opened, pongs) = (&self.connections, &self.opened, &self.pongs);
        format!(
            "{{\"connections\":{},\"opened\":{},\"pongs\":{}}}",
            connections.get(),
            opened.get(),
            pongs.get()
        )
    }
}

pub struct Connection<'a> {
    house: &'a House,
    legacy: bool,
    closing: bool,
    /// The `to` events since they were asked for, and the bytes of their arguments.
    counted: u64,
    bytes: usize,
    /// What came in and is not a whole frame yet.
    buffer: Vec<u8>,
    /// What is to go out.
    out: Vec<u8>,
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.house.connections.set(self.house.connections.get() - 1);
    }
}

impl<'a> Connection<'a> {
    /// `out` is what goes out before all else.
    pub fn new(house: &'a House, legacy: bool, mut out: Vec<u8>) -> Self {
        house.connections.set(house.connections.get() + 1);
        house.opened.set(house.opened.get() + 1);
        let interval = house.ping_interval;
        let open = format!(
            "0{{\"sid\":\"load\",\"upgrades\":[],\"pingInterval\":{interval},\"pingTimeout\":20000,\"maxPayload\":100000000}}"
        );
        frames::push_text(&mut out, open.as_bytes());
        if legacy {
            frames::push_text(&mut out, b"40");
        }
        Connection { house, legacy, closing: false, counted: 0, bytes: 0, buffer: Vec::new(), out }
    }

    pub async fn run(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        let mut pings: Interval = tokio::time::interval(Duration::from_millis(self.house.ping_interval));
        pings.reset();
        let mut to_all = self.house.to_all.subscribe();
        let mut sent_to_all = *to_all.borrow();
        while !self.closing {
            self.write(stream).await?;
            tokio::select! {
                ready = stream.readable() => {
                    ready?;
                    self.read(stream).await?;
                }
                _ = pings.tick(), if !self.legacy => frames::push_text(&mut self.out, b"2"),
                _ = to_all.changed() => {
                    let total = *to_all.borrow_and_update();
                    self.house.messages.write(stream, total - sent_to_all).await?;
                    sent_to_all = total;
                }
            }
        }
        self.write(stream).await
    }

    async fn write(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(&self.out).await?;
        // 10,000 idle connections must not cost the memory of their busiest moment.
        self.out = Vec::new();
        Ok(())
    }

    async fn read(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        loop {
            self.buffer.reserve(READ);
            match stream.try_read_buf(&mut self.buffer) {
                Ok(0) => self.closing = true,
                Ok(_) => self.take_frames(stream).await?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
            if self.closing {
                break;
            }
        }
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    async fn take_frames(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut start = 0;
        while let Some(frame) = frames::next_frame(&mut buffer, start) {
            start = frame.payload.end;
            self.closing |= frame.opcode == frames::CLOSE;
            if frame.opcode == frames::TEXT {
                let text = std::str::from_utf8(&buffer[frame.payload]).map_err(io::Error::other)?;
                self.take(text, stream).await?;
            }
        }
        buffer.drain(..start);
        self.buffer = buffer;
        Ok(())
    }

    async fn take(&mut self, text: &str, stream: &mut TcpStream) -> io::Result<()> {
        match text.as_bytes().first() {
            Some(b'2') => frames::push_text(&mut self.out, b"3"),
            Some(b'3') => self.house.pongs.set(self.house.pongs.get() + 1),
            _ => {}
        }
        if let Some(rest) = text.strip_prefix("40") {
            self.connect(rest);
        }
        match packets::event(text) {
            Some(event) => self.answer(&event, stream).await,
            None => Ok(()),
        }
    }

    fn connect(&mut self, rest: &str) {
        let (namespace, _) = packets::namespace(rest);
        let name = rest.split([',', '{', '?']).next().unwrap_or_default();
        let answer = match self.legacy {
            true => format!("40{name}"),
            false => format!("40{namespace}{{\"sid\":\"load\"}}"),
        };
        frames::push_text(&mut self.out, answer.as_bytes());
    }

    async fn answer(&mut self, event: &packets::Event<'_>, stream: &mut TcpStream) -> io::Result<()> {
        match event.name {
            "to" => {
                self.counted += 1;
                self.bytes += event.arguments.len();
            }
            "count" => {
                let counted = std::mem::take(&mut self.counted);
                self.acknowledge(event, &counted.to_string());
            }
            "bytes" => {
                let bytes = std::mem::take(&mut self.bytes);
                self.acknowledge(event, &bytes.to_string());
            }
            "echo" => self.acknowledge(event, event.arguments),
            "start" => return self.start(event.arguments, stream).await,
            "all" => {
                let more = event.arguments.parse().unwrap_or(0);
                self.house.to_all.send_modify(|total: &mut u64| *total += more);
            }
            _ => {}
        }
        Ok(())
    }

    fn acknowledge(&mut self, event: &packets::Event<'_>, arguments: &str) {
        let (namespace, id) = (event.namespace, event.id);
        frames::push_text(&mut self.out, format!("43{namespace}{id}[{arguments}]").as_bytes());
    }

    async fn start(&mut self, arguments: &str, stream: &mut TcpStream) -> io::Result<()> {
        self.write(stream).await?;
        let (count, bytes) = arguments.split_once(',').unwrap_or((arguments, ""));
        let count = count.parse().unwrap_or(0);
        match bytes.parse() {
            Ok(bytes) => Messages::sized(bytes).write(stream, count).await,
            Err(_) => self.house.messages.write(stream, count).await,
        }
    }
}
