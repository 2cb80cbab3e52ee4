//! Requests that wait for the server's answer, each with exactly one outcome.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::Arc,
    time::Instant,
};

use super::{Event, Failed, Status};

/// What became of a request.
pub struct Outcome {
    pub status: Status,
    pub reply: Option<Arc<Event>>,
}

impl Outcome {
    pub fn failed(status: Status) -> Self {
        Outcome { status, reply: None }
    }
}

/// Called with the outcome, once.
pub type Done = Box<dyn FnOnce(Outcome) + Send>;

struct Pending {
    done: Done,
    sent: bool,
}

#[derive(Default)]
pub struct Requests {
    pending: HashMap<u64, Pending>,
    /// With the deadlines of some requests that are done already.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    next: u64,
    ended: bool,
}

impl Requests {
    /// Adds a request; gives its number, which is also its ack id on the wire, and whether it now is the first to time out.
    /// Where it can't be added, the callback comes back with the reason.
    pub fn add(&mut self, done: Done, deadline: Option<Instant>) -> Result<(u64, bool), (Done, Failed)> {
        if self.ended {
            return Err((done, Failed::destroyed()));
        }
        let number = self.next;
        self.next += 1;
        self.pending.insert(number, Pending { done, sent: false });
        let first = deadline.is_some_and(|at| self.first_deadline().is_none_or(|first| at < first));
        self.deadlines.extend(deadline.map(|at| Reverse((at, number))));
        self.shrink();
        Ok((number, first))
    }

    /// Removes the deadlines of requests that are done, where they have become many.
    fn shrink(&mut self) {
        if self.deadlines.len() > 2 * self.pending.len() + 64 {
            let pending = &self.pending;
            self.deadlines.retain(|Reverse((_, number))| pending.contains_key(number));
        }
    }

    /// The request goes out; false where it is decided already.
    pub fn sent(&mut self, number: u64) -> bool {
        self.pending.get_mut(&number).map(|pending| pending.sent = true).is_some()
    }

    /// Decides a request: its callback is the caller's to call.
    pub fn take(&mut self, number: u64) -> Option<Done> {
        self.pending.remove(&number).map(|pending| pending.done)
    }

    /// Decides all requests that went out, in their order.
    pub fn take_sent(&mut self) -> Vec<Done> {
        self.take_where(|pending| pending.sent)
    }

    /// Decides all requests, in their order.
    pub fn take_all(&mut self) -> Vec<Done> {
        self.take_where(|_| true)
    }

    fn take_where(&mut self, chosen: impl Fn(&Pending) -> bool) -> Vec<Done> {
        let mut numbers: Vec<u64> =
            self.pending.iter().filter(|(_, pending)| chosen(pending)).map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| self.take(number)).collect()
    }

    /// No request is added any more.
    pub fn end(&mut self) {
        self.ended = true;
        self.deadlines.clear();
    }

    /// When the next request times out, if none is done before.
    pub fn first_deadline(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    /// Decides the next request whose time is over.
    pub fn take_expired(&mut self, now: Instant) -> Option<(u64, Done)> {
        while let Some(Reverse((at, number))) = self.deadlines.peek().copied() {
            if at > now {
                return None;
            }
            self.deadlines.pop();
            if let Some(done) = self.take(number) {
                return Some((number, done));
            }
        }
        None
    }

    pub fn len(&self) -> usize {
        self.pending.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn add(to: &mut Requests, deadline: Option<Instant>) -> u64 {
        to.add(Box::new(|_| {}), deadline).ok().unwrap().0
    }

    #[test]
    fn every_request_is_decided_once() {
        let (mut all, now) = (Requests::default(), Instant::now());
        let (first, second) = (add(&mut all, Some(now)), add(&mut all, None));
        assert_eq!((first, second), (0, 1), "the wire counts from 0");
        assert!(all.take(first).is_some());
        assert!(all.take(first).is_none());
        assert!(all.take_expired(now).is_none(), "it was answered");
        assert!(all.sent(second) && !all.sent(first));
        assert_eq!(all.take_sent().len(), 1);
        assert_eq!(all.len(), 0);
    }

    #[test]
    fn deadlines_come_in_their_order() {
        let (mut all, now) = (Requests::default(), Instant::now());
        let late = add(&mut all, Some(now + Duration::from_secs(2)));
        let (soon, first) = all.add(Box::new(|_| {}), Some(now + Duration::from_secs(1))).ok().unwrap();
        assert!(first, "the timer has to be set earlier");
        assert_eq!(all.first_deadline(), Some(now + Duration::from_secs(1)));
        let then = now + Duration::from_secs(3);
        assert_eq!(all.take_expired(then).unwrap().0, soon);
        assert_eq!(all.take_expired(then).unwrap().0, late);
        assert!(all.take_expired(then).is_none());
    }

    #[test]
    fn deadlines_of_answered_requests_do_not_pile_up() {
        let (mut all, now) = (Requests::default(), Instant::now());
        for _ in 0..10_000 {
            let number = add(&mut all, Some(now + Duration::from_secs(60)));
            all.take(number);
        }
        assert!(all.deadlines.len() < 100, "{}", all.deadlines.len());
    }

    #[test]
    fn nothing_is_added_after_the_end() {
        let mut all = Requests::default();
        all.end();
        assert!(all.add(Box::new(|_| {}), None).is_err());
    }
}
