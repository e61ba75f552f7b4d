//! What `-v` and `-vv` say of requests on standard error, as they go and come.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};

use super::terms::Detail;
use super::{HttpError, RawAnswer, redact};
use crate::terminal::Voice;
use crate::text;

/// Says what goes and comes.
pub(super) struct Trace {
    detail: Detail,
    voice: Voice,
    sent: AtomicUsize,
}

/// A request that was said.
pub(super) struct Number(usize);

impl Trace {
    pub(super) const fn new(detail: Detail, voice: Voice) -> Self {
        Self { detail, voice, sent: AtomicUsize::new(0) }
    }

    /// `credential` is the part of it that may be shown.
    pub(super) fn goes(&self, method: &str, url: &str, headers: &HeaderMap, body: &[u8], credential: &str) -> Number {
        let number = Number(self.sent.fetch_add(1, Ordering::Relaxed) + 1);
        if self.detail == Detail::Nothing {
            return number;
        }
        let url = text::without_encoded_plaintexts(url).into_owned();
        self.said(&number, '>', &format!("{method} {url}"), Some((headers, body)), credential);
        number
    }

    /// `headers` and what else the service says are without the credential.
    pub(super) fn comes(&self, number: &Number, answer: &RawAnswer, headers: &HeaderMap, took: Duration) {
        if self.detail == Detail::Nothing {
            return;
        }
        let id = answer.request_id.as_deref().map(|id| format!(", {id}")).unwrap_or_default();
        let size = text::count(answer.body.len(), "byte");
        let line = format!("{} in {} ms, {size}{id}", answer.status, took.as_millis());
        self.said(number, '<', &line, Some((headers, &answer.body)), "");
    }

    /// No answer came, or none that is one.
    pub(super) fn fails(&self, number: &Number, error: &HttpError, took: Duration) {
        if self.detail != Detail::Nothing {
            self.said(number, '<', &format!("nothing after {} ms: {error}", took.as_millis()), None, "");
        }
    }

    fn said(&self, number: &Number, way: char, line: &str, whole: Option<(&HeaderMap, &[u8])>, credential: &str) {
        let start = format!("[{}] {way}", number.0);
        let mut said = format!("{start} {}", text::escape(line));
        if let Some((headers, body)) = whole.filter(|_| self.detail == Detail::Everything) {
            for (name, value) in headers {
                let value = redact::header(name.as_str(), value_of(value), credential);
                said.extend(["\n", &start, " ", name.as_str(), ": ", &value]);
            }
            let body = redact::body(body);
            if !body.is_empty() {
                said.extend(["\n", &start, " ", &body]);
            }
        }
        self.voice.tell(&said);
    }
}

fn value_of(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or(redact::HIDDEN)
}
