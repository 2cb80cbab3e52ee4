//! Hands log lines to the caller's callback, on a thread of the pool.

use super::{inside::user_code, pool::Work};
use crate::{
    log::{Level, Log},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is called with a line. Dropping it runs the caller's free function.
pub type LogCallback = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// So many lines are handed over before a client has its turn.
const BATCH: usize = 64;

#[derive(Default)]
struct Inner {
    callback: Option<LogCallback>,
    scheduled: bool,
}

pub struct LogSink {
    log: Arc<Log>,
    inner: Mutex<Inner>,
}

impl LogSink {
    pub fn new(log: Arc<Log>) -> Self {
        LogSink { log, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the callback; without one, no call starts after this returns.
    pub fn set(&self, level: u8, callback: Option<LogCallback>) {
        let off = callback.is_none();
        // A line may have slipped in while there was no callback.
        if self.lock().callback.is_none() {
            self.log.clear();
        }
        self.log.set_level(if off { 0 } else { level });
        let old = std::mem::replace(&mut self.lock().callback, callback);
        if off {
            self.log.clear();
        }
        user_code(|| drop(old));
    }

    /// Says whether the pool has to be told that lines wait.
    pub fn schedule(&self) -> bool {
        !std::mem::replace(&mut self.lock().scheduled, true)
    }

    fn hand_over(&self) -> bool {
        let (callback, line) = {
            let mut inner = self.lock();
            let Some((callback, line)) = inner.callback.clone().zip(self.log.take()) else {
                inner.scheduled = false;
                return false;
            };
            (callback, line)
        };
        user_code(|| {
            callback(line.0, &line.1);
            drop(callback);
        });
        true
    }
}

impl Work for LogSink {
    fn run(self: Arc<Self>) -> bool {
        (0..BATCH).all(|_| self.hand_over())
    }
}
