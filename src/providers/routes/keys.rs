//! The operations on keys behind the routes of vendors, which differ in their paths and in the form of what they say only.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use zeroize::Zeroizing;

use super::Context;
use super::page::Page;
use super::problem::Problem;
use super::request::{Change, respond};
use crate::model::filter::Sort;
use crate::model::key::{IssuedKey, Key, NewKey};
use crate::service::{Answer, Caller, KeyQuery, Refusal};

/// One key, or that there is none, as a vendor says it.
type Say = fn(Option<&Key>) -> Value;

/// All keys that hold this text, if any, the newest first.
pub(crate) fn newest(page: Page, search: Option<String>) -> KeyQuery {
    KeyQuery {
        state: None,
        hides_revoked: false,
        search: search.filter(|text| !text.is_empty()),
        selector: None,
        sort: Sort::NEWEST_FIRST,
        page: page.page,
        per_page: page.per_page,
    }
}

pub(crate) async fn create(
    context: &Context,
    caller: &Caller,
    change: &Change,
    new: &NewKey,
    say: fn(&IssuedKey) -> Vec<u8>,
) -> Result<Response, Problem> {
    let render = |made: &_| Answer::new(StatusCode::CREATED.as_u16(), say(made));
    let answer = context.service.create_key(change.ask(caller, (context.now)()), new, render).await?;
    Ok(respond(&answer))
}

pub(crate) async fn show(context: &Context, caller: &Caller, id: &str, say: Say) -> Result<Response, Problem> {
    let key = context.service.show_key(caller, id).await?;
    Ok(axum::Json(say(Some(&key))).into_response())
}

/// Which key a plaintext is. That there is none is an answer, and not a path that is none: who asks can tell it from a host
/// without this route.
pub(crate) async fn look_up(
    context: &Context,
    caller: &Caller,
    presented: String,
    say: Say,
) -> Result<Response, Problem> {
    let presented = Zeroizing::new(presented);
    let found = match context.service.lookup_key(caller, &presented).await {
        Err(Refusal::NotFound) => None,
        found => Some(found?),
    };
    Ok(axum::Json(say(found.as_ref())).into_response())
}
