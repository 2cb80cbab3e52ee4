//! The bytes of a connection, with or without TLS.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{outlet::Outlet, read_ahead::ReadAhead, tls::Tls};

pub enum Stream {
    Plain(ReadAhead, Outlet),
    /// Over a stream of any kind: through an `https` proxy there is TLS in TLS.
    Tls(Box<Tls>),
}

impl Stream {
    pub fn plain(stream: TcpStream) -> Self {
        let (reading, writing) = stream.into_split();
        Stream::Plain(ReadAhead::new(reading), Outlet::new(writing))
    }

    /// Where frames can be put past the network thread: what TLS encrypts has to pass it.
    pub fn outlet(&self) -> Option<&Outlet> {
        match self {
            Stream::Plain(_, outlet) => Some(outlet),
            Stream::Tls(_) => None,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(ahead, _) => ahead.poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(_, outlet) => outlet.poll_write(cx, data),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, data),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(_, outlet) => outlet.poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(_, outlet) => outlet.poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
