//! What a connection's task shares with its client: wishes, state, the outbound queue.

mod past_the_task;

use std::time::Instant;

use tokio::sync::Notify;

use super::{
    outbound::{Dropped, Outbound, Outgoing, QueueFull},
    shortcut::{Shortcut, Writer},
};
use crate::{
    sync::{
        atomic::{AtomicBool, AtomicU64, AtomicU8, Ordering},
        Condvar, Mutex, MutexGuard, PoisonError,
    },
    transport::{Outlet, Slot},
};

/// What a client is doing, as `im_client_state` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Disconnected = 0,
    Connecting = 1,
    Connected = 2,
    /// Waits for the next attempt.
    Reconnecting = 3,
}

/// What the caller wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    pub open: bool,
    /// The client is being destroyed.
    pub end: bool,
    /// Goes up with every close, so that a close followed by an open still closes.
    pub closes: u64,
    /// Goes up with every open, so that one made while the task gives up is not lost.
    pub opens: u64,
}

/// Why a frame was not queued.
#[derive(Debug, PartialEq, Eq)]
pub enum Unsent {
    Full(QueueFull),
    /// It is volatile, and there is no connection.
    Volatile,
}

/// What the task has to write.
pub(super) enum Next {
    Frame(Outgoing),
    /// To flush, what callers left.
    Left,
    Nothing,
}

#[derive(Debug)]
struct Shared {
    wish: Wish,
    outbound: Outbound,
    /// The task has been woken and has not yet looked: no second wake is needed.
    woken: bool,
    /// Threads that wait in `flush`.
    flushing: usize,
    writer: Writer,
    /// Callers left something that the task has to flush.
    left: bool,
    /// While a connection stands whose socket can be written to by any thread.
    shortcut: Option<Shortcut>,
}

#[derive(Debug)]
pub struct Link {
    shared: Mutex<Shared>,
    wake: Notify,
    /// Signalled when frames went out or the client ends.
    flushed: Condvar,
    state: AtomicU8,
    /// Connections made; names the current one.
    connection: AtomicU64,
    /// Goes up whenever the connection may have died without a word: what stands is checked, what waits is done at once.
    checks: AtomicU64,
    /// The app is in the background: no connection is made anew.
    background: AtomicBool,
}

impl Link {
    pub fn new(open: bool, outbound_limit: usize) -> Self {
        Link {
            shared: Mutex::new(Shared {
                wish: Wish { open, end: false, closes: 0, opens: 0 },
                outbound: Outbound::new(outbound_limit),
                woken: false,
                flushing: 0,
                writer: Writer::Nobody,
                left: false,
                shortcut: None,
            }),
            wake: Notify::new(),
            flushed: Condvar::new(),
            state: AtomicU8::new(if open { State::Connecting } else { State::Disconnected } as u8),
            connection: AtomicU64::new(0),
            checks: AtomicU64::new(0),
            background: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            1 => State::Connecting,
            2 => State::Connected,
            3 => State::Reconnecting,
            _ => State::Disconnected,
        }
    }

    /// Set by the task, and by the owner once it knows all about a connection that stands.
    pub fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// The number of the current connection, counted from 1.
    pub fn connection(&self) -> u64 {
        self.connection.load(Ordering::Acquire)
    }

    pub(super) fn next_connection(&self) -> u64 {
        self.connection.fetch_add(1, Ordering::AcqRel) + 1
    }

    // The client's side.

    pub fn open(&self) {
        {
            let mut shared = self.lock();
            shared.wish.open = true;
            shared.wish.opens += 1;
            // The task says so too once it looks; until then a caller who asks must not hear that none is wanted.
            let (none, begins) = (State::Disconnected as u8, State::Connecting as u8);
            let _ = self.state.compare_exchange(none, begins, Ordering::AcqRel, Ordering::Acquire);
        }
        self.wake();
    }

    pub fn close(&self) {
        {
            let mut shared = self.lock();
            shared.wish.open = false;
            shared.wish.closes += 1;
        }
        self.wake();
    }

    pub fn end(&self) {
        {
            let mut shared = self.lock();
            shared.wish = Wish { open: false, end: true, closes: shared.wish.closes + 1, ..shared.wish };
            self.tell_flushing(&shared);
        }
        self.wake();
    }

    /// The connection may have died without a word.
    pub fn check(&self) {
        self.checks.fetch_add(1, Ordering::AcqRel);
        self.wake();
    }

    pub fn set_background(&self, background: bool) {
        self.background.store(background, Ordering::Release);
        self.wake();
    }

    pub fn is_in_background(&self) -> bool {
        self.background.load(Ordering::Acquire)
    }

