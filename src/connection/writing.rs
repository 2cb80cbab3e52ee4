//! What goes out over a connection: the protocol's own frames, the caller's packets, and the goodbye.

use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{drive::Connection, link::Next, outbound::Outgoing, shortcut::FLOOD};
use crate::{engineio::Revision, socketio::Transmit, transport::Lost};

/// So many bytes are handed to the socket before it has to be flushed.
const WRITE_BATCH: usize = 64 * 1024;
/// How long a goodbye may take.
pub const GOODBYE: Duration = Duration::from_millis(250);

impl Connection<'_> {
    /// Hands frames to the socket in batches: the protocol's own first, then, once connected, the caller's.
    pub(super) fn write(&mut self, cx: &mut Context<'_>, connected: bool) -> Result<(), Lost> {
        loop {
            if self.unflushed {
                match self.carrier.poll_flush(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(done) => done?,
                }
                self.unflushed = false;
                self.link.all_written();
                self.make_way();
            }
            if !self.fill(cx, connected)? {
                return Ok(());
            }
        }
    }

    /// A caller that sends one event after the other would be interrupted for each of them where it shares this thread's core:
    /// it gets its turn, and then all that it has sent meanwhile goes out in one batch.
    fn make_way(&mut self) {
        if std::mem::take(&mut self.popped) {
            let now = Instant::now();
            let last = self.written_at.replace(now);
            if last.is_some_and(|last| now - last < FLOOD) {
                std::thread::yield_now();
            }
        }
    }

    /// Fills the socket's write buffer with one batch; says whether there was anything.
    fn fill(&mut self, cx: &mut Context<'_>, connected: bool) -> Result<bool, Lost> {
        let (mut bytes, now) = (0, Instant::now());
        while bytes < WRITE_BATCH {
            match self.carrier.poll_ready(cx) {
                Poll::Pending => break,
                Poll::Ready(ready) => ready?,
            }
            if let Some(frame) = self.session.poll_transmit() {
                self.unflushed = true;
                self.transmit(frame)?;
                continue;
            }
            match connected.then(|| self.pop(now)).flatten() {
                Some(packet) => bytes += self.send(packet)?,
                None => break,
            }
        }
        Ok(self.unflushed)
    }

    /// Hands a packet with its attachments to the socket; gives their size.
    fn send(&mut self, packet: Outgoing) -> Result<usize, Lost> {
        let mut bytes = packet.frame.len();
        self.unflushed = true;
        if !packet.frame.is_empty() {
            self.transmit(Transmit::Text(packet.frame.into()))?;
        }
        for attachment in packet.attachments {
            bytes += attachment.len();
            self.transmit(Transmit::Data(attachment))?;
        }
        Ok(bytes)
    }

    fn transmit(&mut self, frame: Transmit) -> Result<(), Lost> {
        self.carrier.send(frame, self.session.revision().unwrap_or(Revision::V4))
    }

    /// The caller's next packet. Answers that belong to an earlier connection are dropped.
    fn pop(&mut self, now: Instant) -> Option<Outgoing> {
        loop {
            let outgoing = match self.link.pop(self.wish.closes, now) {
                Next::Frame(outgoing) => outgoing,
                Next::Left => {
                    (self.unflushed, self.popped) = (true, true);
                    return None;
                }
                Next::Nothing => return None,
            };
            let stale = outgoing.connection.is_some_and(|connection| connection != self.number);
            if stale || !self.owner.on_sent(&outgoing, now) {
                // Nothing is written for it, but a flush that waits for it has to hear that it is gone.
                self.unflushed = true;
                continue;
            }
            self.popped = true;
            return Some(outgoing);
        }
    }

    /// Leaves the namespace and closes the connection, within a limit of time.
    pub async fn goodbye(mut self) {
        let leave = self.session.leave();
        self.carrier.stop_reading();
        let parting = async {
            if let Some(frame) = leave {
                poll_fn(|cx| self.carrier.poll_ready(cx)).await?;
                self.transmit(frame)?;
                poll_fn(|cx| self.carrier.poll_flush(cx)).await?;
            }
            self.carrier.close().await;
            Ok::<(), Lost>(())
        };
        // A server that does not listen any more misses nothing.
        let _ = timeout(GOODBYE, parting).await;
        self.link.all_written();
    }
}
