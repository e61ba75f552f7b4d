//! What the listener itself answers, in the form of the routes behind it.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use jiff::Timestamp;

use crate::providers::native::routes::error_body;
use crate::providers::routes::problem::add_unknown_quota;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Travels as an extension of an answer until the request's id is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Malformed,
    NoHost,
    LateHeader,
    LateBody,
    NoRoute,
    WrongMethod,
    LongTarget,
    LargeHeader,
    Panicked,
    Full,
    Draining,
    NotReady,
}

impl Refused {
    const fn words(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed_request", "This is not an HTTP/1.1 request"),
            Self::NoHost => (StatusCode::BAD_REQUEST, "malformed_request", "A request names one Host"),
            Self::LateHeader => {
                (StatusCode::REQUEST_TIMEOUT, "request_timeout", "The header of the request took too long to arrive")
            }
            Self::LateBody => {
                (StatusCode::REQUEST_TIMEOUT, "request_timeout", "The body of the request took too long to arrive")
            }
            Self::NoRoute => (StatusCode::NOT_FOUND, "not_found", "There is nothing at this path"),
            Self::WrongMethod => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method")
            }
            Self::LongTarget => (StatusCode::URI_TOO_LONG, "uri_too_long", "The address is longer than 8 KiB"),
            Self::LargeHeader => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "header_too_large",
                "The header is larger than 32 KiB or has more than 100 fields",
            ),
            Self::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The service failed: this is its fault"),
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "There are too many connections: try again"),
            Self::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining", "The service is about to end"),
            Self::NotReady => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service's database does not answer")
            }
        }
    }

    pub(super) const fn status(self) -> StatusCode {
        self.words().0
    }

    /// The refusal of a header that was not understood.
    pub(super) fn of_header(status: StatusCode, in_first_line: bool) -> Self {
        match status {
            StatusCode::URI_TOO_LONG => Self::LongTarget,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE if in_first_line => Self::LongTarget,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::LargeHeader,
            _ => Self::Malformed,
        }
    }

    /// Whether the connection cannot go on: what was sent is not read to its end.
    const fn ends_the_connection(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::NoHost
                | Self::LateHeader
                | Self::LateBody
                | Self::LongTarget
                | Self::LargeHeader
                | Self::Full
        )
    }

    /// The answer before its request's id is known.
    pub(super) fn response(self) -> Response<Body> {
        self.into_response()
    }

    pub(super) fn answer(self, request_id: &str, now: Timestamp) -> Response<Body> {
        let (status, headers, body) = self.parts(request_id, now);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// The whole answer, for a connection on which nobody speaks HTTP any more, or not yet.
    pub(super) fn bytes(self, request_id: &str, now: Timestamp) -> Vec<u8> {
        let (status, mut headers, body) = self.parts(request_id, now);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
        for (name, value) in &headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        [bytes, b"\r\n".to_vec(), body].concat()
    }

    fn parts(self, request_id: &str, now: Timestamp) -> (StatusCode, HeaderMap, Vec<u8>) {
        let (status, code, message) = self.words();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, id);
        }
        if self.ends_the_connection() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        add_unknown_quota(&mut headers, now);
        (status, headers, error_body(code, message, request_id))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> axum::response::Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
