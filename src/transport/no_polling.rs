//! Stands in for long-polling where the library was built without it.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use super::{Dialer, Frame, Lost, Progress, Step, Terms, TransportError, WebSocket};
use crate::engineio::{self, Handshake, Revision};

/// Never made: without long-polling there is no such connection.
pub enum Polling {}

impl Polling {
    pub async fn connect(_: &Arc<Dialer>, _: Terms, _: &Progress) -> Result<Self, TransportError> {
        let missing = "this library was built without the feature \"polling\"";
        Err(TransportError::new(Step::Upgrade, missing))
    }

    pub fn begin(&mut self, _: &Handshake) {
        match *self {}
    }

    pub fn revision(&self) -> Revision {
        match *self {}
    }

    pub fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Result<Option<Frame>, Lost>> {
        match *self {}
    }

    pub fn take_upgraded(&mut self) -> Option<WebSocket> {
        match *self {}
    }

    pub fn take_upgrade_failure(&mut self) -> Option<String> {
        match *self {}
    }

    pub fn set_paused(&mut self, _: bool) {
        match *self {}
    }

    pub fn has_room(&self) -> bool {
        match *self {}
    }

    pub fn send(&mut self, _: engineio::Frame) {
        match *self {}
    }

    pub fn send_check(&mut self, _: Revision) {
        match *self {}
    }

    pub fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        match *self {}
    }

    pub async fn close(&mut self) {
        match *self {}
    }
}

/// Only sessions of long-polling need goodbyes of their own.
#[derive(Default)]
pub struct Farewells(());

impl Farewells {
    pub async fn wait(&self, _: Duration) {}
}
