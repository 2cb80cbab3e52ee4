//! One connection, from its open packet to its loss.

use std::{
    future::{poll_fn, Future},
    pin::Pin,
    task::{ready, Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::{sleep_until, Sleep};

use super::{
    carrier::{Carrier, Way},
    link::{Link, Wish},
    owner::{Loss, Owner, Reason},
    target::{Credentials, Target},
};
use crate::{
    engineio::Revision,
    socketio::{Failure, Happening, Recovery, Session, Settings},
    transport::{fairness, Frame, LossKind, Lost, WEBSOCKET},
};

/// So long a connection may take to prove that it lives, where that is in doubt.
const CHECK: Duration = Duration::from_secs(3);
/// A frame that is read so soon after the question may be older than that.
const LEFTOVERS: Duration = Duration::from_millis(500);
/// So many frames are read before what waits to be sent has its turn.
const BURST: usize = 256;
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
    Frame(Frame),
    Over(Loss),
    Time,
    Woken,
}

pub struct Connection<'a> {
    pub(super) carrier: Carrier,
    /// The transport as the owner knows it.
    transport: &'static str,
    pub(super) session: Session,
    pub(super) link: &'a Link,
    pub(super) owner: &'a dyn Owner,
    /// What the caller wished when this connection was wanted.
    pub(super) wish: Wish,
    pub(super) number: u64,
    timer: Pin<Box<Sleep>>,
    timer_at: Option<Instant>,
    /// Long-polling was upgraded; has anything come over the WebSocket yet?
    upgraded: Option<bool>,
    /// Something was handed to the socket and not flushed yet.
    pub(super) unflushed: bool,
    /// Something of the caller's is among it.
    pub(super) popped: bool,
    /// When something of the caller's went out last.
    pub(super) written_at: Option<Instant>,
    paused: Option<Instant>,
    /// The checks that the caller had asked for when this was looked at last.
    checks: u64,
    /// Without any frame the connection is dead then.
    check_ends: Option<Instant>,
    failed_check: bool,
    max_pause: Duration,
}

impl<'a> Connection<'a> {
    pub fn new(
        Way { carrier, handshake, asked, .. }: Way,
        target: &Target,
        (credentials, recovery): (Credentials, Option<Recovery>),
        link: &'a Link,
        owner: &'a dyn Owner,
        wish: Wish,
    ) -> Self {
        let settings = Settings {
            namespace: target.namespace.clone(),
            query: credentials.query,
            auth: credentials.auth,
            recovery,
            revision: asked.or(carrier.revision()),
            shared: carrier.is_shared(),
            parser: target.parser,
        };
        let now = Instant::now();
        Connection {
            transport: carrier.transport(),
            carrier,
            session: Session::new(settings, handshake, now),
            link,
            owner,
            wish,
            number: link.next_connection(),
            timer: Box::pin(sleep_until((now + NEVER).into())),
            timer_at: None,
            upgraded: None,
            unflushed: false,
            popped: false,
            written_at: None,
            paused: None,
            checks: link.checks(),
            check_ends: None,
            failed_check: false,
            max_pause: target.max_pause,
        }
    }

