//! Errors on the native wire, and what every answer carries.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Context;
use crate::exit::Explain;
use crate::model::secret::hex;
use crate::providers::native::wire::{ErrorAnswer, ErrorBody, Invalid};
use crate::service::{Refusal, StoreError, Trace, trace};

/// What is wrong with a request. [`finish`] gives it its body, because the request's id belongs there.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: String,
    message: String,
    hint: Option<String>,
    /// What the answer does not tell, for the log.
    cause: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), hint: None, cause: None }
    }

    pub(super) fn invalid(field: &str, problem: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "validation_error", format!("{field}: {}", problem.as_ref()))
    }

    pub(super) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path")
    }

    pub(super) fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method")
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid.field, invalid.problem)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::MissingCredential | Refusal::InvalidKey | Refusal::RevokedKey => StatusCode::UNAUTHORIZED,
            Refusal::MissingPermission(_)
            | Refusal::NotHeld(_)
            | Refusal::TierNotHeld(_)
            | Refusal::TierNotInPlan
            | Refusal::LastAdmin(_) => StatusCode::FORBIDDEN,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::DuplicateName(_)
            | Refusal::DuplicateWorkspace(_)
            | Refusal::IdempotencyConflict
            | Refusal::IdempotencyOutlived
            | Refusal::IdempotencyInProgress => StatusCode::CONFLICT,
            Refusal::Invalid { .. } | Refusal::UnknownPermission(_) => StatusCode::BAD_REQUEST,
            Refusal::Store(StoreError::CommitUnknown(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let cause = match &refusal {
            Refusal::Store(error) => Some(trace::whole(error)),
            _ => None,
        };
        // What is wrong with the store is for whoever runs it; the answer says no more than a caller can use.
        let problem = match refusal {
            Refusal::Store(error @ (StoreError::Busy | StoreError::ReadOnly | StoreError::Full)) => {
                Self { hint: error.hint(), ..Self::new(status, "unavailable", error.to_string()) }
            }
            Refusal::Store(StoreError::CommitUnknown(_)) => {
                Self { hint: refusal.hint(), ..Self::new(status, refusal.code(), refusal.to_string()) }
            }
            Refusal::Store(_) => Self::new(status, "unavailable", "The service's database is out of order"),
            other => Self { hint: other.hint(), ..Self::new(status, other.code(), other.to_string()) },
        };
        Self { cause, ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A new id for a request.
pub(crate) fn request_id(random: fn(&mut [u8])) -> String {
    let mut bytes = [0_u8; 12];
    random(&mut bytes);
    format!("req_{}", hex(&bytes))
}

/// The body of an error that comes from outside of the routes.
pub(crate) fn error_body(code: &str, message: &str, request_id: &str) -> Vec<u8> {
    let error =
        ErrorBody { code: code.to_owned(), message: message.to_owned(), hint: None, request_id: request_id.to_owned() };
    serde_json::to_vec(&ErrorAnswer { error }).unwrap_or_default()
}

/// Gives every answer its request id, keeps caches away from it, and turns a problem into its body.
pub(super) async fn finish(State(context): State<Context>, request: Request, next: Next) -> Response {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    let request_id = request_id(context.random);
    let trace = request.extensions().get::<Trace>().cloned();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let Problem { status, code, message, hint, cause } = problem;
        if let (Some(trace), Some(cause)) = (trace, cause) {
            trace.failed_for(cause);
        }
        let headers = std::mem::take(response.headers_mut());
        let error = ErrorBody { code, message, hint, request_id: request_id.clone() };
        response = (status, Json(ErrorAnswer { error })).into_response();
        // `Allow` on a 405 is the router's.
        response
            .headers_mut()
            .extend(headers.into_iter().filter(|(name, _)| name.as_ref().is_some_and(|name| name == "allow")));
    }
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }
    response
}
