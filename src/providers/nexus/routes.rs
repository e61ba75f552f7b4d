//! Nexus ERP's HTTP, turned into operations of the service. Everything below `/api/developer` is ours: the vendor's dashboard
//! does it, under Developer.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;

use super::wire::{
    KeyChangeBody, LookupBody, NewKeyBody, caller as caller_of, error, issued, one, page_of_entries, page_of_keys,
    page_of_records, record, temporary_key,
};
use crate::model::key::Key;
use crate::model::record::Record;
use crate::providers::Provider;
use crate::providers::routes::data::{adding, changing, listing, removing};
use crate::providers::routes::page::{Page, total};
use crate::providers::routes::problem::{About, Problem};
use crate::providers::routes::request::{Body, Change, Id, bearer, respond};
use crate::providers::routes::{Context, Manners, dress, gate, keys};
use crate::service::{Answer, AuditQuery, Caller, Collection};

/// The most rows on one page.
const LARGEST_PAGE: u32 = 100;

/// How Nexus says what all of them say.
const MANNERS: Manners = Manners {
    provider: Provider::Nexus,
    base: "/nexus",
    presented: bearer,
    challenge: "Bearer",
    say,
    data: &DATA,
    open: &[],
};

/// The paths of the routes behind the gate.
const DATA: [&str; 2] = ["/api/leads", "/api/leads/{id}"];

pub(crate) fn routes(context: Context) -> Router {
    let [leads, lead] = DATA;
    let routes = Router::new()
        .route("/api/developer/keys", get(list_keys).post(create_key))
        .route("/api/developer/keys/temp", post(create_temporary_key))
        .route("/api/developer/keys/lookup", post(lookup_key))
        .route("/api/developer/keys/{id}", get(show_key).patch(edit_key).delete(delete_key))
        .route("/api/developer/keys/{id}/revoke", post(revoke_key))
        .route("/api/developer/keys/{id}/reactivate", post(reactivate_key))
        .route("/api/developer/me", get(me))
        .route("/api/developer/audit-log", get(audit_log))
        .route(leads, listing(Collection::Leads, page_of).merge(adding(Collection::Leads, record)))
        .route(lead, changing(Collection::Leads, record).merge(removing(Collection::Leads)))
        .merge(gate::routes(&MANNERS));
    dress(routes, context, &MANNERS)
}

fn page_of(_: Collection, records: &[Record], page: Page, total: u64) -> Value {
    page_of_records(records, page.page, page.per_page, total)
}

fn say(problem: &Problem, _: &str) -> (StatusCode, Value) {
    let message = match (&problem.about, &*problem.code) {
        (Some(About::Permission(missing)), _) => format!("Missing permission: {missing}"),
        (_, "feature_off") => "The Developer API is not enabled for this organisation".to_owned(),
        _ => problem.message.to_string(),
    };
    (problem.status, error(&message))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    search: Option<String>,
}

async fn list_keys(
    State(context): State<Context>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    const PARAMETERS: &str = "there are page, per_page and search, each once and of its own type";
    let Query(query) = query.map_err(|_| Problem::invalid("query", PARAMETERS))?;
    let page = Page::asked(query.page, query.per_page, 50, LARGEST_PAGE)?;
    let query = keys::newest(page, query.search);
    let (keys, all) = context.service.list_keys(&caller, &query, (context.now)()).await?;
    Ok(axum::Json(page_of_keys(&keys, page.page, page.per_page, total(all))).into_response())
}

async fn create_key(State(context): State<Context>, caller: Caller, change: Change) -> Result<Response, Problem> {
    let new = change.json::<NewKeyBody>()?.into_new_key()?;
    keys::create(&context, &caller, &change, &new, issued).await
}

/// What `Generate test token` on the vendor's pages does.
async fn create_temporary_key(
    State(context): State<Context>,
    caller: Caller,
    change: Change,
) -> Result<Response, Problem> {
    keys::create(&context, &caller, &change, &temporary_key()?, issued).await
}

async fn lookup_key(
    State(context): State<Context>,
    caller: Caller,
    Body(asked): Body<LookupBody>,
) -> Result<Response, Problem> {
    keys::look_up(&context, &caller, asked.key, one).await
}

async fn show_key(State(context): State<Context>, caller: Caller, Id(id): Id) -> Result<Response, Problem> {
    keys::show(&context, &caller, &id, one).await
}

async fn edit_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let asked = change.json::<KeyChangeBody>()?.into_change()?;
    let answer = context.service.edit_key(change.ask(&caller, (context.now)()), &id, &asked, shown).await?;
    Ok(respond(&answer))
}

async fn revoke_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let answer = context.service.revoke_key(change.ask(&caller, (context.now)()), &id, None, shown).await?;
    Ok(respond(&answer))
}

async fn reactivate_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let answer = context.service.reactivate_key(change.ask(&caller, (context.now)()), &id, shown).await?;
    Ok(respond(&answer))
}

async fn delete_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let render = || Answer::new(StatusCode::NO_CONTENT.as_u16(), Vec::new());
    let answer = context.service.delete_key(change.ask(&caller, (context.now)()), &id, render).await?;
    Ok(respond(&answer))
}

fn shown(key: &Key) -> Answer {
    Answer::new(StatusCode::OK.as_u16(), one(Some(key)).to_string().into_bytes())
}

/// Any valid key may ask: it hears of itself.
async fn me(caller: Caller) -> Response {
    axum::Json(caller_of(&caller.whoami())).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    action: Option<String>,
    entity_id: Option<String>,
}

async fn audit_log(
    State(context): State<Context>,
    caller: Caller,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    const PARAMETERS: &str = "there are page, per_page, action and entity_id, each once and of its own type";
    let Query(query) = query.map_err(|_| Problem::invalid("query", PARAMETERS))?;
    let Page { page, per_page } = Page::asked(query.page, query.per_page, 50, LARGEST_PAGE)?;
    let query = AuditQuery {
        action: query.action.filter(|text| !text.is_empty()),
        resource: query.entity_id.filter(|text| !text.is_empty()),
        page,
        per_page,
        ..AuditQuery::default()
    };
    let (entries, all) = context.service.audit_log(&caller, &query).await?;
    Ok(axum::Json(page_of_entries(&entries, page, per_page, total(all))).into_response())
}
