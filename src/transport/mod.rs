//! Bytes to and from a server; nothing of Socket.IO is known here.
//!
//! * `dialer`: how the server is reached, as the caller's options say
//! * `endpoint`: the server's address from the option `root`, and the URLs made of it
//! * `dial`: name lookup and TCP connect by RFC 8305
//! * `tls`: rustls with the platform's verifier
//! * `websocket`: the upgrade and the frames
//! * `error`: what was tried, on what, and what came back

mod dial;
mod dialer;
mod endpoint;
mod error;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod websocket;

pub use dialer::{Access, Dialer, Line, Purpose, Stream};
pub use endpoint::{encode_query, Endpoint};
pub use error::{Progress, Step, TransportError};
pub use tls::TlsCache;
pub use websocket::{close_text, connect, loss_of, LossKind, Message, WebSocket};
