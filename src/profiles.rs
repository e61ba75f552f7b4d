//! The config file: the profiles, and which of them is the default. Edited in place, so that comments and what a newer
//! version wrote survive.
//!
//! ```toml
//! default = "work"
//!
//! [profiles.work]
//! provider = "native"
//! api_url = "https://keys.example.com"
//! storage = "keyring"          # or "file": not encrypted
//! key_prefix = "wbk_1a2B3c4D"  # what is remembered of the key, so that nobody has to be asked for it
//! expires_at = "2027-01-31T09:00:00Z"
//! ```

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use crate::credential::{CredentialStore, Storage};
use crate::exit::{Exit, Explain};
use crate::files::{self, FileError, Lock, PreparedFile};
use crate::model::key::Key;
use crate::providers::Provider;
use crate::text;

/// The name of the built-in profile, which no file defines.
pub(crate) const LOCAL: &str = "local";

/// The name of a profile that was given none.
pub(crate) const USUAL: &str = "default";

/// An end nearer than this is warned of: two weeks, in seconds.
const SOON: i64 = 14 * 86_400;

/// A config file larger than this is something else.
const LARGEST: u64 = 1024 * 1024;

/// The longest name of a profile: it is a file name too.
const LONGEST_NAME: usize = 64;

/// What is known of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) provider: Provider,
    pub(crate) api_url: String,
    pub(crate) storage: Storage,
    /// The part of the key that may be shown, as it was at the last login or `whoami`.
    pub(crate) key_prefix: Option<String>,
    /// When the key ends, as it was said then.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Profile {
    /// Where the credential is.
    pub(crate) fn store(&self, directory: &Path) -> CredentialStore {
        CredentialStore::of(self.storage, &self.name, directory)
    }

    /// With what its service says of the key.
    pub(crate) fn knowing(self, key: &Key) -> Self {
        Self { key_prefix: Some(key.prefix.clone()), expires_at: key.expires_at, ..self }
    }

    /// What to say of an end that is near, as far as it is remembered: nobody is asked for it.
    pub(crate) fn expiry_warning(&self, now: Timestamp) -> Option<String> {
        let end = self.expires_at.filter(|end| end.as_second() - now.as_second() < SOON)?;
        let verb = if end <= now { "expired" } else { "expires" };
        Some(format!(
            "the key of the profile `{}` {verb} {} ({}); log in with another one: keys login -p {}",
            self.name,
            text::relative(end, now),
            text::utc(end),
            self.name
        ))
    }
}

/// The config file as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Profiles {
    path: PathBuf,
    document: DocumentMut,
}

impl Profiles {
    /// Reads the config file; one that is not there has no profiles.
    pub(crate) fn read(directory: &Path) -> Result<Self, ProfilesError> {
        let path = directory.join("config.toml");
        let content = files::read_private(&path, LARGEST)?.unwrap_or_default();
        let malformed =
            |line, problem: &str| ProfilesError::Malformed { path: path.clone(), line, problem: problem.to_owned() };
        let text = std::str::from_utf8(&content).map_err(|_| malformed(1, "it is not text"))?;
        let document = text.parse::<DocumentMut>().map_err(|error| {
            // Not its whole text, which quotes the file: somebody may have put a key there.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            malformed(before.matches('\n').count() + 1, error.message().lines().next().unwrap_or("it is not TOML"))
        })?;
        Ok(Self { path, document })
    }

    /// The file, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the profile that is used where none is named.
    pub(crate) fn default(&self) -> Option<&str> {
        self.document.get("default").and_then(Item::as_str)
    }

    /// All names, in the order of the file.
    pub(crate) fn names(&self) -> Vec<String> {
        self.table().map(|table| table.iter().map(|(name, _)| name.to_owned()).collect()).unwrap_or_default()
    }

