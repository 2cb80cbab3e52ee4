//! The life of a connection's task: wait until the caller wants a connection, connect, drive, and try again.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{sleep_until, timeout_at, Instant};

use super::{
    backoff::{random, Backoff},
    carrier::Way,
    drive::{Connection, End},
    link::{Link, State, Wish},
    owner::{Attempt, ConnectFailure, Connected, Loss, Owner, Reason},
    search::{Memory, Search},
    shared::{Hub, Key},
    target::{Credentials, Target},
    writing::GOODBYE,
};
use crate::{
    engineio::Revision,
    log::{Level, Log},
    socketio::{Parser, Recovery},
    transport::{Dialer, Step, TlsCache, TransportError},
};

/// What all connections of the process share.
#[derive(Clone)]
pub struct Surroundings {
    pub memory: Arc<Memory>,
    pub tls: Arc<TlsCache>,
    pub log: Arc<Log>,
    /// The connections that clients share.
    pub hub: Arc<Hub>,
}

/// Runs until the client is destroyed.
pub fn run(
    target: Arc<Target>,
    link: Arc<Link>,
    owner: Arc<dyn Owner>,
    surroundings: Surroundings,
) -> impl Future<Output = ()> + Send {
    let Surroundings { tls, log, .. } = &surroundings;
    let dialer = Arc::new(Dialer::new(target.access.clone(), tls.clone(), log.clone()));
    let task = Task { target, dialer, link, owner, surroundings, recovery: Mutex::default() };
    // An async function would keep its arguments beside the task.
    async move { task.run().await }
}

struct Task {
    target: Arc<Target>,
    dialer: Arc<Dialer>,
    link: Arc<Link>,
    owner: Arc<dyn Owner>,
    surroundings: Surroundings,
    recovery: Mutex<Option<Recovery>>,
}

/// An attempt is not begun anew before it is so old, where the network changes under it: such news come in swarms.
const YOUNG: Duration = Duration::from_secs(2);

/// What ends a wait.
enum Interrupt {
    Closed,
    /// The network changed, or the app came back: what was tried before says nothing.
    Changed,
}

/// What follows a connection, or an attempt.
#[derive(PartialEq, Eq)]
enum Next {
    Again,
    /// The link died unnoticed: there is nothing to wait for.
    AtOnce,
    /// With the wish as it was before the caller was told.
    Stop(Wish),
}

impl Task {
    async fn run(&self) {
        loop {
            let wish = self.link.wish();
            if wish.end {
                break;
            }
            if wish.open {
                self.stay_connected(wish).await;
                self.link.idle();
            } else {
                // A caller may have opened and closed before this looked.
                self.link.idle();
                self.link.woken().await;
            }
        }
        self.dialer.farewells().wait(GOODBYE).await;
        self.owner.on_end();
    }

    /// Connects, and again after every loss, until the caller closes or nothing more is to be tried.
    async fn stay_connected(&self, wish: Wish) {
        let mut backoff = Backoff::new(self.target.reconnection.clone());
        loop {
            let checks = self.link.checks();
            self.link.set_state(State::Connecting);
            self.owner.on_connecting(backoff.attempts);
            // Connecting takes more memory than a connection: given back before the connection lives.
            let connecting = Box::pin(self.connect(wish, backoff.attempts));
            let connected = tokio::select! {
                done = connecting => done,
                interrupt = self.interrupt(wish, checks) => match interrupt {
                    Interrupt::Closed => return,
                    // It was begun on a network that is gone.
                    Interrupt::Changed => continue,
                },
            };
            let (next, checks) = match connected {
                Ok((connection, connected)) => {
                    self.on_connected(connected, &mut backoff);
                    self.live(connection, &backoff).await
                }
                // The handshake itself may see the close first.
                Err(_) if self.link.wish().closes != wish.closes => return,
                Err(failure) => (self.on_failure(failure, &backoff), checks),
            };
            if let Next::Stop(before) = next {
                // A caller that closed meanwhile has decided the rest already.
                if before.closes == wish.closes {
                    self.link.rest(before);
                }
                return;
            }
            self.link.set_state(State::Reconnecting);
            let mut delay = backoff.next(random());
            if next == Next::AtOnce {
                delay = Duration::ZERO;
            }
            self.log(Level::Info, format_args!("next attempt in {} ms", delay.as_millis()));
            match self.wait(delay, wish, checks).await {
                Some(Interrupt::Closed) => return,
                Some(Interrupt::Changed) => backoff.hurry(),
                None => {}
            }
        }
    }

    /// Waits until the caller closes, or the network changes under an attempt that takes long already. `checks` are those that
    /// are no news.
    async fn interrupt(&self, wish: Wish, checks: u64) -> Interrupt {
        let started = Instant::now();
        loop {
            if self.link.wish().closes != wish.closes {
                return Interrupt::Closed;
            }
            let changed = self.link.checks() != checks;
            tokio::select! {
                () = sleep_until(started + YOUNG), if changed => return Interrupt::Changed,
                () = self.link.woken() => {}
            }
        }
    }

