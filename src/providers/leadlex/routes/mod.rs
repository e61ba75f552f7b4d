//! LeadLex's HTTP, turned into operations of the service.

mod account;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use serde::Deserialize;
use serde_json::Value;

use super::rules::RULES;
use super::wire::{NewKeyBody, error, issued, meta, page_of_keys, page_of_records, record};
use crate::model::record::Record;
use crate::providers::Provider;
use crate::providers::routes::data::{adding, approving, asking_the_assistant, changing, listing};
use crate::providers::routes::page::{Page, total};
use crate::providers::routes::problem::{About, Problem};
use crate::providers::routes::request::{Change, Id, bearer, respond};
use crate::providers::routes::{Context, Manners, dress, gate, keys};
use crate::service::{Answer, Caller, Collection, KeyQuery};

/// How LeadLex says what all of them say.
const MANNERS: Manners = Manners {
    provider: Provider::LeadLex,
    base: "/leadlex",
    presented: bearer,
    challenge: "Bearer",
    say,
    data: &DATA,
    open: &[],
};

/// The paths of the routes behind the gate.
const DATA: [&str; 7] = [
    "/v1/contacts",
    "/v1/contacts/{id}",
    "/v1/lists",
    "/v1/campaigns",
    "/v1/lexi/chat",
    "/v1/lexi/tasks",
    "/v1/lexi/tasks/{id}/approve",
];

pub(crate) fn routes(context: Context) -> Router {
    let [contacts, contact, lists, campaigns, chat, tasks, approve] = DATA;
    let listed_and_added = |collection| listing(collection, page_of).merge(adding(collection, record));
    let routes = Router::new()
        .route("/v1/api-keys", get(list_keys).post(create_key))
        .route("/v1/api-keys/{id}", delete(revoke_key))
        .route("/v1/audit-logs", get(account::audit_logs))
        .route("/v1/settings", get(account::settings))
        .route(contacts, listed_and_added(Collection::Contacts))
        .route(contact, changing(Collection::Contacts, record))
        .route(lists, listed_and_added(Collection::Lists))
        .route(campaigns, listed_and_added(Collection::Campaigns))
        .route(chat, asking_the_assistant(record))
        .route(tasks, listing(Collection::Tasks, page_of))
        .route(approve, approving(record))
        .merge(gate::routes(&MANNERS));
    dress(routes, context, &MANNERS)
}

fn page_of(collection: Collection, records: &[Record], page: Page, total: u64) -> Value {
    page_of_records(collection.name(), records, &meta(page.page, page.per_page, total))
}

/// LeadLex has one word for all that a key may not do, and names the coarse permission.
fn say(problem: &Problem, _: &str) -> (StatusCode, Value) {
    let code = match &*problem.code {
        "permission_not_held" | "last_admin_key" => "insufficient_permissions",
        code => code,
    };
    let message = match problem.about {
        Some(About::Permission(missing)) => format!("Missing required permission: {}", coarse(missing)),
        _ => problem.message.to_string(),
    };
    (problem.status, error(code, &message))
}

fn coarse(permission: &str) -> &str {
    let entry = RULES.permissions.entries.iter().find(|entry| entry.name == permission);
    entry.and_then(|entry| entry.included_in).unwrap_or(permission)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    include_revoked: Option<bool>,
    search: Option<String>,
}

async fn list_keys(
    State(context): State<Context>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    const PARAMETERS: &str = "there are page, per_page, include_revoked and search, each once and of its own type";
    let Query(query) = query.map_err(|_| Problem::invalid("query", PARAMETERS))?;
    let page = Page::asked(query.page, query.per_page, 25, 100)?;
    let hides_revoked = !query.include_revoked.unwrap_or(false);
    let query = KeyQuery { hides_revoked, ..keys::newest(page, query.search) };
    let (keys, all) = context.service.list_keys(&caller, &query, (context.now)()).await?;
    Ok(axum::Json(page_of_keys(&keys, &meta(page.page, page.per_page, total(all)))).into_response())
}

async fn create_key(State(context): State<Context>, caller: Caller, change: Change) -> Result<Response, Problem> {
    let new = change.json::<NewKeyBody>()?.into_new_key()?;
    keys::create(&context, &caller, &change, &new, issued).await
}

/// For good: there is no way back, and the key stays in the list.
async fn revoke_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let render = |_: &_| Answer::new(StatusCode::NO_CONTENT.as_u16(), Vec::new());
    let answer = context.service.revoke_key(change.ask(&caller, (context.now)()), &id, None, render).await?;
    Ok(respond(&answer))
}
