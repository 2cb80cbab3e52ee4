//! JSON text as a MessagePack value, written while it is read. Numbers are what `JSON.parse` makes of them: whole ones up
//! to 2^53 go out as integers, all others as 64-bit floats. Heads are the shortest, as the official parser writes them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Beyond this not every integer is a float.
const MOST_EXACT: i64 = 1 << 53;

/// The markers of an array or a map: with the count in it, with a count of 16 bits, of 32 bits.
struct Markers(u8, u8, u8);
const ARRAY: Markers = Markers(0x90, 0xdc, 0xdd);
const MAP: Markers = Markers(0x80, 0xde, 0xdf);

pub struct Writer<'a> {
    out: Vec<u8>,
    /// What placeholders stand for.
    attachments: &'a [Vec<u8>],
}

impl<'a> Writer<'a> {
    pub fn new(attachments: &'a [Vec<u8>]) -> Self {
        Writer { out: Vec::new(), attachments }
    }

    pub fn done(self) -> Vec<u8> {
        self.out
    }

    /// Writes the value of a JSON text.
    pub fn json(&mut self, text: &str) -> Result<(), serde_json::Error> {
        let sizes = self.attachments.iter().map(Vec::len);
        if sizes.chain([text.len()]).any(|size| u32::try_from(size).is_err()) {
            return Err(Error::custom("4 GiB or more in one piece"));
        }
        self.out.reserve(text.len());
        let mut deserializer = serde_json::Deserializer::from_str(text);
        self.deserialize(&mut deserializer)?;
        deserializer.end()
    }

    /// Writes the head of a map of less than 16 pairs.
    pub fn map(&mut self, count: usize) {
        self.out.push(MAP.0 | lowest(count));
    }

    pub fn text(&mut self, text: &str) {
        match text.len() {
            length @ 0..=0x1f => self.sized(&[0xa0 | lowest(length)], 0, length),
            length @ 0x20..=0xff => self.sized(&[0xd9], 1, length),
            length @ 0x100..=0xffff => self.sized(&[0xda], 2, length),
            length => self.sized(&[0xdb], 4, length),
        }
        self.out.extend_from_slice(text.as_bytes());
    }

    fn binary(&mut self, data: &[u8]) {
        match data.len() {
            length @ 0..=0xff => self.sized(&[0xc4], 1, length),
            length @ 0x100..=0xffff => self.sized(&[0xc5], 2, length),
            length => self.sized(&[0xc6], 4, length),
        }
        self.out.extend_from_slice(data);
    }

    /// Writes an integer of 64 bits, with a sign or without.
    pub fn integer(&mut self, value: i128) {
        let bytes = value.to_be_bytes();
        let (marker, width): (&[u8], usize) = match value {
            -0x20..=0x7f => (&[], 1),
            0x80..=0xff => (&[0xcc], 1),
            0x100..=0xffff => (&[0xcd], 2),
            0x1_0000..=0xffff_ffff => (&[0xce], 4),
            0x1_0000_0000.. => (&[0xcf], 8),
            -0x80..=-0x21 => (&[0xd0], 1),
            -0x8000..=-0x81 => (&[0xd1], 2),
            -0x8000_0000..=-0x8001 => (&[0xd2], 4),
            _ => (&[0xd3], 8),
        };
        self.out.extend_from_slice(marker);
        self.out.extend_from_slice(&bytes[bytes.len() - width..]);
    }

    fn float(&mut self, value: f64) {
        self.out.push(0xcb);
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    /// A marker, and a length of so many bytes.
    fn sized(&mut self, marker: &[u8], width: usize, length: usize) {
        let bytes = length.to_be_bytes();
        self.out.extend_from_slice(marker);
        self.out.extend_from_slice(&bytes[bytes.len() - width..]);
    }

    /// Leaves room for the head of an array or a map whose count is not known yet.
    fn open(&mut self) -> usize {
        self.out.push(0);
        self.out.len() - 1
    }

    fn close<E: Error>(&mut self, at: usize, count: usize, markers: &Markers) -> Result<(), E> {
        if count < 0x10 {
            self.out[at] = markers.0 | lowest(count);
            return Ok(());
        }
        let count = u32::try_from(count).map_err(|_| E::custom("too many elements"))?;
        let [a, b, c, d] = count.to_be_bytes();
        match count {
            0..=0xffff => drop(self.out.splice(at..=at, [markers.1, c, d])),
            _ => drop(self.out.splice(at..=at, [markers.2, a, b, c, d])),
        }
        Ok(())
    }
}

fn lowest(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

/// What was written, as far as it matters in a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    True,
    Number(u64),
    Other,
}

impl<'de> DeserializeSeed<'de> for &mut Writer<'_> {
    type Value = Written;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Written, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Writer<'_> {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Written, E> {
        self.out.push(0xc0);
        Ok(Written::Other)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Written, E> {
        self.out.push(if value { 0xc3 } else { 0xc2 });
        Ok(if value { Written::True } else { Written::Other })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Written, E> {
        match value <= MOST_EXACT.unsigned_abs() {
            true => self.integer(value.into()),
            false => self.float(value as f64),
        }
        Ok(Written::Number(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Written, E> {
        match value.unsigned_abs() <= MOST_EXACT.unsigned_abs() {
            true => self.integer(value.into()),
            false => self.float(value as f64),
        }
        Ok(Written::Other)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Written, E> {
        let whole = value.fract() == 0.0 && value.abs() <= MOST_EXACT as f64;
        let negative_zero = value == 0.0 && value.is_sign_negative();
        #[allow(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
        match whole && !negative_zero {
            true => self.integer((value as i64).into()),
            false => self.float(value),
        }
        Ok(Written::Other)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Written, E> {
        self.text(value);
        Ok(Written::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Written, A::Error> {
        let (at, mut count) = (self.open(), 0);
        while seq.next_element_seed(&mut *self)?.is_some() {
            count += 1;
        }
        self.close(at, count, &ARRAY)?;
        Ok(Written::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
        let (at, mut count) = (self.open(), 0);
        let (mut flag, mut number) = (Written::Other, Written::Other);
        while let Some(key) = map.next_key::<String>()? {
            self.text(&key);
            let written = map.next_value_seed(&mut *self)?;
            match &*key {
                "_placeholder" => flag = written,
                "num" => number = written,
                _ => {}
            }
            count += 1;
        }
        match self.attachment_of(flag, number) {
            Some(data) => {
                self.out.truncate(at);
                self.binary(data);
            }
            None => self.close(at, count, &MAP)?,
        }
        Ok(Written::Other)
    }
}

impl<'a> Writer<'a> {
    /// What a placeholder stands for. One without its attachment is an object like any other.
    fn attachment_of(&self, flag: Written, number: Written) -> Option<&'a [u8]> {
        match (flag, number) {
            (Written::True, Written::Number(number)) => {
                self.attachments.get(usize::try_from(number).ok()?).map(Vec::as_slice)
            }
            _ => None,
        }
    }
}
