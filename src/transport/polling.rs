//! HTTP long-polling: one GET and one POST in flight, and the upgrade to WebSocket.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{ready, Context, Poll},
};

use super::{
    body_start, fairness,
    farewell::{say_goodbye, Exchange, Opening},
    http::{Answer, Lane},
    payload::{self, Codec, Payload},
    probe::{self, Upgrading},
    Dialer, Frame, LossKind, Lost, Progress, Step, Terms, TransportError, WebSocket, POLLING, WEBSOCKET,
};
use crate::{
    engineio::{self, Handshake, Revision},
    secret::Secret,
};

/// So many bytes wait beside a request that is on its way; then the caller's queue has to hold the rest.
const OUTBOX: usize = 64 * 1024;
/// A body may hold several messages, and base64 makes them larger.
const BODY_IN_MESSAGES: usize = 4;

/// A connection for requests of one kind: idle, or with a request on its way.
enum Channel {
    Idle(Box<Lane>),
    Busy(Exchange),
    /// Only for a moment, or after a failure.
    Gone,
}

impl Channel {
    fn take_idle(&mut self) -> Option<Box<Lane>> {
        match std::mem::replace(self, Channel::Gone) {
            Channel::Idle(lane) => Some(lane),
            other => {
                *self = other;
                None
            }
        }
    }

    fn is_busy(&self) -> bool {
        matches!(self, Channel::Busy(_))
    }

    /// Polls the request on its way; `None` where there is none.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Answer, TransportError>>> {
        let Channel::Busy(exchange) = self else { return Poll::Ready(None) };
        let (lane, answer) = ready!(exchange.as_mut().poll(cx));
        *self = Channel::Idle(Box::new(lane));
        Poll::Ready(Some(answer))
    }
}

pub struct Polling {
    dialer: Arc<Dialer>,
    terms: Terms,
    codec: Codec,
    sid: Option<String>,
    max_payload: Option<usize>,
    inbox: VecDeque<Frame>,
    /// The answer that is being read.
    payload: Payload,
    outbox: VecDeque<engineio::Frame>,
    outbox_bytes: usize,
    get: Channel,
    post: Channel,
    upgrading: Upgrading,
    /// The answer to the next POST is wanted as a sign of life; not that to one that went out before.
    checking: bool,
    /// The POST on its way is that one.
    shows_life: bool,
    /// Nobody reads just now, so an upgrade can't go on.
    paused: bool,
}

impl Polling {
    /// Makes the first request, whose answer starts with the open packet.
    pub async fn connect(
        dialer: &Arc<Dialer>,
        terms: Terms,
        progress: &Progress,
    ) -> Result<Self, TransportError> {
        let limit = terms.max_message.saturating_mul(BODY_IN_MESSAGES);
        let lane = || Lane::new(dialer.clone(), limit, terms.request_timeout);
        let post = lane().known();
        let (get, answer) = Opening::new(lane(), dialer, &terms.address, progress).finish().await;
        let answer = answer?;
        let codec = Codec::of(&answer).map_err(|fault| progress.failed(fault))?;
        let (first, payload) = codec.read(&answer).map_err(|fault| progress.failed(fault))?;
        Ok(Polling {
            dialer: dialer.clone(),
            terms,
            codec,
            sid: None,
            max_payload: None,
            inbox: VecDeque::from([first]),
            payload,
            outbox: VecDeque::new(),
            outbox_bytes: 0,
            get: Channel::Idle(Box::new(get)),
            post: Channel::Idle(Box::new(post)),
            upgrading: Upgrading::No,
            checking: false,
            shows_life: false,
            paused: false,
        })
    }

    /// The open packet was read: the session has a name, and may be upgraded.
    pub fn begin(&mut self, handshake: &Handshake) {
        self.sid = Some(handshake.sid.clone());
        self.max_payload = handshake.max_payload.and_then(|bytes| usize::try_from(bytes).ok());
        if self.terms.upgrade && handshake.upgrades.iter().any(|name| name == WEBSOCKET) {
            let request = self.terms.address.request(WEBSOCKET, self.sid.as_deref());
            let probe = probe::start(self.dialer.clone(), request, self.terms.max_message);
            self.upgrading = Upgrading::Probing(probe);
        }
    }

    /// The form of the answers shows it.
    pub fn revision(&self) -> Revision {
        self.codec.revision()
    }

    fn request(&self) -> Secret {
        self.terms.address.request(POLLING, self.sid.as_deref())
    }

    // Receiving.

