//! Finds where the values of a JSON text end, and so whether it is valid, without building anything.
//!
//! Every message goes through this once on its way in or out. It takes what serde_json takes, which the property tests compare,
//! in about a third of its time; where the fault lies, serde_json is asked.
//!
//! Places in the text are values that functions take and give: in a struct behind a reference the compiler would write each
//! step to memory.

mod fault;
mod fields;
mod marks;

pub use fault::fault;
pub use fields::{bare, fields};
use marks::Marks;

/// A place in a text. Between calls it stands behind white space, before something.
pub struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    marks: Marks,
    underscored: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        let text = text.as_bytes();
        Scanner { text, at: space(text, 0), marks: Marks::default(), underscored: false }
    }

    /// Where it stands.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Has it passed a name that begins with an underscore, or might do so if its escapes were read?
    pub fn was_underscored(&self) -> bool {
        self.underscored
    }

    /// Is this byte the next?
    pub fn is_before(&self, wanted: u8) -> bool {
        byte(self.text, self.at) == wanted
    }

    /// Passes this byte; says whether it was there.
    pub fn pass(&mut self, wanted: u8) -> bool {
        let found = self.is_before(wanted);
        if found {
            self.at = space(self.text, self.at + 1);
        }
        found
    }

    /// Passes a value; gives where it ends. `None` where there is no valid one.
    pub fn pass_value(&mut self) -> Option<usize> {
        let mut marks = self.marks;
        let mut underscored = self.underscored;
        let end = value(self.text, self.at, &mut marks, &mut underscored)?;
        (self.marks, self.underscored) = (marks, underscored);
        self.at = space(self.text, end);
        Some(end)
    }
}

/// Gives where the value that begins here ends.
#[inline(always)]
fn value(text: &[u8], mut at: usize, marks: &mut Marks, underscored: &mut bool) -> Option<usize> {
    let mut open = Open::default();
    loop {
        let first = byte(text, at);
        if first == b'"' {
            at = string(text, at, marks)?;
        } else if first == b'{' {
            at = space(text, at + 1);
            if byte(text, at) != b'}' {
                at = key(text, at, marks, underscored)?;
                open.push(true);
                continue;
            }
            at += 1;
        } else if first == b'[' {
            at = space(text, at + 1);
            if byte(text, at) != b']' {
                open.push(false);
                continue;
            }
            at += 1;
        } else if first > b' ' {
            at = number_or_word(text, at)?;
        } else {
            at = some_space(text, at)?;
            continue;
        }
        // A value has ended, and perhaps what it was the last part of.
        loop {
            let Some(is_object) = open.last() else { return Some(at) };
            let next = byte(text, at);
            if next == b',' {
                at += 1;
                if is_object {
                    at = key(text, at, marks, underscored)?;
                }
                break;
            }
            let closing = if is_object { b'}' } else { b']' };
            if next == closing {
                at += 1;
                open.pop();
            } else {
                at = some_space(text, at)?;
            }
        }
    }
}

/// The byte at a place; 0, which no valid text has, behind its end.
#[inline(always)]
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// Where white space ends that has to be here, for something else was expected. Those who write for the wire write none, so it
/// is only looked for where what they write is not found.
#[cold]
fn some_space(text: &[u8], at: usize) -> Option<usize> {
    let end = space(text, at);
    (end > at).then_some(end)
}

fn space(text: &[u8], mut at: usize) -> usize {
    while matches!(byte(text, at), b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

/// From what stands before a member's name to behind its colon.
#[inline(always)]
fn key(text: &[u8], at: usize, marks: &mut Marks, underscored: &mut bool) -> Option<usize> {
    let at = expect(text, at, b'"')?;
    *underscored |= matches!(byte(text, at + 1), b'_' | b'\\');
    let at = string(text, at, marks)?;
    Some(expect(text, at, b':')? + 1)
}

/// Where this byte stands, here or behind white space.
#[inline(always)]
fn expect(text: &[u8], at: usize, wanted: u8) -> Option<usize> {
    if byte(text, at) == wanted {
        return Some(at);
    }
    let at = some_space(text, at)?;
    (byte(text, at) == wanted).then_some(at)
}

/// From its first quote to behind its last.
#[inline(always)]
fn string(text: &[u8], at: usize, marks: &mut Marks) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at = marks.next(text, at);
        match byte(text, at) {
            b'"' => return Some(at + 1),
            b'\\' => at = escape(text, at)?,
            _ => return None,
        }
    }
}

fn escape(text: &[u8], at: usize) -> Option<usize> {
    match byte(text, at + 1) {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => {
            let digits = text.get(at + 2..at + 6)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 6)
        }
        _ => None,
    }
}

#[inline(always)]
fn number_or_word(text: &[u8], at: usize) -> Option<usize> {
    match byte(text, at) {
        b'-' => unsigned(text, at + 1),
        b'0'..=b'9' => unsigned(text, at),
        b't' => word(text, at, b"true"),
        b'f' => word(text, at, b"false"),
        b'n' => word(text, at, b"null"),
        _ => None,
    }
}

