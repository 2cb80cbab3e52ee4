//! Who may come in.

use std::collections::HashMap;

use socketioxide::extract::SocketRef;

use crate::app::App;
use crate::envelope::Refusal;

/// The query of the handshake URL. A 2.x client repeats it in its CONNECT packet; the URL alone counts here.
pub fn query(socket: &SocketRef) -> HashMap<String, String> {
    let query = socket.req_parts().uri.query().unwrap_or("");
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A parameter that is there and not empty.
pub fn parameter<'a>(query: &'a HashMap<String, String>, name: &str) -> Result<&'a str, Refusal> {
    let value = query.get(name).map_or("", String::as_str);
    if value.is_empty() {
        return Err(Refusal::ParameterAbsent);
    }
    Ok(value)
}

pub fn check_token(app: &App, token: &str, user: &str) -> Result<(), Refusal> {
    if token == "relogin" {
        return Err(Refusal::LogInAgain);
    }
    let accepted = if app.config.strict {
        let configured = app.config.users.get(user);
        configured.is_some_and(|own| own == token) || app.store.state().user_of_token(token) == Some(user)
    } else {
        !matches!(token, "bad" | "expired")
    };
    if accepted {
        Ok(())
    } else {
        Err(Refusal::AuthFailed)
    }
}

/// 32 letters and digits, hard to guess: a token opens somebody's messages even on a demo server.
pub fn new_token() -> String {
    use std::hash::{BuildHasher, RandomState};
    // `RandomState` is seeded by the operating system, each with its own key.
    let word = || RandomState::new().hash_one(fastrand::u64(..));
    format!("{:016x}{:016x}", word(), word())
}
