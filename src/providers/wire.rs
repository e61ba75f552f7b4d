//! What the JSON of all providers has in common: instants, what a request may say of a key, and plaintexts, which are wiped
//! once they are written.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::model::key::{IssuedKey, Key, KeyId, KeyName, NotAName};
use crate::model::permission::{Catalogue, Permission, distinct};
use crate::model::secret::PlainKey;
use crate::model::tier::Tier;

/// Why an answer, or a part of one, cannot be read. Never quotes it: it may hold a secret.
pub(crate) type Unreadable = &'static str;

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

/// How long a list is: how many rows a page of it holds, and how many there are on all pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) per_page: u32,
    pub(crate) total: u64,
}

/// What an answer holds in its envelope; where there is no envelope, all of it.
pub(crate) fn within(body: &[u8], envelope: &str) -> Result<Value, Unreadable> {
    let mut fields = Fields::of_body(body)?;
    Ok(fields.take(envelope).unwrap_or_else(|| Value::Object(fields.rest())))
}

/// The rows of a page, below these names as far as they are there, and how long the list is where the answer says so:
/// in `meta`, or beside the rows.
pub(crate) fn page(body: &[u8], names: &[&str]) -> Result<(Vec<Value>, Option<Extent>), Unreadable> {
    let mut answer: Value = serde_json::from_slice(body).map_err(|_| "it is no JSON")?;
    let number = |name: &str| answer["meta"][name].as_u64().or_else(|| answer[name].as_u64());
    let extent = number("per_page").and_then(|size| u32::try_from(size).ok()).zip(number("total"));
    let mut rows = answer.take();
    for name in names {
        if let Value::Object(fields) = &mut rows
            && let Some(inner) = fields.get_mut(*name)
        {
            rows = inner.take();
        }
    }
    let Value::Array(rows) = rows else { return Err("it holds no list") };
    Ok((rows, extent.map(|(per_page, total)| Extent { per_page, total })))
}

/// An object of an answer, read field by field; what nobody took is kept.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// The JSON object that a body is.
    pub(crate) fn of_body(body: &[u8]) -> Result<Self, Unreadable> {
        Self::of(serde_json::from_slice(body).map_err(|_| "it is no JSON")?)
    }

    pub(crate) fn of(value: Value) -> Result<Self, Unreadable> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err("a part of it is no object"),
        }
    }

    /// Takes a field; what is absent is as unknown as what is null.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name).filter(|value| !value.is_null())
    }

    /// Takes an object that must be there.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Self, Unreadable> {
        Self::of(self.take(name).unwrap_or_default())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Unreadable> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err("one of its fields is no text"),
        }
    }

    /// Takes an id. Ids are opaque: a number is as good as a text, as long as all of its digits are known.
    pub(crate) fn id(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            Some(Value::String(id)) => Some(id),
            Some(Value::Number(id)) if !id.is_f64() => Some(id.to_string()),
            _ => None,
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> Option<i64> {
        self.take(name).and_then(|value| value.as_i64())
    }

    /// Takes an instant. One that cannot be read is an error: a key whose end is not understood must not pass for one
    /// without an end.
    pub(crate) fn instant(&mut self, name: &str) -> Result<Option<Timestamp>, Unreadable> {
        self.take(name).map(|value| read_instant(&value).ok_or("one of its times is none")).transpose()
    }

    /// What nobody took.
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.0
    }
}

