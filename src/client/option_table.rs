//! The one table of options: the parser, the hints for a misspelled name and the table of the documentation come from it.
//!
//! Known are the library's own and all of socket.io-client 2.5 and 4.8.

/// What the library does with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Type and default, for the documentation.
    Built(&'static str, &'static str),
    /// Has no meaning outside a browser or Node.js: accepted, and logged once.
    Meaningless,
    /// Known, and not to be built, for this reason; it says what to do instead.
    Refused(&'static str),
}

use Support::{Built, Meaningless, Refused};

/// `(name, support, meaning)`
pub const OPTIONS: [(&str, Support, &str); 72] = [
    ("root", Built("string", "required"), "The server: scheme (`http`, `https`, `ws`, `wss`), host and port; no path."),
    ("nsp", Built("string", "required"), "The namespace: `chat`, `sso`, `/` or any other, with or without its slash."),
    ("query", Built("object", "{}"), "Goes into the URL: `token`, `userId`, `device_id`, `deviceType` ...; values are strings, numbers or booleans. In `chat`, `deviceType` is `desktop` unless it is given."),
    ("auth", Built("object", "none"), "Goes into the CONNECT packet (Socket.IO 3 and later read it)."),
    ("askAuth", Built("boolean", "false"), "Asks for the auth before each connection: a request event `auth` that `im_client_answer` answers."),
    ("askQuery", Built("boolean", "false"), "The same for the query, by a request event `query`."),
    ("path", Built("string", "`/ws`, then `/socket.io`"), "The HTTP path of the server's endpoint. By default both are tried and the one that works is remembered."),
    ("addTrailingSlash", Built("boolean", "true"), "Asks for `{path}/`, as the official clients do."),
    ("protocol", Built("`\"auto\"`, 3 or 4", "`\"auto\"`"), "The Engine.IO revision: 3 for Socket.IO 2.x servers, 4 for 3.x and 4.x. `auto` finds it out."),
    ("transports", Built("list", "`[\"websocket\", \"polling\"]`"), "The transports, in the order in which they are tried."),
    ("tryAllTransports", Built("boolean", "true"), "Tries the next transport where one does not get through. (The JavaScript client: false.)"),
    ("upgrade", Built("boolean", "true"), "Upgrades a long-polling connection to WebSocket, where `transports` has it and the server offers it."),
    ("rememberUpgrade", Built("boolean", "false"), "After an upgrade the next connection starts with WebSocket."),
    ("requestTimeout", Built("milliseconds", "none"), "For each HTTP request of long-polling."),
    ("multiplex", Built("boolean", "false"), "Shares one connection with other clients of this process that ask for it too: other namespaces, the same query and the same options about the connection. (The JavaScript client: true. Here a client whose queue is full would stop the others, so it has to be asked for.) Not with `parser: \"msgpack\"`."),
    ("forceNew", Built("boolean", "false"), "A connection of its own all the same."),
    ("autoConnect", Built("boolean", "true"), "Connects by itself; else with `im_client_open`."),
    ("timeout", Built("milliseconds", "20000"), "For a whole connection attempt: lookup, TCP, proxy, TLS, upgrade, open packet, CONNECT."),
    ("reconnection", Built("boolean", "true"), "Connects again after a loss or a failed attempt."),
    ("reconnectionAttempts", Built("number or null", "without end"), "So many attempts, then `reconnect_failed`; 0 is none (the JavaScript client reads it as without end)."),
    ("reconnectionDelay", Built("milliseconds", "1000"), "Before the first attempt; it doubles each time."),
    ("reconnectionDelayMax", Built("milliseconds", "5000"), "The longest delay."),
    ("randomizationFactor", Built("0 to 1", "0.5"), "Spreads the delays, so that the clients of a restarted server do not come all at once."),
    ("ackTimeout", Built("milliseconds", "none"), "For calls with an acknowledgement that name no timeout."),
    ("timestampRequests", Built("boolean", "long-polling only"), "Adds a parameter that makes every URL another."),
    ("retries", Built("number", "0"), "Beyond 0, what is emitted (not volatile) goes out one at a time, each when the one before it was acknowledged, and again after `ackTimeout` (which it needs) or a lost connection, so many times; with acknowledgement or not. The server may see one twice."),
    ("timestampParam", Built("string", "`t`"), "The name of that parameter."),
    ("eventNames", Built("`\"wire\"` or `\"constant\"`", "`\"wire\"`"), "`constant`: IM events go out by their constants (`CHAT_TO`), for a server that was built on those."),
    ("pullOnConnect", Built("boolean", "true"), "In `chat`, asks for offline messages and read receipts at every connect."),
    ("receipts", Built("boolean", "true"), "In `chat`, sends a receipt for every message after its last callback has returned."),
    ("delivery", Built("`\"callback\"` or `\"manual\"`", "`\"callback\"`"), "`callback`: a thread of the library calls. `manual`: nothing is called but from `im_client_dispatch`; `im_client_poll` takes events."),
    ("messageTimeout", Built("milliseconds or null", "600000"), "For `im_client_send_message` calls that name no timeout, counted from the call, also while offline and across restarts with a `store`. null: never, so that a message which the server drops silently holds up those behind it for ever."),
    ("inFlight", Built("1 to 1000", "1"), "So many messages of `im_client_send_message` are on their way at a time. With more than one, an `im_error` 20003 can't be told to be about one of them."),
    ("store", Built("string", "none"), "A file in which messages of `im_client_send_message` and what was delivered survive the process; made where it is missing. Each server, namespace and `userId` (which must be in `query`) has its own part. Clients of one process may share a file, processes may not."),
    ("dedupe", Built("boolean", "true"), "In `chat`, a message (`type` 1 to 3, by `from`, `to` and `fp`) that comes again is receipted and not delivered again; of the newest 10,000. A copy for other devices (`meta.sync`) of what this client's own outbox sent is one."),
    ("sendQueueBytes", Built("bytes", "8388608"), "Bound of what waits to be sent; beyond it an emit fails with `IM_ERROR_QUEUE_FULL`."),
    ("receiveQueueBytes", Built("bytes", "8388608"), "Bound of what waits for callbacks; beyond it reading pauses."),
    ("maxPauseMs", Built("milliseconds", "60000"), "After so long a pause the client disconnects with `receive queue full`."),
    ("maxMessageBytes", Built("bytes", "16777216"), "A larger message ends the connection with an error that says so."),
    ("extraHeaders", Built("object", "{}"), "Headers of every request: strings. `Host` may be among them, `Cookie` too; the upgrade's own (`Connection`, `Sec-WebSocket-...`) may not."),
    ("transportOptions", Built("object", "{}"), "`{\"websocket\": {\"extraHeaders\"}, \"polling\": {\"extraHeaders\"}}`: the headers of one transport, in place of `extraHeaders`."),
    ("protocols", Built("string or list", "none"), "WebSocket subprotocols to ask for; the server has to choose one."),
    ("proxy", Built("URL, `\"none\"` or false", "the environment's"), "`http`, `https`, `socks5` (names are looked up here) or `socks5h` (by the proxy): `http://user:password@host:port`."),
    ("localAddress", Built("IP address", "the system's choice"), "The address of this machine that connections come from."),
    ("ca", Built("PEM or list", "the system's"), "The authorities that may sign the server's certificate, in place of the system's; or that certificate itself, where it is self-signed."),
    ("caFile", Built("path", "none"), "The same from a file, beside those in `ca`; read when the client is made."),
    ("cert", Built("PEM or list", "none"), "The client's certificate with its chain, for servers that ask for one."),
    ("key", Built("PEM", "none"), "The private key of `cert` (PKCS #8, PKCS #1 or SEC 1, not encrypted)."),
    ("servername", Built("string", "the host of `root`"), "The name that is sent to the server (SNI) and that its certificate must have."),
    ("pinnedPublicKeys", Built("string or list", "none"), "`sha256/` and the base64 of the SHA-256 of a public key (SubjectPublicKeyInfo): the server's must be one of them, beside being trusted."),
    ("rejectUnauthorized", Built("boolean", "true"), "`false`: the server's certificate is **not verified** (pins still are); every connection logs an error that says so."),
    ("parser", Built("`\"default\"` or `\"msgpack\"`", "`\"default\"`"), "How packets are written. `msgpack` is for servers with `socket.io-msgpack-parser` (its version 3 for Socket.IO 3 and 4, its version 2 for 2.x)."),
    ("perMessageDeflate", Refused("tungstenite, which the WebSockets are made with, has no compression (docs/concepts/connections.md, \"Compression\"); leave it out, or say false"), ""),
    ("passphrase", Refused("decrypting keys would take 26 more crates; \"openssl pkey -in key.pem\" prints the key decrypted, for the option \"key\""), ""),
    ("pfx", Refused("no small crate reads PKCS #12; \"openssl pkcs12 -in client.pfx -nodes\" prints what the options \"cert\" and \"key\" take"), ""),
    ("ciphers", Refused("rustls has only suites of TLS 1.2 and 1.3 without known weaknesses, and none to choose by OpenSSL's names"), ""),
    ("agent", Meaningless, ""),
    ("forceBase64", Meaningless, ""),
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
    let length = wanted.chars().count();
    OPTIONS
        .iter()
        .map(|(known, _, _)| *known)
        // So much longer or shorter it is farther away, whatever its letters.
        .filter(|known| known.len().abs_diff(length) <= farthest(known))
        .map(|known| (distance(&wanted, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= farthest(known))
        .min()
        .map(|(_, known)| known)
}

/// How far a misspelling may be from the name that is meant.
fn farthest(known: &str) -> usize {
    known.len() / 3 + 1
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
