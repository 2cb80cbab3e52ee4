//! The tests that need the whole library: through the C ABI, against real servers and against servers that misbehave.
//! One binary, so that it links once; every test starts and ends its own servers on free ports.

mod acks;
mod bad_input;
mod binary;
mod c_programs;
mod careless;
mod cluster;
mod complaints;
mod credentials;
mod documentation;
mod emitting;
mod event_loops;
mod im;
mod info;
mod interop;
mod listening;
mod mobile;
mod multiplex;
mod multiplex_faults;
mod network;
mod outbox;
mod polling;
mod readme;
mod reconnection;
mod repository;
mod tls;
mod tools;
mod transport;

#[allow(dead_code, unused_imports)]
mod support;
