//! One transport: which path, which generation; up to the open packet.
//!
//! The default paths race as the reference's callers and Socket.IO's both expect: `/ws` first, `/socket.io` at once when
//! that is refused, else after a silence.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout, timeout_at, Instant};

use super::{
    owner::Attempt,
    search::{Known, Opened},
    target::{Credentials, Paths, Target, DEFAULT_PATHS},
};
use crate::{
    engineio::{self, Handshake, Packet, Revision},
    log::{Level, Log},
    transport::{
        self, Address, Dialer, Frame, Polling, Progress, Socket, Step, Terms, TransportError, POLLING,
    },
};

/// Silence of this length after the request starts the second path; on a slow link it is four times the time that the TCP
/// connect took.
const SILENCE: Duration = Duration::from_millis(250);
const SILENCE_IN_CONNECTS: u32 = 4;
/// Where one path was refused, the other may be silent for so long: a path that nobody owns is often never answered.
const LAST_CHANCE: Duration = Duration::from_secs(3);
/// So long a server that sent no open packet may take to hear the goodbye.
const PARTING: Duration = Duration::from_millis(100);

pub struct Attempts<'a> {
    pub target: &'a Target,
    pub credentials: &'a Credentials,
    pub dialer: &'a Arc<Dialer>,
    pub log: &'a Log,
    pub transport: &'static str,
    /// Long-polling may be upgraded.
    pub upgrades: bool,
    /// For all of this transport's attempts.
    pub limit: Duration,
    pub deadline: Instant,
}

