//! What earlier commands saw of keys: names and ids, kept so that a shell completes them without asking any service. Never
//! a secret, of at most [`MOST`] keys, in a file that is ours alone; nothing is missed when it is gone.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::files::{self, FileError};
use crate::model::key::Key;
use crate::model::secret::HashedKey;
use crate::system;

/// How many keys of a service are remembered: those seen last.
const MOST: usize = 2000;

/// A name or an id longer than this, in bytes, is nothing that anybody completes.
const LONGEST: usize = 500;

/// A file larger than this is something else.
const LARGEST: u64 = 4 * 1024 * 1024;

/// How many services that belong to no profile are remembered.
const SERVICES: usize = 64;

/// What the files of those begin with, as no profile's name does.
const NO_PROFILE: char = '+';

/// The file of what is mixed into the names of those files. No profile is kept under this name: it has no ending.
const SALT: &str = "salt";

/// How many bytes that are.
const SALT_LENGTH: usize = 16;

/// Where keys are seen: what they are remembered under.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The profile; `None` where the environment alone says where to go.
    pub(crate) profile: Option<String>,
    /// What is remembered of another service is not believed.
    pub(crate) service: String,
    /// The caller, where no profile stands for it. What is shown of a key may be the same for all of them.
    pub(crate) caller: Option<HashedKey>,
}

impl Place {
    /// The file of a profile, or of a service and a caller. A few digits of a hash with a salt of this machine's name the
    /// caller: they tell two callers apart, and nobody what their keys are. `None` where there is no salt yet.
    fn file(&self, directory: &Path) -> Option<PathBuf> {
        let name = if let Some(profile) = &self.profile {
            profile.clone()
        } else {
            let caller = self.caller.as_ref().map(HashedKey::as_str).unwrap_or_default();
            let mut digest = Sha256::new_with_prefix(salt(directory)?);
            digest.update(format!("{}\0{caller}", self.service));
            let digest = digest.finalize();
            let short = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            format!("{NO_PROFILE}{short:016x}")
        };
        Some(directory.join(format!("{name}.json")))
    }

    /// The same, with a salt if there is none.
    fn file_to_be(&self, directory: &Path) -> Result<Option<PathBuf>, FileError> {
        if let Some(file) = self.file(directory) {
            return Ok(Some(file));
        }
        files::private_subdirectory(directory)?;
        let mut salt = [0; SALT_LENGTH];
        system::random(&mut salt);
        files::replace_lightly(&directory.join(SALT), &salt)?;
        Ok(self.file(directory))
    }
}

/// What distinguishes this machine's names of files from those of others.
fn salt(directory: &Path) -> Option<Vec<u8>> {
    let content = files::read_private(&directory.join(SALT), SALT_LENGTH as u64).ok().flatten()?;
    (content.len() == SALT_LENGTH).then(|| content.to_vec())
}

/// One key as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sight {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) revoked: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Memory {
    service: String,
    keys: Vec<Sight>,
}

/// What one command sees. Without a directory, nothing is kept.
#[derive(Default)]
pub(crate) struct Known {
    kept: Option<(PathBuf, Place)>,
    seen: RefCell<Vec<Sight>>,
    gone: RefCell<HashSet<String>>,
    whole: Cell<bool>,
}

impl Known {
    pub(crate) fn of(directory: Option<&Path>, place: Place) -> Self {
        Self { kept: directory.map(|directory| (directory.to_owned(), place)), ..Self::default() }
    }

    /// Notes a key, those that are to be remembered longest first.
    pub(crate) fn note(&self, key: &Key) {
        let mut seen = self.seen.borrow_mut();
        if self.kept.is_some() && seen.len() < MOST && key.name.len() <= LONGEST && key.id.as_str().len() <= LONGEST {
            let (id, name) = (key.id.as_str().to_owned(), key.name.clone());
            seen.push(Sight { id, name, revoked: key.revoked_at.is_some() });
        }
    }

    pub(crate) fn note_each(&self, keys: &[Key]) {
        for key in keys {
            self.note(key);
        }
    }

