//! A MessagePack value as JSON text. What JSON has no word for is said as the official JavaScript client would have it
//! after `JSON.stringify`, so that a receiver sees the same with either parser:
//!
//! * NaN and the infinities, and `undefined`: `null`
//! * a time: its ISO 8601 text; one beyond what a JavaScript `Date` holds: `null`
//! * an extension that only the application knows: `[type, binary value]`
//!
//! Integers keep all their 64 bits. The text is at most six times as long as the bytes (a control character), attachments
//! aside, which are counted.

use std::io::Write;

use super::{
    tokens::{Token, Tokens},
    Malformed, MOST_ATTACHMENTS, MOST_DEPTH,
};

/// Reads the next value: its JSON text, and the binary values that its placeholders stand for.
pub fn value(tokens: &mut Tokens<'_>) -> Result<(String, Vec<Vec<u8>>), Malformed> {
    let mut text = Text { json: Vec::new(), attachments: Vec::new() };
    text.value(tokens, 0)?;
    let json = String::from_utf8(text.json).map_err(|_| Malformed::Text)?;
    Ok((json, text.attachments))
}

struct Text {
    json: Vec<u8>,
    attachments: Vec<Vec<u8>>,
}

impl Text {
    fn value(&mut self, tokens: &mut Tokens<'_>, depth: usize) -> Result<(), Malformed> {
        match tokens.next()? {
            Token::Nil => self.raw("null"),
            Token::Bool(value) => self.raw(if value { "true" } else { "false" }),
            Token::Integer(value) => self.raw(&value.to_string()),
            Token::Float(value) => self.scalar(&value),
            Token::Text(value) => self.scalar(&value),
            Token::Time(seconds, nanoseconds) => match iso(seconds, nanoseconds) {
                Some(time) => self.raw(&format!("\"{time}\"")),
                None => self.raw("null"),
            },
            Token::Binary(data) => self.attachment(data)?,
            Token::Extension(kind, data) => {
                self.raw(&format!("[{kind},"));
                self.attachment(data)?;
                self.raw("]");
            }
            Token::Array(count) => self.array(tokens, count, deeper(depth)?)?,
            Token::Map(count) => self.map(tokens, count, deeper(depth)?)?,
        }
        Ok(())
    }

    fn array(&mut self, tokens: &mut Tokens<'_>, count: u64, depth: usize) -> Result<(), Malformed> {
        self.raw("[");
        for at in 0..count {
            self.comma(at);
            self.value(tokens, depth)?;
        }
        self.raw("]");
        Ok(())
    }

    fn map(&mut self, tokens: &mut Tokens<'_>, count: u64, depth: usize) -> Result<(), Malformed> {
        self.raw("{");
        for at in 0..count {
            self.comma(at);
            let Token::Text(key) = tokens.next()? else { return Err(Malformed::Key) };
            self.scalar(&key);
            self.raw(":");
            self.value(tokens, depth)?;
        }
        self.raw("}");
        Ok(())
    }

    fn attachment(&mut self, data: &[u8]) -> Result<(), Malformed> {
        let number = self.attachments.len();
        if number == MOST_ATTACHMENTS {
            return Err(Malformed::Attachments);
        }
        self.attachments.push(data.to_vec());
        self.raw(&format!("{{\"_placeholder\":true,\"num\":{number}}}"));
        Ok(())
    }

    fn comma(&mut self, at: u64) {
        if at > 0 {
            self.raw(",");
        }
    }

    fn raw(&mut self, text: &str) {
        self.json.extend_from_slice(text.as_bytes());
    }

    fn scalar(&mut self, value: &impl serde::Serialize) {
        // Writing to a vector can't fail.
        let _ = serde_json::to_writer(self.json.by_ref(), value);
    }
}

fn deeper(depth: usize) -> Result<usize, Malformed> {
    (depth < MOST_DEPTH).then_some(depth + 1).ok_or(Malformed::Depth)
}

/// As JavaScript's `Date.prototype.toJSON` writes a time, with nanoseconds only where there are any; nothing for what a
/// `Date` can't hold.
fn iso(seconds: i64, nanoseconds: u32) -> Option<String> {
    const DAY: i64 = 86_400;
    /// A `Date` reaches so far, both ways (ECMAScript, "Time Values and Time Range").
    const LONGEST: i64 = 8_640_000_000_000;
    if seconds.unsigned_abs() > LONGEST.unsigned_abs() || nanoseconds >= 1_000_000_000 {
        return None;
    }
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let of_day = seconds.rem_euclid(DAY);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{year:+07}"),
    };
    let fraction = match nanoseconds % 1_000_000 {
        0 => format!("{:03}", nanoseconds / 1_000_000),
        _ => format!("{nanoseconds:09}"),
    };
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    Some(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction}Z"))
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar of all times. The year is taken to begin
/// in March, so that the leap day is its last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097; // days in 400 years
    let days = days + 719_468; // from 0000-03-01
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + 400 * era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::iso;

    #[test]
    fn times_are_those_of_javascript() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "1970-01-01T00:00:00.000Z"),
            (-1, 999_000_000, "1969-12-31T23:59:59.999Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000Z"),
            (1_709_210_096, 7_000_000, "2024-02-29T12:34:56.007Z"),
            (1_709_210_096, 7, "2024-02-29T12:34:56.000000007Z"),
            (253_402_300_800, 0, "+010000-01-01T00:00:00.000Z"),
            (-62_167_219_201, 0, "-000001-12-31T23:59:59.000Z"),
            (8_640_000_000_000, 0, "+275760-09-13T00:00:00.000Z"),
            (-8_640_000_000_000, 0, "-271821-04-20T00:00:00.000Z"),
        ] {
            assert_eq!(iso(seconds, nanoseconds).as_deref(), Some(text));
        }
        assert_eq!(iso(8_640_000_000_001, 0), None);
        assert_eq!(iso(i64::MIN, 0), None);
        assert_eq!(iso(0, 1_000_000_000), None);
    }
}
