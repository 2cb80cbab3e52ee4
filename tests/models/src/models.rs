//! Models of the library's concurrency: small programs of a few threads that call the real C ABI, run with thousands of schedules.
//! Each has an oracle. `wrong` names a deliberate fault (faults.py) that an armed copy of the source has in place of the right way;
//! the model must fail then, or it proves nothing.
#![allow(unsafe_code)]

use std::sync::{Mutex, OnceLock};

#[path = "acks.rs"]
mod acks;
#[path = "delivery.rs"]
mod delivery;
#[path = "handles.rs"]
mod handles;
#[path = "manual.rs"]
mod manual;
#[path = "sync.rs"]
pub mod sync;
#[path = "world.rs"]
mod world;

pub struct Model {
    pub name: &'static str,
    pub run: fn(),
}

pub fn all() -> impl Iterator<Item = &'static Model> {
    handles::MODELS.iter().chain(delivery::MODELS).chain(acks::MODELS).chain(manual::MODELS)
}

static WRONG: OnceLock<String> = OnceLock::new();

/// Arms one fault for the whole process.
pub fn arm(fault: String) {
    let _ = WRONG.set(fault);
}

/// Is the wrong way to be taken here?
pub fn is_wrong(fault: &str) -> bool {
    WRONG.get().is_some_and(|armed| armed == fault)
}

/// What the network does, one thing after the other.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Connect,
    /// Writes what is queued.
    Write,
    /// Answers what was written.
    Answer,
    Event(&'static str),
    Lose,
}

static SCRIPT: Mutex<Vec<Act>> = Mutex::new(Vec::new());

/// What happens on the network of the client that is made next.
pub fn set_script(acts: &[Act]) {
    *SCRIPT.lock().unwrap_or_else(|e| e.into_inner()) = acts.to_vec();
}

pub fn take_script() -> Vec<Act> {
    std::mem::take(&mut SCRIPT.lock().unwrap_or_else(|e| e.into_inner()))
}
