//! What a history is: what was asked and answered and when, and what the database held at the end.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sqlx::Row as _;

use super::client::Answer;
use super::database::Database;

/// An instant, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    /// Microseconds by a clock that never steps.
    pub(crate) steady: u64,
    /// Seconds since 1970 by the clock that the service counts by.
    pub(crate) utc: i64,
}

impl Moment {
    #[expect(clippy::disallowed_methods, reason = "the history of a real server is told in real time")]
    pub(crate) fn now() -> Self {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let steady = u64::try_from(START.elapsed().as_micros()).unwrap();
        let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self { steady, utc: i64::try_from(utc).unwrap() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    Standard,
    High,
    Unmetered,
}

impl Tier {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::High => "high",
            Self::Unmetered => "unmetered",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Verb {
    Create,
    Edit,
    Revoke,
    Reactivate,
    Delete,
}

impl Verb {
    /// As the audit log calls it.
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Self::Create => "api_key.create",
            Self::Edit => "api_key.update",
            Self::Revoke => "api_key.revoke",
            Self::Reactivate => "api_key.reactivate",
            Self::Delete => "api_key.delete",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Whether the calling key may read contacts.
    Gate,
    /// What the workspace has.
    Credits,
    /// About a key of another workspace.
    Foreign,
    /// A change: what was asked under one Idempotency-Key is one change, however often it was sent.
    Change {
        once: String,
        verb: Verb,
        /// The id of the key that is changed, or the name of the one that is made.
        target: String,
    },
}

/// A request, sent once.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The id of the calling key's workspace.
    pub(crate) workspace: String,
    /// The id of the calling key.
    pub(crate) key: String,
    pub(crate) tier: Tier,
    pub(crate) asked: Asked,
    pub(crate) begin: Moment,
    pub(crate) end: Moment,
    /// `None` where the answer was lost.
    pub(crate) said: Option<Said>,
}

impl Call {
    pub(crate) fn status(&self) -> Option<u16> {
        self.said.as_ref().map(|said| said.status)
    }
}

/// What matters of an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) status: u16,
    /// What kind of error it is.
    pub(crate) code: String,
    /// Whom the gate took the caller for: the id of the workspace and of the key.
    pub(crate) owner: Option<(String, String)>,
    /// The id and the plaintext of the key that was made.
    pub(crate) made: Option<(String, String)>,
    pub(crate) balance: Option<i64>,
}

impl Said {
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = answer.json();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let header = |name| answer.header(name).map(str::to_owned);
        Self {
            status: answer.status,
            code: text(&body["error"]["code"]).unwrap_or_default(),
            owner: header("x-workspace-id").zip(header("x-key-id")),
            made: text(&body["data"]["id"]).zip(text(&body["data"]["key"])),
            balance: body["data"]["balance"].as_i64(),
        }
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// All that happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) calls: Vec<Call>,
    /// How many processes were killed.
    pub(crate) kills: i64,
    /// Credits that were granted besides those of the month: to which workspace, and how many.
    pub(crate) granted: Vec<(String, i64)>,
    pub(crate) ending: Ending,
}

/// What the database holds when every process has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    pub(crate) workspaces: Vec<Workspace>,
    pub(crate) keys: Vec<KeyRow>,
    /// In the order of their numbers.
    pub(crate) audit: Vec<Entry>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) days: Vec<Day>,
    /// Whether `keys serve audit verify` found nothing wrong.
    pub(crate) is_chain_whole: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) per_day: i64,
    pub(crate) per_minute: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) workspace: String,
    pub(crate) hash: String,
    /// Whether it may manage keys now.
    pub(crate) is_admin: bool,
}

/// An entry of the audit log.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) workspace: String,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) details: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) workspace: String,
    pub(crate) is_of_month: bool,
    pub(crate) amount: i64,
    /// Credits that were handed out and did not come back.
    pub(crate) leased: i64,
}

/// Calls of a day that were handed out and did not come back.
#[derive(Debug, Clone)]
pub(crate) struct Day {
    pub(crate) workspace: String,
    pub(crate) leased: i64,
}

/// The permission of admins.
pub(crate) const ADMIN: &str = "admin:api_keys";

impl Ending {
    pub(crate) fn of(database: &Database, is_chain_whole: bool) -> Self {
        let keys = "SELECT id, workspace_id, hash, permissions, revoked_at FROM api_keys";
        let audit =
            "SELECT workspace_id, actor, action, resource_id, details FROM audit_entries ORDER BY workspace_id, seq";
        let days = "SELECT workspace_id, SUM(leased) AS leased FROM limit_windows WHERE period NOT LIKE '%T%' GROUP BY workspace_id";
        // A sum is a number of another type on PostgreSQL.
        let days = days.replace("SUM(leased)", "CAST(SUM(leased) AS BIGINT)");
        let workspaces = "SELECT id, COALESCE(daily_limit, CASE plan WHEN 'starter' THEN 100 ELSE 100000 END) AS per_day, \
             COALESCE(minute_limit, CASE plan WHEN 'starter' THEN 10 ELSE 1000 END) AS per_minute FROM workspaces";
        let grants = "SELECT workspace_id, month, amount, leased FROM credit_grants";
        let rows = |statement: &str| database.rows(statement);
        Self {
            workspaces: rows(workspaces)
                .iter()
                .map(|row| Workspace {
                    id: row.get("id"),
                    per_day: row.get("per_day"),
                    per_minute: row.get("per_minute"),
                })
                .collect(),
            keys: rows(keys)
                .iter()
                .map(|row| KeyRow {
                    id: row.get("id"),
                    workspace: row.get("workspace_id"),
                    hash: row.get("hash"),
                    is_admin: row.get::<Option<i64>, _>("revoked_at").is_none()
                        && row.get::<String, _>("permissions").split_whitespace().any(|held| held == ADMIN),
                })
                .collect(),
            audit: rows(audit)
                .iter()
                .map(|row| Entry {
                    workspace: row.get("workspace_id"),
                    actor: row.get("actor"),
                    action: row.get("action"),
                    resource: row.get("resource_id"),
                    details: serde_json::from_str(&row.get::<String, _>("details")).unwrap(),
                })
                .collect(),
            grants: rows(grants)
                .iter()
                .map(|row| Grant {
                    workspace: row.get("workspace_id"),
                    is_of_month: row.get::<Option<String>, _>("month").is_some(),
                    amount: row.get("amount"),
                    leased: row.get("leased"),
                })
                .collect(),
            days: rows(&days)
                .iter()
                .map(|row| Day { workspace: row.get("workspace_id"), leased: row.get("leased") })
                .collect(),
            is_chain_whole,
        }
    }
}
