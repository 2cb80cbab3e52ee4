//! Several namespaces over one connection: option `multiplex`.
//!
//! * `hub`: which connections there are to share, and who may join
//! * `engine`: what the members of a connection and its task have in common
//! * `member`: one namespace's part
//! * `task`: reads for all, writes for all, and beats the heart
//!
//! Everything here runs on the one network thread, so a packet and its attachments, handed over in one go, stay together.

mod engine;
mod hub;
mod member;
mod task;

pub use hub::{Hub, Key};
pub use member::Member;
