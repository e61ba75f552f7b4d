//! `keyring:SERVICE/ACCOUNT`: an entry of the system's keyring, where other programs find it by the same two names:
//! `secret-tool lookup service SERVICE username ACCOUNT`. What was there under these names is replaced.

use super::error::Reason;
use super::{Delivery, Sink};
use crate::credential::{Entry, Patience};

/// An entry that will be written.
pub(super) struct KeyringSink(Entry);

impl KeyringSink {
    /// Finds out that the keyring answers, is unlocked and keeps what it is given.
    pub(super) fn prepare(service: &str, account: &str) -> Result<Self, Reason> {
        let entry = Entry::new(service, account);
        entry.check(Patience::Brief)?;
        Ok(Self(entry))
    }
}

impl Sink for KeyringSink {
    fn deliver(self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        Ok(self.0.set(delivery.plain, Patience::Brief)?)
    }
}
