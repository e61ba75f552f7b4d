//! Looking at keys and changing them: list, show, look up, edit, revoke, reactivate, delete.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::idempotency::{Begun, Change};
use super::{Answer, Caller, KeyQuery, Once, Refusal, Service};
use crate::model::key::{Key, KeyChange, NotAName, check_description};
use crate::model::permission::Permission;
use crate::model::secret::HashedKey;
use crate::model::state::State;
use crate::model::tier::Tier;

impl Service {
    /// One page of the workspace's keys, and how many there are on all pages.
    pub(crate) async fn list_keys(
        &self,
        caller: &Caller,
        query: &KeyQuery,
        now: Timestamp,
    ) -> Result<(Vec<Key>, i64), Refusal> {
        caller.may_look()?;
        Ok(self
            .store
            .list_keys(&caller.workspace().id, query, now)
            .await?)
    }

    /// A key by its id. A foreign key is as unknown as one that never was.
    pub(crate) async fn show_key(&self, caller: &Caller, id: &str) -> Result<Key, Refusal> {
        caller.may_look()?;
        self.store
            .key_with_id(&caller.workspace().id, id)
            .await?
            .ok_or(Refusal::NotFound)
    }

    /// Which key of the workspace a plaintext is, whatever its state.
    pub(crate) async fn lookup_key(
        &self,
        caller: &Caller,
        presented: &str,
    ) -> Result<Key, Refusal> {
        caller.may_manage()?;
        let stored = self
            .store
            .key_with_hash(&HashedKey::of(presented))
            .await?
            .ok_or(Refusal::NotFound)?;
        if stored.workspace == caller.workspace().id {
            Ok(stored.key)
        } else {
            Err(Refusal::NotFound)
        }
    }

    /// Changes what is given of a key.
    pub(crate) async fn edit_key(
        &self,
        caller: &Caller,
        id: &str,
        asked: &KeyChange,
        once: Option<&Once>,
        now: Timestamp,
        render: impl FnOnce(&Key) -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        caller.may_manage()?;
        let mut change = match self.begin(caller, once, now).await? {
            Begun::Replay(answer) => return Ok(answer),
            Begun::Fresh(change) => change,
        };
        let before = change.write.find_key(id).await?.ok_or(Refusal::NotFound)?;
        let after = edited(caller, &before, asked, now)?;
        if is_less(&before, &after, caller.rules().admin_permission) {
            keep_an_admin(caller, &mut change, &before, now).await?;
        }
        if after != before {
            store(&mut change, &after, now).await?;
            audit(
                caller,
                &mut change,
                "api_key.update",
                &after,
                &differences(&before, &after),
                now,
            )
            .await?;
        }
        let answer = render(&after);
        self.finish(caller, *change, answer, None, now).await
    }

    /// Switches a key off. A key that is revoked already stays as it is.
    pub(crate) async fn revoke_key(
        &self,
        caller: &Caller,
        id: &str,
        reason: Option<&str>,
        once: Option<&Once>,
        now: Timestamp,
        render: impl FnOnce(&Key) -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        caller.may_manage()?;
        if let Some(reason) = reason {
            check_description(reason, caller.rules().longest_description).map_err(|error| {
                Refusal::Invalid {
                    field: "reason",
                    problem: error.to_string(),
                }
            })?;
        }
        let mut change = match self.begin(caller, once, now).await? {
            Begun::Replay(answer) => return Ok(answer),
            Begun::Fresh(change) => change,
        };
        let before = change.write.find_key(id).await?.ok_or(Refusal::NotFound)?;
        let mut after = before.clone();
        if before.revoked_at.is_none() {
            keep_an_admin(caller, &mut change, &before, now).await?;
            after.revoked_at = Some(now);
            after.revoked_reason = reason.map(str::to_owned);
            store(&mut change, &after, now).await?;
            audit(
                caller,
                &mut change,
                "api_key.revoke",
                &after,
                &differences(&before, &after),
                now,
            )
            .await?;
        }
        let answer = render(&after);
        self.finish(caller, *change, answer, None, now).await
    }

    /// Switches a revoked key on again, with all it could do before: what the caller may not grant, it may not reactivate.
    pub(crate) async fn reactivate_key(
        &self,
        caller: &Caller,
        id: &str,
        once: Option<&Once>,
        now: Timestamp,
        render: impl FnOnce(&Key) -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        caller.may_manage()?;
        let mut change = match self.begin(caller, once, now).await? {
            Begun::Replay(answer) => return Ok(answer),
            Begun::Fresh(change) => change,
        };
        let before = change.write.find_key(id).await?.ok_or(Refusal::NotFound)?;
        let mut after = before.clone();
        if before.revoked_at.is_some() {
            caller.may_grant(&before.permissions, before.tier.unwrap_or(Tier::Standard))?;
            after.revoked_at = None;
            after.revoked_reason = None;
            store(&mut change, &after, now).await?;
            audit(
                caller,
                &mut change,
                "api_key.reactivate",
                &after,
                &differences(&before, &after),
                now,
            )
            .await?;
        }
        let answer = render(&after);
        self.finish(caller, *change, answer, None, now).await
    }

