//! Where the admin's own credential lives: the keyring of the system, or a private file where somebody said so outright.
//! The only user of the keyring.
//!
//! There is no fall-back from one to the other and nothing that only pretends to store: where the keyring cannot be
//! used, this says so. Every call to it has a deadline, because there are keyrings that never answer.

mod error;
mod file;
mod keyring;
#[cfg_attr(all(unix, not(target_os = "macos")), path = "secret_service.rs")]
#[cfg_attr(any(target_os = "macos", windows), path = "native.rs")]
mod system;

use std::path::{Path, PathBuf};

pub(crate) use self::error::CredentialError;
pub(crate) use self::keyring::{Entry, Patience};

use crate::model::secret::PlainKey;

/// The service under which our own entries are in the keyring; the account is the profile's name.
const SERVICE: &str = "keys";

/// The directory of the credentials that are in files.
const DIRECTORY: &str = "credentials";

/// Which kind of store a profile uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Keyring,
    /// A private file, not encrypted.
    File,
}

impl Storage {
    /// As it is written in the config file.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Keyring, Self::File].into_iter().find(|storage| storage.as_str() == name)
    }
}

/// Where the credential of one profile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CredentialStore {
    Keyring(Entry),
    File(PathBuf),
}

impl CredentialStore {
    /// The store of a profile. `directory` is that of the configuration.
    pub(crate) fn of(storage: Storage, profile: &str, directory: &Path) -> Self {
        match storage {
            Storage::Keyring => {
                let label = format!("keys admin credential for {profile}");
                Self::Keyring(Entry::new(SERVICE, profile).labelled(label))
            }
            Storage::File => Self::File(directory.join(DIRECTORY).join(profile)),
        }
    }

    pub(crate) const fn storage(&self) -> Storage {
        match self {
            Self::Keyring(_) => Storage::Keyring,
            Self::File(_) => Storage::File,
        }
    }

    /// Where it is, in words that fit behind "in".
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Keyring(_) => "the keyring of the system".to_owned(),
            Self::File(path) => format!("the file `{}`, not encrypted", path.display()),
        }
    }

    /// Finds out whether something can be stored, before anybody is asked for it.
    pub(crate) fn check(&self, patience: Patience) -> Result<(), CredentialError> {
        match self {
            Self::Keyring(entry) => entry.check(patience),
            Self::File(path) => file::check(path),
        }
    }

    /// The credential; `None` where there is none.
    pub(crate) fn get(&self, patience: Patience) -> Result<Option<PlainKey>, CredentialError> {
        match self {
            Self::Keyring(entry) => entry.get(patience),
            Self::File(path) => file::get(path),
        }
    }

    /// Stores the credential and reads it back: what cannot be read again was not stored.
    pub(crate) fn set(&self, plain: &PlainKey, patience: Patience) -> Result<(), CredentialError> {
        match self {
            Self::Keyring(entry) => entry.set(plain, patience),
            Self::File(path) => file::set(path, plain),
        }
    }

    /// Removes the credential, and says whether there was one.
    pub(crate) fn delete(&self, patience: Patience) -> Result<bool, CredentialError> {
        match self {
            Self::Keyring(entry) => entry.delete(patience),
            Self::File(path) => file::delete(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::exit::{Exit, Explain as _};
    use crate::files::scratch::Scratch;

    fn key(text: &str) -> PlainKey {
        PlainKey::parse(&Zeroizing::new(text.to_owned())).unwrap()
    }

    fn stored(store: &CredentialStore) -> Option<String> {
        store.get(Patience::Brief).unwrap().map(|plain| plain.expose().to_owned())
    }

    #[test]
    fn a_file_is_private_is_replaced_and_goes() {
        let scratch = Scratch::new();
        let store = CredentialStore::of(Storage::File, "work", &scratch.path("config"));
        assert_eq!(stored(&store), None);
        assert!(!store.delete(Patience::Brief).unwrap());
        for text in ["wbk_first", "wbk_second"] {
            store.check(Patience::Brief).unwrap();
            store.set(&key(text), Patience::Brief).unwrap();
            assert_eq!(stored(&store).as_deref(), Some(text));
        }
        #[cfg(unix)]
        {
            use crate::files::scratch::mode;
            assert_eq!(mode(&scratch.path("config")), 0o700);
            assert_eq!(mode(&scratch.path("config/credentials")), 0o700);
            assert_eq!(mode(&scratch.path("config/credentials/work")), 0o600);
        }
        assert!(store.delete(Patience::Brief).unwrap());
        assert_eq!(stored(&store), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_or_that_leads_elsewhere_is_no_credential() {
        let scratch = Scratch::new();
        let store = CredentialStore::of(Storage::File, "work", &scratch.path(""));
        store.set(&key("wbk_secret"), Patience::Brief).unwrap();
        let path = scratch.path("credentials/work");
        crate::files::scratch::change_mode(&path, 0o640);
        let refused = store.get(Patience::Brief).err().unwrap();
        assert_eq!(refused.exit(), Exit::Unauthenticated);
        assert!(refused.hint().unwrap().contains("chmod 600"), "{refused}");
        crate::files::scratch::change_mode(&path, 0o600);
        std::os::unix::fs::symlink(&path, scratch.path("credentials/link")).unwrap();
        let link = CredentialStore::of(Storage::File, "link", &scratch.path(""));
        assert!(link.get(Patience::Brief).err().unwrap().to_string().contains("symbolic link"));
        assert!(link.set(&key("wbk_other"), Patience::Brief).is_err());
        assert_eq!(stored(&store).as_deref(), Some("wbk_secret"));
    }

    #[test]
    fn what_is_in_a_file_and_no_key_is_not_quoted() {
        let scratch = Scratch::new();
        crate::files::private_directory(&scratch.path("credentials")).unwrap();
        scratch.file("credentials/work", "wbk_secret\nand more");
        let refused = CredentialStore::of(Storage::File, "work", &scratch.path("")).get(Patience::Brief).err().unwrap();
        assert!(!format!("{refused} {refused:?}").contains("wbk_secret"), "{refused:?}");
    }
}
