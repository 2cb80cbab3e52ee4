//! The writing side of a connection without TLS. The network thread writes through it; where that has nothing to write, frames
//! may be put past it by the thread that has them: one at once, which saves waking the network thread, or many in batches.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    task::{ready, Context, Poll},
};

use rand::{rngs::StdRng, RngExt, SeedableRng};
use tokio::{io::AsyncWrite, net::tcp::OwnedWriteHalf};
use tokio_tungstenite::tungstenite::protocol::frame::{
    coding::{Data, OpCode},
    FrameHeader,
};

/// Two bytes, the longest length and the mask.
const LONGEST_HEADER: usize = 2 + 8 + 4;

/// Its clones are one.
#[derive(Clone)]
pub struct Outlet(Arc<Mutex<Side>>);

struct Side {
    half: OwnedWriteHalf,
    /// For the masks. The one of the thread would not do: a thread that ends has none any more.
    random: StdRng,
    /// The last piece of the network thread was not taken whole: the rest of its frame has to come next.
    cut: bool,
    /// Frames that were left here, and what the socket did not take of one that was put: nothing may come before them.
    rest: Vec<u8>,
    /// The socket took no more when it was last offered the rest.
    stalled: bool,
    closed: bool,
}

/// The right to put a frame here. The network thread waits for its end, so it is held for that alone.
pub struct Slot<'a> {
    side: MutexGuard<'a, Side>,
    batch: usize,
}

impl Outlet {
    pub fn new(half: OwnedWriteHalf) -> Self {
        Outlet(Arc::new(Mutex::new(Side {
            half,
            random: StdRng::from_rng(&mut rand::rng()),
            cut: false,
            rest: Vec::new(),
            stalled: false,
            closed: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Side> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot, unless somebody writes just now, or the socket takes less than is put here. What is left is written where it is
    /// so many bytes.
    pub fn slot(&self, batch: usize) -> Option<Slot<'_>> {
        let side = self.try_lock()?;
        (!side.cut && side.rest.len() < batch && !side.closed).then_some(Slot { side, batch })
    }

    /// Does nothing of the callers' wait here? Not known while somebody writes.
    pub fn is_clear(&self) -> Option<bool> {
        Some(self.try_lock()?.rest.is_empty())
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Side>> {
        match self.0.try_lock() {
            Ok(side) => Some(side),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// From now on there are no slots; waits for the end of one that is held.
    pub fn close(&self) {
        self.lock().closed = true;
    }

    pub fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let mut side = self.lock();
        ready!(side.poll_rest(cx))?;
        let taken = ready!(Pin::new(&mut side.half).poll_write(cx, data))?;
        // The WebSocket hands over all that it has, so what was taken whole ends with a frame.
        side.cut = taken < data.len();
        Poll::Ready(Ok(taken))
    }

    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_rest(cx)
    }

    pub fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut side = self.lock();
        ready!(side.poll_rest(cx))?;
        Pin::new(&mut side.half).poll_shutdown(cx)
    }
}

impl Side {
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let taken = Pin::new(&mut self.half).poll_write(cx, &self.rest);
            self.stalled = taken.is_pending();
            match ready!(taken)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                taken => drop(self.rest.drain(..taken)),
            }
        }
        // Every connection would keep its memory.
        self.rest = Vec::new();
        Poll::Ready(Ok(()))
    }
}

impl Slot<'_> {
    /// Writes a text frame, behind what waits here.
    pub fn put(&mut self, text: &str) {
        self.side.mask(text);
        self.side.write();
    }

    /// Leaves a text frame here: it goes out as one of many, or with the network thread's next flush.
    pub fn leave(&mut self, text: &str) {
        self.side.mask(text);
        if self.side.rest.len() >= self.batch {
            self.side.write();
        }
    }

    /// Does this fill the batch, so that it would be written?
    pub fn is_filled_by(&self, text: &str) -> bool {
        self.side.rest.len() + LONGEST_HEADER + text.len() >= self.batch
    }

    /// Does what is left here wait for the socket? It may do so for long.
    pub fn is_stalled(&self) -> bool {
        self.side.stalled
    }

    /// Is there something for a flush by the network thread to bring out?
    pub fn has_rest(&self) -> bool {
        !self.side.rest.is_empty()
    }
}

impl Side {
    /// Adds a WebSocket frame as a client has to send it. It is masked where it is to lie: a frame of tungstenite's would be
    /// masked in its own memory, and copied.
    fn mask(&mut self, text: &str) {
        let mask = self.random.random::<u32>().to_ne_bytes();
        let header =
            FrameHeader { opcode: OpCode::Data(Data::Text), mask: Some(mask), ..FrameHeader::default() };
        self.rest.reserve(LONGEST_HEADER + text.len());
        // Writing to memory does not fail.
        let _ = header.format(text.len() as u64, &mut self.rest);
        let start = self.rest.len();
        self.rest.extend_from_slice(text.as_bytes());
        exclusive_or(&mut self.rest[start..], mask);
    }

