//! One task per client that drives the protocol cores over a transport: search, connect, drive, lose, try again.
//!
//! * `target`: what to connect to, and how
//! * `search`: which transport, and what is known of a server
//! * `attempts`: one transport: which path, which generation; the race of the two default paths
//! * `carrier`, `shared`: a connection of its own, or one that several namespaces share
//! * `drive`, `writing`: one connection, from its open packet to its loss; what goes out over it
//! * `task`: the life of the task: wanted or not, connect, reconnect
//! * `link`: what the task shares with the client: wishes, state, the outbound queue
//! * `outbound`: frames that wait to be sent; `shortcut`: those that need not
//! * `backoff`: when to try again
//! * `owner`: what the floor above is told

mod attempts;
mod backoff;
mod carrier;
mod drive;
mod lane;
mod link;
#[cfg(shuttle)]
#[path = "../../tests/models/src/network.rs"]
mod network;
mod outbound;
mod owner;
mod search;
mod shared;
mod shortcut;
mod target;
mod task;
mod writing;

pub use link::{Link, State, Unsent};
#[cfg(shuttle)]
pub use network::run;
pub use outbound::Outgoing;
pub use owner::{Attempt, ConnectFailure, Connected, CredentialsFuture, Loss, Owner};
pub use target::{Credentials, Paths, Reconnection, Target};
#[cfg(not(shuttle))]
pub use task::run;
pub use task::Surroundings;
