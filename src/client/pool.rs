//! The threads that run the callers' callbacks: one, and one more whenever a callback has run for 50 ms while others wait.
//! While so many callbacks block as there may be threads, the others wait: the header says so.

use std::{cell::RefCell, collections::VecDeque, io, time::Duration};

use crate::sync::{
    atomic::{AtomicBool, AtomicU64, Ordering},
    thread::{self, JoinHandle},
    thread_local, Arc, Condvar, Mutex, MutexGuard, PoisonError,
};

const MOST_THREADS: usize = 16;
/// A thread beyond the first ends after so long without work.
const IDLE: Duration = Duration::from_secs(5);
/// A callback that has run for so long is not waited for.
pub const PATIENCE: Duration = Duration::from_millis(50);

/// Something with callbacks to run: a client, or the log.
pub trait Work: Send + Sync {
    /// Runs a batch; says whether there is more. Never called by two threads at a time.
    fn run(self: Arc<Self>) -> bool;
}

/// Runs at the start of every thread of the library.
pub type ThreadStart = fn();

#[derive(Default)]
struct State {
    ready: VecDeque<Arc<dyn Work>>,
    workers: Vec<Arc<Worker>>,
    handles: Vec<JoinHandle<()>>,
    idle: usize,
    stopping: bool,
    /// Somebody will look at the time soon.
    watched: bool,
}

/// Counts callbacks, so that the watch sees whether a worker moves.
#[derive(Default)]
struct Worker {
    callbacks: AtomicU64,
    seen: AtomicU64,
    /// A thread was added for the callback that keeps this one.
    replaced: AtomicBool,
}

pub struct Pool {
    state: Mutex<State>,
    ready: Condvar,
    /// Signalled when a thread ends.
    ended: Condvar,
    thread_start: ThreadStart,
    /// Arranges that `watch` is called after `PATIENCE`.
    alarm: Box<dyn Fn() + Send + Sync>,
}

thread_local! {
    static WORKER: RefCell<Option<Arc<Worker>>> = const { RefCell::new(None) };
}

/// A callback begins on this thread.
pub fn tick() {
    // Code of the caller's may run when the thread-locals are gone: at the end of a thread.
    let _ = WORKER.try_with(|worker| {
        if let Some(worker) = &*worker.borrow() {
            // Nobody else counts here.
            worker.callbacks.store(worker.callbacks.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    });
}

pub fn is_pool_thread() -> bool {
    WORKER.try_with(|worker| worker.borrow().is_some()).unwrap_or(false)
}

impl Pool {
    pub fn new(thread_start: ThreadStart, alarm: Box<dyn Fn() + Send + Sync>) -> Self {
        Pool { state: Mutex::default(), ready: Condvar::new(), ended: Condvar::new(), thread_start, alarm }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the first thread, so that a failure is the caller's to see.
    pub fn start(self: &Arc<Self>) -> io::Result<()> {
        let mut state = self.lock();
        self.spawn(&mut state)
    }

    /// Runs the work soon.
    pub fn schedule(&self, work: Arc<dyn Work>) {
        let mut state = self.lock();
        state.ready.push_back(work);
        // A thread that was woken for other work counts as idle until it has taken that.
        if state.ready.len() > state.idle {
            self.begin_watch(&mut state);
        }
        if state.idle > 0 {
            drop(state);
            self.ready.notify_one();
        }
    }

    fn begin_watch(&self, state: &mut State) {
        if state.watched || state.stopping || state.workers.len() >= MOST_THREADS {
            return;
        }
        state.watched = true;
        for worker in &state.workers {
            worker.seen.store(worker.callbacks.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        (self.alarm)();
    }

    /// Adds a thread where work waits and a callback has not returned for `PATIENCE`.
    pub fn watch(self: &Arc<Self>) {
        let mut state = self.lock();
        state.watched = false;
        if state.ready.is_empty() || state.stopping {
            return;
        }
        // Every callback that takes so long is worth one thread, once.
        let mut stuck = false;
        for worker in &state.workers {
            let moves = worker.callbacks.load(Ordering::Relaxed) != worker.seen.load(Ordering::Relaxed);
            let was_replaced = worker.replaced.swap(!moves, Ordering::Relaxed);
            stuck |= !moves && !was_replaced;
        }
        if stuck && state.idle == 0 && state.workers.len() < MOST_THREADS {
            // Without another thread the work waits for a callback to return, as it would with the most of them.
            let _ = self.spawn(&mut state);
        }
        self.begin_watch(&mut state);
    }

    fn spawn(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let worker = Arc::new(Worker::default());
        let (pool, own) = (self.clone(), worker.clone());
        let handle = thread::Builder::new().name("im-callbacks".into()).spawn(move || {
            (pool.thread_start)();
            WORKER.with(|worker| *worker.borrow_mut() = Some(own.clone()));
            pool.work(&own);
        })?;
        state.handles.retain(|handle| !handle.is_finished());
        state.handles.push(handle);
        state.workers.push(worker);
        Ok(())
    }

    fn work(&self, own: &Arc<Worker>) {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.ready.pop_front() {
                drop(state);
                let more = work.clone().run();
                state = self.lock();
                if more {
                    state.ready.push_back(work);
                } else {
                    // The last reference may drop much: not under the lock.
                    drop(state);
                    drop(work);
                    state = self.lock();
                }
                continue;
            }
            if state.stopping {
                break;
            }
            state.idle += 1;
            let first = state.workers.first().is_some_and(|first| Arc::ptr_eq(first, own));
            let timed_out;
            (state, timed_out) = self.sleep(state, first);
            state.idle -= 1;
            if timed_out && !first && state.ready.is_empty() {
                break;
            }
        }
        state.workers.retain(|worker| !Arc::ptr_eq(worker, own));
        self.ended.notify_all();
    }

    fn sleep<'a>(&self, state: MutexGuard<'a, State>, first: bool) -> (MutexGuard<'a, State>, bool) {
        if first {
            return (self.ready.wait(state).unwrap_or_else(PoisonError::into_inner), false);
        }
        let (state, timeout) = self.ready.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
        (state, timeout.timed_out())
    }

    /// Ends the threads once nothing is ready, and joins them. The handles of those come back that can't be waited for: of the
    /// thread that calls, and of one that is kept by a log callback for long, which may wait for what the caller holds.
    pub fn stop(&self) -> Vec<JoinHandle<()>> {
        let handles = {
            let mut state = self.lock();
            state.stopping = true;
            self.ready.notify_all();
            let own = usize::from(is_pool_thread());
            let others_run = |state: &mut State| state.workers.len() > own;
            let waited = self.ended.wait_timeout_while(state, PATIENCE, others_run);
            std::mem::take(&mut waited.unwrap_or_else(PoisonError::into_inner).0.handles)
        };
        // A thread that has left the list of workers only returns.
        let mut left = Vec::new();
        let busy = !self.lock().workers.is_empty();
        for handle in handles {
            if busy && !handle.is_finished() {
                left.push(handle);
            } else {
                // A panic on that thread was already contained.
                let _ = handle.join();
            }
        }
        left
    }
}
