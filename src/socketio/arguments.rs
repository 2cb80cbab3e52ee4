//! The JSON array of an event or an acknowledgement.

use std::{borrow::Cow, ops::Range};

use crate::json::Scanner;

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
        let mut scanner = Scanner::new(text);
        if !scanner.pass(b'[') {
            return None;
        }
        let start = scanner.at();
        let end = scanner.pass_value()?;
        let name = event_name(&text[start..end])?;
        let more = scanner.pass(b',');
        Some(Arguments { name, extent: extent(scanner, more)? })
    }

    /// Reads the array of an ACK.
    pub fn of_ack(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        if !scanner.pass(b'[') {
            return None;
        }
        let more = !scanner.is_before(b']');
        Some(Arguments { name: Cow::Borrowed(""), extent: extent(scanner, more)? })
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

/// The values up to the end of the text, which has to be that of the array.
fn extent(mut scanner: Scanner<'_>, more: bool) -> Option<Extent> {
    let start = scanner.at();
    let mut first = None;
    if more {
        first = Some(start..scanner.pass_value()?);
        while scanner.pass(b',') {
            scanner.pass_value()?;
        }
    }
    let all = start..scanner.at();
    (scanner.pass(b']') && scanner.is_at_end()).then_some(Extent { first, all })
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
