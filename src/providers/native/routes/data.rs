//! The data routes behind the gate as the OpenAPI document tells them: contacts, lists, campaigns and the assistant's tasks.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, patch, post};
use serde_json::Value;

use super::refusals::{IdempotencyHeader, OfAnyBody, OfGatedCall, OfGatedChange, OfWhatIsSaid};
use crate::model::record::Record;
use crate::providers::native::wire::{ErrorAnswer, PageBody, RecordAnswer, RecordBody, RecordListAnswer};
use crate::providers::routes::Context;
use crate::providers::routes::count::Admitted;
use crate::providers::routes::data::{self, Asked, DataQuery};
use crate::providers::routes::page::Page;
use crate::providers::routes::problem::Problem;
use crate::providers::routes::request::{Change, Id};
use crate::service::Collection;

/// The paths of these routes.
pub(super) const PATHS: [&str; 7] = [
    "/v1/contacts",
    "/v1/contacts/{id}",
    "/v1/lists",
    "/v1/campaigns",
    "/v1/lexi/chat",
    "/v1/lexi/tasks",
    "/v1/lexi/tasks/{id}/approve",
];

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

fn one(record: &Record) -> Value {
    serde_json::to_value(RecordAnswer { data: RecordBody::of(record) }).unwrap_or_default()
}

fn several(_: Collection, records: &[Record], page: Page, total: u64) -> Value {
    let meta = PageBody { page: page.page, per_page: page.per_page, total };
    let answer = RecordListAnswer { data: records.iter().map(RecordBody::of).collect(), meta };
    serde_json::to_value(answer).unwrap_or_default()
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
            Admitted(caller): Admitted,
            query: Asked,
        ) -> Result<Response, Problem> {
            data::list(&context, &caller, $collection, query, several).await
        }
    };
}

macro_rules! adding {
    ($name:ident, $path:literal, $collection:expr, $about:literal) => {
        #[doc = $about]
        #[doc = ""]
        #[doc = "It is kept as it is sent; the service gives it an id and its times."]
        #[utoipa::path(post, path = $path, tag = "data", params(IdempotencyHeader), request_body = Map<String, Value>, responses(
                    (status = 201, description = "The object as it is kept", body = RecordAnswer),
                    OfGatedCall, OfWhatIsSaid, OfGatedChange, OfAnyBody,
                ))]
        pub(super) async fn $name(
            State(context): State<Context>,
            Admitted(caller): Admitted,
            sent: Change,
        ) -> Result<Response, Problem> {
            data::add(&context, sent.ask(&caller, (context.now)()), $collection, &sent.json()?, one).await
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
    params(("id" = String, Path, description = "The contact's id"), IdempotencyHeader), responses(
    (status = 200, description = "The contact as it is now", body = RecordAnswer),
    (status = 404, description = "`not_found`: no contact of this workspace", body = ErrorAnswer),
    OfGatedCall, OfWhatIsSaid, OfGatedChange, OfAnyBody,
))]
pub(super) async fn change_contact(
    State(context): State<Context>,
    Admitted(caller): Admitted,
    Id(id): Id,
    sent: Change,
) -> Result<Response, Problem> {
    let ask = sent.ask(&caller, (context.now)());
    data::change(&context, ask, (Collection::Contacts, &id), &sent.json()?, one).await
}

/// Ask the assistant for something
///
/// There is no assistant here: what is asked becomes a task that waits to be approved.
#[utoipa::path(post, path = "/v1/lexi/chat", tag = "data", params(IdempotencyHeader), request_body = Map<String, Value>, responses(
    (status = 201, description = "The task", body = RecordAnswer),
    OfGatedCall, OfWhatIsSaid, OfGatedChange, OfAnyBody,
))]
pub(super) async fn ask_lexi(
    State(context): State<Context>,
    Admitted(caller): Admitted,
    sent: Change,
) -> Result<Response, Problem> {
    data::ask_assistant(&context, sent.ask(&caller, (context.now)()), sent.json()?, one).await
}

/// Approve a task of the assistant
///
/// Its status becomes `approved`, also where it was that already.
#[utoipa::path(post, path = "/v1/lexi/tasks/{id}/approve", tag = "data",
    params(("id" = String, Path, description = "The task's id"), IdempotencyHeader), responses(
    (status = 200, description = "The task as it is now", body = RecordAnswer),
    (status = 404, description = "`not_found`: no task of this workspace", body = ErrorAnswer),
    OfGatedCall, OfWhatIsSaid, OfGatedChange,
))]
pub(super) async fn approve_task(
    State(context): State<Context>,
    Admitted(caller): Admitted,
    Id(id): Id,
    sent: Change,
) -> Result<Response, Problem> {
    data::approve(&context, sent.ask(&caller, (context.now)()), &id, one).await
}
