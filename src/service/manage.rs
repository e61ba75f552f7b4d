//! Looking at keys and changing them: list, show, look up, edit, revoke, reactivate, delete.

use jiff::Timestamp;
use serde_json::json;

use super::audit::{differences, snapshot};
use super::idempotency::{Begun, Change};
use super::issue::check_permissions;
use super::{Answer, Ask, Caller, KeyQuery, Refusal, Service};
use crate::model::filter::SortField;
use crate::model::key::{Key, KeyChange, check_description};
use crate::model::lifetime::Lifetime;
use crate::model::permission::Permission;
use crate::model::secret::HashedKey;
use crate::model::state::State;
use crate::model::tier::Tier;
use crate::providers::Management;

impl Service {
    /// One page of the workspace's keys, and how many there are on all pages.
    pub(crate) async fn list_keys(
        &self,
        caller: &Caller,
        query: &KeyQuery,
        now: Timestamp,
    ) -> Result<(Vec<Key>, i64), Refusal> {
        caller.may_look()?;
        if query.sort.field == SortField::LastUsed {
            self.usage.store(&self.store).await?;
        }
        let (mut keys, total) = self.store.list_keys(&caller.workspace().id, query, now).await?;
        self.usage.complete(&mut keys);
        Ok((keys, total))
    }

    /// A key by its id. A foreign key is as unknown as one that never was.
    pub(crate) async fn show_key(&self, caller: &Caller, id: &str) -> Result<Key, Refusal> {
        caller.may_look()?;
        let mut key = self.store.key_with_id(&caller.workspace().id, id).await?.ok_or(Refusal::NotFound)?;
        self.usage.complete([&mut key]);
        Ok(key)
    }

    /// Which key of the workspace a plaintext is, whatever its state.
    pub(crate) async fn lookup_key(&self, caller: &Caller, presented: &str) -> Result<Key, Refusal> {
        caller.may_manage()?;
        let stored = self.store.key_with_hash(&HashedKey::of(presented)).await?.ok_or(Refusal::NotFound)?;
        if stored.workspace != caller.workspace().id {
            return Err(Refusal::NotFound);
        }
        let mut key = stored.key;
        self.usage.complete([&mut key]);
        Ok(key)
    }

    /// Changes what is given of a key.
    pub(crate) async fn edit_key(
        &self,
        ask: Ask<'_>,
        id: &str,
        asked: &KeyChange,
        render: impl FnOnce(&Key) -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        let decide = |before: &Key| edited(ask.caller, before, asked, ask.now);
        self.alter(ask, id, "api_key.update", decide, render).await
    }

    /// Switches a key off. A key that is revoked already stays as it is.
    pub(crate) async fn revoke_key(
        &self,
        ask: Ask<'_>,
        id: &str,
        reason: Option<&str>,
        render: impl FnOnce(&Key) -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        let decide = |before: &Key| {
            if let Some(reason) = reason {
                check_description(reason, ask.caller.rules().longest_description)
                    .map_err(|error| Refusal::invalid("reason", &error))?;
            }
            let mut after = before.clone();
            if before.revoked_at.is_none() {
                after.revoked_at = Some(ask.now);
                after.revoked_reason = reason.map(str::to_owned);
            }
            Ok(after)
        };
        self.alter(ask, id, "api_key.revoke", decide, render).await
    }

    /// Switches a revoked key on again, with all it could do before: what the caller may not grant, it may not reactivate.
    pub(crate) async fn reactivate_key(
        &self,
        ask: Ask<'_>,
        id: &str,
        render: impl FnOnce(&Key) -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        let decide = |before: &Key| {
            let mut after = before.clone();
            if before.revoked_at.is_some() {
                ask.caller.may_grant(&before.permissions, before.tier.unwrap_or(Tier::Standard))?;
                after.revoked_at = None;
                after.revoked_reason = None;
            }
            Ok(after)
        };
        self.alter(ask, id, "api_key.reactivate", decide, render).await
    }

    /// Removes a key for good. Its audit entries stay, the last one with a snapshot of what it was.
    pub(crate) async fn delete_key(
        &self,
        ask: Ask<'_>,
        id: &str,
        render: impl FnOnce() -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        let mut change = match self.begin(ask).await? {
            Begun::Replay(answer) => return Ok(answer),
            Begun::Fresh(change) => change,
        };
        let deleted = deleted(ask, &mut change, id).await;
        self.finish(ask, *change, deleted.map(|()| render()), None).await
    }

    /// Turns a key into what `decide` makes of it. A key that is so already is left alone, and nothing is noted of it.
    async fn alter(
        &self,
        ask: Ask<'_>,
        id: &str,
        action: &str,
        decide: impl FnOnce(&Key) -> Result<Key, Refusal> + Send,
        render: impl FnOnce(&Key) -> Answer + Send,
    ) -> Result<Answer, Refusal> {
        let mut change = match self.begin(ask).await? {
            Begun::Replay(answer) => return Ok(answer),
            Begun::Fresh(change) => change,
        };
        let altered = altered(ask, &mut change, (action, id), decide).await;
        let is_so_already = matches!(altered, Ok((_, false)));
        // Only what is told is completed: the change is stored and noted by then.
        let rendered = altered.map(|(mut after, _)| {
            self.usage.complete([&mut after]);
            render(&after)
        });
        let answer = self.finish(ask, *change, rendered, None).await?;
        if is_so_already {
            self.catch_up().await?;
        }
        Ok(answer)
    }
}

