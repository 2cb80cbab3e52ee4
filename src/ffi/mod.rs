//! The C ABI. Thin: checks arguments, translates, calls down. All `unsafe` of the crate is in this folder.
//!
//! One file per noun; `guard` contains panics and keeps the last error, `process` has the handles and survives a fork,
//! `exit` stops callbacks when the process ends, `arguments` reads what C gives, `callbacks` calls what C gave.
#![allow(unsafe_code)]

#[cfg(all(target_os = "android", feature = "tls"))]
mod android;
mod arguments;
mod callbacks;
mod client;
mod clocks;
mod constants;
mod credentials;
mod emit;
mod event;
mod exit;
mod guard;
mod library;
mod log;
mod message;
mod mobile;
pub(crate) mod process;
mod pull;
mod subscription;
mod types;

#[cfg(all(target_os = "android", feature = "tls"))]
pub use android::*;
pub use client::*;
pub use constants::*;
pub use credentials::*;
pub use emit::*;
pub use event::*;
pub use library::*;
pub use log::*;
pub use message::*;
pub use mobile::*;
pub use pull::*;
pub use subscription::*;
pub use types::*;
