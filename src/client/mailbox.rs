//! What waits to be delivered to one client's callbacks, bounded in bytes. The pool takes it in batches; with manual delivery
//! the caller's threads take it one by one, see `takers`.

use std::collections::VecDeque;

use super::{takers::Takers, Callback, Done, Event, Outcome};
use crate::sync::{
    atomic::{AtomicBool, Ordering},
    Arc, Condvar, Mutex, MutexGuard, PoisonError,
};

pub enum Item {
    Event(Arc<Event>),
    /// An event of the caller's went out, and somebody wants to know.
    Sent(Arc<Event>),
    /// A request's outcome.
    Outcome(Done, Outcome),
    /// Callbacks whose time is over: dropping them runs the caller's free functions.
    Drop(Vec<Callback>),
}

impl Item {
    fn cost(&self) -> usize {
        match self {
            Item::Event(event) | Item::Sent(event) => event.cost(),
            Item::Outcome(_, outcome) => outcome.reply.as_ref().map_or(0, |reply| reply.cost()),
            Item::Drop(_) => 0,
        }
    }

    fn is_outcome(&self) -> bool {
        matches!(self, Item::Outcome(..))
    }
}

#[derive(Default)]
pub(super) struct Inner {
    pub items: VecDeque<Item>,
    /// Of what waits and of what is being delivered.
    pub bytes: usize,
    /// So many of the items are outcomes.
    outcomes: usize,
    /// The pool has been told, and is not done yet.
    pub scheduled: bool,
    /// Something other than an item came up; whoever takes has to look again before it rests.
    pub poked: bool,
    /// The queue was full, and is not half empty yet.
    paused: bool,
    /// With manual delivery: the threads that take.
    pub takers: Takers,
}

pub struct Mailbox {
    inner: Mutex<Inner>,
    limit: usize,
    /// As `paused` says, for the network thread, which asks after every frame.
    full: AtomicBool,
    /// The caller's threads take, not the pool.
    manual: bool,
    /// With manual delivery: signalled at every change that a thread may wait for.
    pub(super) changed: Condvar,
}

/// So many items are delivered before another client has its turn.
pub const BATCH: usize = 64;

impl Mailbox {
    pub fn new(limit: usize, manual: bool) -> Self {
        Mailbox {
            inner: Mutex::default(),
            limit,
            full: AtomicBool::new(false),
            manual,
            changed: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item; says whether the pool has to be told.
    pub fn push(&self, item: Item) -> bool {
        let mut inner = self.lock();
        self.add(&mut inner, item);
        self.announce(&mut inner)
    }

    /// Adds an item that nobody needs to hear of before `announce_all`.
    pub fn push_silently(&self, item: Item) {
        self.add(&mut self.lock(), item);
    }

    /// How many items wait, where the pool has to be told of what was pushed silently.
    pub fn announce_all(&self) -> Option<usize> {
        let mut inner = self.lock();
        let count = inner.items.len();
        (count > 0 && self.announce(&mut inner)).then_some(count)
    }

    fn add(&self, inner: &mut Inner, item: Item) {
        inner.bytes += item.cost();
        inner.outcomes += usize::from(item.is_outcome());
        inner.items.push_back(item);
        if inner.bytes >= self.limit {
            inner.paused = true;
            self.full.store(true, Ordering::Release);
        }
    }

    fn announce(&self, inner: &mut Inner) -> bool {
        if self.manual {
            self.tell_takers(inner);
            return false;
        }
        !std::mem::replace(&mut inner.scheduled, true)
    }

    /// Says whether the pool has to be told, where something other than an item waits.
    pub fn schedule(&self) -> bool {
        let mut inner = self.lock();
        inner.poked = true;
        self.announce(&mut inner)
    }

    /// Takes the next items, and what they cost.
    pub fn take(&self, into: &mut VecDeque<Item>) -> usize {
        let mut inner = self.lock();
        let count = inner.items.len().min(BATCH);
        into.extend(inner.items.drain(..count));
        inner.outcomes -= into.iter().filter(|item| item.is_outcome()).count();
        into.iter().map(Item::cost).sum()
    }

    /// The items taken are delivered. Says whether reading, that had paused, may go on.
    pub fn delivered(&self, cost: usize) -> bool {
        self.give_back(&mut self.lock(), cost)
    }

    fn give_back(&self, inner: &mut Inner, cost: usize) -> bool {
        inner.bytes -= cost;
        let resume = inner.paused && inner.bytes <= self.limit / 2;
        if resume {
            inner.paused = false;
            self.full.store(false, Ordering::Release);
        }
        resume
    }

    /// Takes the next item; says also whether reading, that had paused, may go on. What one item costs is given back at once:
    /// with manual delivery a thread may keep an event for as long as it likes.
    pub(super) fn take_one(&self, inner: &mut Inner) -> Option<(Item, bool)> {
        let item = inner.items.pop_front()?;
        Some(self.taken(inner, item))
    }

    /// Takes the next outcome, whatever waits before it.
    pub(super) fn take_outcome(&self, inner: &mut Inner) -> Option<(Item, bool)> {
        if inner.outcomes == 0 {
            // Who waits for outcomes alone looks at every event that comes: a search each time would be too much.
            return None;
        }
        let at = inner.items.iter().position(Item::is_outcome)?;
        let item = inner.items.remove(at)?;
        Some(self.taken(inner, item))
    }

    fn taken(&self, inner: &mut Inner, item: Item) -> (Item, bool) {
        inner.outcomes -= usize::from(item.is_outcome());
        let resume = self.give_back(inner, item.cost());
        (item, resume)
    }

    /// Puts back what was taken last.
    pub fn put_back(&self, item: Item) {
        let mut inner = self.lock();
        inner.bytes += item.cost();
        inner.items.push_front(item);
        inner.poked = true;
        self.announce(&mut inner);
    }

    /// Nothing more to do, unless something came meanwhile.
    pub fn rest(&self) -> bool {
        let mut inner = self.lock();
        inner.scheduled = std::mem::take(&mut inner.poked) || !inner.items.is_empty();
        !inner.scheduled
    }

    /// Is the queue full, or was it and is not yet half empty?
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Acquire)
    }

    pub fn has_room(&self) -> bool {
        self.lock().bytes <= self.limit / 2
    }

    pub fn is_empty(&self) -> bool {
        self.lock().items.is_empty()
    }

    /// Items and bytes that wait.
    pub fn waiting(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.items.len(), inner.bytes)
    }
}
