//! What shuttle has not: cells, threads that tell whether they have ended, and waits that end by themselves.

use std::sync::{
    atomic::{AtomicBool, Ordering::SeqCst},
    Arc, LockResult, OnceLock, PoisonError,
};

use shuttle::{
    future,
    rand::{thread_rng, Rng},
    sync::{self, MutexGuard},
};

/// once_cell's, as far as the library uses it.
pub struct OnceCell<T> {
    making: sync::Mutex<()>,
    value: OnceLock<T>,
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        OnceCell { making: sync::Mutex::new(()), value: OnceLock::new() }
    }
}

impl<T> OnceCell<T> {
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    pub fn get_or_try_init<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        match self.value.get() {
            Some(value) => Ok(value),
            None => make().map(|made| self.value.get_or_init(|| made)),
        }
    }

    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

/// A condition whose waits with a limit of time end whenever the schedule has it.
#[derive(Debug, Default)]
pub struct Condvar(Arc<sync::Condvar>);

pub struct WaitTimeoutResult;

impl WaitTimeoutResult {
    pub fn timed_out(&self) -> bool {
        true
    }
}

impl Condvar {
    pub fn new() -> Self {
        Condvar::default()
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.0.wait(guard)
    }

    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _: std::time::Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (condition, over) = (self.0.clone(), Arc::new(AtomicBool::new(false)));
        let seen = over.clone();
        drop(future::spawn(async move {
            while !seen.load(SeqCst) {
                condition.notify_all();
                future::yield_now().await;
            }
        }));
        let waited = self.0.wait(guard);
        over.store(true, SeqCst);
        Ok((waited.unwrap_or_else(PoisonError::into_inner), WaitTimeoutResult))
    }

    /// In half of the executions the time is long enough.
    pub fn wait_timeout_while<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: std::time::Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let mut guard = guard;
        if thread_rng().gen_bool(0.5) {
            guard = self.0.wait_while(guard, condition).unwrap_or_else(PoisonError::into_inner);
        } else if condition(&mut guard) {
            return self.wait_timeout(guard, limit);
        }
        Ok((guard, WaitTimeoutResult))
    }
}

pub mod thread {
    use std::{io, thread::Result};

    pub use shuttle::thread::yield_now;

    use super::{Arc, AtomicBool, SeqCst};

    pub struct JoinHandle<T> {
        handle: shuttle::thread::JoinHandle<T>,
        ended: Arc<AtomicBool>,
    }

    impl<T> JoinHandle<T> {
        pub fn join(self) -> Result<T> {
            self.handle.join()
        }

        pub fn is_finished(&self) -> bool {
            self.ended.load(SeqCst)
        }
    }

    pub struct Builder(shuttle::thread::Builder);

    impl Builder {
        pub fn new() -> Self {
            Builder(shuttle::thread::Builder::new())
        }

        pub fn name(self, name: String) -> Self {
            Builder(self.0.name(name))
        }

        pub fn spawn<T: Send + 'static>(
            self,
            run: impl FnOnce() -> T + Send + 'static,
        ) -> io::Result<JoinHandle<T>> {
            let ended = Arc::new(AtomicBool::new(false));
            let seen = ended.clone();
            let handle = self.0.spawn(move || {
                let result = run();
                seen.store(true, SeqCst);
                result
            })?;
            Ok(JoinHandle { handle, ended })
        }
    }
}
