//! The road to a service elsewhere: one reqwest client, made when the first request is sent.
//!
//! Redirects are off, because a credential must not follow them. Plain `http` is for loopback only, and no proxy is ever
//! used for it.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Credential, HttpError, LARGEST_ANSWER, RawAnswer, Request};
use crate::exit::{Exit, Explain};

/// What stands where a service quoted the credential.
const REDACTED: &str = "…";

/// A service reached over TCP.
pub(crate) struct Network {
    base: Url,
    credential: Credential,
    timeout: Duration,
    client: OnceLock<Client>,
}

/// An address that requests cannot go to.
#[derive(Debug, Error)]
pub(crate) enum NotAnAddress {
    #[error("`{0}` is not the address of a service")]
    Unreadable(String),
    #[error("`{0}` is neither https nor on this machine: the key would travel in the clear")]
    Insecure(String),
    #[error("the address holds a user name or a password, a query or a fragment")]
    Decorated,
}

impl Explain for NotAnAddress {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn code(&self) -> &'static str {
        "invalid_api_url"
    }

    fn hint(&self) -> Option<String> {
        Some("give an address such as https://keys.example.com or http://127.0.0.1:8080".to_owned())
    }
}

impl Network {
    pub(crate) fn new(base: &str, credential: Credential, timeout: Duration) -> Result<Self, NotAnAddress> {
        Ok(Self { base: address(base)?, credential, timeout, client: OnceLock::new() })
    }

    /// Refuses an address that requests cannot go to, before anything else is done for it.
    pub(crate) fn check(base: &str) -> Result<(), NotAnAddress> {
        address(base).map(drop)
    }

    /// The host, for messages.
    pub(crate) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    pub(super) fn url(&self, request: &Request) -> String {
        format!("{}{}", self.base.as_str().trim_end_matches('/'), request.target)
    }

    pub(super) fn shown_credential(&self) -> (&'static str, String) {
        ("authorization", self.credential.shown())
    }

    pub(super) async fn send(&self, request: &Request) -> Result<RawAnswer, HttpError> {
        let not_sent = |what: String| HttpError::NotSent { what };
        let broken = |what: String| HttpError::Broken { what, changes: request.changes() };
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes());
        let mut outgoing = self
            .client()?
            .request(method.map_err(|error| not_sent(error.to_string()))?, self.url(request))
            .header("authorization", self.authorization().await?)
            .body(request.body_bytes().to_vec());
        for (name, value) in request.headers() {
            outgoing = outgoing.header(HeaderName::from_static(name), value);
        }
        let mut answer = outgoing.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                not_sent(innermost(&error))
            } else {
                broken(innermost(&error))
            }
        })?;
        let credential = self.credential.key().await?.expose();
        let header = |name: &str| {
            let text = answer.headers().get(name).and_then(|value| value.to_str().ok());
            text.map(|text| text.replace(credential, REDACTED))
        };
        let (status, request_id) = (answer.status().as_u16(), header("x-request-id"));
        let replayed = header("idempotency-replayed").is_some();
        if (300..400).contains(&status) {
            // 307 and 308 say that nothing was done yet; the others are also how a change that was made is answered.
            let changes = request.changes() && !matches!(status, 307 | 308);
            return Err(HttpError::Redirected { location: header("location").unwrap_or_default(), changes });
        }
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = answer.chunk().await.map_err(|error| broken(innermost(&error)))? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(broken(format!("the answer is larger than {LARGEST_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(RawAnswer { status, request_id, replayed, body: redacted(body, credential) })
    }

    async fn authorization(&self) -> Result<HeaderValue, HttpError> {
        let text = Zeroizing::new(format!("Bearer {}", self.credential.key().await?.expose()));
        let unsendable = |_| HttpError::NotSent { what: "the key cannot be sent in a header".to_owned() };
        let mut value = HeaderValue::from_str(&text).map_err(unsendable)?;
        value.set_sensitive(true);
        Ok(value)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that builds a client")]
    fn client(&self) -> Result<&Client, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Another provider may be installed already; then that one is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(self.timeout.min(Duration::from_secs(10)))
            .timeout(self.timeout)
            .user_agent(concat!("keys/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&self.base) {
            builder = builder.no_proxy();
        }
        if self.base.scheme() == "http" {
            // Nothing to verify: loading the system's roots would be the slowest part of the whole call.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| HttpError::NotSent { what: innermost(&error) })?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// The address of a service that a key may be sent to.
fn address(base: &str) -> Result<Url, NotAnAddress> {
    let url = Url::parse(base).map_err(|_| NotAnAddress::Unreadable(base.to_owned()))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(NotAnAddress::Decorated);
    }
    match url.scheme() {
        "https" if url.has_host() => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(NotAnAddress::Insecure(base.to_owned())),
        _ => return Err(NotAnAddress::Unreadable(base.to_owned())),
    }
    Ok(url)
}

/// A body without the credential it was asked with: some services quote it back, and what they say is printed.
fn redacted(body: Zeroizing<Vec<u8>>, credential: &str) -> Zeroizing<Vec<u8>> {
    if !body.windows(credential.len()).any(|part| part == credential.as_bytes()) {
        return body;
    }
    Zeroizing::new(String::from_utf8_lossy(&body).replace(credential, REDACTED).into_bytes())
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// The last cause is the one that says what happened: `Connection refused`.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::PlainKey;

    fn accepts(base: &str) -> bool {
        let key = PlainKey::parse(&Zeroizing::new("wbk_12345678_secret".to_owned())).unwrap();
        Network::new(base, Credential::given(key, 12), Duration::from_secs(1)).is_ok()
    }

    #[test]
    fn a_key_travels_in_the_clear_on_this_machine_only() {
        for good in [
            "https://keys.example.com",
            "https://keys.example.com/base/",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(accepts(good), "{good}");
        }
        for bad in [
            "http://keys.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://127.0.0.1",
            "keys.example.com",
            "https://user:password@keys.example.com",
            "https://keys.example.com/?a=b",
            "",
            "https://",
        ] {
            assert!(!accepts(bad), "{bad}");
        }
    }
}
