//! What the audit log says of a key: all of it when it is made or deleted, old and new where it is changed. Never its secret,
//! which nothing here knows.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::model::key::Key;

/// What the audit log keeps of a key.
pub(super) fn snapshot(key: &Key) -> Map<String, Value> {
    let instant = |instant: Option<Timestamp>| instant.map(|instant| instant.to_string());
    let fields = [
        ("name", json!(key.name)),
        ("prefix", json!(key.prefix)),
        ("description", json!(key.description)),
        ("permissions", json!(key.permissions)),
        ("tier", json!(key.tier)),
        ("expires_at", json!(instant(key.expires_at))),
        ("revoked_at", json!(instant(key.revoked_at))),
        ("revoked_reason", json!(key.revoked_reason)),
    ];
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

/// The fields that changed: `{"name":{"old":…,"new":…}}`.
pub(super) fn differences(before: &Key, after: &Key) -> Value {
    let old = snapshot(before);
    let changed = snapshot(after).into_iter().filter(|(field, new)| old.get(field) != Some(new));
    changed
        .map(|(field, new)| {
            let change = json!({ "old": old.get(&field), "new": new });
            (field, change)
        })
        .collect::<Map<String, Value>>()
        .into()
}
