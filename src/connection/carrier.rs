//! What a namespace's packets travel over: a connection of its own, or a part in one that several namespaces share.

use std::{
    task::{Context, Poll},
    time::Instant,
};

use super::{search::Opened, shared::Member};
use crate::{
    engineio::{Handshake, Revision},
    socketio::Transmit,
    transport::{Frame, Lost, Outlet, Socket},
};

pub enum Carrier {
    Own(Box<Socket>),
    Shared(Member),
}

/// A carrier, and how it was opened.
pub struct Way {
    pub carrier: Carrier,
    pub handshake: Handshake,
    pub path: String,
    /// With the values of the query masked.
    pub url: String,
    /// The revision that the URL had to ask for, where that was not left open.
    pub asked: Option<Revision>,
}

impl From<Opened> for Way {
    fn from(Opened { socket, handshake, path, url, asked }: Opened) -> Self {
        Way { carrier: Carrier::Own(Box::new(socket)), handshake, path, url, asked }
    }
}

impl Carrier {
    /// Somebody else beats the heart of this connection.
    pub fn is_shared(&self) -> bool {
        matches!(self, Carrier::Shared(_))
    }

    /// The transport that is used now.
    pub fn transport(&self) -> &'static str {
        match self {
            Carrier::Own(socket) => socket.transport(),
            Carrier::Shared(member) => member.transport(),
        }
    }

    /// The revision, where it is known already.
    pub fn revision(&self) -> Option<Revision> {
        match self {
            Carrier::Own(socket) => socket.revision(),
            Carrier::Shared(member) => member.revision(),
        }
    }

    /// Where text frames can be put past this, on a connection of one's own.
    pub fn outlet(&self) -> Option<&Outlet> {
        match self {
            Carrier::Own(socket) => socket.outlet(),
            Carrier::Shared(_) => None,
        }
    }

    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Lost>> {
        match self {
            Carrier::Own(socket) => socket.poll_next(cx),
            Carrier::Shared(member) => member.poll_next(cx),
        }
    }

    /// Is there room for another packet?
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        match self {
            Carrier::Own(socket) => socket.poll_ready(cx),
            Carrier::Shared(member) => member.poll_ready(cx),
        }
    }

    /// Hands over a frame; binary data in the form that the revision wants.
    pub fn send(&mut self, frame: Transmit, revision: Revision) -> Result<(), Lost> {
        match (self, frame) {
            (Carrier::Own(socket), Transmit::Text(text)) => socket.send_text(text.into_owned()),
            (Carrier::Own(socket), Transmit::Secret(text)) => socket.send_secret(text),
            (Carrier::Own(socket), Transmit::Data(data)) => socket.send_binary(data, revision),
            (Carrier::Shared(member), frame) => {
                member.send(frame);
                Ok(())
            }
        }
    }

    /// Asks for a sign of life: it comes as a frame.
    pub fn send_check(&mut self, revision: Revision) -> Result<(), Lost> {
        match self {
            Carrier::Own(socket) => socket.send_check(revision),
            Carrier::Shared(member) => {
                member.send_check();
                Ok(())
            }
        }
    }

    /// No sign of life came: whoever else uses the connection has to know.
    pub fn condemn(&self, lost: &Lost) {
        if let Carrier::Shared(member) = self {
            member.condemn(lost.clone());
        }
    }

    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        match self {
            Carrier::Own(socket) => socket.poll_flush(cx),
            Carrier::Shared(member) => member.poll_flush(cx),
        }
    }

    /// Reading stops for a while, or goes on. A member that does not read stops its whole connection by being full.
    pub fn set_paused(&mut self, paused: bool) {
        if let Carrier::Own(socket) = self {
            socket.set_paused(paused);
        }
    }

    /// Nobody reads any more: what comes is lost, and nothing may wait for an upgrade.
    pub fn stop_reading(&mut self) {
        match self {
            Carrier::Own(socket) => socket.set_paused(true),
            Carrier::Shared(member) => member.stop_reading(),
        }
    }

    /// Has the connection shown a sign of life since then that the caller did not see, or could it show none?
    pub fn may_live(&self, since: Instant) -> bool {
        match self {
            Carrier::Own(_) => false,
            Carrier::Shared(member) => member.may_live(since),
        }
    }

    /// Why the upgrade of a long-polling connection failed, once.
    pub fn take_upgrade_failure(&mut self) -> Option<String> {
        match self {
            Carrier::Own(socket) => socket.take_upgrade_failure(),
            Carrier::Shared(_) => None,
        }
    }

    /// Says goodbye, and waits until the server has read it; a shared connection ends with its last member.
    pub async fn close(&mut self) {
        match self {
            Carrier::Own(socket) => socket.close().await,
            Carrier::Shared(member) => member.close().await,
        }
    }
}
