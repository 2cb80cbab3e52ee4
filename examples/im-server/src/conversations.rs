//! What a client asks for: what it missed, and what was said before.

use serde_json::{json, Value};

use crate::chat::Incoming;
use crate::envelope::{self, Refusal};
use crate::store::{Conversation, Message, Record, State, GROUP, ONE_TO_ONE};

const DEFAULT_LIMIT: u64 = 10;
const MAX_LIMIT: u64 = 100;

/// They stay undelivered until their receipt comes.
pub async fn offline(incoming: Incoming) {
    let messages: Vec<Value> = {
        let state = incoming.app.store.state();
        let waiting = state.undelivered_to(&incoming.user);
        waiting.map(Message::json).collect()
    };
    incoming.answer(envelope::OFFLINE_MESSAGE, json!(messages));
}

/// Asked as `readed_message`, answered as `to_reader`.
pub async fn missed_reads(incoming: Incoming) {
    let (ids, receipts): (Vec<String>, Vec<Value>) = {
        let state = incoming.app.store.state();
        let missed = state.unannounced_reads_of(&incoming.user);
        missed.map(|message| (message.text("_id").to_owned(), message.read_receipt())).unzip()
    };
    incoming.answer(envelope::TO_READED, json!(receipts));
    if ids.is_empty() {
        return;
    }
    if let Err(error) = incoming.app.store.record(Record::ReadsAnnounced { ids }).await {
        incoming.app.log(format_args!("not stored: {error}"));
    }
}

pub async fn history(incoming: Incoming) {
    let result = page(&incoming);
    match result {
        Ok(messages) => incoming.answer(envelope::HISTORY_MESSAGE, json!(messages)),
        Err(refusal) => incoming.refuse(refusal),
    }
}

fn page(incoming: &Incoming) -> Result<Vec<Value>, Refusal> {
    let timeline = incoming.text("timelineId")?;
    let typeu = incoming.data.get("typeu").and_then(Value::as_i64);
    let typeu = typeu.ok_or(Refusal::ParameterAbsent)?;
    let state = incoming.app.store.state();
    let conversation = conversation(&state, &incoming.user, timeline, typeu).ok_or(Refusal::AuthFailed)?;
    let before = incoming.data.get("messageId").and_then(Value::as_str);
    let limit = incoming.data.get("limit").and_then(Value::as_u64);
    let limit = limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT) as usize;
    let messages = state.history(&conversation, before.filter(|id| !id.is_empty()));
    Ok(messages.take(limit).map(Message::json).collect())
}

/// The conversation of a `timelineId` (`from@to`), if it is one of the user's own.
fn conversation(state: &State, user: &str, timeline: &str, typeu: i64) -> Option<Conversation> {
    match typeu {
        ONE_TO_ONE => {
            let with_at = |rest: &str| rest.strip_prefix('@').map(str::to_owned);
            let sent = timeline.strip_prefix(user).and_then(with_at);
            let received = timeline.strip_suffix(user);
            let received = received.and_then(|rest| rest.strip_suffix('@').map(str::to_owned));
            let other = sent.or(received)?;
            Some(Conversation::between(user, &other))
        }
        GROUP => {
            // Ids may hold an `@` themselves, e.g. mail addresses.
            let ends = timeline.match_indices('@').map(|(at, _)| &timeline[at + 1..]);
            let mut groups = std::iter::once(timeline).chain(ends);
            let group = groups.find(|group| state.is_member(group, user))?;
            Some(Conversation::Group(group.to_owned()))
        }
        _ => None,
    }
}

/// `[{timelineId, typeu, with, unread, message}]`, newest first; `with` is the other user or the group.
pub async fn recent(incoming: Incoming) {
    let conversations: Vec<Value> = {
        let state = incoming.app.store.state();
        let user = &incoming.user;
        let found = state.conversations_of(user).into_iter();
        found
            .map(|(conversation, newest)| {
                let with = match conversation {
                    Conversation::Group(group) => group,
                    Conversation::Pair(one, other) if one == user => other,
                    Conversation::Pair(one, _) => one,
                };
                json!({
                    "timelineId": newest.text("timelineId"),
                    "typeu": newest.number("typeu"),
                    "with": with,
                    "unread": state.unread(conversation, user),
                    "message": newest.json(),
                })
            })
            .collect()
    };
    incoming.answer(envelope::RECENT_CONVERSATION, json!(conversations));
}