/// Reads an instant as it is written: RFC 3339, which is in UTC where it names no offset; a date, for its first moment; or
/// seconds or milliseconds since 1970.
fn read_instant(value: &Value) -> Option<Timestamp> {
    /// Seconds go as far as the year 5138, and milliseconds begin in 1973.
    const MILLISECONDS: i64 = 100_000_000_000;
    match value {
        Value::String(text) => text.parse().ok().or_else(|| without_offset(text)),
        Value::Number(_) => match value.as_i64()? {
            seconds @ 0..MILLISECONDS => Timestamp::from_second(seconds).ok(),
            milliseconds @ MILLISECONDS.. => Timestamp::from_millisecond(milliseconds).ok(),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The end of the year 9999, which stands for never in many a database, is later than the last instant there is here.
fn without_offset(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.strip_suffix('Z').unwrap_or(text).parse().ok()?;
    let instant = civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    instant.or_else(|| (civil.year() == 9999).then_some(Timestamp::MAX))
}

/// Reads a key as the vendors write one.
pub(crate) fn read_key(value: Value) -> Result<Key, Unreadable> {
    let mut fields = Fields::of(value)?;
    let id = fields.id("id").ok_or("a key has no id")?;
    let permissions = fields.take("permissions").unwrap_or_else(|| Value::Array(Vec::new()));
    let permissions: Vec<String> = serde_json::from_value(permissions).map_err(|_| "its permissions are none")?;
    let created_at = fields.instant("created_at")?;
    let is_off = match fields.take("active") {
        None => false,
        Some(Value::Bool(active)) => !active,
        Some(_) => return Err("whether a key is active is neither true nor false"),
    };
    let named = fields.text("rate_limit_tier")?;
    let tier = named.as_deref().and_then(Tier::parse);
    // What has no word here is kept as it came.
    let other_tier = named.filter(|_| tier.is_none()).map(|tier| ("rate_limit_tier".to_owned(), Value::String(tier)));
    let revoked_at = fields.instant("revoked_at")?;
    Ok(Key {
        id: KeyId::new(id),
        name: fields.text("name")?.unwrap_or_default(),
        description: fields.text("description")?,
        prefix: fields.text("prefix")?.unwrap_or_default(),
        permissions: permissions.into_iter().map(Permission::from_server).collect(),
        tier,
        temporary: fields.take("temporary") == Some(Value::Bool(true)),
        created_by: fields.text("created_by")?,
        created_at,
        last_used_at: fields.instant("last_used_at")?,
        expires_at: fields.instant("expires_at")?,
        // One that is switched off at an unknown time was so ever since.
        revoked_at: revoked_at.or_else(|| is_off.then(|| created_at.unwrap_or(Timestamp::UNIX_EPOCH))),
        revoked_reason: fields.text("revoked_reason")?,
        replaced: false,
        more: fields.rest().into_iter().chain(other_tier).collect(),
    })
}

/// Takes a plaintext.
pub(crate) fn plaintext(fields: &mut Fields, name: &str) -> Result<PlainKey, Unreadable> {
    let text = Zeroizing::new(fields.text(name)?.ok_or("it holds no plaintext")?);
    PlainKey::parse(&text).map_err(|_| "its plaintext is no key")
}

/// Reads a key that holds its plaintext in one of its fields.
pub(crate) fn read_issued(value: Value, field: &str) -> Result<IssuedKey, Unreadable> {
    let mut fields = Fields::of(value)?;
    let plain = plaintext(&mut fields, field)?;
    Ok(IssuedKey { key: read_key(Value::Object(fields.rest()))?, plain })
}

/// Reads a key that might hold its plaintext, and does not.
pub(crate) fn read_unseen(value: Value, field: &str) -> Option<Key> {
    let mut fields = Fields::of(value).ok()?;
    if plaintext(&mut fields, field).is_ok() {
        return None;
    }
    read_key(Value::Object(fields.rest())).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_vendors_leave_out_or_add_is_no_trouble() {
        let key = read_key(json!({ "id": 42, "name": "ci", "region": "eu", "expires_at": null })).unwrap();
        assert_eq!((key.id.as_str(), key.name.as_str(), key.expires_at), ("42", "ci", None));
        assert_eq!(key.more, json!({ "region": "eu" }).as_object().unwrap().clone());
        let key = read_key(json!({ "id": "a", "rate_limit_tier": "ultra" })).unwrap();
        assert_eq!((key.tier, &key.more["rate_limit_tier"]), (None, &json!("ultra")));
        let off = read_key(json!({ "id": "a", "active": false })).unwrap();
        assert!(off.revoked_at.is_some(), "it is switched off, whenever that was");
    }

    #[test]
    fn an_instant_is_understood_in_whatever_form_it_comes() {
        let at = |value: Value| read_instant(&value).map(|instant| instant.to_string());
        for same in [
            json!("2026-04-17T11:20:00Z"),
            json!("2026-04-17T13:20:00+02:00"),
            json!("2026-04-17T11:20:00"),
            json!("2026-04-17 11:20:00"),
            json!(1_776_424_800),
            json!(1_776_424_800_000_i64),
        ] {
            assert_eq!(at(same.clone()).as_deref(), Some("2026-04-17T11:20:00Z"), "{same}");
        }
        assert_eq!(at(json!("2026-04-17")).as_deref(), Some("2026-04-17T00:00:00Z"));
        assert_eq!(at(json!("9999-12-31T23:59:59Z")), Some(Timestamp::MAX.to_string()));
        for none in [json!(""), json!("soon"), json!("-009999-01-01T00:00:00Z"), json!(1.5), json!(i64::MAX), json!([])]
        {
            assert_eq!(at(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn what_could_make_a_dead_key_look_alive_is_an_error() {
        for wrong in [
            json!([]),
            json!({}),
            json!({ "id": "a", "expires_at": "soon" }),
            json!({ "id": "a", "expires_at": "" }),
            json!({ "id": "a", "expires_at": -1 }),
            json!({ "id": "a", "revoked_at": true }),
            json!({ "id": 123_456_789_012_345_678_901_f64 }),
            json!({ "id": "a", "permissions": "read" }),
            json!({ "id": "a", "active": "false" }),
            json!({ "id": "a", "active": 0 }),
        ] {
            assert!(read_key(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
