//! What is fuzzed: each target takes any bytes and panics where the library breaks a promise.
//!
//! `fuzz/` hands them what libFuzzer makes up; the test of this crate the corpus, and what proptest makes up.

mod abi;
mod engineio;
mod envelope;
mod options;
mod socketio;

/// A target: its name, which is also that of its corpus, and what it does with the bytes.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] = &[
    ("engineio_v3", engineio::v3),
    ("engineio_v4", engineio::v4),
    ("socketio_v4", socketio::v4),
    ("socketio_v5", socketio::v5),
    ("msgpack", socketio::msgpack),
    ("options", options::options),
    ("envelope", envelope::envelope),
    ("abi", abi::abi),
];

/// Runs the target of this name.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target's name");
    target(data);
}

pub use abi::stop_after;
