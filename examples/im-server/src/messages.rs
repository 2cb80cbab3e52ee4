//! What a client sends about messages: the message itself, receipts, typing, recall.

use serde_json::{json, Map, Value};
use socketioxide::extract::SocketRef;

use crate::app::App;
use crate::chat::Incoming;
use crate::echo;
use crate::envelope::{self, success, sync_copy, Refusal};
use crate::store::{Message, Record, State, GROUP, ONE_TO_ONE};

pub async fn to(incoming: Incoming) {
    match store_message(&incoming).await {
        Ok(Some(message)) => {
            let acknowledgement = success(envelope::TO_ACK, message.json());
            let Incoming { app, socket, ack, .. } = incoming;
            // Before the acknowledgement: a client that leaves once all it sent is stored has the answers, too.
            echo::answer(&app, &message).await;
            app.emit(&socket, envelope::TO_ACK, &acknowledgement);
            // Does nothing unless the client passed a function.
            let _ = ack.send(&acknowledgement);
            deliver(&app, Some(&socket), &message);
        }
        Ok(None) => (),
        Err(refusal) => {
            let envelope = refusal.envelope();
            incoming.app.emit(&incoming.socket, envelope::IM_ERROR, &envelope);
            let _ = incoming.ack.send(&envelope);
        }
    }
}

/// None: the message is dropped without a word.
async fn store_message(incoming: &Incoming) -> Result<Option<Message>, Refusal> {
    let Value::Object(body) = &incoming.data else {
        return Err(Refusal::ParameterAbsent);
    };
    let typeu = match body.get("typeu") {
        None | Some(Value::Null) => Some(ONE_TO_ONE),
        Some(typeu) => typeu.as_i64(),
    };
    let Some(typeu) = typeu.filter(|typeu| matches!(*typeu, ONE_TO_ONE | GROUP)) else {
        return Ok(None);
    };
    incoming.text("from")?;
    let to = incoming.text("to")?;
    let recipients = recipients(&incoming.app.store.state(), &incoming.user, to, typeu)?;

    let mut body: Map<String, Value> = body.clone();
    // Whatever the client claims, it speaks as the user it came in as.
    body.insert("from".into(), json!(incoming.user));
    body.insert("typeu".into(), json!(typeu));
    body.entry("type").or_insert(json!(1));
    body.entry("time").or_insert(json!(envelope::now_ms()));
    match incoming.app.store.add_message(body, recipients).await {
        Ok(message) => Ok(Some(message)),
        Err(error) => {
            incoming.app.log(format_args!("not stored: {error}"));
            Err(Refusal::SendFailed)
        }
    }
}

/// A message to oneself has none.
fn recipients(state: &State, from: &str, to: &str, typeu: i64) -> Result<Vec<String>, Refusal> {
    let mut recipients = if typeu == GROUP {
        if !state.is_member(to, from) {
            return Err(Refusal::SendFailed);
        }
        state.members(to).unwrap_or_default().to_vec()
    } else {
        vec![to.to_owned()]
    };
    recipients.retain(|recipient| recipient != from);
    Ok(recipients)
}

/// To the recipients' devices, and to the sender's others; a message to oneself goes nowhere.
pub fn deliver(app: &App, sender: Option<&SocketRef>, message: &Message) {
    if message.recipients.is_empty() {
        return;
    }
    let plain = success(envelope::MESSAGE, message.json());
    let copy = sync_copy(envelope::MESSAGE, message.json());
    for connection in app.presence.all() {
        if message.recipients.contains(&connection.user) {
            app.emit(&connection.socket, envelope::MESSAGE, &plain);
        } else if connection.user == message.text("from")
            && sender.is_none_or(|sender| sender.id != connection.socket.id)
        {
            app.emit(&connection.socket, envelope::MESSAGE, &copy);
        }
    }
}

/// "Delivered": a message, a list of them, or `{"data": [..]}`.
pub async fn receipt(incoming: Incoming) {
    let ids = received_ids(&incoming);
    match ids {
        Err(refusal) => incoming.refuse(refusal),
        Ok(ids) if ids.is_empty() => (),
        Ok(ids) => {
            let user = incoming.user.clone();
            record(&incoming, Record::Delivered { user, ids }).await;
        }
    }
}

