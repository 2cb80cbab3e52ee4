//! The task of a shared connection: reads for all, writes for all, and beats the heart.

use std::{
    future::{poll_fn, Future},
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::{sleep_until, timeout, Sleep};

use super::engine::{Engine, State};
use crate::{
    engineio::{self, Beat, Handshake, Heartbeat, Revision, PONG},
    socketio::{connect_answer_has_sid, Kind, Packet, Parser, Transmit},
    transport::{fairness, Frame, LossKind, Lost, Socket},
};

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(250);
/// Without a deadline the timer is set so far ahead.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Runs until the last member has gone, or the connection is lost.
pub async fn run(engine: Arc<Engine>, socket: Socket, handshake: Handshake) {
    let mut task = Task::new(engine, socket, &handshake);
    let lost = task.drive().await;
    let polite = lost.is_none();
    // From here on nobody joins.
    task.engine.end(lost.unwrap_or_else(|| closed("every member has gone")));
    if polite {
        // A server that does not listen any more misses nothing.
        let _ = timeout(GOODBYE, task.part()).await;
    }
}

struct Task {
    engine: Arc<Engine>,
    socket: Socket,
    heartbeat: Heartbeat,
    timer: Pin<Box<Sleep>>,
    /// The namespace whose attachments are due, the number of its place, and how many they are.
    expecting: Option<(String, u64, usize)>,
    /// Goes out once the socket has room: a server that pings and does not read gets no pile of them.
    beat: Option<&'static str>,
    /// Something was handed to the socket and not flushed yet.
    unflushed: bool,
    paused: bool,
}

enum Turn {
    Frame(Frame),
    Time,
    Woken,
}

impl Drop for Task {
    /// However it ends (its runtime may, before it): nobody may join or wait for what nobody drives.
    fn drop(&mut self) {
        self.engine.end(closed("nobody drives the shared connection any more"));
        self.engine.ended.notify_waiters();
    }
}

impl Task {
    fn new(engine: Arc<Engine>, socket: Socket, handshake: &Handshake) -> Self {
        let now = Instant::now();
        let mut task = Task {
            heartbeat: Heartbeat::new(handshake),
            timer: Box::pin(sleep_until((now + NEVER).into())),
            expecting: None,
            beat: None,
            unflushed: false,
            paused: false,
            socket,
            engine,
        };
        let known = task.engine.lock().revision.or(handshake.max_payload.map(|_| Revision::V4));
        if let Some(revision) = known {
            task.decide(revision, now);
        }
        task
    }

    /// None: the last member has gone.
    async fn drive(&mut self) -> Option<Lost> {
        loop {
            let turn = match self.next().await {
                Ok(turn) => turn,
                Err(lost) => return Some(lost),
            };
            let done = match turn {
                Turn::Frame(frame) => self.take(frame),
                Turn::Time => self.on_time(),
                Turn::Woken => Ok(()),
            };
            if let Err(lost) = done {
                return Some(lost);
            }
            if self.is_done() {
                return self.engine.lock().over.clone();
            }
        }
    }

    /// The connection was condemned, or the last member has gone.
    fn is_done(&self) -> bool {
        let state = self.engine.lock();
        state.over.is_some() || state.is_deserted()
    }

    /// Writes what the members have left, and says goodbye.
    async fn part(&mut self) -> Result<(), Lost> {
        // Nobody reads any more, so nothing may wait for an upgrade.
        self.socket.set_paused(true);
        poll_fn(|cx| {
            self.write(cx)?;
            let rest = self.unflushed || !self.engine.lock().out.is_empty();
            if rest {
                Poll::Pending
            } else {
                Poll::Ready(Ok::<(), Lost>(()))
            }
        })
        .await?;
        self.socket.close().await;
        Ok(())
    }

    fn decide(&mut self, revision: Revision, now: Instant) {
        self.heartbeat.decide(revision, now);
        self.engine.lock().revision = Some(revision);
    }

    fn on_time(&mut self) -> Result<(), Lost> {
        match self.heartbeat.on_time(Instant::now()) {
            Beat::Nothing => Ok(()),
            Beat::Send(frame) => {
                self.beat = Some(frame);
                Ok(())
            }
            Beat::Dead => {
                let description = "the server has been silent for too long".into();
                Err(Lost { kind: LossKind::Silent, description })
            }
        }
    }

    async fn next(&mut self) -> Result<Turn, Lost> {
        let engine = self.engine.clone();
        let woken = engine.wake.notified();
        tokio::pin!(woken);
        poll_fn(|cx| self.poll(cx, woken.as_mut())).await
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        woken: Pin<&mut impl Future<Output = ()>>,
    ) -> Poll<Result<Turn, Lost>> {
        self.write(cx)?;
        if self.is_done() {
            return Poll::Ready(Ok(Turn::Woken));
        }
        self.pause_or_resume();
        if !self.paused {
            let next = self.socket.poll_next(cx);
            self.note_transport();
            if let Poll::Ready(frame) = next {
                return Poll::Ready(frame.map(Turn::Frame));
            }
        }
        if let Some(at) = self.heartbeat.deadline() {
            if self.timer.deadline() != at.into() {
                self.timer.as_mut().reset(at.into());
            }
            if fairness::poll_timer(self.timer.as_mut(), cx).is_ready() {
                return Poll::Ready(Ok(Turn::Time));
            }
        }
        ready!(woken.poll(cx));
        Poll::Ready(Ok(Turn::Woken))
    }

    /// One member that does not read stops reading for all.
    fn pause_or_resume(&mut self) {
        let full = self.engine.lock().members().any(|inbox| inbox.is_full());
        if full != self.paused {
            self.paused = full;
            self.engine.lock().paused = full;
            self.socket.set_paused(full);
            match full {
                true => self.heartbeat.pause(Instant::now()),
                false => self.heartbeat.resume(Instant::now()),
            }
        }
    }

    /// Members are told when the transport changes by being woken.
    fn note_transport(&mut self) {
        let transport = self.socket.transport();
        let mut state = self.engine.lock();
        if state.transport.replace(transport) != Some(transport) {
            state.wake_members();
            self.unflushed = true;
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Lost> {
        loop {
            if self.unflushed {
                match self.socket.poll_flush(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(done) => done?,
                }
                self.unflushed = false;
                let mut state = self.engine.lock();
                state.written = state.handed - state.out.len() as u64;
                state.wake_members();
            }
            if !self.fill(cx)? {
                return Ok(());
            }
        }
    }

    /// Hands frames to the socket; says whether there were any.
    fn fill(&mut self, cx: &mut Context<'_>) -> Result<bool, Lost> {
        let revision = self.engine.lock().revision.unwrap_or(Revision::V4);
        if std::mem::take(&mut self.engine.lock().check_wanted) {
            self.unflushed = true;
            self.socket.send_check(revision)?;
        }
        loop {
            match self.socket.poll_ready(cx) {
                Poll::Pending => break,
                Poll::Ready(ready) => ready?,
            }
            if let Some(beat) = self.beat.take() {
                self.unflushed = true;
                self.socket.send_text(beat.into())?;
                continue;
            }
            let Some(frame) = take_frame(&mut self.engine.lock()) else { break };
            self.unflushed = true;
            match frame {
                Transmit::Text(text) => self.socket.send_text(text.into_owned())?,
                Transmit::Secret(text) => self.socket.send_secret(text)?,
                Transmit::Data(data) => self.socket.send_binary(data, revision)?,
            }
        }
        Ok(self.unflushed)
    }

    fn take(&mut self, frame: Frame) -> Result<(), Lost> {
        let now = Instant::now();
        self.heartbeat.on_packet(now);
        self.engine.lock().heard = Some(now);
        match &frame {
            Frame::Alive => {
                self.tell_all(&frame);
                Ok(())
            }
            Frame::Binary(_) | Frame::Data(_) => self.take_attachment(frame),
            Frame::Text(text) => match engineio::decode(text) {
                Ok(engineio::Packet::Ping(_)) => {
                    if self.engine.lock().revision.is_none() {
                        self.decide(Revision::V4, now);
                    }
                    self.heartbeat.on_ping(now);
                    self.tell_all(&frame);
                    self.beat = Some(PONG);
                    Ok(())
                }
                Ok(engineio::Packet::Pong(_)) => {
                    self.tell_all(&frame);
                    Ok(())
                }
                Ok(engineio::Packet::Message(_)) => self.take_packet(frame, now),
                Ok(engineio::Packet::Close) => Err(closed("the server sent an Engine.IO close packet")),
                Ok(engineio::Packet::Open(_)) => Err(garbled("the server sent a second open packet")),
                Ok(_) => Ok(()),
                Err(error) => Err(garbled(&format!("the server sent {error}"))),
            },
        }
    }

    /// Signs of life and heartbeats are everybody's.
    fn tell_all(&self, frame: &Frame) {
        self.engine.lock().members().for_each(|inbox| inbox.push(frame.clone()));
    }

    fn take_attachment(&mut self, frame: Frame) -> Result<(), Lost> {
        let Some((namespace, number, due)) = &mut self.expecting else {
            return Err(garbled("the server sent an attachment that no packet announced"));
        };
        *due -= 1;
        {
            let mut state = self.engine.lock();
            // Whoever has the namespace by now did not get the packet that they belong to.
            if state.places.get(namespace).is_some_and(|place| place.number == *number) {
                deliver(&mut state, namespace, frame);
            }
        }
        if *due == 0 {
            self.expecting = None;
        }
        Ok(())
    }

    /// Finds out whose packet it is; its member reads it.
    fn take_packet(&mut self, frame: Frame, now: Instant) -> Result<(), Lost> {
        let Frame::Text(text) = &frame else { return Ok(()) };
        let packet =
            Packet::split(&text[1..]).map_err(|error| garbled(&format!("the server sent {error}")))?;
        let namespace = packet.namespace.to_owned();
        if packet.attachments > 0 {
            let state = self.engine.lock();
            // Its member does not get the attachments of a packet that it does not get.
            let strict = state.revision == Some(Revision::V4);
            let place = state.places.get(&namespace).filter(|place| place.joined || !strict);
            self.expecting =
                Some((namespace.clone(), place.map_or(0, |place| place.number), packet.attachments));
        }
        let decided = self.engine.lock().revision;
        if packet.kind == Kind::Connect && decided.is_none() {
            let has_sid = connect_answer_has_sid(packet.data);
            self.decide(if has_sid { Revision::V4 } else { Revision::V3 }, now);
        }
        let (kind, mut state) = (packet.kind, self.engine.lock());
        let unasked_root = kind == Kind::Connect && namespace == "/" && state.revision == Some(Revision::V3);
        // An error on the root of a 2.x server reaches every namespace too.
        let for_all =
            unasked_root || (kind == Kind::Error && namespace == "/" && state.revision != Some(Revision::V4));
        if unasked_root {
            state.root = Some(frame.clone());
        }
        let strict = state.revision == Some(Revision::V4);
        if let Some(place) = state.places.get_mut(&namespace) {
            match kind {
                Kind::Connect => (place.asked, place.joined) = (false, true),
                Kind::Error => place.asked = false,
                // To whoever had the namespace before: this one's CONNECT is not answered yet.
                _ if strict && !place.joined => return Ok(()),
                Kind::Disconnect => {
                    (place.joined, place.ended) = (false, true);
                    state.drop_waiting(&namespace);
                }
                _ => {}
            }
        }
        match for_all {
            true => state.members().for_each(|inbox| inbox.push(frame.clone())),
            false => deliver(&mut state, &namespace, frame),
        }
        Ok(())
    }
}

/// The next frame for the socket: what members handed over, then goodbyes for those who went without one.
fn take_frame(state: &mut State) -> Option<Transmit> {
    if let Some((_, frame)) = state.out.pop_front() {
        state.out_bytes -= frame.len();
        return Some(frame);
    }
    let gone = state.places.iter().find(|(_, place)| place.member.is_none() && place.joined);
    let goodbye = gone.map(|(namespace, _)| (namespace.clone(), Parser::Default.disconnect(None, namespace)));
    if let Some((namespace, _)) = &goodbye {
        if let Some(place) = state.places.get_mut(namespace) {
            place.joined = false;
        }
    }
    // What the server does not know any more may be joined anew.
    let free: Vec<String> =
        state.places.keys().filter(|namespace| state.is_free(namespace)).cloned().collect();
    free.iter().for_each(|namespace| drop(state.places.remove(namespace)));
    goodbye.map(|(_, frame)| frame)
}

fn deliver(state: &mut State, namespace: &str, frame: Frame) {
    // A packet for a namespace that nobody has here any more is no concern of ours.
    if let Some(inbox) = state.places.get_mut(namespace).and_then(|place| place.member.as_mut()) {
        inbox.push(frame);
    }
}

fn closed(description: &str) -> Lost {
    Lost { kind: LossKind::Closed, description: description.into() }
}

fn garbled(description: &str) -> Lost {
    Lost { kind: LossKind::Garbled, description: description.into() }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::{
        tungstenite::{
            protocol::{Role, WebSocketConfig},
            Message,
        },
        WebSocketStream,
    };

    use super::*;
    use crate::transport::{Stream, WebSocket};

    /// The task of a connection that nobody drives, and its server's end.
    async fn pair() -> (Task, WebSocketStream<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let theirs = listener.accept().await.unwrap().0;
        let ours = WebSocket::new(Stream::plain(ours), Vec::new(), WebSocketConfig::default()).await;
        let handshake = Handshake::parse(r#"{"sid":"s","pingInterval":25000,"pingTimeout":20000}"#).unwrap();
        let task = Task::new(Arc::default(), Socket::WebSocket(Box::new(ours)), &handshake);
        (task, WebSocketStream::from_raw_socket(theirs, Role::Server, None).await)
    }

    #[tokio::test]
    async fn pongs_that_wait_on_a_shared_connection_are_one() {
        let (mut task, mut server) = pair().await;
        for _ in 0..1000 {
            task.take(Frame::Text("2".into())).unwrap();
        }
        let reading = tokio::spawn(async move {
            let mut texts = Vec::new();
            while let Some(Ok(Message::Text(text))) = server.next().await {
                texts.push(text);
            }
            texts
        });
        task.part().await.unwrap();
        drop(task);
        assert_eq!(reading.await.unwrap(), [PONG]);
    }
}
