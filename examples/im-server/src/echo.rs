//! The user `echo`: somebody to talk to where nobody else is. Answers every direct message with its content.

use serde_json::json;

use crate::app::App;
use crate::envelope::now_ms;
use crate::messages::deliver;
use crate::store::{Message, ONE_TO_ONE};

const USER: &str = "echo";

pub async fn answer(app: &App, question: &Message) {
    if question.text("to") != USER || question.text("from") == USER || question.number("typeu") != ONE_TO_ONE
    {
        return;
    }
    let author = question.text("from").to_owned();
    let mut body = question.body.clone();
    body.insert("from".into(), json!(USER));
    body.insert("to".into(), json!(author));
    body.insert("fp".into(), json!(format!("{USER}-{}", question.text("_id"))));
    body.insert("time".into(), json!(now_ms()));
    match app.store.add_message(body, vec![author]).await {
        Ok(message) => deliver(app, None, &message),
        Err(error) => app.log(format_args!("no echo, it could not be stored: {error}")),
    }
}
