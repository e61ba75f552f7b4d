//! What comes before every route: who calls, whether the call may be made, and its being counted.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::{Counter, gate};
use crate::service::{Call, Caller, Refusal, Trace};

/// The caller of a router that is used within this process. It comes with the router, never with a request.
#[derive(Clone)]
pub(super) struct Embedded(pub(super) Caller);

/// Who calls, or why that is not known: handed from here to the route.
#[derive(Clone)]
pub(super) struct Authenticated(pub(super) Result<Caller, Problem>);

/// Who presented a key that the gate let through.
#[derive(Clone)]
pub(crate) struct Admitted(pub(crate) Caller);

/// Lets a call to the management API count, and one to the data routes pass through the gate.
pub(super) async fn count(State(counter): State<Counter>, request: Request, next: Next) -> Response {
    if let Some(Embedded(caller)) = request.extensions().get::<Embedded>().cloned() {
        return embedded(caller, request, next).await;
    }
    let manners = counter.manners;
    let matched = request.extensions().get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    let template = matched.as_deref().map(|matched| matched.strip_prefix(manners.base).unwrap_or(matched));
    match template {
        // The gate is asked about another call, and counts that one.
        Some(template) if gate::is_gate(template) || manners.open.contains(&template) => next.run(request).await,
        Some(template) if manners.data.contains(&template) => through_the_gate(&counter, request, next).await,
        template => counted(&counter, template, request, next).await,
    }
}

/// The operator is neither counted nor held up.
async fn embedded(caller: Caller, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions_mut();
    extensions.insert(Admitted(caller.clone()));
    extensions.insert(Authenticated(Ok(caller)));
    next.run(request).await
}

async fn counted(counter: &Counter, template: Option<&str>, mut request: Request, next: Next) -> Response {
    let Counter { context, manners } = counter;
    let now = (context.now)();
    let authenticated = match (manners.presented)(request.headers()) {
        Some(key) => context.service.authenticate(manners.provider, key, now).await.map_err(Problem::from),
        None => Err(Refusal::MissingCredential.into()),
    };
    let Ok(caller) = authenticated.clone() else {
        request.extensions_mut().insert(Authenticated(authenticated));
        return next.run(request).await;
    };
    let route = template.map_or_else(|| "(unknown)".to_owned(), counted_as);
    let endpoint = format!("{} {route}", counted_method(request.method()));
    let is_free = caller.rules().is_free(request.method().as_str(), request.uri().path());
    let (quota, allowed) = context.service.meter(&caller, is_free, now).await;
    if let Some(trace) = request.extensions().get::<Trace>() {
        trace.is_from(&caller);
    }
    let mut response = if let Err(refusal) = allowed {
        Problem::from(refusal).into_response()
    } else {
        request.extensions_mut().insert(Authenticated(Ok(caller.clone())));
        next.run(request).await
    };
    context.service.note_call(&caller, &endpoint, is_error(&response), now);
    if let Some(quota) = quota {
        response.extensions_mut().insert(quota);
    }
    response
}

/// The method of a call as it is counted. Any word can be one, also a key, and what is counted is kept.
fn counted_method(method: &Method) -> &str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if KNOWN.contains(method) { method.as_str() } else { "(other)" }
}

fn is_error(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

/// `/v1/api-keys/{id}` as it is counted: `/v1/api-keys/:id`.
fn counted_as(template: &str) -> String {
    template.replace('{', ":").replace('}', "")
}

async fn through_the_gate(counter: &Counter, mut request: Request, next: Next) -> Response {
    let Counter { context, manners } = counter;
    let now = (context.now)();
    let Some(key) = (manners.presented)(request.headers()) else {
        return Problem::from(Refusal::MissingCredential).into_response();
    };
    let call = Call { method: request.method().as_str(), path: request.uri().path() };
    let admission = context.service.admit(manners.provider, key, call, now).await;
    let caller = admission.caller(key, now);
    if let (Some(trace), Some(owner)) = (request.extensions().get::<Trace>(), &admission.owner) {
        trace.is_of(owner);
    }
    let mut response = match (admission.outcome, &admission.owner.zip(caller)) {
        (Ok(()), Some((owner, caller))) => {
            request.extensions_mut().insert(Admitted(caller.clone()));
            let response = next.run(request).await;
            if is_error(&response) {
                context.service.note_failure(owner, &admission.endpoint, now);
            }
            response
        }
        (Ok(()), None) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "A fault of ours").into_response()
        }
        (Err(refusal), _) => Problem::from(refusal).into_response(),
    };
    if let Some(quota) = admission.quota {
        response.extensions_mut().insert(quota);
    }
    response
}
