//! Frames that wait to be sent, bounded in bytes.

use std::{
    any::Any,
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;

use super::lane::Lane;
use crate::socketio::Encoded;

/// A socket that has not taken what it was handed for so long is not writable.
const STALLED: Duration = Duration::from_millis(100);

/// A frame on its way out.
#[derive(Clone, Debug, Default)]
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
    /// The library's own (a receipt, a pull), which the caller can't clear.
    pub own: bool,
    /// A message of the IM layer that is sent past its queue.
    pub is_message: bool,
    /// Goes out when the one of this kind before it is settled, and is kept until it is settled itself. It has a request.
    pub serial: bool,
    /// What the owner wants to have with it when it goes out.
    pub note: Option<Arc<dyn Any + Send + Sync>>,
}

impl Outgoing {
    /// A frame that nobody waits for and that outlives its connection.
    pub fn plain(packet: impl Into<Encoded>) -> Self {
        let Encoded { frame, attachments } = packet.into();
        Outgoing { frame, attachments, ..Outgoing::default() }
    }

    /// The size of the largest of its frames.
    pub fn largest(&self) -> usize {
        self.attachments.iter().map(Vec::len).fold(self.frame.len(), usize::max)
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

/// What was dropped: how many frames, and the requests among them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    pub frames: usize,
    pub requests: Vec<u64>,
}

#[derive(Debug)]
pub struct Outbound {
    /// The library's own frames that go before everything else; no flush waits for them.
    first: VecDeque<Outgoing>,
    /// By their numbers.
    frames: Lane,
    /// Those that go out one at a time, by their numbers.
    serial: Lane,
    /// The one of them that is out and not settled.
    in_flight: Option<(u64, Outgoing)>,
    /// The numbers of the frames that have a request.
    requests: FxHashMap<u64, u64>,
    bytes: usize,
    limit: usize,
    /// The last number given.
    last: u64,
    /// The lowest number handed to the socket and not known to be written out, and since when there is one.
    unwritten: Option<(u64, Instant)>,
    dropped_volatile: u64,
}

impl Outbound {
    pub fn new(limit: usize) -> Self {
        Outbound {
            first: VecDeque::new(),
            frames: Lane::default(),
            serial: Lane::default(),
            in_flight: None,
            requests: FxHashMap::default(),
            bytes: 0,
            limit,
            last: 0,
            unwritten: None,
            dropped_volatile: 0,
        }
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Queues a frame. One larger than the limit goes into an empty queue all the same.
    pub fn push(&mut self, frame: Outgoing) -> Result<(), QueueFull> {
        if self.len() > 0 && self.bytes + frame.bytes() > self.limit {
            return Err(QueueFull { waiting: self.bytes, limit: self.limit });
        }
        self.push_own(frame);
        Ok(())
    }

    /// A frame is handed over without having waited.
    pub fn pass(&mut self) {
        self.last += 1;
        self.handed_over(self.last);
    }

    /// Queues a frame whatever the limit.
    pub fn push_own(&mut self, frame: Outgoing) {
        self.bytes += frame.bytes();
        self.last += 1;
        self.requests.extend(frame.request.map(|request| (request, self.last)));
        let lane = if frame.serial { &mut self.serial } else { &mut self.frames };
        lane.push_last(self.last, frame);
    }

    /// Puts the library's own frame in front of everything.
    pub fn push_front(&mut self, frame: Outgoing) {
        self.bytes += frame.bytes();
        self.first.push_front(frame);
    }

    pub fn pop(&mut self) -> Option<Outgoing> {
        if let Some(frame) = self.first.pop_front() {
            self.bytes -= frame.bytes();
            return Some(frame);
        }
        if let Some((number, frame)) = self.frames.pop_first() {
            self.forget(&frame);
            self.handed_over(number);
            return Some(frame);
        }
        if self.in_flight.is_some() {
            return None;
        }
        let (number, frame) = self.serial.pop_first()?;
        self.in_flight = Some((number, frame.clone()));
        self.handed_over(number);
        Some(frame)
    }

    fn handed_over(&mut self, number: u64) {
        let (lowest, since) = self.unwritten.unwrap_or_else(|| (number, Instant::now()));
        self.unwritten = Some((lowest.min(number), since));
    }

    fn forget(&mut self, frame: &Outgoing) {
        self.bytes -= frame.bytes();
        if let Some(request) = frame.request {
            self.requests.remove(&request);
        }
    }

    /// All that was popped is written out, or lost with its connection.
    pub fn all_written(&mut self) {
        self.unwritten = None;
    }

    /// Has the socket not taken what it was handed a while ago?
    pub fn is_stalled(&self) -> bool {
        self.unwritten.is_some_and(|(_, since)| since.elapsed() >= STALLED)
    }

    /// The outcome of a request is decided: its frame is not kept any more, wherever it stands.
    pub fn settle(&mut self, request: u64) {
        let Some(number) = self.requests.get(&request) else { return };
        let waiting = self.frames.remove(*number).or_else(|| self.serial.remove(*number));
        let frame = waiting.or_else(|| self.in_flight.take().map(|(_, frame)| frame));
        if let Some(frame) = frame {
            self.forget(&frame);
        }
    }

    /// The frame that is out goes out again, before all others of its kind.
    pub fn again(&mut self, request: u64) {
        if let Some((number, frame)) = self.in_flight.take_if(|(_, frame)| frame.request == Some(request)) {
            self.serial.push_first(number, frame);
        }
    }

    /// Drops the frames that `unwanted` names.
    pub fn drop_where(&mut self, unwanted: impl Fn(&Outgoing) -> bool) -> Dropped {
        let mut dropped = Vec::new();
        for lane in [&mut self.frames, &mut self.serial] {
            dropped.extend(lane.drop_where(&unwanted));
        }
        let (gone, kept) = std::mem::take(&mut self.first).into_iter().partition(|frame| unwanted(frame));
        self.first = kept;
        dropped.extend(Vec::from(gone));
        self.count_dropped(&dropped)
    }

    /// Drops the one that is out and not settled.
    pub fn drop_in_flight(&mut self) {
        if let Some((_, frame)) = self.in_flight.take() {
            self.forget(&frame);
        }
    }

    fn count_dropped(&mut self, dropped: &[Outgoing]) -> Dropped {
        for frame in dropped {
            self.forget(frame);
            self.dropped_volatile += u64::from(frame.volatile);
        }
        let requests = dropped.iter().filter_map(|frame| frame.request).collect();
        Dropped { frames: dropped.len(), requests }
    }

    /// A volatile frame was not even queued.
    pub fn refuse_volatile(&mut self) {
        self.dropped_volatile += 1;
    }

    pub fn dropped_volatile(&self) -> u64 {
        self.dropped_volatile
    }

    pub fn len(&self) -> usize {
        self.first.len() + self.frames.len() + self.serial.len() + usize::from(self.in_flight.is_some())
    }

    /// Does nothing wait that could go out?
    pub fn has_nothing_to_send(&self) -> bool {
        let serial = self.in_flight.is_none() && self.serial.len() > 0;
        self.first.is_empty() && self.frames.len() == 0 && !serial
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The mark that `is_gone` is to be asked with.
    pub fn mark(&self) -> u64 {
        self.last
    }

    /// Is everything gone (written, dropped or canceled) that had been queued at this mark?
    pub fn is_gone(&self, mark: u64) -> bool {
        let unwritten = self.unwritten.map(|(number, _)| number);
        let waiting = [&self.frames, &self.serial].map(Lane::first);
        waiting.into_iter().chain([unwritten]).flatten().all(|number| number > mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Outgoing {
        Outgoing::plain(text.to_owned())
    }

    fn serial(request: u64) -> Outgoing {
        Outgoing { request: Some(request), serial: true, ..frame("serial") }
    }

    fn request_of(frame: Option<Outgoing>) -> Option<u64> {
        frame.and_then(|frame| frame.request)
    }

    #[test]
    fn the_queue_is_bounded_in_bytes() {
        let mut queue = Outbound::new(10);
        queue.push(frame("a very long one goes into the empty queue")).unwrap();
        assert!(queue.push(frame("x")).is_err());
        queue.pop();
        queue.push(frame("12345")).unwrap();
        queue.push(Outgoing { attachments: vec![vec![0; 2], vec![0; 2]], ..frame("1") }).unwrap();
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
        queue.settle(7);
        assert!(queue.is_gone(mark));
        assert_eq!((queue.len(), queue.bytes(), queue.requests.len()), (0, 0, 0));
    }

    #[test]
    fn any_of_many_can_be_canceled() {
        let mut queue = Outbound::new(1 << 30);
        for request in 0..20_000 {
            queue.push(Outgoing { request: Some(request), ..frame("x") }).unwrap();
        }
        for request in (0..20_000).rev().filter(|request| request % 1000 != 5) {
            queue.settle(request);
        }
        let left: Vec<u64> = std::iter::from_fn(|| request_of(queue.pop())).collect();
        assert_eq!(left, (0..20).map(|n| n * 1000 + 5).collect::<Vec<_>>());
        assert_eq!((queue.bytes(), queue.requests.len()), (0, 0));
    }

    #[test]
    fn serial_frames_go_out_one_at_a_time_and_again_in_their_order() {
        let mut queue = Outbound::new(100);
        for request in [1, 2, 3] {
            queue.push(serial(request)).unwrap();
        }
        assert_eq!(request_of(queue.pop()), Some(1));
        assert!(queue.pop().is_none(), "the first is not settled");
        queue.push(frame("plain")).unwrap();
        assert_eq!(queue.pop().unwrap().frame, "plain", "others pass");
        queue.again(2);
        assert!(queue.pop().is_none(), "2 was not out");
        queue.again(1);
        assert_eq!(request_of(queue.pop()), Some(1));
        queue.settle(2);
        queue.settle(1);
        assert_eq!(request_of(queue.pop()), Some(3));
        assert_eq!(queue.bytes(), "serial".len(), "it is kept until it is settled");
        queue.settle(3);
        assert_eq!((queue.len(), queue.bytes(), queue.requests.len()), (0, 0, 0));
    }

    #[test]
    fn what_is_dropped_is_told() {
        let mut queue = Outbound::new(100);
        queue.push_front(Outgoing { own: true, ..frame("pull") });
        queue.push(Outgoing { volatile: true, ..frame("volatile") }).unwrap();
        queue.push(Outgoing { request: Some(4), ..frame("asked") }).unwrap();
        queue.push(serial(5)).unwrap();
        assert_eq!(queue.drop_where(|frame| !frame.own), Dropped { frames: 3, requests: vec![4, 5] });
        assert_eq!(queue.dropped_volatile(), 1);
        assert_eq!(queue.pop().unwrap().frame, "pull");
        assert_eq!((queue.len(), queue.bytes(), queue.requests.len()), (0, 0, 0));
    }
}
