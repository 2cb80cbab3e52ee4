//! The IM layer, tested against the Egg server that its reference was written for.

mod chat;
mod codes;
pub mod kit;
mod messages;
mod names;
mod pulls;
mod qr_login;
mod query;
mod receipts;
mod sending;
