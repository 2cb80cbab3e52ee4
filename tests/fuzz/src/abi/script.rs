//! Reads choices from the input.

use std::ffi::{c_char, CString};

/// What callers write, and what they should not.
const TEXTS: &[&str] = &[
    r#"{"root":"http://127.0.0.1:9","nsp":"chat","autoConnect":false}"#,
    r#"{"root":"http://127.0.0.1:9","nsp":"chat","autoConnect":false,"delivery":"manual"}"#,
    r#"{"root":"http://127.0.0.1:9","nsp":"chat","reconnectionDelay":1,"transports":["websocket"],"path":"/ws"}"#,
    r#"{"root":"http://127.0.0.1:9","nsp":"/","autoConnect":false,"parser":"msgpack","sendQueueBytes":200}"#,
    r#"{"root":"http://127.0.0.1:9","nsp":"chat","autoConnect":false,"multiplex":true,"retries":2,"receiveQueueBytes":300}"#,
    "message",
    "c_message",
    "connect",
    "disconnect",
    "im_error",
    "",
    "1",
    "null",
    r#"{"code":0,"data":{"payload":{"_id":"1","from":"a","to":"b","fp":"c"}}}"#,
    r#"{"from":"a","to":"b","content":"hi","type":1,"fp":"0123456789"}"#,
    r#"[{"_id":"1"},{"_id":"1"}]"#,
    r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#,
    r#"{"token":"t","userId":"111"}"#,
    "[",
    "{\"root\":7}",
];

const ARRAYS: &[&str] = &[
    r#"["message",1]"#,
    r#"["c_message",{"code":0,"data":{"payload":{"_id":"1","from":"a","to":"b","fp":"c"}}}]"#,
    r#"["im_error",{"code":20004}]"#,
    r#"["to_ack",{"code":0,"data":{"payload":{"fp":"0123456789"}}}]"#,
    r#"["message",{"_placeholder":true,"num":0}]"#,
    "[\"message\"]",
    "[7]",
];

pub struct Script<'a> {
    rest: &'a [u8],
}

/// A text of the script, or none.
pub struct Text(Option<CString>);

impl Text {
    pub fn pointer(&self) -> *const c_char {
        self.0.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
    }
}

impl<'a> Script<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Script { rest: data }
    }

    pub fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    /// 0 at the end.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    pub fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// Up to 31 bytes of the script.
    pub fn data(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte() % 32).min(self.rest.len());
        let (data, rest) = self.rest.split_at(len);
        self.rest = rest;
        data
    }

    /// A null pointer, one of the known texts, or whatever the script has, which is UTF-8 only if it happens to be.
    pub fn text(&mut self) -> Text {
        let choice = usize::from(self.byte());
        if choice == 255 {
            return Text(None);
        }
        if let Some(known) = TEXTS.get(choice % (TEXTS.len() + 4)) {
            return Text(CString::new(*known).ok());
        }
        let data: Vec<u8> = self.data().iter().copied().filter(|byte| *byte != 0).collect();
        Text(CString::new(data).ok())
    }

    /// The array of an event; valid or not.
    pub fn array(&mut self) -> String {
        let choice = usize::from(self.byte());
        match ARRAYS.get(choice % (ARRAYS.len() + 2)) {
            Some(known) => (*known).to_owned(),
            None => String::from_utf8_lossy(self.data()).into_owned(),
        }
    }

    /// The length of a text, or a shorter one; of none, zero.
    pub fn length(&mut self, text: *const c_char) -> usize {
        if text.is_null() {
            return 0;
        }
        // SAFETY: a text of this script, NUL-terminated.
        let whole = unsafe { std::ffi::CStr::from_ptr(text) }.count_bytes();
        match self.byte() {
            0..=3 => whole / 2,
            _ => whole,
        }
    }
}
