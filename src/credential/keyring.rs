//! An entry of the system's keyring. Each call runs on a thread of its own and is given up when its time is over: a
//! keyring that never answers, or a window that nobody sees, must not hold this program.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{CredentialError, system};
use crate::model::secret::PlainKey;

/// How long the keyring may take where nobody is asked anything, in seconds.
const BRIEF: u64 = 3;

/// How long a person has to unlock it, in seconds.
const UNLOCKING: u64 = 60;

/// How long a call may take, and whether the keyring may ask a person to unlock it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Nobody is asked.
    Brief,
    /// Somebody is there, and knows what the window is for.
    Unlocking,
}

impl Patience {
    pub(super) const fn seconds(self) -> u64 {
        match self {
            Self::Brief => BRIEF,
            Self::Unlocking => UNLOCKING,
        }
    }
}

/// One secret in the keyring, by the two names that every keyring knows it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(super) service: String,
    pub(super) account: String,
    /// What a person sees in the keyring's own window, where there is one.
    pub(super) label: String,
}

impl Entry {
    pub(crate) fn new(service: &str, account: &str) -> Self {
        Self { service: service.to_owned(), account: account.to_owned(), label: format!("{service}/{account}") }
    }

    pub(super) fn labelled(self, label: String) -> Self {
        Self { label, ..self }
    }

    /// Finds out whether the keyring answers, is unlocked, and keeps what it is given: by an entry beside this one, which
    /// is gone again afterwards.
    pub(crate) fn check(&self, patience: Patience) -> Result<(), CredentialError> {
        within(patience, move || system::check(patience))?;
        let mark = format!("{} (a check by keys, process {})", self.account, std::process::id());
        let (beside, value) = (Self::new(&self.service, &mark), Zeroizing::new(mark.into_bytes()));
        let (entry, given) = (beside.clone(), value.clone());
        within(patience, move || system::set(&entry, &given, patience))?;
        let entry = beside.clone();
        let kept = within(patience, move || system::get(&entry, patience));
        beside.delete(patience)?;
        if kept?.is_some_and(|kept| kept == value) { Ok(()) } else { Err(CredentialError::NotReadBack) }
    }

    pub(crate) fn get(&self, patience: Patience) -> Result<Option<PlainKey>, CredentialError> {
        let entry = self.clone();
        let content = within(patience, move || system::get(&entry, patience))?;
        content.map(parse).transpose()
    }

    /// Stores a secret, and reads it back by a call of its own.
    pub(crate) fn set(&self, plain: &PlainKey, patience: Patience) -> Result<(), CredentialError> {
        let (entry, secret) = (self.clone(), Zeroizing::new(plain.expose().as_bytes().to_vec()));
        within(patience, move || system::set(&entry, &secret, patience))?;
        match self.get(patience)? {
            Some(read) if read.expose() == plain.expose() => Ok(()),
            _ => Err(CredentialError::NotReadBack),
        }
    }

    /// Removes the secret, and says whether there was one.
    pub(crate) fn delete(&self, patience: Patience) -> Result<bool, CredentialError> {
        let entry = self.clone();
        within(patience, move || system::delete(&entry, patience))
    }
}

/// Takes what was stored for a key, without ever quoting it.
pub(super) fn parse(mut content: Zeroizing<Vec<u8>>) -> Result<PlainKey, CredentialError> {
    let text = String::from_utf8(std::mem::take(&mut *content)).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        CredentialError::NotAKey(crate::model::secret::NotAKey::NotOneLine)
    })?;
    PlainKey::parse(&Zeroizing::new(text)).map_err(CredentialError::NotAKey)
}

/// Runs a call to the keyring, and gives it up after its time. The thread that still waits ends with the process.
fn within<T: Send + 'static>(
    patience: Patience,
    call: impl FnOnce() -> Result<T, CredentialError> + Send + 'static,
) -> Result<T, CredentialError> {
    let (answer, answered) = sync_channel(1);
    thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || answer.send(call()))
        .map_err(|error| CredentialError::Failed(format!("no thread could be started: {error}")))?;
    match answered.recv_timeout(Duration::from_secs(patience.seconds())) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(CredentialError::Silent),
        Err(RecvTimeoutError::Disconnected) => {
            Err(CredentialError::Failed("it sent what cannot be understood".to_owned()))
        }
    }
}
