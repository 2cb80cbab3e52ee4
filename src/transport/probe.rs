//! The upgrade of a long-polling session: a WebSocket is tried beside it, and takes over once it has proved itself.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
    time::Duration,
};

use futures_util::{Sink, SinkExt, StreamExt};
use tokio::time::timeout;

use super::{websocket, Dialer, Message, Progress, WebSocket};
use crate::{
    engineio::{PROBE, PROBED, UPGRADE},
    secret::Secret,
};

/// A server gives up on an upgrade after this time, so a later answer is worth nothing.
const PROBE_TIME: Duration = Duration::from_secs(10);

pub type Probe = Pin<Box<dyn Future<Output = Result<WebSocket, String>> + Send>>;

/// How far an upgrade has come.
pub enum Upgrading {
    /// Not wanted, not offered, or over.
    No,
    Failed(String),
    Probing(Probe),
    /// The server answered the probe; long-polling is to pause.
    Probed(Box<WebSocket>),
    /// The packet that ends long-polling is on its way.
    Switching(Box<WebSocket>),
    Done(Box<WebSocket>),
}

impl Upgrading {
    pub fn poll_probe(&mut self, cx: &mut Context<'_>) {
        if let Upgrading::Probing(probe) = self {
            match probe.as_mut().poll(cx) {
                Poll::Ready(Ok(socket)) => *self = Upgrading::Probed(Box::new(socket)),
                Poll::Ready(Err(why)) => *self = Upgrading::Failed(why),
                Poll::Pending => {}
            }
        }
        if let Upgrading::Probed(socket) = self {
            // Until the GET that is on its way has its answer nothing is sent: a WebSocket that ends meanwhile must not hold
            // that up.
            if let Some(why) = ended(socket, cx) {
                *self = Upgrading::Failed(why);
            }
        }
    }

    pub fn is_probed(&self) -> bool {
        matches!(self, Upgrading::Probed(_) | Upgrading::Switching(_))
    }

    pub fn is_switching(&self) -> bool {
        matches!(self, Upgrading::Switching(_) | Upgrading::Done(_))
    }

    /// Sends the upgrade packet, with long-polling at rest. False where the WebSocket failed before: then long-polling goes on.
    pub fn poll_switch(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if let Upgrading::Probed(mut socket) = std::mem::replace(self, Upgrading::No) {
            *self = match Pin::new(&mut *socket).start_send(Message::text(UPGRADE)) {
                Ok(()) => Upgrading::Switching(socket),
                Err(error) => Upgrading::Failed(error.to_string()),
            };
        }
        let Upgrading::Switching(socket) = self else { return Poll::Ready(false) };
        let flushed = ready!(Pin::new(&mut **socket).poll_flush(cx));
        let Upgrading::Switching(socket) = std::mem::replace(self, Upgrading::No) else {
            return Poll::Ready(false);
        };
        *self = match flushed {
            Ok(()) => Upgrading::Done(socket),
            Err(error) => Upgrading::Failed(error.to_string()),
        };
        Poll::Ready(matches!(self, Upgrading::Done(_)))
    }

    pub fn take_done(&mut self) -> Option<WebSocket> {
        match std::mem::replace(self, Upgrading::No) {
            Upgrading::Done(socket) => Some(*socket),
            other => {
                *self = other;
                None
            }
        }
    }

    pub fn take_failure(&mut self) -> Option<String> {
        match std::mem::replace(self, Upgrading::No) {
            Upgrading::Failed(why) => Some(why),
            other => {
                *self = other;
                None
            }
        }
    }
}

/// Why a WebSocket that has nothing to say yet is of no use any more.
fn ended(socket: &mut WebSocket, cx: &mut Context<'_>) -> Option<String> {
    loop {
        match socket.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
            Poll::Ready(Some(Ok(Message::Close(_))) | None) => {
                return Some("the WebSocket was closed behind the answer to the probe".into())
            }
            Poll::Ready(Some(Ok(_))) => {
                return Some("the server sent something else behind its answer to the probe".into())
            }
            Poll::Ready(Some(Err(error))) => return Some(error.to_string()),
            Poll::Pending => return None,
        }
    }
}

/// Opens a WebSocket for the session and asks the server to prove that it gets there.
pub fn start(dialer: Arc<Dialer>, request: Secret, max_message: usize) -> Probe {
    Box::pin(async move {
        match timeout(PROBE_TIME, probe(&dialer, &request, max_message)).await {
            Ok(done) => done,
            Err(_) => Err(format!("no answer to the probe within {} ms", PROBE_TIME.as_millis())),
        }
    })
}

async fn probe(dialer: &Dialer, request: &str, max_message: usize) -> Result<WebSocket, String> {
    let mut socket = websocket::connect(dialer, request, max_message, &Progress::default())
        .await
        .map_err(|error| format!("{} failed: {}", error.step.name(), error.message))?;
    socket.send(Message::text(PROBE)).await.map_err(|error| error.to_string())?;
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) if text.as_str() == PROBED => return Ok(socket),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(_)) => return Err("the server did not answer the probe".into()),
            Some(Err(error)) => return Err(error.to_string()),
            None => return Err("the server closed the WebSocket instead of answering the probe".into()),
        }
    }
}
