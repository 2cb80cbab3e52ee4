//! Finds where the values of a JSON text end, and so whether it is valid, without building anything.
//!
//! Every message goes through this once on its way in or out. It takes what serde_json takes, which the property tests compare,
//! in about half its time; where the fault lies, serde_json is asked.

/// So many bytes of a long string are looked at together, which the compiler does in vector registers.
const BLOCK: usize = 32;
/// A string of so many words is worth that.
const LONG: usize = 5;
const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// A place in a text. Between calls it stands behind white space, before something.
pub struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    underscored: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut scanner = Scanner { text: text.as_bytes(), at: 0, underscored: false };
        scanner.space();
        scanner
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
    pub fn is_before(&self, byte: u8) -> bool {
        self.peek() == byte
    }

    /// Passes this byte; says whether it was there.
    pub fn pass(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        if found {
            self.step();
        }
        found
    }

    /// Passes a value; gives where it ends. `None` where there is no valid one.
    pub fn pass_value(&mut self) -> Option<usize> {
        let mut open = Open::default();
        loop {
            match self.peek() {
                b'"' => self.string()?,
                b'{' => {
                    self.step();
                    if self.peek() != b'}' {
                        self.key()?;
                        open.push(true);
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.step();
                    if self.peek() != b']' {
                        open.push(false);
                        continue;
                    }
                    self.at += 1;
                }
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => return None,
            }
            // A value has ended, and perhaps what it was the last part of.
            loop {
                let end = self.at;
                self.space();
                let Some(is_object) = open.last() else { return Some(end) };
                match self.peek() {
                    b',' => {
                        self.step();
                        if is_object {
                            self.key()?;
                        }
                        break;
                    }
                    b'}' if is_object => {}
                    b']' if !is_object => {}
                    _ => return None,
                }
                self.at += 1;
                open.pop();
            }
        }
    }

    /// The next byte; 0, which no valid text has, at the end.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn step(&mut self) {
        self.at += 1;
        self.space();
    }

    #[inline(always)]
    fn space(&mut self) {
        // Those who write for the wire write none.
        if self.peek() <= b' ' {
            self.much_space();
        }
    }

    #[cold]
    fn much_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let found = self.text[self.at..].starts_with(word);
        self.at += word.len();
        found.then_some(())
    }

    #[inline(always)]
    fn key(&mut self) -> Option<()> {
        if self.peek() != b'"' {
            return None;
        }
        self.underscored |= matches!(self.text.get(self.at + 1), Some(b'_' | b'\\'));
        self.string()?;
        self.space();
        self.pass(b':').then_some(())
    }

    /// From its first quote to behind its last.
    #[inline(always)]
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            self.plain();
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.escape()?,
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
    }

    /// Goes on to the next byte that means something in a string, or near the end of the text.
    #[inline(always)]
    fn plain(&mut self) {
        let mut words = 0;
        while let Some(word) = self.next_bytes().map(u64::from_le_bytes) {
            let special = special_bytes(word);
            if special != 0 {
                self.at += (special.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += size_of::<u64>();
            words += 1;
            if words == LONG {
                while self.next_bytes().is_some_and(|block| is_plain(&block)) {
                    self.at += BLOCK;
                }
            }
        }
    }

    #[inline(always)]
    fn next_bytes<const N: usize>(&self) -> Option<[u8; N]> {
        self.text.get(self.at..self.at + N)?.try_into().ok()
    }

    fn escape(&mut self) -> Option<()> {
        match *self.text.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.text.get(self.at + 2..self.at + 6)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// At least one.
    #[inline(always)]
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(word) = self.next_bytes().map(u64::from_le_bytes) {
            let others = other_than_digits(word);
            if others != 0 {
                self.at += (others.trailing_zeros() / 8) as usize;
                return (self.at > start).then_some(());
            }
            self.at += size_of::<u64>();
        }
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// A bit in each byte that is no digit, and in no other.
fn other_than_digits(word: u64) -> u64 {
    let high = (word & (LOW_BITS * 0xf0)) ^ (LOW_BITS * 0x30);
    let low = ((word & (LOW_BITS * 0x0f)) + LOW_BITS * 0x06) & (LOW_BITS * 0x10);
    high | low
}

/// A high bit for each quote, backslash and control character, exact up to the first of them.
fn special_bytes(word: u64) -> u64 {
    let below = |word: u64, limit: u64| word.wrapping_sub(LOW_BITS * limit) & !word;
    let is = |byte: u8| below(word ^ (LOW_BITS * u64::from(byte)), 1);
    (is(b'"') | is(b'\\') | below(word, 0x20)) & HIGH_BITS
}

/// Is there no quote, backslash or control character?
fn is_plain(block: &[u8; BLOCK]) -> bool {
    let special = |byte: &u8| u8::from(*byte == b'"') | u8::from(*byte == b'\\') | u8::from(*byte < 0x20);
    block.iter().map(special).fold(0, |any, one| any | one) == 0
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
        fn every_text_is_taken_or_refused_as_by_serde(text in r#"[\[\]{},:" 0-9eE+.\\tfn/ua-]{0,40}"#) {
            prop_assert_eq!(value(&text), by_serde(&text));
        }

        #[test]
        fn every_string_is_followed_to_its_end(inner in "\\PC{0,40}", before in " {0,9}", after in "[ \n]{0,9}") {
            let text = format!("{before}{}{after}", serde_json::Value::from(inner));
            prop_assert_eq!(value(&text), by_serde(&text));
            prop_assert!(value(&text).is_some());
        }

        #[test]
        fn raw_characters_in_a_string_are_judged_alike(inner in any::<String>()) {
            let text = format!("[\"{inner}\",\"0123456{inner}\"]");
            prop_assert_eq!(value(&text), by_serde(&text));
        }
    }
}
