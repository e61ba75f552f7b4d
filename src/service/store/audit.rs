//! The table of audit entries: appended to, never changed. Each entry carries the hash of the one before it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, Write, instant, micros};
use crate::model::audit::AuditEntry;
use crate::model::secret::hex;

/// An entry as it is stored.
struct StoredEntry {
    seq: i64,
    at: Timestamp,
    actor: String,
    actor_name: String,
    action: String,
    resource_id: String,
    /// A JSON object.
    details: String,
    previous_hash: String,
    hash: String,
}

/// One page of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditQuery {
    /// `api_key.create`, or the part after the point alone.
    pub(crate) action: Option<String>,
    /// Only these actions, where any are named.
    pub(crate) actions: Vec<&'static str>,
    /// The id of what was changed.
    pub(crate) resource: Option<String>,
    /// The id of who changed it.
    pub(crate) actor: Option<String>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    /// Only entries with a greater number.
    pub(crate) after: Option<i64>,
    /// From 1.
    pub(crate) page: u32,
    pub(crate) per_page: u32,
}

/// What looking through a workspace's chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    /// Entries that fit.
    pub(crate) entries: u64,
    /// The hash of the newest one: who keeps it elsewhere can tell that nobody wrote the whole chain anew.
    pub(crate) head: String,
    /// The number of the first entry that does not fit; where the newest ones are missing, the one after the last.
    pub(crate) broken_at: Option<i64>,
}

/// After which entry a chain begins: its number and its hash.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Beginning {
    seq: i64,
    hash: String,
}

/// The action of the entry that says after which one the chain begins from then on. The newest of them vouches for what the
/// workspace says of it.
const PRUNED: &str = "audit.prune";

/// As whom the service itself acts.
const SERVICE: (&str, &str) = ("service", "service");

const COLUMNS: &str = "seq, at, actor, actor_name, action, resource_id, details, previous_hash, hash";

/// The condition of a list: $1 workspace, $2 action or '', $3 its pattern, $4 resource or '', $5 actor or '', $6 and $7 the
/// first and the last instant, $8 the number after which, $9 actions in a row or ''.
const LISTED: &str = "workspace_id = $1 AND ($2 = '' OR action = $2 OR action LIKE $3 ESCAPE '!') \
     AND ($4 = '' OR resource_id = $4) AND ($5 = '' OR actor = $5) AND at >= $6 AND at <= $7 AND seq > $8 \
     AND ($9 = '' OR $9 LIKE '% ' || action || ' %')";

/// How many entries are looked at in one go when a chain is verified.
const STRIDE: i64 = 1_000;

