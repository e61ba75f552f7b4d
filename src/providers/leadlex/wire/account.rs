//! The workspace's settings and its audit log, and what the data routes keep, as LeadLex's JSON.

use serde_json::{Value, json};

use crate::model::audit::AuditEntry;
use crate::model::credits::Credits;
use crate::model::record::Record;
use crate::model::whoami::Whoami;
use crate::providers::wire::{Fields, Unreadable, whole_seconds};

/// The workspace's settings. What this service does not know of a workspace is `null`.
pub(crate) fn settings(id: &str, whoami: &Whoami, features: impl Iterator<Item = String>, credits: &Credits) -> Value {
    json!({ "data": {
        "workspace_id": id,
        "name": whoami.workspace,
        "slug": slug(&whoami.workspace),
        "timezone": "UTC",
        "locale": null,
        "currency": null,
        "billing": {
            "plan": whoami.plan,
            "seats": null,
            "credits_balance": credits.balance,
            "trial_ends_at": null,
        },
        "features": features.collect::<Vec<_>>(),
    } })
}

/// `Acme & Sons` as it stands in an address: `acme-sons`.
fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// One page of the audit log. Of each entry also what LeadLex calls the action and the kind of thing.
pub(crate) fn logs(entries: &[AuditEntry], named: impl Fn(&str) -> (String, String), meta: &Value) -> Value {
    let logs: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let (action, resource_type) = named(&entry.action);
            let user_type = if ["operator", "service"].contains(&entry.actor.as_str()) { "system" } else { "api_key" };
            json!({
                "id": entry.id,
                "timestamp": whole_seconds(entry.at),
                "user": { "id": entry.actor, "email": null, "type": user_type },
                "action": action,
                "resource_type": resource_type,
                "resource_id": entry.resource_id,
                "details": entry.details,
                "ip_address": null,
                "user_agent": null,
            })
        })
        .collect();
    json!({ "data": { "logs": logs }, "meta": meta })
}

/// Reads an entry of the audit log. Its action is named with the kind of thing: `api_keys.create`.
pub(crate) fn entry(value: Value) -> Result<AuditEntry, Unreadable> {
    let mut fields = Fields::of(value)?;
    let mut user = fields.object("user").ok();
    let actor = user.as_mut().and_then(|user| user.id("id")).unwrap_or_default();
    let email = user.as_mut().and_then(|user| user.text("email").ok().flatten());
    let action = fields.text("action")?.unwrap_or_default();
    let action = match fields.text("resource_type")? {
        Some(kind) => format!("{kind}.{action}"),
        None => action,
    };
    Ok(AuditEntry {
        id: fields.id("id").ok_or("an entry has no id")?,
        at: fields.instant("timestamp")?.ok_or("an entry has no time")?,
        actor_name: email.unwrap_or_else(|| actor.clone()),
        actor,
        action,
        resource_id: fields.id("resource_id").unwrap_or_default(),
        details: fields.object("details").map(Fields::rest).unwrap_or_default(),
    })
}

/// An object of a collection.
pub(crate) fn record(record: &Record) -> Value {
    json!({ "data": fields(record) })
}

/// One page of a collection.
pub(crate) fn page_of_records(collection: &str, records: &[Record], meta: &Value) -> Value {
    let records: Vec<Value> = records.iter().map(fields).collect();
    json!({ "data": { collection: records }, "meta": meta })
}

fn fields(record: &Record) -> Value {
    let mut fields = json!({
        "id": record.id,
        "created_at": whole_seconds(record.created_at),
        "updated_at": whole_seconds(record.updated_at),
    });
    if let Value::Object(fields) = &mut fields {
        fields.extend(record.content.clone());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_made_of_the_words_of_a_name() {
        assert_eq!(slug("Acme & Sons, Ltd."), "acme-sons-ltd");
        assert_eq!(slug("…"), "");
    }
}
