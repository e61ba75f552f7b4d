//! The gate: a proxy asks whether a call it holds may go on.
//!
//! nginx (`auth_request`) and Traefik (`ForwardAuth`) tell of the call in headers, Envoy (`ext_authz` over HTTP) asks with the
//! call's own method and with its path behind `/authorize`.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Context;
use super::problem::{AtTheGate, Problem};
use super::request::presented;
use crate::providers::native::wire::ErrorAnswer;
use crate::service::{Call, Refusal, Trace};

pub(super) const GATE: &str = "/authorize";
/// Behind which Envoy puts the path of the call: `/` and any longer one.
pub(super) const GATES_OF_ENVOY: [&str; 2] = ["/authorize/", "/authorize/{*path}"];

/// How proxies tell of the call they hold: the headers of its method and of its path.
const TOLD: [(&str, &str); 2] = [("x-original-method", "x-original-uri"), ("x-forwarded-method", "x-forwarded-uri")];

pub(super) fn is_gate(template: &str) -> bool {
    template == GATE || GATES_OF_ENVOY.contains(&template)
}

/// Ask whether a call may be made
///
/// For nginx `auth_request` (`X-Original-Method`, `X-Original-URI`), Traefik `ForwardAuth` (`X-Forwarded-Method`,
/// `X-Forwarded-Uri`) and Envoy `ext_authz` (its own method, and its path behind `/authorize`). Allowed, the call counts against
/// the limits and costs a credit. Refused, the answer to pass on is also in `X-Gate-Status` and `X-Gate-Body`, for proxies
/// that keep only headers.
#[utoipa::path(get, path = "/authorize", tag = "gate", operation_id = "authorize", params(
    ("X-Original-Method" = Option<String>, Header, description = "The method of the call"),
    ("X-Original-URI" = Option<String>, Header, description = "The path of the call"),
    ("X-Forwarded-Method" = Option<String>, Header, description = "The method of the call, as Traefik tells it"),
    ("X-Forwarded-Uri" = Option<String>, Header, description = "The path of the call, as Traefik tells it"),
), responses(
    (status = 204, description = "The call may be made", headers(
        ("X-Key-Id" = String, description = "The id of the calling key"),
        ("X-Workspace-Id" = String, description = "The id of its workspace"),
    )),
    (status = 400, description = "`validation_error`: which call is meant is not said, or can be read in two ways", body = ErrorAnswer),
    (status = 401, description = "`missing_auth`, `invalid_key` or `revoked_key`", body = ErrorAnswer),
    (status = 402, description = "`insufficient_credits`: the balance is empty", body = ErrorAnswer),
    (status = 403, description = "`insufficient_permissions`: the missing permission is named", body = ErrorAnswer),
    (status = 429, description = "`rate_limited`: the limit of the day or of the minute is used up", body = ErrorAnswer),
    (status = 503, description = "`unavailable`: the limits cannot be read, so nothing is allowed", body = ErrorAnswer),
))]
pub(super) async fn authorize(State(context): State<Context>, request: Request) -> Response {
    answer(&context, request, None).await
}

