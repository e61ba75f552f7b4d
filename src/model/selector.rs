//! Which key a person means: by id, by name, or by a shown prefix or id prefix that only one key has.

use std::str::FromStr;

use jiff::Timestamp;
use thiserror::Error;

use super::key::{Key, KeyId, KeyName};
use super::state::State;

/// What a person typed for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector(String);

impl Selector {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this can name the key at all. A service may narrow its list by it; what is then meant is decided by
    /// [`Selector::resolve`] alone.
    pub(crate) fn could_mean(&self, key: &Key) -> bool {
        self.0 == key.id.as_str()
            || self.0 == key.name
            || self.is_dated(&key.name)
            || key.prefix.starts_with(&self.0)
            || key.id.as_str().starts_with(&self.0)
    }

    /// Whether `name` is this name with the date of a rotation: `ci @2026-11-20` or `ci @2026-11-20.2` for `ci`.
    fn is_dated(&self, name: &str) -> bool {
        let Some(date) = name.strip_prefix(&self.0).and_then(|rest| rest.strip_prefix(" @")) else {
            return false;
        };
        let (date, count) = date.split_once('.').unwrap_or((date, "1"));
        date.len() == 10 && date.parse::<jiff::civil::Date>().is_ok() && count.parse::<u32>().is_ok()
    }

    /// Picks the key that is meant among candidates. The first of these that fits anything decides: the id; the exact
    /// name in the preferred state; the name with a rotation's date; the exact name in another state; the start of a shown prefix or of an id. Where it fits several keys, those
    /// in the preferred state count first, since only among them is a name unique.
    pub(crate) fn resolve(&self, candidates: Vec<Key>, preferred: Preference, now: Timestamp) -> Resolution {
        let tests: [&dyn Fn(&Key) -> bool; 5] = [
            &|key| key.id.as_str() == self.0,
            &|key| key.name == self.0 && preferred.fits(key.state(now)),
            &|key| self.is_dated(&key.name) && key.state(now) == State::Active,
            &|key| key.name == self.0,
            &|key| self.could_mean(key) && !self.is_dated(&key.name),
        ];
        let mut candidates = without_repeats(candidates);
        for test in tests {
            let mut fitting: Vec<Key> = candidates.extract_if(.., |key| test(key)).collect();
            let mut preferable: Vec<Key> = Vec::new();
            if fitting.len() > 1 {
                preferable = fitting.extract_if(.., |key| preferred.fits(key.state(now))).collect();
            }
            let mut chosen = if preferable.is_empty() { fitting } else { preferable };
            // Of a key and its successor under one name, the successor has it now.
            let successor = chosen.iter().find(|key| !key.replaced).map(|key| key.name.clone());
            if let Some(name) = successor.filter(|name| *name == self.0) {
                chosen.retain(|key| !(key.replaced && key.name == name));
            }
            match chosen.len() {
                0 => {}
                1 => {
                    return chosen.into_iter().next().map_or(Resolution::None, |key| Resolution::One(Box::new(key)));
                }
                _ => return Resolution::Many(chosen),
            }
        }
        Resolution::None
    }
}

impl FromStr for Selector {
    type Err = NotASelector;

    fn from_str(text: &str) -> Result<Self, NotASelector> {
        if text.trim().is_empty() { Err(NotASelector) } else { Ok(Self(text.to_owned())) }
    }
}

impl From<&KeyName> for Selector {
    fn from(name: &KeyName) -> Self {
        Self(name.as_str().to_owned())
    }
}

/// A text that means no key: a variable that was never set must not stand for the only key there is.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("it is empty, and names no key")]
pub(crate) struct NotASelector;

/// A page that repeats (because the list changed between two requests) must not make a key ambiguous with itself.
fn without_repeats(mut candidates: Vec<Key>) -> Vec<Key> {
    let mut seen: Vec<KeyId> = Vec::with_capacity(candidates.len());
    candidates.retain(|key| {
        let fresh = !seen.contains(&key.id);
        if fresh {
            seen.push(key.id.clone());
        }
        fresh
    });
    candidates
}

/// Which keys a name means first when several have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preference {
    /// For every verb but one.
    Active,
    /// For `reactivate`, which has nothing to do on an active key.
    Revoked,
}

