//! How a client reaches its server: TCP and TLS, with everything that the caller's options say about the way.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::HeaderMap;
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

/// What a connection is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // Until long-polling is there.
pub enum Purpose {
    WebSocket,
    /// Requests of long-polling.
    Http,
}

/// A connection that stands, and how a request has to be written on it.
#[allow(dead_code)] // Until long-polling is there.
pub struct Line {
    pub stream: Stream,
    /// An HTTP proxy reads the requests itself: they name the whole URL (RFC 9112, 3.2.2) and carry `headers`. Never with
    /// `https` or for a WebSocket, which go through a tunnel.
    pub absolute: bool,
    /// For the proxy (`Proxy-Authorization`); empty unless `absolute`.
    pub headers: HeaderMap,
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
    pub async fn open(&self, _purpose: Purpose, progress: &Progress) -> Result<Line, TransportError> {
        let endpoint = self.endpoint();
        let stream = Stream::Plain(dial(endpoint, progress).await?);
        let stream = match endpoint.secure {
            false => stream,
            true => {
                progress.reach(Step::Tls);
                Stream::Tls(Box::new(tls::wrap(stream, endpoint, &self.tls).await?))
            }
        };
        Ok(Line { stream, absolute: false, headers: HeaderMap::new() })
    }

    /// The headers of a request beside those of its protocol: the caller's, and the cookies that are kept for this path.
    pub fn request_headers(&self, _purpose: Purpose, _path: &str) -> HeaderMap {
        HeaderMap::new()
    }

    /// Keeps the cookies of an answer to a request of this path (without its query), whatever its status.
    pub fn keep_cookies(&self, _path: &str, _response: &HeaderMap) {}
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
