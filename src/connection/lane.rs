//! Frames in the order of their numbers, of which any one can be taken out.

use std::collections::VecDeque;

use super::outbound::Outgoing;

/// A queue in place of a tree, because nearly every frame goes in at one end and out at the other. One that is taken out of the
/// middle leaves a gap, until it stands at an end.
#[derive(Debug, Default)]
pub struct Lane {
    frames: VecDeque<(u64, Option<Outgoing>)>,
    gaps: usize,
}

impl Lane {
    pub fn len(&self) -> usize {
        self.frames.len() - self.gaps
    }

    /// The lowest number.
    pub fn first(&self) -> Option<u64> {
        // There is no gap at the front.
        self.frames.front().map(|(number, _)| *number)
    }

    /// Adds a frame whose number is higher than all.
    pub fn push_last(&mut self, number: u64, frame: Outgoing) {
        self.frames.push_back((number, Some(frame)));
    }

    /// Adds a frame whose number is lower than all.
    pub fn push_first(&mut self, number: u64, frame: Outgoing) {
        self.frames.push_front((number, Some(frame)));
    }

    pub fn pop_first(&mut self) -> Option<(u64, Outgoing)> {
        let (number, frame) = self.frames.pop_front()?;
        self.trim();
        frame.map(|frame| (number, frame))
    }

    pub fn remove(&mut self, number: u64) -> Option<Outgoing> {
        let at = self.frames.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        let frame = self.frames[at].1.take()?;
        self.gaps += 1;
        self.trim();
        Some(frame)
    }

    /// Takes out the frames that `unwanted` names.
    pub fn drop_where(&mut self, unwanted: impl Fn(&Outgoing) -> bool) -> Vec<Outgoing> {
        let mut dropped = Vec::new();
        let all = std::mem::take(self).frames;
        for (number, frame) in all.into_iter().filter_map(|(number, frame)| Some((number, frame?))) {
            match unwanted(&frame) {
                true => dropped.push(frame),
                false => self.push_last(number, frame),
            }
        }
        dropped
    }

    fn trim(&mut self) {
        while let Some((_, None)) = self.frames.front() {
            self.frames.pop_front();
            self.gaps -= 1;
        }
        // After a flood its memory goes back.
        if self.frames.is_empty() && self.frames.capacity() > MOST_KEPT {
            self.frames = VecDeque::new();
        }
    }
}

/// Room for so many frames is kept while there is none.
const MOST_KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(numbers: impl IntoIterator<Item = u64>) -> Lane {
        let mut lane = Lane::default();
        for number in numbers {
            lane.push_last(number, Outgoing { request: Some(number), ..Outgoing::default() });
        }
        lane
    }

    fn numbers(lane: &mut Lane) -> Vec<u64> {
        std::iter::from_fn(|| lane.pop_first().map(|(number, _)| number)).collect()
    }

    #[test]
    fn any_one_can_be_taken_out_and_the_order_stays() {
        let mut lane = lane([1, 3, 4, 7, 9]);
        assert!(lane.remove(2).is_none());
        for number in [4, 1, 9] {
            assert_eq!(lane.remove(number).and_then(|frame| frame.request), Some(number));
            assert!(lane.remove(number).is_none());
        }
        assert_eq!((lane.len(), lane.first()), (2, Some(3)));
        lane.push_first(2, Outgoing::default());
        lane.push_last(10, Outgoing::default());
        assert_eq!(numbers(&mut lane), [2, 3, 7, 10]);
        assert_eq!((lane.len(), lane.first()), (0, None));
    }

    #[test]
    fn what_is_unwanted_goes() {
        let mut lane = lane(1..=9);
        lane.remove(5);
        let dropped = lane.drop_where(|frame| frame.request.is_some_and(|request| request % 2 == 1));
        assert_eq!(dropped.iter().filter_map(|frame| frame.request).collect::<Vec<_>>(), [1, 3, 7, 9]);
        assert_eq!(numbers(&mut lane), [2, 4, 6, 8]);
    }

    #[test]
    fn a_flood_leaves_no_memory_behind() {
        let mut lane = lane(0..10_000);
        assert_eq!(numbers(&mut lane).len(), 10_000);
        assert_eq!(lane.frames.capacity(), 0);
    }
}