    /// A profile by its name; `None` where there is none.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Profile>, ProfilesError> {
        let Some(entry) = self.table().and_then(|table| table.get(name)) else {
            return Ok(None);
        };
        let wrong = |field, problem| ProfilesError::Unusable { profile: name.to_owned(), field, problem };
        check_name(name).map_err(|_| wrong("name", "this is not a name a profile may have"))?;
        let table = entry.as_table_like().ok_or_else(|| wrong("profile", "it is not a table"))?;
        let text = |field: &'static str| match table.get(field) {
            None => Ok(None),
            Some(item) => item.as_str().map(Some).ok_or_else(|| wrong(field, "it is not a text")),
        };
        let provider = match text("provider")? {
            None => Provider::Native,
            Some(provider) => {
                Provider::named(provider).ok_or_else(|| wrong("provider", "there is no such provider"))?
            }
        };
        // A storage that this version does not know must not be taken for another one.
        let storage = match text("storage")? {
            None => Storage::Keyring,
            Some(storage) => Storage::named(storage).ok_or_else(|| wrong("storage", "it is `keyring` or `file`"))?,
        };
        Ok(Some(Profile {
            name: name.to_owned(),
            provider,
            api_url: text("api_url")?.ok_or_else(|| wrong("api_url", "it is missing"))?.to_owned(),
            storage,
            key_prefix: text("key_prefix")?.map(str::to_owned),
            expires_at: text("expires_at")?.and_then(|instant| instant.parse().ok()),
        }))
    }

    fn table(&self) -> Option<&dyn TableLike> {
        self.document.get("profiles").and_then(Item::as_table_like)
    }

    fn put(&mut self, profile: &Profile) {
        let profiles = self.document.entry("profiles").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(profiles) = profiles.as_table_like_mut() else { return };
        let entry = profiles.entry(&profile.name).or_insert_with(|| Item::Table(Table::new()));
        let Some(entry) = entry.as_table_like_mut() else { return };
        set(entry, "provider", Some(profile.provider.rules().name));
        set(entry, "api_url", Some(&profile.api_url));
        set(entry, "storage", Some(profile.storage.as_str()));
        set(entry, "key_prefix", profile.key_prefix.as_deref());
        set(entry, "expires_at", profile.expires_at.map(text::utc).as_deref());
    }
}

/// Changes one field and keeps what stands around it, such as a comment behind it.
fn set(table: &mut dyn TableLike, field: &str, text: Option<&str>) {
    let Some(text) = text else {
        table.remove(field);
        return;
    };
    match table.get_mut(field).and_then(Item::as_value_mut) {
        Some(old) if old.as_str() == Some(text) => {}
        Some(old) => {
            let decor = old.decor().clone();
            *old = text.into();
            *old.decor_mut() = decor;
        }
        None => {
            table.insert(field, value(text));
        }
    }
}

/// A change of the config file: nobody else changes it meanwhile, and the room on the disk is there already.
pub(crate) struct Edit {
    profiles: Profiles,
    prepared: PreparedFile,
    /// Given back last.
    _lock: Lock,
}

impl Edit {
    pub(crate) fn start(directory: &Path) -> Result<Self, ProfilesError> {
        files::private_directory(directory)?;
        let lock = Lock::exclusive(&directory.join("config.lock"))?;
        let profiles = Profiles::read(directory)?;
        if profiles.document.get("profiles").is_some_and(|profiles| !profiles.is_table_like()) {
            let problem = "`profiles` is not a table".to_owned();
            return Err(ProfilesError::Malformed { path: profiles.path, line: 1, problem });
        }
        let size = profiles.document.to_string().len() + 2048;
        Ok(Self { prepared: PreparedFile::new(&profiles.path, size)?, profiles, _lock: lock })
    }

    pub(crate) const fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    pub(crate) fn put(&mut self, profile: &Profile) {
        self.profiles.put(profile);
    }

    /// Chooses the profile that is used where none is named.
    pub(crate) fn set_default(&mut self, name: &str) {
        set(self.profiles.document.as_table_mut(), "default", Some(name));
    }

