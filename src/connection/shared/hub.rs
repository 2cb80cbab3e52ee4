//! Which connections there are to share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{
    engine::{Engine, Outcome},
    member::Member,
};
use crate::{
    connection::{
        carrier::{Carrier, Way},
        owner::Attempt,
        search::Opened,
    },
    secret::Secret,
};

/// Two clients share a connection where these are equal: all that their options say about the connection, and the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub options: Secret,
    pub query: Secret,
}

/// A connection belongs to its members and its task: one that is over is not kept here until somebody else comes.
#[derive(Debug, Default)]
pub struct Hub(Mutex<Vec<(Key, Weak<Engine>)>>);

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Vec<(Key, Weak<Engine>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins a connection where there is one that this namespace may use, else opens one.
    pub async fn join<Opening>(
        &self,
        key: &Key,
        namespace: &str,
        open: impl Fn() -> Opening,
    ) -> Result<Way, Vec<Attempt>>
    where
        Opening: std::future::Future<Output = Result<Opened, Vec<Attempt>>>,
    {
        loop {
            let (member, first) = self.enter(key, namespace);
            if first {
                let opening = member.engine().opening();
                match open().await {
                    Ok(opened) => opening.done(opened),
                    Err(attempts) => opening.failed(attempts),
                }
            }
            match member.engine().outcome().await {
                Outcome::Open(opened) => {
                    let (handshake, path, url, asked) = *opened;
                    return Ok(Way { carrier: Carrier::Shared(member), handshake, path, url, asked });
                }
                Outcome::Failed(attempts) => return Err(attempts),
                // Who opened it gave up: somebody else has to.
                Outcome::Abandoned => {}
            }
        }
    }

    /// A part for a namespace, and whether its connection is still to be opened.
    fn enter(&self, key: &Key, namespace: &str) -> (Member, bool) {
        let mut all = self.lock();
        all.retain(|(_, engine)| engine.upgrade().is_some_and(|engine| !engine.is_over()));
        let equal = all.iter().filter(|(other, _)| other == key).filter_map(|(_, engine)| engine.upgrade());
        for engine in equal {
            if let Some(member) = Member::enter(&engine, namespace) {
                return (member, false);
            }
        }
        let (engine, member) = Member::first(namespace);
        all.push((key.clone(), Arc::downgrade(&engine)));
        (member, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_connection_that_is_over_is_not_kept() {
        let (hub, key) = (Hub::default(), Key { options: "{}".into(), query: Secret::default() });
        let (member, first) = hub.enter(&key, "/a");
        assert!(first);
        let (other, first) = hub.enter(&key, "/b");
        assert!(!first);
        let engine = Arc::downgrade(member.engine());
        drop(member);
        assert!(engine.upgrade().is_some());
        drop(other);
        assert!(engine.upgrade().is_none());
    }
}
