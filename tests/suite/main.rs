//! The tests that need the whole library: through the C ABI, against real servers and against servers that misbehave.
//! One binary, so that it links once; every test starts and ends its own servers on free ports.

mod bad_input;
mod c_programs;
mod im;
mod interop;
mod outbox;
mod readme;
mod reconnection;
mod repository;
mod tls;
mod transport;

#[allow(dead_code, unused_imports)]
mod support;
