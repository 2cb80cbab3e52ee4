//! The JSON array of an event or an acknowledgement.

use std::{borrow::Cow, fmt, ops::Range};

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Where the parts of `["name",first,..]` stand in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments<'a> {
    /// The event's name, unescaped; an integer as its digits. Empty for an acknowledgement.
    pub name: Cow<'a, str>,
    pub extent: Extent,
}

/// Byte positions in the text of the array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The first argument, none where there is none.
    pub first: Option<Range<usize>>,
    /// From the first argument to the closing bracket, without it.
    pub all: Range<usize>,
}

impl<'a> Arguments<'a> {
    /// Reads the array of an EVENT, in one pass that validates all of it.
    pub fn of_event(text: &'a str) -> Option<Self> {
        let scan: Scan<'a> = serde_json::from_str(text).ok()?;
        let name = event_name(scan.head?)?;
        Some(Arguments { name, extent: extent(text, scan.second) })
    }

    /// Reads the array of an ACK.
    pub fn of_ack(text: &'a str) -> Option<Self> {
        let scan: Scan<'a> = serde_json::from_str(text).ok()?;
        Some(Arguments { name: Cow::Borrowed(""), extent: extent(text, scan.head) })
    }
}

/// An event's name is a string, or an integer.
fn event_name(raw: &str) -> Option<Cow<'_, str>> {
    if raw.starts_with('"') {
        let inner = &raw[1..raw.len() - 1];
        return if inner.contains('\\') {
            serde_json::from_str(raw).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        };
    }
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let integer = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    integer.then_some(Cow::Borrowed(raw))
}

fn extent(text: &str, first: Option<&str>) -> Extent {
    let end = text.trim_end().len().saturating_sub(1);
    match first {
        None => Extent { first: None, all: end..end },
        Some(first) => {
            let start = first.as_ptr() as usize - text.as_ptr() as usize;
            Extent { first: Some(start..start + first.len()), all: start..end }
        }
    }
}

/// The first two elements of an array, as raw text; the rest is validated and passed over.
struct Scan<'a> {
    head: Option<&'a str>,
    second: Option<&'a str>,
}

impl<'de> Deserialize<'de> for Scan<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ScanVisitor)
    }
}

struct ScanVisitor;

impl<'de> Visitor<'de> for ScanVisitor {
    type Value = Scan<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scan<'de>, A::Error> {
        let head: Option<&RawValue> = seq.next_element()?;
        let second: Option<&RawValue> = match head {
            Some(_) => seq.next_element()?,
            None => None,
        };
        if second.is_some() {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(Scan { head: head.map(RawValue::get), second: second.map(RawValue::get) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_argument_and_all_are_found() {
        let text = r#"[ "a\u00e9b" , {"x":[1, 2]} , "two",null ] "#;
        let read = Arguments::of_event(text).unwrap();
        assert_eq!(read.name, "aéb");
        assert_eq!(&text[read.extent.first.clone().unwrap()], r#"{"x":[1, 2]}"#);
        assert_eq!(&text[read.extent.all], r#"{"x":[1, 2]} , "two",null "#);
        let read = Arguments::of_event(r#"["a"]"#).unwrap();
        assert_eq!((read.extent.first, read.extent.all), (None, 4..4));
        let read = Arguments::of_ack("[1,2]").unwrap();
        assert_eq!((read.extent.first, read.extent.all), (Some(1..2), 1..4));
        let read = Arguments::of_ack("[]").unwrap();
        assert_eq!((read.extent.first, read.extent.all), (None, 1..1));
    }

    #[test]
    fn integer_names_are_names() {
        assert_eq!(Arguments::of_event("[12,\"x\"]").unwrap().name, "12");
        assert_eq!(Arguments::of_event("[-1]").unwrap().name, "-1");
    }

    #[test]
    fn what_names_no_event_is_rejected() {
        for text in [
            "",
            "{}",
            "[]",
            "[true,1]",
            "[null]",
            "[{}]",
            "[1.5]",
            "[1e3]",
            "[[\"a\"]]",
            "[\"a\"",
            "[\"a\",]",
            "[\"a\",1]x",
            "[\"a\\x\"]",
            "\"a\"",
            "[\"a\" 1]",
            "[\"a\",01]",
            "[\"a\",\"\n\"]",
        ] {
            assert!(Arguments::of_event(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = format!("[\"a\",{}{}]", "[".repeat(200_000), "]".repeat(200_000));
        assert!(Arguments::of_event(&deep).is_some());
    }
}
