//! What a handle stands for: options, operations, subscriptions, delivery, and what all clients share.
//!
//! * `client`: its state, its life, its subscriptions; `sending`, `deadlines`, `ending`: more of its operations
//! * `options`, `outbox_options`, `option_table`: the caller's options, from one table
//! * `event`: an event as a callback sees it
//! * `subscriptions`: who gets which event; what came too early for anybody
//! * `mailbox`, `delivery`, `pool`: from the network thread to the callbacks
//! * `outbox`, `dedupe`, `store`: messages that survive a lost connection, are delivered once, and survive the process
//! * `requests`, `replies`: acknowledgements, ours and the server's
//! * `from_network`: what the connection tells the client
//! * `runtime`, `shared`: the network thread and everything else that clients share
//! * `inside`: is this thread inside code that the library runs?
//! * `info`, `log_sink`, `status`: what goes on

#[allow(clippy::module_inception)]
mod client;
mod deadlines;
mod dedupe;
mod delivery;
mod ending;
mod event;
mod from_network;
mod info;
mod inside;
mod log_sink;
mod mailbox;
mod option_table;
mod options;
mod outbox;
mod outbox_options;
mod pool;
mod replies;
mod requests;
mod runtime;
mod sending;
mod shared;
mod status;
mod status_table;
mod store;
mod subscriptions;

pub use client::Client;
pub use ending::Destroyed;
pub use event::{Event, EventView};
pub use inside::{forget_in_child, inside_library_code, user_code};
pub use log_sink::LogCallback;
pub use options::Options;
pub use requests::{Done, Outcome};
pub use sending::{json_arguments, json_value, EmitFlags};
pub use shared::Shared;
pub use status::{Failed, Status};
pub use subscriptions::Callback;
