//! The caller's options, checked: what is wrong is named.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};

use super::{
    credentials::{read_auth, read_query, Asks},
    option_table::{nearest, support_of, Support},
    outbox::OutboxOptions,
    Failed, Status,
};
use crate::{
    connection::{Credentials, Paths, Reconnection, Target},
    engineio::Revision,
    im::EventNames,
    json::fault,
    secret::{Secret, SecretJson},
    socketio::Parser,
    transport::{Timestamps, POLLING, WEBSOCKET},
};

/// The longest time that an option takes, in milliseconds: a week.
const LONGEST: u64 = 7 * 24 * 3600 * 1000;
/// Those that are tried where the caller names none.
const TRANSPORTS: &[&str] = if cfg!(feature = "polling") { &[WEBSOCKET, POLLING] } else { &[WEBSOCKET] };
pub(super) const DEVICE_TYPE: &str = "deviceType";

/// Options in which clients of one connection may differ. The query is compared when they connect: it may be renewed.
const OF_ONE_CLIENT: [&str; 31] = [
    "nsp",
    "query",
    "auth",
    "askAuth",
    "askQuery",
    "autoConnect",
    "reconnection",
    "reconnectionAttempts",
    "reconnectionDelay",
    "reconnectionDelayMax",
    "randomizationFactor",
    "ackTimeout",
    "retries",
    "eventNames",
    "pullOnConnect",
    "receipts",
    "delivery",
    "sendQueueBytes",
    "receiveQueueBytes",
    "maxPauseMs",
    "store",
    "inFlight",
    "messageTimeout",
    "dedupe",
    "multiplex",
    "forceNew",
    "agent",
    "withCredentials",
    "closeOnBeforeunload",
    "autoUnref",
    "useNativeTimers",
];

#[derive(Clone, Debug)]
pub struct Options {
    /// The connection's task has it too.
    pub target: Arc<Target>,
    pub credentials: Credentials,
    pub asks: Asks,
    pub auto_connect: bool,
    /// The caller's threads take what comes; the library calls nobody by itself.
    pub manual: bool,
    pub event_names: EventNames,
    pub pulls: bool,
    pub receipts: bool,
    pub send_queue_bytes: usize,
    pub receive_queue_bytes: usize,
    pub ack_timeout: Option<Duration>,
    /// How many more times than once what is emitted goes out until it is acknowledged; none where nothing is repeated.
    pub retries: u32,
    pub outbox: OutboxOptions,
    /// Given options that have no meaning here.
    pub ignored: Vec<String>,
}

impl Options {
    /// Reads the options' JSON.
    pub fn parse(json: &str) -> Result<Self, Failed> {
        let given = SecretJson::parse(json).map_err(|error| {
            Failed::new(Status::Json, format!("the options are no JSON: {}", fault(&error)))
        })?;
        let Value::Object(given) = &*given else {
            return Err(Failed::new(Status::Json, "the options must be a JSON object"));
        };
        let ignored = check_names(given)?;
        Reader(given).read(ignored)
    }
}

/// Every name has to be known; gives those that have no meaning here.
fn check_names(given: &Map<String, Value>) -> Result<Vec<String>, Failed> {
    let mut ignored = Vec::new();
    for (name, value) in given {
        match support_of(name) {
            Some(Support::Built(..)) => {}
            // Says no to what there is not.
            Some(Support::Refused(_)) if *value == Value::Bool(false) => {}
            Some(Support::Meaningless) => ignored.push(name.clone()),
            Some(Support::Refused(why)) => {
                return Err(Failed::new(
                    Status::Unsupported,
                    format!("the option {name:?} is not built: {why}"),
                ))
            }
            None => {
                let hint = nearest(name).map_or(String::new(), |near| format!("; did you mean {near:?}?"));
                return Err(Failed::new(Status::Option, format!("unknown option {name:?}{hint}")));
            }
        }
    }
    Ok(ignored)
}

pub(super) fn wrong(name: &str, what: &str) -> Failed {
    Failed::new(Status::Option, format!("the option {name:?} must be {what}"))
}

pub(super) struct Reader<'a>(pub(super) &'a Map<String, Value>);

