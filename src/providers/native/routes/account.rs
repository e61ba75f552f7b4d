//! What is left and who did it: usage, credits and the audit log.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::refusals::{OfAnyCall, OfOneKey, OfWhatIsSaid};
use crate::providers::native::wire::{
    AuditAnswer, AuditLogAnswer, CreditsAnswer, CreditsBody, ErrorAnswer, PageBody, UsageAnswer, UsageBody,
};
use crate::providers::routes::Context;
use crate::providers::routes::page::{self, Page};
use crate::providers::routes::problem::Problem;
use crate::providers::routes::request::Id;
use crate::service::{AuditQuery, Caller, MOST_DAYS};

/// The most entries on one page.
const LARGEST_PAGE: u32 = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsageQuery {
    /// How many days, today included
    #[param(minimum = 1, maximum = 365, default = 30)]
    days: Option<u16>,
}

impl UsageQuery {
    fn days(query: Result<Query<Self>, QueryRejection>) -> Result<u16, Problem> {
        let Query(query) = query.map_err(|_| Problem::invalid("query", "there is days, a number"))?;
        let days = query.days.unwrap_or(30);
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(Problem::invalid("days", format!("it goes from 1 to {MOST_DAYS}")));
        }
        Ok(days)
    }
}

/// Show what the workspace used, and what is left of its limits
///
/// Days are UTC dates. Counts of the last second may still be missing.
#[utoipa::path(get, path = "/v1/usage", tag = "account", params(UsageQuery), responses(
    (status = 200, description = "Calls by day, endpoint and key", body = UsageAnswer),
    OfAnyCall, OfWhatIsSaid,
))]
pub(super) async fn usage(
    State(context): State<Context>,
    caller: Caller,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let days = UsageQuery::days(query)?;
    let report = context.service.usage(&caller, None, days, (context.now)()).await?;
    Ok(axum::Json(UsageAnswer { data: UsageBody::of(report) }).into_response())
}

/// Show what a key used
///
/// Also one that is revoked or expired. The limits are those of the workspace.
#[utoipa::path(get, path = "/v1/api-keys/{id}/usage", tag = "account",
    params(("id" = String, Path, description = "The key's id"), UsageQuery), responses(
    (status = 200, description = "Calls by day and endpoint", body = UsageAnswer),
    OfAnyCall, OfOneKey, OfWhatIsSaid,
))]
pub(super) async fn key_usage(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let days = UsageQuery::days(query)?;
    let report = context.service.usage(&caller, Some(&id), days, (context.now)()).await?;
    Ok(axum::Json(UsageAnswer { data: UsageBody::of(report) }).into_response())
}

/// Show the credits that are left, and what expires when
///
/// What expires soonest is spent first.
#[utoipa::path(get, path = "/v1/credits", tag = "account", responses(
    (status = 200, description = "The balance and the grants it is made of", body = CreditsAnswer),
    OfAnyCall,
))]
pub(super) async fn credits(State(context): State<Context>, caller: Caller) -> Result<Response, Problem> {
    let now = (context.now)();
    let credits = context.service.credits(&caller, now).await?;
    Ok(axum::Json(CreditsAnswer { data: CreditsBody::of(&credits, now) }).into_response())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditLogQuery {
    /// From 1
    #[param(minimum = 1, maximum = 1_000_000, default = 1)]
    page: Option<u32>,
    /// How many entries are on a page
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u32>,
    /// `api_key.create`, or `create` for that of any resource
    action: Option<String>,
    /// The id of what was changed
    resource_id: Option<String>,
    /// The id of who changed it
    actor: Option<String>,
    /// Entries of this instant and later, RFC 3339
    #[param(format = "date-time")]
    from: Option<String>,
    /// Entries of this instant and earlier, RFC 3339
    #[param(format = "date-time")]
    to: Option<String>,
    /// Entries after this one: `log_42`
    #[param(pattern = "^log_[0-9]{1,18}$")]
    after: Option<String>,
}

impl AuditLogQuery {
    fn into_query(self) -> Result<AuditQuery, Problem> {
        let instant = |field: &str, text: Option<String>| -> Result<Option<Timestamp>, Problem> {
            text.map(|text| text.parse().map_err(|_| Problem::invalid(field, "it is an instant, 2026-02-24T10:43:12Z")))
                .transpose()
        };
        let Page { page, per_page } = Page::asked(self.page, self.per_page, 50, LARGEST_PAGE)?;
        let after = self.after.map(|id| {
            let digits = id.strip_prefix("log_").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            let number = digits.and_then(|digits| digits.parse().ok());
            number.ok_or_else(|| Problem::invalid("after", "it is the id of an entry, log_42"))
        });
        Ok(AuditQuery {
            actions: Vec::new(),
            action: self.action.filter(|text| !text.is_empty()),
            resource: self.resource_id.filter(|text| !text.is_empty()),
            actor: self.actor.filter(|text| !text.is_empty()),
            from: instant("from", self.from)?,
            to: instant("to", self.to)?.map(end_of_second),
            after: after.transpose()?,
            page,
            per_page,
        })
    }
}

/// Answers tell instants to the second: one that is given so means all of it.
fn end_of_second(instant: Timestamp) -> Timestamp {
    let rest = if instant.subsec_nanosecond() == 0 { 999_999_999 } else { 0 };
    instant.saturating_add(SignedDuration::from_nanos(rest)).unwrap_or(Timestamp::MAX)
}

/// Show who changed what, newest first
///
/// Entries are kept for 365 days. No route and no key can change one.
#[utoipa::path(get, path = "/v1/audit-logs", tag = "account", params(AuditLogQuery), responses(
    (status = 200, description = "One page of entries", body = AuditLogAnswer),
    (status = 400, description = "`validation_error`, or `invalid_date_range`: `from` is after `to`", body = ErrorAnswer),
    OfAnyCall,
))]
pub(super) async fn audit_logs(
    State(context): State<Context>,
    caller: Caller,
    query: Result<Query<AuditLogQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    const PARAMETERS: &str =
        "there are page, per_page, action, resource_id, actor, from, to and after, each once and of its own type";
    let Query(query) = query.map_err(|_| Problem::invalid("query", PARAMETERS))?;
    let query = query.into_query()?;
    let (entries, total) = context.service.audit_log(&caller, &query).await?;
    let meta = PageBody { page: query.page, per_page: query.per_page, total: page::total(total) };
    Ok(axum::Json(AuditLogAnswer { data: entries.iter().map(AuditAnswer::of).collect(), meta }).into_response())
}
