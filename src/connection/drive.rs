//! One connection, from its open packet to its loss.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::{ready, Context, Poll},
    time::{Duration, Instant},
};

use futures_util::{Sink, SinkExt, Stream};
use tokio::time::{sleep_until, timeout, Sleep};

use super::{
    link::{Link, Wish},
    outbound::Outgoing,
    owner::{Loss, Owner, Reason},
    search::Opened,
    target::Target,
};
use crate::{
    engineio::{self, Revision},
    socketio::{Failure, Happening, Session, Settings, Transmit},
    transport::{close_text, loss_of, LossKind, Message, WebSocket},
};

/// So many bytes are handed to the socket before it has to be flushed.
const WRITE_BATCH: usize = 64 * 1024;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(250);
/// Without a deadline the timer is set so far ahead.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Why driving stopped.
pub enum End {
    Lost(Loss),
    /// The server refused the namespace; its reason as JSON.
    Refused(String),
    /// The caller closed, or destroyed the client.
    Closed,
}

/// What woke the task.
enum Turn {
    Frame(Message),
    Over(Loss),
    Time,
    Woken,
}

pub struct Connection<'a> {
    socket: WebSocket,
    session: Session,
    link: &'a Link,
    owner: &'a dyn Owner,
    /// What the caller wished when this connection was wanted.
    wish: Wish,
    number: u64,
    timer: Pin<Box<Sleep>>,
    timer_at: Option<Instant>,
    /// Of the packet that was handed to the socket last.
    attachments: VecDeque<Vec<u8>>,
    /// Something was handed to the socket and not flushed yet.
    unflushed: bool,
    paused: Option<Instant>,
    max_pause: Duration,
}

impl<'a> Connection<'a> {
    pub fn new(opened: Opened, target: &Target, link: &'a Link, owner: &'a dyn Owner, wish: Wish) -> Self {
        let settings = Settings {
            namespace: target.namespace.clone(),
            query: target.query.clone(),
            auth: target.auth.clone(),
            revision: opened.revision,
            parser: target.parser,
        };
        let now = Instant::now();
        Connection {
            socket: opened.socket,
            session: Session::new(settings, opened.handshake, now),
            link,
            owner,
            wish,
            number: link.next_connection(),
            timer: Box::pin(sleep_until((now + NEVER).into())),
            timer_at: None,
            attachments: VecDeque::new(),
            unflushed: false,
            paused: None,
            max_pause: target.max_pause,
        }
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Drives until the server has accepted the namespace; gives the socket id.
    pub async fn handshake(&mut self) -> Result<String, End> {
        loop {
            match self.turn().await? {
                Some(Happening::Connected { socket_id, .. }) => return Ok(socket_id),
                Some(Happening::Refused { data }) => return Err(End::Refused(data)),
                Some(happening) => self.tell(happening)?,
                None => {}
            }
        }
    }

    /// Drives a connected namespace to its end.
    pub async fn drive(&mut self) -> End {
        self.deliver_early();
        loop {
            let end = match self.next().await {
                Turn::Frame(frame) => self.take(frame),
                Turn::Over(loss) => Err(End::Lost(loss)),
                Turn::Time => self.on_time(),
                Turn::Woken => self.on_wake(),
            };
            if let Err(end) = end {
                return end;
            }
        }
    }

    /// One turn of the handshake, where nothing is sent for the caller yet.
    async fn turn(&mut self) -> Result<Option<Happening<'static>>, End> {
        match self.next().await {
            Turn::Frame(frame) => Ok(match self.read(&frame, Instant::now())? {
                Some(Happening::Connected { socket_id, pid }) => {
                    Some(Happening::Connected { socket_id, pid })
                }
                Some(Happening::Refused { data }) => Some(Happening::Refused { data }),
                Some(Happening::Closed) => Some(Happening::Closed),
                Some(Happening::Disconnected) => Some(Happening::Disconnected),
                _ => None,
            }),
            Turn::Over(loss) => Err(End::Lost(loss)),
            Turn::Time => self.on_time().map(|()| None),
            Turn::Woken => self.on_wake().map(|()| None),
        }
    }

