//! Some fields of a JSON object as the text that they are, found in one pass and without a tree.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The values of the named fields; nothing where the text is no object. Of a field that stands twice the last one counts.
pub fn fields<'a, const N: usize>(json: &'a str, names: [&str; N]) -> Option<[Option<&'a str>; N]> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let found = reader.deserialize_map(Object(names)).ok()?;
    reader.end().ok()?;
    Some(found)
}

/// The text of a string without an escape in it; what stands between its quotes otherwise, or a value's own text.
pub fn bare(json: &str) -> &str {
    json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(json)
}

struct Object<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Object<'_, N> {
    type Value = [Option<&'de str>; N];

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(place) = map.next_key_seed(Name(&self.0))? {
            match place {
                Some(place) => found[place] = Some(map.next_value::<&RawValue>()?.get()),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// The place of a field's name among those that are asked for.
struct Name<'n>(&'n [&'n str]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| *wanted == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_as_they_were_written() {
        let json = r#" {"b" : [1, 2] ,"a":"x\"y","\u0063":1e3,"d":{"a":0}} "#;
        assert_eq!(fields(json, ["a", "b"]), Some([Some(r#""x\"y""#), Some("[1, 2]")]));
        assert_eq!(fields(json, ["c", "e"]), Some([Some("1e3"), None]), "names may be escaped");
        assert_eq!(fields(r#"{"a":1,"a":2}"#, ["a"]), Some([Some("2")]));
        for json in ["[]", "1", "", "{\"a\":1", "{} x"] {
            assert_eq!(fields(json, ["a"]), None, "{json}");
        }
        assert_eq!((bare("\"a\""), bare("5"), bare("\"")), ("a", "5", "\""));
    }
}
