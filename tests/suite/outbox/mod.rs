//! Messages that are kept until the server has answered them, across lost connections and processes, and shown once.

mod dedupe;
mod faults;
pub mod kit;
mod lost;
mod network;
mod processes;
mod refused;
mod soak;
mod store;
