//! Bytes to and from a server; nothing of Socket.IO is known here.
//!
//! * `dialer`: how the server is reached, as `access` says: the caller's options
//! * `endpoint`: the server's address from the option `root`, and the URLs made of it
//! * `dial`: name lookup and TCP connect by RFC 8305
//! * `address`: the request line of an Engine.IO connection
//! * `proxy`, `proxy_environment`, `tunnel`: which proxy, and the way through it
//! * `tls`, `tls_settings`, `verifier`: rustls with the platform's verifier, or the caller's
//! * `headers`, `cookies`, `cookie_date`: what requests carry beside their own
//! * `stream`: bytes with or without TLS; `read_ahead`: in large pieces while much comes; `outlet`: by any thread where the
//!   network thread has nothing to write
//! * `websocket`, `opening_handshake`, `frames`: the upgrade and the frames
//! * `http`, `payload`, `polling`, `terms`, `probe`: long-polling, and its upgrade to a WebSocket
//! * `farewell`: how sessions of long-polling end that nobody waits for
//! * `socket`: a connection of either transport, as frames; `fairness`: so that none takes all of the network thread's time
//! * `error`: what was tried, on what, and what came back

mod access;
mod address;
mod cookie_date;
mod cookies;
mod dial;
mod dialer;
mod endpoint;
mod error;
pub mod fairness;
#[cfg(feature = "polling")]
mod farewell;
mod frames;
mod headers;
#[cfg(feature = "polling")]
mod http;
mod opening_handshake;
mod outlet;
#[cfg(feature = "polling")]
mod payload;
#[cfg(feature = "polling")]
mod polling;
#[cfg(not(feature = "polling"))]
#[path = "no_polling.rs"]
mod polling;
#[cfg(feature = "polling")]
mod probe;
mod proxy;
mod proxy_environment;
mod read_ahead;
mod socket;
mod stream;
mod terms;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
#[cfg(feature = "tls")]
mod tls_settings;
mod tunnel;
#[cfg(feature = "tls")]
mod verifier;
mod websocket;

pub use access::Access;
pub use address::{Address, Timestamps, POLLING, WEBSOCKET};
pub use dialer::{Dialer, Line, Purpose};
pub use endpoint::{encode_query, Endpoint};
pub use error::{Progress, Step, TransportError};
#[cfg(feature = "polling")]
use farewell::Farewells;
pub use frames::WebSocket;
pub use headers::{add_header, Headers};
pub use outlet::{Outlet, Slot};
#[cfg(not(feature = "polling"))]
use polling::Farewells;
pub use polling::Polling;
pub use proxy::Proxy;
pub use proxy_environment::proxy_from_environment;
pub use socket::{Frame, Lost, Socket};
pub use stream::Stream;
pub use terms::Terms;
pub use tls::{TlsCache, TlsSettings};
#[cfg(feature = "polling")]
use websocket::body_start;
use websocket::{close_text, loss_of, Message};
pub use websocket::{connect, LossKind};
