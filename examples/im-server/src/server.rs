//! Listening, routing, shutting down.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{service_fn, Service};
use hyper::{header, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use socketioxide::extract::SocketRef;
use socketioxide::SocketIo;
use tokio::net::{TcpListener, TcpStream};

use crate::app::{App, Config, Counts, Shared};
use crate::connection::{ClientStream, Transport};
use crate::legacy_connect::repair_polling_body;
use crate::store::Store;
use crate::{chat, control, sso};

/// The message limit of the official servers.
const MAX_BODY: usize = 1_000_000;
/// Packets waiting for a client that does not read. socketioxide's own 128 is fewer than a burst of messages to a group.
const MAX_WAITING_PACKETS: usize = 16 * 1024;
/// A client that does not answer its Close frame must not hold up the end.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

pub struct Server {
    listener: TcpListener,
    app: Shared,
}

impl Server {
    pub async fn bind(config: Config) -> io::Result<Server> {
        let store = match &config.data {
            None => Store::in_memory(),
            Some(path) => Store::open(path)
                .map_err(|error| io::Error::other(format!("--data {}: {error}", path.display())))?,
        };
        let address = (config.host.as_str(), config.port);
        let listener = TcpListener::bind(address).await.map_err(|error| {
            io::Error::other(format!("--host {} --port {}: {error}", address.0, address.1))
        })?;
        let app = App::new(config, store);
        Ok(Server { listener, app })
    }

    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Serves until `stop` resolves, then closes every connection.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (socket_io, io) = SocketIo::builder()
            .req_path(self.app.config.path.clone())
            .max_buffer_size(MAX_WAITING_PACKETS)
            .max_payload(MAX_BODY as u64)
            .build_svc();
        add_namespaces(&io, &self.app);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((tcp, _)) => serve(tcp, self.app.clone(), socket_io.clone()),
                    Err(error) => {
                        // Out of file descriptors, most likely: trying again at once would only burn the processor.
                        self.app.log(format_args!("accept: {error}"));
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        let _ = tokio::time::timeout(CLOSE_GRACE, io.close()).await;
    }
}

fn add_namespaces(io: &SocketIo, app: &Shared) {
    // A 2.x client is put into the root namespace before it asks for any other.
    let shared = app.clone();
    io.ns("/", async move |socket: SocketRef| {
        Counts::watch(&shared, &socket, |_, _| ());
    });
    let shared = app.clone();
    io.ns("/sso", move |socket: SocketRef| sso::connected(shared, socket));
    let shared = app.clone();
    io.ns("/chat", move |socket: SocketRef| chat::connected(shared, socket));
}

fn serve<S, B>(tcp: TcpStream, app: Shared, socket_io: S)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Send + Sync + Clone + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // An acknowledgement is small and somebody waits for it.
    let _ = tcp.set_nodelay(true);
    let (stream, transport) = ClientStream::new(tcp);
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, socket_io, transport) = (app.clone(), socket_io.clone(), transport.clone());
        async move {
            let Some(request) = whole(request).await else {
                let mut response = Response::new(Either::Right(Full::default()));
                *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
                return Ok(response);
            };
            if is_under(request.uri().path(), &app.config.path) {
                let response = socket_io.call(for_socket_io(request, transport)).await;
                return response.map(|response| response.map(Either::Left));
            }
            Ok(control::handle(&app, &request).await.map(Either::Right))
        }
    });
    tokio::spawn(async move {
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
        // Errors here are clients that go away in the middle of a request.
        let _ = connection.await;
    });
}

/// The request with all of its body; None if that is too long.
async fn whole(request: Request<Incoming>) -> Option<Request<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.ok()?;
    Some(Request::from_parts(parts, body.to_bytes()))
}

/// The path or one below it, as socketioxide itself decides: clients ask for `/ws/`.
fn is_under(path: &str, parent: &str) -> bool {
    let rest = path.strip_prefix(parent);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || parent.ends_with('/'))
}

fn for_socket_io(mut request: Request<Bytes>, transport: Transport) -> Request<Full<Bytes>> {
    let query = request.uri().query().unwrap_or("");
    if query.split('&').any(|pair| pair == "EIO=3") {
        if request.headers().contains_key(header::UPGRADE) {
            transport.is_legacy_websocket();
        }
        if let Ok(body) = std::str::from_utf8(request.body()) {
            let repaired = Bytes::from(repair_polling_body(body));
            *request.body_mut() = repaired;
            request.headers_mut().remove(header::CONTENT_LENGTH);
        }
    }
    request.extensions_mut().insert(transport);
    request.map(Full::new)
}
