//! What users of other clients complain about and no test of a single part shows; docs/complaints.md has them all.

mod connecting;
mod hosts;