    /// Waits for the next attempt; in the background there is none until the app comes back. `checks` were there before the
    /// caller was told of the loss: whoever answers that with news of the network does not wait.
    async fn wait(&self, delay: Duration, wish: Wish, checks: u64) -> Option<Interrupt> {
        let due = Instant::now() + delay;
        loop {
            let hidden = self.link.is_in_background();
            if self.link.wish().closes != wish.closes {
                return Some(Interrupt::Closed);
            }
            if self.link.checks() != checks && !hidden {
                return Some(Interrupt::Changed);
            }
            tokio::select! {
                () = sleep_until(due), if !hidden => return None,
                () = self.link.woken() => {}
            }
        }
    }

    fn log(&self, level: Level, line: std::fmt::Arguments<'_>) {
        let namespace = &self.target.namespace;
        self.surroundings
            .log
            .write(level, format_args!("{}{namespace}: {line}", self.dialer.endpoint().authority()));
    }

    /// Opens a connection and joins the namespace, within the connect timeout.
    async fn connect(
        &self,
        wish: Wish,
        attempt: u64,
    ) -> Result<(Box<Connection<'_>>, Connected), ConnectFailure> {
        let deadline = Instant::now() + self.target.connect_timeout;
        let credentials = timeout_at(deadline, self.owner.credentials(attempt)).await;
        let credentials = credentials.map_err(|_| self.unanswered())?;
        let way = self.open(&credentials, deadline).await.map_err(|attempts| failure(attempts, None))?;
        let (path, url, max_payload) = (way.path.clone(), way.url.clone(), way.handshake.max_payload);
        let recovery = self.recovery().clone();
        let pid = recovery.as_ref().map(|recovery| recovery.pid.clone());
        let identity = (credentials, recovery);
        let connection = Connection::new(way, &self.target, identity, &self.link, &*self.owner, wish);
        let mut connection = Box::new(connection);
        let transport = connection.transport();
        let failed = |why: &str| self.namespace_failed(path.clone(), url.clone(), transport, why);
        let joined = timeout_at(deadline, connection.handshake()).await;
        if let Ok(Err(end)) = &joined {
            self.note_upgrade(&connection, end);
        }
        let why = match joined {
            Ok(Ok(socket_id)) => {
                let recovery = connection.session().recovery();
                let recovered = pid.is_some() && recovery.map(|now| &now.pid) == pid.as_ref();
                let revision = connection.session().revision().unwrap_or(Revision::V4);
                let connected = Connected {
                    socket_id,
                    revision,
                    path,
                    transport: connection.transport(),
                    url,
                    recovered,
                    max_payload,
                    attempts: 0,
                };
                return Ok((connection, connected));
            }
            Ok(Err(End::Refused(data))) => {
                connection.goodbye().await;
                return Err(failure(vec![failed("the server refused it")], Some(data)));
            }
            Ok(Err(End::Lost(loss))) => match loss.description.as_str() {
                "" => loss.reason.text().to_owned(),
                description => format!("{}: {description}", loss.reason.text()),
            },
            Ok(Err(End::Closed)) => "closed by the caller".to_owned(),
            Err(_) => {
                let limit = self.target.connect_timeout.as_millis();
                format!("no answer to the CONNECT within the connect timeout of {limit} ms")
            }
        };
        connection.deliver_early();
        Err(failure(vec![failed(&why)], None))
    }

    /// Opens a connection, or joins one that others use already.
    async fn open(&self, credentials: &Credentials, deadline: Instant) -> Result<Way, Vec<Attempt>> {
        let Surroundings { memory, log, hub, .. } = &self.surroundings;
        let search =
            Search { target: &self.target, credentials, memory, dialer: &self.dialer, log, deadline };
        let Some(options) = &self.target.shared_by else { return search.open().await.map(Way::from) };
        let key = Key { options: options.clone(), query: credentials.query.clone() };
        let joining = hub.join(&key, &self.target.namespace, || search.open());
        timeout_at(deadline, joining).await.unwrap_or_else(|_| Err(vec![search.nobody_opened_it()]))
    }

    /// Remembers what became of an upgrade from long-polling.
    fn note_upgrade(&self, connection: &Connection<'_>, end: &End) {
        match (connection.upgraded(), end) {
            (Some(true), _) => self.surroundings.memory.upgraded(&self.target, true),
            (Some(false), End::Lost(_)) => self.surroundings.memory.upgraded(&self.target, false),
            _ => {}
        }
    }

