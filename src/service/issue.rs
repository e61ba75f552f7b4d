//! Issuing: a new key, of which only the hash is stored.

use jiff::Timestamp;
use serde_json::{Map, json};

use super::idempotency::{Begun, Change};
use super::manage::snapshot;
use super::{Answer, Caller, Once, Refusal, Service};
use crate::model::key::{IssuedKey, Key, KeyId, NewKey, check_description};

impl Service {
    /// Issues a key as a caller asks for it. `render` puts it into the form of the wire; that answer is what the same
    /// request gets again.
    pub(crate) async fn create_key(
        &self,
        caller: &Caller,
        new: &NewKey,
        once: Option<&Once>,
        now: Timestamp,
        render: impl FnOnce(&IssuedKey) -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        caller.may_manage()?;
        let mut change = match self.begin(caller, once, now).await? {
            Begun::Replay(answer) => return Ok(answer),
            Begun::Fresh(change) => change,
        };
        let issued = self.issue(caller, new, &mut change, now).await?;
        let answer = render(&issued);
        self.finish(caller, *change, answer, Some(&issued.key.id), now)
            .await
    }

    /// Issues a key for the operator, without a wire.
    pub(super) async fn issue_directly(
        &self,
        caller: &Caller,
        new: &NewKey,
        now: Timestamp,
    ) -> Result<IssuedKey, Refusal> {
        let Begun::Fresh(mut change) = self.begin(caller, None, now).await? else {
            return Err(Refusal::NotFound);
        };
        let issued = self.issue(caller, new, &mut change, now).await?;
        self.finish(
            caller,
            *change,
            Answer::new(201, Vec::new()),
            Some(&issued.key.id),
            now,
        )
        .await?;
        Ok(issued)
    }

    async fn issue(
        &self,
        caller: &Caller,
        new: &NewKey,
        change: &mut Change,
        now: Timestamp,
    ) -> Result<IssuedKey, Refusal> {
        let rules = caller.rules();
        let invalid = |field| {
            move |error: crate::model::key::NotAName| Refusal::Invalid {
                field,
                problem: error.to_string(),
            }
        };
        new.name.fits(rules.longest_name).map_err(invalid("name"))?;
        if let Some(description) = &new.description {
            check_description(description, rules.longest_description)
                .map_err(invalid("description"))?;
        }
        if new.permissions.is_empty() {
            return Err(Refusal::Invalid {
                field: "permissions",
                problem: "at least one is required".to_owned(),
            });
        }
        for permission in &new.permissions {
            rules.permissions.permission(permission.as_str())?;
        }
        let lifetime = new.lifetime.resolve(now);
        let expires_at = lifetime.map_err(|error| Refusal::Invalid {
            field: "expires_at",
            problem: error.to_string(),
        })?;
        caller.may_grant(&new.permissions, new.tier)?;

        let plain = rules.shape.generate(&mut |buffer| (self.random)(buffer));
        let temporary_end = now
            .checked_add(rules.temporary)
            .ok()
            .filter(|_| new.temporary);
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
            expires_at: temporary_end.or(expires_at),
            revoked_at: None,
            revoked_reason: None,
            more: Map::new(),
        };
        change.write.release_name(&key.name, now).await?;
        if !change.write.insert_key(&key, &plain.hashed(), now).await? {
            return Err(Refusal::DuplicateName(key.name));
        }
        let details = json!({ "created": snapshot(&key) }).to_string();
        change
            .write
            .append_audit(
                now,
                caller.actor(),
                "api_key.create",
                key.id.as_str(),
                &details,
            )
            .await?;
        Ok(IssuedKey { key, plain })
    }
}
