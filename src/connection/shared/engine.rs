//! What the members of a shared connection and its task have in common.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Instant,
};

use tokio::sync::Notify;

use super::task;
use crate::{
    connection::{owner::Attempt, search::Opened},
    engineio::{Handshake, Revision},
    socketio::Transmit,
    transport::{Frame, Lost, WEBSOCKET},
};

/// A member that has so many bytes to read is full, and nothing more is read for anybody.
const INBOX: usize = 256 * 1024;

/// How a connection was opened: its open packet, path, masked URL, and the revision that had to be asked for.
type HowOpened = (Handshake, String, String, Option<Revision>);

/// What became of the opening.
pub enum Outcome {
    Open(Box<HowOpened>),
    Failed(Vec<Attempt>),
    Abandoned,
}

/// A namespace, as far as the server knows it.
#[derive(Debug, Default)]
pub struct Place {
    /// Tells its member from those that had this namespace before.
    pub number: u64,
    /// None where its member has gone and the server has still to be told.
    pub member: Option<Inbox>,
    /// The CONNECT went out and was not answered yet.
    pub asked: bool,
    pub joined: bool,
    /// The server disconnected it.
    pub ended: bool,
}

impl Place {
    /// Does the server know the namespace, or will it? A 4.x server ends the whole connection on a packet for another.
    pub fn is_known(&self) -> bool {
        self.asked || self.joined
    }
}

#[derive(Debug, Default)]
pub struct Inbox {
    pub frames: VecDeque<Frame>,
    bytes: usize,
    waker: Option<Waker>,
}

impl Inbox {
    pub fn push(&mut self, frame: Frame) {
        self.bytes += size(&frame);
        self.frames.push_back(frame);
        self.wake();
    }

    pub fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= size(&frame);
        Some(frame)
    }

    pub fn is_full(&self) -> bool {
        self.bytes >= INBOX
    }

    pub fn wait(&mut self, waker: &Waker) {
        self.waker = Some(waker.clone());
    }

    pub fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// What a frame counts: no flood of empty ones goes uncounted.
fn size(frame: &Frame) -> usize {
    std::mem::size_of::<Frame>()
        + match frame {
            Frame::Text(text) => text.len(),
            Frame::Binary(data) | Frame::Data(data) => data.len(),
            Frame::Alive => 0,
        }
}

#[derive(Debug, Default)]
enum Opening {
    #[default]
    Waiting,
    Open(Box<HowOpened>),
    Failed(Vec<Attempt>),
    Abandoned,
}

#[derive(Debug, Default)]
pub struct State {
    opening: Opening,
    pub places: HashMap<String, Place>,
    /// The last number of a place.
    last: u64,
    /// What waits for the socket, and of which namespace it is.
    pub out: VecDeque<(Arc<str>, Transmit)>,
    pub out_bytes: usize,
    /// Frames that were handed over, and those that are known to be written.
    pub handed: u64,
    pub written: u64,
    pub transport: Option<&'static str>,
    pub revision: Option<Revision>,
    /// The unasked CONNECT of the root of a 2.x server, for whoever joins later.
    pub root: Option<Frame>,
    pub check_wanted: bool,
    /// Nothing is read at the moment: a member is full.
    pub paused: bool,
    /// When something came, the last time.
    pub heard: Option<Instant>,
    pub over: Option<Lost>,
}

impl State {
    pub fn members(&mut self) -> impl Iterator<Item = &mut Inbox> {
        self.places.values_mut().filter_map(|place| place.member.as_mut())
    }

    /// Makes a place for a new member.
    pub fn add(&mut self, namespace: &str, inbox: Inbox, joined: bool) {
        self.last += 1;
        let place = Place { number: self.last, member: Some(inbox), joined, ..Place::default() };
        self.places.insert(namespace.into(), place);
    }

