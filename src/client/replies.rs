//! The server's requests that still may be answered: our numbers for its ack ids.

use std::collections::VecDeque;

use super::{Failed, Status};

/// So many unanswered requests are remembered; an older one can't be answered any more.
const MOST: usize = 65_536;

/// Our numbers start at 1 and never repeat; those of the current connection stand in a row from `base`.
#[derive(Debug)]
pub struct Replies {
    base: u64,
    /// The wire's ids, none where the answer was given.
    ids: VecDeque<Option<u64>>,
    /// The first number of the current connection.
    connection_start: u64,
}

impl Replies {
    pub fn new() -> Self {
        Replies { base: 1, ids: VecDeque::new(), connection_start: 1 }
    }

    /// A request of the server came; gives our number for it.
    pub fn register(&mut self, wire_id: u64) -> u64 {
        if self.ids.len() == MOST {
            self.ids.pop_front();
            self.base += 1;
        }
        self.ids.push_back(Some(wire_id));
        self.base + self.ids.len() as u64 - 1
    }

    /// The answer is given: gives the wire's id, once.
    pub fn answer(&mut self, ack_id: u64) -> Result<u64, Failed> {
        let id = self.asked(ack_id)?;
        if let Some(place) = self.place(ack_id) {
            self.ids[place] = None;
        }
        while matches!(self.ids.front(), Some(None)) {
            self.ids.pop_front();
            self.base += 1;
        }
        Ok(id)
    }

    fn place(&self, ack_id: u64) -> Option<usize> {
        usize::try_from(ack_id.checked_sub(self.base)?).ok()
    }

    /// The wire's id of a request that may be answered.
    pub fn asked(&self, ack_id: u64) -> Result<u64, Failed> {
        if ack_id != 0 && ack_id < self.connection_start {
            return Err(Failed::new(
                Status::Disconnected,
                format!("the server asked {ack_id} on a connection that is gone; nothing was sent"),
            ));
        }
        let unknown = || {
            Failed::new(Status::NotFound, format!("no request {ack_id} of the server waits for an answer"))
        };
        let id = self.place(ack_id).and_then(|place| self.ids.get(place)?.as_ref());
        id.copied().ok_or_else(unknown)
    }

    /// How many wait for their answer.
    pub fn len(&self) -> usize {
        self.ids.iter().flatten().count()
    }

    /// The connection is gone and its requests with it.
    pub fn disconnect(&mut self) {
        self.base += self.ids.len() as u64;
        self.ids.clear();
        self.connection_start = self.base;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_out_once() {
        let mut replies = Replies::new();
        let (zero, large) = (replies.register(0), replies.register(u64::MAX));
        assert!(zero > 0, "0 says that nobody waits");
        assert_eq!(replies.answer(large), Ok(u64::MAX));
        assert_eq!(replies.answer(zero), Ok(0));
        for again in [zero, large, 0, 99] {
            assert_eq!(replies.answer(again).unwrap_err().status, Status::NotFound, "{again}");
        }
        let after = replies.register(5);
        assert_eq!(replies.answer(after), Ok(5));
    }

    #[test]
    fn an_answer_belongs_to_its_connection() {
        let mut replies = Replies::new();
        let old = replies.register(0);
        replies.disconnect();
        let new = replies.register(0);
        assert_eq!(replies.answer(old).unwrap_err().status, Status::Disconnected);
        assert_eq!(replies.answer(new), Ok(0));
    }

    #[test]
    fn what_is_never_answered_does_not_grow_without_end() {
        let mut replies = Replies::new();
        let first = replies.register(0);
        let last = (1..=MOST as u64).map(|id| replies.register(id)).last().unwrap();
        assert_eq!(replies.answer(first).unwrap_err().status, Status::NotFound);
        assert_eq!(replies.answer(last), Ok(MOST as u64));
    }
}
