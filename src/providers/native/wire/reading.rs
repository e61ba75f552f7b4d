//! A key as it is read. By hand: what serde makes for a type that keeps unknown fields reads every field twice, which is
//! most of what a long list costs.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Map;

use super::KeyBody;

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Id,
    Name,
    Description,
    Prefix,
    Permissions,
    RateLimitTier,
    Status,
    Temporary,
    CreatedBy,
    CreatedAt,
    LastUsedAt,
    ExpiresAt,
    RevokedAt,
    RevokedReason,
    Replaced,
    Other(String),
}

impl<'de> Deserialize<'de> for KeyBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = KeyBody;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<KeyBody, A::Error> {
        let mut id = None;
        // Only an id is in every answer; what is absent is as unknown as what is null.
        let mut body = KeyBody {
            id: String::new(),
            name: String::new(),
            description: None,
            prefix: String::new(),
            permissions: Vec::new(),
            rate_limit_tier: None,
            status: String::new(),
            temporary: false,
            created_by: None,
            created_at: None,
            last_used_at: None,
            expires_at: None,
            revoked_at: None,
            revoked_reason: None,
            replaced: false,
            more: Map::new(),
        };
        while let Some(field) = fields.next_key::<Field>()? {
            match field {
                Field::Id => id = Some(fields.next_value()?),
                Field::Name => body.name = fields.next_value()?,
                Field::Description => body.description = fields.next_value()?,
                Field::Prefix => body.prefix = fields.next_value()?,
                Field::Permissions => body.permissions = fields.next_value()?,
                Field::RateLimitTier => body.rate_limit_tier = fields.next_value()?,
                Field::Status => body.status = fields.next_value()?,
                Field::Temporary => body.temporary = fields.next_value()?,
                Field::CreatedBy => body.created_by = fields.next_value()?,
                Field::CreatedAt => body.created_at = fields.next_value()?,
                Field::LastUsedAt => body.last_used_at = fields.next_value()?,
                Field::ExpiresAt => body.expires_at = fields.next_value()?,
                Field::RevokedAt => body.revoked_at = fields.next_value()?,
                Field::RevokedReason => body.revoked_reason = fields.next_value()?,
                Field::Replaced => body.replaced = fields.next_value()?,
                Field::Other(name) => drop(body.more.insert(name, fields.next_value()?)),
            }
        }
        body.id = id.ok_or_else(|| A::Error::missing_field("id"))?;
        Ok(body)
    }
}
