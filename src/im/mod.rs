//! What an IM server's events mean: names, envelope, messages, and what the client does by itself. No input or output here.
//!
//! * `event_table`: the one list of events (the header is made from it too)
//! * `names`: the two naming styles
//! * `envelope`: `{meta, code, data: {action, payload}}`
//! * `reactions`: what the client does by itself after an event
//! * `message`: messages made, compared, and found again by their fingerprint
//! * `outbox`: messages on their way: what to send next, what is answered, what expires
//! * `dedupe`: messages that the caller has had before

mod dedupe;
mod envelope;
mod event_table;
mod message;
mod names;
mod outbox;
mod reactions;

#[cfg(feature = "store")]
pub use dedupe::MOST_SEEN;
pub use dedupe::{copy_key, screen, Screened, Seen};
pub use envelope::Envelope;
pub use message::{create_message, fingerprint_of, timeline_id, unique_messages, with_fingerprint};
pub use names::{canonical, im_event, EventNames};
pub use outbox::{Message, Outbox, Refusal, MOST_ABANDONED};
pub use reactions::{
    after_delivery, ends_session, on_connect, refuses_message, Emit, Reaction, CODE_OTHER_DEVICE,
};

/// The namespace in which messages travel.
pub const CHAT: &str = "/chat";
/// The namespace of the QR-code login.
pub const SSO: &str = "/sso";
