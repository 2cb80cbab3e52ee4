//! A client: its state, its life, its subscriptions. What it sends is in `sending`, its end in `ending`.

use std::{panic::AssertUnwindSafe, time::Instant};

use futures_util::FutureExt;
use tokio::sync::Notify;

use super::{
    credentials::Keeper,
    dedupe::Delivered,
    ending::Ending,
    info::{Figures, Traffic},
    mailbox::{Item, Mailbox},
    outbox::Outbox,
    pool::Pool,
    replies::Replies,
    requests::Requests,
    runtime::Handle,
    spare::Spare,
    subscriptions::{Subscriptions, Topic},
    Callback, Done, Event, Failed, Options, Outcome, Shared, Status,
};
use crate::{
    connection::{self, Connected, Link, State},
    log::Level,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        thread, Arc, Mutex, MutexGuard, PoisonError,
    },
};

pub struct Client {
    handle: u64,
    options: Options,
    pub(super) shared: Arc<Shared>,
    pub(super) network: Handle,
    pool: Arc<Pool>,
    pub(super) link: Arc<Link>,
    pub(super) mailbox: Mailbox,
    pub(super) spare: Spare,
    /// For the pool, which keeps the client alive while it has work.
    pub(super) this: std::sync::Weak<Client>,
    subscriptions: Mutex<Subscriptions>,
    /// As the subscriptions say, for every emit to ask.
    pub(super) hears_sent: AtomicBool,
    requests: Mutex<Requests>,
    replies: Mutex<Replies>,
    pub(super) credentials: Keeper,
    pub(super) outbox: Outbox,
    pub(super) delivered: Delivered,
    /// The business error that came last, if it is one that ends a session.
    verdict: Mutex<Option<(i64, Instant)>>,
    connected: Mutex<Option<Connected>>,
    /// The largest packet that the server is known to take.
    pub(super) server_limit: AtomicUsize,
    pub(super) timer: Notify,
    pub(super) timer_runs: AtomicBool,
    /// The connection's task has ended.
    pub(super) network_is_over: AtomicBool,
    pub(super) ending: Ending,
    figures: Mutex<Figures>,
    pub(super) sent: Traffic,
    pub(super) received: Traffic,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// Makes a client and starts its task; the first client of the process starts the threads.
    pub fn start(handle: u64, options: Options, shared: Arc<Shared>) -> Result<Arc<Self>, Failed> {
        let (outbox, seen) = Outbox::open(&options.outbox, options.send_queue_bytes, &shared)?;
        let (network, pool) = match shared.join() {
            Ok(joined) => joined,
            Err(failed) => {
                outbox.close(&shared);
                return Err(failed);
            }
        };
        let client = Arc::new_cyclic(|this| Client {
            handle,
            link: Arc::new(Link::new(options.auto_connect, options.send_queue_bytes)),
            mailbox: Mailbox::new(options.receive_queue_bytes, options.manual),
            spare: Spare::default(),
            this: this.clone(),
            subscriptions: Mutex::default(),
            hears_sent: AtomicBool::new(false),
            requests: Mutex::default(),
            replies: Mutex::new(Replies::new()),
            outbox,
            delivered: Delivered::new(options.outbox.dedupe, seen),
            verdict: Mutex::default(),
            connected: Mutex::default(),
            server_limit: AtomicUsize::new(usize::MAX),
            timer: Notify::new(),
            timer_runs: AtomicBool::new(false),
            network_is_over: AtomicBool::new(false),
            ending: Ending::default(),
            credentials: Keeper::new(options.credentials.clone()),
            figures: Mutex::default(),
            sent: Traffic::default(),
            received: Traffic::default(),
            options,
            shared,
            network,
            pool,
        });
        client.log_ignored_options();
        // What an earlier client left may have deadlines.
        if client.outbox.first_deadline().is_some() {
            client.watch_deadlines();
        }
        client.spawn_connection();
        let sleeper: std::sync::Weak<Client> = client.this.clone();
        client.shared.watch_sleep(sleeper);
        Ok(client)
    }

    fn spawn_connection(self: &Arc<Self>) {
        let target = self.options.target.clone();
        let surroundings = self.shared.surroundings().clone();
        let task = connection::run(target, self.link.clone(), self.clone(), surroundings);
        let client = self.clone();
        // Not an async block, which would take the memory of the task twice.
        self.network.spawn(AssertUnwindSafe(task).catch_unwind().map(move |ended| {
            if ended.is_err() {
                client.log(
                    Level::Error,
                    format_args!("a defect of the library in the connection; the client closes"),
                );
                client.after_connection_panic();
            }
        }));
    }

