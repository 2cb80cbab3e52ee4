//! Requests that wait for the server's answer, each with exactly one outcome.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;

use super::{from_network::request_id, Event, Failed, Status};

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

/// What is called with the outcome, once.
pub struct Done {
    /// The request's id in the ABI, once it has one.
    request: i64,
    /// None where nobody is to be told.
    call: Option<Box<dyn FnOnce(Outcome) + Send>>,
}

impl Done {
    pub fn new(call: impl FnOnce(Outcome) + Send + 'static) -> Self {
        Done { request: 0, call: Some(Box::new(call)) }
    }

    /// For a request that the library itself follows up.
    pub fn silent() -> Self {
        Done { request: 0, call: None }
    }

    pub fn is_silent(&self) -> bool {
        self.call.is_none()
    }

    pub fn request(&self) -> i64 {
        self.request
    }

    /// Runs the caller's code.
    pub fn call(self, outcome: Outcome) {
        if let Some(call) = self.call {
            call(outcome);
        }
    }
}

/// How a request is tried that goes out more than once: option `retries`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// How many more than the first.
    pub more: u32,
    /// How long each waits for its answer.
    pub timeout: Duration,
}

struct Pending {
    done: Done,
    /// When it went out, the last time.
    sent: Option<Instant>,
    /// The one that counts: the heap may have some of earlier tries.
    deadline: Option<Instant>,
    tries: Option<Tries>,
}

/// What becomes of a request whose answer did not come.
pub enum Unanswered {
    GoesAgain,
    Decided(Done),
}

#[derive(Default)]
pub struct Requests {
    /// By numbers of our own making: nobody outside can have them collide.
    pending: FxHashMap<u64, Pending>,
    /// With the deadlines of some requests that are done already.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    next: u64,
    ended: bool,
}

impl Requests {
    /// Adds a request; gives its number, which is also its ack id on the wire, and whether it now is the first to time out.
    /// Where it can't be added, the callback comes back with the reason.
    pub fn add(&mut self, mut done: Done, deadline: Option<Instant>) -> Result<(u64, bool), (Done, Failed)> {
        if self.ended {
            return Err((done, Failed::destroyed()));
        }
        let number = self.next;
        self.next += 1;
        done.request = request_id(number);
        self.pending.insert(number, Pending { done, sent: None, deadline, tries: None });
        let first = deadline.is_some_and(|at| self.watch(number, at));
        self.shrink();
        Ok((number, first))
    }

