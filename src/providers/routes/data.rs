//! What stands behind the gate: collections of objects, kept as their callers wrote them.
//!
//! By the time a call comes here the gate has let it through, counted it and had it paid.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, patch, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use super::Context;
use super::count::Admitted;
use super::page::{Page, total};
use super::problem::Problem;
use super::request::{Body, Id};
use crate::model::record::Record;
use crate::service::Collection;

/// The most objects on one page.
const LARGEST_PAGE: u32 = 100;

/// How a provider shows an object.
pub(crate) type One = fn(&Record) -> Value;

/// How a provider shows the objects of a page: which objects, where the page stands, and how many there are on all pages.
pub(crate) type Several = fn(Collection, &[Record], Page, u64) -> Value;

/// Which page of a collection is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DataQuery {
    /// From 1
    #[param(minimum = 1, maximum = 1_000_000, default = 1)]
    page: Option<u32>,
    /// How many objects are on a page
    #[param(minimum = 1, maximum = 100, default = 25)]
    per_page: Option<u32>,
}

pub(crate) type Asked = Result<Query<DataQuery>, QueryRejection>;

/// One page of a collection, newest first.
pub(crate) async fn list(
    context: &Context,
    workspace: &str,
    collection: Collection,
    query: Asked,
    several: Several,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| Problem::invalid("query", "there are page and per_page, numbers"))?;
    let page = Page::asked(query.page, query.per_page, 25, LARGEST_PAGE)?;
    let (records, all) = context.service.list_records(workspace, collection, page.page, page.per_page).await?;
    Ok(axum::Json(several(collection, &records, page, total(all))).into_response())
}

/// Adds an object.
pub(crate) async fn add(
    context: &Context,
    workspace: &str,
    collection: Collection,
    object: &Map<String, Value>,
    one: One,
) -> Result<Response, Problem> {
    let record = context.service.add_record(workspace, collection, object, (context.now)()).await?;
    Ok((StatusCode::CREATED, axum::Json(one(&record))).into_response())
}

/// Sets the given fields of an object; `null` removes one.
pub(crate) async fn change(
    context: &Context,
    workspace: &str,
    (collection, id): (Collection, &str),
    changes: &Map<String, Value>,
    one: One,
) -> Result<Response, Problem> {
    let record = context.service.change_record(workspace, collection, id, changes, (context.now)()).await?;
    Ok(axum::Json(one(&record)).into_response())
}

/// Keeps what the assistant is asked for as a task. There is no assistant here: it waits to be approved.
pub(crate) async fn ask_assistant(
    context: &Context,
    workspace: &str,
    mut object: Map<String, Value>,
    one: One,
) -> Result<Response, Problem> {
    if object.contains_key("status") {
        return Err(Problem::invalid("status", "the service gives it"));
    }
    object.insert("status".to_owned(), json!("pending"));
    add(context, workspace, Collection::Tasks, &object, one).await
}

/// Approves a task of the assistant.
pub(crate) async fn approve(context: &Context, workspace: &str, id: &str, one: One) -> Result<Response, Problem> {
    let approved = Map::from_iter([("status".to_owned(), json!("approved"))]);
    change(context, workspace, (Collection::Tasks, id), &approved, one).await
}

/// A route that lists a collection.
pub(crate) fn listing(collection: Collection, several: Several) -> MethodRouter<Context> {
    get(move |State(context): State<Context>, Admitted(workspace): Admitted, query: Asked| async move {
        list(&context, &workspace, collection, query, several).await
    })
}

/// A route that adds an object to a collection.
pub(crate) fn adding(collection: Collection, one: One) -> MethodRouter<Context> {
    post(
        move |State(context): State<Context>, Admitted(workspace): Admitted, Body(object): Body<Map<String, Value>>| async move {
            add(&context, &workspace, collection, &object, one).await
        },
    )
}

/// A route that changes an object of a collection.
pub(crate) fn changing(collection: Collection, one: One) -> MethodRouter<Context> {
    patch(
        move |State(context): State<Context>,
              Admitted(workspace): Admitted,
              Id(id): Id,
              Body(changes): Body<Map<String, Value>>| async move {
            change(&context, &workspace, (collection, &id), &changes, one).await
        },
    )
}

/// A route that removes an object from a collection.
pub(crate) fn removing(collection: Collection) -> MethodRouter<Context> {
    delete(move |State(context): State<Context>, Admitted(workspace): Admitted, Id(id): Id| async move {
        context.service.remove_record(&workspace, collection, &id).await?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    })
}

/// A route that asks the assistant for something.
pub(crate) fn asking_the_assistant(one: One) -> MethodRouter<Context> {
    post(
        move |State(context): State<Context>, Admitted(workspace): Admitted, Body(object): Body<Map<String, Value>>| async move {
            ask_assistant(&context, &workspace, object, one).await
        },
    )
}

/// A route that approves a task of the assistant.
pub(crate) fn approving(one: One) -> MethodRouter<Context> {
    post(move |State(context): State<Context>, Admitted(workspace): Admitted, Id(id): Id| async move {
        approve(&context, &workspace, &id, one).await
    })
}