    /// Takes a profile out, and says whether it was the default.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        if let Some(profiles) = self.profiles.document.get_mut("profiles").and_then(Item::as_table_like_mut) {
            profiles.remove(name);
        }
        let was_default = self.profiles.default() == Some(name);
        if was_default {
            self.profiles.document.remove("default");
        }
        was_default
    }

    pub(crate) fn commit(self) -> Result<(), ProfilesError> {
        Ok(self.prepared.commit(self.profiles.document.to_string().as_bytes())?)
    }
}

/// Refuses what cannot name a profile: it is typed as a flag's value and is a file's name.
pub(crate) fn check_name(name: &str) -> Result<(), ProfilesError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let starts = name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    if name.len() > LONGEST_NAME || !starts || !name.bytes().all(plain) {
        return Err(ProfilesError::Name(name.to_owned()));
    }
    if name == LOCAL {
        return Err(ProfilesError::BuiltIn);
    }
    Ok(())
}

/// The config file cannot be followed, or not be changed.
#[derive(Debug, Error)]
pub(crate) enum ProfilesError {
    #[error("the config file `{}` cannot be read: line {line}: {problem}", path.display())]
    Malformed { path: PathBuf, line: usize, problem: String },
    #[error("the profile `{}` cannot be used: {field}: {problem}", text::escape(profile))]
    Unusable { profile: String, field: &'static str, problem: &'static str },
    #[error("`{}` cannot name a profile", text::escape(.0))]
    Name(String),
    #[error("the profile `local` is built in: it is reached without a login and cannot be changed")]
    BuiltIn,
    #[error("{0}")]
    File(FileError),
}

impl Explain for ProfilesError {
    fn exit(&self) -> Exit {
        match self {
            Self::Malformed { .. } | Self::Unusable { .. } | Self::Name(_) | Self::BuiltIn => Exit::Usage,
            Self::File(error) => error.exit(),
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Malformed { .. } => "malformed_config",
            Self::Unusable { .. } => "unusable_profile",
            Self::Name(_) => "invalid_profile_name",
            Self::BuiltIn => "built_in_profile",
            Self::File(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Malformed { .. } => Some("correct the file, or move it away and log in again".to_owned()),
            Self::Unusable { profile, .. } => Some(format!(
                "correct it in the config file, or write it anew with: keys login -p {}",
                text::shell_word(profile)
            )),
            Self::Name(_) => Some(format!(
                "take up to {LONGEST_NAME} letters, digits, `-`, `_` and `.`, the first of them a letter or a digit"
            )),
            Self::BuiltIn => Some("use it with: keys -p local …; or choose another name".to_owned()),
            Self::File(error) => error.hint(),
        }
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::File(error) if error.is_retryable())
    }
}

