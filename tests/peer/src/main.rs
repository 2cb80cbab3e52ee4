//! `peer ROOT NAMESPACE`: the Socket.IO client of the crate `rust_socketio` behind lines of JSON, for the interop tests.
//!
//! ROOT may have a query. A line `["event", argument..]` on standard input is emitted; every event that comes in is such a
//! line on standard output, the first one `["connect"]` as soon as the server has accepted the namespace. Ends with its input.

use std::io::{BufRead, Write};

use rust_socketio::{
    client::{Client, ClientBuilder},
    Event, Payload, TransportType,
};
use serde_json::Value;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(root), Some(namespace)) = (arguments.next(), arguments.next()) else {
        return Err("usage: peer ROOT NAMESPACE".into());
    };
    let client = connect(&root, &namespace)?;
    for line in std::io::stdin().lock().lines() {
        emit(&client, &line?)?;
    }
    client.disconnect()?;
    Ok(())
}

fn connect(root: &str, namespace: &str) -> Result<Client, Failure> {
    let client = ClientBuilder::new(root)
        .namespace(namespace)
        .transport_type(TransportType::Websocket)
        .reconnect(false)
        .on(Event::Connect, |_, _| say("connect", Vec::new()))
        .on(Event::Error, |error, _| eprintln!("peer: {error:?}"))
        .on_any(|event, payload, _| say(event.as_str(), values(payload)))
        .connect()?;
    Ok(client)
}

fn emit(client: &Client, line: &str) -> Result<(), Failure> {
    let mut values: Vec<Value> = serde_json::from_str(line)?;
    let name = values.remove(0);
    let name = name.as_str().ok_or("an event needs a name")?;
    client.emit(name, values)?;
    Ok(())
}

fn values(payload: Payload) -> Vec<Value> {
    match payload {
        Payload::Text(values) => values,
        Payload::Binary(bytes) => vec![bytes.len().into()],
        #[allow(deprecated)]
        Payload::String(text) => vec![text.into()],
    }
}

/// Whole lines, from whatever thread.
fn say(event: &str, values: Vec<Value>) {
    let line = Value::from_iter(std::iter::once(Value::from(event)).chain(values));
    let mut stdout = std::io::stdout().lock();
    // A test that does not listen any more has ended.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
