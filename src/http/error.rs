//! What can go wrong on the road, and what that means: whether anything may have been changed decides the exit code.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use super::NoKey;
use crate::exit::{Exit, Explain};
use crate::text;

#[derive(Debug, Error)]
pub(crate) enum HttpError {
    /// The service answered, and refused.
    #[error("{message}{}", Until(*until))]
    Refused {
        status: u16,
        code: String,
        message: String,
        /// Whether it does not say why.
        wordless: bool,
        hint: Option<String>,
        request_id: Option<String>,
        /// Whether the request may have been carried out all the same.
        unsure: bool,
        /// Until when the service wants no more requests, where it says so.
        until: Option<Timestamp>,
    },
    /// The provider does not do this, or the service at this address does not: a sentence with the way to do it instead.
    #[error("{0}")]
    NotOffered(String),
    /// The service said not long ago that it takes no more requests, and until when.
    #[error("the service takes no more requests until {}", text::utc(*until))]
    Closed { until: Timestamp },
    /// The key to send it with could not be fetched.
    #[error("{0}")]
    NoKey(NoKey),
    /// The request cannot be sent by anybody.
    #[error("the request could not be sent: {what}")]
    NotSent { what: String },
    /// The file that names the authorities to trust is of no use.
    #[error("could not read the certificates in `{file}`, which {by} names: {what}")]
    NoRoots { file: String, by: &'static str, what: String },
    /// There is no way to the service; the request did not leave this machine.
    #[error("the service could not be reached: {what}")]
    Unreached { what: String },
    /// The service could not show that it is the one it is meant to be; the request was not sent.
    #[error("the service is not trusted: {what}")]
    Untrusted { what: String },
    /// The request was sent and no whole answer came back.
    #[error("the answer was lost: {what}")]
    Broken { what: String, changes: bool },
    /// An answer came that cannot be read.
    #[error("the answer is not what a key service sends: {what}")]
    Unreadable { what: &'static str, changes: bool },
    #[error("the service sends requests elsewhere{}", Elsewhere(location.as_deref()))]
    Redirected { location: Option<String>, changes: bool },
    /// A try of which nobody knows how it ended, and then one that failed.
    #[error("{last}; an earlier try may have been carried out")]
    Unsettled { last: Box<Self> },
    #[error("interrupted {}", if *.unsure { "before the answer came" } else { "before anything was changed" })]
    Interrupted { terminated: bool, unsure: bool },
}

/// Until when the service takes no more requests, behind what it says itself.
struct Until(Option<Timestamp>);

impl fmt::Display for Until {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |until| write!(formatter, "; the service takes requests again at {}", text::utc(until)))
    }
}

/// Where to, where that is said.
struct Elsewhere<'a>(Option<&'a str>);