impl From<FileError> for ProfilesError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::scratch::{self, Scratch};

    fn profile(name: &str) -> Profile {
        Profile {
            name: name.to_owned(),
            provider: Provider::Native,
            api_url: "https://keys.example.com".to_owned(),
            storage: Storage::Keyring,
            key_prefix: Some("wbk_1a2B3c4D".to_owned()),
            expires_at: Some("2027-01-31T09:00:00Z".parse().unwrap()),
        }
    }

    fn edit(scratch: &Scratch, change: impl FnOnce(&mut Edit)) {
        let mut edit = Edit::start(&scratch.path("")).unwrap();
        change(&mut edit);
        edit.commit().unwrap();
    }

    fn read(scratch: &Scratch) -> Profiles {
        Profiles::read(&scratch.path("")).unwrap()
    }

    #[test]
    fn what_is_put_in_is_found_again() {
        let scratch = Scratch::new();
        assert!(read(&scratch).names().is_empty() && read(&scratch).default().is_none());
        edit(&scratch, |edit| {
            edit.put(&profile("work"));
            edit.put(&profile("a.b-c"));
            edit.set_default("work");
        });
        let profiles = read(&scratch);
        assert_eq!(profiles.names(), ["work", "a.b-c"]);
        assert_eq!(profiles.default(), Some("work"));
        assert_eq!(profiles.get("a.b-c").unwrap(), Some(profile("a.b-c")));
        assert_eq!(profiles.get("absent").unwrap(), None);
        #[cfg(unix)]
        assert_eq!(scratch::mode(&scratch.path("config.toml")), 0o600);
        edit(&scratch, |edit| assert!(edit.remove("work")));
        assert_eq!((read(&scratch).names(), read(&scratch).default()), (vec!["a.b-c".to_owned()], None));
    }

    #[test]
    fn an_edit_leaves_comments_and_what_it_does_not_know() {
        let scratch = Scratch::new();
        let before = "# mine\ndefault = \"work\" # the usual one\nfuture = [1, 2]\n\n# at the office\n[profiles.work] # yes\n\
             api_url = \"https://old.example.com\" # soon another\nstorage = \"keyring\"\nnewer = true\n\n[other]\nx = 1\n";
        scratch.file("config.toml", before);
        edit(&scratch, |edit| {
            edit.put(&Profile { key_prefix: None, expires_at: None, ..profile("work") });
            edit.set_default("work");
        });
        let expected = before
            .replace("https://old.example.com", "https://keys.example.com")
            .replace("newer = true\n", "newer = true\nprovider = \"native\"\n");
        assert_eq!(std::fs::read_to_string(scratch.path("config.toml")).unwrap(), expected);
    }

    #[test]
    fn an_edit_that_is_given_up_changes_nothing() {
        let scratch = Scratch::new();
        let mut given_up = Edit::start(&scratch.path("")).unwrap();
        given_up.put(&profile("work"));
        drop(given_up);
        assert_eq!(scratch.names(), ["config.lock"]);
    }

    #[test]
    fn what_cannot_be_followed_is_said_without_quoting_it() {
        let scratch = Scratch::new();
        let refused = |content: &str| {
            scratch.file("config.toml", content);
            match Profiles::read(&scratch.path("")).and_then(|profiles| profiles.get("work")) {
                Ok(found) => format!("{found:?}"),
                Err(error) => {
                    assert_eq!(error.exit(), Exit::Usage);
                    error.to_string()
                }
            }
        };
        assert!(refused("a = 1\n[profiles.work\napi_key = \"wbk_secret\"\n").contains("line 2"));
        assert!(!refused("a = 1\nwbk_secret\n").contains("wbk_secret"));
        assert!(refused("[profiles.work]\nstorage = \"vault\"\napi_url = \"https://a\"").contains("storage"));
        assert!(refused("[profiles.work]\n").contains("api_url: it is missing"));
        assert!(refused("[profiles.work]\napi_url = 3\n").contains("not a text"));
        assert!(refused("[profiles]\nwork = 3\n").contains("not a table"));
        assert_eq!(refused("profiles = 3\n"), "None");
        assert!(Edit::start(&scratch.path("")).is_err());
    }

    #[test]
    fn an_end_is_warned_of_for_two_weeks_and_afterwards() {
        let warning = |now: &str| profile("work").expiry_warning(now.parse().unwrap());
        assert_eq!(warning("2027-01-17T08:59:00Z"), None);
        assert!(warning("2027-01-17T09:01:00Z").unwrap().contains("expires in 14 days (2027-01-31T09:00:00Z)"));
        assert!(warning("2027-02-01T09:00:00Z").unwrap().contains("expired 1 day ago"));
        assert_eq!(Profile { expires_at: None, ..profile("work") }.expiry_warning(Timestamp::MAX), None);
    }

    #[test]
    fn names_are_plain_and_local_is_taken() {
        for good in ["default", "a", "eu-1.prod_x", "0", &"n".repeat(64)] {
            check_name(good).unwrap();
        }
        for bad in ["", "local", "-p", ".hidden", "a/b", "..", "a b", "é", "a\n", &"n".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