    /// Notes that a key is no more.
    pub(crate) fn forget(&self, key: &Key) {
        self.gone.borrow_mut().insert(key.id.as_str().to_owned());
    }

    /// Notes that those seen are all there are.
    pub(crate) fn note_that_this_is_all(&self) {
        self.whole.set(true);
    }

    /// Keeps what was seen. Where that cannot be, a completion is poorer and nothing else.
    pub(crate) fn keep(&self) {
        let Some((directory, place)) = &self.kept else { return };
        let (seen, gone) = (self.seen.borrow(), self.gone.borrow());
        if seen.is_empty() && gone.is_empty() && !self.whole.get() {
            return;
        }
        let Ok(Some(file)) = place.file_to_be(directory) else { return };
        let before = read(&file, &place.service);
        let mut ids: HashSet<&str> = gone.iter().map(String::as_str).collect();
        let earlier = before.iter().filter(|_| !self.whole.get());
        let keys = seen.iter().chain(earlier).filter(|key| ids.insert(&key.id)).take(MOST).cloned().collect();
        if keys != before {
            write(&file, directory, &Memory { service: place.service.clone(), keys }).ok();
        }
    }

    /// The keys that are remembered of a place.
    pub(crate) fn recall(directory: &Path, place: &Place) -> Vec<Sight> {
        place.file(directory).map(|file| read(&file, &place.service)).unwrap_or_default()
    }

    /// Forgets all that was seen with a profile.
    pub(crate) fn forget_profile(directory: Option<PathBuf>, profile: &str) {
        let Some(directory) = directory else { return };
        let place = Place { profile: Some(profile.to_owned()), service: String::new(), caller: None };
        // There may be none, and what stays is replaced by the next that is seen.
        if let Some(file) = place.file(&directory) {
            files::remove(&file).ok();
        }
    }
}

fn read(file: &Path, service: &str) -> Vec<Sight> {
    let content = files::read_private(file, LARGEST).ok().flatten();
    let memory: Memory = content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_default();
    if memory.service == service { memory.keys } else { Vec::new() }
}

fn write(file: &Path, directory: &Path, memory: &Memory) -> Result<(), FileError> {
    files::private_subdirectory(directory)?;
    if !file.exists() {
        make_room(directory)?;
    }
    files::replace_lightly(file, &serde_json::to_vec(memory).unwrap_or_default())
}

