//! What a key may do: permissions, the catalogue a provider publishes of them, and which one a call needs.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The name of one permission, as its provider spells it: `read:contacts`, `leads.create`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Permission(String);

impl Permission {
    /// Takes a name as a server gave it, known to us or not.
    pub(crate) fn from_server(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One permission of a provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// One line for a person.
    pub(crate) about: &'static str,
    /// The coarse permission that includes this one, where there is one.
    pub(crate) included_in: Option<&'static str>,
}

/// A call of the provider's API and the least permission that opens it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// `/v1/contacts/:id`; a segment that starts with `:` stands for any one segment.
    pub(crate) path: &'static str,
    /// `None` where every key opens it.
    pub(crate) permission: Option<&'static str>,
}

/// All permissions of a provider and the calls they open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Catalogue {
    pub(crate) entries: &'static [Entry],
    pub(crate) calls: &'static [Call],
}

/// A permission the provider does not have.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unknown permission{}", shown(name))]
pub(crate) struct UnknownPermission {
    /// As it was given. Shown only where it cannot be a key that came to the wrong place.
    name: String,
    /// The nearest one that exists, when one is near enough to be meant.
    pub(crate) suggestion: Option<&'static str>,
}

/// A name in a sentence, where it looks like one; nothing where it may be a secret.
fn shown(name: &str) -> String {
    let like_a_name = |character: char| character.is_ascii_lowercase() || ".:_-*".contains(character);
    let harmless = !name.is_empty() && name.len() <= 40 && name.chars().all(like_a_name);
    if harmless { format!(" `{name}`") } else { String::new() }
}

/// A text that is not `METHOD /path`, or a call the provider does not document.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum UnknownCall {
    #[error("`{0}` is not a call: write it as \"GET /v1/contacts\"")]
    Malformed(String),
    #[error("no documented call matches `{0}`")]
    Undocumented(String),
}

impl Catalogue {
    /// Checks a name a person or a request gave.
    pub(crate) fn permission(&self, name: &str) -> Result<Permission, UnknownPermission> {
        if self.entries.iter().any(|entry| entry.name == name) {
            return Ok(Permission(name.to_owned()));
        }
        let suggestion = self
            .entries
            .iter()
            .map(|entry| (strsim::jaro_winkler(&reading(name), &reading(entry.name)), entry.name))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|left, right| left.0.total_cmp(&right.0))
            .map(|(_, name)| name);
        Err(UnknownPermission { name: name.to_owned(), suggestion })
    }

    /// Whether a holder of these permissions also holds the wanted one: by its name, or by a coarse one that includes it.
    pub(crate) fn covers(&self, held: &[Permission], wanted: &str) -> bool {
        let included_in = self.entries.iter().find(|entry| entry.name == wanted).and_then(|entry| entry.included_in);
        held.iter().any(|held| held.as_str() == wanted || Some(held.as_str()) == included_in)
    }

    /// The least permission for a call written as `GET /v1/contacts`.
    pub(crate) fn permission_for(&self, call: &str) -> Result<&'static Call, UnknownCall> {
        let malformed = || UnknownCall::Malformed(call.to_owned());
        let (method, path) = call.trim().split_once(' ').ok_or_else(malformed)?;
        let path = path.trim();
        if !path.starts_with('/') || path.contains(' ') {
            return Err(malformed());
        }
        let path = path.split(['?', '#']).next().unwrap_or(path);
        self.call(method, path).ok_or_else(|| UnknownCall::Undocumented(call.to_owned()))
    }

    /// The documented call of this method and path, where there is one.
    pub(crate) fn call(&self, method: &str, path: &str) -> Option<&'static Call> {
        self.calls.iter().find(|call| call.method.eq_ignore_ascii_case(method) && matches_path(call.path, path))
    }
}

/// A name as people mistype it: `contacts:read`, `Read.Contacts` and `read:contact` read like `read:contacts`.
fn reading(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut words: Vec<&str> = lower.split([':', '.', '-', '_', '/', ' ']).filter(|word| !word.is_empty()).collect();
    words.sort_by_key(|word| !matches!(*word, "read" | "write" | "admin"));
    words.join(":")
}

