//! What an event or an answer carries: JSON values, and the binary attachments that placeholders in them stand for.

use std::borrow::Cow;

use super::{Failed, Status};
use crate::socketio::{placeholders, MAX_ATTACHMENTS};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload<'a> {
    /// JSON values joined by commas.
    pub arguments: Cow<'a, str>,
    pub attachments: Vec<Vec<u8>>,
}

/// Valid JSON: one value, or several joined by commas.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<'a> {
    pub text: &'a str,
    /// Only then they are looked for.
    pub may_have_placeholders: bool,
}

impl<'a> Payload<'a> {
    /// Checks arguments against the attachments. Where the caller placed none of them, they become further arguments, in their
    /// order.
    ///
    /// Every attachment has to be named once: no official encoder writes anything else, so no decoder is bound to take it.
    pub fn new(json: Json<'a>, attachments: &[&[u8]]) -> Result<Self, Failed> {
        Self::takes(attachments.len())?;
        let arguments = json.text;
        let named = if json.may_have_placeholders { placeholders(arguments) } else { Vec::new() };
        if !(named.is_empty() && attachments.is_empty()) {
            check(&named, attachments.len()).map_err(|fault| Failed::new(Status::InvalidArgument, fault))?;
        }
        let arguments = match named.is_empty() {
            true => with_placeholders(arguments, attachments.len()),
            false => arguments.into(),
        };
        Ok(Payload { arguments, attachments: attachments.iter().map(|data| data.to_vec()).collect() })
    }

    /// Checks a number of attachments.
    pub fn takes(count: usize) -> Result<(), Failed> {
        if count <= MAX_ATTACHMENTS {
            return Ok(());
        }
        let message = format!(
            "{count} attachments; a packet takes at most {MAX_ATTACHMENTS}, for the official servers close on more"
        );
        Err(Failed::new(Status::InvalidArgument, message))
    }
}

fn check(named: &[Option<usize>], count: usize) -> Result<(), String> {
    if count == 0 {
        return Err(
            "an object with \"_placeholder\": true stands for a binary attachment, and none is given".into(),
        );
    }
    let mut seen = [false; MAX_ATTACHMENTS];
    for num in named {
        let num = num.ok_or("a placeholder whose \"num\" is no whole number from 0 on")?;
        if num >= count {
            return Err(format!(
                "a placeholder with \"num\": {num}, but {count} attachments, counted from 0"
            ));
        }
        if std::mem::replace(&mut seen[num], true) {
            return Err(format!("two placeholders with \"num\": {num}; each attachment has one place"));
        }
    }
    match seen[..count].iter().position(|seen| !seen) {
        Some(num) if !named.is_empty() => {
            Err(format!("attachment {num} is named by no placeholder, though others are"))
        }
        _ => Ok(()),
    }
}

fn with_placeholders(arguments: &str, count: usize) -> Cow<'_, str> {
    if count == 0 {
        return arguments.into();
    }
    let own = (!arguments.is_empty()).then(|| arguments.to_owned());
    let more = (0..count).map(|num| format!("{{\"_placeholder\":true,\"num\":{num}}}"));
    own.into_iter().chain(more).collect::<Vec<_>>().join(",").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json<'_> {
        Json { text, may_have_placeholders: true }
    }

    const ZERO: &str = r#"{"_placeholder":true,"num":0}"#;
    const ONE: &str = r#"{"_placeholder":true,"num":1}"#;

    #[test]
    fn attachments_without_a_place_become_arguments() {
        let arguments =
            |given, blobs: &[&[u8]]| Payload::new(json(given), blobs).unwrap().arguments.into_owned();
        assert_eq!(arguments("1", &[]), "1");
        assert_eq!(arguments("", &[b"a"]), ZERO);
        assert_eq!(arguments("1,2", &[b"a", b""]), format!("1,2,{ZERO},{ONE}"));
        let placed = format!("{{\"x\":[{ONE},{ZERO}]}}");
        assert_eq!(arguments(&placed, &[b"a", b"b"]), placed);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let both = format!("{ZERO},{ONE}");
        for (arguments, count, fault) in [
            (ZERO, 0, "none is given"),
            (ONE, 1, "\"num\": 1, but 1 attachments"),
            (ZERO, 2, "attachment 1 is named by no placeholder"),
            (&format!("{ZERO},{ZERO}"), 1, "two placeholders with \"num\": 0"),
            (r#"{"_placeholder":true,"num":-1}"#, 1, "no whole number"),
            ("1", 11, "11 attachments; a packet takes at most 10"),
            (&both, 1, "\"num\": 1"),
        ] {
            let failed = Payload::new(json(arguments), &vec![&b"x"[..]; count]).unwrap_err();
            assert!(failed.message.contains(fault), "{arguments}: {failed}");
            assert_eq!(failed.status, Status::InvalidArgument);
        }
        assert_eq!(Payload::new(json(""), &[&b"x"[..]; 10]).unwrap().attachments.len(), 10);
    }
}