/// Forgets the services without a profile where there are too many: jobs come with a new key each.
fn make_room(directory: &Path) -> Result<(), FileError> {
    let names = files::names(directory)?;
    let others: Vec<&String> = names.iter().filter(|name| name.starts_with(NO_PROFILE)).collect();
    if others.len() >= SERVICES {
        for name in others {
            files::remove(&directory.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::scratch::{self, Scratch};
    use crate::model::key::tests::key;

    fn place(profile: Option<&str>) -> Place {
        Place { profile: profile.map(str::to_owned), service: "https://keys.example.com".to_owned(), caller: None }
    }

    fn names(scratch: &Scratch, place: &Place) -> Vec<String> {
        Known::recall(&scratch.path("seen"), place).into_iter().map(|sight| sight.name).collect()
    }

    fn see(scratch: &Scratch, place: &Place, keys: &[(&str, &str)], whole: bool) {
        let known = Known::of(Some(&scratch.path("seen")), place.clone());
        for (id, name) in keys {
            known.note(&key(id, name));
        }
        if whole {
            known.note_that_this_is_all();
        }
        known.keep();
    }

    #[test]
    fn what_was_seen_is_recalled_for_the_same_service_and_profile_alone() {
        let scratch = Scratch::new();
        let (work, nobody) = (place(Some("work")), place(None));
        assert!(names(&scratch, &work).is_empty());
        see(&scratch, &work, &[("key_1", "old"), ("key_2", "two")], false);
        see(&scratch, &work, &[("key_1", "new")], false);
        assert_eq!(names(&scratch, &work), ["new", "two"]);
        assert!(names(&scratch, &nobody).is_empty());
        let moved = Place { service: "https://elsewhere.example.com".to_owned(), ..work.clone() };
        assert!(names(&scratch, &moved).is_empty());
        see(&scratch, &work, &[("key_3", "three")], true);
        assert_eq!(names(&scratch, &work), ["three"]);
        let known = Known::of(Some(&scratch.path("seen")), work.clone());
        known.forget(&key("key_3", "three"));
        known.keep();
        assert!(names(&scratch, &work).is_empty());
        #[cfg(unix)]
        assert_eq!(scratch::mode(&scratch.path("seen/work.json")), 0o600);
        Known::forget_profile(Some(scratch.path("seen")), "work");
        assert!(!scratch.path("seen/work.json").exists());
    }

    #[test]
    fn it_is_bounded_in_keys_in_length_and_in_services() {
        let scratch = Scratch::new();
        let known = Known::of(Some(&scratch.path("seen")), place(None));
        known.note(&key("key_long", &"n".repeat(LONGEST + 1)));
        for number in 0..MOST + 10 {
            known.note(&key(&format!("key_{number}"), "name"));
        }
        known.keep();
        assert_eq!(names(&scratch, &place(None)).len(), MOST);
        see(&scratch, &place(None), &[("key_new", "new")], false);
        assert_eq!(names(&scratch, &place(None)).first().map(String::as_str), Some("new"));
        assert_eq!(names(&scratch, &place(None)).len(), MOST);
        see(&scratch, &place(Some("work")), &[("key_1", "one")], false);
        for number in 0..2 * SERVICES {
            let service = format!("https://{number}.example.com");
            see(&scratch, &Place { service, ..place(None) }, &[("key_1", "one")], false);
        }
        let left = files::names(&scratch.path("seen")).unwrap();
        assert!(left.len() <= SERVICES + 2 && left.contains(&"work.json".to_owned()), "{left:?}");
    }

    #[test]
    fn callers_without_a_profile_do_not_see_each_others_names() {
        let (scratch, elsewhere) = (Scratch::new(), Scratch::new());
        let of = |key: &str| Place { caller: Some(HashedKey::of(key)), ..place(None) };
        for scratch in [&scratch, &elsewhere] {
            see(scratch, &of("one"), &[("key_1", "of one")], false);
            see(scratch, &of("two"), &[("key_2", "of two")], true);
        }
        assert_eq!(names(&scratch, &of("one")), ["of one"]);
        assert_eq!(names(&scratch, &of("two")), ["of two"]);
        assert!(names(&scratch, &of("three")).is_empty() && names(&scratch, &place(None)).is_empty());
        // Nobody who finds the files finds out whether a key is that of a caller by hashing it.
        let files = |scratch: &Scratch| -> Vec<String> {
            let mut names = files::names(&scratch.path("seen")).unwrap();
            names.retain(|name| name != SALT);
            names
        };
        assert_eq!(files(&scratch).len(), 2);
        assert!(files(&scratch).iter().all(|name| !files(&elsewhere).contains(name)));
        #[cfg(unix)]
        assert_eq!(scratch::mode(&scratch.path("seen/salt")), 0o600);
        // A salt that is none is replaced, at the cost of what was remembered.
        scratch.file("seen/salt", "");
        assert!(names(&scratch, &of("one")).is_empty());
        see(&scratch, &of("one"), &[("key_1", "anew")], false);
        assert_eq!(names(&scratch, &of("one")), ["anew"]);
    }

    #[test]
    fn what_is_no_memory_is_none() {
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.path("seen")).unwrap();
        for content in ["", "{", "{\"keys\":[1]}", "[]"] {
            scratch.file("seen/work.json", content);
            assert!(names(&scratch, &place(Some("work"))).is_empty());
        }
        see(&scratch, &place(Some("work")), &[("key_1", "one")], false);
        assert_eq!(names(&scratch, &place(Some("work"))), ["one"]);
        see(&Scratch::new(), &place(None), &[], false);
        Known::default().keep();
    }
}
