//! A client: its operations, which the C ABI calls, and its state.

use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
    },
    time::{Duration, Instant},
};

use serde_json::value::RawValue;
use tokio::{runtime::Handle, sync::Notify};

use super::{
    from_network::{request_id, request_number},
    inside::{inside_library_code, user_code},
    mailbox::{Item, Mailbox},
    pool::Pool,
    replies::Replies,
    requests::Requests,
    subscriptions::Subscriptions,
    Callback, Done, Event, Failed, Options, Outcome, Shared, Status,
};
use crate::{
    connection::{self, Connected, Link, Outgoing, State},
    im,
    log::Level,
    socketio::{encode_ack, encode_event, RESERVED_EVENTS},
};

/// How an event is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmitFlags {
    /// Dropped unless the client is connected.
    pub volatile: bool,
}

/// How a destroy went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destroyed {
    /// Nothing of the client runs any more.
    Done,
    /// The rest happens without the caller.
    Deferred,
}

/// What happens when the last of a destroyed client has run.
enum Afterwards {
    /// The thread in `destroy` waits and does the rest.
    Join,
    /// The pool's thread does the rest, and calls this.
    Detached(Option<Box<dyn FnOnce() + Send>>),
}

struct Ending {
    afterwards: Option<Afterwards>,
    finished: bool,
}

pub struct Client {
    handle: u64,
    options: Options,
    shared: Arc<Shared>,
    network: Handle,
    pool: Arc<Pool>,
    pub(super) link: Arc<Link>,
    pub(super) mailbox: Mailbox,
    /// For the pool, which keeps the client alive while it has work.
    this: std::sync::Weak<Client>,
    subscriptions: Mutex<Subscriptions>,
    requests: Mutex<Requests>,
    replies: Mutex<Replies>,
    /// The business error that came last, if it is one that ends a session.
    verdict: Mutex<Option<(i64, Instant)>>,
    connected: Mutex<Option<Connected>>,
    timer: Notify,
    timer_runs: AtomicBool,
    destroyed: AtomicBool,
    /// The connection's task has ended.
    pub(super) network_is_over: AtomicBool,
    ending: Mutex<Ending>,
    end: Condvar,
    received: AtomicU64,
    received_bytes: AtomicU64,
    sent: AtomicU64,
    sent_bytes: AtomicU64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// Makes a client and starts its task; the first client of the process starts the threads.
    pub fn start(handle: u64, options: Options, shared: Arc<Shared>) -> Result<Arc<Self>, Failed> {
        let (network, pool) = shared.join()?;
        let client = Arc::new_cyclic(|this| Client {
            handle,
            link: Arc::new(Link::new(options.auto_connect, options.send_queue_bytes)),
            mailbox: Mailbox::new(options.receive_queue_bytes),
            this: this.clone(),
            subscriptions: Mutex::default(),
            requests: Mutex::default(),
            replies: Mutex::new(Replies::new()),
            verdict: Mutex::default(),
            connected: Mutex::default(),
            timer: Notify::new(),
            timer_runs: AtomicBool::new(false),
            destroyed: AtomicBool::new(false),
            network_is_over: AtomicBool::new(false),
            ending: Mutex::new(Ending { afterwards: None, finished: false }),
            end: Condvar::new(),
            received: AtomicU64::new(0),
            received_bytes: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            options,
            shared,
            network,
            pool,
        });
        client.log_ignored_options();
        client.spawn_connection();
        Ok(client)
    }

    fn spawn_connection(self: &Arc<Self>) {
        let target = Arc::new(self.options.target.clone());
        let surroundings = self.shared.surroundings().clone();
        let task = connection::run(target, self.link.clone(), self.clone(), surroundings);
        let (supervised, client) = (self.network.spawn(task), self.clone());
        self.network.spawn(async move {
            if supervised.await.is_err() {
                client.log(
                    Level::Error,
                    format_args!("a defect of the library in the connection; the client closes"),
                );
                client.after_connection_panic();
            }
        });
    }

    /// The connection's task is gone: told as a lost connection that is not made again.
    fn after_connection_panic(&self) {
        self.decide(|requests| all_with(requests.take_sent(), Status::Panic));
        let reason =
            r#"{"reason":"transport error","description":"a defect of the library","willReconnect":false}"#;
        self.queue(Item::Event(Event::local(self.handle, "disconnect", reason)));
        self.network_is_over.store(true, Ordering::Release);
        self.schedule();
    }

    pub(super) fn close_after_panic(&self) {
        self.link.close();
    }

    fn log_ignored_options(&self) {
        for name in &self.options.ignored {
            self.log(Level::Warn, format_args!("the option {name:?} has no meaning here and is ignored"));
        }
    }

