//! One TCP connection of a client, with the two things socketioxide has no handle for: closing a transport from the
//! server's side, and the CONNECT packets of 2.x clients.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{ready, Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::legacy_connect::FrameRepair;

/// The handle; travels with each request of its connection, and so to the sockets that it opened.
#[derive(Clone)]
pub struct Transport(Arc<Handle>);

struct Handle {
    close: Mutex<Option<oneshot::Sender<()>>>,
    /// Namespaces other than the root that are joined over this connection.
    namespaces: AtomicUsize,
    legacy_websocket: AtomicBool,
}

impl Transport {
    pub fn joined(&self) {
        self.0.namespaces.fetch_add(1, Ordering::Relaxed);
    }

    pub fn left(&self) {
        self.0.namespaces.fetch_sub(1, Ordering::Relaxed);
    }

    /// Ends the connection as if the client had: the server answers with a WebSocket Close frame and is done.
    pub fn close_if_unused(&self) {
        if self.0.namespaces.load(Ordering::Relaxed) > 0 {
            return;
        }
        let close = self.0.close.lock();
        let close = close.unwrap_or_else(|poison| poison.into_inner()).take();
        if let Some(close) = close {
            // The connection may have ended by itself.
            let _ = close.send(());
        }
    }

    /// From now on the client sends WebSocket frames of the 2.x generation.
    pub fn is_legacy_websocket(&self) {
        self.0.legacy_websocket.store(true, Ordering::Relaxed);
    }
}

pub struct ClientStream {
    tcp: TcpStream,
    transport: Transport,
    closing: oneshot::Receiver<()>,
    closed: bool,
    repair: FrameRepair,
    repaired: Vec<u8>,
}

impl ClientStream {
    pub fn new(tcp: TcpStream) -> (ClientStream, Transport) {
        let (close, closing) = oneshot::channel();
        let transport = Transport(Arc::new(Handle {
            close: Mutex::new(Some(close)),
            namespaces: AtomicUsize::new(0),
            legacy_websocket: AtomicBool::new(false),
        }));
        let stream = ClientStream {
            tcp,
            transport: transport.clone(),
            closing,
            closed: false,
            repair: FrameRepair::default(),
            repaired: Vec::new(),
        };
        (stream, transport)
    }

    fn poll_repaired(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.repaired.is_empty() {
            let mut bytes = [0; 8 * 1024];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.repair.feed(read.filled(), &mut self.repaired);
        }
        let count = self.repaired.len().min(buf.remaining());
        buf.put_slice(&self.repaired[..count]);
        self.repaired.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // The sender is never dropped before us: `transport` holds it until it is used.
        this.closed = this.closed || Pin::new(&mut this.closing).poll(cx).is_ready();
        if this.closed {
            return Poll::Ready(Ok(()));
        }
        if this.transport.0.legacy_websocket.load(Ordering::Relaxed) {
            this.poll_repaired(cx, buf)
        } else {
            Pin::new(&mut this.tcp).poll_read(cx, buf)
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
