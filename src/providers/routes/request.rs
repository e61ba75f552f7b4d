//! What a request says: who calls, its body, and the Idempotency-Key that makes it the same as another one.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::Context;
use super::count::{Admitted, Authenticated};
use super::problem::Problem;
use crate::service::{Answer, Ask, Caller, Once, Refusal};

impl FromRequestParts<Context> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Context) -> Result<Self, Problem> {
        match parts.extensions.get::<Authenticated>() {
            Some(Authenticated(authenticated)) => authenticated.clone(),
            None => Err(Refusal::MissingCredential.into()),
        }
    }
}

impl FromRequestParts<Context> for Admitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Context) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Refusal::MissingCredential.into())
    }
}

/// The key in `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The key in `X-Api-Key`.
pub(crate) fn api_key(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-api-key")?.to_str().ok().map(str::trim)
}

/// The key in either of them; where there are both, in `Authorization`.
pub(crate) fn bearer_or_api_key(headers: &HeaderMap) -> Option<&str> {
    if headers.contains_key(AUTHORIZATION) { bearer(headers) } else { api_key(headers) }
}

/// The id in a path. One that can be no id of ours is unknown, like any other.
pub(crate) struct Id(pub(crate) String);

impl FromRequestParts<Context> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, context).await;
        path.map(|Path(id)| Self(id)).map_err(|_| Refusal::NotFound.into())
    }
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Context> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, context: &Context) -> Result<Self, Problem> {
        let (headers, body) = read(request, context).await?;
        parse(&headers, &body).map(Self)
    }
}

/// A request that changes something: its body, and what makes it the same as another one.
pub(crate) struct Change {
    headers: HeaderMap,
    body: Bytes,
    once: Option<Once>,
}

impl Change {
    /// What the service is asked: by whom, as which request, and when.
    pub(crate) fn ask<'a>(&'a self, caller: &'a Caller, now: Timestamp) -> Ask<'a> {
        Ask { caller, once: self.once.as_ref(), now }
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        parse(&self.headers, &self.body)
    }

    pub(crate) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }
}

impl FromRequest<Context> for Change {
    type Rejection = Problem;

    async fn from_request(request: Request, context: &Context) -> Result<Self, Problem> {
        let (method, route) = (request.method().to_string(), request.uri().path().to_owned());
        let (headers, body) = read(request, context).await?;
        let once = headers.get("idempotency-key").map(idempotency_key).transpose()?;
        let once = once.map(|key| Once { key, method, route, body: body.to_vec() });
        Ok(Self { headers, body, once })
    }
}

/// One to 255 visible ASCII characters, bare or as a quoted string.
fn idempotency_key(value: &HeaderValue) -> Result<String, Problem> {
    let text = value.to_str().unwrap_or_default();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if bare.is_empty() || bare.len() > 255 || !bare.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Problem::invalid("Idempotency-Key", "it takes 1 to 255 visible ASCII characters"));
    }
    Ok(bare.to_owned())
}

async fn read(request: Request, context: &Context) -> Result<(HeaderMap, Bytes), Problem> {
    let headers = request.headers().clone();
    let body = Bytes::from_request(request, context).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large()
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "validation_error", "The body could not be read")
        }
    })?;
    Ok((headers, body))
}

/// Reads JSON. What is wrong is said without quoting any value: a secret may stand in the wrong field.
fn parse<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Problem::unsupported_media_type());
    }
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        let text = error.to_string();
        let problem = match error.classify() {
            Category::Data if text.starts_with("missing field") => text,
            Category::Data if text.starts_with("unknown field") => {
                format!("an unknown field at {place}")
            }
            Category::Data => format!("a value of the wrong type at {place}"),
            Category::Io | Category::Syntax | Category::Eof => format!("not JSON at {place}"),
        };
        Problem::invalid("body", problem)
    })
}

/// Sends an answer that the service has given, now or before.
pub(crate) fn respond(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = if answer.body.is_empty() {
        status.into_response()
    } else {
        (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], answer.body.to_vec()).into_response()
    };
    if answer.replayed {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}
