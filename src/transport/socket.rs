//! A connection of either transport, as frames.

use std::{
    pin::Pin,
    task::{ready, Context, Poll},
};

use futures_util::{Sink, SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};

use super::{close_text, loss_of, LossKind, Message, Outlet, Polling, WebSocket};
use crate::{
    engineio::{self, v3, Handshake, Revision},
    secret::Secret,
};

/// A frame of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Text(Utf8Bytes),
    /// As it stood in the WebSocket's frame: a server of revision 3 puts the packet type in front.
    Binary(Bytes),
    /// The data alone, from long-polling.
    #[cfg_attr(not(feature = "polling"), allow(dead_code))]
    Data(Bytes),
    /// Nothing but a sign of life.
    Alive,
}

/// A connection that is gone: how, and for a failure what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub kind: LossKind,
    pub description: String,
}

pub enum Socket {
    WebSocket(Box<WebSocket>),
    Polling(Box<Polling>),
}

impl Socket {
    /// The transport that is used now.
    pub fn transport(&self) -> &'static str {
        match self {
            Socket::WebSocket(_) => super::WEBSOCKET,
            Socket::Polling(_) => super::POLLING,
        }
    }

    /// The revision, where the transport shows it.
    pub fn revision(&self) -> Option<Revision> {
        match self {
            Socket::WebSocket(_) => None,
            Socket::Polling(polling) => Some(polling.revision()),
        }
    }

    /// Where text frames can be put past this.
    pub fn outlet(&self) -> Option<&Outlet> {
        match self {
            Socket::WebSocket(socket) => socket.outlet(),
            Socket::Polling(_) => None,
        }
    }

    /// The open packet was read: long-polling needs to know the session and may prepare its upgrade.
    pub fn begin(&mut self, handshake: &Handshake) {
        if let Socket::Polling(polling) = self {
            polling.begin(handshake);
        }
    }

    /// The next frame.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Lost>> {
        loop {
            match self {
                Socket::WebSocket(socket) => {
                    let frame = match ready!(socket.poll_next_unpin(cx)) {
                        Some(Ok(Message::Text(text))) => Frame::Text(text),
                        Some(Ok(Message::Binary(data))) => Frame::Binary(data),
                        Some(Ok(Message::Close(frame))) => {
                            return Poll::Ready(Err(closed(close_text(frame.as_ref()))))
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Frame::Alive,
                        Some(Err(error)) => return Poll::Ready(Err(lost(&error))),
                        None => return Poll::Ready(Err(closed(String::new()))),
                    };
                    return Poll::Ready(Ok(frame));
                }
                Socket::Polling(polling) => match polling.poll_next(cx) {
                    Poll::Ready(Ok(Some(frame))) => return Poll::Ready(Ok(frame)),
                    Poll::Ready(Ok(None)) => self.upgrade(),
                    Poll::Ready(Err(lost)) => return Poll::Ready(Err(lost)),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }

    /// The upgrade is done: from now on frames travel over its WebSocket.
    fn upgrade(&mut self) {
        if let Socket::Polling(polling) = self {
            if let Some(socket) = polling.take_upgraded() {
                *self = Socket::WebSocket(Box::new(socket));
            }
        }
    }

    /// Why the upgrade of a long-polling connection failed, once.
    pub fn take_upgrade_failure(&mut self) -> Option<String> {
        match self {
            Socket::WebSocket(_) => None,
            Socket::Polling(polling) => polling.take_upgrade_failure(),
        }
    }

    /// Reading stops for a while, or goes on.
    pub fn set_paused(&mut self, paused: bool) {
        if let Socket::Polling(polling) = self {
            polling.set_paused(paused);
        }
    }

    /// Is there room for another frame?
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        match self {
            Socket::WebSocket(socket) => socket.poll_ready_unpin(cx).map_err(|error| lost(&error)),
            Socket::Polling(polling) => {
                if !polling.has_room() {
                    // Room comes as what waits is posted, or with the end of an upgrade, for which reading wakes the task.
                    ready!(polling.poll_flush(cx))?;
                }
                match polling.has_room() {
                    true => Poll::Ready(Ok(())),
                    false => Poll::Pending,
                }
            }
        }
    }

    pub fn send_text(&mut self, text: String) -> Result<(), Lost> {
        match self {
            Socket::WebSocket(socket) => {
                // The text form is the same in both.
                start_send(socket, engineio::Frame::Text(text), Revision::V4)
            }
            Socket::Polling(polling) => {
                polling.send(engineio::Frame::Text(text));
                Ok(())
            }
        }
    }

    /// Sends a text that is wiped when it is written; long-polling has no such way.
    pub fn send_secret(&mut self, text: Secret) -> Result<(), Lost> {
        match self {
            Socket::WebSocket(socket) => match Utf8Bytes::try_from(text.into_bytes()) {
                Ok(text) => hand_over(socket, Message::Text(text)),
                // It came out of a text.
                Err(_) => Ok(()),
            },
            Socket::Polling(_) => self.send_text(text.to_string()),
        }
    }

    /// Sends an attachment in the form that the revision wants.
    pub fn send_binary(&mut self, data: Vec<u8>, revision: Revision) -> Result<(), Lost> {
        match self {
            Socket::WebSocket(socket) => start_send(socket, engineio::Frame::Binary(data), revision),
            Socket::Polling(polling) => {
                polling.send(engineio::Frame::Binary(data));
                Ok(())
            }
        }
    }

    /// Asks for a sign of life: it comes as a frame.
    pub fn send_check(&mut self, revision: Revision) -> Result<(), Lost> {
        match self {
            Socket::WebSocket(socket) => {
                let ping = Message::Ping(Bytes::new());
                Pin::new(&mut **socket).start_send(ping).map_err(|error| lost(&error))
            }
            Socket::Polling(polling) => {
                polling.send_check(revision);
                Ok(())
            }
        }
    }

    /// Writes all that was sent.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        match self {
            Socket::WebSocket(socket) => socket.poll_flush_unpin(cx).map_err(|error| lost(&error)),
            Socket::Polling(polling) => polling.poll_flush(cx),
        }
    }

    /// Says goodbye in the transport's way, and waits until the server has read it.
    pub async fn close(&mut self) {
        match self {
            Socket::WebSocket(socket) => {
                if (**socket).close().await.is_ok() {
                    // Reading up to the end lets the other side read our last frames: a close with unread data is a reset.
                    while let Some(Ok(_)) = socket.next().await {}
                }
            }
            // Its request is made of so much that every client would keep room for it.
            Socket::Polling(polling) => Box::pin(polling.close()).await,
        }
    }
}

/// Hands a packet to a WebSocket, in the form that the revision wants.
pub fn start_send(socket: &mut WebSocket, packet: engineio::Frame, revision: Revision) -> Result<(), Lost> {
    let message = match (packet, revision) {
        (engineio::Frame::Text(text), _) => Message::text(text),
        (engineio::Frame::Binary(data), Revision::V3) => Message::binary(v3::encode_binary(&data)),
        (engineio::Frame::Binary(data), Revision::V4) => Message::binary(data),
    };
    hand_over(socket, message)
}

fn hand_over(socket: &mut WebSocket, message: Message) -> Result<(), Lost> {
    Pin::new(socket).start_send(message).map_err(|error| lost(&error))
}

fn closed(description: String) -> Lost {
    Lost { kind: LossKind::Closed, description }
}

fn lost(error: &tokio_tungstenite::tungstenite::Error) -> Lost {
    let (kind, description) = loss_of(error);
    Lost { kind, description }
}
