//! Whose turn it is. All clients share the network thread: what comes without a pause is worked off in pieces, and between
//! two pieces others have their turn and the clock is looked at.
//!
//! tokio's budget of a task is made for that, but counts reads of the socket: a few of those may bring a hundred thousand
//! frames.

use std::{
    future::Future,
    pin::{pin, Pin},
    task::{Context, Poll},
};

use tokio::{
    task::{
        coop::{has_budget_remaining, unconstrained},
        yield_now,
    },
    time::Sleep,
};

/// So many bytes are read from one socket in a turn: the smallest frames of so many take some milliseconds.
const MOST_BYTES: usize = 128 * 1024;

/// What was read from one socket since others had their turn.
#[derive(Default)]
pub struct Turn {
    bytes: usize,
}

impl Turn {
    /// Pending where the turn is over, and woken when all others that can go on have done so and the clock was looked at.
    pub fn poll_go_on(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.bytes < MOST_BYTES {
            return Poll::Ready(());
        }
        self.bytes = 0;
        pin!(yield_now()).poll(cx)
    }

    pub fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Nothing is there: the next that comes begins a turn.
    pub fn end(&mut self) {
        self.bytes = 0;
    }
}

/// Is anything left of the budget of this turn? Where not, sockets seem to have nothing and to take nothing.
pub fn has_turn() -> bool {
    has_budget_remaining()
}

/// Takes one unit of the budget; pending where the turn is over, and woken for the next.
#[cfg(any(test, feature = "polling"))]
pub fn poll_unit(cx: &mut Context<'_>) -> Poll<()> {
    pin!(tokio::task::coop::consume_budget()).poll(cx)
}

/// A timer is looked at even where the turn is over: a server that floods would keep it from ever being due.
pub fn poll_timer(timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    pin!(unconstrained(timer)).poll(cx)
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use tokio::{
        io::{AsyncRead, AsyncWriteExt, ReadBuf},
        net::{TcpListener, TcpStream},
        time::{sleep, Instant},
    };

    use super::{super::Stream, *};

    /// So many reads of this size are there in one turn.
    async fn reads_in_a_turn(stream: &mut Stream, size: usize) -> usize {
        // The turn before is over.
        tokio::task::yield_now().await;
        poll_fn(|cx| {
            let (mut count, mut piece) = (0, vec![0; size]);
            while Pin::new(&mut *stream).poll_read(cx, &mut ReadBuf::new(&mut piece)).is_ready() {
                count += 1;
            }
            Poll::Ready(count)
        })
        .await
    }

    #[tokio::test]
    async fn what_is_read_in_one_turn_has_a_bound() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = Stream::plain(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let (mut peer, _) = listener.accept().await.unwrap();
        let all = vec![0; 1 << 20];
        let sent = tokio::spawn(async move { peer.write_all(&all).await.map(|()| peer) });
        tokio::time::sleep(Duration::from_millis(50)).await;
        for size in [1024, 4096] {
            let bytes = reads_in_a_turn(&mut stream, size).await * size;
            assert!(bytes > 0 && bytes < MOST_BYTES + size, "{bytes} bytes in reads of {size}");
        }
        drop(stream);
        let _ = sent.await;
    }

    #[tokio::test]
    async fn a_timer_is_seen_at_the_end_of_a_turn() {
        let mut timer = Box::pin(sleep(Duration::from_secs(600)));
        timer.as_mut().reset(Instant::now());
        let _ = poll_timer(timer.as_mut(), &mut Context::from_waker(std::task::Waker::noop()));
        // The clock goes on only where the driver has its turn.
        sleep(Duration::from_millis(5)).await;
        poll_fn(|cx| {
            while poll_unit(cx).is_ready() {}
            assert!(!has_turn() && timer.as_mut().poll(cx).is_pending());
            assert!(poll_timer(timer.as_mut(), cx).is_ready());
            Poll::Ready(())
        })
        .await;
    }
}
