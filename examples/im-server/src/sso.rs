//! The namespace `/sso`: a PC waits here for the phone that scans its QR code.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use serde_json::{json, Value};
use socketioxide::extract::{SocketRef, TryData};

use crate::app::{disconnect, App, Counts, Shared};
use crate::auth;
use crate::envelope::{success, with_code, QRLOGIN};
use crate::store::Record;

/// The sockets that wait for a login, by device id.
#[derive(Default)]
pub struct Devices {
    waiting: Mutex<HashMap<String, Vec<SocketRef>>>,
}

impl Devices {
    fn waiting(&self) -> MutexGuard<'_, HashMap<String, Vec<SocketRef>>> {
        self.waiting.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    fn add(&self, device_id: &str, socket: SocketRef) {
        let mut waiting = self.waiting();
        waiting.entry(device_id.to_owned()).or_default().push(socket);
    }

    fn remove(&self, device_id: &str, socket: &SocketRef) {
        let mut waiting = self.waiting();
        if let Some(sockets) = waiting.get_mut(device_id) {
            sockets.retain(|other| other.id != socket.id);
            if sockets.is_empty() {
                waiting.remove(device_id);
            }
        }
    }

    fn of(&self, device_id: &str) -> Vec<SocketRef> {
        self.waiting().get(device_id).cloned().unwrap_or_default()
    }
}

pub async fn connected(app: Shared, socket: SocketRef) {
    let query = auth::query(&socket);
    let device_id = match auth::parameter(&query, "device_id") {
        Ok(device_id) => device_id.to_owned(),
        Err(refusal) => {
            Counts::watch(&app, &socket, |_, _| ());
            return app.refuse_and_disconnect(&socket, refusal);
        }
    };
    app.log(format_args!("/sso {}: device {device_id:?}", socket.id));
    let device = device_id.clone();
    Counts::watch(&app, &socket, move |app, socket| {
        app.devices.remove(&device, socket);
    });
    app.devices.add(&device_id, socket.clone());

    let answering = app.clone();
    socket.on(QRLOGIN.wire, async move |socket: SocketRef, TryData::<Value>(data)| {
        if data.is_ok_and(|data| data == "ping") {
            answering.emit(&socket, QRLOGIN, &success(QRLOGIN, json!("pong")));
        }
    });

    let timeout = app.config.sso_timeout;
    tokio::spawn(async move {
        tokio::time::sleep(timeout).await;
        if socket.connected() {
            app.log(format_args!("/sso {}: timed out", socket.id));
            disconnect(&socket);
        }
    });
}

#[derive(Debug)]
pub enum LoginError {
    UnknownDevice,
    NotStored(String),
}

/// What the phone's confirmation does. The token, or none if the login is to fail.
pub async fn qr_login(
    app: &App,
    device_id: &str,
    user: &str,
    fail: bool,
) -> Result<Option<String>, LoginError> {
    if app.devices.of(device_id).is_empty() {
        return Err(LoginError::UnknownDevice);
    }
    let (token, envelope) = if fail {
        (None, with_code(QRLOGIN, 1, json!({})))
    } else {
        let token = auth::new_token();
        let record = Record::Token { token: token.clone(), user: user.to_owned() };
        app.store.record(record).await.map_err(LoginError::NotStored)?;
        let envelope = success(QRLOGIN, json!({"token": token}));
        (Some(token), envelope)
    };
    for socket in app.devices.of(device_id) {
        app.emit(&socket, QRLOGIN, &envelope);
    }
    Ok(token)
}
