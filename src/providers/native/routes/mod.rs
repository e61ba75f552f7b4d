//! The native provider's HTTP, turned into operations of the service; and the OpenAPI document that the same
//! declarations give.

#![expect(unused_qualifications, reason = "utoipa's macros write paths in full")]

mod account;
mod data;
mod document;
mod examples;
mod gate;
mod refusals;

use std::sync::OnceLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

pub(crate) use self::document::document;
use self::refusals::{OfAnyBody, OfAnyCall, OfAnyChange, OfOneKey, OfWhatIsSaid};
use super::wire::{
    ErrorAnswer, ErrorBody, IssuedKeyAnswer, KeyAnswer, KeyBody, KeyChangeBody, KeyListAnswer, LookupBody, NewKeyBody,
    PageBody, RevokeBody, StatusQuery, WhoamiAnswer, WhoamiBody, issued_answer,
};
use crate::model::filter::Sort;
use crate::model::key::Key;
use crate::providers::Provider;
use crate::providers::routes::page::{self, Page};
use crate::providers::routes::problem::Problem;
use crate::providers::routes::request::{self, Body, Change, Id};
use crate::providers::routes::{Context, Manners, dress, for_caller, gate as any_gate};
use crate::service::{Answer, Caller, KeyQuery};

/// The most keys on one page: what a list of all keys is fetched in.
const LARGEST_PAGE: u32 = 1000;

/// Where the document that describes the routes is.
const DOCUMENT: &str = "/openapi.json";

/// How the native provider says what all of them say.
const MANNERS: Manners = Manners {
    provider: Provider::Native,
    base: "",
    presented: request::bearer_or_api_key,
    challenge: "Bearer",
    say,
    data: &data::PATHS,
    open: &[DOCUMENT],
};

/// The document as it is sent, made once.
async fn described() -> Response {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().to_string().into()).clone();
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

/// The routes. A test holds that these are the ones the document describes.
pub(crate) fn routes(context: Context) -> Router {
    let routes = Router::new()
        .route("/v1/api-keys", get(list_keys).post(create_key))
        .route("/v1/api-keys/lookup", post(lookup_key))
        .route("/v1/api-keys/{id}", get(show_key).patch(edit_key).delete(delete_key))
        .route("/v1/api-keys/{id}/revoke", post(revoke_key))
        .route("/v1/api-keys/{id}/reactivate", post(reactivate_key))
        .route("/v1/api-keys/{id}/usage", get(account::key_usage))
        .route("/v1/whoami", get(whoami))
        .route("/v1/usage", get(account::usage))
        .route("/v1/credits", get(account::credits))
        .route("/v1/audit-logs", get(account::audit_logs))
        .route(any_gate::GATE, get(gate::authorize).post(gate::authorize_by_post))
        .merge(any_gate::route_of_envoy(&MANNERS))
        .merge(data::routes())
        .route(DOCUMENT, get(described));
    dress(routes, context, &MANNERS)
}

/// The routes for use within this process, by a caller who needs to present no key.
pub(crate) fn embedded(context: Context, caller: Caller) -> Router {
    for_caller(routes(context), caller)
}

fn say(problem: &Problem, request_id: &str) -> (StatusCode, Value) {
    let Problem { status, code, message, hint, .. } = problem;
    let (code, message, hint) = (code.to_string(), message.to_string(), hint.as_deref().map(str::to_owned));
    let answer = ErrorAnswer { error: ErrorBody { code, message, hint, request_id: request_id.to_owned() } };
    (*status, serde_json::to_value(answer).unwrap_or_default())
}

/// The body of an error that comes from outside of the routes.
pub(crate) fn error_body(code: &str, message: &str, request_id: &str) -> Vec<u8> {
    let (_, body) = say(&Problem::new(StatusCode::BAD_REQUEST, code, message), request_id);
    body.to_string().into_bytes()
}

const PARAMETERS: &str = "there are page, per_page, status, search, selector and sort, each once and of its own type";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// From 1
    #[param(minimum = 1, maximum = 1_000_000, default = 1)]
    page: Option<u32>,
    /// How many keys are on a page
    #[param(minimum = 1, maximum = 1000, default = 25)]
    per_page: Option<u32>,
    /// Only keys in this state; `all` is any
    #[param(inline)]
    status: Option<StatusQuery>,
    /// Part of the name or the description, in any case
    search: Option<String>,
    /// Only keys that this may name: an id, a name, or the start of an id or a prefix
    selector: Option<String>,
    /// `name`, `created`, `last-used` or `expires`; with a minus in front the other way round
    #[param(default = "-created", pattern = "^-?(name|created|last-used|expires)$")]
    sort: Option<String>,
}

