//! One namespace's part in a shared connection.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use super::engine::{Engine, Inbox, Place};
use crate::{
    engineio::Revision,
    socketio::Transmit,
    transport::{Frame, Lost},
};

/// So many bytes wait for the socket; then the caller's queue has to hold the rest.
const OUTBOX: usize = 64 * 1024;

pub struct Member {
    engine: Arc<Engine>,
    namespace: String,
    /// The frames of all members that had been handed over with this member's last.
    handed: u64,
    left: bool,
}

impl Member {
    /// The first member of a connection that is still to be opened.
    pub fn first(namespace: &str) -> (Arc<Engine>, Member) {
        let engine = Arc::<Engine>::default();
        let place = Place { member: Some(Inbox::default()), ..Place::default() };
        engine.lock().places.insert(namespace.into(), place);
        let member = Member { engine: engine.clone(), namespace: namespace.into(), handed: 0, left: false };
        (engine, member)
    }

    /// Another member, unless the connection is over or the server may still know this namespace: a second CONNECT for it
    /// would end the connection for all.
    pub fn enter(engine: &Arc<Engine>, namespace: &str) -> Option<Member> {
        let mut state = engine.lock();
        if state.over.is_some() || state.places.contains_key(namespace) {
            return None;
        }
        let mut inbox = Inbox::default();
        if let Some(root) = state.root.clone() {
            // A 2.x server connects the root by itself, once for each connection.
            if namespace == "/" && state.places.contains_key("/") {
                return None;
            }
            inbox.push(root);
        }
        state.places.insert(namespace.into(), Place { member: Some(inbox), ..Place::default() });
        drop(state);
        Some(Member { engine: engine.clone(), namespace: namespace.into(), handed: 0, left: false })
    }

    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub fn transport(&self) -> &'static str {
        self.engine.transport()
    }

    pub fn revision(&self) -> Option<Revision> {
        self.engine.lock().revision
    }

    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Lost>> {
        let mut state = self.engine.lock();
        let over = state.over.clone();
        let Some(inbox) = state.places.get_mut(&self.namespace).and_then(|place| place.member.as_mut())
        else {
            return Poll::Pending;
        };
        let was_full = inbox.is_full();
        match (inbox.pop(), over) {
            (Some(frame), _) => {
                let has_room = was_full && !inbox.is_full();
                drop(state);
                if has_room {
                    self.engine.wake.notify_one();
                }
                Poll::Ready(Ok(frame))
            }
            (None, Some(lost)) => Poll::Ready(Err(lost)),
            (None, None) => {
                inbox.wait(cx.waker());
                Poll::Pending
            }
        }
    }

    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        self.poll_until(cx, |out_bytes, _| out_bytes < OUTBOX)
    }

    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        let handed = self.handed;
        self.poll_until(cx, |_, written| written >= handed)
    }

    /// The task wakes all members when it has written something.
    fn poll_until(
        &mut self,
        cx: &mut Context<'_>,
        holds: impl Fn(usize, u64) -> bool,
    ) -> Poll<Result<(), Lost>> {
        let mut state = self.engine.lock();
        if let Some(lost) = &state.over {
            return Poll::Ready(Err(lost.clone()));
        }
        if holds(state.out_bytes, state.written) {
            return Poll::Ready(Ok(()));
        }
        if let Some(inbox) = state.places.get_mut(&self.namespace).and_then(|place| place.member.as_mut()) {
            inbox.wait(cx.waker());
        }
        Poll::Pending
    }

    pub fn send(&mut self, frame: Transmit) {
        let mut state = self.engine.lock();
        if let (Transmit::Text(text), Some(place)) = (&frame, state.places.get_mut(&self.namespace)) {
            match text.get(..2) {
                Some("40") => place.asked = true,
                Some("41") => place.joined = false,
                _ => {}
            }
        }
        state.out_bytes += frame.len();
        state.out.push_back(frame);
        state.handed += 1;
        self.handed = state.handed;
        drop(state);
        self.engine.wake.notify_one();
    }

    pub fn send_check(&mut self) {
        self.engine.lock().check_wanted = true;
        self.engine.wake.notify_one();
    }

    pub fn condemn(&self, lost: Lost) {
        self.engine.end(lost);
    }

    /// Leaves; the last member waits until the connection is closed.
    pub async fn close(&mut self) {
        let engine = self.engine.clone();
        let ended = engine.ended.notified();
        tokio::pin!(ended);
        ended.as_mut().enable();
        self.leave();
        let last = engine.lock().is_deserted();
        if last {
            ended.await;
        }
    }

    /// What the server still has to be told is the task's to tell.
    fn leave(&mut self) {
        if std::mem::replace(&mut self.left, true) {
            return;
        }
        let mut state = self.engine.lock();
        if let Some(place) = state.places.get_mut(&self.namespace) {
            place.member = None;
        }
        drop(state);
        self.engine.wake.notify_one();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.leave();
    }
}
