//! permessage-deflate is not built: a server that offers it is spoken to without, and the option says so.

use serde_json::{json, Value};

use crate::support::*;

#[test]
fn a_server_that_can_compress_is_spoken_to_without_compression() {
    for generation in [2, 4] {
        let server = socketio(generation, &["--per-message-deflate"]);
        let client = TestClient::new(json!({ "root": server.root(), "nsp": "chat", "path": "/socket.io" }));
        assert_eq!(client.wait("connect").json["transport"], "websocket");
        let long = "all the same ".repeat(10_000);
        let outcomes = Outcomes::default();
        client.ask("echo", &json!(long), 0, &outcomes);
        assert_eq!(outcome(&outcomes), (0, Some(Value::from(long))));
        assert_eq!(server.connections()[0]["deflate"], false, "{:?}", server.connections());
    }
}
