//! The table of audit entries: appended to, never changed. Each entry carries the hash of the one before it.

use jiff::Timestamp;

use super::{StoreError, Write, micros};
use crate::model::secret::hex;
use sha2::{Digest, Sha256};

impl Write {
    /// Appends an entry to the workspace's chain, in the same transaction as the change it tells of.
    pub(crate) async fn append_audit(
        &mut self,
        at: Timestamp,
        actor: (&str, &str),
        action: &str,
        resource_id: &str,
        details: &str,
    ) -> Result<(), StoreError> {
        let (actor, actor_name) = actor;
        let fields = [&self.workspace, actor, actor_name, action, resource_id, details];
        let hash = link(&self.audit_head, self.seq, micros(at), fields);
        let previous = std::mem::replace(&mut self.audit_head, hash.clone());
        let workspace = self.workspace.clone();
        sqlx::query(
            "INSERT INTO audit_entries \
             (workspace_id, seq, at, actor, actor_name, action, resource_id, details, previous_hash, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&workspace)
        .bind(self.seq)
        .bind(micros(at))
        .bind(actor)
        .bind(actor_name)
        .bind(action)
        .bind(resource_id)
        .bind(details)
        .bind(previous)
        .bind(&hash)
        .execute(self.connection())
        .await?;
        sqlx::query("UPDATE workspaces SET audit_head = $2 WHERE id = $1")
            .bind(&workspace)
            .bind(&hash)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

/// The hash of an entry: SHA-256 over the previous hash and every field, each with its length in front, so that no two
/// different entries read the same.
fn link(previous: &str, seq: i64, at: i64, fields: [&str; 6]) -> String {
    let mut digest = Sha256::new();
    digest.update(previous.as_bytes());
    digest.update(seq.to_be_bytes());
    digest.update(at.to_be_bytes());
    for field in fields {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field.as_bytes());
    }
    hex(&digest.finalize())
}
