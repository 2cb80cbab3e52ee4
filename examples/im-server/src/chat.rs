//! The namespace `/chat`: coming in, being kicked out, presence.

use std::collections::HashMap;
use std::future::Future;

use serde_json::{json, Value};
use socketioxide::extract::{AckSender, SocketRef, TryData};

use crate::app::{App, Counts, Shared};
use crate::auth;
use crate::conversations;
use crate::envelope::{self, success, Event, Refusal};
use crate::messages;
use crate::presence::{Connection, Device};

/// One event from a client who has been let in.
pub struct Incoming {
    pub app: Shared,
    pub user: String,
    pub socket: SocketRef,
    /// The first argument; null if there was none.
    pub data: Value,
    pub ack: AckSender,
}

impl Incoming {
    pub fn answer(&self, event: Event, payload: Value) {
        self.app.emit(&self.socket, event, &success(event, payload));
    }

    pub fn refuse(&self, refusal: Refusal) {
        self.app.refuse(&self.socket, refusal);
    }

    /// A field of the argument, if it is a text that is not empty.
    pub fn text(&self, field: &str) -> Result<&str, Refusal> {
        match self.data.get(field).and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(Refusal::ParameterAbsent),
        }
    }
}

pub async fn connected(app: Shared, socket: SocketRef) {
    let query = auth::query(&socket);
    let (user, device) = match admit(&app, &query) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            Counts::watch(&app, &socket, |_, _| ());
            return app.refuse_and_disconnect(&socket, refusal);
        }
    };
    app.log(format_args!("/chat {}: {user} on {device:?}", socket.id));
    let departing = user.clone();
    Counts::watch(&app, &socket, move |app, socket| {
        app.log(format_args!("/chat {}: {departing} left", socket.id));
        if app.presence.depart(socket.id) {
            announce(app, "offline", &departing);
        }
    });
    listen(&app, &user, &socket);

    let replaced = app.presence.arrive(Connection { user: user.clone(), device, socket });
    if let Some(old) = replaced {
        app.refuse_and_disconnect(&old.socket, Refusal::OtherDevice);
    }
    announce(&app, "online", &user);
}

fn admit(app: &App, query: &HashMap<String, String>) -> Result<(String, Device), Refusal> {
    let token = auth::parameter(query, "token")?;
    let user = auth::parameter(query, "userId")?;
    let device = match auth::parameter(query, "deviceType") {
        Err(refusal) if app.config.require_device_type => return Err(refusal),
        Err(_) => Device::Desktop,
        Ok(text) => Device::from_device_type(text),
    };
    auth::check_token(app, token, user)?;
    Ok((user.to_owned(), device))
}

fn announce(app: &App, kind: &str, user: &str) {
    let payload = json!({"type": kind, "current": user, "clients": app.presence.users()});
    let envelope = success(envelope::ONLINE, payload);
    for connection in app.presence.all() {
        app.emit(&connection.socket, envelope::ONLINE, &envelope);
    }
}

fn listen(app: &Shared, user: &str, socket: &SocketRef) {
    let on = Listener { app, user, socket };
    on.event(envelope::TO, messages::to);
    on.event(envelope::MESSAGE_ACK, messages::receipt);
    on.event(envelope::TO_READED, messages::read);
    on.event(envelope::TO_TYPING, messages::typing);
    on.event(envelope::TO_UNDO, messages::recall);
    on.event(envelope::OFFLINE_MESSAGE, conversations::offline);
    on.event(envelope::READED_MESSAGE, conversations::missed_reads);
    on.event(envelope::HISTORY_MESSAGE, conversations::history);
    on.event(envelope::RECENT_CONVERSATION, conversations::recent);
}

struct Listener<'a> {
    app: &'a Shared,
    user: &'a str,
    socket: &'a SocketRef,
}

impl Listener<'_> {
    fn event<F, Fut>(&self, event: Event, handler: F)
    where
        F: FnOnce(Incoming) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        // The closure must not hold the socket: the socket holds the closure.
        let (app, user) = (self.app.clone(), self.user.to_owned());
        self.socket.on(event.wire, move |socket: SocketRef, TryData::<Value>(data), ack: AckSender| {
            handler(Incoming { app, user, socket, data: data.unwrap_or(Value::Null), ack })
        });
    }
}