fn word(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text[at..].starts_with(word).then_some(at + word.len())
}

#[inline(always)]
fn unsigned(text: &[u8], start: usize) -> Option<usize> {
    let mut at = if byte(text, start) == b'0' { start + 1 } else { digits(text, start)? };
    if byte(text, at) == b'.' {
        at = digits(text, at + 1)?;
    }
    if matches!(byte(text, at), b'e' | b'E') {
        let signed = matches!(byte(text, at + 1), b'+' | b'-');
        at = digits(text, at + 1 + usize::from(signed))?;
    }
    Some(at)
}

/// At least one.
#[inline(always)]
fn digits(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while byte(text, at).is_ascii_digit() {
        at += 1;
    }
    (at > start).then_some(at)
}

/// The objects and arrays that are open, innermost last: one bit each, for an object 1.
#[derive(Default)]
struct Open {
    depth: u32,
    /// The innermost of them, the last one lowest.
    bits: u64,
    /// 64 each of those further out.
    outer: Vec<u64>,
}

impl Open {
    fn push(&mut self, is_object: bool) {
        if self.depth == u64::BITS {
            self.outer.push(self.bits);
            self.depth = 0;
        }
        self.bits = self.bits << 1 | u64::from(is_object);
        self.depth += 1;
    }

    fn last(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.bits & 1 == 1)
    }

    fn pop(&mut self) {
        self.bits >>= 1;
        self.depth -= 1;
        if self.depth == 0 {
            if let Some(outer) = self.outer.pop() {
                (self.bits, self.depth) = (outer, u64::BITS);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// The one value of a text, where it is one.
    fn value(text: &str) -> Option<&str> {
        let mut scanner = Scanner::new(text);
        let start = scanner.at();
        let end = scanner.pass_value()?;
        scanner.is_at_end().then(|| &text[start..end])
    }

    fn by_serde(text: &str) -> Option<&str> {
        serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get)
    }

    #[test]
    fn valid_and_invalid_texts_are_told_apart() {
        for text in [
            "null",
            " true ",
            "false",
            "0",
            "-0",
            "12.50e+3",
            "1E-1",
            "\"\"",
            "\"a\\\"b\\u00e9\\\\\"",
            "[]",
            "{}",
            "[ ]",
            "{ }",
            "[1,[2,{\"a\":[]}],\"x\"]",
            "{\"a\" : 1 , \"b\":{\"c\":null}}\n",
            "\"€😀 und mehr als acht\"",
            "\"\\ud800\"",
            "\u{7f}1",
            "",
            " ",
            "nul",
            "tru",
            "01",
            "-",
            "1.",
            ".1",
            "1e",
            "+1",
            "\"",
            "\"a",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12",
            "\"tab\t\"",
            "\"1234567\u{1}\"",
            "[",
            "]",
            "[1",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "{\"a\":1]",
            "1 2",
            "\"a\" \"b\"",
            "[]]",
            "{}}",
            "truefalse",
            "nullx",
        ] {
            assert_eq!(value(text), by_serde(text), "{text}");
        }
    }

    #[test]
    fn any_depth_is_followed() {
        for depth in [63, 64, 65, 128, 129, 100_000] {
            let nested = format!("{}1{}", "[{\"a\":".repeat(depth), "}]".repeat(depth));
            assert_eq!(value(&nested), Some(&*nested));
            let crossed = format!("{}1{}", "[{\"a\":".repeat(depth), "]}".repeat(depth));
            assert_eq!(value(&crossed), None);
        }
    }

    proptest! {
        #[test]
        fn every_text_is_taken_or_refused_as_by_serde(text in r#"[\[\]{},:" 0-9eE+.\\tfn/ua-]{0,200}"#) {
            prop_assert_eq!(value(&text), by_serde(&text));
        }

        #[test]
        fn every_number_is_followed_to_its_end(text in "-?[0-9]{1,20}(\\.[0-9]{0,20})?([eE][+-]?[0-9]{0,9})?[/:\u{80}-\u{ff}]?[0-9]{0,9}") {
            for text in [text.clone(), format!("[{text}]"), format!("[{text},{text}]  ")] {
                prop_assert_eq!(value(&text), by_serde(&text));
            }
        }

        #[test]
        fn every_string_is_followed_to_its_end(inner in "\\PC{0,200}", before in " {0,9}", after in "[ \n]{0,9}") {
            let text = format!("{before}{}{after}", serde_json::Value::from(inner));
            prop_assert_eq!(value(&text), by_serde(&text));
            prop_assert!(value(&text).is_some());
        }

        #[test]
        fn raw_characters_in_a_string_are_judged_alike(inner in "(?s).{0,200}") {
            let text = format!("[\"{inner}\",\"0123456{inner}\"]");
            prop_assert_eq!(value(&text), by_serde(&text));
        }
    }
}
