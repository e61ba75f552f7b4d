//! The data routes behind the gate: contacts, lists, campaigns and the assistant's tasks, kept as their callers wrote them.
//!
//! By the time a call comes here the gate has let it through, counted it and had it paid.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use super::Context;
use super::count::Admitted;
use super::page::page;
use super::problem::Problem;
use super::refusals::{OfAnyBody, OfGatedCall, OfWhatIsSaid};
use super::request::{Body, Id};
use crate::providers::native::wire::{ErrorAnswer, PageBody, RecordAnswer, RecordBody, RecordListAnswer};
use crate::service::Collection;

/// The most objects on one page.
const LARGEST_PAGE: u32 = 100;

/// The paths of these routes.
const PATHS: [&str; 7] = [
    "/v1/contacts",
    "/v1/contacts/{id}",
    "/v1/lists",
    "/v1/campaigns",
    "/v1/lexi/chat",
    "/v1/lexi/tasks",
    "/v1/lexi/tasks/{id}/approve",
];

pub(super) fn is_data(template: &str) -> bool {
    PATHS.contains(&template)
}

pub(super) fn routes() -> Router<Context> {
    let [contacts, contact, lists, campaigns, chat, tasks, approve] = PATHS;
    Router::new()
        .route(contacts, get(list_contacts).post(add_contact))
        .route(contact, patch(change_contact))
        .route(lists, get(list_lists).post(add_list))
        .route(campaigns, get(list_campaigns).post(add_campaign))
        .route(chat, post(ask_lexi))
        .route(tasks, get(list_tasks))
        .route(approve, post(approve_task))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DataQuery {
    /// From 1
    #[param(minimum = 1, maximum = 1_000_000, default = 1)]
    page: Option<u32>,
    /// How many objects are on a page
    #[param(minimum = 1, maximum = 100, default = 25)]
    per_page: Option<u32>,
}

type Asked = Result<Query<DataQuery>, QueryRejection>;

async fn list(context: &Context, workspace: &str, collection: Collection, query: Asked) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| Problem::invalid("query", "there are page and per_page, numbers"))?;
    let (page, per_page) = page(query.page, query.per_page, 25, LARGEST_PAGE)?;
    let (records, total) = context.service.list_records(workspace, collection, page, per_page).await?;
    let meta = PageBody { page, per_page, total: u64::try_from(total).unwrap_or(0) };
    Ok(axum::Json(RecordListAnswer { data: records.iter().map(RecordBody::of).collect(), meta }).into_response())
}

async fn add(
    context: &Context,
    workspace: &str,
    collection: Collection,
    object: &Map<String, Value>,
) -> Result<Response, Problem> {
    let record = context.service.add_record(workspace, collection, object, (context.now)()).await?;
    Ok((StatusCode::CREATED, axum::Json(RecordAnswer { data: RecordBody::of(&record) })).into_response())
}

macro_rules! listing {
    ($name:ident, $path:literal, $collection:expr, $about:literal) => {
        #[doc = $about]
        #[doc = ""]
        #[doc = "Those of the caller's workspace, newest first."]
        #[utoipa::path(get, path = $path, tag = "data", params(DataQuery), responses(
                                    (status = 200, description = "One page, newest first", body = RecordListAnswer),
                                    OfGatedCall, OfWhatIsSaid,
                                ))]
        pub(super) async fn $name(
            State(context): State<Context>,
            Admitted(workspace): Admitted,
            query: Asked,
        ) -> Result<Response, Problem> {
            list(&context, &workspace, $collection, query).await
        }
    };
}

macro_rules! adding {
    ($name:ident, $path:literal, $collection:expr, $about:literal) => {
        #[doc = $about]
        #[doc = ""]
        #[doc = "It is kept as it is sent; the service gives it an id and its times."]
        #[utoipa::path(post, path = $path, tag = "data", request_body = Map<String, Value>, responses(
                    (status = 201, description = "The object as it is kept", body = RecordAnswer),
                    OfGatedCall, OfWhatIsSaid, OfAnyBody,
                    (status = 413, description = "`too_large`: the body is larger than 64 KiB", body = ErrorAnswer),
                ))]
        pub(super) async fn $name(
            State(context): State<Context>,
            Admitted(workspace): Admitted,
            Body(object): Body<Map<String, Value>>,
        ) -> Result<Response, Problem> {
            add(&context, &workspace, $collection, &object).await
        }
    };
}

