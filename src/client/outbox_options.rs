//! The options of the outbox: `store`, `inFlight`, `messageTimeout`, `dedupe`.

use std::{path::PathBuf, time::Duration};

use serde_json::{json, Value};

use super::{
    credentials::query_value,
    options::{wrong, Reader},
    outbox::OutboxOptions,
    Failed, Status,
};
use crate::transport::Endpoint;

const MOST_IN_FLIGHT: u64 = 1000;
/// Without an end, one message that the server drops silently would hold up all that follow.
const TIMEOUT_MS: u64 = 600_000;

impl Reader<'_> {
    pub(super) fn outbox(&self, endpoint: &Endpoint, namespace: &str) -> Result<OutboxOptions, Failed> {
        let (store, user) = match self.store(endpoint, namespace)? {
            Some((path, account, user)) => (Some((path, account)), Some(user)),
            None => (None, None),
        };
        Ok(OutboxOptions {
            store,
            user,
            in_flight: self.in_flight()?,
            timeout: self.message_timeout()?,
            dedupe: self.flag("dedupe", true)?,
        })
    }

    fn in_flight(&self) -> Result<usize, Failed> {
        let allowed = match self.0.get("inFlight").map(Value::as_u64) {
            None => Some(1),
            Some(given) => given.filter(|given| (1..=MOST_IN_FLIGHT).contains(given)),
        };
        let number = allowed.and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| wrong("inFlight", &format!("a whole number, 1 to {MOST_IN_FLIGHT}")))
    }

    fn message_timeout(&self) -> Result<Option<Duration>, Failed> {
        match self.0.get("messageTimeout") {
            Some(Value::Null) => Ok(None),
            _ => self.milliseconds("messageTimeout", TIMEOUT_MS, 1).map(Some),
        }
    }

    /// The file, and whose part of it: what one user wrote must never go out as another's.
    fn store(
        &self,
        endpoint: &Endpoint,
        namespace: &str,
    ) -> Result<Option<(PathBuf, String, String)>, Failed> {
        let Some(path) = self.text("store")? else { return Ok(None) };
        if path.is_empty() || path.contains('\0') {
            return Err(wrong("store", "the path of a file"));
        }
        let user = match self.0.get("query").and_then(|query| query.get("userId")) {
            Some(user) => query_value("the option \"query\"", "userId", user)
                .map_err(|fault| Failed::new(Status::Option, fault))?
                .to_string(),
            None => {
                return Err(wrong(
                    "store",
                    "given along with \"userId\" in \"query\": whose messages are they?",
                ))
            }
        };
        let server = format!("{}:{}", endpoint.host.to_ascii_lowercase(), endpoint.port);
        Ok(Some((path.into(), json!([server, namespace, user]).to_string(), user)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Options, Status};

    fn parse(more: &str) -> Result<Options, super::Failed> {
        Options::parse(&format!("{{\"root\":\"http://H:1\",\"nsp\":\"chat\"{more}}}"))
    }

    #[test]
    fn the_defaults() {
        let outbox = parse("").unwrap().outbox;
        assert_eq!((outbox.store, outbox.in_flight, outbox.dedupe), (None, 1, true));
        assert_eq!(outbox.timeout.unwrap().as_millis(), 600_000);
        assert_eq!(parse(r#","messageTimeout":null"#).unwrap().outbox.timeout, None);
    }

    #[test]
    fn a_store_has_a_part_for_each_account() {
        let account = |more: &str| parse(more).unwrap().outbox.store.unwrap().1;
        assert_eq!(account(r#","store":"f","query":{"userId":"a","token":"t"}"#), r#"["h:1","/chat","a"]"#);
        assert_eq!(account(r#","store":"f","query":{"userId":7}"#), r#"["h:1","/chat","7"]"#);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (more, fault) in [
            (r#","inFlight":0"#, "\"inFlight\""),
            (r#","inFlight":1001"#, "\"inFlight\""),
            (r#","inFlight":"2""#, "\"inFlight\""),
            (r#","messageTimeout":0"#, "\"messageTimeout\""),
            (r#","dedupe":1"#, "\"dedupe\""),
            (r#","store":5"#, "\"store\" must be a string"),
            (r#","store":"","query":{"userId":"a"}"#, "\"store\""),
            (r#","store":"f""#, "\"userId\""),
        ] {
            let failed = parse(more).unwrap_err();
            assert!(failed.status == Status::Option && failed.message.contains(fault), "{more}: {failed}");
        }
    }
}
