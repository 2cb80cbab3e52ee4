//! Stands in for the store where the library was built without it.

use std::{path::Path, sync::Arc};

use super::{pool::ThreadStart, Failed, Status};
use crate::log::Log;

#[derive(Debug)]
pub struct Stored {
    pub fingerprint: String,
    pub json: String,
    pub deadline: u64,
}

#[derive(Debug)]
pub struct Contents {
    pub messages: Vec<Stored>,
    pub seen: Vec<String>,
}

#[derive(Default)]
pub struct Stores(());

/// Never made: without a store there are no parts of it.
pub enum Drawer {}

impl Stores {
    pub fn open(
        &self,
        _: &Path,
        _: &str,
        _: &Arc<Log>,
        _: ThreadStart,
    ) -> Result<(Drawer, Contents), Failed> {
        let missing = "the option \"store\": this library was built without the feature \"store\"";
        Err(Failed::new(Status::Option, missing))
    }

    pub fn close(&self, drawer: &Drawer, _: &[String], _: bool) {
        match *drawer {}
    }
}

impl Drawer {
    pub fn take(&self, _: &str) -> bool {
        match *self {}
    }

    pub fn put(&self, _: Stored) -> Result<(), Failed> {
        match *self {}
    }

    pub fn remove(&self, _: &str) {
        match *self {}
    }

    pub fn leave(&self, _: &str) {
        match *self {}
    }

    pub fn seen(&self, _: String) {
        match *self {}
    }

    pub fn suspend(&self) {
        match *self {}
    }

    pub fn resume(&self) -> Result<(), Failed> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_names_the_feature_that_is_missing() {
        let opened = Stores::default().open(Path::new("im.store"), "a", &Arc::default(), || {});
        let failed = opened.err().unwrap();
        assert_eq!(failed.status, Status::Option);
        assert!(
            failed.message.contains("the option \"store\"") && failed.message.contains("feature \"store\"")
        );
    }
}
