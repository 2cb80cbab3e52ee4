//! With manual delivery: the caller's threads that take what waits, and the descriptor that tells an event loop of it.
//!
//! Everything that a thread may wait for stands under the mailbox's one lock and is told by one condition to all who sleep:
//! with a condition of its own for each kind of waiter, or a signal to just one of them, the signal could go to a thread that
//! waits for something else, and be lost. The descriptor is raised and lowered under that lock too.

use std::time::{Duration, Instant};

use super::{
    delivery::Delivery,
    mailbox::{Inner, Item, Mailbox},
    wake_descriptor::WakeDescriptor,
    Failed,
};
use crate::sync::{
    atomic::{AtomicBool, Ordering},
    MutexGuard, PoisonError,
};

/// How long a call waits for the first that it can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    No,
    Until(Instant),
    WithoutEnd,
}

/// What a thread takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// Outcomes of requests, before the events that wait.
    Outcomes,
}

impl Which {
    /// The call that takes it.
    pub fn call(self) -> &'static str {
        match self {
            Which::All => "poll",
            Which::Outcomes => "poll_outcome",
        }
    }
}

/// What a thread that takes has found.
pub enum Next {
    /// The client is destroyed.
    Over,
    Woken,
    /// The time is over.
    Nothing,
    /// An event in the middle of its subscribers.
    Begun(Delivery),
    /// Early events may have a subscriber now: tell `looked` what is left of them.
    Look,
    /// An item; and whether reading may go on.
    Item(Item, bool),
}

#[derive(Default)]
pub struct Takers {
    /// Threads in a poll or a dispatch; the end of the client waits for them.
    inside: usize,
    /// Threads that wait for a change.
    asleep: usize,
    dispatching: bool,
    /// Wakes that no thread has taken yet.
    wakes: usize,
    begun: Option<Delivery>,
    over: bool,
    descriptor: Option<WakeDescriptor>,
}

impl Inner {
    /// Has a poll or a dispatch something to do?
    fn is_ready(&self) -> bool {
        let takers = &self.takers;
        takers.over || takers.wakes > 0 || takers.begun.is_some() || self.poked || !self.items.is_empty()
    }

    fn settle(&mut self) {
        if !self.is_ready() {
            if let Some(descriptor) = &mut self.takers.descriptor {
                descriptor.lower();
            }
        }
    }
}

impl Mailbox {
    /// Something has come, or changed.
    pub(super) fn tell_takers(&self, inner: &mut Inner) {
        if let Some(descriptor) = &mut inner.takers.descriptor {
            descriptor.raise();
        }
        self.tell_sleepers(inner);
    }

    fn tell_sleepers(&self, inner: &Inner) {
        if inner.takers.asleep > 0 {
            self.changed.notify_all();
        }
    }

    /// Sleeps until something has changed; none when the time is over.
    fn sleep<'a>(&'a self, mut inner: MutexGuard<'a, Inner>, wait: Wait) -> Option<MutexGuard<'a, Inner>> {
        let left = match wait {
            Wait::No => return None,
            Wait::Until(at) => Some(at.saturating_duration_since(Instant::now())),
            Wait::WithoutEnd => None,
        };
        if left == Some(Duration::ZERO) {
            return None;
        }
        inner.takers.asleep += 1;
        inner = match left {
            None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
            Some(left) => self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0,
        };
        inner.takers.asleep -= 1;
        Some(inner)
    }

    /// The next that can be taken, once there is something.
    pub fn next(&self, wait: Wait, which: Which) -> Next {
        let mut inner = self.lock();
        loop {
            let next = self.look_for_next(&mut inner, which);
            if !matches!(next, Some(Next::Look)) {
                inner.settle();
            }
            if let Some(next) = next {
                return next;
            }
            match self.sleep(inner, wait) {
                Some(awake) => inner = awake,
                None => return Next::Nothing,
            }
        }
    }