    /// The next frame; none when the upgrade is done and `take_upgraded` has the WebSocket.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame>, Lost>> {
        loop {
            if let Some(frame) = ready!(self.poll_inbox(cx))? {
                return Poll::Ready(Ok(Some(frame)));
            }
            self.upgrading.poll_probe(cx);
            if self.upgrading.is_probed() && !self.get.is_busy() {
                // The server ends the GET that is on its way; then, and with no POST on its way, the transports change.
                ready!(self.poll_post(cx))?;
                if ready!(self.upgrading.poll_switch(cx)) {
                    return Poll::Ready(Ok(None));
                }
                continue;
            }
            self.start_get();
            match ready!(self.get.poll(cx)) {
                Some(Ok(answer)) => self.take(&answer)?,
                Some(Err(error)) => return Poll::Ready(Err(self.fail("GET", &error))),
                None => return Poll::Pending,
            }
        }
    }

    fn start_get(&mut self) {
        let Some(mut lane) = self.get.take_idle() else { return };
        let request = self.request();
        self.get = Channel::Busy(Box::pin(async move {
            let answer = lane.get(&request, &Progress::default()).await;
            (*lane, answer)
        }));
    }

    /// A frame that is there already. Each is a part of the turn, for all of a large answer lie in memory.
    fn poll_inbox(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame>, Lost>> {
        if self.inbox.is_empty() && self.payload.is_over() {
            return Poll::Ready(Ok(None));
        }
        ready!(fairness::poll_unit(cx));
        Poll::Ready(match self.inbox.pop_front() {
            Some(frame) => Ok(Some(frame)),
            None => self.payload.read_one().map(Some).map_err(garbled),
        })
    }

    fn take(&mut self, answer: &Answer) -> Result<(), Lost> {
        let (first, rest) = self.codec.read(answer).map_err(garbled)?;
        self.inbox.push_back(first);
        self.payload = rest;
        Ok(())
    }

    fn fail(&mut self, what: &str, error: &TransportError) -> Lost {
        if error.by_engine {
            // The server does not know the session, or ended it with its refusal: there is nobody to say goodbye to.
            self.sid = None;
        }
        let at = match error.step {
            // The request itself, which has no other name for a step.
            Step::Upgrade => String::new(),
            step => format!(" at {}", step.name()),
        };
        let description = format!("a long-polling {what} failed{at}: {}", error.message);
        Lost { kind: LossKind::Failed, description }
    }

    /// The WebSocket that the session was upgraded to.
    pub fn take_upgraded(&mut self) -> Option<WebSocket> {
        let mut socket = self.upgrading.take_done()?;
        self.sid = None;
        for frame in self.outbox.drain(..) {
            // A WebSocket that failed says so when it is used next.
            let _ = super::socket::start_send(&mut socket, frame, self.codec.revision());
        }
        Some(socket)
    }

    /// Why the upgrade failed, once.
    pub fn take_upgrade_failure(&mut self) -> Option<String> {
        self.upgrading.take_failure()
    }

    pub fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    // Sending.

    pub fn has_room(&self) -> bool {
        self.outbox_bytes < OUTBOX && !self.upgrading.is_switching()
    }

    pub fn send(&mut self, frame: engineio::Frame) {
        self.outbox_bytes += payload::size(&frame);
        self.outbox.push_back(frame);
    }

    /// Any POST would do; a beat out of turn is a packet that a server of its revision takes.
    pub fn send_check(&mut self, revision: Revision) {
        self.checking = true;
        self.send(engineio::Frame::Text(match revision {
            Revision::V3 => engineio::PING.into(),
            Revision::V4 => engineio::PONG.into(),
        }));
    }

    /// Posts what was sent until nothing is left.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        loop {
            ready!(self.poll_post(cx))?;
            if self.outbox.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if self.upgrading.is_probed() && !self.paused {
                // They go out over the WebSocket; reading wakes the task once it is there.
                return Poll::Pending;
            }
            self.start_post();
        }
    }

    fn poll_post(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        match ready!(self.post.poll(cx)) {
            Some(Ok(answer)) if answer.body == "ok" => {
                if std::mem::take(&mut self.shows_life) {
                    self.inbox.push_back(Frame::Alive);
                }
                Poll::Ready(Ok(()))
            }
            Some(Ok(answer)) => {
                let said = body_start(&answer.body);
                let description = format!("the server did not answer \"ok\" to a long-polling POST{said}");
                Poll::Ready(Err(Lost { kind: LossKind::Failed, description }))
            }
            Some(Err(error)) => Poll::Ready(Err(self.fail("POST", &error))),
            None => Poll::Ready(Ok(())),
        }
    }

    fn start_post(&mut self) {
        let Some(mut lane) = self.post.take_idle() else { return };
        self.shows_life = std::mem::take(&mut self.checking);
        let (body, taken) = self.codec.encode(&self.outbox, self.max_payload);
        for frame in self.outbox.drain(..taken) {
            self.outbox_bytes -= payload::size(&frame);
        }
        let request = self.request();
        self.post = Channel::Busy(Box::pin(async move {
            let answer = lane.post(&request, body, &Progress::default()).await;
            (*lane, answer)
        }));
    }

    /// Posts what waits and a close packet.
    pub async fn close(&mut self) {
        if std::future::poll_fn(|cx| self.poll_flush(cx)).await.is_err() {
            return;
        }
        if let (Some(lane), Some(_)) = (self.post.take_idle(), &self.sid) {
            let request = self.request();
            self.sid = None;
            say_goodbye(*lane, request, self.codec).await;
        }
    }
}

fn garbled(description: String) -> Lost {
    Lost { kind: LossKind::Garbled, description }
}

/// A session that was begun and is dropped in the middle still gets its goodbye.
impl Drop for Polling {
    fn drop(&mut self) {
        if self.sid.is_none() {
            return;
        }
        let lane = match self.post.take_idle() {
            Some(lane) => *lane,
            None => Lane::new(self.dialer.clone(), self.terms.max_message, None),
        };
        self.dialer.farewells().say(say_goodbye(lane, self.request(), self.codec));
    }
}

/// Long-polling decides its form by the first answer.
impl Codec {
    fn revision(self) -> Revision {
        match self {
            Codec::Lengths => Revision::V3,
            Codec::Separators => Revision::V4,
        }
    }
}
