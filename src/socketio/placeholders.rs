//! Placeholders: the objects `{"_placeholder":true,"num":0}` that stand for a packet's binary attachments.

/// The official parsers take so many attachments per packet, and close on more.
pub const MAX_ATTACHMENTS: usize = 10;

/// An object or an array that is being read.
#[derive(Default)]
struct Container {
    placeholder: bool,
    num: Option<usize>,
}

/// What the value that comes next belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Placeholder,
    Num,
    Other,
}

/// The `num` of every placeholder in a text of valid JSON values; none for one whose `num` is missing or no whole number.
///
/// One pass without a tree: what is nested deeper than a parser's limit is found as well.
pub fn placeholders(json: &str) -> Vec<Option<usize>> {
    let mut found = Vec::new();
    // The name may be written with escapes.
    if !json.contains("_placeholder") && !json.contains("\\u") {
        return found;
    }
    let (mut open, mut key, mut at) = (Vec::<Container>::new(), Key::Other, 0);
    while let Some(&byte) = json.as_bytes().get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                open.push(Container::default());
                key = Key::Other;
            }
            b'}' | b']' => {
                found.extend(open.pop().filter(|closed| closed.placeholder).map(|closed| closed.num));
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                let start = at - 1;
                at = end_of_scalar(json, start);
                let text = &json[start..at];
                if byte == b'"' && json[at..].trim_start().starts_with(':') {
                    key = key_of(text);
                } else if let Some(inner) = open.last_mut() {
                    match std::mem::replace(&mut key, Key::Other) {
                        Key::Placeholder => inner.placeholder = text == "true",
                        Key::Num => inner.num = text.parse().ok(),
                        Key::Other => {}
                    }
                }
            }
        }
    }
    found
}

/// Where the string, number or word ends that begins at `start`.
fn end_of_scalar(json: &str, start: usize) -> usize {
    let bytes = &json.as_bytes()[start..];
    let length = match bytes[0] {
        b'"' => {
            let mut escaped = false;
            let end = bytes[1..].iter().position(|&byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            });
            end.map(|end| end + 2)
        }
        _ => bytes.iter().position(|byte| b",]} \t\r\n".contains(byte)),
    };
    start + length.unwrap_or(bytes.len())
}

fn key_of(text: &str) -> Key {
    let is = |name: &str| match text.contains('\\') {
        true => serde_json::from_str::<String>(text).is_ok_and(|key| key == name),
        false => text[1..text.len() - 1] == *name,
    };
    match () {
        () if is("_placeholder") => Key::Placeholder,
        () if is("num") => Key::Num,
        () => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_anywhere() {
        for (json, nums) in [
            (r#"{"_placeholder":true,"num":0}"#, vec![Some(0)]),
            (
                r#"1,{"a":[{ "num" : 3 , "_placeholder" : true }],"b":{"_placeholder":true,"num":1}}"#,
                vec![Some(3), Some(1)],
            ),
            (r#"{"\u005fplaceholder":true,"n\u0075m":2}"#, vec![Some(2)]),
            (r#"{"_placeholder":true}"#, vec![None]),
            (r#"{"_placeholder":true,"num":-1}"#, vec![None]),
            (r#"{"_placeholder":true,"num":"0"}"#, vec![None]),
            (r#"{"_placeholder":true,"num":99999999999999999999}"#, vec![None]),
            (r#"{"_placeholder":true,"num":[0]}"#, vec![None]),
            (r#"{"x":{"_placeholder":true,"num":1},"num":5,"_placeholder":true}"#, vec![Some(1), Some(5)]),
        ] {
            assert_eq!(placeholders(json), nums, "{json}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for json in [
            "",
            "1",
            r#""_placeholder""#,
            r#"{"_placeholder":"true","num":0}"#,
            r#"{"_placeholder":false,"num":0}"#,
            r#"["_placeholder",true,"num",0]"#,
            r#"{"x":"{\"_placeholder\":true,\"num\":0}"}"#,
            r#"{"a\\":"\\\"","_placeholder":[true],"num":0}"#,
        ] {
            assert!(placeholders(json).is_empty(), "{json}");
        }
    }

    #[test]
    fn deep_nesting_hides_none() {
        let deep =
            format!("{}{{\"_placeholder\":true,\"num\":0}}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(placeholders(&deep), [Some(0)]);
    }
}
