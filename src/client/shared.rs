//! What all clients of the process share, for as long as there is one.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    log_sink::{LogCallback, LogSink},
    pool::{Pool, ThreadStart, Work},
    runtime::{Handle, Runtime},
    sleep_watch::{Clocks, Sleeper},
    store::{Contents, Drawer, Stores},
    Failed, Status,
};
use crate::{
    connection::Surroundings,
    log::Log,
    sync::{
        thread::{self, JoinHandle},
        Arc, Condvar, Mutex, MutexGuard, OnceCell, PoisonError, Weak,
    },
    transport::TlsCache,
};

struct Slot {
    /// Starts fallibly with its first user; the last one replaces it.
    runtime: Arc<OnceCell<Runtime>>,
    users: usize,
    /// Runtimes that are being ended just now.
    stopping: usize,
    /// Threads that could not be joined where their runtime ended: the one that ended it, or one in a slow log callback.
    leftover: Vec<JoinHandle<()>>,
}

pub struct Shared {
    slot: Mutex<Slot>,
    /// Signalled when a client is gone.
    gone: Condvar,
    surroundings: Surroundings,
    log_sink: Arc<LogSink>,
    stores: Stores,
    thread_start: ThreadStart,
    clocks: Clocks,
}

impl Shared {
    /// `thread_start` runs at the start of every thread of the library; `clocks` notice the machine's sleep.
    pub fn new(thread_start: ThreadStart, clocks: Clocks) -> Arc<Self> {
        let log = Arc::new(Log::default());
        let surroundings = Surroundings {
            memory: Arc::default(),
            tls: Arc::<TlsCache>::default(),
            log,
            hub: Arc::default(),
        };
        let shared = Arc::new(Shared {
            slot: Mutex::new(Slot { runtime: Arc::default(), users: 0, stopping: 0, leftover: Vec::new() }),
            gone: Condvar::new(),
            log_sink: Arc::new(LogSink::new(surroundings.log.clone())),
            stores: Stores::default(),
            surroundings,
            thread_start,
            clocks,
        });
        let weak = Arc::downgrade(&shared);
        shared.log().on_line(move || {
            if let Some(shared) = weak.upgrade() {
                shared.schedule_log();
            }
        });
        shared
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    pub fn log(&self) -> &Log {
        &self.surroundings.log
    }

    /// Opens an account's part of a store's file; `close_store` must follow.
    pub fn open_store(&self, path: &Path, account: &str) -> Result<(Drawer, Contents), Failed> {
        self.stores.open(path, account, &self.surroundings.log, self.thread_start)
    }

    /// Closes it; these messages, by their fingerprints, are the next client's.
    pub fn close_store(&self, drawer: &Drawer, messages: &[String], suspended: bool) {
        self.stores.close(drawer, messages, suspended);
    }

    /// Takes part in the runtime; the first to do so starts it. `release` must follow.
    pub fn join(&self) -> Result<(Handle, Arc<Pool>), Failed> {
        let cell = {
            let mut slot = self.lock();
            slot.users += 1;
            slot.leftover.retain(|handle| !handle.is_finished());
            slot.runtime.clone()
        };
        match cell.get_or_try_init(|| Runtime::start(self.thread_start, self.clocks)) {
            Ok(runtime) => Ok((runtime.handle.clone(), runtime.pool.clone())),
            Err(error) => {
                drop(cell);
                self.release();
                Err(start_failed(&error))
            }
        }
    }

    /// A client that `join`ed wants to know of the machine's sleep.
    pub fn watch_sleep(&self, sleeper: Weak<dyn Sleeper>) {
        let runtime = self.lock().runtime.clone();
        if let Some(runtime) = runtime.get() {
            runtime.sleepers.add(sleeper);
        }
    }

    /// Leaves the runtime; the last to do so ends it.
    pub fn release(&self) {
        let ended = {
            let mut slot = self.lock();
            slot.users -= 1;
            match slot.users {
                0 => {
                    slot.stopping += 1;
                    Some(std::mem::take(&mut slot.runtime))
                }
                _ => None,
            }
        };
        if let Some(cell) = ended {
            let leftover = end_of_cell(cell).map(Runtime::stop).unwrap_or_default();
            let mut slot = self.lock();
            slot.leftover.extend(leftover);
            slot.stopping -= 1;
        }
        self.gone.notify_all();
    }

    /// Clients that live, those included that are on their way out.
    pub fn users(&self) -> usize {
        self.lock().users
    }

    /// Waits until all clients are gone, then for threads that are ending; false when the time is over.
    pub fn wait_until_empty(&self, until: Instant) -> bool {
        let mut slot = self.lock();
        while slot.users > 0 || slot.stopping > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            slot = self.gone.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        // The last client's threads may still be ending: their end can't be waited for with a limit, only asked.
        while slot.leftover.iter().any(|handle| !handle.is_finished()) {
            if Instant::now() >= until {
                return false;
            }
            slot = self
                .gone
                .wait_timeout(slot, Duration::from_millis(1))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        slot.leftover.drain(..).for_each(|handle| drop(handle.join()));
        true
    }

    /// Sets or removes the log callback.
    pub fn set_log(&self, level: u8, callback: Option<LogCallback>) {
        self.log_sink.set(level, callback);
    }

    fn schedule_log(&self) {
        let runtime = self.lock().runtime.clone();
        if let Some(runtime) = runtime.get() {
            if self.log_sink.schedule() {
                runtime.pool.schedule(self.log_sink.clone() as Arc<dyn Work>);
            }
        }
    }
}

/// The runtime of a cell that nobody can reach any more. `join` and `schedule_log` hold a clone for a moment.
fn end_of_cell(mut cell: Arc<OnceCell<Runtime>>) -> Option<Runtime> {
    loop {
        match Arc::try_unwrap(cell) {
            Ok(cell) => return cell.into_inner(),
            Err(shared) => {
                cell = shared;
                thread::yield_now();
            }
        }
    }
}

fn start_failed(error: &io::Error) -> Failed {
    Failed::new(Status::System, format!("the library's threads can't be started: {error}"))
}
