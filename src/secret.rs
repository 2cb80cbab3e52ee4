//! Texts that are wiped from memory when nobody has them any more: tokens, keys, passwords, and what is made of them.
//!
//! A text that grows leaves its beginning behind where it was before: each is made in one piece of the right size.

use std::{
    fmt,
    io::{self, Write},
    ops::Deref,
};

use http::HeaderValue;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Bytes;
use zeroize::{Zeroize, Zeroizing};

/// A text; no `Debug` shows it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Joins parts.
    pub fn of(parts: &[&str]) -> Self {
        let mut text = Self::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| text.push(part));
        text
    }

    /// `push` has so much room.
    pub fn with_capacity(bytes: usize) -> Self {
        Secret(Zeroizing::new(String::with_capacity(bytes)))
    }

    /// Adds to the end; beyond the room that was asked for, the text moves and is wiped where it was.
    pub fn push(&mut self, part: &str) {
        if self.0.capacity() - self.0.len() < part.len() {
            let mut larger = Self::with_capacity(2 * (self.0.len() + part.len()));
            larger.0.push_str(&self.0);
            *self = larger;
        }
        self.0.push_str(part);
    }

    /// The JSON of a value.
    pub fn json(value: &Value) -> Self {
        let mut text = Text(Self::default());
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(&mut text, value);
        text.0
    }

    /// As bytes that are shared, and wiped by who drops them last.
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }

    /// As the value of a header, which no `Debug` shows. None where it has characters that headers can't carry.
    pub fn into_header(self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_maybe_shared(self.into_bytes()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Deref for Secret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Takes what is written, which has to be UTF-8 piece by piece: serde_json's is.
struct Text(Secret);

impl Write for Text {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let text =
            std::str::from_utf8(data).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.0.push(text);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// JSON that was read, whose texts are wiped at the end.
pub struct SecretJson(Value);

impl SecretJson {
    pub fn parse(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json).map(SecretJson)
    }
}

impl From<Value> for SecretJson {
    fn from(value: Value) -> Self {
        SecretJson(value)
    }
}

impl Deref for SecretJson {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_grows_and_is_never_shown() {
        let mut text = Secret::default();
        for _ in 0..100 {
            text.push("token ");
        }
        assert_eq!(&*text, "token ".repeat(100));
        assert_eq!(format!("{text:?}"), "***");
        assert_eq!(Secret::of(&["a", "", "ü"]), Secret::from("aü"));
    }

    #[test]
    fn the_json_is_that_of_the_value() {
        let value = json!({ "a": ["ü\"\\\n\u{1}", 1.5, null], "b": { "c": true } });
        assert_eq!(*Secret::json(&value), value.to_string());
    }

    #[test]
    fn a_header_has_what_headers_can_carry() {
        let value = Secret::from("Bearer x").into_header().unwrap();
        assert_eq!((&value, value.is_sensitive()), (&HeaderValue::from_static("Bearer x"), true));
        assert!(Secret::from("a\nb").into_header().is_none());
    }

    #[test]
    fn every_text_of_json_is_wiped() {
        let mut value = json!({ "a": ["secret", { "b": "secret" }], "c": "secret", "d": 1 });
        wipe(&mut value);
        assert_eq!(value, json!({ "a": ["", { "b": "" }], "c": "", "d": 1 }));
    }
}
