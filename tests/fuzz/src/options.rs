//! The options: any text is taken, or refused with a reason.

use im_client::internals::check_options;

pub fn options(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(reason) = check_options(text) {
        assert!(!reason.is_empty());
    }
    // The same members behind a root, so that the others are reached.
    let Some(members) = text.trim_start().strip_prefix('{') else { return };
    if let Err(reason) =
        check_options(&format!("{{\"root\":\"http://127.0.0.1:9\",\"nsp\":\"chat\",{members}"))
    {
        assert!(!reason.is_empty());
    }
}
