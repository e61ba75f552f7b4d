//! How an entry of the audit log looks: as JSON, and as a row with each change as old → new.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::table::{Cell, Column};
use crate::model::audit::AuditEntry;
use crate::text;

pub(crate) static COLUMNS: [Column; 5] = [
    Column { title: "TIME", name: "time", rank: 9, shrinks: false, right: false, place: 0 },
    Column { title: "ACTION", name: "action", rank: 8, shrinks: false, right: false, place: 1 },
    Column { title: "RESOURCE", name: "resource_id", rank: 7, shrinks: false, right: false, place: 3 },
    Column { title: "BY", name: "actor", rank: 6, shrinks: true, right: false, place: 2 },
    Column { title: "CHANGES", name: "changes", rank: 5, shrinks: true, right: false, place: 4 },
];

/// For programs. Fields are only ever added.
pub(crate) fn json(entry: &AuditEntry) -> Value {
    json!({
        "id": entry.id,
        "time": text::utc(entry.at),
        "action": entry.action,
        "resource_type": entry.resource_type(),
        "resource_id": entry.resource_id,
        "actor": entry.actor,
        "actor_name": entry.actor_name,
        "details": entry.details,
    })
}

pub(crate) fn cells(entry: &AuditEntry, now: Timestamp) -> Vec<Cell> {
    let changes = changes(entry);
    vec![
        Cell::of(text::relative(entry.at, now), text::utc(entry.at)),
        Cell::new(entry.action.as_str()),
        Cell::new(entry.resource_id.as_str()),
        Cell::new(entry.actor_name.as_str()),
        Cell::new(changes),
    ]
}

/// `name: ci → worker, expires_at: none → 2027-01-01T00:00:00Z`; of what was made or deleted, its name.
fn changes(entry: &AuditEntry) -> String {
    let said = |(field, change): (&String, &Value)| -> Option<String> {
        let of = change.as_object()?;
        if let (Some(old), Some(new)) = (of.get("old"), of.get("new")) {
            return Some(format!("{field}: {} → {}", shown(old), shown(new)));
        }
        matches!(field.as_str(), "created" | "deleted").then(|| {
            let name = of.get("name").or_else(|| of.get("amount")).map_or_else(String::new, shown);
            format!("{field} {name}")
        })
    };
    let parts: Vec<String> = entry.details.iter().filter_map(said).collect();
    parts.join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(details: &Value) -> AuditEntry {
        AuditEntry {
            id: "log_1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            actor: "operator".to_owned(),
            actor_name: "operator".to_owned(),
            action: "api_key.update".to_owned(),
            resource_id: "key_1".to_owned(),
            details: details.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn a_change_is_told_as_old_and_new() {
        let details = json!({
            "permissions": { "old": ["read", "write"], "new": ["read"] }, "expires_at": { "old": null, "new": "2027" }
        });
        assert_eq!(changes(&entry(&details)), "permissions: read write → read, expires_at: none → 2027");
        assert_eq!(changes(&entry(&json!({ "created": { "name": "ci" } }))), "created ci");
        assert_eq!(changes(&entry(&json!({ "issued": "key_2" }))), "");
    }
}
