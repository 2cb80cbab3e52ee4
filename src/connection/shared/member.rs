//! One namespace's part in a shared connection.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use super::engine::{Engine, Inbox};
use crate::{
    engineio::Revision,
    socketio::Transmit,
    transport::{Frame, Lost},
};

/// So many bytes wait for the socket; then the caller's queue has to hold the rest.
const OUTBOX: usize = 64 * 1024;

pub struct Member {
    engine: Arc<Engine>,
    namespace: Arc<str>,
    /// The frames of all members that had been handed over with this member's last.
    handed: u64,
    /// Reads no more.
    parting: bool,
    left: bool,
}

impl Member {
    /// The first member of a connection that is still to be opened.
    pub fn first(namespace: &str) -> (Arc<Engine>, Member) {
        let engine = Arc::<Engine>::default();
        engine.lock().add(namespace, Inbox::default(), false);
        (engine.clone(), Self::of(engine, namespace))
    }

    fn of(engine: Arc<Engine>, namespace: &str) -> Member {
        Member { engine, namespace: namespace.into(), handed: 0, parting: false, left: false }
    }

    /// Another member, unless the connection is over or the server may still know this namespace: a second CONNECT for it
    /// would end the connection for all.
    pub fn enter(engine: &Arc<Engine>, namespace: &str) -> Option<Member> {
        let mut state = engine.lock();
        if state.over.is_some() || state.places.contains_key(namespace) {
            return None;
        }
        let mut inbox = Inbox::default();
        // A 2.x server connects the root by itself, once for each connection.
        let joined = namespace == "/" && state.root.is_some();
        state.root.clone().into_iter().for_each(|root| inbox.push(root));
        state.add(namespace, inbox, joined);
        drop(state);
        Some(Self::of(engine.clone(), namespace))
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
        let Some(inbox) = state.places.get_mut(&*self.namespace).and_then(|place| place.member.as_mut())
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
        let ended = self.engine.lock().places.get(&*self.namespace).is_some_and(|place| place.ended);
        if ended && !self.parting {
            // It stands in the inbox. What the caller still sends waits for the next connection.
            return Poll::Pending;
        }
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
        let (over, holds) = (state.over.clone(), holds(state.out_bytes, state.written));
        let inbox = state.places.get_mut(&*self.namespace).and_then(|place| place.member.as_mut());
        let unread = inbox.as_ref().is_some_and(|inbox| !inbox.frames.is_empty()) && !self.parting;
        match over {
            // What came before the end is read first.
            Some(_) if unread => return Poll::Pending,
            Some(lost) => return Poll::Ready(Err(lost)),
            None if holds => return Poll::Ready(Ok(())),
            None => {}
        }
        if let Some(inbox) = inbox {
            inbox.wait(cx.waker());
        }
        Poll::Pending
    }

    pub fn send(&mut self, frame: Transmit) {
        let mut state = self.engine.lock();
        let Some(place) = state.places.get_mut(&*self.namespace) else { return };
        let kind = frame.text().and_then(|text| text.get(..2));
        if kind == Some("40") {
            place.asked = true;
        }
        if !place.is_known() {
            return;
        }
        if kind == Some("41") {
            place.joined = false;
        }
        state.out_bytes += frame.len();
        state.out.push_back((self.namespace.clone(), frame));
        state.handed += 1;
        self.handed = state.handed;
        drop(state);
        self.engine.wake.notify_one();
    }

    pub fn send_check(&mut self) {
        self.engine.lock().check_wanted = true;
        self.engine.wake.notify_one();
    }

    /// Has anything come for any member since then? While nothing is read nobody knows.
    pub fn may_live(&self, since: Instant) -> bool {
        let state = self.engine.lock();
        state.paused || state.heard.is_some_and(|at| at >= since)
    }

    /// Reads no more, also not what has come already.
    pub fn stop_reading(&mut self) {
        self.parting = true;
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
        let last = {
            let state = engine.lock();
            state.is_deserted() && state.over.is_none()
        };
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
        if let Some(place) = state.places.get_mut(&*self.namespace) {
            place.member = None;
        }
        // Its client may come back at once, before the task has had its turn.
        if state.is_free(&self.namespace) {
            state.places.remove(&*self.namespace);
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
