//! Issuing: a new key, of which only the hash is stored.

use jiff::Timestamp;
use serde_json::{Map, json};

use super::audit::snapshot;
use super::idempotency::{Begun, Change};
use super::{Answer, Ask, Caller, Refusal, Service};
use crate::model::key::{IssuedKey, Key, KeyId, NewKey, check_description};
use crate::model::permission::Permission;
use crate::providers::Rules;

impl Service {
    /// Issues a key. `render` puts it into the form of the wire; that answer is what the same request gets again.
    pub(crate) async fn create_key(
        &self,
        ask: Ask<'_>,
        new: &NewKey,
        render: impl FnOnce(&IssuedKey) -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        let mut change = match self.begin(ask).await? {
            Begun::Replay(answer) => return Ok(answer),
            Begun::Fresh(change) => change,
        };
        let issued = self.issue(ask, new, &mut change).await;
        let made = issued.as_ref().ok().map(|issued| issued.key.id.clone());
        self.finish(ask, *change, issued.map(|issued| render(&issued)), made.as_ref()).await
    }

    /// Issues a key that can manage keys for the operator, without a wire.
    pub(super) async fn issue_directly(
        &self,
        operator: &Caller,
        new: &NewKey,
        now: Timestamp,
    ) -> Result<IssuedKey, Refusal> {
        let ask = Ask { caller: operator, once: None, now };
        let mut change = Change::unrepeatable(self.store.write(&operator.workspace().id).await?);
        let issued = self.issue(ask, new, &mut change).await?;
        change.write.make_manager(&issued.key.id, &operator.rules().management).await?;
        let changes = change.write.commit().await?;
        self.settle(&changes).await?;
        Ok(issued)
    }

    pub(super) async fn issue(&self, ask: Ask<'_>, new: &NewKey, change: &mut Change) -> Result<IssuedKey, Refusal> {
        let Ask { caller, now, .. } = ask;
        let rules = caller.rules();
        let expires_at = checked_end(caller, new, now)?;
        let plain = rules.shape.generate(&mut |buffer| (self.random)(buffer));
        let key = Key {
            id: KeyId::new(self.new_id("key_")),
            name: new.name.as_str().to_owned(),
            description: new.description.clone(),
            prefix: rules.shape.shown_prefix(plain.expose()).to_owned(),
            permissions: new.permissions.clone(),
            tier: Some(new.tier),
            temporary: new.temporary,
            created_by: Some(caller.actor().0.to_owned()),
            created_at: Some(now),
            last_used_at: None,
            expires_at,
            revoked_at: None,
            revoked_reason: None,
            replaced: false,
            more: Map::new(),
        };
        if let Some(id) = &new.replaces {
            let predecessor = change.write.find_key(id.as_str()).await?.ok_or(Refusal::NotFound)?;
            if predecessor.name == key.name {
                change.write.give_up_name(&predecessor.id).await?;
            }
        }
        change.write.release_name(&key.name, now).await?;
        if !change.write.insert_key(&key, rules.unique_names, &plain.hashed(), now).await? {
            return Err(Refusal::DuplicateName(key.name));
        }
        let mut details = json!({ "created": snapshot(&key) });
        if let Some(id) = &new.replaces {
            details["replaces"] = json!(id);
        }
        let details = details.to_string();
        change.write.append_audit(now, caller.actor(), "api_key.create", key.id.as_str(), &details).await?;
        Ok(IssuedKey { key, plain })
    }
}

/// Checks what is asked for, and says when the key ends.
fn checked_end(caller: &Caller, new: &NewKey, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let rules = caller.rules();
    new.name.fits(rules.longest_name).map_err(|error| Refusal::invalid("name", &error))?;
    if let Some(description) = &new.description {
        check_description(description, rules.longest_description)
            .map_err(|error| Refusal::invalid("description", &error))?;
    }
    check_permissions(&new.permissions, rules)?;
    caller.may_grant(&new.permissions, new.tier)?;
    let end = new.lifetime.resolve(now).map_err(|error| Refusal::invalid("expires_at", &error))?;
    Ok(if new.temporary { now.checked_add(rules.temporary).ok() } else { end })
}

/// Refuses permissions that the provider does not have, and none at all where a key takes one.
pub(super) fn check_permissions(permissions: &[Permission], rules: &Rules) -> Result<(), Refusal> {
    if permissions.is_empty() && rules.needs_permission {
        return Err(Refusal::Invalid { field: "permissions", problem: "at least one is required".to_owned() });
    }
    for permission in permissions {
        rules.permissions.permission(permission.as_str())?;
    }
    Ok(())
}
