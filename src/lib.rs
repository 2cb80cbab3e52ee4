//! `libim_client`: a Socket.IO instant-messaging client behind a C ABI.
//!
//! The floors, from the top; each knows only those below it:
//!
//! * `ffi`: the C ABI, and all `unsafe` of the crate
//! * `client`: what a handle stands for: options, subscriptions, delivery, the shared threads
//! * `im`: what an IM server's events mean
//! * `connection`: one task per client: connect, drive, reconnect
//! * `transport`: lookup, TCP, proxies, TLS, cookies, WebSocket
//! * `socketio`, `engineio`: the protocols as state machines, without input, output or clock
//! * `json`: where values of a JSON text end
//! * `log`: lines for whoever wants them
//! * `secret`: texts that are wiped from memory
//! * `sync`: locks and threads, those of the standard library or of the models
//!
//! Beside them `internals`: what of all this benchmarks reach.
#![deny(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod client;
mod connection;
// The protocol is whole where nobody needs its payloads and probes.
#[cfg_attr(not(feature = "polling"), allow(dead_code, unused_imports))]
mod engineio;
mod ffi;
mod im;
#[doc(hidden)]
pub mod internals;
mod json;
mod log;
mod secret;
mod socketio;
mod sync;
mod transport;

#[cfg(test)]
mod properties;

#[cfg(shuttle)]
#[path = "../tests/models/src/models.rs"]
pub mod models;

pub use ffi::*;
