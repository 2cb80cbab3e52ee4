//! Frames that wait to be sent, bounded in bytes.

use std::collections::VecDeque;

use crate::socketio::Encoded;

/// A frame on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// A text frame; none where it is empty.
    pub frame: String,
    /// Go out right behind it, as binary frames.
    pub attachments: Vec<Vec<u8>>,
    /// The request that waits for its answer, and is told when the frame goes out.
    pub request: Option<u64>,
    /// Belongs to this connection alone (an answer to the server); dropped with it.
    pub connection: Option<u64>,
    /// Dropped where it can't go out at once.
    pub volatile: bool,
}

impl Outgoing {
    /// A frame that nobody waits for and that outlives its connection.
    pub fn plain(packet: impl Into<Encoded>) -> Self {
        let Encoded { frame, attachments } = packet.into();
        Outgoing { frame, attachments, request: None, connection: None, volatile: false }
    }

    /// The size of its packets.
    pub fn bytes(&self) -> usize {
        self.frame.len() + self.attachments.iter().map(Vec::len).sum::<usize>()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct QueueFull {
    pub waiting: usize,
    pub limit: usize,
}

#[derive(Debug)]
pub struct Outbound {
    /// Each with its number; the library's own frames in front have number 0 and no flush waits for them.
    frames: VecDeque<(u64, Outgoing)>,
    bytes: usize,
    limit: usize,
    /// The last number given, the last that was popped, and the last that is known to be written out.
    queued: u64,
    popped: u64,
    written: u64,
}

impl Outbound {
    pub fn new(limit: usize) -> Self {
        Outbound { frames: VecDeque::new(), bytes: 0, limit, queued: 0, popped: 0, written: 0 }
    }

    /// Queues a frame. One larger than the limit goes into an empty queue all the same.
    pub fn push(&mut self, frame: Outgoing) -> Result<(), QueueFull> {
        if !self.frames.is_empty() && self.bytes + frame.bytes() > self.limit {
            return Err(QueueFull { waiting: self.bytes, limit: self.limit });
        }
        self.push_own(frame);
        Ok(())
    }

    /// Queues a frame whatever the limit.
    pub fn push_own(&mut self, frame: Outgoing) {
        self.bytes += frame.bytes();
        self.queued += 1;
        self.frames.push_back((self.queued, frame));
    }

    /// Puts the library's own frame in front of everything.
    pub fn push_front(&mut self, frame: Outgoing) {
        self.bytes += frame.bytes();
        self.frames.push_front((0, frame));
    }

    pub fn pop(&mut self) -> Option<Outgoing> {
        let (number, frame) = self.frames.pop_front()?;
        self.bytes -= frame.bytes();
        self.popped = self.popped.max(number);
        Some(frame)
    }

    /// All that was popped is written out, or lost with its connection.
    pub fn all_written(&mut self) {
        self.written = self.popped;
    }

    /// Drops the frames that `unwanted` names.
    pub fn drop_where(&mut self, unwanted: impl Fn(&Outgoing) -> bool) {
        let bytes = &mut self.bytes;
        self.frames.retain(|(_, frame)| {
            let keep = !unwanted(frame);
            if !keep {
                *bytes -= frame.bytes();
            }
            keep
        });
    }

    pub fn len(&self) -> usize {
        self.frames.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The mark that `is_gone` is to be asked with.
    pub fn mark(&self) -> u64 {
        self.queued
    }

    /// Is everything gone (written, dropped or canceled) that had been queued at this mark?
    pub fn is_gone(&self, mark: u64) -> bool {
        let first = self.frames.iter().map(|(number, _)| *number).find(|number| *number > 0);
        self.written >= self.popped.min(mark) && first.is_none_or(|number| number > mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Outgoing {
        Outgoing::plain(text.to_owned())
    }

    #[test]
    fn the_queue_is_bounded_in_bytes() {
        let mut queue = Outbound::new(10);
        queue.push(frame("a very long one goes into the empty queue")).unwrap();
        assert!(queue.push(frame("x")).is_err());
        queue.pop();
        queue.push(frame("12345")).unwrap();
        queue.push(frame("12345")).unwrap();
        assert_eq!(queue.push(frame("1")), Err(QueueFull { waiting: 10, limit: 10 }));
    }

    #[test]
    fn a_mark_is_gone_when_all_before_it_is() {
        let mut queue = Outbound::new(100);
        queue.push(frame("a")).unwrap();
        queue.push(Outgoing { request: Some(7), ..frame("b") }).unwrap();
        let mark = queue.mark();
        queue.pop();
        assert!(!queue.is_gone(1), "popped, but not written");
        queue.all_written();
        assert!(queue.is_gone(1));
        assert!(!queue.is_gone(mark));
        queue.drop_where(|f| f.request == Some(7));
        assert!(queue.is_gone(mark));
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
    }
}
