//! The table of keys.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, Write, instant, like, micros};
use crate::model::key::{Key, KeyId, ROLE};
use crate::model::permission::Permission;
use crate::model::secret::HashedKey;
use crate::model::state::State;
use crate::model::tier::Tier;
use crate::providers::Management;

/// A key and the workspace it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct StoredKey {
    pub(crate) workspace: String,
    pub(crate) key: Key,
}

/// All columns, in every statement that reads keys.
macro_rules! columns {
    () => {
        "workspace_id, id, prefix, name, description, permissions, tier, temporary_from, created_by, created_at, \
         last_used_at, expires_at, revoked_at, revoked_reason, member_role, active_name"
    };
}

pub(super) use columns;

impl Store {
    /// The key with this hash, whatever its state.
    pub(crate) async fn key_with_hash(&self, hash: &HashedKey) -> Result<Option<StoredKey>, StoreError> {
        let row = sqlx::query(concat!("SELECT ", columns!(), " FROM api_keys WHERE hash = $1"))
            .bind(hash.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| read(&row)).transpose()
    }

    pub(crate) async fn key_with_id(&self, workspace: &str, id: &str) -> Result<Option<Key>, StoreError> {
        if is_unstorable(id) {
            return Ok(None);
        }
        let row = sqlx::query(concat!("SELECT ", columns!(), " FROM api_keys WHERE workspace_id = $1 AND id = $2"))
            .bind(workspace)
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| read(&row).map(|stored| stored.key)).transpose()
    }

    /// The credentials of members, whatever their state.
    pub(crate) async fn members(&self, workspace: &str) -> Result<Vec<StoredKey>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM api_keys WHERE workspace_id = $1 AND member_role IS NOT NULL ORDER BY name, id"
        ))
        .bind(workspace)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(read).collect()
    }
}

