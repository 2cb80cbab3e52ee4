//! A frame that the thread that has it may write or leave by itself.

use std::time::Instant;

use super::Shared;
use crate::{
    connection::{
        outbound::Outgoing,
        shortcut::{Shortcut, Writer},
    },
    transport::Outlet,
};

impl Shared {
    /// The way past the task, where this frame may take it.
    fn shortcut_for(&self, frame: &Outgoing, connection: u64) -> Option<&Shortcut> {
        let stale = frame.connection.is_some_and(|number| number != connection);
        let shortcut = self.shortcut.as_ref().filter(|_| !stale)?;
        shortcut.fits(frame, &self.outbound, self.wish.closes).then_some(shortcut)
    }

    /// Where this frame may be written by the thread that has it, and how much may be left there.
    pub fn way_past_the_task(&self, frame: &Outgoing, connection: u64) -> Option<(Outlet, usize)> {
        let free = matches!(self.writer, Writer::Nobody | Writer::Left);
        let shortcut = self.shortcut_for(frame, connection).filter(|_| free)?;
        Some((shortcut.outlet().clone(), shortcut.batch()))
    }

    /// Leaves one of many behind those that are left already, where nobody waits for it; gives nothing where that was not done. All
    /// of it under the link's lock, for it takes no longer than to begin.
    pub fn leave(
        &mut self,
        frame: &Outgoing,
        connection: u64,
        on_left: impl FnOnce(&Outgoing, Instant) -> bool,
    ) -> Option<()> {
        if self.writer != Writer::Left || frame.request.is_some() || frame.note.is_some() {
            return None;
        }
        let shortcut = self.shortcut_for(frame, connection)?;
        let last = shortcut.last()?;
        let mut slot = shortcut.outlet().slot(shortcut.batch())?;
        if slot.is_filled_by(&frame.frame) || !on_left(frame, last) {
            return None;
        }
        slot.leave(&frame.frame);
        drop(slot);
        self.outbound.pass();
        self.left = true;
        Some(())
    }

    /// The thread that has this frame writes now; says whether at once, and what time it is.
    pub fn begin_to_write(&mut self, frame: &Outgoing) -> (bool, Instant) {
        self.outbound.pass();
        let was_left = std::mem::replace(&mut self.writer, Writer::Caller) == Writer::Left;
        let last = self.shortcut.as_ref().and_then(Shortcut::last);
        // One of many: to look at the clock is a good part of what it costs, and only who waits for an answer measures.
        if let Some(last) = last.filter(|_| was_left && frame.request.is_none()) {
            return (false, last);
        }
        let now = Instant::now();
        let at_once = self.shortcut.as_mut().is_some_and(|shortcut| shortcut.is_at_once(now));
        (at_once && !was_left, now)
    }
}
