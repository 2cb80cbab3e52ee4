//! The HTTP request that turns a connection into a WebSocket (RFC 6455, section 4).
//!
//! `tokio_tungstenite`'s own waits for the answer with 8 KiB of buffers and 2 KiB of state, which a process that connects a
//! thousand clients at once never gets back. What has to be asked and what is an answer is still said by `tungstenite`.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    error::ProtocolError,
    handshake::{
        client::{generate_request, ClientHandshake, Request, Response},
        machine::TryParse,
        HandshakeError,
    },
    protocol::WebSocketConfig,
    Error,
};

/// An answer is rarely longer, with the first frame behind it.
const USUAL_ANSWER: usize = 512;
/// No server needs more headers, nor to send them in so many pieces, after each of which they are read anew.
const MOST_ANSWER: usize = 64 * 1024;
const MOST_PIECES: usize = 512;

/// Asks for a WebSocket; gives the answer, and what the server sent behind it already.
pub async fn ask_for_websocket<S>(stream: &mut S, request: Request) -> Result<(Response, Vec<u8>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // The request is kept: its key decides whether the answer is one.
    let (asked, _) = generate_request(request.clone())?;
    stream.write_all(&asked).await?;
    stream.flush().await?;
    drop(asked);
    let (mut answer, head) = read_answer(stream).await?;
    let response = judge(request, &answer)?;
    answer.drain(..head);
    Ok((response, answer))
}

/// Reads an answer; gives also how much of what was read its head is.
async fn read_answer<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(Vec<u8>, usize), Error> {
    let mut answer = Vec::with_capacity(USUAL_ANSWER);
    for _ in 0..MOST_PIECES {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(ProtocolError::HandshakeIncomplete.into());
        }
        if let Some((head, _)) = Response::try_parse(&answer)? {
            return Ok((answer, head));
        }
        if answer.len() > MOST_ANSWER {
            break;
        }
    }
    Err(Error::AttackAttempt)
}

/// Is it the answer to this request?
fn judge(request: Request, answer: &[u8]) -> Result<Response, Error> {
    let unused = WebSocketConfig::default().read_buffer_size(0);
    match ClientHandshake::start(Answered(answer), request, Some(unused))?.handshake() {
        Ok((_, response)) => Ok(response),
        Err(HandshakeError::Failure(error)) => Err(error),
        Err(HandshakeError::Interrupted(_)) => Err(ProtocolError::HandshakeIncomplete.into()),
    }
}

/// A connection on which the question was put and the answer has come.
struct Answered<'a>(&'a [u8]);

impl Read for Answered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut self.0, into)
    }
}

impl Write for Answered<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
        let long = vec![format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2 * MOST_ANSWER))];
        let in_pieces = "HTTP/1.1 200 OK\r\nX: ".chars().chain(std::iter::repeat('x')).take(2 * MOST_PIECES);
        for endless in [long, in_pieces.map(String::from).collect()] {
            let (outcome, _) = ask(request(), endless).await;
            assert!(matches!(outcome, Err(Error::AttackAttempt)), "{outcome:?}");
        }
    }
}