    /// Is the place empty, and the namespace free to be joined anew? The root of a 2.x server only on another connection.
    pub fn is_free(&self, namespace: &str) -> bool {
        let root_is_the_servers = self.root.is_some() && namespace == "/";
        let free = |place: &Place| place.member.is_none() && !place.is_known();
        !root_is_the_servers && self.places.get(namespace).is_some_and(free)
    }

    /// The server has disconnected a namespace: what waits for the socket of it would be for nobody.
    pub fn drop_waiting(&mut self, namespace: &str) {
        // The attachments of a packet that has gone out belong behind it.
        let is_data = |(_, frame): &&(Arc<str>, Transmit)| matches!(frame, Transmit::Data(_));
        let begun = self.out.iter().take_while(is_data).count();
        let rest = self.out.split_off(begun);
        self.out.extend(rest.into_iter().filter(|(of, _)| **of != *namespace));
        self.out_bytes = self.out.iter().map(|(_, frame)| frame.len()).sum();
    }

    pub fn wake_members(&mut self) {
        self.members().for_each(Inbox::wake);
    }

    pub fn is_deserted(&self) -> bool {
        self.places.values().all(|place| place.member.is_none())
    }
}

#[derive(Debug, Default)]
pub struct Engine {
    state: Mutex<State>,
    /// For the task: something is to be written, or a member came, went or has read.
    pub wake: Notify,
    opened: Notify,
    /// The connection is closed.
    pub ended: Notify,
}

impl Engine {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody may join any more.
    pub fn is_over(&self) -> bool {
        let state = self.lock();
        state.over.is_some() || matches!(state.opening, Opening::Failed(_) | Opening::Abandoned)
    }

    /// The connection is lost, for all members.
    pub fn end(&self, lost: Lost) {
        let mut state = self.lock();
        state.over.get_or_insert(lost);
        state.wake_members();
        drop(state);
        self.wake.notify_one();
    }

    pub fn transport(&self) -> &'static str {
        self.lock().transport.unwrap_or(WEBSOCKET)
    }

    /// The caller opens the connection; where it is dropped without a result, somebody else has to.
    pub fn opening(self: &Arc<Self>) -> Guard {
        Guard(self.clone())
    }

    fn settle(&self, opening: Opening) {
        self.lock().opening = opening;
        self.opened.notify_waiters();
    }

    /// Waits until the connection is open, or is known not to be.
    pub async fn outcome(&self) -> Outcome {
        loop {
            let opened = self.opened.notified();
            tokio::pin!(opened);
            // Listens before it looks.
            opened.as_mut().enable();
            match &self.lock().opening {
                Opening::Waiting => {}
                Opening::Open(how) => return Outcome::Open(how.clone()),
                Opening::Failed(attempts) => return Outcome::Failed(attempts.clone()),
                Opening::Abandoned => return Outcome::Abandoned,
            }
            opened.await;
        }
    }
}

/// Whoever opens the connection.
pub struct Guard(Arc<Engine>);

impl Guard {
    pub fn done(self, opened: Opened) {
        let Opened { socket, handshake, path, url, asked } = opened;
        {
            let mut state = self.0.lock();
            state.transport = Some(socket.transport());
            state.revision = asked.or(socket.revision());
        }
        tokio::spawn(task::run(self.0.clone(), socket, handshake.clone()));
        self.0.settle(Opening::Open(Box::new((handshake, path, url, asked))));
    }

    pub fn failed(self, attempts: Vec<Attempt>) {
        self.0.settle(Opening::Failed(attempts));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let waiting = matches!(self.0.lock().opening, Opening::Waiting);
        if waiting {
            self.0.settle(Opening::Abandoned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_empty_frames_fills_the_inbox_too() {
        let mut inbox = Inbox::default();
        for _ in 0..INBOX {
            inbox.push(Frame::Alive);
        }
        assert!(inbox.is_full());
        while inbox.pop().is_some() {}
        assert_eq!(inbox.bytes, 0);
    }
}
