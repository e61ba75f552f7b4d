//! The workspace's settings and its audit log.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::providers::leadlex::wire::{logs, meta, settings as settings_of};
use crate::providers::routes::Context;
use crate::providers::routes::page::{Page, total};
use crate::providers::routes::problem::Problem;
use crate::service::{AuditQuery, Caller};

/// What this service notes, and what LeadLex calls that: the action and the kind of thing. Revoking a key is deleting it.
const ACTIONS: [(&str, &str, &str); 11] = [
    ("api_key.create", "create", "api_keys"),
    ("api_key.update", "update", "api_keys"),
    ("api_key.reactivate", "update", "api_keys"),
    ("api_key.revoke", "delete", "api_keys"),
    ("api_key.delete", "delete", "api_keys"),
    ("admin.recover", "create", "api_keys"),
    ("member.add", "create", "users"),
    ("credits.grant", "update", "billing"),
    ("workspace.set_plan", "update", "billing"),
    ("workspace.set_feature", "update", "settings"),
    ("audit.prune", "delete", "settings"),
];

/// The actions that LeadLex documents.
const DOCUMENTED: [&str; 5] = ["create", "update", "delete", "login", "api_access"];

/// No entry has this action.
const NONE: &str = "none";

pub(super) async fn settings(State(context): State<Context>, caller: Caller) -> Result<Response, Problem> {
    let credits = context.service.credits(&caller, (context.now)()).await?;
    let workspace = caller.workspace();
    let answer = settings_of(&workspace.id, &caller.whoami(), workspace.features.iter().cloned(), &credits);
    Ok(axum::Json(answer).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    action: Option<String>,
    user_id: Option<String>,
    resource_type: Option<String>,
    from_date: Option<String>,
    to_date: Option<String>,
}

impl LogQuery {
    fn into_query(self) -> Result<AuditQuery, Problem> {
        let Page { page, per_page } = Page::asked(self.page, self.per_page, 50, 200)?;
        let (action, resource_type) = (self.action.as_deref(), self.resource_type.as_deref());
        if action.is_some_and(|action| !DOCUMENTED.contains(&action)) {
            return Err(Problem::invalid("action", format!("it is one of {}", DOCUMENTED.join(", "))));
        }
        Ok(AuditQuery {
            action: None,
            actions: actions(action, resource_type),
            resource: None,
            actor: self.user_id.filter(|text| !text.is_empty()),
            from: self.from_date.as_deref().map(|text| instant("from_date", text, false)).transpose()?,
            to: self.to_date.as_deref().map(|text| instant("to_date", text, true)).transpose()?,
            after: None,
            page,
            per_page,
        })
    }
}

/// Our names of what is asked for; none where everything is.
fn actions(action: Option<&str>, resource_type: Option<&str>) -> Vec<&'static str> {
    if action.is_none() && resource_type.is_none() {
        return Vec::new();
    }
    let fitting = ACTIONS.iter().filter(|(_, theirs, kind)| {
        action.is_none_or(|action| action == *theirs) && resource_type.is_none_or(|wanted| wanted == *kind)
    });
    let mut fitting: Vec<&str> = fitting.map(|(ours, _, _)| *ours).collect();
    if fitting.is_empty() {
        fitting.push(NONE);
    }
    fitting
}

/// An instant, or a date: its first moment, or where it is the end of a time, its last one.
fn instant(field: &str, text: &str, is_end: bool) -> Result<Timestamp, Problem> {
    let problem = || Problem::invalid(field, "it is a date or an instant, 2026-02-24T10:43:12Z");
    if text.len() > 10 {
        return text.parse().map_err(|_| problem());
    }
    let date: Date = text.parse().map_err(|_| problem())?;
    let start = date.to_zoned(TimeZone::UTC).map_err(|_| problem())?.timestamp();
    let length =
        if is_end { SignedDuration::from_hours(24) - SignedDuration::from_micros(1) } else { SignedDuration::ZERO };
    start.checked_add(length).map_err(|_| problem())
}

pub(super) async fn audit_logs(
    State(context): State<Context>,
    caller: Caller,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    const PARAMETERS: &str = "there are page, per_page, action, user_id, resource_type, from_date and to_date, each once and of its own type";
    let Query(query) = query.map_err(|_| Problem::invalid("query", PARAMETERS))?;
    let query = query.into_query()?;
    let (entries, all) = context.service.audit_log(&caller, &query).await?;
    let named = |action: &str| {
        let known = ACTIONS.iter().find(|(ours, _, _)| *ours == action);
        let (_, theirs, kind) = known.copied().unwrap_or((action, "update", "settings"));
        (theirs.to_owned(), kind.to_owned())
    };
    let answer = logs(&entries, named, &meta(query.page, query.per_page, total(all)));
    Ok(axum::Json(answer).into_response())
}
