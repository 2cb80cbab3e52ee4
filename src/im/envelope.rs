//! `{"meta": {..}, "code": n, "data": {"action": .., "payload": ..}}`: what every event of an IM server carries.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An envelope whose payload is still text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub code: i64,
    /// JSON; `null` where there is none.
    pub payload: &'a str,
}

impl<'a> Envelope<'a> {
    /// Reads an event's argument; nothing if it is no envelope.
    pub fn parse(json: &'a str) -> Option<Self> {
        let Outer { code, payload } = serde_json::from_str(json).ok()?;
        Some(Envelope { code: code?, payload: payload.unwrap_or("null") })
    }
}

struct Outer<'a> {
    code: Option<i64>,
    payload: Option<&'a str>,
}

/// Defines a struct's `Deserialize` that takes some fields of an object and passes over the rest, without derive macros.
struct OuterVisitor;
struct DataVisitor;
struct Data<'a>(Option<&'a str>);

impl<'de> Deserialize<'de> for Outer<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OuterVisitor)
    }
}

impl<'de> Visitor<'de> for OuterVisitor {
    type Value = Outer<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut outer = Outer { code: None, payload: None };
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "code" => outer.code = number(map.next_value()?),
                "data" => {
                    let raw: &RawValue = map.next_value()?;
                    outer.payload = serde_json::from_str::<Data>(raw.get()).ok().and_then(|data| data.0);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(outer)
    }
}

impl<'de> Deserialize<'de> for Data<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DataVisitor)
    }
}

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("the data of an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut payload = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "payload" => payload = Some(map.next_value::<&RawValue>()?.get()),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Data(payload))
    }
}

fn number(raw: &RawValue) -> Option<i64> {
    let value: serde_json::Value = serde_json::from_str(raw.get()).ok()?;
    value.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_stays_as_it_was_written() {
        let json = r#"{"meta":{"timestamp":1},"code":0,"data":{"action":"CHAT_MESSAGE","payload":{"big":12345678901234567890123, "a":1}}}"#;
        let envelope = Envelope::parse(json).unwrap();
        assert_eq!(envelope, Envelope { code: 0, payload: r#"{"big":12345678901234567890123, "a":1}"# });
        assert_eq!(Envelope::parse(r#"{"code":20004,"data":null}"#).unwrap().payload, "null");
        assert_eq!(Envelope::parse(r#"{"code":1}"#).unwrap().payload, "null");
    }

    #[test]
    fn what_is_no_envelope_is_none() {
        for json in ["null", "[]", "\"x\"", "{}", r#"{"code":"0"}"#, r#"{"code":null,"data":{}}"#] {
            assert_eq!(Envelope::parse(json), None, "{json}");
        }
    }
}
