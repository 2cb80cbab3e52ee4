//! The library's log: lines of a level go into a bounded queue, from which the client floor hands them to the caller's
//! callback. Tokens, cookies and message contents are never written here.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        atomic::{AtomicU8, Ordering},
        Mutex, OnceLock, PoisonError,
    },
};

/// So many lines wait for a slow callback; later ones are counted as lost.
const MOST_LINES: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Error = 1,
    Warn = 2,
    Info = 3,
    Debug = 4,
}

#[derive(Default)]
pub struct Log {
    /// The most verbose level that is wanted; 0 is off.
    level: AtomicU8,
    lines: Mutex<Lines>,
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct Lines {
    queue: VecDeque<(Level, String)>,
    lost: u64,
}

impl Log {
    /// Called whenever a line waits.
    pub fn on_line(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.wake.set(Box::new(wake));
    }

    pub fn set_level(&self, level: u8) {
        self.level.store(level, Ordering::Relaxed);
    }

    pub fn wants(&self, level: Level) -> bool {
        level as u8 <= self.level.load(Ordering::Relaxed)
    }

    pub fn write(&self, level: Level, line: fmt::Arguments<'_>) {
        if !self.wants(level) {
            return;
        }
        {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.queue.len() >= MOST_LINES {
                lines.lost += 1;
                return;
            }
            lines.queue.push_back((level, line.to_string()));
        }
        if let Some(wake) = self.wake.get() {
            wake();
        }
    }

    /// The next line; the loss of lines is told as a line of its own.
    pub fn take(&self) -> Option<(Level, String)> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.queue.is_empty() && lines.lost > 0 {
            let lost = std::mem::take(&mut lines.lost);
            return Some((Level::Warn, format!("{lost} log lines were lost: the log callback is too slow")));
        }
        lines.queue.pop_front()
    }

    pub fn clear(&self) {
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = Lines::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_counted_and_told() {
        let log = Log::default();
        log.write(Level::Error, format_args!("off"));
        assert_eq!(log.take(), None);
        log.set_level(Level::Warn as u8);
        log.write(Level::Info, format_args!("too verbose"));
        for number in 0..MOST_LINES + 3 {
            log.write(Level::Warn, format_args!("{number}"));
        }
        for number in 0..MOST_LINES {
            assert_eq!(log.take(), Some((Level::Warn, number.to_string())));
        }
        let (_, line) = log.take().unwrap();
        assert!(line.starts_with("3 log lines were lost"), "{line}");
        assert_eq!(log.take(), None);
    }
}
