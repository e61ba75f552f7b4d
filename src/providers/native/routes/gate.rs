//! The gate as the OpenAPI document tells it; it is the same for every provider.

use axum::extract::{Request, State};
use axum::response::Response;

use super::MANNERS;
use crate::providers::native::wire::ErrorAnswer;
use crate::providers::routes::{Context, gate};

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
    gate::answer(&context, &MANNERS, request, None).await
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
    gate::answer(&context, &MANNERS, request, None).await
}
