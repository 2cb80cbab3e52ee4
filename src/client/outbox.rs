//! The outbox of a client: messages that are kept until the server has answered them, on the disk too where there is a store.

use std::{
    collections::VecDeque,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    client::Client,
    from_network::request_id,
    mailbox::Item,
    store::{Contents, Drawer, Stored},
    wall_clock::{at_wall_clock, wall_clock},
    Done, Event, Failed, Outcome, Payload, Shared, Status,
};
use crate::{
    connection::Outgoing,
    im::{self, Message, Refusal, MOST_ABANDONED},
    log::Level,
    socketio::Parser,
    sync::{atomic::Ordering, Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// What a frame has around its message, with a long namespace.
const FRAME_HEAD: usize = 1024;

/// How a client's outbox is to be.
#[derive(Clone, Debug)]
pub struct OutboxOptions {
    /// The file, and whose part of it.
    pub store: Option<(PathBuf, String)>,
    /// Whose messages a store keeps.
    pub user: Option<String>,
    pub in_flight: usize,
    /// For messages whose call names no timeout.
    pub timeout: Option<Duration>,
    pub dedupe: bool,
}

pub struct Outbox {
    queue: Mutex<im::Outbox>,
    /// When each `to` of the caller's went out (with `retries`: was emitted) past the queue. The queue hears of them whenever it is
    /// locked. No other lock is taken under this one.
    plain: Mutex<VecDeque<Instant>>,
    /// Signalled when a message went out or left the queue.
    moved: Condvar,
    drawer: Option<Drawer>,
    /// Locked while the store is told, so that it hears of the background, the foreground and the end one after the other.
    suspended: Mutex<bool>,
}

impl Outbox {
    /// Opens the store, if there is to be one; gives the keys of the messages that were delivered in earlier lives, and of
    /// those that are still being sent.
    pub fn open(
        options: &OutboxOptions,
        limit: usize,
        shared: &Shared,
    ) -> Result<(Self, Vec<String>), Failed> {
        let mut queue = im::Outbox::new(options.in_flight, limit);
        let mut seen = Vec::new();
        let drawer = match &options.store {
            None => None,
            Some((path, account)) => {
                let (drawer, contents) = shared.open_store(path, account)?;
                seen.clone_from(&contents.seen);
                seen.extend(contents.messages.iter().filter_map(|message| im::copy_key(&message.json)));
                take_over(&mut queue, contents);
                Some(drawer)
            }
        };
        let outbox = Outbox {
            queue: Mutex::new(queue),
            plain: Mutex::default(),
            moved: Condvar::new(),
            drawer,
            suspended: Mutex::new(false),
        };
        Ok((outbox, seen))
    }

    fn lock(&self) -> MutexGuard<'_, im::Outbox> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plain = self.plain();
        while let Some(when) = plain.pop_front() {
            queue.plain(when);
        }
        drop(plain);
        queue
    }

    fn plain(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.plain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn suspension(&self) -> MutexGuard<'_, bool> {
        self.suspended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn first_deadline(&self) -> Option<Instant> {
        self.lock().first_deadline()
    }

    /// The machine slept.
    pub fn advance(&self, time: Duration) {
        self.lock().advance(time);
    }

    /// Messages and bytes that wait for their answers.
    pub fn waiting(&self) -> (usize, usize) {
        self.lock().waiting()
    }

    /// A message was delivered.
    pub fn seen(&self, key: String) {
        if let Some(drawer) = &self.drawer {
            drawer.seen(key);
        }
    }

    /// Leaves its messages to the next client with the same store and account.
    pub fn close(&self, shared: &Shared) {
        let left = self.end();
        if let Some(drawer) = &self.drawer {
            let mut suspended = self.suspension();
            shared.close_store(drawer, &left, *suspended);
            // The store has forgotten this client: there is nothing to resume.
            *suspended = false;
        }
    }

    /// Takes nothing any more.
    fn end(&self) -> Vec<String> {
        let left = self.lock().end(Instant::now());
        self.moved.notify_all();
        left.into_iter().map(|message| message.fingerprint).collect()
    }

    /// Waits until all that is in the queue went out once; false when the time is over.
    pub fn wait_until_out(&self, until: Option<Instant>) -> bool {
        let mut queue = self.lock();
        let mark = queue.mark();
        while !queue.went_out(mark) {
            queue = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return false,
                Some(left) => self.moved.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        true
    }
}

/// The messages of earlier clients go in front.
fn take_over(queue: &mut im::Outbox, contents: Contents) {
    for Stored { fingerprint, json, deadline } in contents.messages {
        let deadline = (deadline > 0).then(|| at_wall_clock(deadline));
        queue.restore(Message { fingerprint, json, deadline, request: None });
    }
}

impl Client {
    /// Sends a message; its outcome is the server's `to_ack`. With a store it is on the disk when this returns.
    pub fn send_message(
        &self,
        message: &str,
        timeout: Option<Duration>,
        done: Done,
    ) -> Result<i64, (Done, Failed)> {
        let (json, fingerprint) = match im::with_fingerprint(message) {
            Ok(made) => made,
            Err(fault) => return Err((done, Failed::new(Status::Json, fault))),
        };
        if let Err(failed) = self.check_message(&json) {
            return Err((done, failed));
        }
        let timeout = timeout.or(self.options().outbox.timeout);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (number, _) = self.requests().add(done, None)?;
        let accepted = self.accept(Message { fingerprint, json, deadline, request: Some(number) }, timeout);
        if let Err(failed) = accepted {
            // Somebody else (a destroy) may have decided it meanwhile: then it was accepted.
            if let Some(done) = self.requests().take(number) {
                return Err((done, failed));
            }
        }
        Ok(request_id(number))
    }

    fn accept(&self, message: Message, timeout: Option<Duration>) -> Result<(), Failed> {
        match &self.outbox.drawer {
            None => drop(self.add_to_outbox(message, true)?),
            Some(drawer) => {
                let fingerprint = message.fingerprint.clone();
                if !drawer.take(&fingerprint) {
                    return Err(self.refusal(&Refusal::Known, &fingerprint));
                }
                self.keep(drawer, message, timeout).inspect_err(|_| drawer.leave(&fingerprint))?;
            }
        }
        self.pump();
        Ok(())
    }

    /// Accepts a message that is on the disk when this returns.
    fn keep(&self, drawer: &Drawer, message: Message, timeout: Option<Duration>) -> Result<(), Failed> {
        let fingerprint = message.fingerprint.clone();
        let stored = Stored {
            fingerprint: fingerprint.clone(),
            json: message.json.clone(),
            deadline: timeout.map_or(0, |timeout| {
                wall_clock().saturating_add(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
            }),
        };
        let number = self.add_to_outbox(message, false)?;
        // No lock is held while the disk works.
        if let Err(failed) = drawer.put(stored) {
            self.outbox.lock().answered(&fingerprint);
            return Err(failed);
        }
        let gone = !self.outbox.lock().saved(number);
        // Canceled or expired, perhaps before it was put, and not sent anew. What the end of the client left is the next one's.
        if gone && self.may_call() && drawer.take(&fingerprint) {
            drawer.remove(&fingerprint);
        }
        Ok(())
    }

    fn add_to_outbox(&self, message: Message, saved: bool) -> Result<u64, Failed> {
        self.remember_sent(&message.json);
        let (fingerprint, deadline) = (message.fingerprint.clone(), message.deadline);
        let (added, first) = {
            let mut queue = self.outbox.lock();
            let first = queue.first_deadline();
            (queue.add(message, saved), first)
        };
        let number = added.map_err(|refusal| self.refusal(&refusal, &fingerprint))?;
        if deadline.is_some_and(|at| first.is_none_or(|first| at < first)) {
            self.watch_deadlines();
        }
        Ok(number)
    }

    fn refusal(&self, refusal: &Refusal, fingerprint: &str) -> Failed {
        match refusal {
            Refusal::Known => {
                let message = format!("a message with \"fp\" {fingerprint:?} is already being sent");
                Failed::new(Status::InvalidArgument, message)
            }
            Refusal::Full(waiting) => {
                let limit = self.options().send_queue_bytes;
                let message = format!(
                    "messages of {waiting} of at most {limit} bytes wait for their answers (option \"sendQueueBytes\")"
                );
                Failed::new(Status::QueueFull, message)
            }
            Refusal::Ended => Failed::destroyed(),
        }
    }

    /// Sends what may go out now.
    fn pump(&self) {
        // The end of one that can't be sent makes room for the next, which may be no better.
        loop {
            let unsendable = self.hand_over();
            if unsendable.is_empty() {
                break;
            }
            for (fingerprint, failed) in unsendable {
                // It would end every connection that it goes out on, and hold up those behind it.
                self.log(Level::Error, format_args!("a message is not sent: {}", failed.message));
                let message = self.outbox.lock().answered(&fingerprint);
                message.into_iter().for_each(|message| self.tell_outcome(message, failed.status, None));
            }
        }
        self.outbox.moved.notify_all();
    }

    /// Queues what may go out now; gives what can't be sent at all, by the fingerprints.
    fn hand_over(&self) -> Vec<(String, Failed)> {
        let mut unsendable = Vec::new();
        let mut queue = self.outbox.lock();
        while let Some((connection, message)) = queue.next() {
            match self.message_frame(&message.json) {
                // Of this connection alone: the next one begins with the first that is unanswered.
                Ok(frame) => {
                    self.link.send_own(Outgoing { connection: Some(connection), own: true, ..frame })
                }
                Err(failed) => unsendable.push((message.fingerprint.clone(), failed)),
            }
        }
        unsendable
    }

    /// Can it be sent at all? Writing it tells; the default parser can say everything, so that its size is enough.
    fn check_message(&self, json: &str) -> Result<(), Failed> {
        let limit = self.server_limit.load(Ordering::Relaxed);
        match self.options().target.parser {
            Parser::Default if json.len() + FRAME_HEAD < limit => Ok(()),
            _ => self.message_frame(json).map(drop),
        }
    }

    fn message_frame(&self, json: &str) -> Result<Outgoing, Failed> {
        let payload = Payload { arguments: json.into(), ..Payload::default() };
        let frame = self.event_frame(self.options().event_names.outgoing("to"), None, payload)?;
        self.check_size(&frame)?;
        Ok(frame)
    }

    /// The caller sends a `to` past the outbox: an error that names no message may be about that.
    pub(super) fn note_plain_message(&self, now: Instant) {
        let mut plain = self.outbox.plain();
        if plain.len() >= MOST_ABANDONED {
            plain.pop_front();
        }
        plain.push_back(now);
    }

    pub(super) fn outbox_connected(&self) {
        let (messages, _) = {
            let mut queue = self.outbox.lock();
            queue.connected(self.link.connection());
            queue.waiting()
        };
        if messages > 0 {
            self.pump();
        }
    }

    pub(super) fn outbox_lost(&self) {
        self.outbox.lock().lost();
    }

    /// A `to_ack` came.
    pub(super) fn settle_message(&self, event: &Arc<Event>) {
        if !self.outbox.lock().expects_answers() {
            return;
        }
        let Some(envelope) = im::Envelope::parse(event.json()) else { return };
        let Some(fingerprint) = im::fingerprint_of(envelope.payload) else { return };
        let status = if envelope.code == 0 { Status::Ok } else { Status::Refused };
        let message = self.outbox.lock().answered(&fingerprint);
        self.conclude(message, status, Some(event));
    }

    /// An `im_error` came: it may refuse the only message that is unanswered.
    pub(super) fn refuse_message(&self, event: &Arc<Event>) {
        if im::refuses_message(event.json()) {
            let message = self.outbox.lock().refused(Instant::now());
            self.conclude(message, Status::Refused, Some(event));
        }
    }

    pub(super) fn expire_messages(&self, now: Instant) {
        loop {
            let message = self.outbox.lock().take_expired(now);
            if message.is_none() {
                return;
            }
            self.conclude(message, Status::Timeout, None);
        }
    }

    /// The request was canceled; it may be a message's.
    pub(super) fn cancel_message(&self, request: u64) {
        let message = self.outbox.lock().take_request(request, Instant::now());
        self.conclude(message, Status::Canceled, None);
    }

    /// Ends all messages, for good.
    pub(super) fn end_messages(&self, status: Status) {
        let messages = self.outbox.lock().take_all(Instant::now());
        messages.into_iter().for_each(|message| self.conclude(Some(message), status, None));
    }

    /// Tells the outcome of a message and goes on with the next.
    fn conclude(&self, message: Option<Message>, status: Status, reply: Option<&Arc<Event>>) {
        if let Some(message) = message {
            self.tell_outcome(message, status, reply);
            self.pump();
        }
    }

    /// The store forgets the message before anybody is told: a callback may send it anew, and that has to stay.
    fn tell_outcome(&self, message: Message, status: Status, reply: Option<&Arc<Event>>) {
        if let Some(drawer) = &self.outbox.drawer {
            drawer.remove(&message.fingerprint);
        }
        match message.request {
            Some(number) => {
                self.decide(|requests| {
                    let done = requests.take(number);
                    done.map(|done| (done, Outcome { status, reply: reply.cloned() })).into_iter().collect()
                });
            }
            None => self.queue(Item::Event(Event::local(
                self.handle(),
                "outbox",
                &outcome_json(&message, status, reply.map(|event| event.json())),
            ))),
        }
    }

    /// Gives up the lock of the store's file, once every client of this process that shares it has: in the background another
    /// process may want it, and a system may end one that keeps it. Until `resume_store` messages are kept in memory alone.
    pub fn suspend_store(&self) {
        if let Some(drawer) = &self.outbox.drawer {
            let mut suspended = self.outbox.suspension();
            // A destroyed client has no part in the store any more.
            if self.may_call() && !std::mem::replace(&mut *suspended, true) {
                drawer.suspend();
            }
        }
    }

    /// Takes the lock again and writes what came meanwhile. Where that fails (another process has the file) it is tried again
    /// every second, and until then sending fails with the same words.
    pub fn resume_store(&self) -> Result<(), Failed> {
        let Some(drawer) = &self.outbox.drawer else { return Ok(()) };
        let mut suspended = self.outbox.suspension();
        match std::mem::take(&mut *suspended) {
            true => drawer.resume(),
            false => Ok(()),
        }
    }
}

/// The argument of an `outbox` event. The message and the reply stay as they were written.
fn outcome_json(message: &Message, status: Status, reply: Option<&str>) -> String {
    let fingerprint = serde_json::Value::from(message.fingerprint.as_str());
    let reply = reply.map_or(String::new(), |reply| format!(",\"reply\":{reply}"));
    let (number, json) = (status as i32, &message.json);
    format!("{{\"fp\":{fingerprint},\"status\":{number},\"message\":{json}{reply}}}")
}