impl Preference {
    fn fits(self, state: State) -> bool {
        match self {
            Self::Active => state == State::Active,
            Self::Revoked => state == State::Revoked,
        }
    }
}

/// The keys a selector means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Resolution {
    None,
    One(Box<Key>),
    Many(Vec<Key>),
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::key;
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_000, 0);

    fn revoked(mut key: Key) -> Key {
        key.revoked_at = Some(Timestamp::UNIX_EPOCH);
        key
    }

    fn resolve(selector: &str, candidates: &[Key], preferred: Preference) -> Vec<String> {
        match Selector(selector.to_owned()).resolve(candidates.to_vec(), preferred, NOW) {
            Resolution::None => Vec::new(),
            Resolution::One(key) => vec![key.id.to_string()],
            Resolution::Many(keys) => keys.iter().map(|key| format!("{}?", key.id)).collect(),
        }
    }

    #[test]
    fn an_id_wins_over_a_name_and_a_name_over_a_prefix() {
        let keys = [key("key_1", "key_2"), key("key_2", "two"), key("key_22", "three")];
        assert_eq!(resolve("key_2", &keys, Preference::Active), ["key_2"]);
        assert_eq!(resolve("two", &keys, Preference::Active), ["key_2"]);
        assert_eq!(resolve("key_22", &keys, Preference::Active), ["key_22"]);
        assert_eq!(resolve("nothing", &keys, Preference::Active), [""; 0]);
    }

    #[test]
    fn a_start_that_several_have_is_ambiguous() {
        let keys = [key("key_a1", "one"), key("key_a2", "two"), key("key_b1", "three")];
        assert_eq!(resolve("key_a", &keys, Preference::Active), ["key_a1?", "key_a2?"]);
        assert_eq!(resolve("key_b", &keys, Preference::Active), ["key_b1"]);
        assert_eq!(resolve("wbk_key_b", &keys, Preference::Active), ["key_b1"]);
    }

    #[test]
    fn a_name_means_the_active_key_and_for_reactivate_the_revoked_one() {
        let keys = [
            revoked(key("key_1", "ci")),
            key("key_2", "ci"),
            revoked(key("key_3", "old")),
            revoked(key("key_4", "old")),
        ];
        assert_eq!(resolve("ci", &keys, Preference::Active), ["key_2"]);
        assert_eq!(resolve("ci", &keys, Preference::Revoked), ["key_1"]);
        assert_eq!(resolve("old", &keys, Preference::Active), ["key_3?", "key_4?"]);
    }

    #[test]
    fn a_name_without_its_date_finds_the_active_successor() {
        let keys =
            [revoked(key("key_1", "ci @2026-11-20")), key("key_2", "ci @2026-11-20.2"), key("key_3", "ci @home")];
        assert_eq!(resolve("ci", &keys, Preference::Active), ["key_2"]);
        assert_eq!(resolve("ci @home", &keys, Preference::Active), ["key_3"]);
        assert_eq!(resolve("c", &keys, Preference::Active), [""; 0]);
        let retired = [revoked(key("key_1", "ci")), key("key_2", "ci @2026-11-20")];
        assert_eq!(resolve("ci", &retired, Preference::Active), ["key_2"]);
        assert_eq!(resolve("ci", &retired, Preference::Revoked), ["key_1"]);
        assert_eq!(resolve("ci", &retired[..1], Preference::Active), ["key_1"]);
    }

    #[test]
    fn a_successor_has_the_name_of_the_key_it_replaces() {
        let replaced = |id: &str| Key { replaced: true, ..key(id, "ci") };
        assert_eq!(resolve("ci", &[replaced("key_1"), key("key_2", "ci")], Preference::Active), ["key_2"]);
        assert_eq!(resolve("key_1", &[replaced("key_1"), key("key_2", "ci")], Preference::Active), ["key_1"]);
        assert_eq!(resolve("key", &[replaced("key_1"), key("key_2", "ci")], Preference::Active), ["key_1?", "key_2?"]);
        assert_eq!(resolve("ci", &[replaced("key_1"), revoked(key("key_2", "ci"))], Preference::Active), ["key_1"]);
    }

    #[test]
    fn a_key_listed_twice_is_one_key() {
        let keys = [key("key_1", "ci"), key("key_1", "ci")];
        assert_eq!(resolve("ci", &keys, Preference::Active), ["key_1"]);
    }
}
