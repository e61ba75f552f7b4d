//! LeadLex's JSON, both directions, and its error body.

mod account;

pub(super) use account::{entry, logs, page_of_records, record, settings};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rules::RULES;
use crate::model::key::{IssuedKey, Key, NewKey};
use crate::model::lifetime::Lifetime;
use crate::model::permission::Permission;
use crate::model::tier::Tier;
use crate::providers::wire::{Invalid, expiry, name, permissions, whole_seconds, with_plaintext};

/// What makes a key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKeyBody {
    name: String,
    permissions: Vec<String>,
    description: Option<String>,
    rate_limit_tier: Option<String>,
    expires_at: Option<String>,
}

impl NewKeyBody {
    pub(super) fn into_new_key(self) -> Result<NewKey, Invalid> {
        let tier = self.rate_limit_tier.as_deref().map(tier).transpose()?;
        let end = self.expires_at.as_deref().map(expiry).transpose()?;
        Ok(NewKey {
            name: name(&self.name)?,
            description: self.description,
            permissions: permissions(&self.permissions, &RULES.permissions)?,
            tier: tier.unwrap_or(Tier::Standard),
            lifetime: end.map_or(Lifetime::Never, Lifetime::At),
            temporary: false,
            replaces: None,
        })
    }
}

/// The body that asks for a key.
pub(super) fn asked(new: &NewKey) -> Value {
    let mut body = json!({
        "name": new.name.as_str(),
        "permissions": new.permissions.iter().map(Permission::as_str).collect::<Vec<_>>(),
    });
    if let Some(description) = &new.description {
        body["description"] = json!(description);
    }
    if new.tier != Tier::Standard {
        body["rate_limit_tier"] = json!(new.tier.as_str());
    }
    if let Lifetime::At(end) = new.lifetime {
        body["expires_at"] = json!(whole_seconds(end));
    }
    body
}

fn tier(text: &str) -> Result<Tier, Invalid> {
    let problem = "it is one of standard, high and unmetered".to_owned();
    Tier::parse(text).ok_or(Invalid { field: "rate_limit_tier", problem })
}

/// The body of the one answer with the plaintext.
pub(super) fn issued(issued: &IssuedKey) -> Vec<u8> {
    let IssuedKey { key, plain } = issued;
    let answer = json!({ "data": {
        "id": key.id.as_str(),
        "key": plain.expose(),
        "prefix": key.prefix,
        "name": key.name,
        "description": key.description,
        "permissions": held(key),
        "rate_limit_tier": key.tier.map(Tier::as_str),
        "expires_at": key.expires_at.map(whole_seconds),
        "created_at": key.created_at.map(whole_seconds),
    } });
    with_plaintext(answer, "/data/key")
}

/// One page of keys.
pub(super) fn page_of_keys(keys: &[Key], meta: &Value) -> Value {
    let keys: Vec<Value> = keys.iter().map(listed).collect();
    json!({ "data": { "api_keys": keys }, "meta": meta })
}

/// Where a page stands in its list.
pub(super) fn meta(page: u32, per_page: u32, total: u64) -> Value {
    json!({ "page": page, "per_page": per_page, "total": total })
}

fn listed(key: &Key) -> Value {
    let instant = |instant: Option<Timestamp>| instant.map(whole_seconds);
    json!({
        "id": key.id.as_str(),
        "name": key.name,
        "description": key.description,
        "prefix": key.prefix,
        "permissions": held(key),
        "rate_limit_tier": key.tier.map(Tier::as_str),
        "created_by": key.created_by,
        "created_at": instant(key.created_at),
        "last_used_at": instant(key.last_used_at),
        "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at),
    })
}

fn held(key: &Key) -> Vec<&str> {
    key.permissions.iter().map(Permission::as_str).collect()
}

/// An error.
pub(super) fn error(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}
