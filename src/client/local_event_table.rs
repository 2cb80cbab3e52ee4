// The connection's own events: name, and what their one JSON argument is. The build script reads this file too.

/// `(name, meaning)`
pub const LOCAL_EVENTS: [(&str, &str); 13] = [
    ("connect", "connected: {\"sid\", \"protocol\": 3 or 4, \"transport\", \"path\", \"recovered\"}."),
    (
        "connect_error",
        "an attempt failed: {\"message\", \"willRetry\", \"attempts\": [{\"path\", \"url\", \"transport\", \"step\", \"status\"?, \"message\"}], \"data\"? (the server's refusal), \"code\"? (an im_error that came with it)}.",
    ),
    ("upgrade", "the connection goes on over another transport: {\"transport\"}."),
    ("disconnect", "the connection is gone: {\"reason\", \"description\"?, \"code\"?, \"willReconnect\"}."),
    ("error", "a 2.x server refused the namespace or reports an error: what it said, as JSON."),
    ("reconnect_attempt", "an attempt after a loss or a failed attempt begins: {\"attempt\"}."),
    ("reconnect", "connected again: {\"attempt\"}."),
    ("reconnect_error", "that attempt failed: as connect_error, with \"attempt\"."),
    ("reconnect_failed", "no attempt is left: {\"attempts\"}."),
    ("ping", "a heartbeat: the server's ping (3.x and later), or its answer to ours (2.x): {\"latencyMs\"?}. The library's own comes only where somebody subscribes to it by its name."),
    (
        "outbox",
        "the outcome of a message that an earlier client left in the store: {\"fp\", \"status\": an im_status, \"message\": as it was sent, \"reply\"?: the argument of the to_ack or im_error}.",
    ),
    ("query", "a request (option askQuery): the query of the next connection, which waits for im_client_answer: {\"attempt\"}, 0 for the first."),
    ("auth", "a request (option askAuth): the same for the auth: {\"attempt\"}."),
];
