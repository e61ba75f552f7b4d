//! Nexus ERP's JSON, both directions, and its error body. Instants have milliseconds.

use jiff::{Timestamp, Unit};
use serde::Deserialize;
use serde_json::{Value, json};

use super::rules::RULES;
use crate::model::audit::AuditEntry;
use crate::model::key::{IssuedKey, Key, KeyChange, KeyName, NewKey, ROLE};
use crate::model::lifetime::Lifetime;
use crate::model::permission::Permission;
use crate::model::record::Record;
use crate::model::tier::Tier;
use crate::model::whoami::Whoami;
use crate::providers::wire::{Fields, Invalid, Unreadable, expiry, name, permissions, present, with_plaintext};

/// What makes a key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKeyBody {
    name: String,
    #[serde(default)]
    permissions: Vec<String>,
    expires_at: Option<String>,
}

impl NewKeyBody {
    pub(super) fn into_new_key(self) -> Result<NewKey, Invalid> {
        let end = self.expires_at.as_deref().map(expiry).transpose()?;
        let end = end.map(|end| Timestamp::from_millisecond(end.as_millisecond()).unwrap_or(end));
        let held = permissions(&self.permissions, &RULES.permissions)?;
        Ok(new_key(name(&self.name)?, held, end.map_or(Lifetime::Never, Lifetime::At)))
    }
}

/// What `Generate test token` makes: a key for an hour, which may do everything with leads.
pub(super) fn temporary_key() -> Result<NewKey, Invalid> {
    let everything = RULES.permissions.entries.iter().map(|entry| Permission::from_server(entry.name)).collect();
    Ok(NewKey {
        temporary: true,
        ..new_key(name(RULES.temporary_name.unwrap_or_default())?, everything, Lifetime::Never)
    })
}

/// The body that asks for a key.
pub(super) fn asked(new: &NewKey) -> Value {
    let mut body = json!({
        "name": new.name.as_str(),
        "permissions": new.permissions.iter().map(Permission::as_str).collect::<Vec<_>>(),
    });
    if let Lifetime::At(end) = new.lifetime {
        body["expires_at"] = json!(milliseconds(end));
    }
    body
}

/// The body that asks for a change.
pub(super) fn changed(change: &KeyChange) -> Value {
    let mut body = json!({});
    if let Some(name) = &change.name {
        body["name"] = json!(name.as_str());
    }
    if let Some(permissions) = &change.permissions {
        body["permissions"] = permissions.iter().map(Permission::as_str).collect();
    }
    body
}

fn new_key(name: KeyName, permissions: Vec<Permission>, lifetime: Lifetime) -> NewKey {
    NewKey { name, description: None, permissions, tier: Tier::Standard, lifetime, temporary: false, replaces: None }
}

/// What changes of a key: an absent field stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyChangeBody {
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    permissions: Option<Vec<String>>,
    /// Named to be refused in words of its own.
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Value>,
}

impl KeyChangeBody {
    pub(super) fn into_change(self) -> Result<KeyChange, Invalid> {
        if self.expires_at.is_some() {
            let problem = "the expiry of a key cannot be changed once it is created".to_owned();
            return Err(Invalid { field: "expires_at", problem });
        }
        let held = self.permissions.as_deref().map(|names| permissions(names, &RULES.permissions));
        Ok(KeyChange {
            name: self.name.as_deref().map(name).transpose()?,
            permissions: held.transpose()?,
            ..KeyChange::default()
        })
    }
}

/// A plaintext whose key is sought.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupBody {
    pub(super) key: String,
}

/// The body of the one answer with the plaintext.
pub(super) fn issued(issued: &IssuedKey) -> Vec<u8> {
    let mut fields = fields(&issued.key);
    fields["key"] = Value::String(issued.plain.expose().to_owned());
    with_plaintext(json!({ "data": fields }), "/data/key")
}

/// A key, or `null` where none is.
pub(super) fn one(key: Option<&Key>) -> Value {
    json!({ "data": key.map(fields) })
}

