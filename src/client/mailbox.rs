//! What waits to be delivered to one client's callbacks, bounded in bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Callback, Done, Event, Outcome};

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
}

#[derive(Default)]
struct Inner {
    items: VecDeque<Item>,
    /// Of what waits and of what is being delivered.
    bytes: usize,
    /// The pool has been told, and is not done yet.
    scheduled: bool,
    /// Something other than an item came up; the pool has to look again before it rests.
    poked: bool,
    /// Reading has paused since the queue was full.
    paused: bool,
}

pub struct Mailbox {
    inner: Mutex<Inner>,
    limit: usize,
}

/// So many items are delivered before another client has its turn.
const BATCH: usize = 64;

impl Mailbox {
    pub fn new(limit: usize) -> Self {
        Mailbox { inner: Mutex::default(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item; says whether the pool has to be told.
    pub fn push(&self, item: Item) -> bool {
        let mut inner = self.lock();
        inner.bytes += item.cost();
        inner.items.push_back(item);
        !std::mem::replace(&mut inner.scheduled, true)
    }

    /// Says whether the pool has to be told, where something other than an item waits.
    pub fn schedule(&self) -> bool {
        let mut inner = self.lock();
        inner.poked = true;
        !std::mem::replace(&mut inner.scheduled, true)
    }

    /// Takes the next items, and what they cost.
    pub fn take(&self, into: &mut VecDeque<Item>) -> usize {
        let mut inner = self.lock();
        let count = inner.items.len().min(BATCH);
        into.extend(inner.items.drain(..count));
        into.iter().map(Item::cost).sum()
    }

    /// The items taken are delivered. Says whether reading, that had paused, may go on.
    pub fn delivered(&self, cost: usize) -> bool {
        let mut inner = self.lock();
        inner.bytes -= cost;
        let resume = inner.paused && inner.bytes <= self.limit / 2;
        inner.paused &= !resume;
        resume
    }

    /// Nothing more to do, unless something came meanwhile.
    pub fn rest(&self) -> bool {
        let mut inner = self.lock();
        inner.scheduled = std::mem::take(&mut inner.poked) || !inner.items.is_empty();
        !inner.scheduled
    }

    /// Is the queue full, or was it and is not yet half empty?
    pub fn is_full(&self) -> bool {
        let mut inner = self.lock();
        inner.paused |= inner.bytes >= self.limit;
        inner.paused
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
