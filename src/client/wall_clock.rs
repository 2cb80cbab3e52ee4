//! Points in time that survive the process: in milliseconds since 1970.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub fn wall_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// This process's time for one on the wall clock, past or to come.
pub fn at_wall_clock(ms: u64) -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_millis(ms.saturating_sub(wall_clock()))).unwrap_or(now)
}
