//! What a client identifies itself with: the query and the auth, set for the next connection or asked for before each.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{json, Map, Value};
use tokio::sync::oneshot;

use super::{
    client::Client, from_network::request_id, mailbox::Item, options::DEVICE_TYPE, Event, Failed, Status,
};
use crate::{
    connection::{Credentials, CredentialsFuture},
    im,
    json::fault,
    secret::{Secret, SecretJson},
    transport::encode_query,
};

/// What the caller is asked about before each connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    pub query: bool,
    pub auth: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Query,
    Auth,
}

impl Topic {
    /// The name of the request event.
    fn name(self) -> &'static str {
        match self {
            Topic::Query => "query",
            Topic::Auth => "auth",
        }
    }
}

/// Somebody waits for the answer.
type Question = (Topic, oneshot::Sender<()>);

#[derive(Default)]
struct State {
    now: Credentials,
    questions: HashMap<i64, Question>,
}

pub struct Keeper(Mutex<State>);

impl Keeper {
    pub fn new(now: Credentials) -> Self {
        Keeper(Mutex::new(State { now, questions: HashMap::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// The next connection sends this auth, a JSON object; none of it where that is none.
    pub fn set_auth(&self, auth: Option<&str>) -> Result<(), Failed> {
        let auth = match auth {
            None => None,
            Some(text) => Some(read_auth("the auth", &*value("the auth", text)?).map_err(misshapen)?),
        };
        self.credentials.lock().now.auth = auth;
        Ok(())
    }

    /// The next connection sends this query, a JSON object, in place of the one before.
    pub fn set_query(&self, query: &str) -> Result<(), Failed> {
        let query = self.new_query("the query", &*value("the query", query)?)?;
        self.credentials.lock().now.query = query;
        Ok(())
    }

    /// What a store holds is one user's, so that user stays.
    fn new_query(&self, what: &str, given: &Value) -> Result<Secret, Failed> {
        let options = self.options();
        if let Some(user) = &options.outbox.user {
            let another = given.get("userId").map(|user| query_value(what, "userId", user)).transpose();
            if another.map_err(misshapen)?.as_deref() != Some(user) {
                let message = format!(
                    "{what}: \"userId\" must stay as the client was made with it: the option \"store\" keeps that user's messages; another user needs another client"
                );
                return Err(Failed::new(Status::Option, message));
            }
        }
        read_query(what, given, &options.target.namespace).map_err(misshapen)
    }

    /// Answers a request event; JSON `null` leaves things as they are.
    pub fn answer(&self, request: i64, json: &str) -> Result<(), Failed> {
        let unknown = || {
            let message = format!("no request {request} of the library waits for an answer");
            Failed::new(Status::NotFound, message)
        };
        let given = value("the answer", json)?;
        let mut state = self.credentials.lock();
        let topic = state.questions.get(&request).ok_or_else(unknown)?.0;
        match (topic, &*given) {
            (_, Value::Null) => {}
            (Topic::Auth, given) => {
                state.now.auth = Some(read_auth("the answer", given).map_err(misshapen)?);
            }
            (Topic::Query, given) => {
                state.now.query = self.new_query("the answer", given)?;
            }
        }
        let (_, waiting) = state.questions.remove(&request).ok_or_else(unknown)?;
        // A connection attempt that ended meanwhile does not wait any more; what was set holds for the next.
        let _ = waiting.send(());
        Ok(())
    }

    /// What the next connection identifies itself with, once the caller has answered what he wants to be asked.
    pub(super) fn next_credentials(&self, attempt: u64) -> CredentialsFuture<'_> {
        let Asks { query, auth } = self.options().asks;
        let topics = [(query, Topic::Query), (auth, Topic::Auth)];
        let questions: Vec<_> =
            topics.iter().filter(|(wanted, _)| *wanted).map(|(_, topic)| self.ask(*topic, attempt)).collect();
        Box::pin(async move {
            for question in questions {
                question.answered().await;
            }
            self.credentials.lock().now.clone()
        })
    }

    fn ask(&self, topic: Topic, attempt: u64) -> Waiting<'_> {
        let id = request_id(self.requests().reserve());
        let (answer, waiting) = oneshot::channel();
        self.credentials.lock().questions.insert(id, (topic, answer));
        let json = json!({ "attempt": attempt }).to_string();
        self.queue(Item::Event(Event::request(self.handle(), id, topic.name(), &json)));
        Waiting { client: self, id, waiting }
    }
}

/// A question on its way; forgotten where the attempt that asked is given up.
struct Waiting<'a> {
    client: &'a Client,
    id: i64,
    waiting: oneshot::Receiver<()>,
}

impl Waiting<'_> {
    async fn answered(mut self) {
        // It is never dropped unanswered while this waits.
        let _ = (&mut self.waiting).await;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.client.credentials.lock().questions.remove(&self.id);
    }
}

fn value(what: &str, json: &str) -> Result<SecretJson, Failed> {
    SecretJson::parse(json).map_err(|error| misshapen(format!("{what} is no JSON: {}", fault(&error))))
}

/// What a call was given is not the JSON that it asks for.
fn misshapen(fault: String) -> Failed {
    Failed::new(Status::Json, fault)
}

/// Reads a query; `what` names it in errors. In `chat` the device type is added where it is missing.
pub fn read_query(what: &str, given: &Value, namespace: &str) -> Result<Secret, String> {
    let given = given.as_object().ok_or_else(|| format!("{what} must be an object"))?;
    let mut pairs = query_pairs(what, given)?;
    if namespace == im::CHAT && !given.contains_key(DEVICE_TYPE) {
        pairs.push((DEVICE_TYPE, "desktop".into()));
    }
    Ok(encode_query(pairs.iter().map(|(name, value)| (*name, &**value))))
}

fn query_pairs<'a>(what: &str, given: &'a Map<String, Value>) -> Result<Vec<(&'a str, Secret)>, String> {
    given.iter().map(|(name, value)| Ok((name.as_str(), query_value(what, name, value)?))).collect()
}

/// A value of a query, as it goes out; `what` names the query in errors.
pub fn query_value(what: &str, name: &str, value: &Value) -> Result<Secret, String> {
    match value {
        Value::String(text) => Ok(text.as_str().into()),
        Value::Number(_) | Value::Bool(_) => Ok(Secret::json(value)),
        _ => Err(format!("{what}: {name:?} must be a string, a number or a boolean")),
    }
}

/// Reads an auth, which goes into the CONNECT as it is.
pub fn read_auth(what: &str, given: &Value) -> Result<Secret, String> {
    match given {
        Value::Object(_) => Ok(Secret::json(given)),
        _ => Err(format!("{what} must be an object")),
    }
}
