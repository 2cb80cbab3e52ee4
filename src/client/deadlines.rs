//! The timeouts of requests: a task that runs only while there are some.

use std::{
    sync::{atomic::Ordering, Arc},
    time::Instant,
};

use super::{
    client::Client,
    requests::{Requests, Unanswered},
    runtime::sleep_until,
    Done, Outcome, Status,
};

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
                now = sleep_until(at) => self.expire_requests(now),
                () = self.timer.notified() => {}
            }
        }
    }

    fn first_deadline(&self) -> Option<Instant> {
        let first = self.requests().first_deadline();
        first.into_iter().chain(self.outbox.first_deadline()).min()
    }

    fn expire_requests(&self, now: Instant) {
        self.expire_messages(now);
        self.without_answer(Status::Timeout, |requests| {
            std::iter::from_fn(|| requests.take_expired(now)).collect()
        });
    }

    /// Requests whose answer did not come: they go out again, or end with this status. Their frames are gone, and they are counted,
    /// before anybody is told.
    pub(super) fn without_answer(
        &self,
        status: Status,
        choose: impl FnOnce(&mut Requests) -> Vec<(u64, Unanswered)>,
    ) {
        let mut again = Vec::new();
        self.decide(|requests| {
            let (mut ended, mut decided) = (Vec::new(), Vec::<(Done, Outcome)>::new());
            for (number, unanswered) in choose(requests) {
                match unanswered {
                    Unanswered::GoesAgain => again.push(number),
                    Unanswered::Decided(done) => {
                        ended.push(number);
                        decided.push((done, Outcome::failed(status)));
                    }
                }
            }
            if status == Status::Timeout {
                self.figures().expired += ended.len() as u64;
            }
            if !ended.is_empty() {
                self.link.settle(ended);
            }
            decided
        });
        self.figures().retried += again.len() as u64;
        again.into_iter().for_each(|number| self.link.send_again(number));
    }
}
