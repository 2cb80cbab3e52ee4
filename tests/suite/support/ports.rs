//! The library remembers for the life of a process how a server was reached, and the system gives a port again that is free
//! again. So that one test's server is not taken for another's, a port serves one server of a test run.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// Is this port used for the first time? From now on it is not.
pub fn is_new(port: u16) -> bool {
    static USED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    USED.lock().unwrap_or_else(PoisonError::into_inner).insert(port)
}
