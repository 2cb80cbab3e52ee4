//! Reads a socket in large pieces while much comes, and keeps no memory while little does: of ten thousand connections
//! nearly all are idle at any moment.

use std::{
    cell::Cell,
    io,
    ops::Range,
    pin::Pin,
    task::{ready, Context, Poll},
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    net::tcp::OwnedReadHalf,
};

use super::fairness::Turn;

/// A read that fills what it is given is followed by one of this size.
const PIECE: usize = 64 * 1024;

thread_local! {
    /// Nearly always one is enough for all connections of the network thread: a piece is used up before another is read.
    static SPARE: Cell<Option<Vec<u8>>> = const { Cell::new(None) };
}

pub struct ReadAhead {
    stream: OwnedReadHalf,
    /// What was read and not asked for yet stands at `waiting`; empty where there is none.
    piece: Vec<u8>,
    waiting: Range<usize>,
    much_comes: bool,
    turn: Turn,
}

impl ReadAhead {
    pub fn new(stream: OwnedReadHalf) -> Self {
        ReadAhead { stream, piece: Vec::new(), waiting: 0..0, much_comes: false, turn: Turn::default() }
    }

    pub fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.turn.poll_go_on(cx));
        let before = buf.filled().len();
        let read = self.read(cx, buf);
        match read.is_ready() {
            true => self.turn.count(buf.filled().len() - before),
            false => self.turn.end(),
        }
        read
    }

    fn read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.waiting.is_empty() {
            // What is asked for is as large as a piece where a large message is read.
            if !self.much_comes || buf.remaining() >= PIECE {
                return self.read_directly(cx, buf);
            }
            ready!(self.read_piece(cx))?;
        }
        let count = self.waiting.len().min(buf.remaining());
        buf.put_slice(&self.piece[self.waiting.start..self.waiting.start + count]);
        self.waiting.start += count;
        if self.waiting.is_empty() && !self.piece.is_empty() {
            self.waiting = 0..0;
            SPARE.set(Some(std::mem::take(&mut self.piece)));
        }
        Poll::Ready(Ok(()))
    }

    fn read_directly(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.much_comes = buf.remaining() == 0;
        Poll::Ready(Ok(()))
    }

    fn read_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut piece = SPARE.take().unwrap_or_else(|| vec![0; PIECE]);
        let mut filled = ReadBuf::new(&mut piece);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut filled);
        let count = filled.filled().len();
        if count == 0 {
            SPARE.set(Some(piece));
            return read;
        }
        (self.piece, self.waiting) = (piece, 0..count);
        // A quarter of what fits is still worth one read.
        self.much_comes = count >= PIECE / 4;
        read
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::super::Stream;

    #[tokio::test]
    async fn every_byte_comes_once_and_in_order_whatever_is_asked_for() {
        for next in [|size| size * 7 % 100_003 + 1, |_| 4096, |_| 100_000] {
            read_all(next).await;
        }
    }

    async fn read_all(next: fn(usize) -> usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sent: Vec<u8> = (0..1_000_000u32).map(|number| (number % 251) as u8).collect();
        let all = sent.clone();
        let server = tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            for part in all.chunks(70_000) {
                peer.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let mut stream = Stream::plain(TcpStream::connect(address).await.unwrap());
        let (mut got, mut size) = (Vec::new(), 1);
        loop {
            let mut part = vec![0; size];
            let count = stream.read(&mut part).await.unwrap();
            if count == 0 {
                break;
            }
            got.extend_from_slice(&part[..count]);
            size = next(size);
        }
        assert_eq!(stream.read(&mut [0; 9]).await.unwrap(), 0, "the end stays the end");
        server.await.unwrap();
        assert!(got == sent);
        let Stream::Plain(ahead, _) = stream else { unreachable!() };
        assert!(ahead.piece.is_empty(), "an idle connection keeps no memory");
    }
}