/// "Read": the author is told now, or when asking with `readed_message`.
pub async fn read(incoming: Incoming) {
    let ids = match received_ids(&incoming) {
        Ok(ids) => ids,
        Err(refusal) => return incoming.refuse(refusal),
    };
    for id in ids {
        let author = {
            let state = incoming.app.store.state();
            let message = state.by_id(&id);
            message.map(|message| message.text("from").to_owned())
        };
        let Some(author) = author else { continue };
        let devices = incoming.app.presence.of(&author);
        let read = Record::Read {
            user: incoming.user.clone(),
            ids: vec![id.clone()],
            announced: !devices.is_empty(),
        };
        if !record(&incoming, read).await {
            return;
        }
        let receipt = {
            let state = incoming.app.store.state();
            json!([state.by_id(&id).map(Message::read_receipt)])
        };
        let envelope = success(envelope::TO_READED, receipt);
        for device in devices {
            incoming.app.emit(&device.socket, envelope::TO_READED, &envelope);
        }
    }
}

/// One to one only. Nothing is stored.
pub async fn typing(incoming: Incoming) {
    let to = match incoming.text("to") {
        Ok(to) => to,
        Err(refusal) => return incoming.refuse(refusal),
    };
    let typeu = incoming.data.get("typeu");
    if typeu.is_some_and(|typeu| typeu.as_i64() != Some(ONE_TO_ONE)) || to == incoming.user {
        return;
    }
    let from = &incoming.user;
    let payload = json!({"timelineId": format!("{from}@{to}"), "from": from});
    let envelope = success(envelope::TO_TYPING, payload);
    for device in incoming.app.presence.of(to) {
        incoming.app.emit(&device.socket, envelope::TO_TYPING, &envelope);
    }
}

/// Both sides get the message again, with the type of a recalled one.
pub async fn recall(incoming: Incoming) {
    let ids: Vec<String> = match incoming.text("fp") {
        Err(refusal) => return incoming.refuse(refusal),
        Ok(fp) => {
            let state = incoming.app.store.state();
            let own = state.by_fp(fp).filter(|message| message.text("from") == incoming.user);
            own.map(|message| message.text("_id").to_owned()).collect()
        }
    };
    if ids.is_empty() {
        return incoming.refuse(Refusal::SendFailed);
    }
    if !record(&incoming, Record::Recalled { ids: ids.clone() }).await {
        return;
    }
    for id in ids {
        let message = incoming.app.store.state().by_id(&id).cloned();
        let Some(message) = message else { continue };
        let plain = success(envelope::MESSAGE, message.json());
        incoming.app.emit(&incoming.socket, envelope::MESSAGE, &plain);
        deliver(&incoming.app, Some(&incoming.socket), &message);
    }
}

/// The ids in the argument that are messages to this user. Others are passed over: a receipt is not worth an error.
fn received_ids(incoming: &Incoming) -> Result<Vec<String>, Refusal> {
    let list = match &incoming.data {
        Value::Array(list) => list.as_slice(),
        Value::Object(object) => match object.get("data") {
            Some(Value::Array(list)) => list.as_slice(),
            _ => std::slice::from_ref(&incoming.data),
        },
        _ => return Err(Refusal::ParameterAbsent),
    };
    let state = incoming.app.store.state();
    let mut ids = Vec::new();
    for entry in list {
        let field = |name| entry.get(name).and_then(Value::as_str);
        let mine = |message: &&Message| message.recipients.contains(&incoming.user);
        match (field("_id"), field("fp")) {
            (Some(id), _) => ids.extend(state.by_id(id).filter(mine)),
            (None, Some(fp)) => ids.extend(state.by_fp(fp).filter(mine)),
            (None, None) => return Err(Refusal::ParameterAbsent),
        }
    }
    let id_of = |message: &Message| message.text("_id").to_owned();
    Ok(ids.into_iter().map(id_of).collect())
}

async fn record(incoming: &Incoming, record: Record) -> bool {
    let result = incoming.app.store.record(record).await;
    if let Err(error) = &result {
        incoming.app.log(format_args!("not stored: {error}"));
        incoming.refuse(Refusal::SendFailed);
    }
    result.is_ok()
}