    /// Events that the server sent before its CONNECT was answered; where that failed, a business error may be among them.
    pub fn deliver_early(&mut self) {
        while let Some(event) = self.session.poll_early() {
            self.owner.on_event(event, self.number);
        }
    }

    fn tell(&self, happening: Happening<'_>) -> Result<(), End> {
        tell(self.owner, self.number, Some(happening))
    }

    fn take(&mut self, frame: Message) -> Result<(), End> {
        let now = Instant::now();
        let happening = self.read(&frame, now)?;
        tell(self.owner, self.number, happening)?;
        if self.session.is_connected() && self.owner.is_full() {
            self.paused = Some(now);
            self.session.pause(now);
        }
        Ok(())
    }

    fn read<'f>(&mut self, frame: &'f Message, now: Instant) -> Result<Option<Happening<'f>>, End> {
        match frame {
            Message::Text(text) => self.session.on_text(text, now).map_err(failed),
            Message::Binary(data) => self.session.on_binary(data, now).map_err(failed),
            Message::Close(frame) => Err(End::Lost(closed(&close_text(frame.as_ref())))),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        }
    }

    fn on_time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.paused.is_some_and(|since| since + self.max_pause <= now) {
            let description =
                format!("the queue of received events was full for {} ms", self.max_pause.as_millis());
            return Err(End::Lost(Loss { reason: Reason::ReceiveQueueFull, description }));
        }
        self.session.on_time(now).map_err(failed)
    }

    fn on_wake(&mut self) -> Result<(), End> {
        if self.link.wish().closes != self.wish.closes {
            return Err(End::Closed);
        }
        if self.paused.is_some() && !self.owner.is_full() {
            self.paused = None;
            self.session.resume(Instant::now());
        }
        Ok(())
    }

    async fn next(&mut self) -> Turn {
        let (link, connected) = (self.link, self.session.is_connected());
        let woken = link.woken();
        tokio::pin!(woken);
        std::future::poll_fn(|cx| self.poll(cx, woken.as_mut(), connected)).await
    }

    /// Writes what waits, then looks at the socket, the clock and the link.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        woken: Pin<&mut impl Future<Output = ()>>,
        connected: bool,
    ) -> Poll<Turn> {
        if let Err(error) = self.write(cx, connected) {
            return Poll::Ready(Turn::Over(lost(&error)));
        }
        if self.paused.is_none() {
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Ready(Some(Ok(frame))) => return Poll::Ready(Turn::Frame(frame)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Turn::Over(lost(&error))),
                Poll::Ready(None) => return Poll::Ready(Turn::Over(closed(""))),
                Poll::Pending => {}
            }
        }
        self.set_timer();
        if self.timer_at.is_some() && self.timer.as_mut().poll(cx).is_ready() {
            self.timer_at = None;
            return Poll::Ready(Turn::Time);
        }
        ready!(woken.poll(cx));
        Poll::Ready(Turn::Woken)
    }

    fn set_timer(&mut self) {
        let pause_ends = self.paused.map(|since| since + self.max_pause);
        let due = [self.session.deadline(), pause_ends].into_iter().flatten().min();
        if due != self.timer_at {
            if let Some(due) = due {
                self.timer.as_mut().reset(due.into());
            }
            self.timer_at = due;
        }
    }

    /// Hands frames to the socket in batches: the protocol's own first, then, once connected, the caller's.
    fn write(&mut self, cx: &mut Context<'_>, connected: bool) -> Result<(), tungstenite::Error> {
        loop {
            if self.unflushed {
                match Pin::new(&mut self.socket).poll_flush(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(done) => done?,
                }
                self.unflushed = false;
                self.link.all_written();
            }
            if !self.fill(cx, connected)? {
                return Ok(());
            }
        }
    }

    /// Fills the socket's write buffer with one batch; says whether there was anything.
    fn fill(&mut self, cx: &mut Context<'_>, connected: bool) -> Result<bool, tungstenite::Error> {
        let mut bytes = 0;
        while bytes < WRITE_BATCH {
            match Pin::new(&mut self.socket).poll_ready(cx) {
                Poll::Pending => break,
                Poll::Ready(ready) => ready?,
            }
            let Some(message) = self.next_message(connected) else { break };
            bytes += message.len();
            self.unflushed = true;
            Pin::new(&mut self.socket).start_send(message)?;
        }
        Ok(self.unflushed)
    }

    /// The next frame for the socket. Attachments go right behind their packet: no other may come between.
    fn next_message(&mut self, connected: bool) -> Option<Message> {
        if let Some(attachment) = self.attachments.pop_front() {
            return Some(self.binary(attachment));
        }
        if let Some(frame) = self.session.poll_transmit() {
            return Some(self.message(frame));
        }
        let outgoing = if connected { self.pop()? } else { return None };
        self.attachments.extend(outgoing.attachments);
        match outgoing.frame.is_empty() {
            true => self.attachments.pop_front().map(|data| self.binary(data)),
            false => Some(Message::text(outgoing.frame)),
        }
    }

    fn message(&self, transmit: Transmit) -> Message {
        match transmit {
            Transmit::Text(text) => Message::text(text.into_owned()),
            Transmit::Data(data) => self.binary(data),
        }
    }

    fn binary(&self, data: Vec<u8>) -> Message {
        match self.session.revision() {
            Some(Revision::V3) => Message::binary(engineio::v3::encode_binary(&data)),
            _ => Message::binary(data),
        }
    }

    /// The caller's next frame. Answers that belong to an earlier connection are dropped.
    fn pop(&mut self) -> Option<Outgoing> {
        loop {
            let outgoing = self.link.pop(self.wish.closes)?;
            let stale = outgoing.connection.is_some_and(|connection| connection != self.number);
            if stale || outgoing.request.is_some_and(|request| !self.owner.on_sent(request)) {
                // Nothing is written for it, but a flush that waits for it has to hear that it is gone.
                self.unflushed = true;
                continue;
            }
            return Some(outgoing);
        }
    }

    /// Leaves the namespace and closes the WebSocket, within a limit of time.
    pub async fn goodbye(mut self) {
        let leave = self.session.leave().map(|frame| self.message(frame));
        let socket = &mut self.socket;
        let parting = async {
            if let Some(frame) = leave {
                socket.send(frame).await?;
            }
            socket.close(None).await?;
            // Reading up to the end lets the other side read our last frames: a close with unread data is a reset.
            while let Some(Ok(_)) = futures_util::StreamExt::next(socket).await {}
            Ok::<(), tungstenite::Error>(())
        };
        // A server that does not listen any more misses nothing.
        let _ = timeout(GOODBYE, parting).await;
        self.link.all_written();
    }
}

