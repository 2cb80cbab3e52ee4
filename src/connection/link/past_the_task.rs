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
    /// of it under the link's lock: to copy so small a frame takes no longer than a second turn at the lock would.
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
        // To look at the clock is a good part of what one of many costs.
        let now = shortcut.clock()?;
        let mut slot = shortcut.outlet().slot(shortcut.batch())?;
        if slot.is_stalled() || slot.is_filled_by(&frame.frame) || !on_left(frame, now) {
            return None;
        }
        slot.leave(&frame.frame);
        drop(slot);
        self.outbound.pass();
        self.left = true;
        Some(())
    }

    /// The thread that has this frame writes now; says whether at once, and what time it is.
    pub fn begin_to_write(&mut self) -> (bool, Instant) {
        self.outbound.pass();
        let was_left = std::mem::replace(&mut self.writer, Writer::Caller) == Writer::Left;
        let now = Instant::now();
        let at_once = self.shortcut.as_mut().is_some_and(|shortcut| shortcut.is_at_once(now));
        (at_once && !was_left, now)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        task::{Context, Poll, Waker},
    };

    use tokio::net::{TcpListener, TcpStream};

    use super::super::{Link, Next, State};
    use super::*;

    const LIMIT: usize = 1024 * 1024;

    /// A link whose callers write to the first of these; nobody reads from the second.
    async fn link() -> (Link, Outlet, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (reading, half) = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap().into_split();
        // The reading half would close the socket.
        std::mem::forget(reading);
        let (link, outlet) = (Link::new(true, LIMIT), Outlet::new(half));
        link.set_state(State::Connected);
        link.open_shortcut(outlet.clone(), 0);
        (link, outlet, listener.accept().await.unwrap().0)
    }

    /// Sends a frame; gives what its owner is told of when it went out.
    fn send(link: &Link, bytes: usize) -> Instant {
        let told = Cell::new(None);
        let tell = |_: &Outgoing, now| {
            told.set(Some(now));
            true
        };
        link.send(Outgoing::plain("x".repeat(bytes)), tell, tell).unwrap();
        told.get().expect("it was queued")
    }

    fn send_until_one_is_left(link: &Link) {
        while link.lock().writer != Writer::Left {
            send(link, 10);
        }
    }

    #[tokio::test]
    async fn what_waits_for_a_stalled_socket_is_as_old_as_it_is() {
        let (link, outlet, _peer) = link().await;
        while outlet.is_clear() == Some(true) {
            outlet.slot(usize::MAX).unwrap().put(&"x".repeat(100_000));
        }
        send_until_one_is_left(&link);
        assert!(matches!(link.pop(0, Instant::now()), Next::Left));
        assert!(matches!(outlet.poll_flush(&mut Context::from_waker(Waker::noop())), Poll::Pending));
        for _ in 0..3 {
            let before = Instant::now();
            assert!(send(&link, 10) >= before);
        }
    }

    #[tokio::test]
    async fn what_is_left_is_no_older_than_the_last_flush() {
        let (link, outlet, _peer) = link().await;
        send_until_one_is_left(&link);
        let flushed = Instant::now();
        assert!(matches!(link.pop(0, flushed), Next::Left));
        assert!(send(&link, 10) >= flushed);
        assert_eq!(link.lock().writer, Writer::Left);
        assert_eq!(outlet.is_clear(), Some(false), "it was left");
    }

    #[tokio::test]
    async fn what_is_left_is_no_older_than_the_last_batch() {
        let (link, outlet, mut peer) = link().await;
        let reading = tokio::spawn(async move { tokio::io::copy(&mut peer, &mut tokio::io::sink()).await });
        send_until_one_is_left(&link);
        let before = Instant::now();
        while outlet.is_clear() == Some(false) {
            send(&link, 10_000);
            tokio::task::yield_now().await;
        }
        assert!(
            link.lock().shortcut.as_ref().and_then(Shortcut::clock) >= Some(before),
            "a caller wrote the batch"
        );
        reading.abort();
    }
}
