//! HTTP/1.1 requests to the server, one at a time, over a connection that is kept.

use std::{
    fmt::Display,
    future::Future,
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    task::Poll,
    time::{Duration, Instant},
};

use http::{header, HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1::{handshake, Connection, SendRequest},
    ext::on_informational,
};
use hyper_util::rt::TokioIo;

use super::{
    error::is_engine_refusal, Dialer, Line, Progress, Purpose, Step, Stream, TransportError, POLLING,
};
use crate::secret::Secret;

type Body = Full<Bytes>;

/// A request that goes out while the server closes the connection is lost, and must not be sent again: so the connection is
/// not used any more so long before the server says that it closes it.
const CLOSES_SOON: Duration = Duration::from_secs(1);

/// So many interim answers (1xx) are passed over before the answer.
const MOST_INTERIM: usize = 100;

/// What the server answered with status 200.
#[derive(Debug)]
pub struct Answer {
    pub body: Bytes,
    /// The `Content-Type` says that the body is no text.
    pub binary: bool,
}

/// One request at a time; the connection is used again where the server keeps it.
pub struct Lane {
    dialer: Arc<Dialer>,
    /// The largest body that is read.
    limit: usize,
    timeout: Option<Duration>,
    /// The server has answered in HTTP before, here or elsewhere.
    answered: bool,
    open: Option<Http>,
}

struct Http {
    sender: SendRequest<Body>,
    /// Moves bytes only while it is polled: an idle connection costs nothing.
    connection: Pin<Box<Connection<TokioIo<Stream>, Body>>>,
    /// A proxy reads the requests: they name the whole URL, and have headers for it.
    absolute: bool,
    headers: HeaderMap,
    /// The server asked for a certificate and has not answered a request yet.
    certificate_asked: bool,
    /// Of no use from then on: the server said how long it keeps an idle connection.
    stale: Option<Instant>,
}

impl Lane {
    pub fn new(dialer: Arc<Dialer>, limit: usize, timeout: Option<Duration>) -> Self {
        Lane { dialer, limit, timeout, answered: false, open: None }
    }

    /// For a server that has answered before.
    pub fn known(self) -> Self {
        Lane { answered: true, ..self }
    }

    pub async fn get(&mut self, path: &str, progress: &Progress) -> Result<Answer, TransportError> {
        self.limited(Method::GET, path, Bytes::new(), progress).await
    }

    pub async fn post(
        &mut self,
        path: &str,
        body: Bytes,
        progress: &Progress,
    ) -> Result<Answer, TransportError> {
        self.limited(Method::POST, path, body, progress).await
    }

    async fn limited(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        progress: &Progress,
    ) -> Result<Answer, TransportError> {
        let Some(limit) = self.timeout else { return self.ask(method, path, body, progress).await };
        match tokio::time::timeout(limit, self.ask(method, path, body, progress)).await {
            Ok(answer) => answer,
            Err(_) => {
                let limit = limit.as_millis();
                Err(progress.failed(format!("no answer within {limit} ms (option \"requestTimeout\")")))
            }
        }
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        progress: &Progress,
    ) -> Result<Answer, TransportError> {
        if let Some(http) = self.reusable().await {
            let request = self.request(&http, &method, path, body.clone())?;
            if let Some(done) = self.exchange(http, request, path, progress).await {
                return done;
            }
            // The server closed the kept connection before the request went out.
        }
        let http = self.connect(progress).await?;
        let request = self.request(&http, &method, path, body)?;
        match self.exchange(http, request, path, progress).await {
            Some(done) => done,
            None => Err(failed("the server closed the connection before the request was sent".into())),
        }
    }

