//! Creates that were begun and whose end nobody was told: whoever is killed before a new key has reached its place can no
//! longer say the line that gets the same key again. So it is noted first, and the commands that follow say it. A note
//! holds no secret, and nothing waits for one: where none can be written, keys are made all the same.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::exit::Exit;
use crate::failure::{meaning, quoted};
use crate::files::{self, FileError, Lock, PassingLock, PreparedFile};
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
    /// The flags that lead to the service, whatever the environment and the profiles say by then.
    pub(crate) flags: String,
}

/// What is known of a create before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The name of the key, or the file of names.
    pub(crate) what: String,
    pub(crate) host: String,
    /// The Idempotency-Key: with the service it is what makes two creates the same.
    pub(crate) once: String,
    /// The shown part of the key that asks: asked by another one, the same request is another request.
    pub(crate) caller: Option<String>,
    pub(crate) begun_at: Timestamp,
    /// Where a command that gets the key was to be started.
    pub(crate) directory: Option<PathBuf>,
    /// The command that gets the same key again, as long as the service keeps its answer.
    pub(crate) resume: String,
    /// The command that shows whether there is a key.
    pub(crate) look: String,
}

impl Begun {
    pub(crate) fn of(data_directory: &Path, flags: String) -> Self {
        Self { directory: data_directory.join("creates"), flags }
    }

    /// What is noted of a create that another key began with this Idempotency-Key, if any is.
    pub(crate) fn by_another(&self, once: &IdempotencyKey, caller: Option<&str>) -> Option<Note> {
        let content = files::read_private(&self.path(once.as_str()), LARGEST).ok()??;
        let note: Note = serde_json::from_slice(&content).ok()?;
        let is_another = note.caller.as_deref().zip(caller).is_some_and(|(then, now)| then != now);
        is_another.then_some(note)
    }

    fn path(&self, once: &str) -> PathBuf {
        let name = &hex(&Sha256::digest(format!("{}\0{once}", self.flags)))[..24];
        self.directory.join(name).with_extension(ENDING)
    }

    /// Notes a create that begins now. `None` where it cannot be noted, or is noted and worked on by another process.
    pub(crate) fn note(&self, note: &Note) -> Option<Open> {
        self.try_note(note).ok().flatten()
    }

    fn try_note(&self, note: &Note) -> Result<Option<Open>, FileError> {
        files::private_subdirectory(&self.directory)?;
        files::tidy(&self.directory);
        let path = self.path(&note.once);
        let Some(lock) = Lock::attempt(&path.with_extension(LOCK))? else { return Ok(None) };
        let open = Open { path, _lock: lock };
        PreparedFile::new(&open.path, 0)?.commit(&serde_json::to_vec_pretty(note).unwrap_or_default())?;
        Ok(Some(open))
    }

    /// The creates that nobody is working on, but the one with this Idempotency-Key. Those whose answers are kept no
    /// longer are told for the last time.
    pub(crate) fn left(&self, except: Option<&IdempotencyKey>, now: Timestamp) -> Vec<Note> {
        let paths = files::names(&self.directory).unwrap_or_default().into_iter().map(|name| self.directory.join(name));
        let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == ENDING));
        let mut notes: Vec<Note> = paths.filter_map(|path| told(path, except, now)).collect();
        notes.sort_by_key(|note| note.begun_at);
        notes
    }
}

/// A note that nobody is working on.
fn told(path: PathBuf, except: Option<&IdempotencyKey>, now: Timestamp) -> Option<Note> {
    let open = Open { _lock: Lock::attempt(&path.with_extension(LOCK)).ok()??, path };
    let content = files::read_private(&open.path, LARGEST).ok()??;
    let note: Note = serde_json::from_slice(&content).ok()?;
    if except.is_some_and(|key| key.as_str() == note.once) {
        return None;
    }
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
        let place = self.directory.as_ref().map(|directory| format!(", in {}", quoted(&directory.to_string_lossy())));
        let place = place.unwrap_or_default();
        format!("{what}. Get its key with the same request, which makes no second one{place}:\n  {}", self.resume)
    }
}

/// A create that is under way. Dropped, its note stays: nobody was told how it ended.
pub(crate) struct Open {
    path: PathBuf,
    _lock: PassingLock,
}

impl Open {
    /// Removes the note, unless with one of these errors it may still be needed to get a key.
    pub(crate) fn end<'e>(self, errors: impl IntoIterator<Item = &'e anyhow::Error>) {
        let is_over = |error| {
            !matches!(meaning(error).0, Exit::Unknown | Exit::Undelivered | Exit::Interrupted | Exit::Terminated)
        };
        if errors.into_iter().all(is_over) {
            self.remove();
        }
    }

    fn remove(self) {
        // One that stays is told once more, and goes on to the same key.
        files::remove(&self.path).ok();
    }
}
