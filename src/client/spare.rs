//! Events that were delivered, for those that come. While many come, memory that one thread takes and another gives back is a
//! tenth of what a message costs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Event;

/// So many are kept at most.
const MOST: usize = 256;
/// One whose text has more room is not kept.
const LARGEST: usize = 4096;

#[derive(Default)]
pub struct Spare(Mutex<Vec<Arc<Event>>>);

impl Spare {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Event>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn take(&self) -> Option<Arc<Event>> {
        self.lock().pop()
    }

    /// Keeps those that nobody else has.
    pub fn keep(&self, delivered: Vec<Arc<Event>>) {
        let spent = delivered.into_iter().filter_map(|event| Event::spent(event, LARGEST));
        // What nobody else has any more is released here, which may run code of the library: not under the lock.
        let spent: Vec<_> = spent.collect();
        let mut all = self.lock();
        let room = MOST - all.len().min(MOST);
        all.extend(spent.into_iter().take(room));
    }

    /// Few come now: nothing is kept.
    pub fn clear(&self) {
        let all = std::mem::take(&mut *self.lock());
        drop(all);
    }
}
