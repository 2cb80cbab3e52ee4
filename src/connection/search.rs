//! Which path, which generation: opens a connection up to its open packet.
//!
//! The default paths race as the reference's callers and Socket.IO's both expect: `/ws` first, `/socket.io` at once when
//! that is refused, else after a silence. What works is remembered per root.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::StreamExt;
use tokio::time::{sleep, timeout_at, Instant};

use super::{
    owner::Attempt,
    target::{Paths, Target, DEFAULT_PATHS},
};
use crate::{
    engineio::{self, Handshake, Packet, Revision},
    log::{Level, Log},
    transport::{
        self, close_text, loss_of, Dialer, Endpoint, Message, Progress, Step, TransportError, WebSocket,
    },
};

/// Silence of this length after the upgrade request starts the second path; on a slow link it is four times the time that
/// the TCP connect took.
const SILENCE: Duration = Duration::from_millis(250);
const SILENCE_IN_CONNECTS: u32 = 4;

pub const WEBSOCKET: &str = "websocket";

/// What is known of a root: the path that worked, and the revision that had to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    path: String,
    asked: Option<Revision>,
}

/// The paths that worked, for all clients of the process.
#[derive(Debug, Default)]
pub struct PathMemory(Mutex<HashMap<Endpoint, Known>>);

impl PathMemory {
    fn get(&self, endpoint: &Endpoint) -> Option<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(endpoint).cloned()
    }

    fn keep(&self, endpoint: &Endpoint, known: Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(endpoint.clone(), known);
    }

    fn forget(&self, endpoint: &Endpoint) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(endpoint);
    }
}

/// A WebSocket whose open packet was read.
pub struct Opened {
    pub socket: WebSocket,
    pub handshake: Handshake,
    pub path: String,
    pub url: String,
    /// The revision that the URL had to ask for, where that was not left open.
    pub revision: Option<Revision>,
}

pub struct Search<'a> {
    pub target: &'a Target,
    pub memory: &'a PathMemory,
    pub dialer: &'a Dialer,
    pub log: &'a Log,
    pub deadline: Instant,
}

