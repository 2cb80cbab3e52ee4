//! HTTP/1.1 requests to the server, one at a time, over a connection that is kept.

use std::{future::Future, pin::Pin, sync::Arc, task::Poll, time::Duration};

use http::{header, Method, Request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    body::Bytes,
    client::conn::http1::{handshake, Connection, SendRequest},
};
use hyper_util::rt::TokioIo;

use super::{error::is_engine_refusal, Dialer, Progress, Step, Stream, TransportError};

type Body = Full<Bytes>;

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
    open: Option<Http>,
}

struct Http {
    sender: SendRequest<Body>,
    /// Moves bytes only while it is polled: an idle connection costs nothing.
    connection: Pin<Box<Connection<TokioIo<Stream>, Body>>>,
}

impl Lane {
    pub fn new(dialer: Arc<Dialer>, limit: usize, timeout: Option<Duration>) -> Self {
        Lane { dialer, limit, timeout, open: None }
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
        let mut request = self.request(method, path, body)?;
        if let Some(http) = self.reusable().await {
            match self.exchange(http, request, progress).await {
                Ok(done) => return done,
                // The server closed the kept connection before the request went out.
                Err(unsent) => request = *unsent,
            }
        }
        let http = self.connect(progress).await?;
        match self.exchange(http, request, progress).await {
            Ok(done) => done,
            Err(_) => Err(failed("the server closed the connection before the request was sent".into())),
        }
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Body>, TransportError> {
        let mut request = Request::builder()
            .method(&method)
            .uri(path)
            .header(header::HOST, self.dialer.endpoint().authority())
            .header(header::ACCEPT, "*/*");
        if method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "text/plain;charset=UTF-8");
        }
        request.body(Full::new(body)).map_err(|error| failed(format!("no usable URL: {error}")))
    }

    /// The kept connection, unless the server closed it meanwhile.
    async fn reusable(&mut self) -> Option<Http> {
        let mut http = self.open.take()?;
        let closed =
            std::future::poll_fn(|cx| Poll::Ready(http.connection.as_mut().poll(cx).is_ready())).await;
        (!closed && http.sender.is_ready()).then_some(http)
    }

    async fn connect(&self, progress: &Progress) -> Result<Http, TransportError> {
        let stream = self.dialer.open(progress).await?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| failed(error.to_string()))?;
        Ok(Http { sender, connection: Box::pin(connection) })
    }

    /// Sends the request and reads the answer. Gives the request back where it was certainly not sent.
    async fn exchange(
        &mut self,
        mut http: Http,
        request: Request<Body>,
        progress: &Progress,
    ) -> Result<Result<Answer, TransportError>, Box<Request<Body>>> {
        progress.asked();
        let answer = http.sender.try_send_request(request);
        let limit = self.limit;
        let work = async move {
            let response = match answer.await {
                Ok(response) => response,
                Err(mut error) => {
                    return match error.take_message() {
                        Some(unsent) => Err(Box::new(unsent)),
                        None => Ok(Err(failed(no_answer(error.error())))),
                    }
                }
            };
            Ok(read(response, limit).await)
        };
        let done = with_connection(work, &mut http.connection).await?;
        if done.is_ok() {
            self.open = Some(http);
        }
        Ok(done)
    }
}

/// Polls the connection beside the work that goes through it.
async fn with_connection<T>(
    work: impl Future<Output = T>,
    connection: &mut Pin<Box<Connection<TokioIo<Stream>, Body>>>,
) -> T {
    tokio::pin!(work);
    let mut over = false;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if !over && connection.as_mut().poll(cx).is_ready() {
            // Its end may have been what the work waits for.
            over = true;
            return work.as_mut().poll(cx);
        }
        Poll::Pending
    })
    .await
}

async fn read(
    response: http::Response<hyper::body::Incoming>,
    limit: usize,
) -> Result<Answer, TransportError> {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_owned());
    let body = match Limited::new(response.into_body(), limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(failed(format!(
            "an answer is larger than {limit} bytes, four times what the option \"maxMessageBytes\" allows"
        )))
        }
        Err(error) => return Err(failed(format!("the answer broke off: {error}"))),
    };
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

fn failed(message: String) -> TransportError {
    TransportError::new(Step::Upgrade, message)
}

fn no_answer(error: &hyper::Error) -> String {
    match error.is_incomplete_message() || error.is_canceled() {
        true => "the server closed the connection without an answer".into(),
        false => format!("no HTTP answer came: {error}"),
    }
}
