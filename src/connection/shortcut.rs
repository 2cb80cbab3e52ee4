//! The way of a frame from the caller's thread to the socket where the connection's task has nothing to write: the task is not
//! woken for it, which is most of what a single emit costs.

use std::time::{Duration, Instant};

use super::outbound::{Outbound, Outgoing};
use crate::transport::Outlet;

/// What the caller sends so soon after something else is one of many, and many are cheaper in one batch.
pub const FLOOD: Duration = Duration::from_micros(50);
/// An emit and a request right behind it are no flood yet.
const AT_ONCE: u8 = 2;
/// A larger frame is not copied by its caller.
const LARGEST: usize = 16 * 1024;

/// Who hands frames to the socket. Nobody else does before they are written, so that they keep their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    Nobody,
    Task,
    Caller,
}

pub struct Shortcut {
    outlet: Outlet,
    /// The count of closes when the connection was wanted.
    closes: u64,
    /// When something of the caller's went out last.
    last: Option<Instant>,
    /// So many more go out at once.
    left: u8,
}

impl std::fmt::Debug for Shortcut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shortcut").field("closes", &self.closes).finish_non_exhaustive()
    }
}

impl Shortcut {
    pub fn new(outlet: Outlet, closes: u64) -> Self {
        Shortcut { outlet, closes, last: None, left: AT_ONCE }
    }

    pub fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// The task writes something of the caller's.
    pub fn on_task_writes(&mut self, now: Instant) {
        self.last = Some(now);
    }

    /// May this frame take it, in front of nothing else? Then it counts as one that did.
    pub fn take(
        &mut self,
        frame: &Outgoing,
        queue: &Outbound,
        closes: u64,
        now: impl FnOnce() -> Instant,
    ) -> bool {
        let fits = !frame.frame.is_empty() && frame.frame.len() <= LARGEST && frame.attachments.is_empty();
        if !fits || frame.serial || closes != self.closes || !queue.has_nothing_to_send() {
            return false;
        }
        let now = now();
        if self.last.is_none_or(|last| now - last >= FLOOD) {
            self.left = AT_ONCE;
        }
        self.last = Some(now);
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        taken
    }
}