impl ListQuery {
    fn into_query(self) -> Result<KeyQuery, Problem> {
        let Page { page, per_page } = Page::asked(self.page, self.per_page, 25, LARGEST_PAGE)?;
        let sort = match self.sort.as_deref() {
            None => Sort::NEWEST_FIRST,
            Some(text) => Sort::parse(text).ok_or_else(|| {
                Problem::invalid("sort", "it is one of name, created, last-used, expires, each also with a minus")
            })?,
        };
        Ok(KeyQuery {
            hides_revoked: false,
            state: self.status.and_then(StatusQuery::state),
            search: self.search.filter(|text| !text.is_empty()),
            selector: self.selector.filter(|text| !text.is_empty()),
            sort,
            page,
            per_page,
        })
    }
}

/// List keys
///
/// Those of the caller's workspace, in any state unless `status` says which. No plaintext is among them.
#[utoipa::path(get, path = "/v1/api-keys", tag = "keys", params(ListQuery), responses(
    (status = 200, description = "One page of keys", body = KeyListAnswer),
    OfAnyCall, OfWhatIsSaid,
))]
async fn list_keys(
    State(context): State<Context>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    // What came is not quoted: a secret may stand in the wrong place.
    let Query(query) = query.map_err(|_| Problem::invalid("query", PARAMETERS))?;
    let query = query.into_query()?;
    let now = (context.now)();
    let (keys, total) = context.service.list_keys(&caller, &query, now).await?;
    let answer = KeyListAnswer {
        data: keys.iter().map(|key| KeyBody::of(key, now)).collect(),
        meta: Some(PageBody { page: query.page, per_page: query.per_page, total: page::total(total) }),
    };
    Ok(axum::Json(answer).into_response())
}

/// Create a key
///
/// The plaintext is in this answer and in no other; only its hash is kept. Sent with an `Idempotency-Key`, the same request
/// again gets the same answer for 24 hours.
#[utoipa::path(post, path = "/v1/api-keys", tag = "keys", params(refusals::IdempotencyHeader), request_body = NewKeyBody, responses(
    (status = 201, description = "The key, with its plaintext this once", body = IssuedKeyAnswer),
    (status = 404, description = "`not_found`: the key that `replaces` names is none of this workspace", body = ErrorAnswer),
    OfAnyCall, OfWhatIsSaid, OfAnyChange, OfAnyBody,
))]
async fn create_key(State(context): State<Context>, caller: Caller, change: Change) -> Result<Response, Problem> {
    let new = change.json::<NewKeyBody>()?.into_new_key()?;
    let now = (context.now)();
    let render = |issued: &_| Answer::new(201, issued_answer(issued, now));
    let answer = context.service.create_key(change.ask(&caller, now), &new, render).await?;
    Ok(request::respond(&answer))
}

/// Show a key
///
/// Everything about it but its plaintext, which is not kept.
#[utoipa::path(get, path = "/v1/api-keys/{id}", tag = "keys", params(("id" = String, Path, description = "The key's id")), responses(
    (status = 200, description = "The key", body = KeyAnswer),
    OfAnyCall, OfOneKey,
))]
async fn show_key(State(context): State<Context>, caller: Caller, Id(id): Id) -> Result<Response, Problem> {
    let now = (context.now)();
    let key = context.service.show_key(&caller, &id).await?;
    Ok(axum::Json(KeyAnswer { data: KeyBody::of(&key, now) }).into_response())
}

/// Change a key
///
/// Fields that are absent stay as they are. The plaintext stays the same.
#[utoipa::path(patch, path = "/v1/api-keys/{id}", tag = "keys", request_body = KeyChangeBody,
    params(("id" = String, Path, description = "The key's id"), refusals::IdempotencyHeader), responses(
    (status = 200, description = "The key as it is now", body = KeyAnswer),
    OfAnyCall, OfOneKey, OfWhatIsSaid, OfAnyChange, OfAnyBody,
))]
async fn edit_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let asked = change.json::<KeyChangeBody>()?.into_change()?;
    let now = (context.now)();
    let answer = context.service.edit_key(change.ask(&caller, now), &id, &asked, |key| shown(key, now)).await?;
    Ok(request::respond(&answer))
}

