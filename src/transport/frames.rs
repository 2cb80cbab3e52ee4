//! The frames of a WebSocket: `tungstenite`'s, and a bound where it has none.

use std::{
    io,
    pin::Pin,
    task::{ready, Context, Poll},
};

use futures_util::{Sink, SinkExt, Stream as Source, StreamExt};
use tokio_tungstenite::{
    tungstenite::{
        protocol::{Role, WebSocketConfig},
        Error, Message,
    },
    WebSocketStream,
};

use super::{fairness, Outlet, Stream};

/// So many pings may come while nothing goes out. `tungstenite` keeps the pong to each, and a server that reads none of them
/// would fill the memory. One that is only slow sends a few in that time.
const MOST_UNREAD_PONGS: usize = 1024;

pub struct WebSocket {
    inner: WebSocketStream<Stream>,
    unread_pongs: usize,
}

impl WebSocket {
    /// Begins behind the opening handshake, with what was read beyond it.
    pub async fn new(stream: Stream, rest: Vec<u8>, config: WebSocketConfig) -> Self {
        let inner = WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(config)).await;
        WebSocket { inner, unread_pongs: 0 }
    }

    /// Where text frames can be put past this.
    pub fn outlet(&self) -> Option<&Outlet> {
        self.inner.get_ref().outlet()
    }

    pub async fn close(&mut self) -> Result<(), Error> {
        self.inner.close(None).await
    }

    #[cold]
    fn count_pong(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        if self.inner.poll_flush_unpin(cx)?.is_ready() {
            self.unread_pongs = 0;
            return Ok(());
        }
        if !fairness::has_turn() {
            // It may be that alone.
            return Ok(());
        }
        self.unread_pongs += 1;
        match self.unread_pongs > MOST_UNREAD_PONGS {
            true => Err(Error::Io(io::Error::other(format!(
                "the server sent {MOST_UNREAD_PONGS} pings and read no answer"
            )))),
            false => Ok(()),
        }
    }
}

impl Source for WebSocket {
    type Item = Result<Message, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.inner.poll_next_unpin(cx));
        if let Some(Ok(Message::Ping(_))) = &next {
            if let Err(error) = self.count_pong(cx) {
                return Poll::Ready(Some(Err(error)));
            }
        }
        Poll::Ready(next)
    }
}

impl Sink<Message> for WebSocket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.inner.start_send_unpin(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_close_unpin(cx)
    }
}