impl Write {
    pub(crate) async fn find_key(&mut self, id: &str) -> Result<Option<Key>, StoreError> {
        if is_unstorable(id) {
            return Ok(None);
        }
        let workspace = self.workspace.clone();
        let row = sqlx::query(concat!("SELECT ", columns!(), " FROM api_keys WHERE workspace_id = $1 AND id = $2"))
            .bind(workspace)
            .bind(id)
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| read(&row).map(|stored| stored.key)).transpose()
    }

    /// Takes a name from the keys that hold it but have expired: names are unique among active keys only.
    pub(crate) async fn release_name(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        sqlx::query(
            "UPDATE api_keys SET active_name = NULL WHERE workspace_id = $1 AND active_name = $2 AND expires_at <= $3",
        )
        .bind(workspace)
        .bind(name)
        .bind(micros(now))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes its name from a key, whose successor is to have it.
    pub(crate) async fn give_up_name(&mut self, id: &KeyId) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        sqlx::query("UPDATE api_keys SET active_name = NULL WHERE workspace_id = $1 AND id = $2")
            .bind(workspace)
            .bind(id.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Gives a name that nobody claims any longer back to the newest key that works under it.
    pub(crate) async fn hand_back_name(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        sqlx::query(
            "UPDATE api_keys SET active_name = name WHERE workspace_id = $1 AND id = \
             (SELECT id FROM api_keys WHERE workspace_id = $1 AND name = $2 AND revoked_at IS NULL \
              AND (expires_at IS NULL OR expires_at > $3) ORDER BY created_at DESC, id DESC LIMIT 1) \
             AND NOT EXISTS (SELECT 1 FROM api_keys WHERE workspace_id = $1 AND active_name = $2)",
        )
        .bind(workspace)
        .bind(name)
        .bind(micros(now))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Stores a new key; `false` where it claims its name and that is taken.
    pub(crate) async fn insert_key(
        &mut self,
        key: &Key,
        claims_name: bool,
        hash: &HashedKey,
        created_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let workspace = self.workspace.clone();
        let inserted = sqlx::query(
            "INSERT INTO api_keys \
             (id, workspace_id, hash, prefix, name, active_name, description, folded, permissions, tier, temporary_from, \
              created_by, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $14, $6, $7, $8, $9, $10, $11, $12, $13) \
             ON CONFLICT (workspace_id, active_name) DO NOTHING RETURNING id",
        )
        .bind(key.id.as_str())
        .bind(workspace)
        .bind(hash.as_str())
        .bind(&key.prefix)
        .bind(&key.name)
        .bind(&key.description)
        .bind(folded(key))
        .bind(joined(&key.permissions))
        .bind(key.tier.unwrap_or(Tier::Standard).as_str())
        .bind(key.temporary.then(|| micros(created_at)))
        .bind(key.created_by.as_deref().unwrap_or(""))
        .bind(micros(created_at))
        .bind(key.expires_at.map(micros))
        .bind(claims_name.then_some(&key.name))
        .fetch_optional(self.connection())
        .await?;
        Ok(inserted.is_some())
    }

    /// Whether another key holds this name.
    pub(crate) async fn is_name_taken(&mut self, name: &str, but_for: &KeyId) -> Result<bool, StoreError> {
        let workspace = self.workspace.clone();
        let row = sqlx::query("SELECT id FROM api_keys WHERE workspace_id = $1 AND active_name = $2 AND id <> $3")
            .bind(workspace)
            .bind(name)
            .bind(but_for.as_str())
            .fetch_optional(self.connection())
            .await?;
        Ok(row.is_some())
    }

    /// Stores everything of a key that can change. Where names are claimed, it claims its own while it is active and not
    /// replaced.
    pub(crate) async fn update_key(&mut self, key: &Key, claims_name: bool, now: Timestamp) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        let claims_name = claims_name && key.state(now) == State::Active && !key.replaced;
        let claimed = claims_name.then(|| key.name.clone());
        let updated = sqlx::query(
            "UPDATE api_keys SET name = $3, active_name = $4, description = $5, permissions = $6, tier = $7, \
             expires_at = $8, revoked_at = $9, revoked_reason = $10, folded = $11, \
             temporary_from = CASE WHEN $12 = 'yes' THEN temporary_from ELSE NULL END \
             WHERE workspace_id = $1 AND id = $2 RETURNING hash",
        )
        .bind(workspace)
        .bind(key.id.as_str())
        .bind(&key.name)
        .bind(claimed)
        .bind(&key.description)
        .bind(joined(&key.permissions))
        .bind(key.tier.unwrap_or(Tier::Standard).as_str())
        .bind(key.expires_at.map(micros))
        .bind(key.revoked_at.map(micros))
        .bind(&key.revoked_reason)
        .bind(folded(key))
        .bind(if key.temporary { "yes" } else { "no" })
        .fetch_optional(self.connection())
        .await?;
        self.changes_key(updated.as_ref())
    }

    /// Removes a key for good.
    pub(crate) async fn delete_key(&mut self, id: &KeyId) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        let deleted = sqlx::query("DELETE FROM api_keys WHERE workspace_id = $1 AND id = $2 RETURNING hash")
            .bind(workspace)
            .bind(id.as_str())
            .fetch_optional(self.connection())
            .await?;
        self.changes_key(deleted.as_ref())
    }

    /// Notes that replicas must forget the key whose hash a statement returned.
    fn changes_key(&mut self, returned: Option<&AnyRow>) -> Result<(), StoreError> {
        if let Some(row) = returned {
            self.changed.push(Some(row.try_get("hash")?));
        }
        Ok(())
    }

    /// The active keys that can manage keys.
    pub(crate) async fn managers(&mut self, management: &Management, now: Timestamp) -> Result<Vec<Key>, StoreError> {
        let workspace = self.workspace.clone();
        let (permission, role) = manager(management);
        let rows = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM api_keys WHERE workspace_id = $1 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > $2) AND (' ' || permissions || ' ') LIKE $3 ESCAPE '!' \
             AND ($4 = '' OR member_role = $4) ORDER BY id"
        ))
        .bind(workspace)
        .bind(micros(now))
        .bind(permission)
        .bind(role)
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(|row| read(row).map(|stored| stored.key)).collect()
    }

    /// Makes a key the credential of a member who may manage keys, where that is what it takes.
    pub(crate) async fn make_manager(&mut self, id: &KeyId, management: &Management) -> Result<(), StoreError> {
        match *management {
            Management::Role { role, .. } => self.set_role(id, role).await,
            Management::Permission(_) | Management::AnyKey => Ok(()),
        }
    }

    /// Notes that a key is the credential of a member.
    pub(crate) async fn set_role(&mut self, id: &KeyId, role: &str) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        sqlx::query("UPDATE api_keys SET member_role = $3 WHERE workspace_id = $1 AND id = $2")
            .bind(workspace)
            .bind(id.as_str())
            .bind(role)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Whether a key besides this one is active and can manage keys.
    pub(crate) async fn has_other_manager(
        &mut self,
        management: &Management,
        but_for: &KeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let workspace = self.workspace.clone();
        let (permission, role) = manager(management);
        let row = sqlx::query(
            "SELECT id FROM api_keys WHERE workspace_id = $1 AND id <> $2 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > $3) AND (' ' || permissions || ' ') LIKE $4 ESCAPE '!' \
             AND ($5 = '' OR member_role = $5) LIMIT 1",
        )
        .bind(workspace)
        .bind(but_for.as_str())
        .bind(micros(now))
        .bind(permission)
        .bind(role)
        .fetch_optional(self.connection())
        .await?;
        Ok(row.is_some())
    }
}

