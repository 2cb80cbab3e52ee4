//! The end of a client.

use std::sync::{
    atomic::{AtomicBool, Ordering},
    Condvar, Mutex, MutexGuard, PoisonError,
};

use super::{
    client::Client,
    inside::{inside_library_code, user_code},
    Done,
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
    /// The thread in `destroy` waits and does the rest.
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

impl Client {
    /// Ends the client, whose handle nobody can use any more: joins, unless the calling code would wait for itself.
    pub fn destroy(&self) -> Destroyed {
        if inside_library_code() {
            self.begin_end(Afterwards::Detached(None));
            return Destroyed::Deferred;
        }
        self.begin_end(Afterwards::Join);
        self.ending.wait();
        self.shared.release();
        Destroyed::Done
    }

    /// Ends the client without waiting; `done` is called at the very end.
    pub fn destroy_detached(&self, done: Option<Box<dyn FnOnce() + Send>>) {
        self.begin_end(Afterwards::Detached(done));
    }

    fn begin_end(&self, afterwards: Afterwards) {
        self.ending.begin(afterwards);
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