impl Store {
    /// One page of the log, newest first, and how many entries there are on all pages.
    pub(crate) async fn audit_entries(
        &self,
        workspace: &str,
        query: &AuditQuery,
    ) -> Result<(Vec<AuditEntry>, i64), StoreError> {
        let texts = [&query.action, &query.resource, &query.actor].map(|text| text.clone().unwrap_or_default());
        if texts.iter().any(|text| text.contains('\0')) {
            return Ok((Vec::new(), 0));
        }
        let [action, resource, actor] = texts;
        let pattern = format!("%.{}", super::like(&action));
        let from = query.from.map_or(i64::MIN, micros);
        let to = query.to.map_or(i64::MAX, micros);
        let after = query.after.unwrap_or(i64::MIN);
        let actions = if query.actions.is_empty() { String::new() } else { format!(" {} ", query.actions.join(" ")) };
        // Only texts of this file go into the statements; every value is bound.
        let total: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM audit_entries WHERE {LISTED}")))
                .bind(workspace)
                .bind(&action)
                .bind(&pattern)
                .bind(&resource)
                .bind(&actor)
                .bind(from)
                .bind(to)
                .bind(after)
                .bind(&actions)
                .fetch_one(&self.pool)
                .await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM audit_entries WHERE {LISTED} ORDER BY seq DESC LIMIT $10 OFFSET $11"
        )))
        .bind(workspace)
        .bind(&action)
        .bind(&pattern)
        .bind(&resource)
        .bind(&actor)
        .bind(from)
        .bind(to)
        .bind(after)
        .bind(&actions)
        .bind(i64::from(query.per_page))
        .bind(i64::from(query.page.saturating_sub(1)) * i64::from(query.per_page))
        .fetch_all(&self.pool)
        .await?;
        let entries = rows.iter().map(|row| read(row).map(StoredEntry::into_entry)).collect::<Result<_, _>>()?;
        Ok((entries, total))
    }

    /// Whether a workspace has entries made before an instant, besides those that tell of others that went: by themselves
    /// they stay, or each would bring the next one.
    pub(crate) async fn has_audit_before(&self, workspace: &str, before: Timestamp) -> Result<bool, StoreError> {
        // The oldest entries come first: one look at the start of the index, not through the log.
        let oldest: Option<i64> = sqlx::query_scalar(
            "SELECT at FROM audit_entries WHERE workspace_id = $1 AND action <> $2 ORDER BY seq LIMIT 1",
        )
        .bind(workspace)
        .bind(PRUNED)
        .fetch_optional(&self.pool)
        .await?;
        Ok(oldest.is_some_and(|oldest| oldest < micros(before)))
    }

    /// Looks through the chain of a workspace, from where it begins to its head. Nothing made since `oldest` may be missing.
    pub(crate) async fn verify_audit(&self, workspace: &str, oldest: Timestamp) -> Result<Verified, StoreError> {
        // All of one moment, so that changes made meanwhile are no break.
        let snapshot = if self.is_postgres { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" };
        let mut moment = self.pool.begin_with(snapshot).await?;
        let row = sqlx::query(
            "SELECT audit_head, audit_pruned_seq, audit_pruned_hash, created_at FROM workspaces WHERE id = $1",
        )
        .bind(workspace)
        .fetch_one(&mut *moment)
        .await?;
        let head: String = row.try_get("audit_head")?;
        let (mut seq, mut hash): (i64, String) = (row.try_get("audit_pruned_seq")?, row.try_get("audit_pruned_hash")?);
        let claimed = Beginning { seq, hash: hash.clone() };
        let may_be_pruned = row.try_get::<i64, _>("created_at")? < micros(oldest);
        let (mut entries, mut looked_at) = (0, i64::MIN);
        let (mut first, mut vouched) = (None, Some(Beginning::default()));
        loop {
            let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
                "SELECT {COLUMNS} FROM audit_entries WHERE workspace_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
            )))
            .bind(workspace)
            .bind(looked_at)
            .bind(STRIDE)
            .fetch_all(&mut *moment)
            .await?;
            for row in &rows {
                // What cannot be read was not written by this program.
                let Ok(entry) = read(row) else {
                    let broken_at = row.try_get("seq").unwrap_or(seq + 1);
                    return Ok(Verified { entries, head, broken_at: Some(broken_at) });
                };
                let computed = entry.link(workspace, &hash);
                // An entry before the beginning belongs to no chain.
                if entry.seq <= seq || entry.previous_hash != hash || entry.hash != computed {
                    return Ok(Verified { entries, head, broken_at: Some(entry.seq) });
                }
                if entry.action == PRUNED {
                    vouched = entry.beginning();
                }
                first.get_or_insert(entry.seq);
                (seq, hash, looked_at) = (entry.seq, computed, entry.seq);
                entries += 1;
            }
            if rows.len() < usize::try_from(STRIDE).unwrap_or(usize::MAX) {
                let is_vouched = vouched.as_ref() == Some(&claimed) && (claimed.seq == 0 || may_be_pruned);
                if !is_vouched {
                    return Ok(Verified { entries: 0, head, broken_at: first.or(Some(seq + 1)) });
                }
                let broken_at = (hash != head).then_some(seq + 1);
                return Ok(Verified { entries, head, broken_at });
            }
        }
    }
}

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
        // The next entry of the same change, should there be one, has a number of its own.
        self.seq += 1;
        sqlx::query("UPDATE workspaces SET audit_head = $2, seq = $3 WHERE id = $1")
            .bind(&workspace)
            .bind(&hash)
            .bind(self.seq)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Removes the entries made before an instant, and notes that; the chain begins after them.
    pub(crate) async fn prune_audit(&mut self, before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        let last = sqlx::query(
            "SELECT seq, hash FROM audit_entries WHERE workspace_id = $1 \
             AND seq < COALESCE((SELECT MIN(seq) FROM audit_entries WHERE workspace_id = $1 AND at >= $2), $3) \
             ORDER BY seq DESC LIMIT 1",
        )
        .bind(&workspace)
        .bind(micros(before))
        .bind(i64::MAX)
        .fetch_optional(self.connection())
        .await?;
        let Some(last) = last else { return Ok(()) };
        let beginning = Beginning { seq: last.try_get("seq")?, hash: last.try_get("hash")? };
        sqlx::query("UPDATE workspaces SET audit_pruned_seq = $2, audit_pruned_hash = $3 WHERE id = $1")
            .bind(&workspace)
            .bind(beginning.seq)
            .bind(&beginning.hash)
            .execute(self.connection())
            .await?;
        let gone = sqlx::query("DELETE FROM audit_entries WHERE workspace_id = $1 AND seq <= $2")
            .bind(&workspace)
            .bind(beginning.seq)
            .execute(self.connection())
            .await?;
        let details = json!({ "begins_after": beginning, "removed": gone.rows_affected() }).to_string();
        self.append_audit(now, SERVICE, PRUNED, &workspace, &details).await
    }
}

impl StoredEntry {
    fn into_entry(self) -> AuditEntry {
        let Self { seq, at, actor, actor_name, action, resource_id, details, .. } = self;
        let details = serde_json::from_str(&details).unwrap_or_default();
        AuditEntry { id: format!("log_{seq}"), at, actor, actor_name, action, resource_id, details }
    }

    /// After which entry it says that the chain begins.
    fn beginning(&self) -> Option<Beginning> {
        #[derive(Deserialize)]
        struct Pruned {
            begins_after: Beginning,
        }
        serde_json::from_str(&self.details).ok().map(|Pruned { begins_after }| begins_after)
    }

    /// The hash this entry has after one with that hash.
    fn link(&self, workspace: &str, previous: &str) -> String {
        let fields = [workspace, &self.actor, &self.actor_name, &self.action, &self.resource_id, &self.details];
        link(previous, self.seq, micros(self.at), fields)
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

fn read(row: &AnyRow) -> Result<StoredEntry, StoreError> {
    Ok(StoredEntry {
        seq: row.try_get("seq")?,
        at: instant(row, "at")?.ok_or_else(|| StoreError::Corrupt { what: "an entry without a time".to_owned() })?,
        actor: row.try_get("actor")?,
        actor_name: row.try_get("actor_name")?,
        action: row.try_get("action")?,
        resource_id: row.try_get("resource_id")?,
        details: row.try_get("details")?,
        previous_hash: row.try_get("previous_hash")?,
        hash: row.try_get("hash")?,
    })
}
