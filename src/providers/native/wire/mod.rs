//! The native provider's JSON, both directions, and its error body.

mod account;
mod reading;

pub(super) use account::{
    AuditAnswer, AuditLogAnswer, CreditsAnswer, CreditsBody, RecordAnswer, RecordBody, RecordListAnswer, UsageAnswer,
    UsageBody,
};

use std::fmt;

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value, json};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::rules::RULES;
use crate::model::key::{IssuedKey, Key, KeyChange, KeyId, NewKey, Setting};
use crate::model::lifetime::{Age, Lifetime};
use crate::model::permission::Permission;
use crate::model::secret::PlainKey;
use crate::model::state::State;
use crate::model::tier::Tier;
use crate::model::whoami::Whoami;
use crate::providers::wire::{Invalid, expiry, name, permissions, present, whole_seconds, with_plaintext};

/// A key. Instants are RFC 3339 in UTC, whole seconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key, example = json!({
    "id": "key_7qz3m1v9w8x2", "name": "Ingestion worker", "description": "Used by the nightly ingestion job",
    "prefix": "wbk_1a2B3c4D", "permissions": ["read:contacts"], "rate_limit_tier": "standard", "status": "active",
    "temporary": false, "created_by": "operator", "created_at": "2026-04-17T11:20:00Z", "last_used_at": null,
    "expires_at": null, "revoked_at": null, "revoked_reason": null, "replaced": false
}))]
pub(super) struct KeyBody {
    id: String,
    name: String,
    description: Option<String>,
    /// The part of the key that may be shown
    prefix: String,
    permissions: Vec<String>,
    /// `standard`, `high` or `unmetered`
    rate_limit_tier: Option<String>,
    /// `active`, `revoked` or `expired` at the time of the answer
    status: String,
    temporary: bool,
    /// The id of the key that made it, or `operator`
    created_by: Option<String>,
    created_at: Option<String>,
    last_used_at: Option<String>,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    revoked_reason: Option<String>,
    /// Whether it works but a successor has taken over its name
    replaced: bool,
    #[serde(flatten)]
    #[schema(ignore)]
    more: Map<String, Value>,
}

impl KeyBody {
    pub(super) fn of(key: &Key, now: Timestamp) -> Self {
        let instant = |instant: Option<Timestamp>| instant.map(whole_seconds);
        Self {
            id: key.id.as_str().to_owned(),
            name: key.name.clone(),
            description: key.description.clone(),
            prefix: key.prefix.clone(),
            permissions: key.permissions.iter().map(ToString::to_string).collect(),
            rate_limit_tier: key.tier.map(|tier| tier.as_str().to_owned()),
            status: key.state(now).as_str().to_owned(),
            temporary: key.temporary,
            created_by: key.created_by.clone(),
            created_at: instant(key.created_at),
            last_used_at: instant(key.last_used_at),
            expires_at: instant(key.expires_at),
            revoked_at: instant(key.revoked_at),
            revoked_reason: key.revoked_reason.clone(),
            replaced: key.replaced && key.state(now) == State::Active,
            more: Map::new(),
        }
    }

    /// The key it describes. An instant that cannot be read is an error: a key whose end is not understood must not pass
    /// for one without an end.
    pub(super) fn into_key(self) -> Result<Key, &'static str> {
        let instant = |text: Option<String>| -> Result<Option<Timestamp>, &'static str> {
            text.map(|text| text.parse().map_err(|_| "one of its times is none")).transpose()
        };
        Ok(Key {
            id: KeyId::new(self.id),
            name: self.name,
            description: self.description,
            prefix: self.prefix,
            permissions: self.permissions.into_iter().map(Permission::from_server).collect(),
            tier: self.rate_limit_tier.as_deref().and_then(Tier::parse),
            temporary: self.temporary,
            created_by: self.created_by,
            created_at: instant(self.created_at)?,
            last_used_at: instant(self.last_used_at)?,
            expires_at: instant(self.expires_at)?,
            revoked_at: instant(self.revoked_at)?,
            revoked_reason: self.revoked_reason,
            replaced: self.replaced,
            more: self.more,
        })
    }
}

/// A key in the envelope of every answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct KeyAnswer {
    pub(super) data: KeyBody,
}

/// Who calls, in the envelope of every answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct WhoamiAnswer {
    pub(super) data: WhoamiBody,
}

/// Who calls.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Whoami)]
pub(super) struct WhoamiBody {
    workspace: WorkspaceBody,
    /// `key`, or `operator` for whoever holds the database itself
    identity: IdentityBody,
    /// The calling key; `null` for the operator
    api_key: Option<KeyBody>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Workspace)]
pub(super) struct WorkspaceBody {
    name: String,
    #[serde(default)]
    plan: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Identity)]
pub(super) enum IdentityBody {
    Key,
    Operator,
}

