//! The one table of options: the parser, the hints for a misspelled name and the README's table come from it.
//!
//! Known are the library's own and all of socket.io-client 2.5 and 4.8.

/// What the library does with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Type and default, for the documentation.
    Built(&'static str, &'static str),
    /// Has no meaning outside a browser or Node.js: accepted, and logged once.
    Meaningless,
    /// Known, but not built yet.
    NotBuilt,
}

use Support::{Built, Meaningless, NotBuilt};

/// `(name, support, meaning)`
pub const OPTIONS: [(&str, Support, &str); 66] = [
    ("root", Built("string", "required"), "The server: scheme (`http`, `https`, `ws`, `wss`), host and port; no path."),
    ("nsp", Built("string", "required"), "The namespace: `chat`, `sso`, `/` or any other, with or without its slash."),
    ("query", Built("object", "{}"), "Goes into the URL: `token`, `userId`, `device_id`, `deviceType` ...; values are strings, numbers or booleans. In `chat`, `deviceType` is `desktop` unless it is given."),
    ("auth", Built("object", "none"), "Goes into the CONNECT packet (Socket.IO 3 and later read it)."),
    ("path", Built("string", "`/ws`, then `/socket.io`"), "The HTTP path of the server's endpoint. By default both are tried and the one that works is remembered."),
    ("addTrailingSlash", Built("boolean", "true"), "Asks for `{path}/`, as the official clients do."),
    ("protocol", Built("`\"auto\"`, 3 or 4", "`\"auto\"`"), "The Engine.IO revision: 3 for Socket.IO 2.x servers, 4 for 3.x and 4.x. `auto` finds it out."),
    ("transports", Built("list", "`[\"websocket\"]`"), "The transports; WebSocket is the one that is built."),
    ("autoConnect", Built("boolean", "true"), "Connects by itself; else with `im_client_open`."),
    ("timeout", Built("milliseconds", "20000"), "For a whole connection attempt: lookup, TCP, TLS, upgrade, open packet, CONNECT."),
    ("reconnection", Built("boolean", "true"), "Connects again after a loss or a failed attempt."),
    ("reconnectionAttempts", Built("number or null", "without end"), "So many attempts, then `reconnect_failed`; 0 is none (the JavaScript client reads it as without end)."),
    ("reconnectionDelay", Built("milliseconds", "1000"), "Before the first attempt; it doubles each time."),
    ("reconnectionDelayMax", Built("milliseconds", "5000"), "The longest delay."),
    ("randomizationFactor", Built("0 to 1", "0.5"), "Spreads the delays, so that the clients of a restarted server do not come all at once."),
    ("ackTimeout", Built("milliseconds", "none"), "For calls with an acknowledgement that name no timeout."),
    ("timestampRequests", Built("boolean", "false"), "Adds a parameter that makes every URL another."),
    ("timestampParam", Built("string", "`t`"), "The name of that parameter."),
    ("eventNames", Built("`\"wire\"` or `\"constant\"`", "`\"wire\"`"), "`constant`: IM events go out by their constants (`CHAT_TO`), for a server that was built on those."),
    ("pullOnConnect", Built("boolean", "true"), "In `chat`, asks for offline messages and read receipts at every connect."),
    ("receipts", Built("boolean", "true"), "In `chat`, sends a receipt for every message after its last callback has returned."),
    ("messageTimeout", Built("milliseconds or null", "600000"), "For `im_client_send_message` calls that name no timeout, counted from the call, also while offline and across restarts with a `store`. null: never, so that a message which the server drops silently holds up those behind it for ever."),
    ("inFlight", Built("1 to 1000", "1"), "So many messages of `im_client_send_message` are on their way at a time. With more than one, an `im_error` 20003 can't be told to be about one of them."),
    ("store", Built("string", "none"), "A file in which messages of `im_client_send_message` and what was delivered survive the process; made where it is missing. Each server, namespace and `userId` (which must be in `query`) has its own part. Clients of one process may share a file, processes may not."),
    ("dedupe", Built("boolean", "true"), "In `chat`, a message (`type` 1 to 3, by `from`, `to` and `fp`) that comes again is receipted and not delivered again; of the newest 10,000."),
    ("delivery", Built("`\"callback\"`", "`\"callback\"`"), "Events come to callbacks on a thread of the library. (`manual` is not built yet.)"),
    ("sendQueueBytes", Built("bytes", "8388608"), "Bound of what waits to be sent; beyond it an emit fails with `IM_ERROR_QUEUE_FULL`."),
    ("receiveQueueBytes", Built("bytes", "8388608"), "Bound of what waits for callbacks; beyond it reading pauses."),
    ("maxPauseMs", Built("milliseconds", "60000"), "After so long a pause the client disconnects with `receive queue full`."),
    ("maxMessageBytes", Built("bytes", "16777216"), "A larger message ends the connection with an error that says so."),
    ("forceNew", NotBuilt, ""),
    ("multiplex", NotBuilt, ""),
    ("upgrade", NotBuilt, ""),
    ("rememberUpgrade", NotBuilt, ""),
    ("tryAllTransports", NotBuilt, ""),
    ("transportOptions", NotBuilt, ""),
    ("forceBase64", NotBuilt, ""),
    ("requestTimeout", NotBuilt, ""),
    ("retries", NotBuilt, ""),
    ("parser", NotBuilt, ""),
    ("extraHeaders", NotBuilt, ""),
    ("perMessageDeflate", NotBuilt, ""),
    ("protocols", NotBuilt, ""),
    ("localAddress", NotBuilt, ""),
    ("pfx", NotBuilt, ""),
    ("key", NotBuilt, ""),
    ("passphrase", NotBuilt, ""),
    ("cert", NotBuilt, ""),
    ("ca", NotBuilt, ""),
    ("ciphers", NotBuilt, ""),
    ("rejectUnauthorized", NotBuilt, ""),
    ("agent", Meaningless, ""),
    ("withCredentials", Meaningless, ""),
    ("closeOnBeforeunload", Meaningless, ""),
    ("autoUnref", Meaningless, ""),
    ("useNativeTimers", Meaningless, ""),
    ("forceNode", Meaningless, ""),
    ("forceJSONP", Meaningless, ""),
    ("jsonp", Meaningless, ""),
    ("enablesXDR", Meaningless, ""),
    ("policyPort", Meaningless, ""),
    ("onlyBinaryUpgrades", Meaningless, ""),
    ("policyUri", Meaningless, ""),
    ("isReactNative", Meaningless, ""),
    ("nativeXHR", Meaningless, ""),
    ("loose", Meaningless, ""),
];

