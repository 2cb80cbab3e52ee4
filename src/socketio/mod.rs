//! Socket.IO, protocols 4 (2.x servers) and 5 (3.x and 4.x servers), as state machines without input, output or clock.
//!
//! * `packet`: the head of a packet, read and written
//! * `arguments`: the JSON array of an event or acknowledgement, found by one validating pass and not parsed into a tree
//! * `placeholders`: where binary attachments stand in the arguments
//! * `decoder`: packets and their binary attachments put together
//! * `msgpack`: packets of the other official parser, each in one binary frame
//! * `parser`: which of the two ways packets are written in
//! * `session`: one namespace over one Engine.IO connection, the generation of the server found out by itself
//! * `v4`, `v5`: what the two protocols do differently

mod arguments;
mod decoder;
pub mod msgpack;
mod packet;
mod parser;
mod placeholders;
mod session;
mod v4;
mod v5;

pub use arguments::{Arguments, Extent};
pub use decoder::{DecodeError, Decoded, Decoder};
pub use msgpack::Unsayable;
#[cfg(test)]
pub use packet::{encode_ack, encode_event};
pub use packet::{Kind, Packet};
pub use parser::{Encoded, Parser, Transmit};
pub use placeholders::{placeholders, MAX_ATTACHMENTS};
pub use session::{Failure, Happening, Received, Recovery, Session, Settings};
pub use v5::answer_has_sid as connect_answer_has_sid;

/// Event names that belong to the connection itself: a server must not send them, a caller can't emit them.
/// Source: the reserved names of the official parser for protocol 5.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
