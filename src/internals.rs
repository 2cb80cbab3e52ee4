//! What benchmarks and fuzz targets reach, and nobody else: no part of any promise, and nothing of it is in the C library, which
//! has the functions of the ABI alone.

pub use crate::{
    client::Status,
    im::Envelope,
    json::Scanner,
    socketio::{placeholders, Arguments, Decoded, Decoder, Kind, Parser, Received},
};

use crate::{client::Options, connection::Owner, ffi::process};

pub mod engineio {
    pub use crate::engineio::{decode, v3, v4, Frame, Handshake, Packet, Revision};
}

/// Reads options as `im_client_new` does; gives its error.
pub fn check_options(json: &str) -> Result<(), String> {
    Options::parse(json).map(drop).map_err(|failed| failed.message)
}

/// Gives a client an event as its connection would; false where there is no such client.
pub fn receive(client: u64, event: Received<'_>) -> bool {
    let found = process::process().client(client);
    found.map(|client| client.on_event(event, 0)).is_ok()
}