listing!(list_contacts, "/v1/contacts", Collection::Contacts, "List contacts");
adding!(add_contact, "/v1/contacts", Collection::Contacts, "Add a contact");
listing!(list_lists, "/v1/lists", Collection::Lists, "List lists");
adding!(add_list, "/v1/lists", Collection::Lists, "Add a list");
listing!(list_campaigns, "/v1/campaigns", Collection::Campaigns, "List campaigns");
adding!(add_campaign, "/v1/campaigns", Collection::Campaigns, "Add a campaign");
listing!(list_tasks, "/v1/lexi/tasks", Collection::Tasks, "List the assistant's tasks");

/// Change a contact
///
/// Sets the fields that are given; `null` removes one.
#[utoipa::path(patch, path = "/v1/contacts/{id}", tag = "data", request_body = Map<String, Value>,
    params(("id" = String, Path, description = "The contact's id")), responses(
    (status = 200, description = "The contact as it is now", body = RecordAnswer),
    (status = 404, description = "`not_found`: no contact of this workspace", body = ErrorAnswer),
    (status = 413, description = "`too_large`: the body is larger than 64 KiB", body = ErrorAnswer),
    OfGatedCall, OfWhatIsSaid, OfAnyBody,
))]
pub(super) async fn change_contact(
    State(context): State<Context>,
    Admitted(workspace): Admitted,
    Id(id): Id,
    Body(changes): Body<Map<String, Value>>,
) -> Result<Response, Problem> {
    let now = (context.now)();
    let record = context.service.change_record(&workspace, Collection::Contacts, &id, &changes, now).await?;
    Ok(axum::Json(RecordAnswer { data: RecordBody::of(&record) }).into_response())
}

/// Ask the assistant for something
///
/// There is no assistant here: what is asked becomes a task that waits to be approved.
#[utoipa::path(post, path = "/v1/lexi/chat", tag = "data", request_body = Map<String, Value>, responses(
    (status = 201, description = "The task", body = RecordAnswer),
    OfGatedCall, OfWhatIsSaid, OfAnyBody,
    (status = 413, description = "`too_large`: the body is larger than 64 KiB", body = ErrorAnswer),
))]
pub(super) async fn ask_lexi(
    State(context): State<Context>,
    Admitted(workspace): Admitted,
    Body(mut object): Body<Map<String, Value>>,
) -> Result<Response, Problem> {
    if object.contains_key("status") {
        return Err(Problem::invalid("status", "the service gives it"));
    }
    object.insert("status".to_owned(), json!("pending"));
    add(&context, &workspace, Collection::Tasks, &object).await
}

/// Approve a task of the assistant
///
/// Its status becomes `approved`, also where it was that already.
#[utoipa::path(post, path = "/v1/lexi/tasks/{id}/approve", tag = "data",
    params(("id" = String, Path, description = "The task's id")), responses(
    (status = 200, description = "The task as it is now", body = RecordAnswer),
    (status = 404, description = "`not_found`: no task of this workspace", body = ErrorAnswer),
    OfGatedCall, OfWhatIsSaid,
))]
pub(super) async fn approve_task(
    State(context): State<Context>,
    Admitted(workspace): Admitted,
    Id(id): Id,
) -> Result<Response, Problem> {
    let approved = Map::from_iter([("status".to_owned(), json!("approved"))]);
    let now = (context.now)();
    let record = context.service.change_record(&workspace, Collection::Tasks, &id, &approved, now).await?;
    Ok(axum::Json(RecordAnswer { data: RecordBody::of(&record) }).into_response())
}
