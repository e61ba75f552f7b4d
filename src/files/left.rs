//! What killed processes left: temporary files, which may hold a secret, and locks.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Lock, beginning, names, private};

/// What looks as if killed processes had left it, by directory, as of the first time this process writes there: to look
/// again for each of a thousand files would be to read a million names.
static LEFT: Mutex<BTreeMap<PathBuf, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Removes what killed processes left in a directory of our own: temporary files, and locks that nobody holds.
pub(crate) fn tidy(directory: &Path) {
    sweep_those(directory, names(directory).unwrap_or_default().into_iter().filter(|name| is_temporary(name)));
    let paths = names(directory).unwrap_or_default().into_iter().map(|name| directory.join(name));
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "lock")) {
        // One that nobody holds goes as it is given back.
        drop(Lock::attempt(&path));
    }
}

/// Removes the temporary files for a target that killed processes left: they may hold a secret.
pub(super) fn sweep(directory: &Path, name: &str) {
    let beginning = beginning(name);
    let mut known = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    let left = known.entry(directory.to_owned()).or_insert_with(|| {
        names(directory).unwrap_or_default().into_iter().filter(|name| is_temporary(name)).collect()
    });
    sweep_those(directory, left.extract_if(.., |name| name.starts_with(&beginning)));
}

fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.contains(".keys-")
}

/// Where there are no locks, nothing can be told and nothing is removed.
fn sweep_those(directory: &Path, left: impl Iterator<Item = String>) {
    for path in left.map(|name| directory.join(name)) {
        let opened = private(OpenOptions::new().write(true)).open(&path);
        if opened.is_ok_and(|file| file.try_lock().is_ok()) {
            fs::remove_file(&path).ok();
        }
    }
}
