//! Messages on their way: each is kept until the server has answered it, and sent again on every new connection. Without
//! input, output or clock: times are handed in.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::{Duration, Instant},
};

/// A message that nobody waits for any more may still be answered for so long.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// So many of those are remembered: where there are several, nothing can be told apart anyway.
pub const MOST_ABANDONED: usize = 64;

/// A message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub fingerprint: String,
    pub json: String,
    /// When it is given up.
    pub deadline: Option<Instant>,
    /// The request that waits for its outcome; none for a message of an earlier client.
    pub request: Option<u64>,
}

/// Why a message was not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// One with this fingerprint is on its way already.
    Known,
    /// So many bytes wait.
    Full(usize),
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not on the disk yet, so not to be sent.
    Saving,
    Waiting,
    /// Sent on this connection and not answered.
    Unanswered,
}

struct Entry {
    message: Message,
    stage: Stage,
    /// Sent at least once, on any connection.
    went_out: bool,
}

/// A `to` that was given up.
struct Abandoned {
    fingerprint: String,
    until: Instant,
}

pub struct Outbox {
    /// So many are on their way at a time.
    window: usize,
    limit: usize,
    /// By their number, which is their order.
    entries: BTreeMap<u64, Entry>,
    next: u64,
    bytes: usize,
    by_fingerprint: HashMap<String, u64>,
    by_request: HashMap<u64, u64>,
    deadlines: BTreeSet<(Instant, u64)>,
    /// The connection that stands.
    connection: Option<u64>,
    unanswered: usize,
    /// Messages that were given up, and may be answered yet.
    abandoned: VecDeque<Abandoned>,
    /// Messages that the caller sent past the queue: until when their answers may come.
    plain: VecDeque<Instant>,
    ended: bool,
}

impl Outbox {
    /// `limit` bounds what waits, in bytes.
    pub fn new(window: usize, limit: usize) -> Self {
        Outbox {
            window,
            limit,
            entries: BTreeMap::new(),
            next: 1,
            bytes: 0,
            by_fingerprint: HashMap::new(),
            by_request: HashMap::new(),
            deadlines: BTreeSet::new(),
            connection: None,
            unanswered: 0,
            abandoned: VecDeque::new(),
            plain: VecDeque::new(),
            ended: false,
        }
    }

    /// Takes a message, at the end of the queue. One that is not `saved` waits for that. One larger than the limit goes into an
    /// empty queue all the same.
    pub fn add(&mut self, message: Message, saved: bool) -> Result<u64, Refusal> {
        if self.ended {
            return Err(Refusal::Ended);
        }
        if self.by_fingerprint.contains_key(&message.fingerprint) {
            return Err(Refusal::Known);
        }
        if !self.entries.is_empty() && self.bytes + message.json.len() > self.limit {
            return Err(Refusal::Full(self.bytes));
        }
        let stage = if saved { Stage::Waiting } else { Stage::Saving };
        Ok(self.insert(message, stage))
    }

    /// Takes a message of an earlier client, whatever the limit.
    pub fn restore(&mut self, message: Message) {
        if !self.by_fingerprint.contains_key(&message.fingerprint) {
            self.insert(message, Stage::Waiting);
        }
    }

    fn insert(&mut self, message: Message, stage: Stage) -> u64 {
        let number = self.next;
        self.next += 1;
        self.bytes += message.json.len();
        self.by_fingerprint.insert(message.fingerprint.clone(), number);
        self.by_request.extend(message.request.map(|request| (request, number)));
        self.deadlines.extend(message.deadline.map(|at| (at, number)));
        self.entries.insert(number, Entry { message, stage, went_out: false });
        number
    }

    /// The message is on the disk; false where it is not in the queue any more.
    pub fn saved(&mut self, number: u64) -> bool {
        self.entries.get_mut(&number).map(|entry| entry.stage = Stage::Waiting).is_some()
    }

    /// A connection stands: everything is sent on it, from the first.
    pub fn connected(&mut self, connection: u64) {
        self.lost();
        self.connection = Some(connection);
    }

    /// The connection is gone, and with it every answer.
    pub fn lost(&mut self) {
        self.connection = None;
        self.abandoned.clear();
        self.plain.clear();
        self.unanswered = 0;
        for entry in self.entries.values_mut().filter(|entry| entry.stage == Stage::Unanswered) {
            entry.stage = Stage::Waiting;
        }
    }

    /// The message that is to be sent now, and on which connection.
    pub fn next(&mut self) -> Option<(u64, &Message)> {
        let connection = self.connection?;
        if self.unanswered >= self.window {
            return None;
        }
        let entry = self.entries.values_mut().find(|entry| entry.stage == Stage::Waiting)?;
        (entry.stage, entry.went_out) = (Stage::Unanswered, true);
        self.unanswered += 1;
        Some((connection, &entry.message))
    }

