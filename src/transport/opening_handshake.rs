//! The HTTP request that turns a connection into a WebSocket (RFC 6455, section 4).
//!
//! `tokio_tungstenite`'s own waits for the answer with 8 KiB of buffers and 2 KiB of state, which a process that connects a
//! thousand clients at once never gets back. What has to be asked and what is an answer is still said by `tungstenite`, whose
//! handshake is only let on once something has come.

use std::io::{self, Read, Write};

use http::{
    header::{HOST, ORIGIN},
    uri::PathAndQuery,
    HeaderMap, HeaderName, HeaderValue, Uri,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    error::ProtocolError,
    handshake::{
        client::{ClientHandshake, Request, Response},
        HandshakeError,
    },
    protocol::WebSocketConfig,
    Error,
};
use zeroize::Zeroizing;

/// An answer is rarely longer, with the first frame behind it.
const USUAL_ANSWER: usize = 512;

/// Asks for a WebSocket; gives the answer, and what the server sent behind it already.
pub async fn ask_for_websocket<S>(stream: &mut S, request: Request) -> Result<(Response, Vec<u8>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (request, secrets) = Secrets::out_of(request);
    let mut paper = Paper { answer: Vec::with_capacity(USUAL_ANSWER), ..Paper::default() };
    let outcome = talk(stream, &mut paper, request, secrets).await;
    let rest = paper.rest();
    match outcome {
        Ok(response) => Ok((response, rest)),
        Err(Error::Http(mut refusal)) => {
            *refusal.body_mut() = Some(rest);
            Err(Error::Http(refusal))
        }
        Err(error) => Err(error),
    }
}

/// The crate's handshake, which knows only streams that block or would: it writes to the paper and reads from it. Its own limits
/// hold: an answer of 64 KiB, or of many small pieces, is an attack.
async fn talk<S>(
    stream: &mut S,
    paper: &mut Paper,
    request: Request,
    secrets: Secrets,
) -> Result<Response, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let unused = WebSocketConfig::default().read_buffer_size(0);
    let mut talk = ClientHandshake::start(paper, request, Some(unused))?;
    loop {
        talk = match talk.handshake() {
            Ok((_, response)) => return Ok(response),
            Err(HandshakeError::Failure(error)) => return Err(error),
            Err(HandshakeError::Interrupted(talk)) => talk,
        };
        let paper = talk.get_mut().get_mut();
        if !paper.asked.is_empty() {
            let asked = secrets.put_into(&std::mem::take(&mut paper.asked));
            stream.write_all(&asked).await?;
            stream.flush().await?;
        }
        if stream.read_buf(&mut paper.answer).await? == 0 {
            return Err(ProtocolError::HandshakeIncomplete.into());
        }
    }
}

/// What the crate's handshake does not see, for it would leave it in memory: the path, whose query has tokens, and the headers
/// that identify the caller.
struct Secrets {
    path: Uri,
    headers: HeaderMap,
}

impl Secrets {
    fn out_of(request: Request) -> (Request, Self) {
        let (mut parts, ()) = request.into_parts();
        let path = std::mem::take(&mut parts.uri);
        let mut shown = path.clone().into_parts();
        shown.path_and_query = Some(PathAndQuery::from_static("/"));
        // It differs from a URL in its path alone.
        parts.uri = Uri::from_parts(shown).unwrap_or_default();
        let secret = |name: &HeaderName, value: &HeaderValue| value.is_sensitive() && *name != HOST;
        let secrets = parts.headers.iter().filter(|(name, value)| secret(name, value));
        let headers: HeaderMap = secrets.map(|(name, value)| (name.clone(), value.clone())).collect();
        for name in headers.keys() {
            parts.headers.remove(name);
        }
        (Request::from_parts(parts, ()), Secrets { path, headers })
    }

