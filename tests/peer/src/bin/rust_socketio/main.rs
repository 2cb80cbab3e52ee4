//! The driver of the crate `rust_socketio`: `rust_socketio sync|async ROOT MEASURE N`, see benches/README.md.

mod asynchronous;
mod figures;
mod sync;

use std::time::Duration;

use rust_socketio::Payload;
use serde_json::Value;

const MESSAGE: &str = include_str!("../../../../../benches/drivers/message.json");
const PATIENCE: Duration = Duration::from_secs(600);
/// No further answer is expected after so long a silence.
const SILENCE: Duration = Duration::from_secs(2);

fn main() {
    let [way, root, measure, count] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .expect("rust_socketio sync|async ROOT MEASURE N");
    let count: usize = count.parse().expect("a number");
    match way.as_str() {
        "sync" => sync::measure(&root, &measure, count),
        "async" => asynchronous::measure(&root, &measure, count),
        other => panic!("{other}: neither sync nor async"),
    }
}

fn message() -> Value {
    serde_json::from_str(MESSAGE).expect("JSON")
}

fn values(payload: Payload) -> Vec<Value> {
    match payload {
        Payload::Text(values) => values,
        other => panic!("{other:?}"),
    }
}

fn content_length(payload: Payload) -> usize {
    values(payload)[0]["data"]["payload"]["content"].as_str().map_or(0, str::len)
}

/// An answer's first argument.
fn answer(payload: Payload) -> Value {
    match values(payload).remove(0) {
        Value::Array(mut inner) => inner.remove(0),
        value => value,
    }
}
