//! A service elsewhere: its address, one reqwest client, made when the first request is sent, and one try of a request.
//!
//! Redirects are off, because a credential must not follow them. Plain `http` is for loopback only, and no proxy is ever
//! used for it. HTTP/1.1 alone: of a thousand requests, 16 at once, HTTP/2 saved a tenth (0.17 to 0.19 of what curl takes in
//! sequence), of a single one nothing, and it would be a second implementation of everything that can go wrong.

use std::sync::OnceLock;
use std::time::Instant;

use axum::http::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use thiserror::Error;
use zeroize::Zeroizing;

use super::road::Road;
use super::told::{Told, quota};
use super::trace::{Number, Trace};
use super::{Answer, Credential, HttpError, LARGEST_ANSWER, RawAnswer, Request, Terms, redact, trust};
use crate::exit::{Exit, Explain};
use crate::system;
use crate::terminal::Voice;

/// A service reached over TCP.
pub(crate) struct Network {
    base: Url,
    credential: Credential,
    pub(super) terms: Terms,
    pub(super) road: Road,
    trace: Trace,
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
    pub(crate) fn new(base: &str, credential: Credential, terms: Terms, voice: Voice) -> Result<Self, NotAnAddress> {
        let trace = Trace::new(terms.detail, voice.clone());
        let road = Road::new(voice);
        Ok(Self { base: address(base)?, credential, terms, road, trace, client: OnceLock::new() })
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
        (self.credential.scheme.header(), self.credential.shown())
    }

    /// One try of a request, and what its answer says of the next one.
    pub(super) async fn attempt(&self, request: &Request) -> (Result<Answer, HttpError>, Told) {
        let mut told = Told::default();
        let answer = self.exchange(request, &mut told).await;
        (answer.and_then(|answer| answer.into_answer(request)), told)
    }

    async fn exchange(&self, request: &Request, told: &mut Told) -> Result<RawAnswer, HttpError> {
        let outgoing = self.outgoing(request).await?;
        let body = outgoing.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let shown = self.credential.shown_prefix();
        let number = self.trace.goes(request.method.as_str(), outgoing.url().as_str(), outgoing.headers(), body, shown);
        let start = Instant::now();
        let answer = self.answer(outgoing, request, told, &number, start).await;
        if let Err(error) = &answer {
            self.trace.fails(&number, error, start.elapsed());
        }
        answer
    }

    async fn outgoing(&self, request: &Request) -> Result<reqwest::Request, HttpError> {
        let not_sent = |what: String| HttpError::NotSent { what };
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes());
        let mut outgoing = self
            .client()?
            .request(method.map_err(|error| not_sent(error.to_string()))?, self.url(request))
            .header(self.credential.scheme.header(), self.authorization().await?)
            .body(request.body_bytes().to_vec());
        for (name, value) in request.headers() {
            outgoing = outgoing.header(name, value);
        }
        outgoing.build().map_err(|error| not_sent(innermost(&error)))
    }

    async fn answer(
        &self,
        outgoing: reqwest::Request,
        request: &Request,
        told: &mut Told,
        number: &Number,
        start: Instant,
    ) -> Result<RawAnswer, HttpError> {
        let lost = |error: &reqwest::Error| HttpError::Broken { what: self.loss(error), changes: request.changes() };
        let sent = self.client()?.execute(outgoing).await;
        let mut answer = sent.map_err(|error| unreached(&error).unwrap_or_else(|| lost(&error)))?;
        let secrets: Vec<&str> =
            std::iter::once(self.credential.key().await?.expose()).chain(request.asked_about()).collect();
        let headers = secrets.iter().fold(answer.headers().clone(), without);
        *told = Told::read(&headers, system::now());
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = answer.status().as_u16();
        let too_large = HttpError::Unreadable { what: "it is larger than any answer", changes: request.changes() };
        if answer.content_length().is_some_and(|length| length > LARGEST_ANSWER as u64) {
            return Err(too_large);
        }
        let length = answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        let mut body = Zeroizing::new(Vec::with_capacity(length));
        while let Some(chunk) = answer.chunk().await.map_err(|error| lost(&error))? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        let raw = RawAnswer {
            status,
            request_id: header("x-request-id"),
            replayed: header("idempotency-replayed").is_some(),
            quota: quota(&headers),
            body: secrets.iter().fold(body, redacted),
        };
        self.trace.comes(number, &raw, &headers, start.elapsed());
        if (300..400).contains(&status) {
            // 307 and 308 say that nothing was done yet; the others are also how a change that was made is answered.
            let changes = request.changes() && !matches!(status, 307 | 308);
            return Err(HttpError::Redirected { location: header("location"), changes });
        }
        Ok(raw)
    }

    /// Why no answer came.
    fn loss(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("none came in time, and --timeout is {} s", self.terms.timeout.as_secs());
        }
        innermost(error)
    }

    async fn authorization(&self) -> Result<HeaderValue, HttpError> {
        let text = Zeroizing::new(format!(
            "{}{}",
            self.credential.scheme.before_the_key(),
            self.credential.key().await?.expose()
        ));
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
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(self.terms.connecting())
            .read_timeout(self.terms.silence())
            .timeout(self.terms.timeout)
            .user_agent(concat!("keys/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&self.base) {
            builder = builder.no_proxy();
        }
        // Without TLS there is nothing to verify: loading the roots would be the slowest part of the whole call.
        let is_plain = self.base.scheme() == "http";
        match if is_plain { trust::none().map(Some) } else { trust::configuration(&self.terms.trust) }? {
            Some(verifying) => builder = builder.tls_backend_preconfigured(verifying),
            // Another provider may be installed already; then that one is as good.
            None => drop(rustls::crypto::ring::default_provider().install_default()),
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

/// A body without a secret that was sent, the credential or the key that is sought: some services quote what they were
/// sent, and what they say is printed.
fn redacted(body: Zeroizing<Vec<u8>>, secret: &&str) -> Zeroizing<Vec<u8>> {
    if memchr::memmem::find(&body, secret.as_bytes()).is_none() {
        return body;
    }
    Zeroizing::new(String::from_utf8_lossy(&body).replace(*secret, redact::HIDDEN).into_bytes())
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// Headers without a secret that was sent.
fn without(mut headers: HeaderMap, secret: &&str) -> HeaderMap {
    for value in headers.values_mut() {
        let quoted = value.to_str().ok().filter(|text| text.contains(secret));
        if let Some(quoted) = quoted {
            let without = HeaderValue::from_str(&redact::without(quoted, secret).replace(redact::HIDDEN, "..."));
            *value = without.unwrap_or_else(|_| HeaderValue::from_static("..."));
        }
    }
    headers
}

/// What keeps a request from being sent; `None` where it may have been sent.
fn unreached(error: &reqwest::Error) -> Option<HttpError> {
    if !error.is_connect() && !error.is_builder() {
        return None;
    }
    let what = innermost(error);
    Some(if is_of_tls(error) { HttpError::Untrusted { what } } else { HttpError::Unreached { what } })
}

/// Whether TLS is what failed: it fails the same way each time.
fn is_of_tls(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if current.is::<rustls::Error>() {
            return true;
        }
        // What an error of I/O holds is not its source: that is the source of what it holds.
        let held = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = held.map(|held| held as _).or_else(|| current.source());
    }
    false
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
        Network::new(base, Credential::given(key, 12), Terms::default(), Voice::unheard()).is_ok()
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
