//! ContactLevel's HTTP, turned into operations of the service. Everything below `/api/keys` is ours: the vendor's settings
//! page does it, under API Keys. So is what `/api/credits` answers, which the vendor's page lost.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::wire::{
    LookupBody, NewKeyBody, caller as caller_of, credits as credits_of, error, invalid, issued, one, page_of_keys,
    record,
};
use crate::model::key::Key;
use crate::providers::Provider;
use crate::providers::routes::count::Admitted;
use crate::providers::routes::page::{Page, total};
use crate::providers::routes::problem::{About, Problem};
use crate::providers::routes::request::{Body, Change, Id, api_key, respond};
use crate::providers::routes::{Context, Manners, data, dress, gate, keys};
use crate::service::{Answer, Caller, Collection};

/// How ContactLevel says what all of them say.
const MANNERS: Manners = Manners {
    provider: Provider::ContactLevel,
    base: "/contactlevel",
    presented: api_key,
    challenge: "ApiKey",
    say,
    data: &DATA,
    open: &[],
};

/// The paths of the routes behind the gate.
const DATA: [&str; 2] = ["/api/contacts/create", "/api/audiences/create"];

pub(crate) fn routes(context: Context) -> Router {
    let [contacts, audiences] = DATA;
    let routes = Router::new()
        .route("/api/keys", get(list_keys))
        .route("/api/keys/create", post(create_key))
        .route("/api/keys/lookup", post(lookup_key))
        .route("/api/keys/me", get(me))
        .route("/api/keys/{id}", get(show_key))
        .route("/api/keys/{id}/revoke", post(revoke_key))
        .route("/api/credits", get(credits))
        .route(contacts, creating(Collection::Contacts))
        .route(audiences, creating(Collection::Audiences))
        .merge(gate::routes(&MANNERS));
    dress(routes, context, &MANNERS)
}

/// Whoever is not known hears the same, whatever is wrong with the key.
fn say(problem: &Problem, _: &str) -> (StatusCode, Value) {
    match (problem.status, &problem.about) {
        (StatusCode::UNAUTHORIZED, _) => (problem.status, error("Invalid or missing API key")),
        (StatusCode::BAD_REQUEST, about) => {
            let field = if let Some(About::Field(field)) = about { &**field } else { "body" };
            let message = problem.message.strip_prefix(field).and_then(|rest| rest.strip_prefix(": "));
            (StatusCode::UNPROCESSABLE_ENTITY, invalid(field, message.unwrap_or(&problem.message)))
        }
        _ => (problem.status, error(&problem.message)),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
}

async fn list_keys(
    State(context): State<Context>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| Problem::invalid("query", "there are page and per_page, numbers"))?;
    let page = Page::asked(query.page, query.per_page, 50, 100)?;
    let (keys, all) = context.service.list_keys(&caller, &keys::newest(page, None), (context.now)()).await?;
    Ok(axum::Json(page_of_keys(&keys, page.page, page.per_page, total(all))).into_response())
}

async fn create_key(State(context): State<Context>, caller: Caller, change: Change) -> Result<Response, Problem> {
    let new = change.json::<NewKeyBody>()?.into_new_key()?;
    keys::create(&context, &caller, &change, &new, issued).await
}

async fn lookup_key(
    State(context): State<Context>,
    caller: Caller,
    Body(asked): Body<LookupBody>,
) -> Result<Response, Problem> {
    keys::look_up(&context, &caller, asked.api_key, one).await
}

async fn show_key(State(context): State<Context>, caller: Caller, Id(id): Id) -> Result<Response, Problem> {
    keys::show(&context, &caller, &id, one).await
}

/// For good: there is no way back, and the key stays in the list.
async fn revoke_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let shown = |key: &Key| Answer::new(StatusCode::OK.as_u16(), one(Some(key)).to_string().into_bytes());
    let answer = context.service.revoke_key(change.ask(&caller, (context.now)()), &id, None, shown).await?;
    Ok(respond(&answer))
}

async fn me(caller: Caller) -> Response {
    axum::Json(caller_of(&caller.workspace().id, &caller.whoami())).into_response()
}

async fn credits(State(context): State<Context>, caller: Caller) -> Result<Response, Problem> {
    let now = (context.now)();
    let credits = context.service.credits(&caller, now).await?;
    Ok(axum::Json(credits_of(&credits, now)).into_response())
}

/// A route that adds an object to a collection of the caller's own organisation.
fn creating(collection: Collection) -> MethodRouter<Context> {
    post(move |State(context): State<Context>, Admitted(caller): Admitted, sent: Change| async move {
        let mut object: Map<String, Value> = sent.json()?;
        let organization = object.remove("organization_id");
        if organization.is_some_and(|organization| organization != caller.workspace().id.as_str()) {
            return Err(Problem::invalid("organization_id", "it is not the organization of this key"));
        }
        data::add(&context, sent.ask(&caller, (context.now)()), collection, &object, record).await
    })
}
