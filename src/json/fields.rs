//! Some fields of a JSON object as the text that they are, found in one pass and without a tree.

use std::borrow::Cow;

use super::Scanner;

/// The values of the named fields; nothing where the text is no object. Of a field that stands twice the last one counts.
pub fn fields<'a, const N: usize>(json: &'a str, names: [&str; N]) -> Option<[Option<&'a str>; N]> {
    let mut found = [None; N];
    let mut scanner = Scanner::new(json);
    if !scanner.pass(b'{') {
        return None;
    }
    let mut more = !scanner.is_before(b'}');
    while more {
        let name = name(next_value(&mut scanner, json)?)?;
        let value = if scanner.pass(b':') { next_value(&mut scanner, json)? } else { return None };
        if let Some(place) = names.iter().position(|wanted| *wanted == name) {
            found[place] = Some(value);
        }
        more = scanner.pass(b',');
    }
    (scanner.pass(b'}') && scanner.is_at_end()).then_some(found)
}

fn next_value<'a>(scanner: &mut Scanner<'_>, json: &'a str) -> Option<&'a str> {
    let start = scanner.at();
    let end = scanner.pass_value()?;
    Some(&json[start..end])
}

/// A field's name, which may be written with escapes.
fn name(raw: &str) -> Option<Cow<'_, str>> {
    match raw.strip_prefix('"')?.strip_suffix('"') {
        Some(plain) if !plain.contains('\\') => Some(plain.into()),
        _ => serde_json::from_str(raw).ok().map(Cow::Owned),
    }
}

/// The text of a string without an escape in it; what stands between its quotes otherwise, or a value's own text.
pub fn bare(json: &str) -> &str {
    json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(json)
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
        for json in ["[]", "1", "", "{\"a\":1", "{} x", "{\"a\"}", "{1:1}", "{\"a\":1,}", "}"] {
            assert_eq!(fields(json, ["a"]), None, "{json}");
        }
        assert_eq!((bare("\"a\""), bare("5"), bare("\"")), ("a", "5", "\""));
    }
}
