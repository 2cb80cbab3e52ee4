//! Through a proxy to the server: HTTP CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928, 1929).

use http::StatusCode;
use httparse::{Response, Status, EMPTY_HEADER};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_socks::{tcp::Socks5Stream, TargetAddr};

use super::{Endpoint, Proxy, Step, Stream, TransportError};
use crate::secret::Secret;

/// The largest answer of a proxy that is read.
const MOST_ANSWER: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;

/// What a proxy answered to a CONNECT.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// The ways of authentication that it offers, as it writes them.
    offers: String,
}

/// Asks an HTTP proxy for a tunnel to the server.
pub async fn by_connect(
    mut stream: Stream,
    proxy: &Proxy,
    endpoint: &Endpoint,
) -> Result<Stream, TransportError> {
    let target = endpoint.host_with_port();
    let failed = |what: String| proxy_error(proxy, &what);
    let request = connect_request(proxy, &target);
    let asked = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    asked.await.map_err(|error| failed(format!("asking for a tunnel to {target} failed: {error}")))?;
    let answer = read_answer(&mut stream).await.map_err(failed)?;
    match answer.status {
        200..=299 => Ok(stream),
        status => {
            let error = failed(refusal(&answer, proxy, &target));
            Err(TransportError { status: Some(status), ..error })
        }
    }
}

/// An error in the step of asking the proxy.
pub fn proxy_error(proxy: &Proxy, what: &str) -> TransportError {
    TransportError::new(Step::Proxy, format!("the proxy {proxy}: {what}"))
}

fn connect_request(proxy: &Proxy, target: &str) -> Secret {
    let login = proxy.authorization();
    let login = login.as_ref().and_then(|value| value.to_str().ok());
    let login =
        login.map_or(Secret::default(), |value| Secret::of(&["Proxy-Authorization: ", value, "\r\n"]));
    Secret::of(&["CONNECT ", target, " HTTP/1.1\r\nHost: ", target, "\r\n", &login, "\r\n"])
}

async fn read_answer(stream: &mut Stream) -> Result<Answer, String> {
    let mut read = Vec::new();
    loop {
        if let Some((answer, used)) = parse_answer(&read)? {
            // The server speaks after us, so this would be the proxy's own and be taken for the server's.
            let tunnel = (200..300).contains(&answer.status);
            return match tunnel && used < read.len() {
                true => Err("it sent more than its answer before the tunnel was used".into()),
                false => Ok(answer),
            };
        }
        if read.len() >= MOST_ANSWER {
            return Err(format!("its answer has no end within {MOST_ANSWER} bytes"));
        }
        match stream.read_buf(&mut read).await {
            Ok(0) if read.is_empty() => return Err("it closed the connection without an answer".into()),
            Ok(0) => return Err("it closed the connection in the middle of its answer".into()),
            Ok(_) => {}
            Err(error) => return Err(format!("reading its answer failed: {error}")),
        }
    }
}

/// The head of the answer and its length, once it is whole.
fn parse_answer(read: &[u8]) -> Result<Option<(Answer, usize)>, String> {
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    let mut response = Response::new(&mut headers);
    let used = match response.parse(read) {
        Ok(Status::Complete(used)) => used,
        Ok(Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("it does not speak HTTP there ({error})")),
    };
    let asked = response.headers.iter().filter(|h| h.name.eq_ignore_ascii_case("proxy-authenticate"));
    let offers: Vec<_> = asked.map(|header| String::from_utf8_lossy(header.value)).collect();
    Ok(Some((Answer { status: response.code.unwrap_or_default(), offers: offers.join(", ") }, used)))
}

/// What a refusal means, and what may help.
fn refusal(answer: &Answer, proxy: &Proxy, target: &str) -> String {
    let reason = StatusCode::from_u16(answer.status).ok().and_then(|status| status.canonical_reason());
    let status = format!("it answered HTTP {} {}", answer.status, reason.unwrap_or_default());
    let hint = match (answer.status, &proxy.credentials) {
        (407, _) if !answer.offers.is_empty() && !answer.offers.to_ascii_lowercase().contains("basic") => {
            format!("; it offers {}, and only Basic is built", answer.offers)
        }
        (407, None) => "; it wants a user name and a password, as in http://user:password@host:port".into(),
        (407, Some(_)) => "; it does not take the user name and the password".into(),
        _ => String::new(),
    };
    format!("{} when asked for a tunnel to {target}{hint}", status.trim_end())
}

/// Asks a SOCKS5 proxy for a connection to the server.
pub async fn by_socks(
    stream: Stream,
    proxy: &Proxy,
    target: TargetAddr<'_>,
) -> Result<Stream, TransportError> {
    let shown = target.to_string();
    let done = match &proxy.credentials {
        None => Socks5Stream::connect_with_socket(stream, target).await,
        Some(login) => {
            Socks5Stream::connect_with_password_and_socket(stream, target, &login.user, &login.password).await
        }
    };
    match done {
        Ok(connected) => Ok(connected.into_inner()),
        Err(error) => {
            let what =
                format!("asking for a connection to {shown} failed: {error}{}", socks_hint(&error, proxy));
            Err(proxy_error(proxy, &what))
        }
    }
}

fn socks_hint(error: &tokio_socks::Error, proxy: &Proxy) -> &'static str {
    use tokio_socks::Error;
    match (error, &proxy.credentials) {
        (Error::NoAcceptableAuthMethods | Error::AuthorizationRequired, None) => {
            "; it wants a user name and a password, as in socks5://user:password@host:port"
        }
        (Error::PasswordAuthFailure(_) | Error::NoAcceptableAuthMethods, Some(_)) => {
            "; it does not take the user name and the password"
        }
        (Error::InvalidResponseVersion, _) => "; it does not speak SOCKS5 there",
        (Error::Io(_), _) => "; it closed the connection, perhaps because it does not speak SOCKS5 there",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_when_they_are_whole() {
        let whole =
            "HTTP/1.1 407 No\r\nproxy-authenticate: Negotiate\r\nProxy-Authenticate: NTLM x=y\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(parse_answer(&whole.as_bytes()[..end]), Ok(None), "{end}");
        }
        let answer = Answer { status: 407, offers: "Negotiate, NTLM x=y".into() };
        assert_eq!(parse_answer(whole.as_bytes()), Ok(Some((answer, whole.len()))));
        assert!(parse_answer(b"SSH-2.0-OpenSSH\r\n").is_err());
    }
}