    /// The connection's task is gone: told as a lost connection that is not made again.
    fn after_connection_panic(&self) {
        self.decide(|requests| all_with(requests.take_sent(), Status::Panic));
        self.end_messages(Status::Panic);
        let reason =
            r#"{"reason":"transport error","description":"a defect of the library","willReconnect":false}"#;
        self.queue(Item::Event(Event::local(self.handle, "disconnect", reason)));
        self.network_ends();
    }

    /// Nothing comes from the network any more.
    pub(super) fn network_ends(&self) {
        self.network_is_over.store(true, Ordering::Release);
        self.schedule();
        if self.options.manual {
            self.end_if_due();
        }
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

    /// The connection changed its transport; false where nobody was told of it yet.
    pub(super) fn set_transport(&self, transport: &'static str) -> bool {
        match &mut *self.connected() {
            Some(connected) => {
                connected.transport = transport;
                true
            }
            None => false,
        }
    }

    pub(super) fn connected(&self) -> MutexGuard<'_, Option<Connected>> {
        locked(&self.connected)
    }

    pub(super) fn figures(&self) -> MutexGuard<'_, Figures> {
        locked(&self.figures)
    }

    /// May a callback start?
    pub(super) fn may_call(&self) -> bool {
        !self.ending.has_begun()
    }

    pub(super) fn network_ended(&self) -> bool {
        self.network_is_over.load(Ordering::Acquire) && self.ending.has_begun()
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
        let count = self.decide_silently(choose);
        self.announce();
        count
    }

    /// As `decide`; `announce` has to follow. Whoever is woken may want the lock, so that comes after it.
    pub(super) fn decide_silently(
        &self,
        choose: impl FnOnce(&mut Requests) -> Vec<(Done, Outcome)>,
    ) -> usize {
        let mut requests = self.requests();
        let decided = choose(&mut requests);
        let count = decided.len();
        for (done, outcome) in decided.into_iter().filter(|(done, _)| !done.is_silent()) {
            self.mailbox.push_silently(Item::Outcome(done, outcome));
        }
        count
    }

    /// Lets the pool hear of what was queued silently.
    pub(super) fn announce(&self) {
        if let Some(count) = self.mailbox.announce_all() {
            self.tell_pool();
            if count == 1 {
                // On a machine whose cores are busy that thread would wait until this one has found out that nothing else came.
                // Of many, more may come meanwhile, for the same wake-up.
                thread::yield_now();
            }
        }
    }

    /// Lets the pool look at this client.
    pub(super) fn schedule(&self) {
        if self.mailbox.schedule() {
            self.tell_pool();
        }
    }

    pub(super) fn tell_pool(&self) {
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

    /// Closes, and drops what is unsent, messages in the store included; requests end as canceled.
    pub fn destroy_socket(&self) {
        // Before the close, whose loss of the connection would decide those that went out.
        self.decide(|requests| all_with(requests.take_all(), Status::Canceled));
        self.end_messages(Status::Canceled);
        self.link.drop_all();
        self.link.close();
    }

    pub fn state(&self) -> State {
        self.link.state()
    }

    pub fn socket_id(&self) -> Option<String> {
        self.connected().as_ref().map(|connected| connected.socket_id.clone())
    }

    // Events.

    /// Subscribes to events. Where that fails, the callback comes back to be dropped by the caller.
    pub fn subscribe(
        &self,
        topic: Topic<'_>,
        once: bool,
        callback: Callback,
    ) -> Result<i64, (Callback, Failed)> {
        let mut subscriptions = self.subscriptions();
        let added = subscriptions.add(topic, once, callback);
        self.hears_sent.store(subscriptions.hears_sent(), Ordering::Release);
        drop(subscriptions);
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
        self.hears_sent.store(subscriptions.hears_sent(), Ordering::Release);
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
}

/// The same failure for all of these requests.
pub(super) fn all_with(requests: impl IntoIterator<Item = Done>, status: Status) -> Vec<(Done, Outcome)> {
    requests.into_iter().map(|done| (done, Outcome::failed(status))).collect()
}