/// What is known of an option.
pub fn support_of(name: &str) -> Option<Support> {
    OPTIONS.iter().find(|(known, _, _)| *known == name).map(|(_, support, _)| *support)
}

/// A longer name is none of ours with a slip in it.
const LONGEST_MISSPELLING: usize = 64;

/// The known option that is nearest to a misspelled one, unless none is near.
pub fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > LONGEST_MISSPELLING {
        return None;
    }
    let wanted = name.to_lowercase();
    OPTIONS
        .iter()
        .map(|(known, _, _)| (distance(&wanted, &known.to_lowercase()), *known))
        .filter(|(distance, known)| *distance <= known.len() / 3 + 1)
        .min()
        .map(|(_, known)| known)
}

/// How many characters have to be added, removed or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        for (wrong, right) in [
            ("rooot", "root"),
            ("namespace", ""),
            ("reconnectionattempts", "reconnectionAttempts"),
            ("autoconnect", "autoConnect"),
            ("recievequeuebytes", "receiveQueueBytes"),
        ] {
            assert_eq!(nearest(wrong).unwrap_or_default(), right, "{wrong}");
        }
    }

    #[test]
    fn every_option_stands_once() {
        for (at, (name, _, _)) in OPTIONS.iter().enumerate() {
            assert!(OPTIONS[at + 1..].iter().all(|(other, _, _)| other != name), "{name}");
        }
    }
}
