//! What the database itself refuses: to change an audit entry, and to remove one that is not old enough.
//!
//! Triggers are where the engines' languages differ most, so they stand here and not among the migrations. An entry may go
//! when it is older than a year by the database's own clock and its workspace's chain is known to begin after it.

use sqlx::AnyConnection;

use super::StoreError;

/// How long audit entries are kept.
pub(crate) const KEPT_DAYS: i64 = 365;

const SQLITE: [&str; 3] = [
    "CREATE TRIGGER IF NOT EXISTS audit_entries_never_change BEFORE UPDATE ON audit_entries \
     BEGIN SELECT RAISE(ABORT, 'audit entries never change'); END",
    // `INSERT OR REPLACE` removes what is in its way, and asks no other trigger.
    "CREATE TRIGGER IF NOT EXISTS audit_entries_are_not_replaced BEFORE INSERT ON audit_entries \
     WHEN EXISTS (SELECT 1 FROM audit_entries WHERE workspace_id = NEW.workspace_id AND seq = NEW.seq) \
       OR EXISTS (SELECT 1 FROM audit_entries WHERE rowid = NEW.rowid) \
     BEGIN SELECT RAISE(ABORT, 'audit entries never change'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_entries_stay BEFORE DELETE ON audit_entries \
     WHEN OLD.at > (CAST(strftime('%s', 'now') AS INTEGER) - 31536000) * 1000000 \
       OR OLD.seq > (SELECT audit_pruned_seq FROM workspaces WHERE id = OLD.workspace_id) \
     BEGIN SELECT RAISE(ABORT, 'audit entries are kept for 365 days'); END",
];

const POSTGRES: [&str; 4] = [
    "CREATE OR REPLACE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$ \
     BEGIN \
       IF TG_OP = 'DELETE' \
         AND OLD.at <= (EXTRACT(EPOCH FROM clock_timestamp())::BIGINT - 31536000) * 1000000 \
         AND OLD.seq <= (SELECT audit_pruned_seq FROM workspaces WHERE id = OLD.workspace_id) THEN \
         RETURN OLD; \
       END IF; \
       RAISE EXCEPTION 'audit entries never change, and are kept for 365 days'; \
     END $body$",
    "CREATE OR REPLACE TRIGGER audit_entries_never_change BEFORE UPDATE ON audit_entries \
     FOR EACH ROW EXECUTE FUNCTION audit_entries_refuse()",
    "CREATE OR REPLACE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries \
     FOR EACH ROW EXECUTE FUNCTION audit_entries_refuse()",
    "CREATE OR REPLACE TRIGGER audit_entries_stay_together BEFORE TRUNCATE ON audit_entries \
     FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_refuse()",
];

/// Puts the triggers in place. They are there already, or they are made: both leave the same.
pub(super) async fn install(connection: &mut AnyConnection, is_sqlite: bool) -> Result<(), StoreError> {
    let statements: &[&'static str] = if is_sqlite { &SQLITE } else { &POSTGRES };
    for statement in statements {
        sqlx::query(*statement).execute(&mut *connection).await?;
    }
    Ok(())
}
