//! Which connections there are to share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

#[derive(Debug, Default)]
pub struct Hub(Mutex<Vec<(Key, Arc<Engine>)>>);

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Vec<(Key, Arc<Engine>)>> {
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
        all.retain(|(_, engine)| !engine.is_over());
        let equal = all.iter().filter(|(other, _)| other == key);
        for (_, engine) in equal {
            if let Some(member) = Member::enter(engine, namespace) {
                return (member, false);
            }
        }
        let (engine, member) = Member::first(namespace);
        all.push((key.clone(), engine));
        (member, true)
    }
}
