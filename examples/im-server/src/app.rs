//! What every part of the server shares.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{json, Value};
use socketioxide::extract::SocketRef;

use crate::connection::Transport;
use crate::envelope::{Event, Refusal, IM_ERROR};
use crate::presence::Presence;
use crate::sso::Devices;
use crate::store::Store;

/// After the server's DISCONNECT the client normally closes the transport; this long it may take.
const TRANSPORT_GRACE: Duration = Duration::from_millis(150);

#[derive(Clone, Debug)]
pub struct Config {
    pub host: String,
    /// 0: any free port.
    pub port: u16,
    /// The HTTP path of Socket.IO.
    pub path: String,
    pub data: Option<PathBuf>,
    pub sso_timeout: Duration,
    /// Tokens by user, besides those that a QR login issues.
    pub users: HashMap<String, String>,
    /// Accept issued tokens only.
    pub strict: bool,
    pub require_device_type: bool,
    pub quiet: bool,
    pub exit_with_stdin: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            host: "127.0.0.1".into(),
            port: 7001,
            path: "/ws".into(),
            data: None,
            sso_timeout: Duration::from_secs(60),
            users: HashMap::new(),
            strict: false,
            require_device_type: false,
            quiet: false,
            exit_with_stdin: false,
        }
    }
}

pub struct App {
    pub config: Config,
    pub store: Store,
    pub presence: Presence,
    pub devices: Devices,
    pub counts: Counts,
}

pub type Shared = Arc<App>;

impl App {
    pub fn new(config: Config, store: Store) -> Shared {
        Arc::new(App {
            config,
            store,
            presence: Presence::default(),
            devices: Devices::default(),
            counts: Counts::default(),
        })
    }

    pub fn log(&self, text: impl Display) {
        if !self.config.quiet {
            eprintln!("im-server: {text}");
        }
    }

    /// Sends an envelope. A socket that cannot take it is on its way out: what was for it stays undelivered.
    pub fn emit(&self, socket: &SocketRef, event: Event, envelope: &Value) {
        if let Err(error) = socket.emit(event.wire, envelope) {
            self.log(format_args!("{} to {}: {error}", event.wire, socket.id));
        }
    }

    pub fn refuse(&self, socket: &SocketRef, refusal: Refusal) {
        self.emit(socket, IM_ERROR, &refusal.envelope());
    }

    pub fn refuse_and_disconnect(&self, socket: &SocketRef, refusal: Refusal) {
        self.log(format_args!("{} {}: {} {}", socket.ns(), socket.id, refusal.code(), refusal.text()));
        self.refuse(socket, refusal);
        disconnect(socket);
    }
}

/// Leaves the namespace, then closes the transport, unless it serves another namespace.
pub fn disconnect(socket: &SocketRef) {
    // Fails only when the client has stopped reading; then closing the transport is all that can be done.
    let _ = socket.clone().disconnect();
    if let Some(transport) = socket.req_parts().extensions.get::<Transport>().cloned() {
        tokio::spawn(async move {
            tokio::time::sleep(TRANSPORT_GRACE).await;
            transport.close_if_unused();
        });
    }
}

/// Sockets per namespace, ever and now.
#[derive(Default)]
pub struct Counts {
    root: Count,
    sso: Count,
    chat: Count,
}

#[derive(Default)]
struct Count {
    ever: AtomicU64,
    now: AtomicU64,
}

impl Counts {
    fn of(&self, namespace: &str) -> &Count {
        match namespace {
            "/sso" => &self.sso,
            "/chat" => &self.chat,
            _ => &self.root,
        }
    }

    /// Counts the socket until it disconnects, calling `left` then.
    pub fn watch(
        app: &Shared,
        socket: &SocketRef,
        left: impl FnOnce(&App, &SocketRef) + Send + Sync + Clone + 'static,
    ) {
        let count = app.counts.of(socket.ns());
        count.ever.fetch_add(1, Ordering::Relaxed);
        count.now.fetch_add(1, Ordering::Relaxed);
        let transport = socket.req_parts().extensions.get::<Transport>().cloned();
        // A 2.x client is in the root namespace whether it wants to or not.
        let transport = transport.filter(|_| socket.ns() != "/");
        if let Some(transport) = &transport {
            transport.joined();
        }
        let app = app.clone();
        socket.on_disconnect(async move |socket: SocketRef| {
            app.counts.of(socket.ns()).now.fetch_sub(1, Ordering::Relaxed);
            if let Some(transport) = transport {
                transport.left();
            }
            left(&app, &socket);
        });
    }

    pub fn json(&self) -> Value {
        let all = [("/", &self.root), ("/sso", &self.sso), ("/chat", &self.chat)];
        let all: BTreeMap<_, _> = all
            .into_iter()
            .map(|(name, count)| {
                let ever = count.ever.load(Ordering::Relaxed);
                let now = count.now.load(Ordering::Relaxed);
                (name, json!({"ever": ever, "now": now}))
            })
            .collect();
        json!(all)
    }
}