impl Search<'_> {
    fn endpoint(&self) -> &Endpoint {
        self.dialer.endpoint()
    }

    /// Opens a connection, or tells all attempts.
    pub async fn open(&self) -> Result<Opened, Vec<Attempt>> {
        if let Paths::Given(path) = &self.target.paths {
            let progress = Progress::default();
            return self.attempt(path, self.target.revision, &progress).await.map_err(|failed| vec![failed]);
        }
        let opened = match self.memory.get(self.endpoint()) {
            Some(known) => self.open_known(known).await,
            None => self.race().await,
        }?;
        let known = Known { path: opened.path.clone(), asked: opened.revision };
        self.memory.keep(self.endpoint(), known);
        Ok(opened)
    }

    /// Uses the remembered path alone; only its refusal starts a new search.
    async fn open_known(&self, known: Known) -> Result<Opened, Vec<Attempt>> {
        let progress = Progress::default();
        let asked = self.target.revision.or(known.asked);
        let failed = match self.attempt(&known.path, asked, &progress).await {
            Ok(opened) => return Ok(opened),
            Err(failed) if !failed.error.is_refusal() => return Err(vec![failed]),
            Err(failed) => failed,
        };
        self.memory.forget(self.endpoint());
        self.race().await.map_err(|mut others| {
            others.retain(|other| other.path != failed.path);
            others.insert(0, failed);
            others
        })
    }

    /// Tries the two default paths.
    async fn race(&self) -> Result<Opened, Vec<Attempt>> {
        let (ahead, behind) = (Progress::default(), Progress::default());
        let asked = self.target.revision;
        let mut first = Box::pin(self.attempt(DEFAULT_PATHS[0], asked, &ahead));
        let second = self.attempt(DEFAULT_PATHS[1], asked, &behind);
        tokio::select! {
            done = &mut first => match done {
                Ok(opened) => return Ok(opened),
                Err(failed) if !failed.error.is_refusal() => return Err(vec![failed]),
                Err(failed) => return second.await.map_err(|other| vec![failed, other]),
            },
            () = silence(&ahead) => {}
        }
        if self.target.namespace == "/" {
            // An open alone already connects the root of a 2.x server: the two must not overlap.
            drop(first);
            let closed = self.silent(DEFAULT_PATHS[0]);
            return second.await.map_err(|other| vec![closed, other]);
        }
        let mut second = Box::pin(second);
        tokio::select! {
            done = &mut first => match done {
                Ok(opened) => Ok(opened),
                Err(failed) => second.await.map_err(|other| vec![failed, other]),
            },
            done = &mut second => match done {
                Ok(opened) => Ok(opened),
                Err(other) => first.await.map_err(|failed| vec![failed, other]),
            },
        }
    }

    fn silent(&self, path: &str) -> Attempt {
        let message = "the server was silent; closed before the next path was tried";
        self.failed(path, TransportError::new(Step::Upgrade, message))
    }

    /// Tries one path. A server of revision 3 alone answers `EIO=4` with HTTP 400, so the same path is asked again.
    async fn attempt(
        &self,
        path: &str,
        asked: Option<Revision>,
        progress: &Progress,
    ) -> Result<Opened, Attempt> {
        let error = match self.ask(path, asked, progress).await {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let error = match (asked, error.status) {
            (None, Some(400)) => match self.ask(path, Some(Revision::V3), progress).await {
                Ok(opened) => return Ok(opened),
                Err(again) => TransportError {
                    message: format!("{} (asked EIO=4); {} (asked EIO=3)", error.message, again.message),
                    ..again
                },
            },
            _ => error,
        };
        let failed = self.failed(path, error);
        self.log.write(
            Level::Debug,
            format_args!("{}: {} failed: {}", failed.url, failed.error.step.name(), failed.error.message),
        );
        Err(failed)
    }

    fn failed(&self, path: &str, error: TransportError) -> Attempt {
        Attempt { path: path.into(), url: self.url(path, None, true), transport: WEBSOCKET, error }
    }

    async fn ask(
        &self,
        path: &str,
        asked: Option<Revision>,
        progress: &Progress,
    ) -> Result<Opened, TransportError> {
        let work = self.connect_and_read(path, asked, progress);
        match timeout_at(self.deadline, work).await {
            Ok(done) => done,
            Err(_) => {
                let limit = self.target.connect_timeout.as_millis();
                let message = format!("no answer within the connect timeout of {limit} ms");
                Err(TransportError::new(progress.step(), message))
            }
        }
    }

    async fn connect_and_read(
        &self,
        path: &str,
        asked: Option<Revision>,
        progress: &Progress,
    ) -> Result<Opened, TransportError> {
        let target = self.target;
        let request = self.request(path, asked, false);
        let mut socket =
            transport::connect(self.dialer, &request, target.max_message_bytes, progress).await?;
        progress.reach(Step::Open);
        let handshake = match read_open(&mut socket).await {
            Ok(handshake) => handshake,
            Err(message) => {
                // Says goodbye where the other side still listens; its answer does not matter.
                let _ = socket.close(None).await;
                let hint = match self.target.revision {
                    // A 4.x server without support for revision 3 answers with raw HTTP behind its 101.
                    Some(Revision::V3) => "; the option \"protocol\" asks for 3, which a server of Socket.IO 3 or later may refuse so",
                    _ => "",
                };
                return Err(TransportError::new(Step::Open, format!("{message}{hint}")));
            }
        };
        Ok(Opened { socket, handshake, path: path.into(), url: self.url(path, asked, true), revision: asked })
    }

    fn url(&self, path: &str, asked: Option<Revision>, masked: bool) -> String {
        self.endpoint().websocket_url(&self.request(path, asked, masked))
    }

    /// Path and query of the request.
    fn request(&self, path: &str, asked: Option<Revision>, masked: bool) -> String {
        let target = self.target;
        let slash = if target.trailing_slash && !path.ends_with('/') { "/" } else { "" };
        let revision = asked.unwrap_or(Revision::V4).number();
        let mut request = format!("{path}{slash}?EIO={revision}&transport={WEBSOCKET}");
        if let Some(name) = &target.timestamp {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            request.push_str(&format!("&{name}={:x}", now.as_millis()));
        }
        if !target.query.is_empty() {
            request.push('&');
            request.push_str(&if masked { mask(&target.query) } else { target.query.clone() });
        }
        request
    }
}

/// Replaces the values of a query.
fn mask(query: &str) -> String {
    let masked: Vec<String> =
        query.split('&').map(|pair| format!("{}=***", pair.split('=').next().unwrap_or_default())).collect();
    masked.join("&")
}

async fn silence(progress: &Progress) {
    let connect_took = progress.until_asked().await;
    sleep(SILENCE.max(connect_took * SILENCE_IN_CONNECTS)).await;
}

/// Reads the first frame, which has to be an open packet.
async fn read_open(socket: &mut WebSocket) -> Result<Handshake, String> {
    let text = loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => break text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(frame))) => {
                return Err(format!("{} instead of sending an open packet", close_text(frame.as_ref())))
            }
            None => return Err("the server closed the connection instead of sending an open packet".into()),
            Some(Ok(_)) => {
                return Err("the server's first frame is no Engine.IO open packet but binary".into())
            }
            Some(Err(error)) => {
                let (_, text) = loss_of(&error);
                return Err(format!("no Engine.IO open packet came: {text}"));
            }
        }
    };
    match engineio::decode(&text) {
        Ok(Packet::Open(data)) => Handshake::parse(data).map_err(|error| error.to_string()),
        _ => Err(format!(
            "the server's first frame is no Engine.IO open packet; it starts with {:?}",
            start(&text)
        )),
    }
}

fn start(text: &str) -> String {
    text.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_masked() {
        assert_eq!(mask("token=secret&userId=111&x"), "token=***&userId=***&x=***");
    }
}
