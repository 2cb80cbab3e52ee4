//! Notices that the machine has slept: the clock behind all timers stands still meanwhile, another one does not.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

/// How often the clocks are compared, while there is a client.
const LOOK: Duration = Duration::from_secs(5);
/// Clocks are not read at the very same moment, and a moment of sleep does no harm.
const LEAST: Duration = Duration::from_secs(1);

/// Gives the time on the clock that stands still in sleep, and on the one that does not; none where there is no such clock.
pub type Clocks = fn() -> Option<(Duration, Duration)>;

struct SleepWatch {
    clocks: Clocks,
    /// How far the second clock was ahead.
    ahead: Option<Duration>,
}

impl SleepWatch {
    fn new(clocks: Clocks) -> Self {
        SleepWatch { clocks, ahead: ahead(clocks) }
    }

    /// How long the machine has slept since this was asked last, if it did.
    fn look(&mut self) -> Option<Duration> {
        let before = self.ahead?;
        let now = ahead(self.clocks)?;
        let slept = now.checked_sub(before)?;
        if slept < LEAST {
            return None;
        }
        self.ahead = Some(now);
        Some(slept)
    }
}

/// Somebody with deadlines.
pub trait Sleeper: Send + Sync {
    /// The machine has slept for so long.
    fn slept(&self, time: Duration);
}

/// All who want to know.
#[derive(Default)]
pub struct Sleepers(Mutex<Vec<Weak<dyn Sleeper>>>);

impl Sleepers {
    pub fn add(&self, sleeper: Weak<dyn Sleeper>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == all.capacity() {
            all.retain(|sleeper| sleeper.strong_count() > 0);
        }
        all.push(sleeper);
    }

    fn tell(&self, time: Duration) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.iter().filter_map(Weak::upgrade).for_each(|sleeper| sleeper.slept(time));
    }
}

/// Runs as long as there are clients.
pub async fn watch(clocks: Clocks, sleepers: Arc<Sleepers>) {
    let mut watch = SleepWatch::new(clocks);
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(slept) = watch.look() {
            sleepers.tell(slept);
        }
    }
}

fn ahead(clocks: Clocks) -> Option<Duration> {
    let (awake, always) = clocks()?;
    always.checked_sub(awake)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn sleep_is_noticed_once() {
        static SLEPT: AtomicU64 = AtomicU64::new(100);
        let mut watch = SleepWatch::new(|| {
            let awake = Duration::from_secs(1000);
            Some((awake, awake + Duration::from_millis(SLEPT.load(Ordering::Relaxed))))
        });
        assert_eq!(watch.look(), None);
        SLEPT.store(600, Ordering::Relaxed);
        assert_eq!(watch.look(), None, "half a second is the noise of two clocks");
        SLEPT.store(60_100, Ordering::Relaxed);
        assert_eq!(watch.look(), Some(Duration::from_secs(60)));
        assert_eq!(watch.look(), None);
        assert_eq!(SleepWatch::new(|| None).look(), None);
    }
}
