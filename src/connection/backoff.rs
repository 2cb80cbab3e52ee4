//! The official back-off: `min(delay * 2^n ± random * randomizationFactor, max)`.

use std::time::Duration;

use super::Reconnection;

#[derive(Debug)]
pub struct Backoff {
    policy: Reconnection,
    /// Attempts since the last connection.
    pub attempts: u64,
    /// How often the delay has doubled.
    doubled: u64,
}

impl Backoff {
    pub fn new(policy: Reconnection) -> Self {
        Backoff { policy, attempts: 0, doubled: 0 }
    }

    pub fn reset(&mut self) {
        self.attempts = 0;
        self.hurry();
    }

    /// Something is better now: the delays begin anew.
    pub fn hurry(&mut self) {
        self.doubled = 0;
    }

    /// Is another attempt allowed?
    pub fn allows(&self) -> bool {
        self.policy.enabled && self.policy.attempts.is_none_or(|most| self.attempts < most)
    }

    /// The delay before the next attempt; `random` is 0 to 1.
    pub fn next(&mut self, random: f64) -> Duration {
        let exponent = i32::try_from(self.doubled.min(30)).unwrap_or(30);
        self.attempts += 1;
        self.doubled += 1;
        let plain = self.policy.delay.as_secs_f64() * 2f64.powi(exponent);
        let spread = (2.0 * random - 1.0) * self.policy.randomization * plain;
        let most = self.policy.delay_max.as_secs_f64();
        Duration::from_secs_f64((plain + spread).clamp(0.0, most))
    }
}

/// A random number from 0 to 1.
pub fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without the system's randomness the middle is a usable delay.
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(attempts: Option<u64>) -> Backoff {
        Backoff::new(Reconnection {
            enabled: true,
            attempts,
            delay: Duration::from_secs(1),
            delay_max: Duration::from_secs(5),
            randomization: 0.5,
        })
    }

    #[test]
    fn the_delay_doubles_up_to_the_maximum() {
        let mut even = backoff(None);
        let delays: Vec<u128> = (0..5).map(|_| even.next(0.5).as_millis()).collect();
        assert_eq!(delays, [1000, 2000, 4000, 5000, 5000]);
        even.reset();
        assert_eq!(even.next(0.5).as_millis(), 1000);
    }

    #[test]
    fn jitter_goes_both_ways() {
        assert_eq!(backoff(None).next(0.0).as_millis(), 500);
        assert_eq!(backoff(None).next(1.0).as_millis(), 1500);
    }

    #[test]
    fn attempts_end() {
        let mut twice = backoff(Some(2));
        twice.next(0.5);
        assert!(twice.allows());
        twice.next(0.5);
        assert!(!twice.allows());
        let mut forever = backoff(None);
        (0..100).for_each(|_| assert!(forever.next(1.0).as_secs() <= 5));
        assert!(forever.allows());
    }
}
