//! What stands behind the gate: collections of objects, kept as their callers wrote them.
//!
//! By the time a call comes here the gate has let it through, counted it and had it paid.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use super::Context;
use super::page::{Page, total};
use super::problem::Problem;
use crate::model::record::Record;
use crate::service::Collection;

/// The most objects on one page.
const LARGEST_PAGE: u32 = 100;

/// How a provider shows objects.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) one: fn(&Record) -> Value,
    /// The objects of a page, where it stands, and how many there are on all pages.
    pub(crate) page: fn(Collection, &[Record], Page, u64) -> Value,
}

/// Which page of a collection is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DataQuery {
    /// From 1
    #[param(minimum = 1, default = 1)]
    page: Option<u32>,
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
    shape: Shape,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| Problem::invalid("query", "there are page and per_page, numbers"))?;
    let page = Page::asked(query.page, query.per_page, 25, LARGEST_PAGE)?;
    let (records, all) = context.service.list_records(workspace, collection, page.page, page.per_page).await?;
    Ok(axum::Json((shape.page)(collection, &records, page, total(all))).into_response())
}

/// Adds an object.
pub(crate) async fn add(
    context: &Context,
    workspace: &str,
    collection: Collection,
    object: &Map<String, Value>,
    shape: Shape,
) -> Result<Response, Problem> {
    let record = context.service.add_record(workspace, collection, object, (context.now)()).await?;
    Ok((StatusCode::CREATED, axum::Json((shape.one)(&record))).into_response())
}

/// Sets the given fields of an object; `null` removes one.
pub(crate) async fn change(
    context: &Context,
    workspace: &str,
    (collection, id): (Collection, &str),
    changes: &Map<String, Value>,
    shape: Shape,
) -> Result<Response, Problem> {
    let record = context.service.change_record(workspace, collection, id, changes, (context.now)()).await?;
    Ok(axum::Json((shape.one)(&record)).into_response())
}

/// Keeps what the assistant is asked for as a task. There is no assistant here: it waits to be approved.
pub(crate) async fn ask_assistant(
    context: &Context,
    workspace: &str,
    mut object: Map<String, Value>,
    shape: Shape,
) -> Result<Response, Problem> {
    if object.contains_key("status") {
        return Err(Problem::invalid("status", "the service gives it"));
    }
    object.insert("status".to_owned(), json!("pending"));
    add(context, workspace, Collection::Tasks, &object, shape).await
}

/// Approves a task of the assistant.
pub(crate) async fn approve(context: &Context, workspace: &str, id: &str, shape: Shape) -> Result<Response, Problem> {
    let approved = Map::from_iter([("status".to_owned(), json!("approved"))]);
    change(context, workspace, (Collection::Tasks, id), &approved, shape).await
}