impl WhoamiBody {
    pub(super) fn of(whoami: &Whoami, now: Timestamp) -> Self {
        Self {
            workspace: WorkspaceBody { name: whoami.workspace.clone(), plan: whoami.plan.clone() },
            identity: if whoami.key.is_some() { IdentityBody::Key } else { IdentityBody::Operator },
            api_key: whoami.key.as_ref().map(|key| KeyBody::of(key, now)),
        }
    }

    pub(super) fn into_whoami(self) -> Result<Whoami, &'static str> {
        if (self.identity == IdentityBody::Key) != self.api_key.is_some() {
            return Err("it does not say who calls");
        }
        let WorkspaceBody { name: workspace, plan } = self.workspace;
        Ok(Whoami { workspace, plan, key: self.api_key.map(KeyBody::into_key).transpose()?, tells_key: true })
    }
}

/// One page of keys.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct KeyListAnswer {
    pub(super) data: Vec<KeyBody>,
    pub(super) meta: Option<PageBody>,
}

/// Where a page stands in its list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct PageBody {
    /// From 1
    pub(super) page: u32,
    pub(super) per_page: u32,
    /// Keys on all pages together
    pub(super) total: u64,
}

/// A new key with its plaintext, which no later answer holds; written by hand, because the plaintext cannot be
/// serialised by accident. This type only describes it.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedKeyAnswer)]
pub(super) struct IssuedKeyAnswer {
    data: IssuedKeyBody,
}

#[derive(Serialize, ToSchema)]
#[schema(as = IssuedKey)]
pub(super) struct IssuedKeyBody {
    #[serde(flatten)]
    fields: KeyBody,
    /// The plaintext: shown here and nowhere again
    key: String,
}

/// The body of an answer with the plaintext.
pub(super) fn issued_answer(issued: &IssuedKey, now: Timestamp) -> Vec<u8> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(KeyBody::of(&issued.key, now)) else {
        return Vec::new();
    };
    fields.insert("key".to_owned(), Value::String(issued.plain.expose().to_owned()));
    with_plaintext(json!({ "data": fields }), "/data/key")
}

/// Takes key and plaintext out of an answer. What is wrong with one that has none is said without quoting any of it.
pub(super) fn read_issued(body: &[u8]) -> Result<IssuedKey, &'static str> {
    let mut answer: Value = serde_json::from_slice(body).map_err(|_| "it is no JSON")?;
    let Some(Value::Object(fields)) = answer.get_mut("data") else {
        return Err("it holds no `data`");
    };
    let Some(Value::String(plain)) = fields.shift_remove("key") else {
        return Err("it holds no `data.key`");
    };
    let plain = PlainKey::parse(&Zeroizing::new(plain)).map_err(|_| "its `data.key` is no key")?;
    let key: KeyBody =
        serde_json::from_value(Value::Object(std::mem::take(fields))).map_err(|_| "its `data` is no key")?;
    Ok(IssuedKey { key: key.into_key()?, plain })
}

/// The key in an answer that holds no plaintext.
pub(super) fn read_unseen(body: &[u8]) -> Option<Key> {
    let answer: KeyAnswer = serde_json::from_slice(body).ok()?;
    let has_plaintext = answer.data.more.contains_key("key");
    answer.data.into_key().ok().filter(|key| !has_plaintext && !key.id.as_str().is_empty())
}

/// How much of the plan's limits a key gets.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Tier)]
pub(super) enum TierBody {
    Standard,
    High,
    Unmetered,
}

impl TierBody {
    const fn of(tier: Tier) -> Self {
        match tier {
            Tier::Standard => Self::Standard,
            Tier::High => Self::High,
            Tier::Unmetered => Self::Unmetered,
        }
    }

    const fn tier(self) -> Tier {
        match self {
            Self::Standard => Tier::Standard,
            Self::High => Tier::High,
            Self::Unmetered => Tier::Unmetered,
        }
    }
}

/// The longest a key can be given in seconds: three thousand years, so that its end is a date whenever it is asked for.
const LONGEST_LIFE: i64 = 100_000_000_000;

/// What makes a key.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey, example = json!({
    "name": "Ingestion worker", "permissions": ["read:contacts", "write:contacts"],
    "description": "Used by the nightly ingestion job"
}))]
pub(super) struct NewKeyBody {
    /// Unique among active keys
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// None beyond what the calling key holds itself
    #[schema(min_items = 1)]
    permissions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_limit_tier: Option<TierBody>,
    /// In the future; from then on the key is answered with 401
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Seconds from now, instead of `expires_at`: the same request again then says the same
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "integer")]
    #[schema(minimum = 1, maximum = 100_000_000_000_i64)]
    expires_in: Option<i64>,
    /// A key that ends by itself after an hour
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    temporary: bool,
    /// The id of the key that this one is to replace: where both have one name, the new key claims it, and the old one
    /// works on under it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
}

