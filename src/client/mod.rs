//! What a handle stands for: options, operations, subscriptions, delivery, and what all clients share.
//!
//! * `client`: its state, its life, its subscriptions; `sending`, `deadlines`, `ending`: more of its operations
//! * `credentials`: query and auth, renewed for each connection
//! * `options`, `network_options`, `outbox_options`, `option_table`: the caller's options, from one table
//! * `event`: an event as a callback sees it; `spare`: memory for the next ones
//! * `subscriptions`: who gets which event; what came too early for anybody
//! * `mailbox`, `delivery`, `pool`: from the network thread to the callbacks
//! * `payload`: the arguments and attachments of what is sent
//! * `pull`, `takers`, `wake_descriptor`: manual delivery, where the caller's threads take what came
//! * `outbox`, `dedupe`, `store`: messages that survive a lost connection, are delivered once, and survive the process
//! * `requests`, `replies`: acknowledgements, ours and the server's
//! * `from_network`: what the connection tells the client
//! * `runtime`, `shared`: the network thread and everything else that clients share
//! * `mobile`, `sleep_watch`: networks that change, the background, and sleep
//! * `inside`: is this thread inside code that the library runs?
//! * `info`, `log_sink`, `status`: what goes on

#[allow(clippy::module_inception)]
mod client;
mod credentials;
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
mod mobile;
mod network_options;
mod option_table;
mod options;
mod outbox;
mod outbox_options;
mod payload;
mod pool;
mod pull;
mod replies;
mod requests;
#[cfg(not(shuttle))]
mod runtime;
#[cfg(shuttle)]
#[path = "../../tests/models/src/runtime.rs"]
mod runtime;
mod sending;
mod shared;
mod sleep_watch;
mod spare;
mod status;
mod status_table;
#[cfg(feature = "store")]
mod store;
#[cfg(not(feature = "store"))]
#[path = "no_store.rs"]
mod store;
mod subscriptions;
mod takers;
mod wake_descriptor;
mod wall_clock;

pub use client::Client;
pub use ending::{end_deferred, forget_deferred_in_child, Destroyed};
pub use event::{Event, EventView};
pub use inside::{begin_exit, forget_in_child, inside_library_code, is_exiting, user_code};
pub use log_sink::LogCallback;
pub use options::Options;
pub use payload::{Json, Payload};
pub use requests::{Done, Outcome};
pub use sending::{json_arguments, json_value, EmitFlags};
pub use shared::Shared;
pub use status::{Failed, Status};
pub use subscriptions::{Callback, Topic};
pub use takers::{Wait, Which};
pub use wake_descriptor::WakeDescriptor;
