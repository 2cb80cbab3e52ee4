//! What the process holds: memory, descriptors and threads.

use std::{fs, time::Instant};

use super::{torture, wait_until};

#[derive(Clone, Copy)]
pub struct Footprint {
    second: f64,
    /// What the system has given the process.
    resident_kb: u64,
    /// What the process has not given back to its allocator: says exactly what grows.
    heap_kb: u64,
    descriptors: u64,
    threads: u64,
}

impl Footprint {
    pub fn take(start: Instant) -> Self {
        // SAFETY: only looks.
        let heap = unsafe { libc::mallinfo2() };
        Footprint {
            second: start.elapsed().as_secs_f64(),
            resident_kb: status("VmRSS:"),
            heap_kb: u64::try_from(heap.uordblks + heap.hblkhd).expect("not so large") / 1024,
            descriptors: descriptors(),
            threads: status("Threads:"),
        }
    }
}

fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it is there");
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number")
}

fn descriptors() -> u64 {
    u64::try_from(fs::read_dir("/proc/self/fd").expect("Linux").count()).expect("small")
}

/// For a plot: a line for each.
pub fn write(name: &str, taken: &[Footprint]) {
    let mut text = String::from("second,resident_kb,heap_kb,descriptors,threads\n");
    for one in taken {
        let Footprint { second, resident_kb, heap_kb, descriptors, threads } = one;
        text += &format!("{second:.1},{resident_kb},{heap_kb},{descriptors},{threads}\n");
    }
    torture::file(name, &text);
}

/// The middle one of a quarter, the first quarter being 0: what happens at the moment does not count.
fn of_quarter(taken: &[Footprint], quarter: usize, value: impl Fn(&Footprint) -> u64) -> u64 {
    let size = taken.len() / 4;
    let mut values: Vec<u64> = taken[quarter * size..(quarter + 1) * size].iter().map(value).collect();
    values.sort_unstable();
    values[size / 2]
}

type Figure = fn(&Footprint) -> u64;

/// What a figure may grow by, from the second quarter to the last.
const ROOM: [(&str, Figure, u64); 4] = [
    ("kB of memory", |taken| taken.resident_kb, 4096),
    ("kB of the heap", |taken| taken.heap_kb, 2048),
    ("descriptors", |taken| taken.descriptors, 5),
    ("threads", |taken| taken.threads, 3),
];

/// Fewer say nothing.
const FEWEST: usize = 20;

/// What is not flat.
pub fn growths(taken: &[Footprint]) -> Vec<String> {
    if taken.len() < FEWEST {
        return vec![format!("looked at {} times only", taken.len())];
    }
    let grown = ROOM.iter().filter_map(|(what, value, room)| {
        let (before, after) = (of_quarter(taken, 1, value), of_quarter(taken, 3, value));
        (after > before + room).then(|| format!("{before} {what}, and later {after}"))
    });
    grown.collect()
}

/// Threads and descriptors before a test that has the process to itself.
pub struct Before {
    threads: u64,
    descriptors: u64,
}

impl Before {
    pub fn now() -> Self {
        Before { threads: status("Threads:"), descriptors: descriptors() }
    }

    /// Once clients, servers and proxies are gone nothing is left of them, and of the library's own threads neither.
    pub fn comes_back(&self) {
        if !torture::is_torture() {
            return;
        }
        assert_eq!(::im_client::im_client_count(), 0);
        assert_eq!(::im_client::im_shutdown(10_000), 0);
        wait_until(&format!("{} threads again", self.threads), || status("Threads:") <= self.threads);
        wait_until(&format!("{} descriptors again", self.descriptors), || descriptors() <= self.descriptors);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(value: impl Fn(u64) -> u64) -> Vec<Footprint> {
        let one =
            |n| Footprint { second: 0.0, resident_kb: 9000, heap_kb: value(n), descriptors: 10, threads: 10 };
        (0..400).map(one).collect()
    }

    #[test]
    fn what_grows_is_seen_and_what_wavers_is_not() {
        assert_eq!(growths(&taken(|n| 5000 + n * 20)), ["8000 kB of the heap, and later 12000"]);
        assert!(growths(&taken(|n| 5000 + n % 7 * 1000)).is_empty());
        // Finds its size in the first quarter.
        assert!(growths(&taken(|n| 5000 + n.min(99) * 100)).is_empty());
    }
}
