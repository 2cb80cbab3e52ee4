//! The locks, conditions, atomics, threads and thread-locals of the code that models run (tests/models): the standard library's.
//!
//! With `cfg(shuttle)`, which the build script of that crate alone sets, they are shuttle's, which tries the orders in which threads
//! may run. So the models run this very code, and neither the library nor its dependencies know of them. What never waits while it
//! holds its lock, and is no part of a model's question (figures, the log's queue), takes the standard library's in both.

#[cfg(not(shuttle))]
pub use once_cell::sync::OnceCell;
#[cfg(not(shuttle))]
pub use std::{
    sync::{atomic, Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak},
    thread, thread_local,
};

#[cfg(shuttle)]
pub use crate::models::sync::{thread, Condvar, OnceCell};
#[cfg(shuttle)]
pub use shuttle::{
    sync::{atomic, Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak},
    thread_local,
};
