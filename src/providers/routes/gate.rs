//! The gate: a proxy asks whether a call it holds may go on.
//!
//! nginx (`auth_request`) and Traefik (`ForwardAuth`) tell of the call in headers, Envoy (`ext_authz` over HTTP) asks with the
//! call's own method and with its path behind `/authorize`.

use axum::Router;
use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use super::problem::{AtTheGate, Problem};
use super::{Context, Manners};
use crate::service::{Call, Refusal, Trace};

pub(crate) const GATE: &str = "/authorize";
/// Behind which Envoy puts the path of the call: `/` and any longer one.
const GATES_OF_ENVOY: [&str; 2] = ["/authorize/", "/authorize/{*path}"];

/// How proxies tell of the call they hold: the headers of its method and of its path.
const TOLD: [(&str, &str); 2] = [("x-original-method", "x-original-uri"), ("x-forwarded-method", "x-forwarded-uri")];

pub(super) fn is_gate(template: &str) -> bool {
    template == GATE || GATES_OF_ENVOY.contains(&template)
}

/// The gate of a provider.
pub(crate) fn routes(manners: &'static Manners) -> Router<Context> {
    let authorize = move |State(context): State<Context>, request: Request| async move {
        answer(&context, manners, request, None).await
    };
    Router::new().route(GATE, get(authorize).post(authorize)).merge(route_of_envoy(manners))
}

/// Envoy's way of asking.
pub(crate) fn route_of_envoy(manners: &'static Manners) -> Router<Context> {
    let authorize = move |State(context): State<Context>, request: Request| async move {
        // As it was sent: what is percent-encoded stays so.
        let sent = request.uri().path().strip_prefix(GATE).unwrap_or_default().to_owned();
        answer(&context, manners, request, Some(sent)).await
    };
    let [root, longer] = GATES_OF_ENVOY;
    Router::new().route(root, any(authorize)).route(longer, any(authorize))
}

/// Whether a call may be made: the one that headers tell of, or that with this path.
pub(crate) async fn answer(context: &Context, manners: &Manners, request: Request, path: Option<String>) -> Response {
    let (asked, _) = request.into_parts();
    let mut response = match ask(context, manners, &asked, path).await {
        Ok(allowed) => allowed,
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(AtTheGate);
    response
}

async fn ask(context: &Context, manners: &Manners, asked: &Parts, path: Option<String>) -> Result<Response, Problem> {
    let key = (manners.presented)(&asked.headers).ok_or(Refusal::MissingCredential)?;
    let (method, path) = told(&asked.headers, path.as_deref().map(|path| (asked.method.as_str(), path)))?;
    let path = path.split('?').next().unwrap_or_default();
    let admission = context.service.admit(manners.provider, key, Call { method: &method, path }, (context.now)()).await;
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
fn told<'a>(headers: &'a HeaderMap, asked: Option<(&'a str, &'a str)>) -> Result<(Cow<'a, str>, &'a str), Problem> {
    let text = |name: &str| -> Result<Option<&'a str>, Problem> {
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        match (value.to_str(), values.next()) {
            (Ok(text), None) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(text)),
            _ => Err(Problem::invalid(name, "it is sent once, in visible ASCII")),
        }
    };
    let (mut method, mut path) = asked.unzip();
    let mut agree = true;
    for (method_name, path_name) in TOLD {
        if let Some(told) = text(method_name)? {
            agree &= method.get_or_insert(told).eq_ignore_ascii_case(told);
        }
        if let Some(told) = text(path_name)? {
            agree &= *path.get_or_insert(told) == told;
        }
    }
    let (Some(method), Some(path)) = (method, path) else {
        let problem =
            "say which call is meant: X-Original-Method and X-Original-URI, or X-Forwarded-Method and X-Forwarded-Uri";
        return Err(Problem::invalid("call", problem));
    };
    if Method::from_bytes(method.as_bytes()).is_err() {
        return Err(Problem::invalid("call", "its method is none"));
    }
    if !agree {
        return Err(Problem::invalid("call", "the headers tell of different calls"));
    }
    let is_upper = !method.bytes().any(|byte| byte.is_ascii_lowercase());
    Ok((if is_upper { method.into() } else { method.to_ascii_uppercase().into() }, path))
}
