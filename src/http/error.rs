//! What can go wrong on the road, and what that means: whether anything may have been changed decides the exit code.

use serde_json::Value;
use thiserror::Error;

use super::NoKey;
use crate::exit::{Exit, Explain};
use crate::text;

#[derive(Debug, Error)]
pub(crate) enum HttpError {
    /// The service answered, and refused.
    #[error("{message}")]
    Refused {
        status: u16,
        code: String,
        message: String,
        hint: Option<String>,
        request_id: Option<String>,
        /// Whether the request may have been carried out all the same.
        unsure: bool,
    },
    /// The key to send it with could not be fetched.
    #[error("{0}")]
    NoKey(NoKey),
    /// The request did not leave this machine.
    #[error("the service could not be reached: {what}")]
    NotSent { what: String },
    /// The request was sent and no whole answer came back.
    #[error("the answer was lost: {what}")]
    Broken { what: String, changes: bool },
    /// An answer came that cannot be read.
    #[error("the answer is not what a key service sends: {what}")]
    Unreadable { what: &'static str, changes: bool },
    #[error("the service sends requests elsewhere, to `{location}`")]
    Redirected { location: String, changes: bool },
    #[error("interrupted before the answer came")]
    Interrupted { terminated: bool },
}

impl HttpError {
    /// Reads an error answer: our shape, a bare string, `detail`, or none at all.
    pub(super) fn refused(status: u16, body: &[u8], request_id: Option<String>, changes: bool) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = &body["error"];
        // On one line, whatever the service says: a message must not pass for two.
        let text = |value: &Value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(|text| text::escape(text).into_owned())
        };
        let message = text(&error["message"]).or_else(|| text(error)).or_else(|| text(&body["detail"]));
        let code = text(&error["code"]);
        // A service that says in its own words that it cannot answer now has done nothing; any other trouble behind a
        // change may have come after it.
        let unsure = changes && status >= 500 && status != 501 && !(status == 503 && code.is_some());
        Self::Refused {
            status,
            code: code.unwrap_or_else(|| format!("http_{status}")),
            message: message.unwrap_or_else(|| format!("the service answered with status {status}")),
            hint: text(&error["hint"]),
            request_id: request_id.or_else(|| text(&error["request_id"])),
            unsure,
        }
    }

    /// The status and the request id of the answer, where there was one.
    pub(crate) fn answer(&self) -> Option<(u16, Option<&str>)> {
        match self {
            Self::Refused { status, request_id, .. } => Some((*status, request_id.as_deref())),
            Self::NoKey(_)
            | Self::NotSent { .. }
            | Self::Broken { .. }
            | Self::Unreadable { .. }
            | Self::Redirected { .. }
            | Self::Interrupted { .. } => None,
        }
    }

    /// Whether the request may have been carried out although it failed.
    pub(crate) fn is_unsure(&self) -> bool {
        match self {
            Self::Refused { unsure, .. } => *unsure,
            Self::Broken { changes, .. } | Self::Unreadable { changes, .. } | Self::Redirected { changes, .. } => {
                *changes
            }
            Self::Interrupted { .. } => true,
            Self::NoKey(_) | Self::NotSent { .. } => false,
        }
    }

    /// Whether somebody wants this program to end.
    pub(crate) const fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted { .. })
    }

    /// The service's own word for the refusal.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == wanted)
    }
}

