//! The journal: a private file for each rotation that is not over, written whole and synced before anything that builds
//! on it is done. It holds no secret. Beside it lie the locks that let one process at a time work on a key.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::exit::{Exit, Explain};
use crate::files::{self, FileError, Lock, PassingLock, PreparedFile};
use crate::model::key::KeyId;
use crate::model::rotation::{Record, Where};
use crate::model::secret::hex;

/// A record larger than this is something else.
const LARGEST: u64 = 1024 * 1024;

/// What the file of a record ends with.
const ENDING: &str = ".json";

/// The directory of all rotations of a user.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    directory: PathBuf,
}

impl Journal {
    pub(crate) fn of(data_directory: &Path) -> Self {
        Self { directory: data_directory.join("rotations") }
    }

    /// Makes the directories, and tidies up behind processes that were killed.
    pub(crate) fn open(&self) -> Result<(), FileError> {
        files::private_subdirectory(&self.directory)?;
        self.tidy();
        Ok(())
    }

    /// Removes what processes that were killed left beside the journal.
    pub(crate) fn tidy(&self) {
        files::tidy(&self.directory);
    }

    /// When this returns, a power cut loses nothing.
    pub(crate) fn write(&self, record: &Record) -> Result<(), FileError> {
        let content = serde_json::to_vec_pretty(record).unwrap_or_default();
        PreparedFile::new(&self.path(&record.id), 0)?.commit(&content)
    }

    pub(crate) fn remove(&self, id: &str) -> Result<(), FileError> {
        files::remove(&self.path(id)).map(drop)
    }

    pub(crate) fn read(&self, id: &str) -> Result<Record, JournalError> {
        let unknown = || JournalError::Unknown(id.to_owned());
        if !is_id(id) {
            return Err(unknown());
        }
        let path = self.path(id);
        let content = files::read_private(&path, LARGEST)?.ok_or_else(unknown)?;
        let malformed = |_| JournalError::Malformed(path.clone());
        let version: Version = serde_json::from_slice(&content).map_err(malformed)?;
        if version.version > Record::VERSION {
            return Err(JournalError::Newer(path));
        }
        serde_json::from_slice(&content).map_err(malformed)
    }

    /// The ids of all rotations that are not over, the oldest first.
    pub(crate) fn ids(&self) -> Result<Vec<String>, FileError> {
        let names = files::names(&self.directory)?;
        let ids = names.iter().filter_map(|name| name.strip_suffix(ENDING));
        Ok(ids.filter(|id| is_id(id)).map(str::to_owned).collect())
    }

    /// All rotations that are not over and can be read, the oldest first.
    pub(crate) fn readable(&self) -> Result<Vec<Record>, FileError> {
        let mut records: Vec<Record> = self.ids()?.iter().filter_map(|id| self.read(id).ok()).collect();
        records.sort_by_key(|record| record.begun_at);
        Ok(records)
    }

    /// How many rotations are not over and not being worked on.
    pub(crate) fn left(&self) -> usize {
        let is_left = |id: &String| match self.read(id) {
            Ok(record) => !matches!(self.lock(&record.service, &record.old.id), Ok(None)),
            Err(_) => true,
        };
        self.ids().unwrap_or_default().iter().filter(|id| is_left(id)).count()
    }

    /// The right to work on a key; `None` where another process does.
    pub(crate) fn lock(&self, service: &Where, key: &KeyId) -> Result<Option<PassingLock>, FileError> {
        let mut digest = Sha256::new();
        for part in [&service.provider, service.api_url.as_deref().unwrap_or_default(), key.as_str()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        Lock::attempt(&self.directory.join(format!("{}.lock", &hex(&digest.finalize())[..24])))
    }

    /// Where the plaintext is kept that is in no keyring.
    pub(super) fn rescue_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.key"))
    }

    /// Where what is left of a rotation of many is noted.
    pub(super) fn batch_path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("batch_{name}.list"))
    }

    fn path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}{ENDING}"))
    }
}

#[derive(serde::Deserialize)]
struct Version {
    version: u32,
}

/// `rot_` and small letters and digits: it becomes a file's name.
fn is_id(id: &str) -> bool {
    let digits = id.strip_prefix("rot_").unwrap_or_default();
    (1..=64).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
}

/// A rotation that cannot be found or read.
#[derive(Debug, Error)]
pub(crate) enum JournalError {
    #[error("there is no open rotation `{}`", crate::text::escape(.0))]
    Unknown(String),
    #[error("the journal `{}` does not hold what this program writes", .0.display())]
    Malformed(PathBuf),
    #[error("the journal `{}` was written by a newer version of this program", .0.display())]
    Newer(PathBuf),
    #[error(transparent)]
    File(#[from] FileError),
}

impl Explain for JournalError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unknown(_) => Exit::NotFound,
            Self::Malformed(_) | Self::Newer(_) => Exit::Usage,
            Self::File(error) => error.exit(),
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Unknown(_) => "no_such_rotation",
            Self::Malformed(_) => "journal_malformed",
            Self::Newer(_) => "journal_newer",
            Self::File(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown(_) => "list those that are not over with: keys rotation list".to_owned(),
            Self::Malformed(_) => "move it away once you know which key it was about; it holds no secret".to_owned(),
            Self::Newer(_) => "go on with that version".to_owned(),
            Self::File(error) => return error.hint(),
        })
    }
}