    /// Removes a key for good. Its audit entries stay, the last one with a snapshot of what it was.
    pub(crate) async fn delete_key(
        &self,
        caller: &Caller,
        id: &str,
        once: Option<&Once>,
        now: Timestamp,
        render: impl FnOnce() -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        caller.may_manage()?;
        let mut change = match self.begin(caller, once, now).await? {
            Begun::Replay(answer) => return Ok(answer),
            Begun::Fresh(change) => change,
        };
        let key = change.write.find_key(id).await?.ok_or(Refusal::NotFound)?;
        keep_an_admin(caller, &mut change, &key, now).await?;
        change.write.delete_key(&key.id).await?;
        audit(
            caller,
            &mut change,
            "api_key.delete",
            &key,
            &json!({ "deleted": snapshot(&key) }),
            now,
        )
        .await?;
        self.finish(caller, *change, render(), None, now).await
    }
}

/// The key as it is to be, checked by the rules that a new key is checked by.
fn edited(
    caller: &Caller,
    before: &Key,
    asked: &KeyChange,
    now: Timestamp,
) -> Result<Key, Refusal> {
    let rules = caller.rules();
    let invalid = |field| {
        move |error: NotAName| Refusal::Invalid {
            field,
            problem: error.to_string(),
        }
    };
    let mut after = before.clone();
    if let Some(name) = &asked.name {
        name.fits(rules.longest_name).map_err(invalid("name"))?;
        name.as_str().clone_into(&mut after.name);
    }
    if let Some(description) = &asked.description {
        if let Some(text) = description {
            check_description(text, rules.longest_description).map_err(invalid("description"))?;
        }
        after.description.clone_from(description);
    }
    if let Some(permissions) = &asked.permissions {
        if permissions.is_empty() {
            return Err(Refusal::Invalid {
                field: "permissions",
                problem: "at least one is required".to_owned(),
            });
        }
        for permission in permissions {
            rules.permissions.permission(permission.as_str())?;
        }
        after.permissions.clone_from(permissions);
    }
    if let Some(tier) = asked.tier {
        after.tier = Some(tier);
    }
    if let Some(expires_at) = asked.expires_at {
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Refusal::Invalid {
                field: "expires_at",
                problem: "it is in the past".to_owned(),
            });
        }
        after.expires_at = expires_at;
    }
    let added: Vec<Permission> = after
        .permissions
        .iter()
        .filter(|permission| !before.permissions.contains(permission))
        .cloned()
        .collect();
    let tier = if after.tier == before.tier {
        Tier::Standard
    } else {
        after.tier.unwrap_or(Tier::Standard)
    };
    caller.may_grant(&added, tier)?;
    Ok(after)
}

/// Whether the key manages keys for a shorter time, or no longer: what the last admin key is kept from.
fn is_less(before: &Key, after: &Key, admin_permission: &str) -> bool {
    let narrowed = !after
        .permissions
        .iter()
        .any(|held| held.as_str() == admin_permission);
    let shortened = match (before.expires_at, after.expires_at) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(before), Some(after)) => after < before,
    };
    narrowed || shortened
}

/// Refuses to take away the last active, unexpired key that can manage keys. The write lock of the workspace is held, so
/// two admins cannot do it to each other. The operator needs no key and locks nobody out.
async fn keep_an_admin(
    caller: &Caller,
    change: &mut Change,
    key: &Key,
    now: Timestamp,
) -> Result<(), Refusal> {
    let admin = caller.rules().admin_permission;
    let is_admin = key.state(now) == State::Active
        && key.permissions.iter().any(|held| held.as_str() == admin);
    if caller.is_operator()
        || !is_admin
        || change.write.has_other_holder(admin, &key.id, now).await?
    {
        return Ok(());
    }
    Err(Refusal::LastAdmin(admin))
}

async fn store(change: &mut Change, key: &Key, now: Timestamp) -> Result<(), Refusal> {
    if key.state(now) == State::Active {
        change.write.release_name(&key.name, now).await?;
        if change.write.is_name_taken(&key.name, &key.id).await? {
            return Err(Refusal::DuplicateName(key.name.clone()));
        }
    }
    Ok(change.write.update_key(key, now).await?)
}

async fn audit(
    caller: &Caller,
    change: &mut Change,
    action: &str,
    key: &Key,
    details: &Value,
    now: Timestamp,
) -> Result<(), Refusal> {
    Ok(change
        .write
        .append_audit(
            now,
            caller.actor(),
            action,
            key.id.as_str(),
            &details.to_string(),
        )
        .await?)
}

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
    fields
        .into_iter()
        .map(|(field, value)| (field.to_owned(), value))
        .collect()
}

/// The fields that changed: `{"name":{"old":…,"new":…}}`.
fn differences(before: &Key, after: &Key) -> Value {
    let old = snapshot(before);
    let changed = snapshot(after)
        .into_iter()
        .filter(|(field, new)| old.get(field) != Some(new));
    changed
        .map(|(field, new)| {
            let change = json!({ "old": old.get(&field), "new": new });
            (field, change)
        })
        .collect::<Map<String, Value>>()
        .into()
}
