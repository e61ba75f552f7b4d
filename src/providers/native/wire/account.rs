//! What is left and who did it, as JSON: usage, credits, the audit log; and what the data routes keep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::PageBody;
use crate::model::audit::AuditEntry;
use crate::model::credits::{CreditKind, Credits, Grant};
use crate::model::quota::Quota;
use crate::model::record::Record;
use crate::model::usage::{KeyUsage, Tally, UsageReport};
use crate::providers::wire::whole_seconds;

/// Usage in the envelope of every answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct UsageAnswer {
    pub(crate) data: UsageBody,
}

/// What a workspace or a key used, and what is left of the workspace's limits. Days are UTC dates.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Usage, example = json!({
    "plan": "pro", "per_day": { "limit": 1000, "remaining": 847, "resets_at": "2026-02-25T00:00:00Z" },
    "per_minute": { "limit": 50, "remaining": 49, "resets_at": "2026-02-24T10:44:00Z" },
    "today": { "calls": 153, "errors": 3, "error_rate": 0.0196 }, "last_used_at": "2026-02-24T10:43:12Z",
    "days": [{ "day": "2026-02-24", "calls": 153, "errors": 3, "error_rate": 0.0196 }],
    "endpoints": [{ "endpoint": "GET /v1/contacts", "calls": 153, "errors": 3, "error_rate": 0.0196 }],
    "keys": [{ "id": "key_7qz3m1v9w8x2", "name": "Ingestion worker", "calls": 153, "errors": 3, "error_rate": 0.0196 }]
}))]
pub(crate) struct UsageBody {
    /// `starter`, `pro`, `org` or `enterprise`
    plan: String,
    per_day: QuotaBody,
    /// For keys of the tier `standard`; those of the tier `high` have twice the limit
    per_minute: QuotaBody,
    today: TallyBody,
    /// When any of these keys was last used
    last_used_at: Option<String>,
    /// Every day asked for, the oldest first
    days: Vec<DayBody>,
    /// The busiest first
    endpoints: Vec<EndpointBody>,
    /// The busiest first
    keys: Vec<KeyUsageBody>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Quota)]
struct QuotaBody {
    limit: i64,
    remaining: i64,
    resets_at: String,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Tally)]
struct TallyBody {
    calls: i64,
    /// Calls that were answered with an error
    errors: i64,
    /// Errors divided by calls, to four places
    error_rate: f64,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = UsageOfDay)]
struct DayBody {
    day: String,
    #[serde(flatten)]
    tally: TallyBody,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = UsageOfEndpoint)]
struct EndpointBody {
    endpoint: String,
    #[serde(flatten)]
    tally: TallyBody,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = UsageOfKey)]
struct KeyUsageBody {
    id: String,
    /// `null` for a key that is deleted
    name: Option<String>,
    #[serde(flatten)]
    tally: TallyBody,
}

impl QuotaBody {
    fn of(quota: &Quota) -> Self {
        Self { limit: quota.limit, remaining: quota.remaining, resets_at: whole_seconds(quota.resets_at) }
    }
}

impl TallyBody {
    fn of(tally: Tally) -> Self {
        Self { calls: tally.calls, errors: tally.errors, error_rate: tally.error_rate() }
    }
}

impl UsageBody {
    pub(crate) fn of(report: UsageReport) -> Self {
        Self {
            plan: report.plan,
            per_day: QuotaBody::of(&report.per_day),
            per_minute: QuotaBody::of(report.per_minute.as_ref().unwrap_or(&report.per_day)),
            today: TallyBody::of(report.today),
            last_used_at: report.last_used_at.map(whole_seconds),
            days: report.days.into_iter().map(|(day, tally)| DayBody { day, tally: TallyBody::of(tally) }).collect(),
            endpoints: report
                .endpoints
                .into_iter()
                .map(|(endpoint, tally)| EndpointBody { endpoint, tally: TallyBody::of(tally) })
                .collect(),
            keys: report
                .keys
                .into_iter()
                .map(|key| KeyUsageBody { id: key.id, name: key.name, tally: TallyBody::of(key.tally) })
                .collect(),
        }
    }
}