impl Explain for HttpError {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused { unsure: true, .. }
            | Self::Redirected { changes: true, .. }
            | Self::Broken { changes: true, .. }
            | Self::Unreadable { changes: true, .. } => Exit::Unknown,
            Self::Refused { status, .. } => match status {
                401 => Exit::Unauthenticated,
                402 | 429 => Exit::Limited,
                403 | 405 | 501 => Exit::Forbidden,
                404 => Exit::NotFound,
                409 | 412 => Exit::Conflict,
                408 | 500.. => Exit::Unreachable,
                _ => Exit::Usage,
            },
            Self::NoKey(cause) => cause.exit(),
            Self::NotSent { .. } | Self::Redirected { .. } | Self::Broken { .. } | Self::Unreadable { .. } => {
                Exit::Unreachable
            }
            Self::Interrupted { terminated: false } => Exit::Interrupted,
            Self::Interrupted { terminated: true } => Exit::Terminated,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::NoKey(cause) => cause.code(),
            Self::NotSent { .. } => "unreachable",
            Self::Broken { .. } => "answer_lost",
            Self::Unreadable { .. } => "answer_unreadable",
            Self::Redirected { .. } => "redirected",
            Self::Interrupted { .. } => "interrupted",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoKey(cause) => cause.hint(),
            Self::Refused { hint: Some(hint), .. } => Some(hint.clone()),
            Self::Refused { status: 401, .. } => Some(
                "the key may be mistyped, revoked or expired: log in with another, or check KEYS_API_KEY".to_owned(),
            ),
            Self::Refused { code, .. } if code == "insufficient_permissions" => {
                Some("use a key that holds this permission, or ask an admin".to_owned())
            }
            Self::Refused { code, .. } if code == "permission_not_held" => {
                Some("use a key that holds it itself, or ask an admin".to_owned())
            }
            Self::Refused { code, .. } if code == "idempotency_conflict" => {
                Some("send another Idempotency-Key, or none".to_owned())
            }
            Self::Refused { code, .. } if code == "idempotency_in_progress" => {
                Some("run the same command again in a moment".to_owned())
            }
            Self::Refused { status: 429, .. } => Some("run the same command again later".to_owned()),
            Self::NotSent { .. } => Some("check the address and the network; nothing was changed".to_owned()),
            Self::Redirected { .. } => {
                Some("redirects are not followed with a key: set the final address with --api-url".to_owned())
            }
            Self::Refused { .. } | Self::Broken { .. } | Self::Unreadable { .. } | Self::Interrupted { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str, changes: bool) -> HttpError {
        HttpError::refused(status, body.as_bytes(), None, changes)
    }

    #[test]
    fn three_error_shapes_and_none_are_understood() {
        assert_eq!(
            refused(404, r#"{"error":{"code":"not_found","message":"No such key"}}"#, false).to_string(),
            "No such key"
        );
        assert_eq!(refused(404, r#"{"error":"gone"}"#, false).to_string(), "gone");
        assert_eq!(
            refused(401, r#"{"detail":"Invalid or missing API key"}"#, false).to_string(),
            "Invalid or missing API key"
        );
        for nothing in ["", "<html>", "[]", r#"{"detail":[{}]}"#] {
            assert_eq!(refused(404, nothing, false).to_string(), "the service answered with status 404");
        }
    }

    #[test]
    fn each_status_has_its_exit_code() {
        let exits = [
            (400, Exit::Usage),
            (401, Exit::Unauthenticated),
            (402, Exit::Limited),
            (403, Exit::Forbidden),
            (404, Exit::NotFound),
            (405, Exit::Forbidden),
            (409, Exit::Conflict),
            (413, Exit::Usage),
            (422, Exit::Usage),
            (429, Exit::Limited),
        ];
        for (status, exit) in exits {
            assert_eq!(refused(status, "", true).exit(), exit, "{status}");
        }
    }

    #[test]
    fn only_a_change_that_may_have_happened_is_unknown() {
        let spoken = r#"{"error":{"code":"unavailable","message":"busy"}}"#;
        assert_eq!(refused(503, spoken, true).exit(), Exit::Unreachable);
        assert_eq!(refused(503, "", true).exit(), Exit::Unknown);
        assert_eq!(refused(500, spoken, true).exit(), Exit::Unknown);
        assert_eq!(refused(500, spoken, false).exit(), Exit::Unreachable);
        assert_eq!(HttpError::Broken { what: String::new(), changes: true }.exit(), Exit::Unknown);
        assert_eq!(HttpError::Broken { what: String::new(), changes: false }.exit(), Exit::Unreachable);
        assert_eq!(HttpError::NotSent { what: String::new() }.exit(), Exit::Unreachable);
    }
}