impl fmt::Display for Elsewhere<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(place) => write!(formatter, ", to `{place}`"),
            None => formatter.write_str(", and does not say where"),
        }
    }
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
        let detail = text(&body["detail"]).or_else(|| first_detail(&body["detail"]));
        let message = text(&error["message"]).or_else(|| text(error)).or(detail);
        let code = text(&error["code"]);
        // A service that says in its own words that it cannot answer now has done nothing; any other trouble behind a
        // change may have come after it.
        let unsure = changes && status >= 500 && status != 501 && !(status == 503 && code.is_some());
        Self::Refused {
            status,
            wordless: code.is_none() && message.is_none(),
            code: code.unwrap_or_else(|| format!("http_{status}")),
            message: message.unwrap_or_else(|| format!("the service answered with status {status}")),
            hint: text(&error["hint"]),
            request_id: request_id.or_else(|| text(&error["request_id"])),
            unsure,
            until: None,
        }
    }

    /// The same, of a service that said until when.
    pub(super) fn lasting(mut self, said: Option<Timestamp>) -> Self {
        if let Self::Refused { status: 408 | 429 | 502 | 503 | 504, message, until, .. } = &mut self {
            // Some say it in their message too. To the minute: the seconds are rounded on the way.
            *until = said.filter(|said| text::utc(*said).get(..16).is_some_and(|minute| !message.contains(minute)));
        }
        self
    }

    /// The status and the request id of the answer, where there was one.
    pub(crate) fn answer(&self) -> Option<(u16, Option<&str>)> {
        match self {
            Self::Refused { status, request_id, .. } => Some((*status, request_id.as_deref())),
            Self::Unsettled { last } => last.answer(),
            Self::Closed { .. }
            | Self::NotOffered(_)
            | Self::NoKey(_)
            | Self::NotSent { .. }
            | Self::NoRoots { .. }
            | Self::Unreached { .. }
            | Self::Untrusted { .. }
            | Self::Broken { .. }
            | Self::Unreadable { .. }
            | Self::Redirected { .. }
            | Self::Interrupted { .. } => None,
        }
    }

    /// Whether the request may have been carried out although it failed.
    pub(crate) fn is_unsure(&self) -> bool {
        match self {
            Self::Refused { unsure, .. } | Self::Interrupted { unsure, .. } => *unsure,
            Self::Broken { changes, .. } | Self::Unreadable { changes, .. } | Self::Redirected { changes, .. } => {
                *changes
            }
            Self::Unsettled { .. } => true,
            Self::Closed { .. }
            | Self::NotOffered(_)
            | Self::NoKey(_)
            | Self::NotSent { .. }
            | Self::NoRoots { .. }
            | Self::Unreached { .. }
            | Self::Untrusted { .. } => false,
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
            | Self::Unsettled { .. }
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
            Self::Closed { .. } => Exit::Limited,
            Self::NotOffered(_) => Exit::Forbidden,
            Self::NoKey(cause) => cause.exit(),
            Self::NoRoots { .. } => Exit::Usage,
            Self::NotSent { .. }
            | Self::Unreached { .. }
            | Self::Untrusted { .. }
            | Self::Redirected { .. }
            | Self::Broken { .. }
            | Self::Unreadable { .. } => Exit::Unreachable,
            Self::Interrupted { terminated: false, .. } => Exit::Interrupted,
            Self::Interrupted { terminated: true, .. } => Exit::Terminated,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::NoKey(cause) => cause.code(),
            Self::Closed { .. } => "rate_limited",
            Self::NotOffered(_) => "not_offered",
            Self::NotSent { .. } => "unsendable",
            Self::NoRoots { .. } => "unusable_certificates",
            Self::Unreached { .. } => "unreachable",
            Self::Untrusted { .. } => "untrusted",
            Self::Unsettled { .. } => "outcome_unknown",
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
            Self::Refused { status: 402, .. } => {
                Some("see what is left with `keys credits`, and add credits where the service is paid for".to_owned())
            }
            Self::Refused { status: 429, .. } | Self::Closed { .. } => {
                Some("run the same command again later, or let it wait longer with --max-wait".to_owned())
            }
            Self::Unreached { .. } => Some("check the address and the network; nothing was changed".to_owned()),
            Self::Untrusted { .. } => Some(
                "nothing was sent; if the service has an authority of its own, name its certificate with --ca-cert FILE"
                    .to_owned(),
            ),
            Self::NoRoots { .. } => Some("name a file of PEM with the certificates of authorities".to_owned()),
            Self::Redirected { .. } => {
                Some("redirects are not followed with a key: set the final address with --api-url".to_owned())
            }
            Self::Unreadable { .. } => {
                Some("check that --api-url is the address of the API, and look at the exchange with -vv".to_owned())
            }
            Self::Refused { .. }
            | Self::NotOffered(_)
            | Self::NotSent { .. }
            | Self::Broken { .. }
            | Self::Unsettled { .. }
            | Self::Interrupted { .. } => None,
        }
    }
}

/// What is wrong with the first of the fields that a service lists: `name: field required`.
fn first_detail(details: &Value) -> Option<String> {
    let first = details.get(0)?;
    let message = first["msg"].as_str().filter(|text| !text.trim().is_empty())?;
    let place = first["loc"].as_array().and_then(|place| place.last()).and_then(Value::as_str);
    let text = place.map_or_else(|| message.to_owned(), |place| format!("{place}: {message}"));
    Some(text::escape(&text).into_owned())
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
        let listed = r#"{"detail":[{"loc":["body","name"],"msg":"field required","type":"missing"}]}"#;
        assert_eq!(refused(422, listed, false).to_string(), "name: field required");
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
        let unreached = HttpError::Unreached { what: String::new() };
        assert_eq!((unreached.exit(), unreached.is_unsure()), (Exit::Unreachable, false));
        let unsettled = HttpError::Unsettled { last: Box::new(unreached) };
        assert_eq!((unsettled.exit(), unsettled.is_unsure()), (Exit::Unknown, true));
    }

    #[test]
    fn a_service_that_is_closed_says_until_when() {
        let until = Timestamp::from_second(1_771_977_600).unwrap();
        let said = |status| refused(status, r#"{"error":"Slow down"}"#, true).lasting(Some(until)).to_string();
        assert_eq!(said(429), "Slow down; the service takes requests again at 2026-02-25T00:00:00Z");
        assert_eq!(said(404), "Slow down");
        let told = refused(429, r#"{"error":"Resets at 2026-02-25T00:00:00Z"}"#, true).lasting(Some(until));
        assert_eq!(told.to_string(), "Resets at 2026-02-25T00:00:00Z");
        let closed = HttpError::Closed { until };
        assert_eq!(closed.to_string(), "the service takes no more requests until 2026-02-25T00:00:00Z");
        assert_eq!((closed.exit(), closed.is_unsure()), (Exit::Limited, false));
    }
}