    pub fn transport(&self) -> &'static str {
        self.transport
    }

    /// The checks that the caller had asked for when this was looked at last.
    pub fn checks(&self) -> u64 {
        self.checks
    }

    /// Did it end because it did not prove that it lives?
    pub fn failed_check(&self) -> bool {
        self.failed_check
    }

    /// Was it upgraded from long-polling, and did anything come since then?
    pub fn upgraded(&self) -> Option<bool> {
        self.upgraded
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Drives until the server has accepted the namespace; gives the socket id.
    pub async fn handshake(&mut self) -> Result<String, End> {
        loop {
            match self.turn().await? {
                Some(Happening::Connected { socket_id }) => return Ok(socket_id),
                Some(Happening::Refused { data }) => return Err(End::Refused(data)),
                Some(happening) => self.tell(happening)?,
                None => {}
            }
        }
    }

    /// Drives a connected namespace to its end.
    pub async fn drive(&mut self) -> End {
        self.deliver_early();
        self.open_shortcut();
        loop {
            let end = match self.next().await {
                Turn::Frame(frame) => self.take_burst(frame).await,
                Turn::Over(loss) => Err(End::Lost(loss)),
                Turn::Time => self.on_time(),
                Turn::Woken => self.on_wake(),
            };
            if let Err(end) = end {
                return end;
            }
        }
    }

    fn open_shortcut(&self) {
        if let Some(outlet) = self.carrier.outlet() {
            self.link.open_shortcut(outlet.clone(), self.wish.closes);
        }
    }

    /// One turn of the handshake, where nothing is sent for the caller yet.
    async fn turn(&mut self) -> Result<Option<Happening<'static>>, End> {
        match self.next().await {
            Turn::Frame(frame) => Ok(match self.read(&frame, Instant::now())? {
                Some(Happening::Connected { socket_id }) => Some(Happening::Connected { socket_id }),
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
        self.owner.on_pause();
    }

    fn tell(&self, happening: Happening<'_>) -> Result<(), End> {
        tell(self.owner, self.number, Some(happening))
    }

    /// Takes a frame and those that came with it, so that the caller's thread is woken once for all of them.
    async fn take_burst(&mut self, first: Frame) -> Result<(), End> {
        let now = Instant::now();
        let mut taken = self.take(first, now);
        let more = if self.transport == WEBSOCKET { BURST } else { 1 };
        for _ in 1..more {
            if taken.is_err() || self.paused.is_some() {
                break;
            }
            match poll_fn(|cx| Poll::Ready(self.carrier.poll_next(cx))).await {
                Poll::Ready(Ok(frame)) => taken = self.take(frame, now),
                Poll::Ready(Err(error)) => taken = Err(End::Lost(lost(error))),
                Poll::Pending => break,
            }
        }
        self.owner.on_pause();
        taken
    }

    fn take(&mut self, frame: Frame, now: Instant) -> Result<(), End> {
        let happening = self.read(&frame, now)?;
        tell(self.owner, self.number, happening)?;
        if self.session.is_connected() && self.owner.is_full() {
            self.paused = Some(now);
            self.carrier.set_paused(true);
            self.session.pause(now);
        }
        Ok(())
    }

    fn read<'f>(&mut self, frame: &'f Frame, now: Instant) -> Result<Option<Happening<'f>>, End> {
        // What had come before the connection died may still lie in the socket; it is read at once.
        let fresh = self.check_ends.is_some_and(|ends| now + (CHECK - LEFTOVERS) >= ends);
        if fresh || *frame == Frame::Alive {
            self.check_ends = None;
        }
        self.upgraded = self.upgraded.map(|_| true);
        let happening = match frame {
            Frame::Text(text) => self.session.on_text(text, now),
            Frame::Binary(data) => self.session.on_binary(data, now),
            Frame::Data(data) => self.session.on_data(data, now),
            Frame::Alive => Ok(None),
        };
        happening.map_err(failed)
    }

    fn on_time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.paused.is_some_and(|since| since + self.max_pause <= now) {
            let description =
                format!("the queue of received events was full for {} ms", self.max_pause.as_millis());
            return Err(End::Lost(Loss { reason: Reason::ReceiveQueueFull, description }));
        }
        let over = self.check_ends.filter(|ends| *ends <= now);
        if over.and_then(|ends| ends.checked_sub(CHECK)).is_some_and(|asked| self.carrier.may_live(asked)) {
            self.check_ends = Some(now + CHECK);
        } else if over.is_some() {
            self.failed_check = true;
            let description =
                format!("no sign of life within {} ms when the link was checked", CHECK.as_millis());
            let lost = Lost { kind: LossKind::Silent, description };
            self.carrier.condemn(&lost);
            return Err(End::Lost(self::lost(lost)));
        }
        self.session.on_time(now).map_err(failed)
    }

    fn on_wake(&mut self) -> Result<(), End> {
        if self.link.wish().closes != self.wish.closes {
            return Err(End::Closed);
        }
        if self.paused.is_some() && !self.owner.is_full() {
            self.paused = None;
            self.carrier.set_paused(false);
            self.session.resume(Instant::now());
        }
        self.check()
    }

    /// Asks the other side for a sign of life, where somebody wants to know.
    fn check(&mut self) -> Result<(), End> {
        let checks = self.link.checks();
        // While nobody reads, no sign could be seen.
        if checks == self.checks || self.paused.is_some() {
            return Ok(());
        }
        self.checks = checks;
        self.ask_for_life().map_err(|error| End::Lost(lost(error)))
    }

    fn ask_for_life(&mut self) -> Result<(), Lost> {
        let revision = self.session.revision().unwrap_or(Revision::V4);
        self.carrier.send_check(revision)?;
        self.unflushed = true;
        self.check_ends = Some(Instant::now() + CHECK);
        Ok(())
    }

    async fn next(&mut self) -> Turn {
        let (link, connected) = (self.link, self.session.is_connected());
        let woken = link.woken();
        tokio::pin!(woken);
        poll_fn(|cx| self.poll(cx, woken.as_mut(), connected)).await
    }

    /// Writes what waits, then looks at the socket, the clock and the link.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        woken: Pin<&mut impl Future<Output = ()>>,
        connected: bool,
    ) -> Poll<Turn> {
        if let Err(error) = self.write(cx, connected) {
            return Poll::Ready(Turn::Over(lost(error)));
        }
        if self.paused.is_none() {
            let next = self.carrier.poll_next(cx);
            // What waited for the upgrade goes out now, over whichever transport it is.
            let written =
                self.on_upgrade().and_then(|news| if news { self.write(cx, connected) } else { Ok(()) });
            if let Err(error) = written {
                return Poll::Ready(Turn::Over(lost(error)));
            }
            match next {
                Poll::Ready(Ok(frame)) => return Poll::Ready(Turn::Frame(frame)),
                Poll::Ready(Err(error)) => return Poll::Ready(Turn::Over(lost(error))),
                Poll::Pending => {}
            }
        }
        self.set_timer();
        if self.timer_at.is_some() && fairness::poll_timer(self.timer.as_mut(), cx).is_ready() {
            self.timer_at = None;
            return Poll::Ready(Turn::Time);
        }
        ready!(woken.poll(cx));
        Poll::Ready(Turn::Woken)
    }

    /// Tells of an upgrade that succeeded or failed just now; says whether there was one.
    fn on_upgrade(&mut self) -> Result<bool, Lost> {
        let failure = self.carrier.take_upgrade_failure();
        if let Some(why) = &failure {
            self.owner.on_upgrade_failure(why);
        }
        if self.transport == self.carrier.transport() {
            return Ok(failure.is_some());
        }
        self.transport = self.carrier.transport();
        self.owner.on_upgrade(self.transport);
        if self.session.is_connected() {
            self.open_shortcut();
        }
        self.upgraded = Some(false);
        // What long-polling had not posted yet was handed to the WebSocket, which some proxies let begin and then choke.
        self.ask_for_life()?;
        Ok(true)
    }

    fn set_timer(&mut self) {
        let pause_ends = self.paused.map(|since| since + self.max_pause);
        let due = [self.session.deadline(), pause_ends, self.check_ends].into_iter().flatten().min();
        if due != self.timer_at {
            if let Some(due) = due {
                self.timer.as_mut().reset(due.into());
            }
            self.timer_at = due;
        }
    }
}

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
        Some(Happening::Heartbeat { latency }) => owner.on_heartbeat(latency),
        Some(Happening::Connected { .. }) | None => {}
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

fn lost(Lost { kind, description }: Lost) -> Loss {
    let reason = match kind {
        LossKind::Closed => Reason::TransportClose,
        LossKind::Failed => Reason::TransportError,
        LossKind::Garbled => Reason::ParseError,
        LossKind::Silent => Reason::PingTimeout,
    };
    Loss { reason, description }
}
