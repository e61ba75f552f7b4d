//! Why a credential could not be read or stored. No message and no field holds any of it: what a library says of its
//! failures may quote the secret, so only what is known to be harmless is taken over.

use thiserror::Error;

use crate::exit::{Exit, Explain};
use crate::files::FileError;
use crate::model::secret::NotAKey;

/// The two ways on that need no keyring.
const WITHOUT: &str =
    "set KEYS_API_KEY, or keep the key in a private file that is not encrypted: keys login --insecure-storage";

#[derive(Debug, Error)]
pub(crate) enum CredentialError {
    #[cfg(all(unix, not(target_os = "macos")))]
    #[error("the keyring cannot be reached: there is no session bus")]
    NoBus,
    #[cfg(all(unix, not(target_os = "macos")))]
    #[error("no keyring is running: nobody offers the Secret Service on the session bus")]
    NoService,
    #[cfg(all(unix, not(target_os = "macos")))]
    #[error("the keyring has never been set up: it has no default collection")]
    NoCollection,
    #[error("the keyring is locked")]
    Locked,
    #[error("the keyring did not answer in time")]
    Silent,
    #[error("the keyring failed: {0}")]
    Failed(String),
    #[error("what was stored cannot be read back")]
    NotReadBack,
    #[error("what is stored is not a key: {0}")]
    NotAKey(NotAKey),
    #[error("{0}")]
    File(FileError),
    #[error("the profile `{0}` has no credential")]
    Missing(String),
}

impl Explain for CredentialError {
    fn exit(&self) -> Exit {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::NoBus | Self::NoService | Self::NoCollection => Exit::Unauthenticated,
            Self::Locked
            | Self::Silent
            | Self::Failed(_)
            | Self::NotReadBack
            | Self::NotAKey(_)
            | Self::File(_)
            | Self::Missing(_) => Exit::Unauthenticated,
        }
    }

    fn code(&self) -> &str {
        match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::NoBus => "no_session_bus",
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::NoService => "no_keyring",
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::NoCollection => "keyring_not_set_up",
            Self::Locked => "keyring_locked",
            Self::Silent => "keyring_silent",
            Self::Failed(_) => "keyring_failed",
            Self::NotReadBack => "keyring_not_read_back",
            Self::NotAKey(_) => "unusable_key",
            Self::File(error) => error.code(),
            Self::Missing(_) => "no_credential",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::NoBus | Self::NoService => WITHOUT.to_owned(),
            #[cfg(all(unix, not(target_os = "macos")))]
            Self::NoCollection => format!("log in to the desktop once, which sets it up; or {WITHOUT}"),
            Self::Locked => format!("unlock it, for instance by logging in to the desktop; or {WITHOUT}"),
            Self::Silent => {
                format!("look for a window of the keyring that waits for an answer, and try again; or {WITHOUT}")
            }
            Self::Failed(_) | Self::NotReadBack => WITHOUT.to_owned(),
            Self::NotAKey(_) => "store the whole key again with: keys login".to_owned(),
            Self::File(error) => return error.hint(),
            Self::Missing(profile) => format!("log in again with: keys login -p {profile}, or set KEYS_API_KEY"),
        })
    }
}

impl From<FileError> for CredentialError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}
