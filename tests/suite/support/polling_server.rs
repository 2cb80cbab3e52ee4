//! A long-polling server whose every answer may be scripted: good by itself, hostile where a script says so. It has one
//! session at a time; a new one takes the place of the old, whose requests get Engine.IO's code 1.

use std::{
    collections::{HashMap, VecDeque},
    ops::{Deref, DerefMut},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{engine::general_purpose::STANDARD, Engine};
use serde_json::Value;

use super::{open_packet, HttpAnswer, Peer, RawServer, Request, PATIENCE};

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnKind {
    /// A GET without a session: the handshake.
    Open,
    /// A GET that waits for packets.
    Poll,
    /// Packets of the client.
    Post,
    /// An upgrade to WebSocket.
    Upgrade,
    Other,
}

const KINDS: usize = TurnKind::Other as usize + 1;

#[derive(Default)]
struct State {
    /// Packets for the client: text, or `b` and base64 in the form of the revision.
    outgoing: VecDeque<String>,
    /// The number of the session, counted from 1.
    session: usize,
    over: bool,
    /// By kind: how many came.
    came: [usize; KINDS],
    /// By kind and session: how many are being answered. The goodbye of a session may cross the begin of the next.
    now: HashMap<(usize, String), usize>,
    /// By kind: how many at most were so at the same time in one session.
    most: [usize; KINDS],
    bodies: Vec<Vec<u8>>,
    stops: bool,
}

struct Session {
    generation: u32,
    state: Mutex<State>,
    changed: Condvar,
}

impl Session {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.changed.notify_all();
        changed
    }

    /// Packets as the body of an answer.
    fn payload(&self, packets: &[String]) -> String {
        match self.generation {
            2 => packets.iter().map(|packet| format!("{}:{packet}", packet.encode_utf16().count())).collect(),
            _ => packets.join("\u{1e}"),
        }
    }

    /// The packets of a request's body.
    fn packets(&self, body: &str) -> Vec<String> {
        if self.generation != 2 {
            return body.split('\u{1e}').map(Into::into).collect();
        }
        let mut units: VecDeque<u16> = body.encode_utf16().collect();
        let mut packets = Vec::new();
        while let Some(colon) = units.iter().position(|unit| *unit == u16::from(b':')) {
            let digits = String::from_utf16_lossy(&units.drain(..=colon).collect::<Vec<_>>());
            let length: usize = digits.trim_end_matches(':').parse().unwrap_or(0);
            let packet: Vec<u16> = units.drain(..length.min(units.len())).collect();
            packets.push(String::from_utf16_lossy(&packet));
        }
        packets
    }
}

pub struct PollingServer {
    raw: RawServer,
    session: Arc<Session>,
}

/// Requests, packets (as frames) and connections are those of the raw server.
impl Deref for PollingServer {
    type Target = RawServer;

    fn deref(&self) -> &RawServer {
        &self.raw
    }
}

impl PollingServer {
    /// A good server of this generation.
    pub fn good(generation: u32) -> Self {
        Self::start(generation, |turn| turn.behave())
    }

    /// A server of this generation that does as the script says for every request. `Turn::behave` is what a good one does.
    pub fn start(generation: u32, script: impl Fn(&mut Turn<'_>) + Send + Sync + 'static) -> Self {
        let session = Arc::new(Session { generation, state: Mutex::default(), changed: Condvar::new() });
        let inner = session.clone();
        let raw = RawServer::start(move |peer| serve(peer, &inner, &script));
        PollingServer { raw, session }
    }

    /// Sends a packet, for example `42/room,["a"]`.
    pub fn push(&self, packet: &str) {
        self.session.change(|state| state.outgoing.push_back(packet.into()));
    }

    /// Sends a binary packet.
    pub fn push_binary(&self, data: &[u8]) {
        let four = if self.session.generation == 2 { "4" } else { "" };
        self.push(&format!("b{four}{}", STANDARD.encode(data)));
    }

    /// How many requests of a kind came.
    pub fn came(&self, kind: TurnKind) -> usize {
        self.session.state().came[kind as usize]
    }

    /// How many requests of a kind were unanswered at the same time in one session, at most.
    pub fn most_at_once(&self, kind: TurnKind) -> usize {
        self.session.state().most[kind as usize]
    }

    /// The bodies of the POSTs so far.
    pub fn bodies(&self) -> Vec<String> {
        let state = self.session.state();
        state.bodies.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
    }
}

impl Drop for PollingServer {
    fn drop(&mut self) {
        self.session.change(|state| state.stops = true);
    }
}

fn serve(peer: &mut Peer, session: &Session, script: &impl Fn(&mut Turn<'_>)) {
    while let Some(request) = peer.request() {
        let Some(body) = peer.body(&request) else { return };
        let kind = kind_of(&request);
        let nth = session.change(|state| state.begin(kind, &request, &body));
        let ends = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let mut turn = Turn { kind, nth, request, body, session, peer, goes_on: true, waits: true };
        script(&mut turn);
        turn.no_longer_waits();
        let goes_on = turn.goes_on && !ends;
        if !goes_on {
            return;
        }
    }
}

impl State {
    fn begin(&mut self, kind: TurnKind, request: &Request, body: &[u8]) -> usize {
        let at = kind as usize;
        self.came[at] += 1;
        let now = self.now.entry((at, sid(request).to_owned())).or_default();
        *now += 1;
        self.most[at] = self.most[at].max(*now);
        if kind == TurnKind::Post {
            self.bodies.push(body.to_vec());
        }
        self.came[at]
    }
}

/// The session that a request is for; empty where it is for none.
fn sid(request: &Request) -> &str {
    request.query.split('&').find_map(|pair| pair.strip_prefix("sid=")).unwrap_or_default()
}

fn kind_of(request: &Request) -> TurnKind {
    let method = request.head.split(' ').next().unwrap_or_default();
    let asks = |parameter: &str| request.query.split('&').any(|pair| pair.starts_with(parameter));
    match method {
        "GET" if asks("transport=websocket") => TurnKind::Upgrade,
        "GET" if asks("sid=") => TurnKind::Poll,
        "GET" if asks("transport=polling") => TurnKind::Open,
        "POST" if asks("sid=") => TurnKind::Post,
        _ => TurnKind::Other,
    }
}

/// One request that waits for its answer.
pub struct Turn<'a> {
    pub kind: TurnKind,
    /// Which of its kind it is, counted from 1.
    pub nth: usize,
    pub request: Request,
    pub body: Vec<u8>,
    session: &'a Session,
    peer: &'a mut Peer,
    goes_on: bool,
    waits: bool,
}

/// Bytes may be written by hand as to any raw peer.
impl Deref for Turn<'_> {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        self.peer
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut Peer {
        self.peer
    }
}