/// One page of keys.
pub(super) fn page_of_keys(keys: &[Key], page: u32, per_page: u32, total: u64) -> Value {
    page_of(keys.iter().map(fields), page, per_page, total)
}

fn page_of(rows: impl Iterator<Item = Value>, page: u32, per_page: u32, total: u64) -> Value {
    json!({ "data": rows.collect::<Vec<_>>(), "page": page, "per_page": per_page, "total": total })
}

fn fields(key: &Key) -> Value {
    let instant = |instant: Option<Timestamp>| instant.map(milliseconds);
    let mut fields = json!({
        "id": key.id.as_str(),
        "name": key.name,
        "prefix": key.prefix,
        "permissions": key.permissions.iter().map(Permission::as_str).collect::<Vec<_>>(),
        "active": key.revoked_at.is_none(),
        "temporary": key.temporary,
        "created_by": key.created_by,
        "created_at": instant(key.created_at),
        "last_used_at": instant(key.last_used_at),
        "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at),
    });
    // A member's credential is no developer key: nothing that is made in its place would be one.
    if let Some(role) = key.role() {
        fields[ROLE] = json!(role);
    }
    fields
}

/// Who calls.
pub(super) fn caller(whoami: &Whoami) -> Value {
    json!({ "data": { "organisation": { "name": whoami.workspace }, "key": whoami.key.as_ref().map(fields) } })
}

/// One page of the audit log.
pub(super) fn page_of_entries(entries: &[AuditEntry], page: u32, per_page: u32, total: u64) -> Value {
    let rows = entries.iter().map(|entry| {
        json!({
            "id": entry.id,
            "timestamp": milliseconds(entry.at),
            "actor": { "id": entry.actor, "name": entry.actor_name },
            "action": entry.action,
            "entity_type": entry.resource_type(),
            "entity_id": entry.resource_id,
            "changes": entry.details,
        })
    });
    page_of(rows, page, per_page, total)
}

/// Reads an entry of the audit log.
pub(super) fn entry(value: Value) -> Result<AuditEntry, Unreadable> {
    let mut fields = Fields::of(value)?;
    let mut actor = fields.object("actor").ok();
    Ok(AuditEntry {
        id: fields.id("id").ok_or("an entry has no id")?,
        at: fields.instant("timestamp")?.ok_or("an entry has no time")?,
        actor: actor.as_mut().and_then(|actor| actor.id("id")).unwrap_or_default(),
        actor_name: actor.and_then(|mut actor| actor.text("name").ok().flatten()).unwrap_or_default(),
        action: fields.text("action")?.unwrap_or_default(),
        resource_id: fields.id("entity_id").unwrap_or_default(),
        details: fields.object("changes").map(Fields::rest).unwrap_or_default(),
    })
}

/// An object of a collection.
pub(super) fn record(record: &Record) -> Value {
    json!({ "data": record_fields(record) })
}

/// One page of a collection.
pub(super) fn page_of_records(records: &[Record], page: u32, per_page: u32, total: u64) -> Value {
    page_of(records.iter().map(record_fields), page, per_page, total)
}

fn record_fields(record: &Record) -> Value {
    let mut fields = json!({
        "id": record.id,
        "created_at": milliseconds(record.created_at),
        "updated_at": milliseconds(record.updated_at),
    });
    if let Value::Object(fields) = &mut fields {
        fields.extend(record.content.clone());
    }
    fields
}

/// An error.
pub(super) fn error(message: &str) -> Value {
    json!({ "error": message })
}

/// `2026-04-29T13:00:00.000Z`
fn milliseconds(instant: Timestamp) -> String {
    format!("{:.3}", instant.round(Unit::Millisecond).unwrap_or(instant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_milliseconds_also_where_they_are_whole() {
        let written = |text: &str| milliseconds(text.parse().unwrap());
        assert_eq!(written("2026-04-29T13:00:00Z"), "2026-04-29T13:00:00.000Z");
        assert_eq!(written("2026-04-29T13:00:00.1234Z"), "2026-04-29T13:00:00.123Z");
    }
}
