//! Errors, and what every answer carries.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::Value;

use super::Counter;
use crate::exit::Explain;
use crate::model::quota::{Period, Quota};
use crate::model::secret::hex;
use crate::providers::wire::Invalid;
use crate::service::{Refusal, StoreError, Trace, trace};

/// What is wrong with a request. [`finish`] gives it its body, because the request's id belongs there.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// A word for programs: `validation_error`.
    pub(crate) code: Box<str>,
    pub(crate) message: Box<str>,
    pub(crate) hint: Option<Box<str>>,
    pub(crate) about: Option<About>,
    /// From when on the same request may be answered otherwise.
    retry_at: Option<Timestamp>,
    /// What the answer does not tell, for the log.
    cause: Option<Box<str>>,
}

/// What a problem is about, for providers that say it in another way.
#[derive(Debug, Clone)]
pub(crate) enum About {
    /// Of what the request says, what cannot be as it is.
    Field(Box<str>),
    /// The permission that is missing.
    Permission(&'static str),
}

/// Marks an answer of a provider that documents no limits: zeros would say that nothing is left.
#[derive(Clone)]
pub(crate) struct WithoutLimits;

/// Marks an answer of the gate.
#[derive(Clone)]
pub(super) struct AtTheGate;

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self {
            status,
            code: code.into(),
            message: message.into(),
            hint: None,
            about: None,
            retry_at: None,
            cause: None,
        }
    }

    pub(crate) fn invalid(field: &str, problem: impl AsRef<str>) -> Self {
        let message = format!("{field}: {}", problem.as_ref());
        Self {
            about: Some(About::Field(field.into())),
            ..Self::new(StatusCode::BAD_REQUEST, "validation_error", message)
        }
    }

    pub(super) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path")
    }

    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is larger than 64 KiB")
    }

    pub(crate) fn unsupported_media_type() -> Self {
        let message = "The body must be sent as Content-Type: application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service's database is out of order")
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
            | Refusal::FeatureOff
            | Refusal::Uncovered
            | Refusal::LastAdmin(_) => StatusCode::FORBIDDEN,
            Refusal::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Refusal::NoCredits => StatusCode::PAYMENT_REQUIRED,
            Refusal::NotFound | Refusal::NoSuchObject | Refusal::UnknownWorkspace(_) => StatusCode::NOT_FOUND,
            Refusal::HasAdmin(_)
            | Refusal::DuplicateName(_)
            | Refusal::DuplicateWorkspace(_)
            | Refusal::IdempotencyConflict
            | Refusal::IdempotencyOutlived
            | Refusal::IdempotencyInProgress => StatusCode::CONFLICT,
            Refusal::Invalid { .. } | Refusal::InvalidDateRange | Refusal::UnknownPermission(_) => {
                StatusCode::BAD_REQUEST
            }
            Refusal::Store(StoreError::CommitUnknown(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let retry_at = match &refusal {
            Refusal::RateLimited { resets_at } => Some(*resets_at),
            _ => None,
        };
        let cause = match &refusal {
            Refusal::Store(error) => Some(trace::whole(error).into()),
            _ => None,
        };
        // What is wrong with the store is for whoever runs it; the answer says no more than a caller can use.
        let problem = match refusal {
            Refusal::Store(error @ (StoreError::Busy | StoreError::ReadOnly | StoreError::Full)) => {
                Self { hint: error.hint().map(Into::into), ..Self::new(status, "unavailable", error.to_string()) }
            }
            Refusal::Store(StoreError::CommitUnknown(_)) => {
                Self { hint: refusal.hint().map(Into::into), ..Self::new(status, refusal.code(), refusal.to_string()) }
            }
            Refusal::Store(_) => Self::unavailable(),
            Refusal::Invalid { field, problem } => Self::invalid(field, problem),
            Refusal::MissingPermission(permission) => Self {
                about: Some(About::Permission(permission)),
                ..Self::new(status, refusal.code(), refusal.to_string())
            },
            other => Self { hint: other.hint().map(Into::into), ..Self::new(status, other.code(), other.to_string()) },
        };
        Self { retry_at, cause, ..problem }
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

/// Gives every answer its request id and, where there are limits, what is left of the day, keeps caches away from it, and turns a problem into its
/// body.
pub(super) async fn finish(State(counter): State<Counter>, request: Request, next: Next) -> Response {
    let Counter { context, manners } = counter;
    let request_id = request_id(context.random);
    let trace = request.extensions().get::<Trace>().cloned();
    let mut response = next.run(request).await;
    let now = (context.now)();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        if let (Some(trace), Some(cause)) = (trace, &problem.cause) {
            trace.failed_for(cause.to_string());
        }
        let said = (manners.say)(&problem, &request_id);
        response = spoken(response, said, problem.retry_at, now);
    }
    let status = response.status();
    let quota = response.extensions().get::<Quota>().copied();
    if manners.provider.rules().has_limits {
        let headers = response.headers_mut();
        match quota {
            Some(quota) => add_quota(headers, quota),
            None => add_unknown_quota(headers, now),
        }
    } else {
        response.extensions_mut().insert(WithoutLimits);
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(manners.challenge));
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

/// What is left of the day to somebody who is not known: nothing.
pub(crate) fn add_unknown_quota(headers: &mut HeaderMap, now: Timestamp) {
    add_quota(headers, Quota { limit: 0, remaining: 0, resets_at: Period::day_of(now).end() });
}

fn add_quota(headers: &mut HeaderMap, quota: Quota) {
    for (name, value) in [(LIMIT, quota.limit), (REMAINING, quota.remaining), (RESET, quota.resets_at.as_second())] {
        headers.insert(name, HeaderValue::from(value));
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const GATE_STATUS: HeaderName = HeaderName::from_static("x-gate-status");
const GATE_BODY: HeaderName = HeaderName::from_static("x-gate-body");

/// The answer with what is said of a problem as its body.
fn spoken(
    mut silent: Response,
    (status, body): (StatusCode, Value),
    retry_at: Option<Timestamp>,
    now: Timestamp,
) -> Response {
    let headers = std::mem::take(silent.headers_mut());
    let extensions = std::mem::take(silent.extensions_mut());
    let at_the_gate = extensions.get::<AtTheGate>().is_some();
    // Proxies that keep only the headers of an answer find it there.
    let in_a_header = at_the_gate.then(|| HeaderValue::from_str(&ascii(&body)).ok()).flatten();
    let mut response = (status, Json(body)).into_response();
    *response.extensions_mut() = extensions;
    let kept = |name: &HeaderName| *name == ALLOW || name.as_str() == "x-key-id" || name.as_str() == "x-workspace-id";
    let spoken = response.headers_mut();
    // `Allow` on a 405 is the router's.
    spoken.extend(headers.into_iter().filter(|(name, _)| name.as_ref().is_some_and(kept)));
    if let Some(retry_at) = retry_at {
        let wait = retry_at.duration_since(now).as_millis().max(0);
        spoken.insert(RETRY_AFTER, HeaderValue::from(i64::try_from(wait).unwrap_or(i64::MAX).div_euclid(1000) + 1));
    }
    if at_the_gate {
        spoken.insert(GATE_STATUS, HeaderValue::from(status.as_u16()));
        spoken.extend(in_a_header.map(|body| (GATE_BODY, body)));
    }
    response
}

/// JSON in which everything but visible ASCII is escaped.
fn ascii(body: &Value) -> String {
    let mut text = String::new();
    for character in body.to_string().chars() {
        if character.is_ascii() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(text, "\\u{unit:04x}").ok();
        }
    }
    text
}