/// The pattern of the permissions and the role by which a key can manage keys; the role is empty where it does not matter.
fn manager(management: &Management) -> (String, &'static str) {
    match *management {
        Management::Permission(permission) => (format!("% {} %", like(permission)), ""),
        Management::Role { role, .. } => ("%".to_owned(), role),
        Management::AnyKey => ("%".to_owned(), ""),
    }
}

/// Whether no stored text can hold this: PostgreSQL refuses a NUL, and SQLite stops reading at it.
pub(super) fn is_unstorable(text: &str) -> bool {
    text.contains('\0')
}

fn folded(key: &Key) -> String {
    format!("{}\n{}", key.name, key.description.as_deref().unwrap_or_default()).to_lowercase()
}

fn joined(permissions: &[Permission]) -> String {
    permissions.iter().map(Permission::as_str).collect::<Vec<_>>().join(" ")
}

pub(super) fn read(row: &AnyRow) -> Result<StoredKey, StoreError> {
    let permissions: String = row.try_get("permissions")?;
    let tier: String = row.try_get("tier")?;
    let temporary_from: Option<i64> = row.try_get("temporary_from")?;
    let claimed: Option<String> = row.try_get("active_name")?;
    let revoked_at = instant(row, "revoked_at")?;
    let role: Option<String> = row.try_get("member_role")?;
    Ok(StoredKey {
        workspace: row.try_get("workspace_id")?,
        key: Key {
            id: KeyId::new(row.try_get::<String, _>("id")?),
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            prefix: row.try_get("prefix")?,
            permissions: permissions.split_ascii_whitespace().map(Permission::from_server).collect(),
            tier: Tier::parse(&tier),
            temporary: temporary_from.is_some(),
            created_by: row.try_get("created_by")?,
            created_at: instant(row, "created_at")?,
            last_used_at: instant(row, "last_used_at")?,
            expires_at: instant(row, "expires_at")?,
            revoked_at,
            revoked_reason: row.try_get("revoked_reason")?,
            // A key that has ended may have given its name up too; whoever asks looks at its state first.
            replaced: revoked_at.is_none() && claimed.is_none(),
            more: role.map(|role| (ROLE.to_owned(), Value::String(role))).into_iter().collect(),
        },
    })
}
