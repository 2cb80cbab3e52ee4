//! MessagePack, read one value or head at a time.

use super::Malformed;

/// A value, or the head of an array or a map with its number of elements or pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// Also JavaScript's `undefined`, an extension of the official parser.
    Nil,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(&'a str),
    Binary(&'a [u8]),
    Array(u64),
    Map(u64),
    /// Since 1970, and nanoseconds of that second.
    Time(i64, u32),
    Extension(i8, &'a [u8]),
}

/// The extension type of the official parser for what JavaScript has and MessagePack has not.
const JAVASCRIPT: i8 = 0;
/// The extension type of MessagePack itself for times.
const TIMESTAMP: i8 = -1;

pub struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Tokens { rest: bytes }
    }

    /// How many bytes are not read yet.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Passes over a nil, if one is next.
    pub fn skip_nil(&mut self) -> bool {
        let mut ahead = Tokens { rest: self.rest };
        let nil = ahead.next() == Ok(Token::Nil);
        if nil {
            self.rest = ahead.rest;
        }
        nil
    }

    pub fn next(&mut self) -> Result<Token<'a>, Malformed> {
        let marker = self.take(1)?[0];
        Ok(match marker {
            0x00..=0x7f => Token::Integer(marker.into()),
            0x80..=0x8f => Token::Map(u64::from(marker & 0x0f)),
            0x90..=0x9f => Token::Array(u64::from(marker & 0x0f)),
            0xa0..=0xbf => self.text(u64::from(marker & 0x1f))?,
            0xc0 => Token::Nil,
            0xc1 => return Err(Malformed::Reserved),
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4..=0xc6 => Token::Binary(self.sized(marker - 0xc4)?),
            0xc7..=0xc9 => self.extension(marker - 0xc7)?,
            0xca => Token::Float(f32::from_be_bytes(self.array()?).into()),
            0xcb => Token::Float(f64::from_be_bytes(self.array()?)),
            0xcc..=0xcf => Token::Integer(self.unsigned(marker - 0xcc)?.into()),
            0xd0..=0xd3 => Token::Integer(self.signed(marker - 0xd0)?.into()),
            0xd4..=0xd8 => self.fixed_extension(1 << (marker - 0xd4))?,
            0xd9..=0xdb => {
                let length = self.unsigned(marker - 0xd9)?;
                self.text(length)?
            }
            0xdc..=0xdd => Token::Array(self.unsigned(marker - 0xdc + 1)?),
            0xde..=0xdf => Token::Map(self.unsigned(marker - 0xde + 1)?),
            0xe0..=0xff => Token::Integer(marker.cast_signed().into()),
        })
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A number of 1, 2, 4 or 8 bytes, told by the power of two.
    fn unsigned(&mut self, power: u8) -> Result<u64, Malformed> {
        let bytes = self.take(1 << power)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, power: u8) -> Result<i64, Malformed> {
        let unused = 64 - (8 << power);
        Ok((self.unsigned(power)? << unused).cast_signed() >> unused)
    }

    /// Bytes behind their length.
    fn sized(&mut self, power: u8) -> Result<&'a [u8], Malformed> {
        let length = self.unsigned(power)?;
        self.take(length)
    }

    fn text(&mut self, length: u64) -> Result<Token<'a>, Malformed> {
        std::str::from_utf8(self.take(length)?).map(Token::Text).map_err(|_| Malformed::Text)
    }

    /// An extension with a length; the official parser's own is an `ArrayBuffer`.
    fn extension(&mut self, power: u8) -> Result<Token<'a>, Malformed> {
        let length = self.unsigned(power)?;
        let [kind] = self.array()?;
        let data = self.take(length)?;
        Ok(match kind.cast_signed() {
            JAVASCRIPT => Token::Binary(data),
            kind => other(kind, data),
        })
    }

    /// An extension of fixed size; the official parser's own are `undefined` and a `Date` in milliseconds.
    fn fixed_extension(&mut self, length: u64) -> Result<Token<'a>, Malformed> {
        let [kind] = self.array()?;
        let data = self.take(length)?;
        Ok(match (kind.cast_signed(), data) {
            (JAVASCRIPT, [_]) => Token::Nil,
            (JAVASCRIPT, &[a, b, c, d, e, f, g, h]) => date(i64::from_be_bytes([a, b, c, d, e, f, g, h])),
            (kind, data) => other(kind, data),
        })
    }
}

fn date(milliseconds: i64) -> Token<'static> {
    let within = u32::try_from(milliseconds.rem_euclid(1000)).unwrap_or_default();
    Token::Time(milliseconds.div_euclid(1000), within * 1_000_000)
}

/// The three forms of MessagePack's own timestamp, or an extension that only the application knows.
fn other(kind: i8, data: &[u8]) -> Token<'_> {
    match (kind, data) {
        (TIMESTAMP, &[a, b, c, d]) => Token::Time(u32::from_be_bytes([a, b, c, d]).into(), 0),
        (TIMESTAMP, &[a, b, c, d, e, f, g, h]) => {
            let both = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            let nanoseconds = u32::try_from(both >> 34).unwrap_or_default();
            Token::Time((both & ((1 << 34) - 1)).cast_signed(), nanoseconds)
        }
        (TIMESTAMP, &[a, b, c, d, e, f, g, h, i, j, k, l]) => {
            Token::Time(i64::from_be_bytes([e, f, g, h, i, j, k, l]), u32::from_be_bytes([a, b, c, d]))
        }
        (kind, data) => Token::Extension(kind, data),
    }
}
