//! The audit log: what it says of a key, and reading it. All of a key is noted when it is made or deleted, old and new where
//! it is changed; never its secret, which nothing here knows.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::store::KEPT_DAYS;
use super::{AuditQuery, Caller, Refusal, Service, StoreError, Verified};
use crate::model::audit::AuditEntry;
use crate::model::key::Key;

impl Service {
    /// One page of the workspace's log, newest first, and how many entries there are on all pages.
    pub(crate) async fn audit_log(
        &self,
        caller: &Caller,
        query: &AuditQuery,
    ) -> Result<(Vec<AuditEntry>, i64), Refusal> {
        caller.may_look()?;
        if let (Some(from), Some(to)) = (query.from, query.to)
            && from > to
        {
            return Err(Refusal::InvalidDateRange);
        }
        Ok(self.store.audit_entries(&caller.workspace().id, query).await?)
    }

    /// Looks through the chains of all workspaces, or of one: what was found, by the workspace's name.
    pub(crate) async fn verify_audit(
        &self,
        workspace: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<(String, Verified)>, Refusal> {
        let workspaces = match workspace {
            Some(name) => vec![self.workspace(name).await?],
            None => self.store.workspaces().await?,
        };
        let mut found = Vec::with_capacity(workspaces.len());
        for workspace in workspaces {
            found.push((workspace.name, self.store.verify_audit(&workspace.id, oldest_kept(now)).await?));
        }
        Ok(found)
    }

    /// Removes the entries that have been kept long enough, of all workspaces.
    pub(super) async fn prune_audit(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = oldest_kept(now);
        for workspace in self.store.workspaces().await? {
            if self.store.has_audit_before(&workspace.id, before).await? {
                let mut write = self.store.write(&workspace.id).await?;
                write.prune_audit(before, now).await?;
                write.commit().await?;
            }
        }
        Ok(())
    }
}

/// Entries made before then have been kept long enough.
fn oldest_kept(now: Timestamp) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(24 * KEPT_DAYS)).unwrap_or(Timestamp::MIN)
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
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

/// The fields that changed: `{"name":{"old":…,"new":…}}`.
pub(super) fn differences(before: &Key, after: &Key) -> Value {
    let old = snapshot(before);
    let changed = snapshot(after).into_iter().filter(|(field, new)| old.get(field) != Some(new));
    changed
        .map(|(field, new)| {
            let change = json!({ "old": old.get(&field), "new": new });
            (field, change)
        })
        .collect::<Map<String, Value>>()
        .into()
}
