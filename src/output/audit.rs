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
#[expect(clippy::needless_raw_string_hashes, reason = "golden texts are written by `SNAPSHOTS=overwrite`, with hashes")]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::output::{Format, Output};
    use crate::terminal::Terminal;

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

    fn entry_at(ago: i64, action: &str, resource: &str, actor: &str, details: &Value) -> AuditEntry {
        let at = Timestamp::from_second(NOW - ago).unwrap();
        let (action, resource_id, actor_name) = (action.to_owned(), resource.to_owned(), actor.to_owned());
        AuditEntry { at, actor_name, action, resource_id, ..entry(details) }
    }

    const NOW: i64 = 1_795_176_000;

    fn shown(columns: u16, entries: &[AuditEntry]) -> String {
        let (mut terminal, captured) = Terminal::test_screen(columns);
        let now = Timestamp::from_second(NOW).unwrap();
        let output = Output { format: Format::Table, jq: None };
        let mut list = output.log(&terminal, &COLUMNS);
        for entry in entries {
            list.row_of(&mut terminal, || cells(entry, now), || json(entry)).unwrap();
        }
        list.finish(&mut terminal, Value::Null).unwrap();
        let shown = captured.stdout();
        let widest = shown.lines().map(text::width).max().unwrap();
        assert!(widest <= usize::from(columns), "{widest} of {columns}");
        shown
    }

    fn some() -> [AuditEntry; 3] {
        let changed = json!({
            "name": { "old": "Ingestion worker", "new": "Ingestion worker @2026-11-21" },
            "permissions": { "old": ["read:contacts", "write:contacts"], "new": ["read:contacts"] },
        });
        [
            entry_at(40, "api_key.update", "key_7qz3m1v9w8x2", "support\u{202e}", &changed),
            entry_at(720, "credits.grant", "grant_1", "operator", &json!({ "created": { "amount": 250 } })),
            entry_at(90_000, "api_key.revoke", "key_0000000000ab", "ci", &json!({})),
        ]
    }

    #[test]
    fn all_of_a_change_is_on_one_line_where_there_is_room() {
        assert_data_eq!(
            shown(200, &some()),
            str![[r#"
TIME            ACTION          RESOURCE          BY               CHANGES
40 seconds ago  api_key.update  key_7qz3m1v9w8x2  support/u{202e}  name: Ingestion worker → Ingestion worker @2026-11-21, permissions: read:contacts write:contacts → read:contacts
12 minutes ago  credits.grant   grant_1           operator         created 250
1 day ago       api_key.revoke  key_0000000000ab  ci

"#]]
        );
    }

    #[test]
    fn a_change_that_has_no_room_stands_below() {
        assert_data_eq!(
            shown(80, &some()),
            str![[r#"
TIME            ACTION          RESOURCE          BY
40 seconds ago  api_key.update  key_7qz3m1v9w8x2  support/u{202e}
  name: Ingestion worker → Ingestion worker @2026-11-21, permissions:
  read:contacts write:contacts → read:contacts
12 minutes ago  credits.grant   grant_1           operator
  created 250
1 day ago       api_key.revoke  key_0000000000ab  ci

"#]]
        );
    }

    #[test]
    fn and_so_does_all_else_on_a_narrow_screen() {
        assert_data_eq!(
            shown(40, &some()),
            str![[r#"
TIME            ACTION
40 seconds ago  api_key.update
  resource key_7qz3m1v9w8x2
  by support/u{202e}
  name: Ingestion worker → Ingestion
  worker @2026-11-21, permissions:
  read:contacts write:contacts →
  read:contacts
12 minutes ago  credits.grant
  resource grant_1
  by operator
  created 250
1 day ago       api_key.revoke
  resource key_0000000000ab
  by ci

"#]]
        );
    }

    #[test]
    fn who_follows_sees_each_change_at_once_below_one_header() {
        let (mut terminal, captured) = Terminal::test_screen(80);
        let now = Timestamp::from_second(NOW).unwrap();
        let output = Output { format: Format::Table, jq: None };
        let mut list = output.log(&terminal, &COLUMNS);
        for (number, entry) in some().iter().enumerate() {
            list.row_of(&mut terminal, || cells(entry, now), || json(entry)).unwrap();
            list = list.so_far(&mut terminal).unwrap();
            let said = captured.stdout();
            assert_eq!(
                (said.matches("TIME").count(), said.contains(&entry.resource_id)),
                (1, true),
                "{number}: {said}"
            );
        }
    }
}
