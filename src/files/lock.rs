//! Locks between processes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{FileError, Why};
use super::{ATTEMPTS, beginning, check_private, file_name, find_private, parent, private};

/// Held by one process at a time. Given back when dropped, and by the system when the process dies. The file stays:
/// removing it would let two processes hold locks on two files of one name.
pub(crate) struct Lock {
    file: File,
}

/// How many times, and how far apart, a lock is asked for.
const PATIENCE: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);

impl Lock {
    /// Waits until nobody else holds the lock, at most five seconds: as long as for the lock of a database.
    pub(crate) fn exclusive(path: &Path) -> Result<Self, FileError> {
        const ATTEMPT: &str = "lock";
        let failed = |why| FileError::new(ATTEMPT, path, why);
        find_private(path, ATTEMPT)?;
        let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(path)
            .map_err(|cause| failed(Why::System(cause)))?;
        let metadata = file.metadata().map_err(|cause| failed(Why::System(cause)))?;
        check_private(&metadata).map_err(failed)?;
        for _ in 0..PATIENCE {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(cause)) if cause.kind() == ErrorKind::Interrupted => {}
                Err(TryLockError::Error(cause)) => return Err(failed(Why::System(cause))),
            }
        }
        Err(failed(Why::Held))
    }

    /// Takes the lock where nobody else holds it; `None` where somebody does. Unlike [`Lock::exclusive`] for a lock whose
    /// file goes when it is given back.
    pub(crate) fn attempt(path: &Path) -> Result<Option<PassingLock>, FileError> {
        const ATTEMPT: &str = "lock";
        let failed = |cause| FileError::new(ATTEMPT, path, Why::System(cause));
        for _ in 0..ATTEMPTS {
            find_private(path, ATTEMPT)?;
            let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
                .open(path)
                .map_err(failed)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => {
                    return Ok(Some(PassingLock { _lock: Self { file }, path: path.to_owned() }));
                }
                // Whoever held it has removed the file meanwhile.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(cause)) if cause.kind() == ErrorKind::Interrupted => {}
                Err(TryLockError::Error(cause)) => return Err(failed(cause)),
            }
        }
        Ok(None)
    }

    /// Waits until nobody else is about to replace a file, at most five seconds: who reads it first and then replaces it
    /// would undo what was written meanwhile.
    pub(crate) fn before_replacing(target: &Path) -> Result<PassingLock, FileError> {
        const ATTEMPT: &str = "write";
        let name = file_name(target).ok_or_else(|| FileError::new(ATTEMPT, target, Why::NoName))?;
        let path = parent(target).join(format!("{}lock", beginning(&name)));
        for _ in 0..PATIENCE {
            if let Some(lock) = Self::attempt(&path)? {
                return Ok(lock);
            }
            std::thread::sleep(PAUSE);
        }
        Err(FileError::new(ATTEMPT, target, Why::Held))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do, unless a child that is being started holds a copy of the descriptor at this moment.
        self.file.unlock().ok();
    }
}

/// A lock whose file goes with it.
pub(crate) struct PassingLock {
    _lock: Lock,
    path: PathBuf,
}

impl Drop for PassingLock {
    fn drop(&mut self) {
        // While it is held, nobody else can take another file for it. One that stays does no harm.
        fs::remove_file(&self.path).ok();
    }
}

/// Whether the path still names this very file.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let (Ok(ours), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// An open file cannot be removed here.
#[cfg(not(unix))]
pub(super) fn is_at(_: &File, _: &Path) -> bool {
    true
}
