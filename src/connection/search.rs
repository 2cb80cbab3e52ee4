//! Which transport, and what is known of a server: opens a connection up to its open packet.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    attempts::Attempts,
    owner::Attempt,
    target::{Credentials, Paths, Target, DEFAULT_PATHS},
};
use crate::{
    engineio::{Handshake, Revision},
    log::Log,
    transport::{Dialer, Endpoint, Socket, Step, TransportError, POLLING, WEBSOCKET},
};

/// An Engine.IO server answers a handshake at once. Where the first transport failed already, silence of this length says
/// that there is none: over long-polling a wrong path is often never answered.
const FALLBACK: Duration = Duration::from_secs(5);

/// So long no upgrade is tried where the last one died: some proxies let a WebSocket begin and then pass nothing on.
const NO_UPGRADE: Duration = Duration::from_secs(600);

/// What is known of a root: the path that worked, the revision that had to be asked for, and the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub path: String,
    pub asked: Option<Revision>,
    transport: &'static str,
    /// A long-polling session was upgraded to WebSocket.
    upgraded: bool,
    /// The WebSocket of an upgrade died before anything came over it.
    upgrade_died: Option<Instant>,
}

impl Known {
    fn new(path: String, asked: Option<Revision>, transport: &'static str) -> Self {
        Known { path, asked, transport, upgraded: transport == WEBSOCKET, upgrade_died: None }
    }
}

/// A root, and the path where the caller gave one.
type Place = (Endpoint, Option<String>);

/// What worked, for all clients of the process.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<Place, Known>>);

impl Memory {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Long-polling was upgraded: WebSocket works after all, or only seemed to.
    pub fn upgraded(&self, target: &Target, works: bool) {
        if let Some(known) = self.lock().get_mut(&place(target)) {
            known.upgraded = works;
            known.upgrade_died = (!works).then(Instant::now);
        }
    }
}

fn place(target: &Target) -> Place {
    let path = match &target.paths {
        Paths::Given(path) => Some(path.clone()),
        Paths::Search => None,
    };
    (target.access.endpoint.clone(), path)
}

/// A connection whose open packet was read.
pub struct Opened {
    pub socket: Socket,
    pub handshake: Handshake,
    pub path: String,
    /// With the values of the query masked.
    pub url: String,
    /// The revision that the URL had to ask for, where that was not left open.
    pub asked: Option<Revision>,
}

pub struct Search<'a> {
    pub target: &'a Target,
    pub credentials: &'a Credentials,
    pub memory: &'a Memory,
    pub dialer: &'a Arc<Dialer>,
    pub log: &'a Log,
    pub deadline: Instant,
}

impl Search<'_> {
    /// Opens a connection by the first transport that gets there, or tells all attempts.
    pub async fn open(&self) -> Result<Opened, Vec<Attempt>> {
        let mut known = self.memory.lock().get(&place(self.target)).cloned();
        let order = self.order(known.as_ref());
        let mut attempts = Vec::new();
        for (index, transport) in order.iter().enumerate() {
            let one = Attempts {
                upgrades: self.upgrades(known.as_ref()),
                ..self.attempts(transport, order.len(), index)
            };
            let failed = match one.open(known.as_ref()).await {
                Ok(opened) => {
                    self.keep(&opened);
                    return Ok(opened);
                }
                Err(failed) => failed,
            };
            // A server that is not reached at all is not reached by another transport either.
            let forwarded = self.dialer.forwards_plain_requests();
            let hopeless = failed.iter().any(|failed| !failed.error.may_be_the_transports(forwarded));
            // Where an Engine.IO server answered, the path is found, whatever it thought of the transport.
            if let Some(right) = failed.iter().find(|failed| failed.error.by_engine) {
                known = Some(Known { upgraded: false, ..Known::new(right.path.clone(), None, transport) });
            }
            attempts.extend(failed);
            if hopeless {
                break;
            }
        }
        if attempts.iter().any(|failed| failed.error.is_refusal()) {
            self.memory.lock().remove(&place(self.target));
        }
        Err(attempts)
    }

    /// What to tell where another client was to open the shared connection and did not come to an end.
    pub fn nobody_opened_it(&self) -> Attempt {
        let one = self.attempts(self.target.transports[0], 1, 0);
        let message = "the connection that is shared (option \"multiplex\") was not open in time";
        let path = match &self.target.paths {
            Paths::Given(path) => path,
            Paths::Search => DEFAULT_PATHS[0],
        };
        one.failed(path, TransportError::new(Step::Open, message))
    }

    /// Each transport may take its share of the time that is left: one that hangs leaves enough for the next.
    fn attempts(&self, transport: &'static str, all: usize, index: usize) -> Attempts<'_> {
        let now = Instant::now();
        let limit = match all {
            1 => self.target.connect_timeout,
            _ => {
                let left = u32::try_from(all - index).unwrap_or(1);
                let share = self.deadline.saturating_duration_since(now) / left;
                if index == 0 {
                    share
                } else {
                    share.min(FALLBACK)
                }
            }
        };
        let Search { target, credentials, dialer, log, .. } = self;
        Attempts {
            target,
            credentials,
            dialer,
            log,
            transport,
            upgrades: true,
            limit,
            deadline: self.deadline.min(now + limit),
        }
    }

    /// The transports in the order in which they are tried.
    fn order(&self, known: Option<&Known>) -> Vec<&'static str> {
        let Target { transports, try_all, remember_upgrade, .. } = self.target;
        let mut order = transports.clone();
        let first = match known {
            Some(known) if known.upgraded && *remember_upgrade => Some(WEBSOCKET),
            // Where WebSocket did not get through, the upgrade tries it again without keeping anybody waiting.
            Some(Known { transport: POLLING, .. }) if *try_all && self.target.upgrades() => Some(POLLING),
            _ => None,
        };
        if let Some(at) = first.and_then(|first| order.iter().position(|name| *name == first)) {
            order[..=at].rotate_right(1);
        }
        if !try_all {
            order.truncate(1);
        }
        order
    }

    fn upgrades(&self, known: Option<&Known>) -> bool {
        let died = known.and_then(|known| known.upgrade_died);
        self.target.upgrades() && died.is_none_or(|at| at.elapsed() >= NO_UPGRADE)
    }

    fn keep(&self, opened: &Opened) {
        let mut all = self.memory.lock();
        let mut known = Known::new(opened.path.clone(), opened.asked, opened.socket.transport());
        if let Some(before) = all.get(&place(self.target)) {
            known.upgraded |= before.upgraded;
            known.upgrade_died = before.upgrade_died;
        }
        all.insert(place(self.target), known);
    }
}
