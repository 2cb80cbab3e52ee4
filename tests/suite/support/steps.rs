//! Steps that many tests take.

use serde_json::{json, Value};

use super::{outcome, Outcomes, TestClient};

/// Options with some more, or others.
pub fn with(mut options: Value, more: Value) -> Value {
    let more = more.as_object().expect("options are an object").clone();
    options.as_object_mut().expect("options are an object").extend(more);
    options
}

/// Asks the server for an echo and gets it: the connection works both ways.
pub fn works(client: &TestClient) {
    let outcomes = Outcomes::default();
    client.ask("echo", &json!({ "works": [1, "ä"] }), 0, &outcomes);
    assert_eq!(outcome(&outcomes), (0, Some(json!({ "works": [1, "ä"] }))));
}
