//! An instant-messaging server for the demo and for tests of `im-client`, with the semantics of the reference server.
//!
//! | file | what is in it |
//! |---|---|
//! | `cli`, `phone`, `with` | the command line, the command that plays the phone, and the one that serves another program |
//! | `server` | listening, routing of HTTP requests, shutting down |
//! | `connection`, `legacy_connect` | one TCP connection, and the repair of the CONNECT packets of 2.x clients |
//! | `envelope`, `auth` | event names, the envelope, error codes; who may come in |
//! | `sso`, `chat`, `messages`, `conversations` | the two namespaces and their events |
//! | `echo` | a user who answers |
//! | `presence` | who is online, on which device |
//! | `store`, `journal` | what must survive a restart, and the file it is kept in |
//! | `control` | the HTTP endpoints next to Socket.IO |
//!
//! It runs on **one** thread (`tokio`'s current-thread runtime) and relies on it: socketioxide spawns a task for each
//! received event, and only on one thread do those run in the order of arrival.
#![deny(unsafe_code)]

pub mod app;
pub mod auth;
pub mod chat;
pub mod cli;
pub mod connection;
pub mod control;
pub mod conversations;
pub mod echo;
pub mod envelope;
pub mod journal;
pub mod legacy_connect;
pub mod messages;
pub mod phone;
pub mod presence;
pub mod server;
pub mod sso;
pub mod store;
pub mod with;
