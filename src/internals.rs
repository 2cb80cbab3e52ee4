//! What benchmarks and fuzz targets reach, and nobody else: no part of any promise, and nothing of it is in the C library, which
//! has the functions of the ABI alone.

pub use crate::{
    im::Envelope,
    json::Scanner,
    socketio::{Arguments, Decoder, Parser, Received},
};

use crate::{connection::Owner, ffi::process};

pub mod engineio {
    pub use crate::engineio::{decode, v3, v4, Frame, Packet, Revision};
}

/// Gives a client an event as its connection would; false where there is no such client.
pub fn receive(client: u64, event: Received<'_>) -> bool {
    let found = process::process().client(client);
    found.map(|client| client.on_event(event, 0)).is_ok()
}
