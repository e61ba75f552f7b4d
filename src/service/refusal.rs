//! Why the engine does not do what was asked, and what each reason means outside.

use jiff::Timestamp;
use thiserror::Error;

use super::store::StoreError;
use crate::exit::{Exit, Explain};
use crate::model::permission::{Permission, UnknownPermission};

/// Why the engine does not do what was asked. A variant is what a caller can do something about; nothing was changed.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    #[error("Missing or invalid Authorization header")]
    MissingCredential,
    /// Unknown and expired keys alike, so that nobody learns which keys ever existed.
    #[error("Invalid API key")]
    InvalidKey,
    #[error("API key has been revoked")]
    RevokedKey,
    #[error("Missing required permission: {0}")]
    MissingPermission(&'static str),
    #[error("A key cannot grant `{0}`, which it does not hold itself")]
    NotHeld(Permission),
    #[error("A key cannot grant the tier `{0}`, which it does not have itself")]
    TierNotHeld(&'static str),
    /// The limit of the day or of the minute is used up.
    #[error("Rate limit exceeded. Resets at {resets_at}")]
    RateLimited { resets_at: Timestamp },
    #[error("Insufficient credits")]
    NoCredits,
    #[error("The start of the time asked for is after its end")]
    InvalidDateRange,
    #[error("No workspace is named `{0}`")]
    UnknownWorkspace(String),
    #[error("The workspace has an active key that can manage keys (`{0}`)")]
    HasAdmin(String),
    #[error("The tier `unmetered` is only available on enterprise plans")]
    TierNotInPlan,
    #[error("The workspace does not have the feature that managing keys takes")]
    FeatureOff,
    /// A call that no key opens, whatever it holds.
    #[error("No permission opens this call")]
    Uncovered,
    #[error("This is the last active key that can manage keys: {0}")]
    LastAdmin(String),
    #[error("No such key")]
    NotFound,
    /// Of what the data routes keep.
    #[error("No such object")]
    NoSuchObject,
    #[error("An active key is already named `{0}`")]
    DuplicateName(String),
    #[error("A workspace is already named `{0}`")]
    DuplicateWorkspace(String),
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    #[error(transparent)]
    UnknownPermission(#[from] UnknownPermission),
    #[error("This Idempotency-Key was used for a different request")]
    IdempotencyConflict,
    #[error("The key that this request made has since been revoked or deleted: send a new Idempotency-Key")]
    IdempotencyOutlived,
    #[error("A request with this Idempotency-Key is still under way")]
    IdempotencyInProgress,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    pub(super) fn invalid(field: &'static str, problem: &dyn std::fmt::Display) -> Self {
        Self::Invalid { field, problem: problem.to_string() }
    }
}

impl Explain for Refusal {
    fn exit(&self) -> Exit {
        match self {
            Self::MissingCredential | Self::InvalidKey | Self::RevokedKey => Exit::Unauthenticated,
            Self::MissingPermission(_)
            | Self::NotHeld(_)
            | Self::TierNotHeld(_)
            | Self::TierNotInPlan
            | Self::FeatureOff
            | Self::Uncovered
            | Self::LastAdmin(_) => Exit::Forbidden,
            Self::RateLimited { .. } | Self::NoCredits => Exit::Limited,
            Self::NotFound | Self::NoSuchObject | Self::UnknownWorkspace(_) => Exit::NotFound,
            Self::DuplicateName(_)
            | Self::HasAdmin(_)
            | Self::DuplicateWorkspace(_)
            | Self::IdempotencyConflict
            | Self::IdempotencyOutlived
            | Self::IdempotencyInProgress => Exit::Conflict,
            Self::Invalid { .. } | Self::InvalidDateRange | Self::UnknownPermission(_) => Exit::Usage,
            Self::Store(error) => error.exit(),
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::MissingCredential => "missing_auth",
            Self::InvalidKey => "invalid_key",
            Self::RevokedKey => "revoked_key",
            Self::MissingPermission(_) | Self::Uncovered => "insufficient_permissions",
            Self::FeatureOff => "feature_off",
            Self::NotHeld(_) | Self::TierNotHeld(_) | Self::TierNotInPlan => "permission_not_held",
            Self::LastAdmin(_) => "last_admin_key",
            Self::RateLimited { .. } => "rate_limited",
            Self::NoCredits => "insufficient_credits",
            Self::InvalidDateRange => "invalid_date_range",
            Self::HasAdmin(_) => "has_admin_key",
            Self::NotFound | Self::NoSuchObject | Self::UnknownWorkspace(_) => "not_found",
            Self::DuplicateName(_) | Self::DuplicateWorkspace(_) => "duplicate_name",
            Self::Invalid { .. } | Self::UnknownPermission(_) => "validation_error",
            Self::IdempotencyConflict | Self::IdempotencyOutlived => "idempotency_conflict",
            Self::IdempotencyInProgress => "idempotency_in_progress",
            Self::Store(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::UnknownPermission(error) => error.suggestion.map(|nearest| format!("did you mean `{nearest}`?")),
            Self::UnknownWorkspace(_) | Self::DuplicateWorkspace(_) => {
                Some("see which there are with: keys serve workspace list".to_owned())
            }
            Self::HasAdmin(_) => Some("if nobody has that key any more, revoke it too with --replace".to_owned()),
            Self::RateLimited { .. }
            | Self::NoCredits
            | Self::InvalidDateRange
            | Self::MissingCredential
            | Self::InvalidKey
            | Self::RevokedKey
            | Self::MissingPermission(_)
            | Self::NotHeld(_)
            | Self::TierNotHeld(_)
            | Self::TierNotInPlan
            | Self::FeatureOff
            | Self::Uncovered
            | Self::LastAdmin(_)
            | Self::NotFound
            | Self::NoSuchObject
            | Self::DuplicateName(_)
            | Self::Invalid { .. }
            | Self::IdempotencyConflict
            | Self::IdempotencyOutlived
            | Self::IdempotencyInProgress => None,
        }
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }
}