    fn request(
        &self,
        http: &Http,
        method: &Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Body>, TransportError> {
        let endpoint = self.dialer.endpoint();
        let before = if http.absolute { endpoint.url(POLLING, "") } else { String::new() };
        let uri = Uri::from_maybe_shared(Secret::of(&[&before, path]).into_bytes());
        let uri = uri.map_err(|error| failed(format!("no usable URL: {error}")))?;
        let request = Request::builder().method(method).uri(uri).body(Full::new(body));
        let mut request = request.map_err(|error| failed(format!("no usable URL: {error}")))?;
        let headers = request.headers_mut();
        let host = HeaderValue::from_str(&endpoint.authority().to_string());
        headers.insert(header::HOST, host.map_err(|_| failed("the host is no header value".into()))?);
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        if method == Method::POST {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
        }
        headers.extend(http.headers.clone());
        if http.absolute {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        // Replaces what is there of the same name: the caller may set another Host.
        headers.extend(self.dialer.request_headers(Purpose::Http, without_query(path)));
        Ok(request)
    }

    /// The kept connection, unless the server closed it meanwhile.
    async fn reusable(&mut self) -> Option<Http> {
        let mut http = self.open.take()?;
        if http.stale.is_some_and(|stale| stale <= Instant::now()) {
            return None;
        }
        let closed =
            std::future::poll_fn(|cx| Poll::Ready(http.connection.as_mut().poll(cx).is_ready())).await;
        (!closed && http.sender.is_ready()).then_some(http)
    }

    async fn connect(&self, progress: &Progress) -> Result<Http, TransportError> {
        let Line { stream, absolute, headers, certificate_asked } =
            self.dialer.open(Purpose::Http, progress).await?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| failed(error.to_string()))?;
        let connection = Box::pin(connection);
        Ok(Http { sender, connection, absolute, headers, certificate_asked, stale: None })
    }

    /// Sends the request and reads the answer; nothing where the request was certainly not sent.
    async fn exchange(
        &mut self,
        mut http: Http,
        mut request: Request<Body>,
        path: &str,
        progress: &Progress,
    ) -> Option<Result<Answer, TransportError>> {
        progress.asked();
        let interim = Arc::<AtomicUsize>::default();
        let count = interim.clone();
        on_informational(&mut request, move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let answer = http.sender.try_send_request(request);
        let (dialer, limit) = (self.dialer.clone(), self.limit);
        let (asked, answered) = (http.certificate_asked, self.answered);
        let work = async move {
            let response = match answer.await {
                Ok(response) => response,
                Err(mut error) => {
                    let unsent = error.take_message().is_some();
                    return (!unsent).then(|| Err(no_answer(error.error(), &dialer, asked, answered)));
                }
            };
            dialer.keep_cookies(without_query(path), response.headers());
            let kept = kept_for(response.headers());
            Some(read(response, limit).await.map(|answer| (answer, kept)))
        };
        let endless = || interim.load(Ordering::Relaxed) > MOST_INTERIM;
        let Some(done) = with_connection(work, &mut http.connection, endless).await else {
            let message =
                format!("the server sent more than {MOST_INTERIM} interim answers (1xx) and no other");
            return Some(Err(failed(message)));
        };
        let done = done?;
        Some(done.map(|(answer, kept)| {
            http.certificate_asked = false;
            self.answered = true;
            http.stale = kept.map(|kept| Instant::now() + kept.saturating_sub(CLOSES_SOON));
            // Simple proxies close behind each answer without saying so: the next request would be lost in that.
            self.open = (!http.absolute).then_some(http);
            answer
        }))
    }
}

/// How long the server keeps the connection when it is idle, where it says so: `Keep-Alive: timeout=5`.
fn kept_for(headers: &HeaderMap) -> Option<Duration> {
    let said = headers.get("keep-alive")?.to_str().ok()?;
    let seconds = said.split(',').find_map(|part| part.trim().strip_prefix("timeout="))?;
    seconds.trim().parse().ok().map(|seconds: u32| Duration::from_secs(seconds.into()))
}

fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// Polls the connection beside the work that goes through it; nothing where it is not to go on.
async fn with_connection<T>(
    work: impl Future<Output = T>,
    connection: &mut Pin<Box<Connection<TokioIo<Stream>, Body>>>,
    stops: impl Fn() -> bool,
) -> Option<T> {
    tokio::pin!(work);
    let mut over = false;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        if !over && connection.as_mut().poll(cx).is_ready() {
            // Its end may have been what the work waits for.
            over = true;
            return work.as_mut().poll(cx).map(Some);
        }
        match stops() {
            true => Poll::Ready(None),
            false => Poll::Pending,
        }
    })
    .await
}

async fn read(response: http::Response<Incoming>, limit: usize) -> Result<Answer, TransportError> {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_owned());
    let body = read_body(response.into_body(), limit).await?;
    if status != http::StatusCode::OK {
        let message = format!("the server answered HTTP {status}{}", super::body_start(&body));
        let by_engine = is_engine_refusal(&body);
        return Err(TransportError {
            step: Step::Upgrade,
            status: Some(status.as_u16()),
            by_engine,
            message,
        });
    }
    Ok(Answer { body, binary: kind.is_some_and(|kind| kind.starts_with(b"application/octet-stream")) })
}

/// Copies the pieces: a body of chunks of one byte, kept as they came, takes many times its size.
async fn read_body<B>(mut body: B, limit: usize) -> Result<Bytes, TransportError>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let mut whole = Vec::new();
    while let Some(piece) = body.frame().await {
        let piece = piece.map_err(|error| failed(format!("the answer broke off: {error}")))?;
        // Or trailers, which nobody wants.
        let Ok(data) = piece.into_data() else { continue };
        if data.len() > limit - whole.len() {
            return Err(failed(format!(
                "an answer is larger than {limit} bytes, four times what the option \"maxMessageBytes\" allows"
            )));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.into())
}

fn failed(message: String) -> TransportError {
    TransportError::new(Step::Upgrade, message)
}

fn no_answer(
    error: &hyper::Error,
    dialer: &Dialer,
    certificate_asked: bool,
    answered: bool,
) -> TransportError {
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    if let Some(message) = io.and_then(|io| dialer.late_tls_failure(io)) {
        return TransportError::new(Step::Tls, message);
    }
    failed(match error.is_incomplete_message() || error.is_canceled() {
        true if answered => "the server closed the connection without an answer".into(),
        true => dialer.without_answer(certificate_asked),
        false => format!("no HTTP answer came: {error}{}", dialer.certificate_hint(certificate_asked)),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    static LIVE: AtomicUsize = AtomicUsize::new(0);

    /// One byte of a body, in memory of its own.
    struct Piece([u8; 1]);

    impl Piece {
        fn bytes() -> Bytes {
            LIVE.fetch_add(1, Ordering::Relaxed);
            Bytes::from_owner(Piece(*b"x"))
        }
    }

    impl AsRef<[u8]> for Piece {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Drop for Piece {
        fn drop(&mut self) {
            LIVE.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn a_body_of_tiny_chunks_takes_no_more_than_its_size() {
        let mut most = 0;
        let pieces = (0..5_000).map(|_| {
            most = most.max(LIVE.load(Ordering::Relaxed));
            Ok::<_, std::io::Error>(Frame::data(Piece::bytes()))
        });
        let body = StreamBody::new(futures_util::stream::iter(pieces));
        assert_eq!(read_body(body, 5_000).await.unwrap().len(), 5_000);
        assert!(most <= 1, "{most} pieces are kept");
    }
}