/// An instant that an answer must have.
fn instant(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "one of its times is none")
}

fn optional_instant(text: Option<&str>) -> Result<Option<Timestamp>, &'static str> {
    text.map(instant).transpose()
}

impl QuotaBody {
    fn into_quota(self) -> Result<Quota, &'static str> {
        Ok(Quota { limit: self.limit, remaining: self.remaining, resets_at: instant(&self.resets_at)? })
    }
}

impl TallyBody {
    const fn tally(&self) -> Tally {
        Tally { calls: self.calls, errors: self.errors }
    }
}

impl UsageBody {
    pub(crate) fn into_report(self) -> Result<UsageReport, &'static str> {
        Ok(UsageReport {
            plan: self.plan,
            per_day: self.per_day.into_quota()?,
            per_minute: Some(self.per_minute.into_quota()?),
            today: self.today.tally(),
            days: self.days.into_iter().map(|of| (of.day, of.tally.tally())).collect(),
            endpoints: self.endpoints.into_iter().map(|of| (of.endpoint, of.tally.tally())).collect(),
            keys: self
                .keys
                .into_iter()
                .map(|of| KeyUsage { id: of.id, name: of.name, tally: of.tally.tally() })
                .collect(),
            last_used_at: optional_instant(self.last_used_at.as_deref())?,
            note: None,
        })
    }
}

impl CreditsBody {
    pub(crate) fn into_credits(self) -> Result<Credits, &'static str> {
        let grant = |grant: GrantBody| -> Result<Grant, &'static str> {
            Ok(Grant {
                id: grant.id,
                kind: CreditKind::parse(&grant.kind).ok_or("a grant is of no known kind")?,
                amount: grant.amount,
                remaining: grant.remaining,
                note: grant.note,
                granted_at: instant(&grant.granted_at)?,
                expires_at: optional_instant(grant.expires_at.as_deref())?,
            })
        };
        Ok(Credits {
            balance: self.balance,
            grants: self.grants.into_iter().map(grant).collect::<Result<_, _>>()?,
            kinds: None,
            monthly: Some(self.monthly),
            next_grant_at: Some(instant(&self.next_grant_at)?),
        })
    }
}

impl AuditAnswer {
    pub(crate) fn into_entry(self) -> Result<AuditEntry, &'static str> {
        Ok(AuditEntry {
            id: self.id,
            at: instant(&self.timestamp)?,
            actor: self.actor.id,
            actor_name: self.actor.name,
            action: self.action,
            resource_id: self.resource_id,
            details: self.details,
        })
    }
}

/// Credits in the envelope of every answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct CreditsAnswer {
    pub(crate) data: CreditsBody,
}

/// What a workspace can spend, and of which grants.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Credits, example = json!({
    "balance": 1250, "subscription": 1000, "purchased": 0, "bonus": 250, "monthly": 1000,
    "next_grant_at": "2026-03-01T00:00:00Z",
    "grants": [
        { "id": "grant_7qz3m1v9w8x2", "kind": "bonus", "amount": 250, "remaining": 250, "note": "welcome",
          "granted_at": "2026-02-24T10:43:12Z", "expires_at": "2026-03-24T10:43:12Z" },
        { "id": "grant_2qz3m1v9w8x2", "kind": "subscription", "amount": 1000, "remaining": 1000, "note": "2026-02",
          "granted_at": "2026-02-01T00:00:00Z", "expires_at": null }
    ]
}))]
pub(crate) struct CreditsBody {
    /// What can be spent now, over all grants
    balance: i64,
    subscription: i64,
    purchased: i64,
    bonus: i64,
    /// Credits granted at the start of each month; what is left of them rolls over
    monthly: i64,
    next_grant_at: String,
    /// Grants that can be spent, those first that are spent first
    grants: Vec<GrantBody>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = CreditGrant)]