    /// A wake goes before what waits: in a flood it would never be seen behind it.
    fn look_for_next(&self, inner: &mut Inner, which: Which) -> Option<Next> {
        if inner.takers.over {
            return Some(Next::Over);
        }
        if inner.takers.wakes > 0 {
            inner.takers.wakes -= 1;
            return Some(Next::Woken);
        }
        if which == Which::Outcomes {
            return self.take_outcome(inner).map(|(item, resume)| Next::Item(item, resume));
        }
        if let Some(delivery) = inner.takers.begun.take() {
            return Some(Next::Begun(delivery));
        }
        if std::mem::take(&mut inner.poked) {
            return Some(Next::Look);
        }
        self.take_one(inner).map(|(item, resume)| Next::Item(item, resume))
    }

    /// The early events were looked at.
    pub fn looked(&self, more: bool) {
        let mut inner = self.lock();
        inner.poked |= more;
        match more {
            true => self.tell_takers(&mut inner),
            false => inner.settle(),
        }
    }

    /// Leaves an event in the middle of its subscribers; the next to take goes on with it.
    pub fn leave_begun(&self, delivery: Delivery) {
        let mut inner = self.lock();
        inner.takers.begun = Some(delivery);
        self.tell_takers(&mut inner);
    }

    /// A thread comes to take.
    pub fn enter(&self) -> Result<(), Failed> {
        let takers = &mut self.lock().takers;
        if takers.over {
            return Err(Failed::destroyed());
        }
        takers.inside += 1;
        Ok(())
    }

    pub fn leave(&self) {
        let mut inner = self.lock();
        inner.takers.inside -= 1;
        if inner.takers.over {
            self.tell_sleepers(&inner);
        }
    }

    /// One thread at a time calls subscribers. Where it is not this one's turn in time, gives the reason.
    pub fn begin_dispatch(&self, wait: Wait) -> Result<(), Next> {
        let mut inner = self.lock();
        loop {
            if inner.takers.over {
                return Err(Next::Over);
            }
            if !inner.takers.dispatching {
                inner.takers.dispatching = true;
                return Ok(());
            }
            if inner.takers.wakes > 0 {
                inner.takers.wakes -= 1;
                inner.settle();
                return Err(Next::Woken);
            }
            inner = self.sleep(inner, wait).ok_or(Next::Nothing)?;
        }
    }

    pub fn end_dispatch(&self) {
        let mut inner = self.lock();
        inner.takers.dispatching = false;
        self.tell_sleepers(&inner);
    }

    /// Ends one call that waits, or else the next one.
    pub fn wake(&self) -> Result<(), Failed> {
        let mut inner = self.lock();
        let takers = &mut inner.takers;
        if takers.over {
            return Err(Failed::destroyed());
        }
        takers.wakes = (takers.wakes + 1).min(takers.asleep.max(1));
        self.tell_takers(&mut inner);
        Ok(())
    }

    /// The number of the descriptor, which is opened on first use.
    pub fn descriptor(&self, open: impl FnOnce() -> Result<WakeDescriptor, Failed>) -> Result<i32, Failed> {
        let mut inner = self.lock();
        if inner.takers.over {
            return Err(Failed::destroyed());
        }
        if inner.takers.descriptor.is_none() {
            inner.takers.descriptor = Some(open()?);
        }
        let ready = inner.is_ready();
        let descriptor = inner.takers.descriptor.as_mut();
        Ok(descriptor.map_or(-1, |descriptor| {
            if ready {
                descriptor.raise();
            }
            descriptor.number()
        }))
    }

    // The end of the client.

    /// No thread takes any more.
    pub fn end_taking(&self) {
        let mut inner = self.lock();
        inner.takers.over = true;
        self.tell_takers(&mut inner);
    }

    /// Waits until no thread takes and the network is over; false when the time is over.
    pub fn wait_for_quiet(&self, network_is_over: &AtomicBool, wait: Wait) -> bool {
        let mut inner = self.lock();
        while inner.takers.inside > 0 || !network_is_over.load(Ordering::Acquire) {
            match self.sleep(inner, wait) {
                Some(awake) => inner = awake,
                None => return false,
            }
        }
        true
    }

