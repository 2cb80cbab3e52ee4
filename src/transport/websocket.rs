//! The upgrade to WebSocket, and the words for how one ends.

use std::io;

use http::{header::SEC_WEBSOCKET_EXTENSIONS, HeaderMap, Uri};
use tokio_tungstenite::tungstenite::{
    client::IntoClientRequest,
    error::{CapacityError, ProtocolError},
    handshake::client::Request,
    protocol::{frame::CloseFrame, WebSocketConfig},
    Error,
};

use super::{
    error::is_engine_refusal, opening_handshake::ask_for_websocket, Dialer, Line, Progress, Purpose, Step,
    TransportError, WebSocket,
};
use crate::secret::Secret;

pub use tokio_tungstenite::tungstenite::Message;

/// The buffer that waits for data on every connection. The crate's default of 128 KiB cost 140 kB a connection. While much comes
/// it is filled from memory, see `read_ahead`: measured against 4 KiB, messages of up to 10 kB cost the same CPU or less,
/// those of 100 kB up to a fifth more, those of 1 MB less.
const READ_BUFFER: usize = 1024;
/// Frames are collected up to this size before they are written; the memory is taken as there are some.
const WRITE_BUFFER: usize = 64 * 1024;

/// Opens a WebSocket at a path (with its query); frames of more than `max_message` bytes are refused.
pub async fn connect(
    dialer: &Dialer,
    path_and_query: &str,
    max_message: usize,
    progress: &Progress,
) -> Result<WebSocket, TransportError> {
    // A WebSocket has the connection for itself, through every proxy.
    let Line { mut stream, certificate_asked, .. } = dialer.open(Purpose::WebSocket, progress).await?;
    let path = path_and_query.split('?').next().unwrap_or_default();
    let request = request(dialer, path_and_query, path)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message));
    progress.asked();
    match ask_for_websocket(&mut stream, request).await {
        Ok((response, rest)) => {
            dialer.keep_cookies(path, response.headers());
            refuse_extensions(response.headers())?;
            Ok(WebSocket::new(stream, rest, config).await)
        }
        Err(error) => {
            if let Error::Http(response) = &error {
                dialer.keep_cookies(path, response.headers());
            }
            Err(upgrade_error(error, dialer, certificate_asked))
        }
    }
}

fn request(dialer: &Dialer, path_and_query: &str, path: &str) -> Result<Request, TransportError> {
    let unusable =
        |error: &dyn std::fmt::Display| TransportError::new(Step::Upgrade, format!("no usable URL: {error}"));
    let url = Secret::of(&[&dialer.endpoint().websocket_url(""), path_and_query]);
    let url = Uri::from_maybe_shared(url.into_bytes()).map_err(|error| unusable(&error))?;
    let mut request = url.into_client_request().map_err(|error| unusable(&error))?;
    // Replaces what is there of the same name: the caller may set another Host.
    request.headers_mut().extend(dialer.request_headers(Purpose::WebSocket, path));
    Ok(request)
}

/// RFC 6455, 4.1: what nobody asked for ends the connection. `tungstenite` takes no notice of it.
fn refuse_extensions(response: &HeaderMap) -> Result<(), TransportError> {
    let Some(named) = response.get(SEC_WEBSOCKET_EXTENSIONS) else { return Ok(()) };
    let message = format!(
        "the WebSocket upgrade failed: the server uses an extension that nobody asked for{}",
        body_start(named.as_bytes())
    );
    Err(TransportError::new(Step::Upgrade, message))
}

fn upgrade_error(error: Error, dialer: &Dialer, certificate_asked: bool) -> TransportError {
    if let Error::Io(io) = &error {
        if let Some(message) = dialer.late_tls_failure(io) {
            return TransportError::new(Step::Tls, message);
        }
    }
    let (status, by_engine) = match &error {
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            (Some(response.status().as_u16()), is_engine_refusal(body))
        }
        _ => (None, false),
    };
    let message = match &error {
        Error::Http(response) => {
            format!(
                "the server answered HTTP {}{}",
                response.status(),
                body_start(response.body().as_deref().unwrap_or_default())
            )
        }
        Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            dialer.without_answer(certificate_asked)
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => dialer.without_answer(certificate_asked),
        // Our request may cross the server's refusal of our certificate, and the reset then overtakes its alert.
        Error::Io(error) => {
            let hint = dialer.certificate_hint(certificate_asked);
            format!("the WebSocket upgrade failed: {error}{hint}")
        }
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(fault)) => {
            format!("the WebSocket upgrade failed: {fault} (option \"protocols\")")
        }
        other => format!("the WebSocket upgrade failed: {other}"),
    };
    TransportError { step: Step::Upgrade, status, by_engine, message }
}

/// The start of an answer's body: servers say there what they did not like.
pub fn body_start(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let start: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    match start.trim() {
        "" => String::new(),
        start => format!(": {start}"),
    }
}

/// How a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossKind {
    /// The other side closed it.
    Closed,
    /// The network, or the transport's own protocol, failed.
    Failed,
    /// What came is not of the Engine.IO protocol.
    Garbled,
    /// Nothing came for too long.
    Silent,
}

/// Tells a lost connection's kind and, for a failure, what happened.
pub fn loss_of(error: &Error) -> (LossKind, String) {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => (LossKind::Closed, String::new()),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            (LossKind::Closed, "the server closed the connection without a Close frame".into())
        }
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => (
            LossKind::Failed,
            format!(
                "a message of {size} bytes is larger than the option \"maxMessageBytes\" allows ({max_size})"
            ),
        ),
        other => (LossKind::Failed, other.to_string()),
    }
}

/// The words for a Close frame of the server.
pub fn close_text(frame: Option<&CloseFrame>) -> String {
    match frame {
        None => "the server closed the WebSocket".into(),
        Some(frame) if frame.reason.is_empty() => {
            format!("the server closed the WebSocket with code {}", u16::from(frame.code))
        }
        Some(frame) => {
            format!(
                "the server closed the WebSocket with code {}: {}",
                u16::from(frame.code),
                frame.reason.as_str()
            )
        }
    }
}