    /// A number that no request will have.
    pub fn reserve(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Notes a deadline; says whether it now is the first of all.
    fn watch(&mut self, number: u64, at: Instant) -> bool {
        let first = self.first_deadline().is_none_or(|first| at < first);
        self.deadlines.push(Reverse((at, number)));
        first
    }

    /// A request that was just added goes out again where it is not answered; each try has its own time.
    pub fn try_more(&mut self, number: u64, tries: Tries) {
        if let Some(pending) = self.pending.get_mut(&number) {
            pending.tries = Some(tries);
        }
    }

    /// Removes the deadlines of requests that are done, where they have become many.
    fn shrink(&mut self) {
        if self.deadlines.len() > 2 * self.pending.len() + 64 {
            let pending = &self.pending;
            self.deadlines.retain(|Reverse((at, number))| {
                pending.get(number).is_some_and(|pending| pending.deadline == Some(*at))
            });
        }
    }

    /// The request goes out: says whether it now is the first to time out. None where it is decided already.
    pub fn sent(&mut self, number: u64, now: Instant) -> Option<bool> {
        let pending = self.pending.get_mut(&number)?;
        pending.sent = Some(now);
        let Some(tries) = pending.tries else { return Some(false) };
        let at = now + tries.timeout;
        pending.deadline = Some(at);
        Some(self.watch(number, at))
    }

    /// The server's answer decides a request; also gives how long ago it went out.
    pub fn take_answered(&mut self, number: u64, now: Instant) -> Option<(Done, Option<Duration>)> {
        let sent = self.pending.get(&number)?.sent;
        let trip = sent.map(|sent| now.saturating_duration_since(sent));
        self.take(number).map(|done| (done, trip))
    }

    /// Decides a request: its callback is the caller's to call.
    pub fn take(&mut self, number: u64) -> Option<Done> {
        let pending = self.pending.remove(&number)?;
        Some(pending.done)
    }

    /// Is it not decided yet?
    pub fn waits(&self, number: u64) -> bool {
        self.pending.contains_key(&number)
    }

    /// Decides all requests that went out, in their order.
    pub fn take_sent(&mut self) -> Vec<Done> {
        self.numbers_of(|pending| pending.sent.is_some()).into_iter().filter_map(|n| self.take(n)).collect()
    }

    /// Decides all requests, in their order.
    pub fn take_all(&mut self) -> Vec<Done> {
        self.numbers_of(|_| true).into_iter().filter_map(|n| self.take(n)).collect()
    }

    /// Their connection is lost: what becomes of each request that went out, in their order.
    pub fn lose_sent(&mut self) -> Vec<(u64, Unanswered)> {
        let sent = self.numbers_of(|pending| pending.sent.is_some());
        sent.into_iter().filter_map(|number| Some((number, self.unanswered(number)?))).collect()
    }

    fn numbers_of(&self, chosen: impl Fn(&Pending) -> bool) -> Vec<u64> {
        let mut numbers: Vec<u64> =
            self.pending.iter().filter(|(_, pending)| chosen(pending)).map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// This try of a request got no answer.
    fn unanswered(&mut self, number: u64) -> Option<Unanswered> {
        let pending = self.pending.get_mut(&number)?;
        match &mut pending.tries {
            Some(tries) if tries.more > 0 => {
                tries.more -= 1;
                pending.sent = None;
                pending.deadline = None;
                Some(Unanswered::GoesAgain)
            }
            _ => self.take(number).map(Unanswered::Decided),
        }
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

    /// All deadlines are nearer by so much.
    pub fn advance(&mut self, time: Duration) {
        let sooner = |at: Instant| at.checked_sub(time).unwrap_or(at);
        self.deadlines =
            self.deadlines.drain().map(|Reverse((at, number))| Reverse((sooner(at), number))).collect();
        for pending in self.pending.values_mut() {
            pending.deadline = pending.deadline.map(sooner);
        }
    }

    /// The next request whose time is over, and what becomes of it.
    pub fn take_expired(&mut self, now: Instant) -> Option<(u64, Unanswered)> {
        while let Some(Reverse((at, number))) = self.deadlines.peek().copied() {
            if at > now {
                return None;
            }
            self.deadlines.pop();
            let counts = self.pending.get(&number).is_some_and(|pending| pending.deadline == Some(at));
            if let Some(unanswered) = counts.then(|| self.unanswered(number)).flatten() {
                return Some((number, unanswered));
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

    fn add(to: &mut Requests, deadline: Option<Instant>) -> u64 {
        to.add(Done::new(|_| {}), deadline).ok().unwrap().0
    }

    #[test]
    fn every_request_is_decided_once() {
        let (mut all, now) = (Requests::default(), Instant::now());
        let (first, second) = (add(&mut all, Some(now)), add(&mut all, None));
        assert_eq!((first, second), (0, 1), "the wire counts from 0");
        assert!(all.take(first).is_some());
        assert!(all.take(first).is_none());
        assert!(all.take_expired(now).is_none(), "it was answered");
        assert_eq!((all.sent(second, now), all.sent(first, now)), (Some(false), None));
        assert_eq!(all.take_sent().len(), 1);
        assert_eq!(all.len(), 0);
    }

    #[test]
    fn a_request_with_tries_goes_again_until_none_is_left() {
        let (mut all, now) = (Requests::default(), Instant::now());
        let (number, timeout) = (add(&mut all, None), Duration::from_secs(1));
        all.try_more(number, Tries { more: 2, timeout });
        assert_eq!(all.first_deadline(), None, "its time starts when it goes out");
        assert_eq!(all.sent(number, now), Some(true));
        assert!(all.take_expired(now).is_none());
        assert!(matches!(all.take_expired(now + timeout), Some((0, Unanswered::GoesAgain))));
        all.sent(number, now + timeout);
        assert!(matches!(all.lose_sent()[..], [(0, Unanswered::GoesAgain)]));
        assert!(all.lose_sent().is_empty(), "it is not out");
        assert!(all.take_expired(now + 2 * timeout).is_none(), "the time of a lost try does not count");
        all.sent(number, now + 2 * timeout);
        assert!(matches!(all.take_expired(now + 3 * timeout), Some((0, Unanswered::Decided(_)))));
        assert_eq!(all.len(), 0);
    }

    #[test]
    fn an_answer_tells_its_round_trip() {
        let (mut all, now) = (Requests::default(), Instant::now());
        let number = add(&mut all, None);
        all.sent(number, now);
        let (_, trip) = all.take_answered(number, now + Duration::from_millis(30)).unwrap();
        assert_eq!(trip, Some(Duration::from_millis(30)));
        assert!(all.take_answered(number, now).is_none());
    }

    #[test]
    fn deadlines_come_in_their_order() {
        let (mut all, now) = (Requests::default(), Instant::now());
        let late = add(&mut all, Some(now + Duration::from_secs(2)));
        let (soon, first) = all.add(Done::new(|_| {}), Some(now + Duration::from_secs(1))).ok().unwrap();
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
        assert!(all.add(Done::new(|_| {}), None).is_err());
    }
}
