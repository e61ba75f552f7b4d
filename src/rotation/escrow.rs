//! Escrow: where the one copy of a new plaintext is safe until it is delivered. The keyring of the system; where there
//! is none, a private file beside the journal, for which there is room before the key is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use super::journal::Journal;
use crate::credential::{CredentialError, CredentialStore, Entry, Patience};
use crate::files::{self, FileError, PreparedFile};
use crate::model::rotation::Kept;
use crate::model::secret::PlainKey;

/// The service under which the entries are in the keyring.
const SERVICE: &str = "keys";

/// Room for the longest key.
const RESERVE: usize = 1024;

/// Keeps the plaintexts of one run.
#[derive(Clone)]
pub(crate) struct Escrow {
    journal: Journal,
    /// Whether the keyring is asked: not where everything is within this machine anyway, and not again once it failed,
    /// because some take seconds to say so.
    keyring: Arc<AtomicBool>,
}

impl Escrow {
    pub(crate) fn new(journal: Journal, keyring: bool) -> Self {
        Self { journal, keyring: Arc::new(AtomicBool::new(keyring)) }
    }

    fn has_keyring(&self) -> bool {
        self.keyring.load(Ordering::Relaxed)
    }

    fn do_without_keyring(&self) {
        self.keyring.store(false, Ordering::Relaxed);
    }

    /// Makes room for a plaintext.
    pub(super) fn prepare(&self, id: &str) -> Result<PreparedFile, FileError> {
        PreparedFile::new(&self.journal.rescue_path(id), RESERVE)
    }

    /// Keeps a plaintext, and says where.
    pub(super) fn keep(&self, rescue: Option<PreparedFile>, id: &str, plain: &PlainKey) -> Result<Kept, FileError> {
        if self.has_keyring() {
            if entry(id).set(plain, Patience::Brief).is_ok() {
                return Ok(Kept::Keyring);
            }
            self.do_without_keyring();
        }
        let mut line = Zeroizing::new(Vec::with_capacity(plain.expose().len() + 1));
        line.extend_from_slice(plain.expose().as_bytes());
        line.push(b'\n');
        rescue.map_or_else(|| self.prepare(id), Ok)?.commit(&line)?;
        Ok(Kept::File)
    }

    pub(super) fn fetch(&self, id: &str, kept: Kept) -> Result<PlainKey, CredentialError> {
        let found = match kept {
            Kept::Keyring => entry(id).get(Patience::Brief),
            Kept::File => CredentialStore::File(self.journal.rescue_path(id)).get(Patience::Brief),
        };
        found?.ok_or_else(|| CredentialError::Failed("what was kept there is gone".to_owned()))
    }

    /// Deletes a plaintext wherever it is. What an earlier run kept without being able to note it goes too.
    pub(super) fn drop(&self, id: &str, kept: Option<Kept>, resumed: bool) -> Result<(), CredentialError> {
        files::remove(&self.journal.rescue_path(id))?;
        if kept == Some(Kept::Keyring) {
            entry(id).delete(Patience::Brief)?;
        } else if resumed && self.has_keyring() && entry(id).delete(Patience::Brief).is_err() {
            // Nothing says that there is anything.
            self.do_without_keyring();
        }
        Ok(())
    }
}

fn entry(id: &str) -> Entry {
    Entry::new(SERVICE, &format!("rotation {id}"))
}
