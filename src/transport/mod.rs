//! Bytes to and from a server; nothing of Socket.IO is known here.
//!
//! * `dialer`: how the server is reached, as the caller's options say
//! * `endpoint`: the server's address from the option `root`, and the URLs made of it
//! * `dial`: name lookup and TCP connect by RFC 8305
//! * `tls`: rustls with the platform's verifier
//! * `address`: the request line of an Engine.IO connection
//! * `websocket`: the upgrade and the frames
//! * `http`, `payload`, `polling`, `probe`: long-polling, and its upgrade to a WebSocket
//! * `socket`: a connection of either transport, as frames
//! * `error`: what was tried, on what, and what came back

mod address;
mod dial;
mod dialer;
mod endpoint;
mod error;
mod http;
mod payload;
mod polling;
mod probe;
mod socket;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod websocket;

pub use address::{Address, Timestamps, POLLING, WEBSOCKET};
pub use dialer::{Access, Dialer, Stream};
pub use endpoint::{encode_query, Endpoint};
pub use error::{Progress, Step, TransportError};
pub use polling::{Polling, Terms};
pub use socket::{Frame, Lost, Socket};
pub use tls::TlsCache;
use websocket::{body_start, close_text, loss_of, Message};
pub use websocket::{connect, LossKind, WebSocket};
