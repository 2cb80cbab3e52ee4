//! In place of the network thread with its tokio runtime: its tasks are the model's, and its clock strikes whenever the schedule
//! has it. The pool is the real one.

use std::{future::Future, io, time::Instant};

use super::{
    pool::{Pool, ThreadStart},
    sleep_watch::{Clocks, Sleepers},
};
use crate::sync::{thread::JoinHandle, Arc, Weak};

/// Where tasks are given to the network thread.
#[derive(Clone)]
pub struct Handle;

impl Handle {
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(shuttle::future::spawn(task));
    }
}

/// Any time may be over at any moment.
pub async fn sleep_until(at: Instant) -> Instant {
    shuttle::future::yield_now().await;
    at
}

pub struct Runtime {
    pub handle: Handle,
    pub pool: Arc<Pool>,
    pub sleepers: Arc<Sleepers>,
}

impl Runtime {
    pub fn start(_: ThreadStart, _: Clocks) -> io::Result<Self> {
        let pool = Arc::new_cyclic(|pool: &Weak<Pool>| {
            let pool = pool.clone();
            let alarm = move || {
                let pool = pool.clone();
                Handle.spawn(async move {
                    shuttle::future::yield_now().await;
                    if let Some(pool) = pool.upgrade() {
                        pool.watch();
                    }
                });
            };
            Pool::new(|| {}, Box::new(alarm))
        });
        pool.start()?;
        Ok(Runtime { handle: Handle, pool, sleepers: Arc::default() })
    }

    pub fn stop(self) -> Vec<JoinHandle<()>> {
        self.pool.stop()
    }
}
