//! How a client reaches its server: TCP and TLS, with everything that the caller's options say about the way.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{
    dial::dial,
    tls::{self, Tls, TlsCache},
    Endpoint, Progress, Step, TransportError,
};

/// Where the server is and how it is reached.
#[derive(Clone, Debug)]
pub struct Access {
    pub endpoint: Endpoint,
}

/// A connection, with or without TLS.
pub enum Stream {
    Plain(TcpStream),
    Tls(Box<Tls>),
}

/// Makes the connections of one client.
#[derive(Debug)]
pub struct Dialer {
    access: Access,
    tls: Arc<TlsCache>,
}

impl Dialer {
    pub fn new(access: Access, tls: Arc<TlsCache>) -> Self {
        Dialer { access, tls }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.access.endpoint
    }

    /// Opens a connection to the server.
    pub async fn open(&self, progress: &Progress) -> Result<Stream, TransportError> {
        let endpoint = self.endpoint();
        let stream = dial(endpoint, progress).await?;
        if !endpoint.secure {
            return Ok(Stream::Plain(stream));
        }
        progress.reach(Step::Tls);
        Ok(Stream::Tls(Box::new(tls::wrap(stream, endpoint, &self.tls).await?)))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, data),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, data),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
