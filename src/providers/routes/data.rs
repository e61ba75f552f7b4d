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
use super::request::{Change, Id, respond};
use crate::model::record::Record;
use crate::service::{Answer, Ask, Caller, Collection};

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
    caller: &Caller,
    collection: Collection,
    query: Asked,
    several: Several,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| Problem::invalid("query", "there are page and per_page, numbers"))?;
    let page = Page::asked(query.page, query.per_page, 25, LARGEST_PAGE)?;
    let workspace = &caller.workspace().id;
    let (records, all) = context.service.list_records(workspace, collection, page.page, page.per_page).await?;
    Ok(axum::Json(several(collection, &records, page, total(all))).into_response())
}

/// Adds an object.
pub(crate) async fn add(
    context: &Context,
    ask: Ask<'_>,
    collection: Collection,
    object: &Map<String, Value>,
    one: One,
) -> Result<Response, Problem> {
    let render = |record: &Record| answer(StatusCode::CREATED, &one(record));
    Ok(respond(&context.service.add_record(ask, collection, object, render).await?))
}

/// Sets the given fields of an object; `null` removes one.
pub(crate) async fn change(
    context: &Context,
    ask: Ask<'_>,
    which: (Collection, &str),
    changes: &Map<String, Value>,
    one: One,
) -> Result<Response, Problem> {
    let render = |record: &Record| answer(StatusCode::OK, &one(record));
    Ok(respond(&context.service.change_record(ask, which, changes, render).await?))
}

fn answer(status: StatusCode, body: &Value) -> Answer {
    Answer::new(status.as_u16(), body.to_string().into_bytes())
}

/// Keeps what the assistant is asked for as a task. There is no assistant here: it waits to be approved.
pub(crate) async fn ask_assistant(
    context: &Context,
    ask: Ask<'_>,
    mut object: Map<String, Value>,
    one: One,
) -> Result<Response, Problem> {
    if object.contains_key("status") {
        return Err(Problem::invalid("status", "the service gives it"));
    }
    object.insert("status".to_owned(), json!("pending"));
    add(context, ask, Collection::Tasks, &object, one).await
}

/// Approves a task of the assistant.
pub(crate) async fn approve(context: &Context, ask: Ask<'_>, id: &str, one: One) -> Result<Response, Problem> {
    let approved = Map::from_iter([("status".to_owned(), json!("approved"))]);
    change(context, ask, (Collection::Tasks, id), &approved, one).await
}

/// A route that lists a collection.
pub(crate) fn listing(collection: Collection, several: Several) -> MethodRouter<Context> {
    get(move |State(context): State<Context>, Admitted(caller): Admitted, query: Asked| async move {
        list(&context, &caller, collection, query, several).await
    })
}

/// A route that adds an object to a collection.
pub(crate) fn adding(collection: Collection, one: One) -> MethodRouter<Context> {
    post(move |State(context): State<Context>, Admitted(caller): Admitted, sent: Change| async move {
        let ask = sent.ask(&caller, (context.now)());
        add(&context, ask, collection, &sent.json()?, one).await
    })
}

/// A route that changes an object of a collection.
pub(crate) fn changing(collection: Collection, one: One) -> MethodRouter<Context> {
    patch(move |State(context): State<Context>, Admitted(caller): Admitted, Id(id): Id, sent: Change| async move {
        let ask = sent.ask(&caller, (context.now)());
        change(&context, ask, (collection, &id), &sent.json()?, one).await
    })
}

/// A route that removes an object from a collection.
pub(crate) fn removing(collection: Collection) -> MethodRouter<Context> {
    delete(move |State(context): State<Context>, Admitted(caller): Admitted, Id(id): Id, sent: Change| async move {
        let ask = sent.ask(&caller, (context.now)());
        let gone = || Answer::new(StatusCode::NO_CONTENT.as_u16(), Vec::new());
        Ok::<_, Problem>(respond(&context.service.remove_record(ask, collection, &id, gone).await?))
    })
}

/// A route that asks the assistant for something.
pub(crate) fn asking_the_assistant(one: One) -> MethodRouter<Context> {
    post(move |State(context): State<Context>, Admitted(caller): Admitted, sent: Change| async move {
        ask_assistant(&context, sent.ask(&caller, (context.now)()), sent.json()?, one).await
    })
}

/// A route that approves a task of the assistant.
pub(crate) fn approving(one: One) -> MethodRouter<Context> {
    post(move |State(context): State<Context>, Admitted(caller): Admitted, Id(id): Id, sent: Change| async move {
        approve(&context, sent.ask(&caller, (context.now)()), &id, one).await
    })
}