/// Delete a key for good
///
/// Its audit entries stay.
#[utoipa::path(delete, path = "/v1/api-keys/{id}", tag = "keys",
    params(("id" = String, Path, description = "The key's id"), refusals::IdempotencyHeader), responses(
    (status = 204, description = "The key is gone"),
    OfAnyCall, OfOneKey, OfWhatIsSaid, OfAnyChange,
))]
async fn delete_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let now = (context.now)();
    let render = || Answer::new(StatusCode::NO_CONTENT.as_u16(), Vec::new());
    let answer = context.service.delete_key(change.ask(&caller, now), &id, render).await?;
    Ok(request::respond(&answer))
}

/// Revoke a key
///
/// From the answer on, the key is refused with 401. A revoked key can be reactivated.
#[utoipa::path(post, path = "/v1/api-keys/{id}/revoke", tag = "keys", request_body(content = Option<RevokeBody>),
    params(("id" = String, Path, description = "The key's id"), refusals::IdempotencyHeader), responses(
    (status = 200, description = "The key as it is now", body = KeyAnswer),
    OfAnyCall, OfOneKey, OfWhatIsSaid, OfAnyChange, OfAnyBody,
))]
async fn revoke_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let asked: RevokeBody = change.json_or_default()?;
    let now = (context.now)();
    let reason = asked.reason.as_deref();
    let answer = context.service.revoke_key(change.ask(&caller, now), &id, reason, |key| shown(key, now)).await?;
    Ok(request::respond(&answer))
}

/// Reactivate a revoked key
///
/// From the answer on, the key works again; the plaintext is the same as before.
#[utoipa::path(post, path = "/v1/api-keys/{id}/reactivate", tag = "keys",
    params(("id" = String, Path, description = "The key's id"), refusals::IdempotencyHeader), responses(
    (status = 200, description = "The key as it is now", body = KeyAnswer),
    OfAnyCall, OfOneKey, OfWhatIsSaid, OfAnyChange,
))]
async fn reactivate_key(
    State(context): State<Context>,
    caller: Caller,
    Id(id): Id,
    change: Change,
) -> Result<Response, Problem> {
    let now = (context.now)();
    let answer = context.service.reactivate_key(change.ask(&caller, now), &id, |key| shown(key, now)).await?;
    Ok(request::respond(&answer))
}

/// Find out which key a plaintext is
///
/// Also a revoked or expired one. A key of another workspace is as unknown as one that never was.
#[utoipa::path(post, path = "/v1/api-keys/lookup", tag = "keys", request_body = LookupBody, responses(
    (status = 200, description = "The key", body = KeyAnswer),
    OfAnyCall, OfOneKey, OfWhatIsSaid, (status = 413, description = "`too_large`: the body is larger than 64 KiB", body = ErrorAnswer), OfAnyBody,
))]
async fn lookup_key(
    State(context): State<Context>,
    caller: Caller,
    Body(asked): Body<LookupBody>,
) -> Result<Response, Problem> {
    let presented = zeroize::Zeroizing::new(asked.key);
    let now = (context.now)();
    let key = context.service.lookup_key(&caller, &presented).await?;
    Ok(axum::Json(KeyAnswer { data: KeyBody::of(&key, now) }).into_response())
}

/// Find out who calls
///
/// Any valid key may ask: it hears of itself and of its workspace.
#[utoipa::path(get, path = "/v1/whoami", tag = "keys", responses(
    (status = 200, description = "The workspace and the calling key", body = WhoamiAnswer),
    (status = 401, description = "`missing_auth`, `invalid_key` or `revoked_key`", body = ErrorAnswer),
    (status = 429, description = "`rate_limited`: the limit of the day or of the minute is used up", body = ErrorAnswer),
    (status = 503, description = "`unavailable`: nothing was changed", body = ErrorAnswer),
))]
async fn whoami(State(context): State<Context>, caller: Caller) -> Response {
    axum::Json(WhoamiAnswer { data: WhoamiBody::of(&caller.whoami(), (context.now)()) }).into_response()
}

fn shown(key: &Key, now: Timestamp) -> Answer {
    let body = serde_json::to_vec(&KeyAnswer { data: KeyBody::of(key, now) });
    Answer::new(StatusCode::OK.as_u16(), body.unwrap_or_default())
}