/// Letters in another case are the same path: many an API takes them so, and a call must not take less for being said so.
fn matches_path(pattern: &str, path: &str) -> bool {
    let mut given = path.trim_end_matches('/').split('/');
    let fits = pattern.split('/').all(|segment| {
        let fits = |given: &str| segment.eq_ignore_ascii_case(given) || (segment.starts_with(':') && !given.is_empty());
        given.next().is_some_and(fits)
    });
    fits && given.next().is_none()
}

/// Permissions without repetition, in the order they were given.
pub(crate) fn distinct(permissions: impl IntoIterator<Item = Permission>) -> Vec<Permission> {
    let mut kept: Vec<Permission> = Vec::new();
    for permission in permissions {
        if !kept.contains(&permission) {
            kept.push(permission);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOGUE: Catalogue = Catalogue {
        entries: &[
            Entry { name: "read:contacts", about: "", included_in: Some("read") },
            Entry { name: "write:contacts", about: "", included_in: Some("write") },
            Entry { name: "admin:api_keys", about: "", included_in: None },
            Entry { name: "read", about: "", included_in: None },
        ],
        calls: &[
            Call { method: "GET", path: "/v1/contacts", permission: Some("read:contacts") },
            Call { method: "PATCH", path: "/v1/contacts/:id", permission: Some("write:contacts") },
        ],
    };

    fn held(names: &[&str]) -> Vec<Permission> {
        names.iter().map(|name| Permission::from_server(*name)).collect()
    }

    #[test]
    fn a_typo_gets_the_nearest_name() {
        for typo in ["read:contact", "contacts:read", "Read:Contacts", "raed:contacts", "read.contacts"] {
            assert_eq!(CATALOGUE.permission(typo).unwrap_err().suggestion, Some("read:contacts"), "{typo}");
        }
        assert_eq!(CATALOGUE.permission("admin:keys").unwrap_err().suggestion, Some("admin:api_keys"));
        assert_eq!(CATALOGUE.permission("zzz").unwrap_err().suggestion, None);
        assert_eq!(CATALOGUE.permission("").unwrap_err().suggestion, None);
    }

    #[test]
    fn what_may_be_a_secret_is_not_said_again() {
        let said = |name| CATALOGUE.permission(name).unwrap_err().to_string();
        assert_eq!(said("read:contact"), "unknown permission `read:contact`");
        assert_eq!(said("wbk_1a2B3c4D_0123"), "unknown permission");
        assert_eq!(said("\u{1b}[31m"), "unknown permission");
    }

    #[test]
    fn a_coarse_permission_includes_its_fine_ones_and_nothing_else() {
        assert!(CATALOGUE.covers(&held(&["read"]), "read:contacts"));
        assert!(CATALOGUE.covers(&held(&["read:contacts"]), "read:contacts"));
        assert!(!CATALOGUE.covers(&held(&["read:contacts"]), "read"));
        assert!(!CATALOGUE.covers(&held(&["read", "write:contacts"]), "admin:api_keys"));
        assert!(!CATALOGUE.covers(&[], "read:contacts"));
    }

    #[test]
    fn a_call_needs_its_least_permission() {
        let needed = |call| CATALOGUE.permission_for(call).map(|call| call.permission.unwrap_or_default());
        assert_eq!(needed("GET /v1/contacts"), Ok("read:contacts"));
        assert_eq!(needed("get /v1/contacts/?page=2"), Ok("read:contacts"));
        assert_eq!(needed("PATCH /v1/contacts/42"), Ok("write:contacts"));
        assert_eq!(needed("PATCH /v1/contacts"), Err(UnknownCall::Undocumented("PATCH /v1/contacts".to_owned())));
        assert_eq!(needed("/v1/contacts"), Err(UnknownCall::Malformed("/v1/contacts".to_owned())));
    }

    #[test]
    fn repeated_permissions_are_kept_once_in_order() {
        assert_eq!(distinct(held(&["b", "a", "b"])), held(&["b", "a"]));
    }
}