    /// The caller sends a `to` past the queue. Which one it was nobody needs to know: an answer that is for nothing else is
    /// for the oldest of them.
    pub fn plain(&mut self, now: Instant) {
        if self.plain.len() >= MOST_ABANDONED {
            self.plain.pop_front();
        }
        self.plain.push_back(now + ANSWER_TIME);
    }

    fn abandon(&mut self, fingerprint: String, now: Instant) {
        if self.abandoned.len() >= MOST_ABANDONED {
            self.abandoned.pop_front();
        }
        self.abandoned.push_back(Abandoned { fingerprint, until: now + ANSWER_TIME });
    }

    /// Is there anything that an answer could be for?
    pub fn expects_answers(&self) -> bool {
        !self.entries.is_empty() || !self.abandoned.is_empty() || !self.plain.is_empty()
    }

    /// The server has answered the message with this fingerprint. An answer to what was sent on an earlier connection counts.
    pub fn answered(&mut self, fingerprint: &str) -> Option<Message> {
        let before = self.abandoned.len();
        self.abandoned.retain(|abandoned| abandoned.fingerprint != fingerprint);
        match self.by_fingerprint.get(fingerprint) {
            Some(number) => self.take(*number),
            None if before > self.abandoned.len() => None,
            None => {
                self.plain.pop_front();
                None
            }
        }
    }

    /// The server has refused a message and does not say which: the only one that is unanswered.
    pub fn refused(&mut self, now: Instant) -> Option<Message> {
        self.abandoned.retain(|abandoned| abandoned.until > now);
        self.plain.retain(|until| *until > now);
        match (self.unanswered, self.abandoned.len() + self.plain.len()) {
            (1, 0) => {
                let mut entries = self.entries.iter();
                let number = *entries.find(|(_, entry)| entry.stage == Stage::Unanswered)?.0;
                self.take(number)
            }
            (0, 1) => {
                self.abandoned.clear();
                self.plain.clear();
                None
            }
            _ => None,
        }
    }

    /// Gives up the message of a request.
    pub fn take_request(&mut self, request: u64, now: Instant) -> Option<Message> {
        let number = *self.by_request.get(&request)?;
        self.give_up(number, now)
    }

    /// Gives up the next message whose time is over.
    pub fn take_expired(&mut self, now: Instant) -> Option<Message> {
        let (at, number) = *self.deadlines.first()?;
        if at > now {
            return None;
        }
        self.give_up(number, now)
    }

    /// Gives up every message, in their order.
    pub fn take_all(&mut self, now: Instant) -> Vec<Message> {
        let numbers: Vec<u64> = self.entries.keys().copied().collect();
        numbers.into_iter().filter_map(|number| self.give_up(number, now)).collect()
    }

    /// The client ends: nothing is taken any more.
    pub fn end(&mut self, now: Instant) -> Vec<Message> {
        self.ended = true;
        self.take_all(now)
    }

    fn give_up(&mut self, number: u64, now: Instant) -> Option<Message> {
        let unanswered = self.entries.get(&number)?.stage == Stage::Unanswered;
        let message = self.take(number)?;
        if unanswered {
            // Its answer may still come, and must not be taken for another's.
            self.abandon(message.fingerprint.clone(), now);
        }
        Some(message)
    }

    fn take(&mut self, number: u64) -> Option<Message> {
        let Entry { message, stage, .. } = self.entries.remove(&number)?;
        self.unanswered -= usize::from(stage == Stage::Unanswered);
        self.bytes -= message.json.len();
        self.by_fingerprint.remove(&message.fingerprint);
        if let Some(request) = message.request {
            self.by_request.remove(&request);
        }
        if let Some(at) = message.deadline {
            self.deadlines.remove(&(at, number));
        }
        Some(message)
    }

    /// All deadlines are nearer by so much.
    pub fn advance(&mut self, time: Duration) {
        let sooner = |at: Instant| at.checked_sub(time).unwrap_or(at);
        self.deadlines = self.deadlines.iter().map(|(at, number)| (sooner(*at), *number)).collect();
        for entry in self.entries.values_mut() {
            entry.message.deadline = entry.message.deadline.map(sooner);
        }
    }

    pub fn first_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The mark that `went_out` is to be asked with.
    pub fn mark(&self) -> u64 {
        self.next
    }

    /// Has everything that was taken before this mark gone out once, or ended?
    pub fn went_out(&self, mark: u64) -> bool {
        self.entries.range(..mark).all(|(_, entry)| entry.went_out)
    }

    /// Messages and bytes that wait for their answers.
    pub fn waiting(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