    fn unanswered(&self) -> ConnectFailure {
        let limit = self.target.connect_timeout.as_millis();
        let message = format!(
            "nobody answered the request event (options \"askQuery\", \"askAuth\") within {limit} ms (option \"timeout\")"
        );
        ConnectFailure { message, ..failure(Vec::new(), None) }
    }

    /// What the last connection left for connection state recovery.
    fn recovery(&self) -> MutexGuard<'_, Option<Recovery>> {
        self.recovery.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn namespace_failed(&self, path: String, url: String, transport: &'static str, what: &str) -> Attempt {
        // A 4.x server closes on a packet of the other parser, without a word.
        let hint = match self.target.parser {
            Parser::Msgpack => {
                "; the option \"parser\" is \"msgpack\": the server has to use that parser too"
            }
            Parser::Default => "",
        };
        let message = format!("joining the namespace {:?} failed: {what}{hint}", self.target.namespace);
        Attempt { path, url, transport, error: TransportError::new(Step::Namespace, message) }
    }

    /// Tells of a failed attempt and whether another follows. A refusal of the namespace is final.
    fn on_failure(&self, mut failure: ConnectFailure, backoff: &Backoff) -> Next {
        failure.attempt = backoff.attempts;
        let (allowed, refused) = (backoff.allows(), failure.refusal.is_some());
        failure.will_retry = allowed && !refused;
        self.log(Level::Warn, format_args!("{}", failure.message));
        let before = self.link.wish();
        if self.owner.on_connect_failure(failure) {
            return Next::Again;
        }
        if !allowed && !refused && self.target.reconnection.enabled {
            self.owner.on_reconnect_failed(backoff.attempts);
        }
        Next::Stop(before)
    }

    fn on_connected(&self, mut connected: Connected, backoff: &mut Backoff) {
        connected.attempts = backoff.attempts;
        backoff.reset();
        self.log(
            Level::Info,
            format_args!("connected by {} (EIO={})", connected.url, connected.revision.number()),
        );
        self.owner.on_connected(connected);
    }

    /// Lives with a connection to its end; gives also the checks that it has seen.
    async fn live(&self, mut connection: Box<Connection<'_>>, backoff: &Backoff) -> (Next, u64) {
        let end = connection.drive().await;
        self.link.close_shortcut();
        let checks = connection.checks();
        *self.recovery() = connection.session().recovery().cloned();
        self.note_upgrade(&connection, &end);
        self.link.set_state(State::Disconnected);
        let loss = match end {
            End::Lost(loss) => loss,
            End::Refused(_) | End::Closed => {
                Loss { reason: Reason::ClientDisconnect, description: String::new() }
            }
        };
        let by_server = loss.reason == Reason::ServerDisconnect;
        let by_caller = loss.reason == Reason::ClientDisconnect;
        let queue_full = loss.reason == Reason::ReceiveQueueFull;
        self.log(Level::Info, format_args!("disconnected: {} {}", loss.reason.text(), loss.description));
        // A link that stopped answering gets no goodbye.
        let dead =
            matches!(loss.reason, Reason::PingTimeout | Reason::TransportError | Reason::TransportClose);
        let wanted = !by_server && !by_caller && self.target.reconnection.enabled;
        let may_retry = wanted && backoff.allows();
        let next = if connection.failed_check() { Next::AtOnce } else { Next::Again };
        let before = self.link.wish();
        let retry = self.owner.on_lost(loss, may_retry);
        if wanted && !may_retry {
            self.owner.on_reconnect_failed(backoff.attempts);
        }
        // Answers to this connection's questions, and what was not to wait.
        self.link.drop_where(|frame| frame.connection.is_some() || frame.volatile);
        match dead {
            true => {
                drop(connection);
                self.link.all_written();
            }
            false => Box::pin(connection.goodbye()).await,
        }
        if !retry {
            return (Next::Stop(before), checks);
        }
        if queue_full {
            self.link.set_state(State::Reconnecting);
            self.until_room(before).await;
        }
        (next, checks)
    }

    /// After a full queue the connection comes back when the caller has worked off half of it.
    async fn until_room(&self, wish: Wish) {
        while !self.owner.has_room() && self.link.wish().closes == wish.closes {
            self.link.woken().await;
        }
    }
}

fn failure(attempts: Vec<Attempt>, refusal: Option<String>) -> ConnectFailure {
    let parts: Vec<String> = attempts
        .iter()
        .map(|a| format!("{} ({}): {}", a.path, a.error.step.name(), a.error.message))
        .collect();
    let message = match &refusal {
        Some(data) => refusal_text(data),
        None => parts.join("; "),
    };
    ConnectFailure { message, attempts, refusal, will_retry: false, attempt: 0 }
}

/// The text of a refusal: a string, or the `message` of an object.
fn refusal_text(data: &str) -> String {
    match serde_json::from_str(data) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(value) => value["message"].as_str().unwrap_or(data).to_owned(),
        Err(_) => data.to_owned(),
    }
}