/// Ask whether a call may be made, with POST
///
/// The same as with GET, for proxies that ask with the method of the call.
#[utoipa::path(post, path = "/authorize", tag = "gate", operation_id = "authorize_by_post", params(
    ("X-Original-Method" = Option<String>, Header, description = "The method of the call"),
    ("X-Original-URI" = Option<String>, Header, description = "The path of the call"),
    ("X-Forwarded-Method" = Option<String>, Header, description = "The method of the call, as Traefik tells it"),
    ("X-Forwarded-Uri" = Option<String>, Header, description = "The path of the call, as Traefik tells it"),
), responses(
    (status = 204, description = "The call may be made", headers(
        ("X-Key-Id" = String, description = "The id of the calling key"),
        ("X-Workspace-Id" = String, description = "The id of its workspace"),
    )),
    (status = 400, description = "`validation_error`: which call is meant is not said, or can be read in two ways", body = ErrorAnswer),
    (status = 401, description = "`missing_auth`, `invalid_key` or `revoked_key`", body = ErrorAnswer),
    (status = 402, description = "`insufficient_credits`: the balance is empty", body = ErrorAnswer),
    (status = 403, description = "`insufficient_permissions`: the missing permission is named", body = ErrorAnswer),
    (status = 429, description = "`rate_limited`: the limit of the day or of the minute is used up", body = ErrorAnswer),
    (status = 503, description = "`unavailable`: the limits cannot be read, so nothing is allowed", body = ErrorAnswer),
))]
pub(super) async fn authorize_by_post(State(context): State<Context>, request: Request) -> Response {
    answer(&context, request, None).await
}

/// Envoy's way of asking.
pub(super) async fn authorize_path(State(context): State<Context>, request: Request) -> Response {
    // As it was sent: what is percent-encoded stays so.
    let sent = request.uri().path().strip_prefix(GATE).unwrap_or_default().to_owned();
    answer(&context, request, Some(sent)).await
}

async fn answer(context: &Context, request: Request, path: Option<String>) -> Response {
    let (asked, _) = request.into_parts();
    let mut response = match ask(context, &asked, path).await {
        Ok(allowed) => allowed,
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(AtTheGate);
    response
}

async fn ask(context: &Context, asked: &Parts, path: Option<String>) -> Result<Response, Problem> {
    let key = presented(&asked.headers).ok_or(Refusal::MissingCredential)?;
    let (method, path) = told(&asked.headers, path.map(|path| (asked.method.to_string(), path)))?;
    let path = path.split('?').next().unwrap_or_default();
    let admission = context.service.admit(key, Call { method: &method, path }, (context.now)()).await;
    let mut response = match admission.outcome {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => Problem::from(refusal).into_response(),
    };
    if let Some(owner) = &admission.owner {
        for (name, id) in [("x-workspace-id", &owner.workspace), ("x-key-id", &owner.key)] {
            response.headers_mut().extend(HeaderValue::from_str(id).ok().map(|id| (HeaderName::from_static(name), id)));
        }
        if let Some(trace) = asked.extensions.get::<Trace>() {
            trace.is_of(owner);
        }
    }
    if let Some(quota) = admission.quota {
        response.extensions_mut().insert(quota);
    }
    Ok(response)
}

/// The call that is meant. Proxies hand on headers that their callers wrote: all that tell of a call must agree.
fn told(headers: &HeaderMap, asked: Option<(String, String)>) -> Result<(String, String), Problem> {
    let text = |name: &str| -> Result<Option<String>, Problem> {
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        match (value.to_str(), values.next()) {
            (Ok(text), None) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(text.to_owned())),
            _ => Err(Problem::invalid(name, "it is sent once, in visible ASCII")),
        }
    };
    let mut methods: Vec<String> = Vec::new();
    let mut paths: Vec<String> = Vec::new();
    if let Some((method, path)) = asked {
        methods.push(method);
        paths.push(path);
    }
    for (method, path) in TOLD {
        methods.extend(text(method)?.map(|method| method.to_ascii_uppercase()));
        paths.extend(text(path)?);
    }
    let (Some(method), Some(path)) = (methods.first(), paths.first()) else {
        let problem =
            "say which call is meant: X-Original-Method and X-Original-URI, or X-Forwarded-Method and X-Forwarded-Uri";
        return Err(Problem::invalid("call", problem));
    };
    if Method::from_bytes(method.as_bytes()).is_err() {
        return Err(Problem::invalid("call", "its method is none"));
    }
    if methods.iter().any(|other| other != method) || paths.iter().any(|other| other != path) {
        return Err(Problem::invalid("call", "the headers tell of different calls"));
    }
    Ok((method.clone(), path.clone()))
}
