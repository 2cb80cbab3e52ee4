//! One namespace over one Engine.IO connection: handshake, CONNECT, heartbeat, packets. The generation of the server is
//! found out on the way unless the caller named it.
//!
//! How it is found out: `maxPayload` in the open packet, a ping of the server, or a CONNECT answer with a sid say
//! revision 4; an unsolicited CONNECT of the root namespace, or an answer without a sid, say revision 3. Until then
//! exactly one CONNECT goes out, in the form that both take, and no ping.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use super::{v4, v5, DecodeError, Decoded, Decoder, Extent, Kind, Parser, Transmit};
use crate::{
    engineio::{self, Beat, Handshake, Heartbeat, Packet, Revision, PING, PONG},
    secret::Secret,
};

/// A 2.x server sends the root's CONNECT by itself; a bare open of unknown revision waits so long for it before asking,
/// because a second CONNECT makes a 2.x server open two sockets.
const ROOT_CONNECT_WAIT: Duration = Duration::from_secs(1);

/// Events may come before the CONNECT; more than this of them is no server in its right mind.
const MOST_EARLY_BYTES: usize = 4 << 20;

/// What a session is made for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// With its slash.
    pub namespace: String,
    /// The query as it stands in the URL; protocol 4 also sends it in its CONNECT.
    pub query: Secret,
    /// A JSON object for the CONNECT.
    pub auth: Option<Secret>,
    /// What the connection before left.
    pub recovery: Option<Recovery>,
    /// The revision that the caller named, or that the URL had to ask for; else it is found out.
    pub revision: Option<Revision>,
    pub parser: Parser,
    /// The connection is shared: somebody else beats its heart.
    pub shared: bool,
}

/// Connection state recovery of Socket.IO 4.6 and later: a session's private id, and the last event that came in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    pub pid: String,
    pub offset: Option<String>,
}

/// An event or an acknowledgement for the namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    pub name: Cow<'a, str>,
    pub id: Option<u64>,
    /// The text of the whole array, and where the arguments stand in it.
    pub data: Cow<'a, str>,
    pub extent: Extent,
    pub attachments: Vec<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening<'a> {
    /// The namespace is connected.
    Connected {
        socket_id: String,
    },
    /// The server refused the namespace: its text or object as JSON.
    Refused {
        data: String,
    },
    /// A 2.x server reports an error in a connected namespace: its text or object as JSON.
    Error {
        data: String,
    },
    /// The server disconnected the namespace.
    Disconnected,
    /// The server closes the Engine.IO session.
    Closed,
    Event(Received<'a>),
    Ack(Received<'a>),
    /// The server's ping came, or the pong to ours, so long after it.
    Heartbeat {
        latency: Option<Duration>,
    },
}

/// Why a connection can't go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// What came is not of the protocol.
    Parse(String),
    /// The server speaks the other generation than the caller named.
    Generation(String),
    /// The server has been silent for too long.
    PingTimeout,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Parse(text) | Failure::Generation(text) => f.write_str(text),
            Failure::PingTimeout => f.write_str("the server has been silent for too long"),
        }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Failure::Parse(format!("the server sent {error}"))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// Root namespace of a server of unknown generation: waits for its `40`, asks at the time given.
    AwaitRoot(Instant),
    /// The CONNECT went out, or the server sends its own.
    AwaitAnswer,
    Connected,
    Over,
}

#[derive(Debug)]
pub struct Session {
    settings: Settings,
    handshake: Handshake,
    revision: Option<Revision>,
    heartbeat: Heartbeat,
    /// When our ping went out that is not answered yet.
    ping: Option<Instant>,
    decoder: Decoder,
    phase: Phase,
    transmit: VecDeque<Transmit>,
    /// For the connection after this one; only servers that offer it give a private id.
    recovery: Option<Recovery>,
    /// Events that came before the CONNECT was answered.
    early: VecDeque<Decoded<'static>>,
    early_bytes: usize,
}

impl Session {
    /// Starts with the data of the server's open packet already read.
    pub fn new(settings: Settings, handshake: Handshake, now: Instant) -> Self {
        let mut session = Session {
            heartbeat: Heartbeat::new(&handshake),
            revision: None,
            ping: None,
            decoder: Decoder::new(settings.parser),
            phase: Phase::AwaitAnswer,
            transmit: VecDeque::new(),
            recovery: None,
            early: VecDeque::new(),
            early_bytes: 0,
            settings,
            handshake,
        };
        let known = session.settings.revision;
        match known.or(session.handshake.max_payload.map(|_| Revision::V4)) {
            Some(revision) => session.decide(revision, now),
            None if session.settings.namespace == "/" => {
                session.phase = Phase::AwaitRoot(now + ROOT_CONNECT_WAIT);
                return session;
            }
            None => {}
        }
        session.ask();
        session
    }