impl Reader<'_> {
    fn read(&self, ignored: Vec<String>) -> Result<Options, Failed> {
        let namespace = self.namespace()?;
        let credentials = self.credentials(&namespace)?;
        let target = Target {
            access: Arc::new(self.access()?),
            paths: self.paths()?,
            trailing_slash: self.flag("addTrailingSlash", true)?,
            namespace,
            timestamps: self.timestamps()?,
            transports: self.transports()?,
            try_all: self.flag("tryAllTransports", true)?,
            upgrade: self.flag("upgrade", true)?,
            remember_upgrade: self.flag("rememberUpgrade", false)?,
            revision: self.protocol()?,
            shared_by: self.shared_by()?,
            parser: match self.one_of("parser", &["default", "msgpack"])? {
                1 => Parser::Msgpack,
                _ => Parser::Default,
            },
            connect_timeout: self.milliseconds("timeout", 20_000, 1)?,
            request_timeout: self.some_milliseconds("requestTimeout")?,
            max_message_bytes: self.bytes("maxMessageBytes", 16 << 20)?,
            max_pause: self.milliseconds("maxPauseMs", 60_000, 1)?,
            reconnection: Reconnection {
                enabled: self.flag("reconnection", true)?,
                attempts: self.attempts()?,
                delay: self.milliseconds("reconnectionDelay", 1000, 0)?,
                delay_max: self.milliseconds("reconnectionDelayMax", 5000, 0)?,
                randomization: self.fraction("randomizationFactor", 0.5)?,
            },
        };
        Ok(Options {
            outbox: self.outbox(&target.access.endpoint, &target.namespace)?,
            target: Arc::new(target),
            credentials,
            asks: Asks { query: self.flag("askQuery", false)?, auth: self.flag("askAuth", false)? },
            auto_connect: self.flag("autoConnect", true)?,
            manual: self.one_of("delivery", &["callback", "manual"])? == 1,
            event_names: match self.one_of("eventNames", &["wire", "constant"])? {
                1 => EventNames::Constant,
                _ => EventNames::Wire,
            },
            pulls: self.flag("pullOnConnect", true)?,
            receipts: self.flag("receipts", true)?,
            send_queue_bytes: self.bytes("sendQueueBytes", 8 << 20)?,
            receive_queue_bytes: self.bytes("receiveQueueBytes", 8 << 20)?,
            ack_timeout: self.some_milliseconds("ackTimeout")?,
            retries: self.retries()?,
            ignored,
        })
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Failed> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "a string")),
        }
    }

    pub(super) fn required(&self, name: &str, example: &str) -> Result<&str, Failed> {
        let missing = || {
            Failed::new(Status::Option, format!("the option {name:?} is missing (for example {example:?})"))
        };
        self.text(name)?.ok_or_else(missing)
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Failed> {
        match self.0.get(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong(name, "true or false")),
        }
    }

    pub(super) fn milliseconds(&self, name: &str, default: u64, least: u64) -> Result<Duration, Failed> {
        match self.0.get(name).map(Value::as_u64) {
            None => Ok(Duration::from_millis(default)),
            Some(Some(ms)) if (least..=LONGEST).contains(&ms) => Ok(Duration::from_millis(ms)),
            Some(_) => Err(wrong(name, &format!("a whole number of milliseconds, {least} to {LONGEST}"))),
        }
    }

    /// A time that is not limited unless the caller says so.
    fn some_milliseconds(&self, name: &str) -> Result<Option<Duration>, Failed> {
        self.0.get(name).map(|_| self.milliseconds(name, 1, 1)).transpose()
    }

    fn bytes(&self, name: &str, default: usize) -> Result<usize, Failed> {
        const LEAST: usize = 1024;
        const MOST: usize = 1 << 30;
        match self.0.get(name).map(Value::as_u64) {
            None => Ok(default),
            Some(Some(bytes)) => match usize::try_from(bytes) {
                Ok(bytes) if (LEAST..=MOST).contains(&bytes) => Ok(bytes),
                _ => Err(wrong(name, &format!("a number of bytes, {LEAST} to {MOST}"))),
            },
            Some(None) => Err(wrong(name, &format!("a number of bytes, {LEAST} to {MOST}"))),
        }
    }

    fn fraction(&self, name: &str, default: f64) -> Result<f64, Failed> {
        match self.0.get(name).map(Value::as_f64) {
            None => Ok(default),
            Some(Some(fraction)) if (0.0..=1.0).contains(&fraction) => Ok(fraction),
            Some(_) => Err(wrong(name, "a number from 0 to 1")),
        }
    }

    /// The position of a text among those that are allowed; 0 is the default.
    fn one_of(&self, name: &str, allowed: &[&str]) -> Result<usize, Failed> {
        let Some(text) = self.text(name)? else { return Ok(0) };
        allowed.iter().position(|allowed| *allowed == text).ok_or_else(|| {
            let list: Vec<String> = allowed.iter().map(|allowed| format!("{allowed:?}")).collect();
            wrong(name, &list.join(" or "))
        })
    }

    fn namespace(&self) -> Result<String, Failed> {
        let given = self.required("nsp", "chat")?;
        let namespace = format!("/{}", given.strip_prefix('/').unwrap_or(given));
        let usable = !given.is_empty()
            && !namespace.contains("//")
            && namespace
                .chars()
                .all(|c| !matches!(c, ',' | '?' | '#') && !c.is_control() && !c.is_whitespace());
        match usable {
            true => Ok(namespace),
            false => Err(wrong("nsp", "a namespace like \"chat\", \"/chat\" or \"/\", without a query")),
        }
    }

    fn paths(&self) -> Result<Paths, Failed> {
        let Some(path) = self.text("path")? else { return Ok(Paths::Search) };
        let usable =
            path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#'));
        match usable {
            true => Ok(Paths::Given(path.to_owned())),
            false => Err(wrong("path", "an HTTP path like \"/ws\", without a query")),
        }
    }

    fn credentials(&self, namespace: &str) -> Result<Credentials, Failed> {
        let none = Value::Object(Map::new());
        let query = self.0.get("query").unwrap_or(&none);
        let auth = self.0.get("auth").map(|auth| read_auth("the option \"auth\"", auth));
        let refused = |fault| Failed::new(Status::Option, fault);
        Ok(Credentials {
            query: read_query("the option \"query\"", query, namespace).map_err(refused)?,
            auth: auth.transpose().map_err(refused)?,
        })
    }

    /// Without being told, as the official clients: on long-polling, where caches may be in between.
    fn timestamps(&self) -> Result<Timestamps, Failed> {
        let name = self.text("timestampParam")?.unwrap_or("t");
        let usable = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !usable {
            return Err(wrong("timestampParam", "a name of ASCII letters, digits and _"));
        }
        let given = |default| Ok(self.flag("timestampRequests", default)?.then(|| name.to_owned()));
        Ok(Timestamps { websocket: given(false)?, polling: given(true)? })
    }

    fn protocol(&self) -> Result<Option<Revision>, Failed> {
        match self.0.get("protocol") {
            None => Ok(None),
            Some(Value::String(text)) if text == "auto" => Ok(None),
            Some(Value::Number(number)) if number.as_u64() == Some(3) => Ok(Some(Revision::V3)),
            Some(Value::Number(number)) if number.as_u64() == Some(4) => Ok(Some(Revision::V4)),
            Some(_) => Err(wrong("protocol", "\"auto\", 3 or 4")),
        }
    }

    fn transports(&self) -> Result<Vec<&'static str>, Failed> {
        let Some(given) = self.0.get("transports") else { return Ok(TRANSPORTS.to_vec()) };
        let what = "a list of transports, like [\"websocket\", \"polling\"]";
        let list =
            given.as_array().filter(|list| !list.is_empty()).ok_or_else(|| wrong("transports", what))?;
        let mut transports = Vec::new();
        for transport in list {
            let transport = match transport.as_str() {
                Some(WEBSOCKET) => WEBSOCKET,
                Some(POLLING) if cfg!(feature = "polling") => POLLING,
                Some(POLLING) => {
                    let message =
                        "the option \"transports\": this library was built without the feature \"polling\"";
                    return Err(Failed::new(Status::Option, message));
                }
                Some("webtransport") => {
                    let message =
                        "the option \"transports\": \"webtransport\" needs HTTP/3, which is not built";
                    return Err(Failed::new(Status::Unsupported, message));
                }
                _ => return Err(wrong("transports", what)),
            };
            if !transports.contains(&transport) {
                transports.push(transport);
            }
        }
        Ok(transports)
    }

    /// A try ends with its time, so the time has to be told.
    fn retries(&self) -> Result<u32, Failed> {
        let number = |value: &Value| value.as_u64().and_then(|retries| u32::try_from(retries).ok());
        let retries = self.0.get("retries").map_or(Some(0), number);
        let retries = retries.ok_or_else(|| wrong("retries", "a whole number from 0 on"))?;
        if retries > 0 && !self.0.contains_key("ackTimeout") {
            let message = "the option \"retries\" needs \"ackTimeout\": how long each try waits";
            return Err(Failed::new(Status::Option, message));
        }
        Ok(retries)
    }

    /// All that is said about the connection, where it may be shared.
    fn shared_by(&self) -> Result<Option<Secret>, Failed> {
        let (multiplex, force_new) = (self.flag("multiplex", false)?, self.flag("forceNew", false)?);
        // A packet of the other parser does not show whose it is without being read.
        let msgpack = self.one_of("parser", &["default", "msgpack"])? == 1;
        if !multiplex || force_new || msgpack {
            return Ok(None);
        }
        let about = self.0.iter().filter(|(name, _)| !OF_ONE_CLIENT.contains(&name.as_str()));
        let about = about.map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Some(Secret::json(&SecretJson::from(Value::Object(about)))))
    }

    fn attempts(&self) -> Result<Option<u64>, Failed> {
        match self.0.get("reconnectionAttempts") {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(attempts) => Ok(Some(attempts)),
                None => Err(wrong("reconnectionAttempts", "a whole number, or null for no end")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(more: &str) -> Result<Options, Failed> {
        Options::parse(&format!("{{\"root\":\"http://h:1\",\"nsp\":\"chat\"{more}}}"))
    }

    #[test]
    fn the_defaults_are_those_of_the_official_clients() {
        let options = parse("").unwrap();
        let Reconnection { enabled, attempts, delay, delay_max, randomization } =
            options.target.reconnection.clone();
        assert!(enabled && options.auto_connect && options.pulls && options.receipts);
        assert_eq!(
            (attempts, delay.as_millis(), delay_max.as_millis(), randomization),
            (None, 1000, 5000, 0.5)
        );
        assert_eq!(options.target.connect_timeout.as_millis(), 20_000);
        assert_eq!(options.target.namespace, "/chat");
        assert_eq!(&*options.credentials.query, "deviceType=desktop");
    }

    #[test]
    fn namespaces_may_have_their_slash() {
        for (nsp, namespace) in [("chat", "/chat"), ("/chat", "/chat"), ("/", "/"), ("a/b", "/a/b")] {
            let options = Options::parse(&format!("{{\"root\":\"http://h\",\"nsp\":\"{nsp}\"}}")).unwrap();
            assert_eq!(options.target.namespace, namespace);
        }
    }

    #[test]
    fn the_query_is_kept_and_the_device_type_is_the_callers() {
        let options = parse(r#","query":{"deviceType":"x y","userId":111,"debug":true}"#).unwrap();
        assert_eq!(&*options.credentials.query, "debug=true&deviceType=x%20y&userId=111");
    }

    #[test]
    fn what_sharing_clients_may_differ_in_are_options() {
        for name in OF_ONE_CLIENT {
            assert!(support_of(name).is_some(), "{name}");
        }
        let shared =
            |more: &str| parse(&format!(",\"multiplex\":true{more}")).unwrap().target.shared_by.clone();
        assert_eq!(shared(r#","retries":1,"ackTimeout":5"#), shared(""));
        assert_ne!(shared(r#","path":"/im""#), shared(""));
        assert_eq!(shared(r#","forceNew":true"#), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, status, fault) in [
            ("", Status::Json, "no JSON"),
            ("[]", Status::Json, "JSON object"),
            ("{}", Status::Option, "\"nsp\" is missing"),
            (r#"{"nsp":"chat"}"#, Status::Option, "\"root\" is missing"),
            (r#"{"root":"http://h"}"#, Status::Option, "\"nsp\" is missing"),
            (r#"{"root":5,"nsp":"chat"}"#, Status::Option, "\"root\" must be a string"),
            (r#"{"root":"h:1","nsp":"chat"}"#, Status::Option, "no scheme"),
            (r#"{"root":"http://h/im","nsp":"chat"}"#, Status::Option, "\"path\""),
        ] {
            let failed = Options::parse(json).unwrap_err();
            assert!(failed.status == status && failed.message.contains(fault), "{json}: {failed}");
        }
        for (more, status, fault) in [
            (r#","nsp":"""#, Status::Option, "\"nsp\""),
            (r#","nsp":"a,b""#, Status::Option, "\"nsp\""),
            (r#","nsp":"chat?x=1""#, Status::Option, "\"nsp\""),
            (r#","rooot":1"#, Status::Option, "did you mean \"root\""),
            (r#","parser":"x""#, Status::Option, "\"parser\" must be"),
            (r#","retries":1"#, Status::Option, "\"retries\" needs \"ackTimeout\""),
            (r#","retries":-1"#, Status::Option, "\"retries\" must be"),
            (r#","retries":true"#, Status::Option, "\"retries\" must be"),
            (r#","query":[]"#, Status::Option, "\"query\" must be an object"),
            (r#","query":{"a":null}"#, Status::Option, "\"a\" must be"),
            (r#","auth":"x""#, Status::Option, "\"auth\""),
            (r#","path":"ws""#, Status::Option, "\"path\""),
            (r#","path":"/a b""#, Status::Option, "\"path\""),
            (r#","timeout":0"#, Status::Option, "\"timeout\""),
            (r#","timeout":-1"#, Status::Option, "\"timeout\""),
            (r#","timeout":"5""#, Status::Option, "\"timeout\""),
            (r#","timeout":1e300"#, Status::Option, "\"timeout\""),
            (r#","reconnection":1"#, Status::Option, "\"reconnection\""),
            (r#","reconnectionAttempts":-1"#, Status::Option, "\"reconnectionAttempts\""),
            (r#","randomizationFactor":2"#, Status::Option, "\"randomizationFactor\""),
            (r#","protocol":5"#, Status::Option, "\"protocol\""),
            (r#","parser":"json""#, Status::Option, "\"default\" or \"msgpack\""),
            (r#","transports":[]"#, Status::Option, "\"transports\""),
            (r#","transports":["webtransport"]"#, Status::Unsupported, "\"webtransport\""),
            (
                r#","perMessageDeflate":{}"#,
                Status::Unsupported,
                "\"perMessageDeflate\" is not built: tungstenite",
            ),
            (r#","eventNames":"x""#, Status::Option, "\"wire\" or \"constant\""),
            (r#","delivery":"x""#, Status::Option, "\"delivery\""),
            (r#","maxMessageBytes":1"#, Status::Option, "\"maxMessageBytes\""),
            (r#","timestampParam":"""#, Status::Option, "\"timestampParam\""),
        ] {
            let failed = parse(more).unwrap_err();
            assert!(failed.status == status && failed.message.contains(fault), "{more}: {failed}");
        }
    }

    #[cfg(not(feature = "polling"))]
    #[test]
    fn without_long_polling_only_websocket_is_tried() {
        assert_eq!(parse("").unwrap().target.transports, [WEBSOCKET]);
        let failed = parse(r#","transports":["websocket","polling"]"#).unwrap_err();
        assert_eq!(failed.status, Status::Option);
        assert!(failed.message.contains("\"transports\"") && failed.message.contains("feature \"polling\""));
    }

    #[test]
    fn options_without_meaning_are_accepted() {
        let options =
            parse(r#","agent":null,"withCredentials":true,"protocol":"auto","reconnectionAttempts":null"#);
        assert_eq!(options.unwrap().ignored, ["agent", "withCredentials"]);
    }

    #[test]
    fn a_no_to_what_there_is_not_is_accepted() {
        assert!(parse(r#","perMessageDeflate":false,"pfx":false"#).unwrap().ignored.is_empty());
    }
}
