//! The audit log: who changed what.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A change somebody made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditEntry {
    /// Rises within a workspace.
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// The id of the key that acted, `operator` for whoever holds the database, or `service`.
    pub(crate) actor: String,
    /// Its name at that time.
    pub(crate) actor_name: String,
    /// `api_key.create`
    pub(crate) action: String,
    pub(crate) resource_id: String,
    /// `created` or `deleted` with a snapshot, or each changed field with its old and its new value.
    pub(crate) details: Map<String, Value>,
}

impl AuditEntry {
    /// What kind of thing was changed: `api_key`.
    pub(crate) fn resource_type(&self) -> &str {
        self.action.split('.').next().unwrap_or_default()
    }
}

/// Which changes are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditFilter {
    /// `api_key.create`, or the part after the point alone.
    pub(crate) action: Option<String>,
    /// The id of what was changed.
    pub(crate) resource: Option<String>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    /// Only entries after the one with this id.
    pub(crate) after: Option<String>,
}
