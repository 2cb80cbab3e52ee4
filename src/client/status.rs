//! The statuses that calls return, and the failures that carry them.

use std::fmt;

use super::status_table::STATUSES;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    Ok = 0,
    Deferred = 1,
    Woken = 2,
    InvalidArgument = -1,
    Handle = -2,
    Utf8 = -3,
    Json = -4,
    Option = -5,
    Unsupported = -6,
    QueueFull = -7,
    Timeout = -8,
    Canceled = -9,
    Disconnected = -10,
    NotFound = -11,
    Deadlock = -12,
    Panic = -13,
    Forked = -14,
    System = -15,
    Refused = -16,
    TooLarge = -17,
    Version = -18,
}

impl Status {
    /// The name of a number, as the header has it.
    pub fn name_of(number: i32) -> Option<&'static str> {
        STATUSES.iter().find(|(_, value, _)| *value == number).map(|(name, _, _)| *name)
    }

    /// Name and meaning of a number that is no status.
    pub const UNKNOWN: [&'static str; 2] = ["IM_ERROR_UNKNOWN", "This number is no status of the library."];

    /// All names and meanings.
    pub fn texts() -> impl Iterator<Item = &'static str> {
        STATUSES.into_iter().flat_map(|(name, _, text)| [name, text]).chain(Self::UNKNOWN)
    }

    /// What a number means.
    pub fn text_of(number: i32) -> Option<&'static str> {
        STATUSES.iter().find(|(_, value, _)| *value == number).map(|(_, _, text)| *text)
    }
}

/// Why a call failed, in words that name the thing at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    pub status: Status,
    pub message: String,
}

impl Failed {
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Failed { status, message: message.into() }
    }

    pub fn destroyed() -> Self {
        Failed::new(Status::Handle, "the client was destroyed")
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enum_and_the_table_agree() {
        let all = [
            (Status::Ok, "IM_OK"),
            (Status::Deferred, "IM_DEFERRED"),
            (Status::Woken, "IM_WOKEN"),
            (Status::InvalidArgument, "IM_ERROR_INVALID_ARGUMENT"),
            (Status::Handle, "IM_ERROR_HANDLE"),
            (Status::Utf8, "IM_ERROR_UTF8"),
            (Status::Json, "IM_ERROR_JSON"),
            (Status::Option, "IM_ERROR_OPTION"),
            (Status::Unsupported, "IM_ERROR_UNSUPPORTED"),
            (Status::QueueFull, "IM_ERROR_QUEUE_FULL"),
            (Status::Timeout, "IM_ERROR_TIMEOUT"),
            (Status::Canceled, "IM_ERROR_CANCELED"),
            (Status::Disconnected, "IM_ERROR_DISCONNECTED"),
            (Status::NotFound, "IM_ERROR_NOT_FOUND"),
            (Status::Deadlock, "IM_ERROR_DEADLOCK"),
            (Status::Panic, "IM_ERROR_PANIC"),
            (Status::Forked, "IM_ERROR_FORKED"),
            (Status::System, "IM_ERROR_SYSTEM"),
            (Status::Refused, "IM_ERROR_REFUSED"),
            (Status::TooLarge, "IM_ERROR_TOO_LARGE"),
            (Status::Version, "IM_ERROR_VERSION"),
        ];
        assert_eq!(all.len(), STATUSES.len());
        for (status, name) in all {
            assert_eq!(Status::name_of(status as i32), Some(name));
        }
        assert_eq!(Status::name_of(7), None);
    }
}