    /// May the pool end the client now? Says so once.
    pub fn claim_end(&self, network_is_over: &AtomicBool) -> bool {
        let mut inner = self.lock();
        let quiet = inner.takers.inside == 0 && network_is_over.load(Ordering::Acquire);
        quiet && inner.takers.over && !std::mem::replace(&mut inner.scheduled, true)
    }

    /// Gives back what nobody takes any more; the descriptor is closed with it.
    pub fn close(&self) -> (Option<Delivery>, Option<WakeDescriptor>) {
        let takers = &mut self.lock().takers;
        (takers.begun.take(), takers.descriptor.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Event;
    use std::{
        sync::{mpsc, Arc},
        thread,
    };

    fn mailbox() -> Arc<Mailbox> {
        Arc::new(Mailbox::new(1 << 20, true))
    }

    fn push(to: &Mailbox) {
        assert!(!to.push(Item::Event(Event::local(1, "x", "{}"))), "the pool has no part in it");
    }

    #[test]
    fn a_wake_is_remembered_once_and_goes_first() {
        let mailbox = mailbox();
        push(&mailbox);
        mailbox.wake().unwrap();
        mailbox.wake().unwrap();
        assert!(matches!(mailbox.next(Wait::No, Which::All), Next::Woken));
        assert!(matches!(mailbox.next(Wait::No, Which::All), Next::Item(..)));
        assert!(matches!(mailbox.next(Wait::No, Which::All), Next::Nothing));
    }

    #[test]
    fn each_wake_ends_one_of_the_waiting() {
        let mailbox = mailbox();
        let (tell, told) = mpsc::channel();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (mailbox, tell) = (mailbox.clone(), tell.clone());
                thread::spawn(move || {
                    tell.send(matches!(mailbox.next(Wait::WithoutEnd, Which::All), Next::Woken))
                })
            })
            .collect();
        while mailbox.lock().takers.asleep < 3 {
            thread::yield_now();
        }
        (0..3).for_each(|_| mailbox.wake().unwrap());
        (0..3).for_each(|_| assert!(told.recv().unwrap()));
        threads.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
        assert!(matches!(mailbox.next(Wait::No, Which::All), Next::Nothing), "none is left over");
    }

    #[test]
    fn one_dispatches_at_a_time() {
        let mailbox = mailbox();
        assert!(mailbox.begin_dispatch(Wait::No).is_ok());
        assert!(matches!(mailbox.begin_dispatch(Wait::No), Err(Next::Nothing)));
        mailbox.wake().unwrap();
        assert!(matches!(mailbox.begin_dispatch(Wait::WithoutEnd), Err(Next::Woken)));
        let (tell, told) = mpsc::channel();
        let waiting = mailbox.clone();
        let thread = thread::spawn(move || tell.send(waiting.begin_dispatch(Wait::WithoutEnd).is_ok()));
        mailbox.end_dispatch();
        assert!(told.recv().unwrap());
        thread.join().unwrap().unwrap();
        mailbox.end_taking();
        assert!(matches!(mailbox.begin_dispatch(Wait::WithoutEnd), Err(Next::Over)));
    }

    #[test]
    fn the_end_waits_for_those_inside_and_is_claimed_once() {
        let (mailbox, network_is_over) = (mailbox(), AtomicBool::new(false));
        mailbox.enter().unwrap();
        mailbox.end_taking();
        assert!(mailbox.enter().is_err());
        assert!(!mailbox.wait_for_quiet(&network_is_over, Wait::No));
        network_is_over.store(true, Ordering::Release);
        assert!(!mailbox.claim_end(&network_is_over));
        mailbox.leave();
        assert!(mailbox.wait_for_quiet(&network_is_over, Wait::No));
        assert!(mailbox.claim_end(&network_is_over));
        assert!(!mailbox.claim_end(&network_is_over));
    }
}
