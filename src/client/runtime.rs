//! The threads that all clients share: the network thread with its tokio runtime, and the pool that runs callbacks. They
//! start with the first client and end with the last.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

pub use tokio::runtime::Handle;

use super::{
    pool::{Pool, ThreadStart, PATIENCE},
    sleep_watch::{self, Clocks, Sleepers},
};

/// The thread for name lookups may hang in the system's resolver; the end of the runtime waits no longer for it.
const LOOKUP_END: Duration = Duration::from_millis(500);

/// On the network thread: waits for this time; gives the time that it is then.
pub async fn sleep_until(at: Instant) -> Instant {
    tokio::time::sleep_until(at.into()).await;
    Instant::now()
}

pub struct Runtime {
    pub handle: Handle,
    pub pool: Arc<Pool>,
    pub sleepers: Arc<Sleepers>,
    stop: Arc<Notify>,
    network: JoinHandle<()>,
}

impl Runtime {
    /// Starts the threads.
    pub fn start(thread_start: ThreadStart, clocks: Clocks) -> io::Result<Self> {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // All name lookups share one thread.
            .max_blocking_threads(1)
            .thread_name("im-lookup")
            .on_thread_start(thread_start)
            .build()?;
        let handle = tokio.handle().clone();
        let pool = Arc::new_cyclic(|pool: &std::sync::Weak<Pool>| {
            let (pool, handle) = (pool.clone(), handle.clone());
            let alarm = move || {
                let pool = pool.clone();
                handle.spawn(async move {
                    tokio::time::sleep(PATIENCE).await;
                    if let Some(pool) = pool.upgrade() {
                        pool.watch();
                    }
                });
            };
            Pool::new(thread_start, Box::new(alarm))
        });
        pool.start()?;
        let sleepers = Arc::<Sleepers>::default();
        handle.spawn(sleep_watch::watch(clocks, sleepers.clone()));
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let network = thread::Builder::new().name("im-network".into()).spawn(move || {
            thread_start();
            tokio.block_on(stopped.notified());
            tokio.shutdown_timeout(LOOKUP_END);
        });
        let network = match network {
            Ok(network) => network,
            Err(error) => {
                pool.stop();
                return Err(error);
            }
        };
        Ok(Runtime { handle, pool, sleepers, stop, network })
    }

    /// Ends the threads and joins them; the handles of those come back that can't be waited for.
    pub fn stop(self) -> Vec<JoinHandle<()>> {
        self.stop.notify_one();
        // A panic on that thread was already contained.
        let _ = self.network.join();
        self.pool.stop()
    }
}