impl NewKeyBody {
    pub(super) fn of(new: &NewKey) -> Self {
        Self {
            name: new.name.as_str().to_owned(),
            permissions: new.permissions.iter().map(ToString::to_string).collect(),
            description: new.description.clone(),
            rate_limit_tier: Some(new.tier).filter(|tier| *tier != Tier::Standard).map(TierBody::of),
            expires_at: match new.lifetime {
                Lifetime::At(end) => Some(whole_seconds(end)),
                Lifetime::After(_) | Lifetime::Never => None,
            },
            expires_in: match new.lifetime {
                Lifetime::After(age) => Some(age.seconds()),
                Lifetime::At(_) | Lifetime::Never => None,
            },
            temporary: new.temporary,
            replaces: new.replaces.as_ref().map(|id| id.as_str().to_owned()),
        }
    }

    pub(super) fn into_new_key(self) -> Result<NewKey, Invalid> {
        let lifetime = match (self.expires_at.as_deref(), self.expires_in, self.temporary) {
            (None, None, _) => Lifetime::Never,
            (Some(text), None, false) => Lifetime::At(end(text)?),
            (None, Some(seconds), false) => {
                let age = Age::from_seconds(seconds).filter(|_| seconds <= LONGEST_LIFE);
                Lifetime::After(age.ok_or_else(|| Invalid {
                    field: "expires_in",
                    problem: format!("it is a number of seconds, from 1 to {LONGEST_LIFE}"),
                })?)
            }
            _ => {
                let problem = "only one of expires_at, expires_in and temporary ends a key".to_owned();
                return Err(Invalid { field: "expires_at", problem });
            }
        };
        Ok(NewKey {
            name: name(&self.name)?,
            description: self.description,
            permissions: permissions(&self.permissions, &RULES.permissions)?,
            tier: self.rate_limit_tier.map_or(Tier::Standard, TierBody::tier),
            lifetime,
            temporary: self.temporary,
            replaces: self.replaces.map(KeyId::new),
        })
    }
}

/// What changes of a key: an absent field stays, `null` clears.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyChange, example = json!({ "name": "Ingestion worker EU", "expires_at": null }))]
pub(super) struct KeyChangeBody {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 120, value_type = Option<String>, nullable = false)]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(max_length = 500, value_type = Option<String>)]
    description: Option<Setting<String>>,
    /// Replaces all permissions
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(min_items = 1, value_type = Option<Vec<String>>, nullable = false)]
    permissions: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<TierBody>, nullable = false)]
    rate_limit_tier: Option<TierBody>,
    /// `null` is never
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(format = DateTime, value_type = Option<String>)]
    expires_at: Option<Setting<String>>,
}

impl KeyChangeBody {
    pub(super) fn of(change: &KeyChange) -> Self {
        Self {
            name: change.name.as_ref().map(|name| name.as_str().to_owned()),
            description: change.description.clone(),
            permissions: change.permissions.as_ref().map(|held| held.iter().map(ToString::to_string).collect()),
            rate_limit_tier: change.tier.map(TierBody::of),
            expires_at: change.expires_at.clone().map(|end| end.into_option().map(whole_seconds).into()),
        }
    }

    pub(super) fn into_change(self) -> Result<KeyChange, Invalid> {
        let expires_at = match self.expires_at {
            None => None,
            Some(Setting::Clear) => Some(Setting::Clear),
            Some(Setting::To(text)) => Some(Setting::To(end(&text)?)),
        };
        Ok(KeyChange {
            name: self.name.as_deref().map(name).transpose()?,
            description: self.description,
            permissions: self.permissions.as_deref().map(|names| permissions(names, &RULES.permissions)).transpose()?,
            tier: self.rate_limit_tier.map(TierBody::tier),
            expires_at,
        })
    }
}

/// An integer as JSON has it: `60.0` is one.
fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let whole = || {
        let text = number.as_f64().filter(|number| number.fract() == 0.0).map(|number| format!("{number:.0}"));
        text.and_then(|text| text.parse().ok())
    };
    number.as_i64().or_else(whole).map(Some).ok_or_else(|| Error::custom("it is no integer"))
}

/// Why a key is switched off.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevokeBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub(super) reason: Option<String>,
}

/// A plaintext whose key is sought.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupBody {
    #[schema(max_length = 512, write_only)]
    pub(super) key: String,
}

impl fmt::Debug for LookupBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LookupBody")
    }
}

/// An error: what is wrong, in a word for programs and a sentence for people.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorAnswer {
    pub(super) error: ErrorBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorBody {
    pub(super) code: String,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    pub(super) request_id: String,
}

/// An end, in the whole seconds of this wire: the same end given again is the same.
fn end(text: &str) -> Result<Timestamp, Invalid> {
    expiry(text).map(|end| Timestamp::from_second(end.as_second()).unwrap_or(end))
}

/// The states a list can be narrowed to.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum StatusQuery {
    Active,
    Revoked,
    Expired,
    All,
}

impl StatusQuery {
    pub(super) const fn state(self) -> Option<State> {
        match self {
            Self::Active => Some(State::Active),
            Self::Revoked => Some(State::Revoked),
            Self::Expired => Some(State::Expired),
            Self::All => None,
        }
    }
}
