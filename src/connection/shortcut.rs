//! The way of a frame from the caller's thread past the connection's task, where that has nothing to write. A single one is
//! written at once: waking the task would be most of its cost. Many are left for the task's flush, or written in batches.

use std::time::{Duration, Instant};

use super::outbound::{Outbound, Outgoing};
use crate::transport::Outlet;

/// What the caller sends so soon after something else is one of many.
pub const FLOOD: Duration = Duration::from_micros(50);
/// An emit and a request right behind it are no flood yet.
const AT_ONCE: u8 = 2;
/// A caller that leaves frames writes them itself where they are so many bytes: each write wakes the peer, which costs as much
/// as dozens of messages.
const BATCH: usize = 256 * 1024;
/// A larger frame is not copied by its caller.
const LARGEST: usize = 16 * 1024;

/// Who hands frames to the socket. Nobody else does before they are written, so that they keep their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    Nobody,
    /// What it has handed over is not all written yet.
    Task,
    /// Just now.
    Caller,
    /// What callers left waits for the task's flush; more may be left behind it.
    Left,
}

pub struct Shortcut {
    outlet: Outlet,
    /// So many bytes are left there before they are written.
    batch: usize,
    /// The count of closes when the connection was wanted.
    closes: u64,
    /// When something of the caller's went out last.
    last: Option<Instant>,
    /// The time when the clock was last read: for each batch, and for each flush.
    clock: Option<Instant>,
    /// So many more go out at once.
    left: u8,
}

impl std::fmt::Debug for Shortcut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shortcut").field("closes", &self.closes).finish_non_exhaustive()
    }
}

impl Shortcut {
    /// What is left waits to be sent as what is queued does, so it is no more than may be queued.
    pub fn new(outlet: Outlet, closes: u64, limit: usize) -> Self {
        Shortcut { outlet, batch: limit.min(BATCH), closes, last: None, clock: None, left: AT_ONCE }
    }

    pub fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The task writes something of the caller's.
    pub fn on_task_writes(&mut self, now: Instant) {
        (self.last, self.clock) = (Some(now), Some(now));
    }

    /// The task flushes what callers left. That makes no flood of what comes behind it.
    pub fn on_task_flushes(&mut self, now: Instant) {
        self.clock = Some(now);
    }

    /// May this frame take it, in front of nothing else?
    pub fn fits(&self, frame: &Outgoing, queue: &Outbound, closes: u64) -> bool {
        let small = !frame.frame.is_empty() && frame.frame.len() <= LARGEST && frame.attachments.is_empty();
        small && !frame.serial && closes == self.closes && queue.has_nothing_to_send()
    }

    /// Is the next one written at once? It counts as one that is.
    pub fn is_at_once(&mut self, now: Instant) -> bool {
        if self.last.is_none_or(|last| now - last >= FLOOD) {
            self.left = AT_ONCE;
        }
        (self.last, self.clock) = (Some(now), Some(now));
        let at_once = self.left > 0;
        self.left = self.left.saturating_sub(1);
        at_once
    }

    /// The time, to the accuracy of a batch or a flush.
    pub fn clock(&self) -> Option<Instant> {
        self.clock
    }
}