async fn deleted(ask: Ask<'_>, change: &mut Change, id: &str) -> Result<(), Refusal> {
    let key = change.write.find_key(id).await?.ok_or(Refusal::NotFound)?;
    keep_an_admin(ask, change, &key).await?;
    change.write.delete_key(&key.id).await?;
    if ask.caller.rules().unique_names {
        change.write.hand_back_name(&key.name, ask.now).await?;
    }
    let details = json!({ "deleted": snapshot(&key) }).to_string();
    change.write.append_audit(ask.now, ask.caller.actor(), "api_key.delete", id, &details).await?;
    Ok(())
}

/// The key as it is then, and whether it was another before.
async fn altered(
    ask: Ask<'_>,
    change: &mut Change,
    (action, id): (&str, &str),
    decide: impl FnOnce(&Key) -> Result<Key, Refusal> + Send,
) -> Result<(Key, bool), Refusal> {
    let before = change.write.find_key(id).await?.ok_or(Refusal::NotFound)?;
    let mut after = decide(&before)?;
    if after == before {
        return Ok((after, false));
    }
    after.replaced = is_still_replaced(&before, &after, ask.now);
    if is_less(&before, &after, &ask.caller.rules().management) {
        keep_an_admin(ask, change, &before).await?;
    }
    claim_name(change, &after, ask.now).await?;
    let unique_names = ask.caller.rules().unique_names;
    change.write.update_key(&after, unique_names, ask.now).await?;
    if unique_names && (after.name != before.name || after.state(ask.now) != State::Active) {
        change.write.hand_back_name(&before.name, ask.now).await?;
    }
    let details = differences(&before, &after).to_string();
    change.write.append_audit(ask.now, ask.caller.actor(), action, id, &details).await?;
    Ok((after, true))
}

/// The key as it is to be, checked by the rules that a new key is checked by.
fn edited(caller: &Caller, before: &Key, asked: &KeyChange, now: Timestamp) -> Result<Key, Refusal> {
    let rules = caller.rules();
    let mut after = before.clone();
    if let Some(name) = &asked.name {
        name.fits(rules.longest_name).map_err(|error| Refusal::invalid("name", &error))?;
        name.as_str().clone_into(&mut after.name);
    }
    if let Some(description) = asked.description.clone() {
        after.description = description.into_option();
        if let Some(text) = &after.description {
            check_description(text, rules.longest_description)
                .map_err(|error| Refusal::invalid("description", &error))?;
        }
    }
    if let Some(permissions) = &asked.permissions {
        check_permissions(permissions, rules)?;
        after.permissions.clone_from(permissions);
    }
    if let Some(tier) = asked.tier {
        after.tier = Some(tier);
    }
    if let Some(expires_at) = asked.expires_at.clone() {
        let lifetime = expires_at.into_option().map_or(Lifetime::Never, Lifetime::At);
        after.expires_at = lifetime.resolve(now).map_err(|error| Refusal::invalid("expires_at", &error))?;
        after.temporary = false;
    }
    // A longer life grants all of it anew: also to a key that had ended.
    let lengthened = match (before.expires_at, after.expires_at) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(before), Some(after)) => after > before,
    };
    let held_before = if lengthened { &[][..] } else { &before.permissions[..] };
    let is_new = |permission: &&Permission| !rules.permissions.covers(held_before, permission.as_str());
    let granted: Vec<Permission> = after.permissions.iter().filter(is_new).cloned().collect();
    let tier = after.tier.filter(|tier| lengthened || before.tier != Some(*tier)).unwrap_or(Tier::Standard);
    caller.may_grant(&granted, tier)?;
    Ok(after)
}

/// Whether the key manages keys for a shorter time, or no longer: what the last admin key is kept from.
fn is_less(before: &Key, after: &Key, management: &Management) -> bool {
    let revoked = before.revoked_at.is_none() && after.revoked_at.is_some();
    let narrowed = !management.could_be_held_by(after);
    let shortened = match (before.expires_at, after.expires_at) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(before), Some(after)) => after < before,
    };
    revoked || narrowed || shortened
}

/// Refuses to take away the last active, unexpired key that can manage keys. The write lock of the workspace is held, so
/// two admins cannot do it to each other. The operator needs no key and locks nobody out.
async fn keep_an_admin(ask: Ask<'_>, change: &mut Change, key: &Key) -> Result<(), Refusal> {
    let management = &ask.caller.rules().management;
    let may_be_one = key.state(ask.now) == State::Active && management.could_be_held_by(key);
    if ask.caller.is_operator() || !may_be_one || change.write.has_other_manager(management, &key.id, ask.now).await? {
        return Ok(());
    }
    let is_one = change.write.managers(management, ask.now).await?.iter().any(|manager| manager.id == key.id);
    if is_one { Err(Refusal::LastAdmin(management.way_to_another())) } else { Ok(()) }
}

/// Whether a key that works under a name which its successor has taken over goes on doing so.
fn is_still_replaced(before: &Key, after: &Key, now: Timestamp) -> bool {
    let works = before.state(now) == State::Active && after.state(now) == State::Active;
    before.replaced && works && after.name == before.name
}

/// Makes sure that an active key may have its name: an expired one gives it up, another active one does not. A key that
/// was replaced does not ask for it.
async fn claim_name(change: &mut Change, key: &Key, now: Timestamp) -> Result<(), Refusal> {
    if key.replaced || key.state(now) != State::Active {
        return Ok(());
    }
    change.write.release_name(&key.name, now).await?;
    if change.write.is_name_taken(&key.name, &key.id).await? {
        return Err(Refusal::DuplicateName(key.name.clone()));
    }
    Ok(())
}
