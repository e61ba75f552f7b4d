//! A key as its provider describes it, and what is asked for when one is made or changed.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::lifetime::Lifetime;
use super::permission::Permission;
use super::secret::PlainKey;
use super::state::State;
use super::tier::Tier;

/// A provider's own id of a key, opaque to us.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct KeyId(String);

impl KeyId {
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// A name somebody may give a key: not blank, no white space at its ends, nothing that moves a cursor or turns text around.
/// How long it may be is the provider's rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyName(String);

impl KeyName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks the provider's length, in characters.
    pub(crate) fn fits(&self, longest: usize) -> Result<(), NotAName> {
        let length = self.0.chars().count();
        if length > longest {
            return Err(NotAName::TooLong { length, longest });
        }
        Ok(())
    }
}

impl FromStr for KeyName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        if text.trim().is_empty() {
            return Err(NotAName::Empty);
        }
        if text.trim() != text {
            return Err(NotAName::Padded);
        }
        if let Some(character) = text.chars().find(|character| is_disruptive(*character)) {
            return Err(NotAName::Disruptive { character });
        }
        Ok(Self(text.to_owned()))
    }
}

/// Checks a description by the same measure as a name, but for its length and line breaks.
pub(crate) fn check_description(text: &str, longest: usize) -> Result<(), NotAName> {
    let length = text.chars().count();
    if length > longest {
        return Err(NotAName::TooLong { length, longest });
    }
    match text.chars().find(|character| !matches!(character, '\n' | '\t') && is_disruptive(*character)) {
        Some(character) => Err(NotAName::Disruptive { character }),
        None => Ok(()),
    }
}

/// Characters that act on a terminal or on the order of text instead of being seen: C0 and C1 controls, line and paragraph
/// separators, and what turns writing direction around.
pub(crate) const fn is_disruptive(character: char) -> bool {
    matches!(
        character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// Why a text cannot be the name (or description) of a key.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NotAName {
    #[error("it is empty")]
    Empty,
    #[error("it begins or ends with white space")]
    Padded,
    #[error("it holds the control character U+{:04X}", u32::from(*character))]
    Disruptive { character: char },
    #[error("it has {length} characters, {longest} are allowed")]
    TooLong { length: usize, longest: usize },
}

/// What [`Key::role`] is called in [`Key::more`].
pub(crate) const ROLE: &str = "role";

/// A key as its provider describes it. Strings are as the server sent them: escape them before a person sees them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// The part of the plaintext that may be shown.
    pub(crate) prefix: String,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) tier: Option<Tier>,
    /// A key that its provider ends by itself after a short while, made for trying things out.
    pub(crate) temporary: bool,
    pub(crate) created_by: Option<String>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) revoked_reason: Option<String>,
    /// Whether it works but a successor has taken over its name.
    pub(crate) replaced: bool,
    /// What the provider said beyond this, kept for machine-readable output.
    pub(crate) more: Map<String, Value>,
}

impl Key {
    /// The role of the member whose credential it is, where the provider tells.
    pub(crate) fn role(&self) -> Option<&str> {
        self.more.get(ROLE)?.as_str()
    }

    pub(crate) fn state(&self, now: Timestamp) -> State {
        State::of(self.revoked_at, self.expires_at, now)
    }
}

/// What is asked for when a key is made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewKey {
    pub(crate) name: KeyName,
    pub(crate) description: Option<String>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) tier: Tier,
    /// A relative end stays relative, so that the same request again says the same.
    pub(crate) lifetime: Lifetime,
    pub(crate) temporary: bool,
    /// The key whose name this one takes over.
    pub(crate) replaces: Option<KeyId>,
}

/// What a thing that may be absent is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Setting<T> {
    To(T),
    /// `null` on every wire.
    Clear,
}

impl<T> Setting<T> {
    pub(crate) fn into_option(self) -> Option<T> {
        match self {
            Self::To(value) => Some(value),
            Self::Clear => None,
        }
    }
}

impl<T> From<Option<T>> for Setting<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::To)
    }
}

/// What is to change of a key. `None` leaves a thing as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct KeyChange {
    pub(crate) name: Option<KeyName>,
    pub(crate) description: Option<Setting<String>>,
    pub(crate) permissions: Option<Vec<Permission>>,
    pub(crate) tier: Option<Tier>,
    pub(crate) expires_at: Option<Setting<Timestamp>>,
}

/// A key just made, with the one copy of its plaintext.
pub(crate) struct IssuedKey {
    pub(crate) key: Key,
    pub(crate) plain: PlainKey,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A key with an id and a name, otherwise plain.
    pub(crate) fn key(id: &str, name: &str) -> Key {
        Key {
            id: KeyId::new(id),
            name: name.to_owned(),
            description: None,
            prefix: format!("wbk_{id}"),
            permissions: Vec::new(),
            tier: Some(Tier::Standard),
            temporary: false,
            created_by: None,
            created_at: None,
            last_used_at: None,
            expires_at: None,
            revoked_at: None,
            revoked_reason: None,
            replaced: false,
            more: Map::new(),
        }
    }

    #[test]
    fn names_that_could_deceive_are_refused() {
        let parse = |text: &str| text.parse::<KeyName>().map(|name| name.as_str().to_owned());
        assert_eq!(parse("Ingestion worker"), Ok("Ingestion worker".to_owned()));
        assert_eq!(parse("ключ 🔑 e\u{301}"), Ok("ключ 🔑 e\u{301}".to_owned()));
        for empty in ["", "   ", "\u{a0}"] {
            assert_eq!(parse(empty), Err(NotAName::Empty), "{empty:?}");
        }
        assert_eq!(parse(" ci"), Err(NotAName::Padded));
        assert_eq!(parse("ci\u{2003}"), Err(NotAName::Padded));
        for hostile in
            ["a\x1b[31mb", "a\nb", "a\u{9b}31mb", "a\u{202e}b", "a\0b", "a\u{2028}b", "a\u{feff}b", "a\u{7f}b"]
        {
            assert!(matches!(parse(hostile), Err(NotAName::Disruptive { .. })), "{hostile:?}");
        }
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let name: KeyName = "é".repeat(120).parse().unwrap();
        assert_eq!(name.fits(120), Ok(()));
        assert_eq!(name.fits(119), Err(NotAName::TooLong { length: 120, longest: 119 }));
        assert_eq!(check_description("two\nlines", 9), Ok(()));
        assert!(check_description("bell\u{7}", 9).is_err());
    }
}