impl Turn<'_> {
    pub fn answer(&mut self, answer: &HttpAnswer) {
        // Before the client can have the answer, and ask again.
        self.no_longer_waits();
        self.goes_on = answer.send(self.peer);
    }

    fn no_longer_waits(&mut self) {
        if std::mem::take(&mut self.waits) {
            let key = (self.kind as usize, sid(&self.request).to_owned());
            self.session.change(|state| *state.now.entry(key).or_default() -= 1);
        }
    }

    /// Ends the connection where the script ends.
    pub fn hang_up(&mut self) {
        self.goes_on = false;
    }

    /// Answers as a good server does, which takes no WebSocket.
    pub fn behave(&mut self) {
        let answer = match self.kind {
            TurnKind::Open => return self.open_with(&Value::Null),
            TurnKind::Poll | TurnKind::Post if !self.is_of_this_session() => {
                HttpAnswer::refusal(1, "Session ID unknown")
            }
            TurnKind::Poll => self.poll(),
            TurnKind::Post => self.post(),
            TurnKind::Upgrade => HttpAnswer::refusal(0, "Transport unknown"),
            TurnKind::Other => HttpAnswer::status("404 Not Found", ""),
        };
        self.answer(&answer);
    }

    fn is_of_this_session(&self) -> bool {
        let state = self.session.state();
        !state.over && sid(&self.request) == format!("polling-{}", state.session)
    }

    /// Sends a packet to the client by the poll that waits, or by the next.
    pub fn push(&self, packet: &str) {
        self.session.change(|state| state.outgoing.push_back(packet.into()));
    }

    /// Takes a request for an upgrade: from here on the script speaks WebSocket, and the connection ends with it.
    pub fn switch(&mut self) {
        self.peer.switch(&self.request, "");
        self.hang_up();
    }

    /// Answers a handshake as a good server does, with other members of the open packet, for example
    /// `{"upgrades":["websocket"],"maxPayload":100}`.
    pub fn open_with(&mut self, members: &Value) {
        let payload = self.open_payload(members);
        self.answer(&HttpAnswer::payload(payload));
    }

    /// The body of a good answer to a handshake, which opens a session.
    pub fn open_payload(&mut self, members: &Value) -> String {
        let number = self.session.change(|state| {
            (state.session, state.over) = (state.session + 1, false);
            state.outgoing.clear();
            state.session
        });
        let mut packet = open_packet(self.session.generation);
        packet["sid"] = format!("polling-{number}").into();
        for (name, value) in members.as_object().into_iter().flatten() {
            packet[name] = value.clone();
        }
        let mut packets = vec![format!("0{packet}")];
        if self.session.generation == 2 {
            packets.push("40".into());
        }
        self.session.payload(&packets)
    }

    /// Waits for packets. A session that ends meanwhile answers with a noop.
    fn poll(&mut self) -> HttpAnswer {
        let session = self.session.state().session;
        let waits = |state: &mut State| {
            state.outgoing.is_empty() && !state.over && !state.stops && state.session == session
        };
        let limit: Duration = 2 * PATIENCE;
        let (mut state, _) = self
            .session
            .changed
            .wait_timeout_while(self.session.state(), limit, waits)
            .unwrap_or_else(PoisonError::into_inner);
        let packets: Vec<String> = match state.session == session {
            true => state.outgoing.drain(..).collect(),
            false => Vec::new(),
        };
        drop(state);
        match packets.is_empty() {
            true => HttpAnswer::payload(self.session.payload(&["6".into()])),
            false => HttpAnswer::payload(self.session.payload(&packets)),
        }
    }

    fn post(&mut self) -> HttpAnswer {
        let body = String::from_utf8_lossy(&self.body).into_owned();
        for packet in self.session.packets(&body) {
            self.peer.record(&packet);
            self.take(&packet);
        }
        HttpAnswer::ok()
    }

    /// What a good server does with a packet: joins the namespace, answers a ping, ends.
    fn take(&self, packet: &str) {
        let reply = match packet {
            "1" => {
                self.session.change(|state| state.over = true);
                return;
            }
            "2" if self.session.generation == 2 => "3".to_owned(),
            _ => match packet.strip_prefix("40") {
                Some(rest) => self.joined(rest),
                None => return,
            },
        };
        self.session.change(|state| state.outgoing.push_back(reply));
    }

    fn joined(&self, rest: &str) -> String {
        let namespace = match rest.starts_with('/') {
            true => rest.split([',', '?']).next().map(|name| format!("{name},")).unwrap_or_default(),
            false => String::new(),
        };
        match self.session.generation {
            2 => format!("40{namespace}"),
            _ => format!("40{namespace}{{\"sid\":\"socket-{}\"}}", self.session.state().session),
        }
    }
}
