//! The timeouts of requests: a task that runs only while there are some.

use std::{
    collections::HashSet,
    sync::{atomic::Ordering, Arc},
    time::Instant,
};

use super::{client::Client, Outcome, Status};

impl Client {
    /// A request was added that times out before all others.
    pub(super) fn watch_deadlines(&self) {
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
            let first = self.first_deadline();
            let Some(at) = first else {
                self.timer_runs.store(false, Ordering::Release);
                // One that was added in between has seen the flag still set.
                if self.first_deadline().is_none() || self.timer_runs.swap(true, Ordering::AcqRel) {
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

    fn first_deadline(&self) -> Option<Instant> {
        let first = self.requests().first_deadline();
        first.into_iter().chain(self.outbox.first_deadline()).min()
    }

    fn expire_requests(&self) {
        let now = Instant::now();
        self.expire_messages(now);
        let mut expired = HashSet::new();
        self.decide(|requests| {
            let mut decided = Vec::new();
            while let Some((number, done)) = requests.take_expired(now) {
                expired.insert(number);
                decided.push((done, Outcome::failed(Status::Timeout)));
            }
            decided
        });
        self.link.drop_where(|frame| frame.request.is_some_and(|request| expired.contains(&request)));
    }
}
