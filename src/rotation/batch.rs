//! The rotation of many keys, as far as it is not in the journal: which keys were chosen. The same command again goes on
//! with those that are left, and does not rotate the successors it made.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::Journal;
use crate::files::{self, FileError, PreparedFile};
use crate::model::key::{Key, KeyId};
use crate::model::secret::hex;

/// A command that is typed again later than this is meant anew.
const LASTS: SignedDuration = SignedDuration::from_hours(24);

/// A list of ids larger than this is something else.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The keys that one command chose.
pub(crate) struct Batch {
    journal: Journal,
    name: String,
    chosen: Option<Vec<KeyId>>,
}

impl Batch {
    /// The keys that the same command chose when it did not come to its end, within the last day.
    pub(crate) fn open(journal: &Journal, command: &str, now: Timestamp) -> Result<Self, FileError> {
        let name = hex(&Sha256::digest(command.as_bytes()))[..24].to_owned();
        let content = files::read_private(&journal.batch_path(&name), LARGEST)?;
        let chosen = content.and_then(|content| {
            let text = String::from_utf8_lossy(&content).into_owned();
            let mut lines = text.lines();
            let begun: Timestamp = lines.next()?.parse().ok()?;
            let lasts = now.duration_since(begun).abs() < LASTS;
            lasts.then(|| lines.map(KeyId::new).collect())
        });
        Ok(Self { journal: journal.clone(), name, chosen })
    }

    /// Whether this goes on with what an earlier run began.
    pub(crate) const fn is_resumed(&self) -> bool {
        self.chosen.is_some()
    }

    /// Whether an earlier run chose this key.
    pub(crate) fn has(&self, id: &KeyId) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| chosen.contains(id))
    }

    /// Of these keys, those that are left.
    pub(crate) fn left(&self, keys: Vec<Key>) -> Vec<Key> {
        match &self.chosen {
            None => keys,
            Some(chosen) => keys.into_iter().filter(|key| chosen.contains(&key.id)).collect(),
        }
    }

    /// Notes which keys are chosen.
    pub(crate) fn begin(&self, keys: &[Key], now: Timestamp) -> Result<(), FileError> {
        if self.is_resumed() {
            return Ok(());
        }
        let ids = keys.iter().map(|key| key.id.as_str()).filter(|id| !id.contains('\n'));
        let lines: Vec<String> = std::iter::once(now.to_string()).chain(ids.map(str::to_owned)).collect();
        PreparedFile::new(&self.journal.batch_path(&self.name), 0)?.commit(lines.join("\n").as_bytes())
    }

    /// All of them are done.
    pub(crate) fn end(&self) -> Result<(), FileError> {
        files::remove(&self.journal.batch_path(&self.name)).map(drop)
    }
}
