//! The refusals of the routes as the OpenAPI document tells them: what any call, any change, any body and any key in the
//! path can be refused for; and the header that makes a request repeatable. Only described here.

use utoipa::{IntoParams, IntoResponses};

use crate::providers::native::wire::ErrorAnswer;

/// For what any call can be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document")]
pub(super) enum OfAnyCall {
    #[response(status = 401, description = "`missing_auth`, `invalid_key` or `revoked_key`")]
    Unauthenticated(ErrorAnswer),
    #[response(status = 403, description = "`insufficient_permissions`: the missing permission is named")]
    Forbidden(ErrorAnswer),
    #[response(status = 429, description = "`rate_limited`: the limit of the day or of the minute is used up")]
    RateLimited(ErrorAnswer),
    #[response(status = 503, description = "`unavailable`: nothing was changed")]
    Unavailable(ErrorAnswer),
}

/// For what any call through the gate can be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document")]
pub(super) enum OfGatedCall {
    #[response(status = 401, description = "`missing_auth`, `invalid_key` or `revoked_key`")]
    Unauthenticated(ErrorAnswer),
    #[response(status = 402, description = "`insufficient_credits`: the balance is empty")]
    Unpaid(ErrorAnswer),
    #[response(status = 403, description = "`insufficient_permissions`: the missing permission is named")]
    Forbidden(ErrorAnswer),
    #[response(status = 429, description = "`rate_limited`: the limit of the day or of the minute is used up")]
    RateLimited(ErrorAnswer),
    #[response(status = 503, description = "`unavailable`: nothing was changed")]
    Unavailable(ErrorAnswer),
}

/// For what a parameter, a header or a body can be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document")]
pub(super) enum OfWhatIsSaid {
    #[response(status = 400, description = "`validation_error`: something is missing, unknown or wrong")]
    Invalid(ErrorAnswer),
}

/// For what a request that is sent with an Idempotency-Key can be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document")]
pub(super) enum OfAnyChange {
    #[response(
        status = 403,
        description = "`insufficient_permissions`, `permission_not_held` or `last_admin_key`: see the message"
    )]
    Forbidden(ErrorAnswer),
    #[response(status = 409, description = "`duplicate_name`, `idempotency_conflict` or `idempotency_in_progress`")]
    Conflict(ErrorAnswer),
    #[response(status = 413, description = "`too_large`: the body is larger than 64 KiB")]
    TooLarge(ErrorAnswer),
    #[response(status = 500, description = "`outcome_unknown`: send the same request again, with its Idempotency-Key")]
    Unknown(ErrorAnswer),
}

/// For what a change behind the gate can be refused that is sent with an Idempotency-Key.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document")]
pub(super) enum OfGatedChange {
    #[response(status = 409, description = "`idempotency_conflict` or `idempotency_in_progress`")]
    Conflict(ErrorAnswer),
    #[response(status = 413, description = "`too_large`: the body is larger than 64 KiB")]
    TooLarge(ErrorAnswer),
    #[response(status = 500, description = "`outcome_unknown`: send the same request again, with its Idempotency-Key")]
    Unknown(ErrorAnswer),
}

/// For what a body can be refused before it is read.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document")]
pub(super) enum OfAnyBody {
    #[response(status = 415, description = "`unsupported_media_type`: only application/json is taken")]
    UnsupportedMediaType(ErrorAnswer),
}

/// For what a key that is named can be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document")]
pub(super) enum OfOneKey {
    #[response(status = 404, description = "`not_found`: no key of this workspace, now or ever")]
    NotFound(ErrorAnswer),
}

/// The header in the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes the header in the OpenAPI document")]
pub(super) struct IdempotencyHeader {
    /// The same key with the same request gets the original answer, plaintext included, for 24 hours
    #[param(rename = "Idempotency-Key", required = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}