    pub(super) fn log(&self, level: Level, line: std::fmt::Arguments<'_>) {
        self.shared.log().write(level, format_args!("client {}: {line}", self.handle));
    }

    // What the other files of this floor see.

    pub fn handle(&self) -> u64 {
        self.handle
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        locked(&self.subscriptions)
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Requests> {
        locked(&self.requests)
    }

    pub(super) fn replies(&self) -> MutexGuard<'_, Replies> {
        locked(&self.replies)
    }

    pub(super) fn verdict(&self) -> MutexGuard<'_, Option<(i64, Instant)>> {
        locked(&self.verdict)
    }

    pub(super) fn set_connected(&self, connected: Option<Connected>) {
        *locked(&self.connected) = connected;
    }

    pub(super) fn connected(&self) -> MutexGuard<'_, Option<Connected>> {
        locked(&self.connected)
    }

    pub(super) fn count_received(&self, bytes: usize) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn count_sent(&self, bytes: usize) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Messages and bytes, received and sent.
    pub(super) fn counters(&self) -> [u64; 4] {
        [&self.received, &self.received_bytes, &self.sent, &self.sent_bytes]
            .map(|c| c.load(Ordering::Relaxed))
    }

    /// May a callback start?
    pub(super) fn may_call(&self) -> bool {
        !self.destroyed.load(Ordering::Acquire)
    }

    pub(super) fn network_ended(&self) -> bool {
        self.network_is_over.load(Ordering::Acquire) && self.destroyed.load(Ordering::Acquire)
    }

    /// Queues something for the callbacks.
    pub(super) fn queue(&self, item: Item) {
        if self.mailbox.push(item) {
            self.tell_pool();
        }
    }

    /// Decides requests. Their outcomes are queued under the same lock, so that the end of the client either finds a request
    /// undecided or finds its outcome queued. Says how many there were.
    pub(super) fn decide(&self, choose: impl FnOnce(&mut Requests) -> Vec<(Done, Outcome)>) -> usize {
        let mut requests = self.requests();
        let decided = choose(&mut requests);
        let count = decided.len();
        for (done, outcome) in decided {
            self.queue(Item::Outcome(done, outcome));
        }
        count
    }

    /// Lets the pool look at this client.
    pub(super) fn schedule(&self) {
        if self.mailbox.schedule() {
            self.tell_pool();
        }
    }

    fn tell_pool(&self) {
        if let Some(this) = self.this.upgrade() {
            self.pool.schedule(this);
        }
    }

    /// A request of the server that nobody will see can't be answered.
    pub(super) fn give_up_reply(&self, event: &Event) {
        if event.ack_id() != 0 {
            // That it is not there any more is as good.
            let _ = self.replies().answer(event.ack_id());
        }
    }

    // Connection.

    pub fn open(&self) {
        self.link.open();
    }

    pub fn close(&self) {
        self.link.close();
    }

    /// Closes, and drops what is unsent; requests end as canceled.
    pub fn destroy_socket(&self) {
        self.link.close();
        self.link.drop_where(|_| true);
        self.decide(|requests| all_with(requests.take_all(), Status::Canceled));
    }

    pub fn state(&self) -> State {
        self.link.state()
    }

    pub fn socket_id(&self) -> Option<String> {
        self.connected().as_ref().map(|connected| connected.socket_id.clone())
    }

    // Events.

    /// Subscribes to an event, or to any. Where that fails, the callback comes back to be dropped by the caller.
    pub fn subscribe(
        &self,
        event: Option<&str>,
        once: bool,
        callback: Callback,
    ) -> Result<i64, (Callback, Failed)> {
        let added = self.subscriptions().add(event, once, callback);
        match added {
            Ok((id, replay)) => {
                if replay {
                    self.schedule();
                }
                Ok(id)
            }
            Err(callback) => Err((callback, Failed::destroyed())),
        }
    }

    pub fn unsubscribe(&self, id: i64) -> Result<(), Failed> {
        // Queued under the lock, so that the end of the client finds the callback in one place or the other.
        let mut subscriptions = self.subscriptions();
        let removed = subscriptions.remove(id);
        let callback = removed
            .ok_or_else(|| Failed::new(Status::NotFound, format!("no subscription {id} of this client")))?;
        self.queue(Item::Drop(vec![callback]));
        Ok(())
    }

    pub fn unsubscribe_event(&self, event: &str) -> Result<(), Failed> {
        let mut subscriptions = self.subscriptions();
        let removed = subscriptions.remove_event(event);
        if removed.is_empty() {
            return Err(Failed::new(Status::NotFound, format!("nobody subscribes to {event:?}")));
        }
        self.queue(Item::Drop(removed));
        Ok(())
    }

    // Sending.

    /// Sends an event; `arguments` are JSON values joined by commas.
    pub fn emit(&self, event: &str, arguments: &str, flags: EmitFlags) -> Result<(), Failed> {
        let frame = self.frame(event, None, arguments)?;
        if flags.volatile && self.link.state() != State::Connected {
            return Ok(());
        }
        self.send(Outgoing { frame, request: None, connection: None, volatile: flags.volatile })
    }

    fn frame(&self, event: &str, id: Option<u64>, arguments: &str) -> Result<String, Failed> {
        if RESERVED_EVENTS.contains(&event) {
            let message = format!("the event name {event:?} is reserved for the connection itself");
            return Err(Failed::new(Status::InvalidArgument, message));
        }
        let name = self.options.event_names.outgoing(event);
        let plain = name.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
        let name = match plain {
            true => format!("\"{name}\""),
            false => serde_json::Value::from(name).to_string(),
        };
        Ok(encode_event(&self.options.target.namespace, id, &name, arguments))
    }

    fn send(&self, frame: Outgoing) -> Result<(), Failed> {
        let bytes = frame.frame.len();
        self.link.send(frame).map_err(|full| {
            let message = format!(
                "{} of at most {} bytes wait to be sent (option \"sendQueueBytes\")",
                full.waiting, full.limit
            );
            Failed::new(Status::QueueFull, message)
        })?;
        self.count_sent(bytes);
        Ok(())
    }

    /// An emit of the library's own; it may exceed the bound of the queue, for a receipt must not get lost.
    pub(super) fn emit_own(&self, emit: im::Emit) {
        let frame = encode_event(
            &self.options.target.namespace,
            None,
            &format!("\"{}\"", emit.event),
            &emit.argument,
        );
        self.count_sent(frame.len());
        self.link.send_own(Outgoing { frame, request: None, connection: None, volatile: false });
    }

    /// Sends an event that the server acknowledges. Where that fails, the callback comes back to be dropped.
    pub fn emit_with_ack(
        &self,
        event: &str,
        arguments: &str,
        timeout: Option<Duration>,
        done: Done,
    ) -> Result<i64, (Done, Failed)> {
        // The name is checked before anything is registered.
        if let Err(failed) = self.frame(event, None, "") {
            return Err((done, failed));
        }
        self.request(done, None, timeout, |number| self.frame(event, Some(number), arguments))
    }

    /// Sends a message; its outcome is the server's `to_ack`.
    pub fn send_message(
        &self,
        message: &str,
        timeout: Option<Duration>,
        done: Done,
    ) -> Result<i64, (Done, Failed)> {
        let (message, fingerprint) = match im::with_fingerprint(message) {
            Ok(made) => made,
            Err(fault) => return Err((done, Failed::new(Status::Json, fault))),
        };
        self.request(done, Some(fingerprint), timeout, |_| self.frame("to", None, &message))
    }

    fn request(
        &self,
        done: Done,
        fingerprint: Option<String>,
        timeout: Option<Duration>,
        frame: impl FnOnce(u64) -> Result<String, Failed>,
    ) -> Result<i64, (Done, Failed)> {
        let timeout = timeout.or(self.options.ack_timeout);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (number, first) = self.requests().add(done, fingerprint, deadline)?;
        let sent = frame(number).and_then(|frame| {
            self.send(Outgoing { frame, request: Some(number), connection: None, volatile: false })
        });
        if let Err(failed) = sent {
            // Somebody else (a destroy) may have decided it meanwhile: then it was accepted.
            if let Some(done) = self.requests().take(number) {
                return Err((done, failed));
            }
        }
        if first {
            self.watch_deadlines();
        }
        Ok(request_id(number))
    }

    /// Ends a request; its callback is called with `Canceled`.
    pub fn cancel(&self, request: i64) -> Result<(), Failed> {
        let unknown = || {
            let message = format!("no request {request} waits for an answer; its outcome may be decided");
            Failed::new(Status::NotFound, message)
        };
        let number = request_number(request).ok_or_else(&unknown)?;
        let decided = self.decide(|requests| all_with(requests.take(number), Status::Canceled));
        if decided == 0 {
            return Err(unknown());
        }
        self.link.drop_where(|frame| frame.request == Some(number));
        Ok(())
    }

    /// Answers a request of the server.
    pub fn reply(&self, ack_id: u64, arguments: &str) -> Result<(), Failed> {
        let connection = self.link.connection();
        let wire_id = self.replies().answer(ack_id)?;
        let frame = encode_ack(&self.options.target.namespace, wire_id, arguments);
        self.count_sent(frame.len());
        self.link.send_own(Outgoing { frame, request: None, connection: Some(connection), volatile: false });
        Ok(())
    }

    /// Waits until all that is queued was written to the socket.
    pub fn flush(&self, timeout: Option<Duration>) -> Result<(), Failed> {
        if inside_library_code() {
            let message = "a flush inside a callback would wait for itself";
            return Err(Failed::new(Status::Deadlock, message));
        }
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        match self.link.flush(until) {
            Some(true) => Ok(()),
            Some(false) => {
                let (frames, _) = self.link.waiting();
                let message = format!("{frames} packets still wait to be sent");
                Err(Failed::new(Status::Timeout, message))
            }
            None => Err(Failed::destroyed()),
        }
    }

    // Timeouts of requests: a task that runs only while there are some.

    fn watch_deadlines(&self) {
        if self.timer_runs.swap(true, Ordering::AcqRel) {
            self.timer.notify_one();
            return;
        }
        if let Some(this) = self.this.upgrade() {
            self.network.spawn(this.run_timer());
        }
    }

    async fn run_timer(self: Arc<Self>) {
        loop {
            let first = self.requests().first_deadline();
            let Some(at) = first else {
                self.timer_runs.store(false, Ordering::Release);
                // One that was added in between has seen the flag still set.
                if self.requests().first_deadline().is_none() || self.timer_runs.swap(true, Ordering::AcqRel)
                {
                    return;
                }
                continue;
            };
            tokio::select! {
                () = tokio::time::sleep_until(at.into()) => self.expire_requests(),
                () = self.timer.notified() => {}
            }
        }
    }

    fn expire_requests(&self) {
        let now = Instant::now();
        let mut expired = Vec::new();
        self.decide(|requests| {
            let mut decided = Vec::new();
            while let Some((number, done)) = requests.take_expired(now) {
                expired.push(number);
                decided.push((done, Outcome::failed(Status::Timeout)));
            }
            decided
        });
        self.link.drop_where(|frame| frame.request.is_some_and(|request| expired.contains(&request)));
    }

    // The end.

    /// Ends the client, whose handle nobody can use any more: joins, unless the calling code would wait for itself.
    pub fn destroy(&self) -> Destroyed {
        if inside_library_code() {
            self.begin_end(Afterwards::Detached(None));
            return Destroyed::Deferred;
        }
        self.begin_end(Afterwards::Join);
        let mut ending = locked(&self.ending);
        while !ending.finished {
            ending = self.end.wait(ending).unwrap_or_else(PoisonError::into_inner);
        }
        drop(ending);
        self.shared.release();
        Destroyed::Done
    }

    /// Ends the client without waiting; `done` is called at the very end.
    pub fn destroy_detached(&self, done: Option<Box<dyn FnOnce() + Send>>) {
        self.begin_end(Afterwards::Detached(done));
    }

    fn begin_end(&self, afterwards: Afterwards) {
        locked(&self.ending).afterwards = Some(afterwards);
        self.destroyed.store(true, Ordering::Release);
        self.link.end();
        self.timer.notify_one();
        self.schedule();
    }

    /// Decides everything that still waits for an answer; no request is added any more.
    pub(super) fn end_requests(&self) -> Vec<Done> {
        let mut requests = self.requests();
        requests.end();
        let all = requests.take_all();
        drop(requests);
        self.timer.notify_one();
        all
    }

    /// Nothing of the caller's runs any more.
    pub(super) fn finished(&self) {
        let afterwards = {
            let mut ending = locked(&self.ending);
            ending.finished = true;
            ending.afterwards.take()
        };
        match afterwards {
            Some(Afterwards::Join) | None => self.end.notify_all(),
            Some(Afterwards::Detached(done)) => {
                if let Some(done) = done {
                    user_code(done);
                }
                self.shared.release();
            }
        }
    }
}

/// The same failure for all of these requests.
pub(super) fn all_with(requests: impl IntoIterator<Item = Done>, status: Status) -> Vec<(Done, Outcome)> {
    requests.into_iter().map(|done| (done, Outcome::failed(status))).collect()
}

/// Checks that a text is one JSON value, in one pass; gives it without the space around it.
pub fn json_value(text: &str) -> Result<&str, Failed> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => Ok(raw.get()),
        Err(error) => Err(Failed::new(Status::Json, format!("no valid JSON: {error}"))),
    }
}

/// Checks that a text is a JSON array; gives what stands between its brackets.
pub fn json_arguments(text: &str) -> Result<&str, Failed> {
    let array = json_value(text)?;
    array
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .map(str::trim)
        .ok_or_else(|| Failed::new(Status::Json, "the arguments must be a JSON array"))
}
