//! Creates that were begun and whose end nobody was told: whoever is killed before a new key has reached its place can no
//! longer say the line that gets the same key again. So it is noted first, and the commands that follow say it. A note
//! holds no secret, and nothing waits for one: where none can be written, keys are made all the same.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::exit::Exit;
use crate::failure::{meaning, quoted};
use crate::files::{self, FileError, Lock, PreparedFile};
use crate::http::IdempotencyKey;
use crate::model::secret::hex;
use crate::text;

/// A note larger than this is something else.
const LARGEST: u64 = 1024 * 1024;

/// How long services keep the answer to a create.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What the file of a note ends with, and that of its lock.
const ENDING: &str = "json";
const LOCK: &str = "lock";

/// The directory of all notes of a user.
pub(crate) struct Begun {
    directory: PathBuf,
}

/// What is known of a create before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The name of the key, or the file of names.
    pub(crate) what: String,
    pub(crate) host: String,
    pub(crate) begun_at: Timestamp,
    /// The command that gets the same key again, as long as the service keeps its answer.
    pub(crate) resume: String,
    /// The command that shows whether there is a key.
    pub(crate) look: String,
}

impl Begun {
    pub(crate) fn of(data_directory: &Path) -> Self {
        Self { directory: data_directory.join("creates") }
    }

    /// Notes a create that begins now. `None` where it cannot be noted, or is noted and worked on by another process.
    pub(crate) fn note(&self, idempotency_key: &IdempotencyKey, note: &Note) -> Option<Open> {
        self.try_note(idempotency_key, note).ok().flatten()
    }

    fn try_note(&self, idempotency_key: &IdempotencyKey, note: &Note) -> Result<Option<Open>, FileError> {
        if let Some(parent) = self.directory.parent() {
            files::private_directory(parent)?;
        }
        files::private_directory(&self.directory)?;
        files::tidy(&self.directory);
        let path = self.path(idempotency_key);
        let Some(lock) = Lock::attempt(&path.with_extension(LOCK))? else { return Ok(None) };
        let open = Open { path, lock: Some(lock) };
        PreparedFile::new(&open.path, 0)?.commit(&serde_json::to_vec_pretty(note).unwrap_or_default())?;
        Ok(Some(open))
    }

    /// The creates that nobody is working on, but the one with this Idempotency-Key. Those whose answers are kept no
    /// longer are told for the last time.
    pub(crate) fn left(&self, except: Option<&IdempotencyKey>, now: Timestamp) -> Vec<Note> {
        let except = except.map(|key| self.path(key));
        let paths = files::names(&self.directory).unwrap_or_default().into_iter().map(|name| self.directory.join(name));
        let is_left =
            |path: &PathBuf| path.extension().is_some_and(|ending| ending == ENDING) && except != Some(path.clone());
        let mut notes: Vec<Note> = paths.filter(is_left).filter_map(|path| told(path, now)).collect();
        notes.sort_by_key(|note| note.begun_at);
        notes
    }

    fn path(&self, idempotency_key: &IdempotencyKey) -> PathBuf {
        let name = &hex(&Sha256::digest(idempotency_key.as_str()))[..24];
        self.directory.join(name).with_extension(ENDING)
    }
}

/// A note that nobody is working on.
fn told(path: PathBuf, now: Timestamp) -> Option<Note> {
    let mut open = Open { lock: Lock::attempt(&path.with_extension(LOCK)).ok().flatten(), path };
    open.lock.as_ref()?;
    let content = files::read_private(&open.path, LARGEST).ok()??;
    let note: Note = serde_json::from_slice(&content).ok()?;
    if note.is_too_late(now) {
        open.remove();
    }
    Some(note)
}

impl Note {
    fn is_too_late(&self, now: Timestamp) -> bool {
        now.duration_since(self.begun_at) >= KEPT
    }

    /// What to do about it.
    pub(crate) fn sentence(&self, now: Timestamp) -> String {
        let (what, host) = (quoted(&self.what), text::escape(&self.host));
        let what =
            format!("The create of {what} on {host} {} did not come to its end", text::relative(self.begun_at, now));
        if self.is_too_late(now) {
            return format!("{what}, and its answer is kept no longer. See whether there is a key:\n  {}", self.look);
        }
        format!("{what}. Get its key with the same request, which makes no second one:\n  {}", self.resume)
    }
}

/// A create that is under way. Dropped, its note stays: nobody was told how it ended.
pub(crate) struct Open {
    path: PathBuf,
    lock: Option<Lock>,
}

impl Open {
    /// Removes the note, unless with one of these errors it may still be needed to get a key.
    pub(crate) fn end<'e>(mut self, errors: impl IntoIterator<Item = &'e anyhow::Error>) {
        let is_over = |error| {
            !matches!(meaning(error).0, Exit::Unknown | Exit::Undelivered | Exit::Interrupted | Exit::Terminated)
        };
        if errors.into_iter().all(is_over) {
            self.remove();
        }
    }

    fn remove(&mut self) {
        // One that stays is told once more, and goes on to the same key.
        files::remove(&self.path).ok();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.end(&self.path.with_extension(LOCK));
        }
    }
}