struct GrantBody {
    id: String,
    /// `subscription`, `purchased` or `bonus`
    kind: String,
    amount: i64,
    remaining: i64,
    note: Option<String>,
    granted_at: String,
    /// When what remains is lost; `null` for never
    expires_at: Option<String>,
}

impl CreditsBody {
    pub(crate) fn of(credits: &Credits, now: Timestamp) -> Self {
        let spendable: Vec<&Grant> = credits.grants.iter().filter(|grant| grant.is_spendable(now)).collect();
        let of_kind = |kind| spendable.iter().filter(|grant| grant.kind == kind).map(|grant| grant.remaining).sum();
        Self {
            balance: credits.balance,
            subscription: of_kind(CreditKind::Subscription),
            purchased: of_kind(CreditKind::Purchased),
            bonus: of_kind(CreditKind::Bonus),
            monthly: credits.monthly.unwrap_or_default(),
            next_grant_at: credits.next_grant_at.map(whole_seconds).unwrap_or_default(),
            grants: spendable
                .iter()
                .map(|grant| GrantBody {
                    id: grant.id.clone(),
                    kind: grant.kind.as_str().to_owned(),
                    amount: grant.amount,
                    remaining: grant.remaining,
                    note: grant.note.clone(),
                    granted_at: whole_seconds(grant.granted_at),
                    expires_at: grant.expires_at.map(whole_seconds),
                })
                .collect(),
        }
    }
}

/// One page of the audit log in the envelope of every answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AuditLogAnswer {
    pub(crate) data: Vec<AuditAnswer>,
    pub(crate) meta: PageBody,
}

/// A change somebody made. Entries are kept for 365 days, and never change.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditEntry, example = json!({
    "id": "log_42", "timestamp": "2026-02-24T10:43:12Z", "action": "api_key.update", "resource_type": "api_key",
    "resource_id": "key_7qz3m1v9w8x2", "actor": { "id": "key_2qz3m1v9w8x2", "name": "admin" },
    "details": { "name": { "old": "ci", "new": "Ingestion worker" } }
}))]
pub(crate) struct AuditAnswer {
    /// Rises within the workspace
    id: String,
    timestamp: String,
    /// `api_key.create`, `api_key.update`, `api_key.revoke`, `api_key.reactivate`, `api_key.delete`, `credits.grant` …
    action: String,
    resource_type: String,
    resource_id: String,
    actor: ActorBody,
    /// `created` or `deleted` with a snapshot, or each changed field with its old and its new value
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditActor)]
struct ActorBody {
    /// The id of the key that acted, `operator` for whoever holds the database, or `service`
    id: String,
    /// Its name at that time
    name: String,
}

impl AuditAnswer {
    pub(crate) fn of(entry: &AuditEntry) -> Self {
        Self {
            id: entry.id.clone(),
            timestamp: whole_seconds(entry.at),
            action: entry.action.clone(),
            resource_type: entry.resource_type().to_owned(),
            resource_id: entry.resource_id.clone(),
            actor: ActorBody { id: entry.actor.clone(), name: entry.actor_name.clone() },
            details: entry.details.clone(),
        }
    }
}

/// An object in the envelope of every answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RecordAnswer {
    pub(crate) data: RecordBody,
}

/// One page of objects in the envelope of every answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RecordListAnswer {
    pub(crate) data: Vec<RecordBody>,
    pub(crate) meta: PageBody,
}

/// An object as its caller wrote it, and what the service adds to it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Record)]
pub(crate) struct RecordBody {
    id: String,
    created_at: String,
    updated_at: String,
    #[serde(flatten)]
    content: Map<String, Value>,
}

impl RecordBody {
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            id: record.id.clone(),
            created_at: whole_seconds(record.created_at),
            updated_at: whole_seconds(record.updated_at),
            content: record.content.clone(),
        }
    }
}