    fn write(&mut self) {
        match self.half.try_write(&self.rest) {
            Ok(taken) if taken == self.rest.len() => {
                self.rest.clear();
                self.stalled = false;
            }
            Ok(taken) => drop(self.rest.drain(..taken)),
            // The network thread waits for room, and meets the error itself where it is one.
            Err(_) => {}
        }
    }
}

/// RFC 6455, 5.3: each byte with that of the mask whose turn it is.
fn exclusive_or(data: &mut [u8], mask: [u8; 4]) {
    let (fours, last) = data.as_chunks_mut();
    for four in fours {
        *four = (u32::from_ne_bytes(*four) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    last.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };
    use tokio_tungstenite::{
        tungstenite::{protocol::Role, Message},
        WebSocketStream,
    };

    use super::*;

    const BATCH: usize = 64 * 1024;

    async fn pair() -> (Outlet, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (reading, half) = ours.into_split();
        // The reading half would close the socket.
        std::mem::forget(reading);
        (Outlet::new(half), listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn a_frame_is_one_that_a_server_takes() {
        use futures_util::StreamExt;
        let (outlet, peer) = pair().await;
        let texts = ["", "42[\"a\"]", &"x".repeat(130), &"ü".repeat(40_000)];
        for text in texts {
            let mut slot = outlet.slot(BATCH).unwrap();
            slot.put(text);
            assert!(!slot.has_rest());
        }
        let mut server = WebSocketStream::from_raw_socket(peer, Role::Server, None).await;
        for sent in texts {
            let Some(Ok(Message::Text(text))) = server.next().await else { panic!("no text") };
            assert_eq!(text, sent);
        }
    }

    #[tokio::test]
    async fn what_the_socket_does_not_take_comes_first_and_whole() {
        let (outlet, mut peer) = pair().await;
        let mut sent = 0;
        // Nobody reads: at some time the socket is full.
        while let Some(mut slot) = outlet.slot(BATCH) {
            slot.put(&"x".repeat(100_000));
            sent += 1;
        }
        assert_eq!(outlet.is_clear(), Some(false));
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            peer.read_to_end(&mut all).await.unwrap();
            all
        });
        let end = poll_fn(|cx| outlet.poll_write(cx, b"end")).await.unwrap();
        assert_eq!(end, 3);
        assert!(outlet.is_clear().is_some_and(|clear| clear) && outlet.slot(BATCH).is_some());
        poll_fn(|cx| outlet.poll_shutdown(cx)).await.unwrap();
        let all = reading.await.unwrap();
        // Behind two bytes come eight for the length and four for the mask.
        assert_eq!(all.len(), sent * 100_014 + 3);
        assert!(all.ends_with(b"end"));
    }

    #[tokio::test]
    async fn what_is_left_goes_out_with_a_flush_or_with_many() {
        let (outlet, mut peer) = pair().await;
        let leave = || outlet.slot(BATCH).map(|mut slot| slot.leave(&"x".repeat(994))).unwrap();
        leave();
        let mut some = [0; 1002];
        assert!(peer.try_read(&mut some).is_err(), "it was only left");
        poll_fn(|cx| outlet.poll_flush(cx)).await.unwrap();
        peer.read_exact(&mut some).await.unwrap();
        assert_eq!(outlet.is_clear(), Some(true));
        while outlet.is_clear() == Some(true) || outlet.lock().rest.len() + 1002 < BATCH {
            leave();
        }
        leave();
        let mut many = vec![0; BATCH.div_ceil(1002) * 1002];
        peer.read_exact(&mut many).await.unwrap();
        assert_eq!(outlet.is_clear(), Some(true));
    }

    #[tokio::test]
    async fn what_a_caller_brought_out_is_stalled_no_more() {
        let (outlet, mut peer) = pair().await;
        while outlet.is_clear() == Some(true) {
            outlet.slot(usize::MAX).unwrap().put(&"x".repeat(100_000));
        }
        assert!(poll_fn(|cx| Poll::Ready(outlet.poll_flush(cx))).await.is_pending());
        assert!(outlet.slot(usize::MAX).unwrap().is_stalled());
        let reading = tokio::spawn(async move { tokio::io::copy(&mut peer, &mut tokio::io::sink()).await });
        while outlet.is_clear() == Some(false) {
            outlet.slot(usize::MAX).unwrap().put("x");
            tokio::task::yield_now().await;
        }
        assert!(!outlet.slot(usize::MAX).unwrap().is_stalled());
        reading.abort();
    }

    #[tokio::test]
    async fn inside_a_frame_and_after_the_end_there_is_no_slot() {
        let (outlet, _peer) = pair().await;
        let piece = vec![b'x'; 100_000];
        loop {
            // Like a task that goes on with something else meanwhile.
            let taken = poll_fn(|cx| Poll::Ready(outlet.poll_write(cx, &piece))).await;
            match taken {
                Poll::Ready(Ok(taken)) if taken < piece.len() => break,
                Poll::Ready(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(outlet.slot(BATCH).is_none(), "a frame is cut");
        let (outlet, _peer) = pair().await;
        outlet.close();
        assert!(outlet.slot(BATCH).is_none(), "it is closed");
    }
}
