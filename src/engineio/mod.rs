//! Engine.IO, revisions 3 and 4, as state machines: text and time in; messages, frames to send and the next deadline out.
//! No input or output is done here and no clock is read.
//!
//! * `packet`: one packet in a text frame
//! * `handshake`: the JSON of the open packet
//! * `heartbeat`: who pings whom, and when the link is dead
//! * `v3`, `v4`: what the two revisions do differently (payloads of long-polling, binary frames)

mod handshake;
mod heartbeat;
mod packet;
pub mod v3;
pub mod v4;

pub use handshake::Handshake;
pub use heartbeat::{Beat, Heartbeat};
pub use packet::{decode, Packet, CLOSE, PING, PONG, PROBE, PROBED, UPGRADE};

/// The Engine.IO protocol revision: the `EIO=` of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Socket.IO 2.x servers; the client pings.
    V3,
    /// Socket.IO 3.x and 4.x servers; the server pings.
    V4,
}

impl Revision {
    /// The number in the URL's `EIO=`.
    pub fn number(self) -> u8 {
        match self {
            Revision::V3 => 3,
            Revision::V4 => 4,
        }
    }
}

/// One packet of a long-polling payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Text(String),
    Binary(Vec<u8>),
}

/// Reads all packets of a payload by what reads the first.
fn all_packets<Body, E>(
    body: &Body,
    first: impl Fn(&Body) -> Result<(Frame, usize), E>,
) -> Result<Vec<Frame>, E>
where
    Body: ?Sized + AsRef<[u8]> + std::ops::Index<std::ops::RangeFrom<usize>, Output = Body>,
{
    let (packet, mut at) = first(body)?;
    let mut packets = vec![packet];
    while at < body.as_ref().len() {
        let (packet, taken) = first(&body[at..])?;
        packets.push(packet);
        at += taken;
    }
    Ok(packets)
}
