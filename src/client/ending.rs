//! The end of a client.

use std::cell::RefCell;

use super::{
    client::Client,
    inside::{inside_library_code, user_code},
    pool::is_pool_thread,
    takers::Wait,
    Done,
};
use crate::sync::{
    atomic::{AtomicBool, Ordering},
    thread_local, Arc, Condvar, Mutex, MutexGuard, PoisonError,
};

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
    /// The thread in `destroy` waits; with manual delivery it does the rest itself.
    Join,
    /// The pool's thread does the rest, and calls this.
    Detached(Option<Box<dyn FnOnce() + Send>>),
}

#[derive(Default)]
struct State {
    afterwards: Option<Afterwards>,
    finished: bool,
}

/// How far the end of a client has come.
#[derive(Default)]
pub struct Ending {
    begun: AtomicBool,
    state: Mutex<State>,
    finished: Condvar,
}

impl Ending {
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, afterwards: Afterwards) {
        self.lock().afterwards = Some(afterwards);
        self.begun.store(true, Ordering::Release);
    }

    /// The thread that waited gives up.
    fn detach(&self) {
        self.lock().afterwards = Some(Afterwards::Detached(None));
    }

    fn is_detached(&self) -> bool {
        matches!(self.lock().afterwards, Some(Afterwards::Detached(_)))
    }

    fn wait(&self) {
        let mut state = self.lock();
        while !state.finished {
            state = self.finished.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn finish(&self) -> Option<Afterwards> {
        let mut state = self.lock();
        state.finished = true;
        self.finished.notify_all();
        state.afterwards.take()
    }
}

thread_local! {
    /// Clients with manual delivery that code on this thread has destroyed.
    static DEFERRED: RefCell<Vec<Arc<Client>>> = const { RefCell::new(Vec::new()) };
}

/// Ends the clients with manual delivery that were destroyed inside code on this thread, once that has returned: what is
/// called at their end is called on the thread that destroyed them. No lock may be held.
pub fn end_deferred() {
    if inside_library_code() {
        return;
    }
    // A thread that ends has none any more.
    while let Ok(Some(client)) = DEFERRED.try_with(|deferred| deferred.borrow_mut().pop()) {
        client.join_end(Wait::WithoutEnd);
    }
}

/// A forked child ends none of its parent's clients, and frees nothing of theirs.
pub fn forget_deferred_in_child() {
    let _ = DEFERRED.try_with(|deferred| std::mem::forget(deferred.take()));
}

impl Client {
    /// Ends the client, whose handle nobody can use any more: joins, unless the calling code would wait for itself.
    pub fn destroy(self: &Arc<Self>) -> Destroyed {
        if !inside_library_code() {
            self.begin_end(Afterwards::Join);
            self.join_end(Wait::WithoutEnd);
            return Destroyed::Done;
        }
        // With manual delivery no foreign thread enters user code; a thread of the library's has none of its own.
        let ends_here = self.options().manual && !is_pool_thread() && self.defer();
        self.begin_end(if ends_here { Afterwards::Join } else { Afterwards::Detached(None) });
        Destroyed::Deferred
    }

    /// Leaves the end to this thread, once the code that it runs has returned; not where the thread itself ends.
    fn defer(self: &Arc<Self>) -> bool {
        DEFERRED.try_with(|deferred| deferred.borrow_mut().push(self.clone())).is_ok()
    }

    /// Begins to end the client on this thread; `end_here` has to follow.
    pub fn begin_end_here(&self) {
        self.begin_end(Afterwards::Join);
    }

    /// Ends the client on this thread, or on one of the library's where the time is over before.
    pub fn end_here(&self, wait: Wait) {
        if !self.join_end(wait) {
            self.ending.detach();
            self.end_if_due();
        }
    }

    fn join_end(&self, wait: Wait) -> bool {
        if self.options().manual {
            if !self.mailbox.wait_for_quiet(&self.network_is_over, wait) {
                return false;
            }
            self.finish();
        } else {
            self.ending.wait();
        }
        self.shared.release();
        true
    }

    /// With manual delivery: lets the pool end a client that nobody waits for, once nobody takes from it any more.
    pub(super) fn end_if_due(&self) {
        if self.ending.is_detached() && self.mailbox.claim_end(&self.network_is_over) {
            self.tell_pool();
        }
    }

    /// Ends the client without waiting; `done` is called at the very end.
    pub fn destroy_detached(&self, done: Option<Box<dyn FnOnce() + Send>>) {
        self.begin_end(Afterwards::Detached(done));
    }

    fn begin_end(&self, afterwards: Afterwards) {
        self.ending.begin(afterwards);
        self.link.end();
        self.timer.notify_one();
        if self.options().manual {
            self.mailbox.end_taking();
            self.end_if_due();
        } else {
            self.schedule();
        }
    }

    /// Decides everything that still waits for an answer; no request is added any more.
    pub(super) fn end_requests(&self) -> Vec<Done> {
        let mut requests = self.requests();
        requests.end();
        let all = requests.take_all();
        drop(requests);
        // They stay in the store, for the next client.
        self.outbox.close(&self.shared);
        self.timer.notify_one();
        all
    }

    /// Nothing of the caller's runs any more.
    pub(super) fn finished(&self) {
        if let Some(Afterwards::Detached(done)) = self.ending.finish() {
            if let Some(done) = done {
                user_code(done);
            }
            self.shared.release();
        }
    }
}
