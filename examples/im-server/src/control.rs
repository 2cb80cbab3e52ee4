//! The HTTP endpoints next to Socket.IO: the phone's side of a QR login, groups, notices, and a look inside for tests.
//! Nobody is asked for a password here, which is why the server listens on loopback unless told otherwise.

use std::collections::BTreeSet;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{header, Method, Request, Response, StatusCode};
use serde_json::{json, Value};

use crate::app::App;
use crate::envelope::{self, success, Refusal};
use crate::sso::{self, LoginError};
use crate::store::Record;

type Answer = Result<Value, (StatusCode, String)>;

pub async fn handle(app: &App, request: &Request<Bytes>) -> Response<Full<Bytes>> {
    let answer = route(app, request.method(), request.uri().path(), request.body()).await;
    let (status, answer) = match answer {
        Ok(answer) => (StatusCode::OK, answer),
        Err((status, error)) => (status, json!({"error": error})),
    };
    let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

async fn route(app: &App, method: &Method, path: &str, body: &[u8]) -> Answer {
    match (method.as_str(), path) {
        ("GET", "/healthz") => Ok(json!({"ok": true})),
        ("GET", "/stats") => Ok(json!({"namespaces": app.counts.json(), "users": app.presence.users()})),
        ("GET", "/messages") => Ok(messages(app)),
        ("POST", "/phone/qrlogin") => qr_login(app, &object(body)?).await,
        ("POST", "/group") => group(app, &object(body)?).await,
        ("POST", "/sys") => system_notice(app, &object(body)?),
        ("POST", "/kick") => kick(app, &object(body)?),
        _ => Err((StatusCode::NOT_FOUND, format!("no {method} {path} here"))),
    }
}

fn object(body: &[u8]) -> Result<Value, (StatusCode, String)> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| bad(format!("the body is not JSON: {error}")))?;
    if !value.is_object() {
        return Err(bad("the body is not a JSON object".into()));
    }
    Ok(value)
}

fn bad(error: String) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, error)
}

fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, (StatusCode, String)> {
    let text = body.get(field).and_then(Value::as_str);
    let text = text.filter(|text| !text.is_empty());
    text.ok_or_else(|| bad(format!("\"{field}\" must be a text that is not empty")))
}

fn not_stored(error: String) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("not stored: {error}"))
}

async fn qr_login(app: &App, body: &Value) -> Answer {
    let device_id = text(body, "device_id")?;
    let user = text(body, "user_id")?;
    let fail = body.get("fail").and_then(Value::as_bool).unwrap_or(false);
    match sso::qr_login(app, device_id, user, fail).await {
        Ok(token) => Ok(json!({"token": token})),
        Err(LoginError::NotStored(error)) => Err(not_stored(error)),
        Err(LoginError::UnknownDevice) => {
            Err((StatusCode::NOT_FOUND, format!("no device {device_id:?} waits for a login")))
        }
    }
}

/// Answers with the members told, as they are now.
async fn group(app: &App, body: &Value) -> Answer {
    let group_id = text(body, "groupId")?.to_owned();
    let whoami = text(body, "whoami")?;
    let kind = text(body, "type")?;
    let old = app.store.state().members(&group_id).map(<[_]>::to_vec);
    if old.is_none() && kind != "create" {
        return Err((StatusCode::NOT_FOUND, format!("no group {group_id:?}")));
    }
    let mut told = old.unwrap_or_default();
    let (record, key, members) = match kind {
        "create" | "update" => {
            let members = members(body)?;
            let key = if kind == "create" { "result" } else { "updateResult" };
            told.extend(members.iter().cloned());
            let group_id = group_id.clone();
            (Record::Group { group_id, members: members.clone() }, key, members)
        }
        "destroy" => {
            let group_id = group_id.clone();
            (Record::GroupDestroyed { group_id }, "result", Vec::new())
        }
        other => return Err(bad(format!("\"type\" is create, update or destroy, not {other:?}"))),
    };
    app.store.record(record).await.map_err(not_stored)?;

    let result = json!({"groupId": group_id, "members": members});
    let payload = json!({"type": kind, "whoami": whoami, "groupId": group_id, key: result});
    let notice = success(envelope::GROUP_NOTICE, payload);
    for connection in app.presence.all() {
        if told.contains(&connection.user) {
            app.emit(&connection.socket, envelope::GROUP_NOTICE, &notice);
        }
    }
    Ok(result)
}

fn members(body: &Value) -> Result<Vec<String>, (StatusCode, String)> {
    let list = body.get("members").and_then(Value::as_array);
    let members: Option<Vec<String>> =
        list.and_then(|list| list.iter().map(|member| member.as_str().map(str::to_owned)).collect());
    members.ok_or_else(|| bad("\"members\" must be a list of user ids".into()))
}

fn system_notice(app: &App, body: &Value) -> Answer {
    let payload = body.get("payload").cloned();
    let payload = payload.ok_or_else(|| bad("\"payload\" is missing".into()))?;
    let connections = match body.get("to") {
        None | Some(Value::Null) => app.presence.all(),
        Some(_) => app.presence.of(text(body, "to")?),
    };
    let notice = success(envelope::SYSTEM_NOTICE, payload);
    for connection in &connections {
        app.emit(&connection.socket, envelope::SYSTEM_NOTICE, &notice);
    }
    Ok(json!({"sent": connections.len()}))
}

fn kick(app: &App, body: &Value) -> Answer {
    let connections = app.presence.of(text(body, "userId")?);
    for connection in &connections {
        app.refuse_and_disconnect(&connection.socket, Refusal::OtherDevice);
    }
    Ok(json!({"kicked": connections.len()}))
}

/// Each message as stored, with what became of it.
fn messages(app: &App) -> Value {
    let state = app.store.state();
    let messages = state.messages().map(|message| {
        let mut json = message.json();
        let everybody = |users: &BTreeSet<String>| message.recipients.iter().all(|user| users.contains(user));
        json["recipients"] = json!(message.recipients);
        json["delivered"] = json!(everybody(&message.delivered));
        json["deliveredTo"] = json!(message.delivered);
        json["readed"] = json!(everybody(&message.read));
        json["readBy"] = json!(message.read);
        json
    });
    messages.collect()
}
