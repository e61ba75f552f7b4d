//! What the JSON of all providers has in common: instants, what a request may say of a key, and plaintexts, which are wiped
//! once they are written.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::model::key::{KeyName, NotAName};
use crate::model::permission::{Catalogue, Permission, distinct};

/// A field that cannot be as it is.
#[derive(Debug)]
pub(crate) struct Invalid {
    pub(crate) field: &'static str,
    pub(crate) problem: String,
}

/// `2026-04-17T11:20:00Z`: without fractions of a second.
pub(crate) fn whole_seconds(instant: Timestamp) -> String {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant).to_string()
}

pub(crate) fn name(text: &str) -> Result<KeyName, Invalid> {
    text.parse().map_err(|error: NotAName| Invalid { field: "name", problem: error.to_string() })
}

pub(crate) fn permissions(names: &[String], catalogue: &Catalogue) -> Result<Vec<Permission>, Invalid> {
    let known = names.iter().map(|name| catalogue.permission(name)).collect::<Result<Vec<_>, _>>();
    let known = known.map_err(|error| {
        let nearest = error.suggestion.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        Invalid { field: "permissions", problem: format!("{error}{nearest}") }
    })?;
    Ok(distinct(known))
}

/// When a key is to end.
pub(crate) fn expiry(text: &str) -> Result<Timestamp, Invalid> {
    text.parse().map_err(|_| Invalid {
        field: "expires_at",
        problem: "it is no instant: write it as 2027-01-31T09:00:00Z".to_owned(),
    })
}

/// Tells a field that is there from one that is absent: whatever is there must be of its type, so `null` only passes
/// where the type takes it.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The bytes of an answer that holds a plaintext, which is wiped from where it stood: `/data/key`.
pub(crate) fn with_plaintext(mut answer: Value, place: &str) -> Vec<u8> {
    let bytes = serde_json::to_vec(&answer).unwrap_or_default();
    if let Some(Value::String(text)) = answer.pointer_mut(place).map(Value::take) {
        drop(Zeroizing::new(text));
    }
    bytes
}
