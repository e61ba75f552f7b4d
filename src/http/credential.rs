//! The key that requests carry: at hand, or fetched from where it is kept when the first request goes.

use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::HttpError;
use crate::exit::Explain;
use crate::model::secret::PlainKey;

/// Why there is no key after all. Knows its exit code and its next step, whatever it is.
pub(crate) type NoKey = Box<dyn Explain + Send + Sync>;

/// Fetches the key; may take seconds.
type Fetch = Arc<dyn Fn() -> Result<PlainKey, NoKey> + Send + Sync>;

/// The header that a key is sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `Authorization: Bearer …`
    Bearer,
    /// `X-Api-Key: …`
    ApiKey,
}

impl Scheme {
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Bearer => "authorization",
            Self::ApiKey => "x-api-key",
        }
    }

    pub(super) const fn before_the_key(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer ",
            Self::ApiKey => "",
        }
    }
}

/// A key that need not be there before it is sent.
pub(crate) struct Credential {
    pub(super) scheme: Scheme,
    key: OnceCell<PlainKey>,
    fetch: Option<Fetch>,
    /// The part that may be shown, where it is known without the key.
    shown: Option<String>,
}

impl Credential {
    /// A key at hand, of which the first characters may be shown.
    pub(crate) fn given(key: PlainKey, shown: usize) -> Self {
        let prefix = key.expose().get(..shown).unwrap_or_default().to_owned();
        Self { scheme: Scheme::Bearer, key: OnceCell::new_with(Some(key)), fetch: None, shown: Some(prefix) }
    }

    /// A key that is fetched at most once, and not before it is needed.
    pub(crate) fn fetched(
        fetch: impl Fn() -> Result<PlainKey, NoKey> + Send + Sync + 'static,
        shown: Option<String>,
    ) -> Self {
        Self { scheme: Scheme::Bearer, key: OnceCell::new(), fetch: Some(Arc::new(fetch)), shown }
    }

    /// The same key, sent in another header.
    pub(crate) fn sent_as(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    pub(super) fn shown(&self) -> String {
        format!("{}{}…", self.scheme.before_the_key(), self.shown_prefix())
    }

    /// The part that may be shown.
    pub(super) fn shown_prefix(&self) -> &str {
        self.shown.as_deref().unwrap_or_default()
    }

    /// The key. Fetched on a thread of its own, so that an interruption is noticed meanwhile.
    pub(super) async fn key(&self) -> Result<&PlainKey, HttpError> {
        let fetched = self.key.get_or_try_init(|| async {
            let fetch = self.fetch.clone().ok_or_else(|| HttpError::NotSent { what: "there is no key".to_owned() })?;
            let waited = tokio::task::spawn_blocking(move || fetch()).await;
            waited.map_err(|error| HttpError::NotSent { what: error.to_string() })?.map_err(HttpError::NoKey)
        });
        fetched.await
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credential")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use zeroize::Zeroizing;

    use super::*;

    #[tokio::test]
    async fn a_key_is_fetched_once_and_only_when_it_is_needed() {
        let fetches = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&fetches);
        let fetch = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            PlainKey::parse(&Zeroizing::new("wbk_12345678_secret".to_owned())).map_err(|_| unreachable!())
        };
        let credential = Credential::fetched(fetch, Some("wbk_1234".to_owned()));
        assert_eq!((credential.shown(), fetches.load(Ordering::Relaxed)), ("Bearer wbk_1234…".to_owned(), 0));
        for _ in 0..3 {
            assert_eq!(credential.key().await.unwrap().expose(), "wbk_12345678_secret");
        }
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
        assert_eq!(format!("{credential:?}"), "Credential");
    }
}