    /// The request as it goes out.
    fn put_into(&self, asked: &[u8]) -> Zeroizing<Vec<u8>> {
        let path = self.path.path_and_query().map_or("/", PathAndQuery::as_str);
        let line = asked.iter().position(|byte| *byte == b'\r').unwrap_or(asked.len());
        let (rest, end) = asked[line..].split_at(asked[line..].len().saturating_sub(2));
        let headers = self
            .headers
            .iter()
            .flat_map(|(name, value)| [title(name).as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
        let parts: Vec<&[u8]> =
            [b"GET ", path.as_bytes(), b" HTTP/1.1", rest].into_iter().chain(headers).chain([end]).collect();
        Zeroizing::new(parts.concat())
    }
}

/// Some servers know this one in one form alone, say the authors of `tungstenite`.
fn title(name: &HeaderName) -> &str {
    if *name == ORIGIN {
        "Origin"
    } else {
        name.as_str()
    }
}

/// What is to be written, and what was read.
#[derive(Default)]
struct Paper {
    asked: Vec<u8>,
    answer: Vec<u8>,
    /// So much of the answer the handshake has seen.
    seen: usize,
}

impl Paper {
    /// What the handshake was not shown: it stands behind the answer's head.
    fn rest(mut self) -> Vec<u8> {
        self.answer.drain(..self.seen);
        self.answer
    }
}

impl Read for &mut Paper {
    /// Never reads over an empty line: what stands behind it is for others.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let unseen = &self.answer[self.seen..];
        if unseen.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut ends = (self.seen + 1..=self.answer.len()).filter(|end| self.answer[end - 1] == b'\n');
        let empty_line = |end: &usize| {
            let before = &self.answer[..*end];
            before.ends_with(b"\n\r\n") || before.ends_with(b"\n\n")
        };
        let end = ends.find(empty_line).unwrap_or(self.answer.len());
        let length = into.len().min(end - self.seen);
        into[..length].copy_from_slice(&unseen[..length]);
        self.seen += length;
        Ok(length)
    }
}

impl Write for &mut Paper {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.asked.extend_from_slice(data);
        Ok(data.len())
    }

    /// Before an answer is there the handshake is to take no memory for it.
    fn flush(&mut self) -> io::Result<()> {
        match self.answer.is_empty() {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{duplex, DuplexStream};
    use tokio_tungstenite::tungstenite::{client::IntoClientRequest, handshake::derive_accept_key};

    use super::*;

    const OPEN: &str = "\u{81}\u{2}0{";

    fn request() -> Request {
        "ws://im.example/socket.io/?EIO=4".into_client_request().unwrap()
    }

    fn answer_to(request: &Request) -> String {
        let accept = derive_accept_key(request.headers()["sec-websocket-key"].as_bytes());
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSet-Cookie: a=b\r\n\r\n"
        )
    }

    /// Asks a server that answers with these pieces and closes; gives what was asked, too.
    async fn ask(request: Request, pieces: Vec<String>) -> (Result<(Response, Vec<u8>), Error>, String) {
        let (mut near, far) = duplex(4096);
        // Gone once it has heard enough.
        let asking = async move { ask_for_websocket(&mut near, request).await };
        tokio::join!(asking, serve(far, pieces))
    }

    async fn serve(mut far: DuplexStream, pieces: Vec<String>) -> String {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            far.read_buf(&mut asked).await.unwrap();
        }
        for piece in pieces {
            if far.write_all(piece.as_bytes()).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        String::from_utf8(asked).unwrap()
    }

    #[tokio::test]
    async fn an_answer_may_come_in_pieces_and_with_a_frame_behind_it() {
        let request = request();
        let whole = answer_to(&request) + OPEN;
        for at in [1, 20, whole.len() - OPEN.len(), whole.len() - 1] {
            let pieces = vec![whole[..at].to_owned(), whole[at..].to_owned()];
            let (outcome, asked) = ask(request.clone(), pieces).await;
            let (response, mut rest) = outcome.unwrap();
            assert_eq!(response.headers()["set-cookie"], "a=b");
            assert!(asked.starts_with("GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: im.example\r\n"), "{asked}");
            // What was not read with the head is left to the frames.
            rest.truncate(OPEN.len());
            assert!(OPEN.as_bytes().starts_with(&rest));
        }
    }

    #[tokio::test]
    async fn what_is_no_answer_is_refused() {
        let of_another = answer_to(&request());
        let (outcome, _) = ask(request(), vec![of_another]).await;
        assert!(matches!(outcome, Err(Error::Protocol(ProtocolError::SecWebSocketAcceptKeyMismatch))));
        let (outcome, _) = ask(request(), vec!["HTTP/1.1 101 Swit".into()]).await;
        assert!(matches!(outcome, Err(Error::Protocol(ProtocolError::HandshakeIncomplete))));
        let (outcome, _) = ask(request(), vec!["SSH-2.0-OpenSSH_9\r\n".into()]).await;
        assert!(matches!(outcome, Err(Error::Protocol(ProtocolError::HttparseError(_)))));
        let (outcome, _) = ask(request(), vec!["HTTP/1.1 400 Bad\r\n\r\n{\"code\":3}".into()]).await;
        let Err(Error::Http(refusal)) = outcome else { panic!("taken for an answer") };
        assert_eq!(refusal.status(), 400);
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_given_up() {
        let long = vec![format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(128 * 1024))];
        let in_pieces = "HTTP/1.1 200 OK\r\nX: ".chars().chain(std::iter::repeat('x')).take(1000);
        for endless in [long, in_pieces.map(String::from).collect()] {
            let (outcome, _) = ask(request(), endless).await;
            assert!(matches!(outcome, Err(Error::AttackAttempt)), "{outcome:?}");
        }
    }
}
