//! What a driver measures, and its line of JSON.

use std::time::{Duration, Instant};

pub struct Usage {
    cpu: f64,
    wall: Instant,
}

impl Usage {
    pub fn now() -> Self {
        Usage { cpu: cpu(), wall: Instant::now() }
    }

    pub fn tell(&self, count: usize) {
        let each = |seconds: f64| seconds * 1e6 / count as f64;
        let (cpu, wall) = (each(cpu() - self.cpu), each(self.wall.elapsed().as_secs_f64()));
        println!("{{\"cpuUs\":{cpu:.4},\"wallUs\":{wall:.4}}}");
    }
}

/// User and system time of the process, in seconds.
fn cpu() -> f64 {
    // SAFETY: all zero is a valid structure.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: a valid structure to write to.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

pub fn tell_times(mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e6;
    println!("{{\"p50Us\":{:.1},\"p99Us\":{:.1}}}", at(50), at(99));
}

/// What `count` more clients cost, and how many threads run now.
pub fn tell_idle(before: u64, count: usize) {
    let kb = resident().saturating_sub(before) as f64 / 1024.0 / count as f64;
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).expect("Linux").trim();
    println!("{{\"kbPerClient\":{kb:.2},\"threads\":{threads}}}");
}

pub fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
}

/// `answers` has for each request what its callbacks got: the caller's own number, or somebody else's.
pub fn tell_answers(answers: &[(usize, usize)], count: usize) {
    let wrong = answers.iter().filter(|(asked, answered)| asked != answered).count();
    let mut answered: Vec<usize> = answers.iter().map(|(asked, _)| *asked).collect();
    answered.sort_unstable();
    answered.dedup();
    println!("{{\"wrong\":{wrong},\"unanswered\":{}}}", count - answered.len());
}
