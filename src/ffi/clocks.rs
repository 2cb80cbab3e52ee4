//! The clock that stands still while the machine sleeps, and the one that does not.

use std::time::Duration;

/// What the timers of the library follow.
#[cfg(any(target_os = "linux", target_os = "android"))]
const AWAKE_AND_ALWAYS: (libc::clockid_t, libc::clockid_t) = (libc::CLOCK_MONOTONIC, libc::CLOCK_BOOTTIME);
/// There CLOCK_MONOTONIC is the one that counts sleep.
#[cfg(any(target_os = "macos", target_os = "ios"))]
const AWAKE_AND_ALWAYS: (libc::clockid_t, libc::clockid_t) = (libc::CLOCK_UPTIME_RAW, libc::CLOCK_MONOTONIC);

#[cfg(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "ios"))]
pub fn clocks() -> Option<(Duration, Duration)> {
    Some((read(AWAKE_AND_ALWAYS.0)?, read(AWAKE_AND_ALWAYS.1)?))
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "ios")))]
pub fn clocks() -> Option<(Duration, Duration)> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "ios"))]
fn read(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes into the struct, whatever the clock.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return None;
    }
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}