use tokio_tungstenite::tungstenite;

/// Hands what happened to the owner, or ends the connection.
fn tell(owner: &dyn Owner, connection: u64, happening: Option<Happening<'_>>) -> Result<(), End> {
    match happening {
        Some(Happening::Event(event)) => owner.on_event(event, connection),
        Some(Happening::Ack(ack)) => owner.on_ack(ack),
        Some(Happening::Error { data }) => owner.on_error(&data),
        Some(Happening::Disconnected) => {
            return Err(End::Lost(Loss { reason: Reason::ServerDisconnect, description: String::new() }))
        }
        Some(Happening::Closed) => {
            return Err(End::Lost(closed("the server sent an Engine.IO close packet")))
        }
        Some(Happening::Refused { data }) => return Err(End::Refused(data)),
        Some(Happening::Heartbeat | Happening::Connected { .. }) | None => {}
    }
    Ok(())
}

fn failed(failure: Failure) -> End {
    let reason = match failure {
        Failure::PingTimeout => Reason::PingTimeout,
        Failure::Parse(_) | Failure::Generation(_) => Reason::ParseError,
    };
    End::Lost(Loss { reason, description: failure.to_string() })
}

fn closed(description: &str) -> Loss {
    Loss { reason: Reason::TransportClose, description: description.into() }
}

fn lost(error: &tungstenite::Error) -> Loss {
    match loss_of(error) {
        (LossKind::Closed, description) => Loss { reason: Reason::TransportClose, description },
        (LossKind::Failed, description) => Loss { reason: Reason::TransportError, description },
    }
}
