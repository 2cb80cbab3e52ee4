//! The envelope of IM events: what is found in place is what a parser finds.

use im_client::internals::Envelope;
use serde_json::Value;

pub fn envelope(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(found) = Envelope::parse(text) else { return };
    let Ok(parsed) = serde_json::from_str::<Value>(text) else {
        // An envelope stands in the arguments of an event, which are valid: of other texts anything may be said.
        return;
    };
    // As a float too, for serde_json takes -0 for one.
    let code = &parsed["code"];
    assert!(code.as_i64() == Some(found.code) || code.as_f64() == Some(found.code as f64), "{code}");
    assert_eq!(serde_json::from_str::<Value>(found.payload).ok().as_ref(), Some(&parsed["data"]["payload"]));
}
