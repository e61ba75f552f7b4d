//! A credential in a private file, with a line break behind it.

use std::io::ErrorKind;
use std::path::Path;

use zeroize::Zeroizing;

use super::CredentialError;
use crate::files::{self, PreparedFile};
use crate::model::secret::PlainKey;

/// More than the longest key takes.
const LONGEST: u64 = 4096;

pub(super) fn check(path: &Path) -> Result<(), CredentialError> {
    prepare(path).map(drop)
}

pub(super) fn get(path: &Path) -> Result<Option<PlainKey>, CredentialError> {
    let Some(content) = files::read_private(path, LONGEST)? else {
        return Ok(None);
    };
    super::keyring::parse(content).map(Some)
}

pub(super) fn set(path: &Path, plain: &PlainKey) -> Result<(), CredentialError> {
    let mut line = Zeroizing::new(Vec::with_capacity(plain.expose().len() + 1));
    line.extend_from_slice(plain.expose().as_bytes());
    line.push(b'\n');
    prepare(path)?.commit(&line)?;
    match get(path)? {
        Some(read) if read.expose() == plain.expose() => Ok(()),
        _ => Err(CredentialError::NotReadBack),
    }
}

pub(super) fn delete(path: &Path) -> Result<bool, CredentialError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
        Err(cause) => {
            Err(CredentialError::Failed(format!("the file `{}` could not be removed: {cause}", path.display())))
        }
    }
}

fn prepare(path: &Path) -> Result<PreparedFile, CredentialError> {
    // The directory of the configuration too: a missing parent would be made for everybody.
    let directories: Vec<&Path> = path.ancestors().skip(1).take(2).collect();
    for directory in directories.into_iter().rev() {
        files::private_directory(directory)?;
    }
    Ok(PreparedFile::new(path, usize::try_from(LONGEST).unwrap_or_default())?)
}