impl Attempts<'_> {
    /// Opens a connection, at the remembered path alone where there is one: only its refusal starts a new search.
    pub async fn open(&self, known: Option<&Known>) -> Result<Opened, Vec<Attempt>> {
        let progress = Progress::default();
        if let Paths::Given(path) = &self.target.paths {
            return self.attempt(path, self.target.revision, &progress).await.map_err(|failed| vec![failed]);
        }
        let Some(known) = known else { return Box::pin(self.race()).await };
        let asked = self.target.revision.or(known.asked);
        let failed = match self.attempt(&known.path, asked, &progress).await {
            Ok(opened) => return Ok(opened),
            Err(failed) if failed.is_final() => return Err(vec![failed]),
            Err(failed) => failed,
        };
        Box::pin(self.race()).await.map_err(|mut others| {
            others.retain(|other| other.path != failed.path);
            others.insert(0, failed);
            others
        })
    }

    /// Tries the two default paths. Two attempts take twice the memory: this is boxed, so that a client with a path goes without.
    async fn race(&self) -> Result<Opened, Vec<Attempt>> {
        let (ahead, behind) = (Progress::default(), Progress::default());
        let asked = self.target.revision;
        let mut first = Box::pin(self.attempt(DEFAULT_PATHS[0], asked, &ahead));
        let mut second = Box::pin(self.attempt(DEFAULT_PATHS[1], asked, &behind));
        tokio::select! {
            done = &mut first => match done {
                Ok(opened) => return Ok(opened),
                Err(failed) if failed.is_final() => return Err(vec![failed]),
                Err(failed) => return second.await.map_err(|other| vec![failed, other]),
            },
            () = silence(&ahead) => {}
        }
        if self.target.namespace == "/" {
            // An open alone already connects the root of a 2.x server: the two must not overlap.
            drop(first);
            let closed =
                self.silent(DEFAULT_PATHS[0], "the server was silent; closed before the next path was tried");
            return second.await.map_err(|other| vec![closed, other]);
        }
        tokio::select! {
            done = &mut first => match done {
                Ok(opened) => Ok(opened),
                Err(failed) if failed.is_final() => Err(vec![failed]),
                Err(failed) => match timeout(LAST_CHANCE, second).await {
                    Ok(done) => done.map_err(|other| vec![failed, other]),
                    Err(_) => Err(vec![failed, self.silent(DEFAULT_PATHS[1], "the server was silent")]),
                },
            },
            done = &mut second => match done {
                Ok(opened) => Ok(opened),
                Err(other) if other.is_final() => Err(vec![other]),
                Err(other) => match timeout(LAST_CHANCE, first).await {
                    Ok(done) => done.map_err(|failed| vec![failed, other]),
                    Err(_) => Err(vec![self.silent(DEFAULT_PATHS[0], "the server was silent"), other]),
                },
            },
        }
    }

    fn silent(&self, path: &str, message: &str) -> Attempt {
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
        let error = match (asked, error.step, error.status) {
            (None, Step::Upgrade, Some(400)) => match self.ask(path, Some(Revision::V3), progress).await {
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

    pub fn failed(&self, path: &str, mut error: TransportError) -> Attempt {
        // A 4.x server without support for revision 3 says so, or answers with raw HTTP behind its 101.
        if self.target.revision == Some(Revision::V3) && (error.by_engine || error.step == Step::Open) {
            error.message.push_str(
                "; the option \"protocol\" asks for 3, which a server of Socket.IO 3 or later may refuse so",
            );
        }
        let url = self.url(&self.address(path, None));
        Attempt { path: path.into(), url, transport: self.transport, error }
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
                let limit = self.limit.as_millis();
                Err(progress.failed(format!("no answer within {limit} ms (option \"timeout\")")))
            }
        }
    }

    async fn connect_and_read(
        &self,
        path: &str,
        asked: Option<Revision>,
        progress: &Progress,
    ) -> Result<Opened, TransportError> {
        let address = self.address(path, asked);
        let url = self.url(&address);
        let mut socket = self.connect(address, progress).await?;
        progress.reach(Step::Open);
        let handshake = match read_open(&mut socket).await {
            Ok(handshake) => handshake,
            Err(message) => {
                // Says goodbye where the other side still listens; its answer does not matter.
                let _ = timeout(PARTING, socket.close()).await;
                return Err(progress.failed(message));
            }
        };
        socket.begin(&handshake);
        Ok(Opened { socket, handshake, path: path.into(), url, asked })
    }

    async fn connect(&self, address: Address, progress: &Progress) -> Result<Socket, TransportError> {
        let max_message = self.target.max_message_bytes;
        if self.transport == POLLING {
            let Target { request_timeout, .. } = *self.target;
            let terms = Terms { address, max_message, upgrade: self.upgrades, request_timeout };
            return Ok(Socket::Polling(Box::new(Polling::connect(self.dialer, terms, progress).await?)));
        }
        let request = address.request(self.transport, None);
        let socket = transport::connect(self.dialer, &request, max_message, progress).await?;
        Ok(Socket::WebSocket(Box::new(socket)))
    }

    fn address(&self, path: &str, asked: Option<Revision>) -> Address {
        let target = self.target;
        let slash = if target.trailing_slash && !path.ends_with('/') { "/" } else { "" };
        Address {
            path: format!("{path}{slash}"),
            revision: asked.unwrap_or(Revision::V4),
            query: self.credentials.query.clone(),
            timestamps: target.timestamps.clone(),
        }
    }

    /// With the values of the query masked.
    fn url(&self, address: &Address) -> String {
        self.dialer.endpoint().url(self.transport, &address.masked(self.transport))
    }
}

impl Attempt {
    /// Another path would fare no better: the server is not reached, or it was an Engine.IO server that refused.
    fn is_final(&self) -> bool {
        !self.error.is_refusal() || self.error.by_engine
    }
}

async fn silence(progress: &Progress) {
    let connect_took = progress.until_asked().await;
    sleep(SILENCE.max(connect_took * SILENCE_IN_CONNECTS)).await;
}

/// Reads the first frame, which has to be an open packet.
async fn read_open(socket: &mut Socket) -> Result<Handshake, String> {
    let first = loop {
        match std::future::poll_fn(|cx| socket.poll_next(cx)).await {
            Ok(Frame::Alive) => {}
            other => break other,
        }
    };
    let text = match first {
        Ok(Frame::Text(text)) => text,
        Ok(_) => return Err("the server's first frame is no Engine.IO open packet but binary".into()),
        Err(lost) if lost.description.is_empty() => {
            return Err("the server closed the connection instead of sending an open packet".into())
        }
        Err(lost) => return Err(format!("no Engine.IO open packet came: {}", lost.description)),
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