    /// Writes a frame where nothing else is to be written, or queues it and wakes the task if it may sleep. `on_sent` is what the
    /// task would call before it writes: `Owner::on_sent`. `on_left` is the same for a frame without a request or a note; it is
    /// called under the link's lock, so it takes no lock under which the link is used, writes no log and calls nobody's callback; it
    /// says false where `on_sent` is to be asked.
    pub fn send(
        &self,
        frame: Outgoing,
        on_left: impl FnOnce(&Outgoing, Instant) -> bool,
        on_sent: impl FnOnce(&Outgoing, Instant) -> bool,
    ) -> Result<(), Unsent> {
        let sleeps = {
            let mut shared = self.lock();
            // The connection may be lost since the caller asked, and what was queued for it dropped.
            if frame.volatile && self.state() != State::Connected {
                shared.outbound.refuse_volatile();
                return Err(Unsent::Volatile);
            }
            if shared.leave(&frame, self.connection(), on_left).is_none() {
                let way = shared.way_past_the_task(&frame, self.connection());
                if let Some(slot) = way.as_ref().and_then(|(outlet, batch)| outlet.slot(*batch)) {
                    let (at_once, now) = shared.begin_to_write();
                    drop(shared);
                    self.put(slot, frame, at_once, |frame| on_sent(frame, now));
                    return Ok(());
                }
                match frame.connection {
                    None => shared.outbound.push(frame).map_err(Unsent::Full)?,
                    // An answer that the server waits for.
                    Some(_) => shared.outbound.push_own(frame),
                }
            }
            !std::mem::replace(&mut shared.woken, true)
        };
        if sleeps {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Writes or leaves a frame by the caller's thread. While the slot is held the connection is not told as lost, so that its
    /// owner knows then what went out.
    fn put(
        &self,
        mut slot: Slot<'_>,
        frame: Outgoing,
        at_once: bool,
        on_sent: impl FnOnce(&Outgoing) -> bool,
    ) {
        match (on_sent(&frame), at_once) {
            (true, true) => slot.put(&frame.frame),
            (true, false) => slot.leave(&frame.frame),
            (false, _) => {}
        }
        let mut shared = self.lock();
        shared.left = slot.has_rest();
        shared.writer = if shared.left { Writer::Left } else { Writer::Nobody };
        if !shared.left {
            shared.outbound.all_written();
            self.tell_flushing(&shared);
        }
        // The task may have looked meanwhile, and left to us what it found.
        let wanted = shared.left || !shared.outbound.has_nothing_to_send();
        let sleeps = wanted && !std::mem::replace(&mut shared.woken, true);
        drop(shared);
        if sleeps {
            self.wake.notify_one();
        }
    }

    /// Queues a frame of the library's own, whatever the bound.
    pub fn send_own(&self, frame: Outgoing) {
        let sleeps = {
            let mut shared = self.lock();
            shared.outbound.push_own(frame);
            !std::mem::replace(&mut shared.woken, true)
        };
        if sleeps {
            self.wake.notify_one();
        }
    }

    pub fn send_first(&self, frame: Outgoing) {
        self.lock().outbound.push_front(frame);
        self.wake();
    }

    pub fn drop_where(&self, unwanted: impl Fn(&Outgoing) -> bool) -> Dropped {
        let mut shared = self.lock();
        let dropped = shared.outbound.drop_where(unwanted);
        self.tell_flushing(&shared);
        dropped
    }

    /// Drops everything, also what is kept to be sent again.
    pub fn drop_all(&self) {
        {
            let mut shared = self.lock();
            shared.outbound.drop_where(|_| true);
            shared.outbound.drop_in_flight();
            self.tell_flushing(&shared);
        }
    }

    /// The outcomes of these requests are decided: what still waits of them is dropped, and what waits for them may go out.
    pub fn settle(&self, requests: impl IntoIterator<Item = u64>) {
        {
            let mut shared = self.lock();
            requests.into_iter().for_each(|request| shared.outbound.settle(request));
            self.tell_flushing(&shared);
        }
        self.wake();
    }

    /// The frame of a request that is out goes out again.
    pub fn send_again(&self, request: u64) {
        self.lock().outbound.again(request);
        self.wake();
    }

    /// May a volatile frame be queued? Not where the socket does not take what it is handed; that is counted.
    pub fn takes_volatile(&self) -> bool {
        let takes = self.state() == State::Connected;
        let mut shared = self.lock();
        let takes = takes && !shared.outbound.is_stalled();
        if !takes {
            shared.outbound.refuse_volatile();
        }
        takes
    }

    /// Volatile frames that were dropped.
    pub fn dropped_volatile(&self) -> u64 {
        self.lock().outbound.dropped_volatile()
    }

    /// Frames and bytes that wait.
    pub fn waiting(&self) -> (usize, usize) {
        let shared = self.lock();
        (shared.outbound.len(), shared.outbound.bytes())
    }

    /// Waits until all that is queued now was written to the socket; false when the time is over. `None` when the client
    /// was destroyed meanwhile.
    pub fn flush(&self, until: Option<Instant>) -> Option<bool> {
        let mut shared = self.lock();
        let mark = shared.outbound.mark();
        shared.flushing += 1;
        let flushed = loop {
            if shared.outbound.is_gone(mark) {
                break Some(true);
            }
            if shared.wish.end {
                break None;
            }
            shared = match until {
                None => self.flushed.wait(shared).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break Some(false);
                    }
                    self.flushed.wait_timeout(shared, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        };
        shared.flushing -= 1;
        flushed
    }

    /// To signal is a call of the system, and hardly ever does somebody wait.
    fn tell_flushing(&self, shared: &Shared) {
        if shared.flushing > 0 {
            self.flushed.notify_all();
        }
    }

    /// Wakes the task, so that it looks at everything again.
    pub fn wake(&self) {
        self.lock().woken = true;
        self.wake.notify_one();
    }

    // The task's side.

    pub(super) fn wish(&self) -> Wish {
        self.lock().wish
    }

    /// The task gave up by itself, and had told so after `wish` was read: without a newer wish it stays so.
    pub(super) fn rest(&self, wish: Wish) {
        let mut shared = self.lock();
        if shared.wish == wish {
            shared.wish.open = false;
        }
    }

    /// The next frame for a connection that was wanted at this count of closes: after another close they wait.
    pub(super) fn pop(&self, closes: u64, now: Instant) -> Next {
        let mut shared = self.lock();
        if shared.wish.closes != closes {
            return Next::Nothing;
        }
        // A caller's thread that writes just now wakes the task where something waits behind it.
        let may_write = shared.writer != Writer::Caller;
        match may_write.then(|| shared.outbound.pop()).flatten() {
            Some(frame) => {
                shared.writer = Writer::Task;
                if let Some(shortcut) = &mut shared.shortcut {
                    shortcut.on_task_writes(now);
                }
                Next::Frame(frame)
            }
            None if std::mem::take(&mut shared.left) => {
                if let Some(shortcut) = &mut shared.shortcut {
                    shortcut.on_task_flushes(now);
                }
                Next::Left
            }
            None => {
                shared.woken = false;
                Next::Nothing
            }
        }
    }

    /// All that was popped or left is written out, or lost with its connection.
    pub(super) fn all_written(&self) {
        let mut shared = self.lock();
        // Somebody may have left more meanwhile, and woken the task for it.
        let clear =
            shared.shortcut.as_ref().is_none_or(|shortcut| shortcut.outlet().is_clear() == Some(true));
        match shared.writer {
            Writer::Caller => {}
            _ if !clear => shared.writer = Writer::Left,
            _ => {
                shared.writer = Writer::Nobody;
                shared.outbound.all_written();
                self.tell_flushing(&shared);
            }
        }
    }

    /// From now on callers may write by themselves, on the connection that was wanted at this count of closes.
    pub(super) fn open_shortcut(&self, outlet: Outlet, closes: u64) {
        let mut shared = self.lock();
        shared.shortcut = Some(Shortcut::new(outlet, closes, shared.outbound.limit()));
    }

    /// No caller writes by itself any more, and none is about to.
    pub(super) fn close_shortcut(&self) {
        let shortcut = self.lock().shortcut.take();
        if let Some(shortcut) = shortcut {
            shortcut.outlet().close();
            self.lock().left = false;
        }
    }

    /// No connection stands, or is made: the state says so, unless one was wanted meanwhile.
    pub(super) fn idle(&self) {
        let shared = self.lock();
        if !shared.wish.open {
            self.set_state(State::Disconnected);
        }
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    pub(super) fn checks(&self) -> u64 {
        self.checks.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_volatile_waits_for_no_other_connection() {
        let link = Link::new(true, 1024);
        let volatile = || Outgoing { volatile: true, ..Outgoing::plain("x".to_owned()) };
        link.set_state(State::Connected);
        assert!(link.takes_volatile());
        link.send(volatile(), |_, _| true, |_, _| true).unwrap();
        // The connection is lost behind the caller's back.
        link.set_state(State::Disconnected);
        link.drop_where(|frame| frame.volatile);
        assert_eq!(link.send(volatile(), |_, _| true, |_, _| true), Err(Unsent::Volatile));
        assert_eq!((link.waiting(), link.dropped_volatile()), ((0, 0), 2));
    }
}
