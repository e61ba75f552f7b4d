//! ContactLevel's JSON, both directions, and its error bodies.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::credits::{CreditKind, Credits};
use crate::model::key::{IssuedKey, Key, NewKey};
use crate::model::lifetime::Lifetime;
use crate::model::record::Record;
use crate::model::tier::Tier;
use crate::model::whoami::Whoami;
use crate::providers::wire::{Fields, Invalid, Unreadable, expiry, name, whole_seconds, with_plaintext};

/// What makes a key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKeyBody {
    name: String,
    expires_at: Option<String>,
}

impl NewKeyBody {
    pub(super) fn into_new_key(self) -> Result<NewKey, Invalid> {
        let end = self.expires_at.as_deref().map(expiry).transpose()?;
        Ok(NewKey {
            name: name(&self.name)?,
            description: None,
            permissions: Vec::new(),
            tier: Tier::Standard,
            lifetime: end.map_or(Lifetime::Never, Lifetime::At),
            temporary: false,
            replaces: None,
        })
    }
}

/// The body that asks for a key.
pub(super) fn asked(new: &NewKey) -> Value {
    let mut body = json!({ "name": new.name.as_str() });
    if let Lifetime::At(end) = new.lifetime {
        body["expires_at"] = json!(whole_seconds(end));
    }
    body
}

/// A plaintext whose key is sought.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupBody {
    pub(super) api_key: String,
}

/// The body of the one answer with the plaintext.
pub(super) fn issued(issued: &IssuedKey) -> Vec<u8> {
    let answer = json!({ "key": fields(&issued.key), "api_key": issued.plain.expose() });
    with_plaintext(answer, "/api_key")
}

/// A key, or `null` where none is.
pub(super) fn one(key: Option<&Key>) -> Value {
    json!({ "key": key.map(fields) })
}

/// One page of keys.
pub(super) fn page_of_keys(keys: &[Key], page: u32, per_page: u32, total: u64) -> Value {
    json!({ "keys": keys.iter().map(fields).collect::<Vec<_>>(), "page": page, "per_page": per_page, "total": total })
}

fn fields(key: &Key) -> Value {
    let instant = |instant: Option<Timestamp>| instant.map(whole_seconds);
    json!({
        "id": key.id.as_str(),
        "name": key.name,
        "prefix": key.prefix,
        "created_by": key.created_by,
        "created_at": instant(key.created_at),
        "last_used_at": instant(key.last_used_at),
        "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at),
    })
}

/// Who calls.
pub(super) fn caller(id: &str, whoami: &Whoami) -> Value {
    json!({
        "organization": { "id": id, "name": whoami.workspace },
        "key": whoami.key.as_ref().map(fields),
    })
}

/// What can be spent, by kind.
pub(super) fn credits(credits: &Credits, now: Timestamp) -> Value {
    let spendable = credits.grants.iter().filter(|grant| grant.is_spendable(now));
    let of = |kind: CreditKind| -> i64 {
        spendable.clone().filter(|grant| grant.kind == kind).map(|grant| grant.remaining).sum()
    };
    json!({
        "total": credits.balance,
        "subscription": of(CreditKind::Subscription),
        "purchased": of(CreditKind::Purchased),
        "bonus": of(CreditKind::Bonus),
    })
}

/// Reads what can be spent.
pub(super) fn read_credits(value: Value) -> Result<Credits, Unreadable> {
    let mut fields = Fields::of(value)?;
    let mut kinds: Vec<(CreditKind, i64)> = Vec::new();
    for kind in CreditKind::ALL {
        kinds.extend(fields.number(kind.as_str()).map(|left| (kind, left)));
    }
    let total = fields.number("total").or_else(|| fields.number("credits"));
    let total = total.or_else(|| (!kinds.is_empty()).then(|| kinds.iter().map(|(_, left)| left).sum()));
    Ok(Credits { kinds: Some(kinds), ..Credits::balance_of(total.ok_or("it holds no balance")?) })
}

/// An object that was made, which cost what every request costs.
pub(super) fn record(record: &Record) -> Value {
    let mut fields = json!({
        "id": record.id,
        "created_at": whole_seconds(record.created_at),
        "updated_at": whole_seconds(record.updated_at),
        "credits_consumed": 1,
    });
    if let Value::Object(fields) = &mut fields {
        fields.extend(record.content.clone());
    }
    fields
}

/// An error.
pub(super) fn error(detail: &str) -> Value {
    json!({ "detail": detail })
}

/// A field that cannot be as it is: where it stands in the request, and why.
pub(super) fn invalid(field: &str, problem: &str) -> Value {
    let place = match field {
        "body" => vec!["body"],
        "page" | "per_page" | "query" => vec!["query", field],
        "Idempotency-Key" => vec!["header", field],
        field => vec!["body", field],
    };
    json!({ "detail": [{ "loc": place, "msg": problem, "type": "value_error" }] })
}