    /// What is known of the server's generation.
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// What the next connection may continue.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.recovery.as_ref()
    }

    pub fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    fn decide(&mut self, revision: Revision, now: Instant) {
        if self.revision.is_none() {
            self.revision = Some(revision);
            if !self.settings.shared {
                self.heartbeat.decide(revision, now);
            }
        }
    }

    /// Sends the one CONNECT.
    fn ask(&mut self) {
        let Settings { namespace, query, auth, recovery, parser, .. } = &self.settings;
        let auth = v5::connect_data(auth.as_deref(), recovery.as_ref());
        self.transmit.extend(parser.connect(self.revision, namespace, query, auth.as_deref()));
        self.phase = Phase::AwaitAnswer;
    }

    /// The next frame to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmit.pop_front()
    }

    /// The next event that came before the CONNECT was answered, or failed.
    pub fn poll_early(&mut self) -> Option<Received<'static>> {
        let packet = self.early.pop_front()?;
        self.note_offset(&packet);
        Some(received(packet))
    }

    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::AwaitRoot(at) => Some(self.heartbeat.deadline().map_or(at, |other| at.min(other))),
            _ => self.heartbeat.deadline(),
        }
    }

    pub fn on_time(&mut self, now: Instant) -> Result<(), Failure> {
        if matches!(self.phase, Phase::AwaitRoot(at) if at <= now) {
            self.ask();
        }
        loop {
            match self.heartbeat.on_time(now) {
                Beat::Nothing => return Ok(()),
                Beat::Send(frame) => {
                    self.ping = (frame == PING).then_some(now);
                    self.beat(frame);
                }
                Beat::Dead => return Err(Failure::PingTimeout),
            }
        }
    }

    /// One that still waits is enough: a server that pings and does not read gets no pile of them.
    fn beat(&mut self, frame: &'static str) {
        if !matches!(self.transmit.back(), Some(Transmit::Text(last)) if last == frame) {
            self.transmit.push_back(Transmit::Text(frame.into()));
        }
    }

    /// Reading stops or goes on, because the caller's queue is full or has room again.
    pub fn pause(&mut self, now: Instant) {
        self.heartbeat.pause(now);
    }

    pub fn resume(&mut self, now: Instant) {
        // An answer that lay in the socket meanwhile tells nothing of the way.
        self.ping = None;
        self.heartbeat.resume(now);
    }

    /// The frame that says goodbye.
    pub fn leave(&mut self) -> Option<Transmit> {
        let joined = self.phase == Phase::Connected;
        self.phase = Phase::Over;
        joined.then(|| self.settings.parser.disconnect(self.revision, &self.settings.namespace))
    }

    /// Takes a text frame.
    pub fn on_text<'a>(&mut self, text: &'a str, now: Instant) -> Result<Option<Happening<'a>>, Failure> {
        let packet =
            engineio::decode(text).map_err(|error| Failure::Parse(format!("the server sent {error}")))?;
        self.heartbeat.on_packet(now);
        match packet {
            Packet::Message(message) => self.on_message(message, now),
            Packet::Ping(_) => {
                self.decide(Revision::V4, now);
                self.heartbeat.on_ping(now);
                if !self.settings.shared {
                    self.beat(PONG);
                }
                Ok(Some(Happening::Heartbeat { latency: None }))
            }
            Packet::Pong(_) if self.settings.shared => Ok(Some(Happening::Heartbeat { latency: None })),
            Packet::Pong(_) => {
                let latency = self.ping.take().map(|sent| now.saturating_duration_since(sent));
                Ok(latency.map(|_| Happening::Heartbeat { latency }))
            }
            Packet::Close => Ok(Some(Happening::Closed)),
            Packet::Open(_) => Err(Failure::Parse("the server sent a second open packet".into())),
            Packet::Upgrade | Packet::Noop => Ok(None),
        }
    }

    /// Takes the data of a binary packet.
    pub fn on_data(&mut self, data: &[u8], now: Instant) -> Result<Option<Happening<'static>>, Failure> {
        self.heartbeat.on_packet(now);
        match self.decoder.binary(data, self.revision)? {
            Some(packet) => self.on_packet(packet, now),
            None => Ok(None),
        }
    }

    /// Takes a binary frame of a WebSocket.
    pub fn on_binary(&mut self, frame: &[u8], now: Instant) -> Result<Option<Happening<'static>>, Failure> {
        let data = match self.revision {
            Some(Revision::V4) => frame,
            // The first answer of a server of unknown revision; a map never begins like a frame of revision 3.
            None if self.settings.parser == Parser::Msgpack => {
                engineio::v3::decode_binary(frame).unwrap_or(frame)
            }
            _ => engineio::v3::decode_binary(frame).ok_or_else(|| {
                Failure::Parse("the server sent a binary frame that is no message packet".into())
            })?,
        };
        self.on_data(data, now)
    }

    fn on_message<'a>(&mut self, text: &'a str, now: Instant) -> Result<Option<Happening<'a>>, Failure> {
        match self.decoder.text(text, self.revision)? {
            // The msgpack parser of later servers writes no text.
            Some(_) if self.settings.parser == Parser::Msgpack && self.revision == Some(Revision::V4) => {
                Err(generation_mismatch(self.settings.revision))
            }
            Some(packet) => self.on_packet(packet, now),
            None => Ok(None),
        }
    }

    fn keep_early(&mut self, packet: Decoded<'_>) -> Result<(), Failure> {
        // Each costs also what it is kept in: a flood of the smallest is one too.
        self.early_bytes += size_of::<Decoded<'_>>()
            + packet.data.len()
            + packet.attachments.iter().map(Vec::len).sum::<usize>();
        if self.early_bytes > MOST_EARLY_BYTES {
            return Err(Failure::Parse("the server sent megabytes of events before its CONNECT".into()));
        }
        self.early.push_back(packet.into_owned());
        Ok(())
    }

    fn on_packet<'a>(&mut self, packet: Decoded<'a>, now: Instant) -> Result<Option<Happening<'a>>, Failure> {
        let ours = packet.namespace == self.settings.namespace;
        match packet.kind {
            Kind::Connect => self.on_connect(ours, &packet, now),
            Kind::Error => Ok(self.on_error(ours, packet)),
            Kind::Disconnect if ours => {
                self.phase = Phase::Over;
                Ok(Some(Happening::Disconnected))
            }
            Kind::Event | Kind::BinaryEvent if ours && self.waits_for_connect() => {
                self.keep_early(packet)?;
                Ok(None)
            }
            // A packet of a namespace that was never joined, or after the end, is no concern of ours.
            _ if !ours || self.phase != Phase::Connected => Ok(None),
            Kind::Event | Kind::BinaryEvent => {
                self.note_offset(&packet);
                Ok(Some(Happening::Event(received(packet))))
            }
            Kind::Ack | Kind::BinaryAck => Ok(Some(Happening::Ack(received(packet)))),
            Kind::Disconnect => Ok(None),
        }
    }

    fn waits_for_connect(&self) -> bool {
        matches!(self.phase, Phase::AwaitRoot(_) | Phase::AwaitAnswer)
    }

    fn on_connect(
        &mut self,
        ours: bool,
        packet: &Decoded<'_>,
        now: Instant,
    ) -> Result<Option<Happening<'static>>, Failure> {
        let answer = v5::connect_answer(&packet.data);
        let revision = if answer.is_some() { Revision::V4 } else { Revision::V3 };
        let was_unknown = self.revision.is_none();
        self.decide(revision, now);
        if !ours {
            if was_unknown && revision == Revision::V3 && self.settings.parser == Parser::Msgpack {
                // A 2.x server took no notice of the CONNECT: to it, that was a packet of no type it knows.
                self.ask();
            }
            return Ok(None);
        }
        if !self.waits_for_connect() {
            return Ok(None);
        }
        let (socket_id, pid) = match (answer, self.revision) {
            (Some(answer), _) => answer,
            (None, Some(Revision::V4)) => return Err(generation_mismatch(self.settings.revision)),
            (None, _) => (v4::socket_id(&self.settings.namespace, &self.handshake.sid), None),
        };
        self.phase = Phase::Connected;
        // A session that goes on keeps the offset that it had.
        let before = self.settings.recovery.take().filter(|before| pid.as_ref() == Some(&before.pid));
        self.recovery = before.or(pid.map(|pid| Recovery { pid, offset: None }));
        Ok(Some(Happening::Connected { socket_id }))
    }

    /// Where the session can be recovered, the last argument of an event is its offset.
    fn note_offset(&mut self, packet: &Decoded<'_>) {
        let Some(recovery) = &mut self.recovery else { return };
        if let Some(offset) = v5::last_string(&packet.data).filter(|_| packet.extent.first.is_some()) {
            recovery.offset = Some(offset.to_owned());
        }
    }

    /// An ERROR on the root of a 2.x server reaches every namespace.
    fn on_error(&mut self, ours: bool, packet: Decoded<'_>) -> Option<Happening<'static>> {
        let for_all = packet.namespace == "/" && self.revision != Some(Revision::V4);
        if !(ours || for_all) {
            return None;
        }
        let data = packet.data.into_owned();
        match self.phase {
            Phase::Over => None,
            Phase::Connected => Some(Happening::Error { data }),
            Phase::AwaitRoot(_) | Phase::AwaitAnswer => {
                self.phase = Phase::Over;
                Some(Happening::Refused { data })
            }
        }
    }
}

fn received(packet: Decoded<'_>) -> Received<'_> {
    Received {
        name: packet.name,
        id: packet.id,
        data: packet.data,
        extent: packet.extent,
        attachments: packet.attachments,
    }
}

/// The CONNECT answer is of 2.x, though revision 4 was named by the caller or by `maxPayload`.
fn generation_mismatch(named: Option<Revision>) -> Failure {
    Failure::Generation(match named {
        Some(_) => {
            "the server speaks Socket.IO 2.x, but the option \"protocol\" says 4; \"auto\" takes both".into()
        }
        None => "the server's open packet says Socket.IO 4, its CONNECT answer 2.x".into(),
    })
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
