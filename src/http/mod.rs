//! The client's road: requests, answers and what can go wrong between them. Knows no endpoint.

mod credential;
mod embedded;
mod error;
mod interruption;
mod network;
mod pace;
mod redact;
mod retry;
mod road;
mod terms;
mod told;
mod trace;
mod trust;

pub(crate) use credential::{Credential, NoKey, Scheme};
pub(crate) use error::HttpError;
pub(crate) use network::{Network, NotAnAddress};
pub(crate) use terms::{Detail, Terms, Trust};

use std::str::FromStr;

use axum::Router;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use self::interruption::{Doubt, or_interrupted};
use crate::model::quota::Quota;
use crate::model::secret::{Random, hex};

/// Answers larger than this are refused: a page of a thousand keys takes a thirtieth of it.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// More pages than this under way fetch nothing sooner, and are kept in memory.
const AT_ONCE: usize = 4;

/// Makes the same request again safe: the service answers it with the original answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// One that no other request has.
    pub(crate) fn fresh(random: Random<'_>) -> Self {
        let mut bytes = [0_u8; 16];
        random(&mut bytes);
        Self(hex(&bytes))
    }

    /// One of several under a common one: for the same part always the same.
    pub(crate) fn part(&self, name: &str) -> Self {
        Self(hex(&Sha256::digest(format!("{}\0{name}", self.0))))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
        if !(1..=255).contains(&text.len()) || !text.bytes().all(visible) {
            return Err("it takes 1 to 255 visible ASCII characters without quotes");
        }
        Ok(Self(text.to_owned()))
    }
}

/// A request to a management API, without the credential, which the transport adds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    method: Method,
    /// `/v1/api-keys?page=1`, percent-encoded.
    target: String,
    body: Option<Value>,
    /// Every POST has one, and every other change.
    idempotency_key: Option<IdempotencyKey>,
    /// Whether it changes anything: then a lost answer leaves its outcome unknown.
    changes: bool,
}

/// The methods that management APIs use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl Request {
    pub(crate) fn get(target: String) -> Self {
        Self { method: Method::Get, target, body: None, idempotency_key: None, changes: false }
    }

    /// A question that changes nothing, but is asked in a body, because what it holds is secret and addresses are written
    /// into logs.
    pub(crate) fn ask(target: String, body: Value, idempotency_key: &IdempotencyKey) -> Self {
        Self { changes: false, ..Self::change(Method::Post, target, Some(body), idempotency_key) }
    }

    pub(crate) fn change(
        method: Method,
        target: String,
        body: Option<Value>,
        idempotency_key: &IdempotencyKey,
    ) -> Self {
        Self { method, target, body, idempotency_key: Some(idempotency_key.clone()), changes: true }
    }

    /// Whether the request can change anything.
    pub(crate) const fn changes(&self) -> bool {
        self.changes
    }

    /// The secrets that a question holds.
    fn asked_about(&self) -> impl Iterator<Item = &str> {
        let fields = self.body.as_ref().filter(|_| !self.changes).and_then(Value::as_object);
        fields.into_iter().flat_map(Map::values).filter_map(Value::as_str).filter(|text| text.len() >= redact::SHORT)
    }

    /// The headers it is sent with, but for the credential.
    fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("accept", "application/json".to_owned())];
        if self.body.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        if let Some(key) = &self.idempotency_key {
            headers.push(("idempotency-key", key.as_str().to_owned()));
        }
        headers
    }

    fn body_bytes(&self) -> Zeroizing<Vec<u8>> {
        let bytes = self.body.as_ref().map(|body| serde_json::to_vec(body).unwrap_or_default());
        Zeroizing::new(bytes.unwrap_or_default())
    }
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// Whether the service says that this is the answer to an earlier, equal request.
    pub(crate) replayed: bool,
    /// What is left of the day, where the service says so.
    pub(crate) quota: Option<Quota>,
}

/// Where requests go.
pub(crate) enum Transport {
    /// The service within this process.
    Embedded(Router),
    /// A service elsewhere.
    Network(Box<Network>),
}

impl Transport {
    /// Sends a request. Anything but a 2xx answer is an error.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, HttpError> {
        let doubt = Doubt::default();
        let exchange = async {
            match self {
                Self::Embedded(router) => {
                    if request.changes() {
                        doubt.begins();
                    }
                    embedded::send(router, request).await?.into_answer(request)
                }
                Self::Network(network) => network.send(request, &doubt).await,
            }
        };
        or_interrupted(exchange, request.changes(), &doubt).await
    }

    /// How many requests are worth sending at once: the service in this process answers one after the other.
    pub(crate) const fn at_once(&self) -> usize {
        match self {
            Self::Embedded(_) => 1,
            Self::Network(_) => AT_ONCE,
        }
    }

    /// The request exactly as it would be sent, the credential shortened to the part that may be shown.
    pub(crate) fn preview(&self, request: &Request) -> Preview {
        let (url, credential) = match self {
            Self::Embedded(_) => (format!("local:{}", request.target), None),
            Self::Network(network) => (network.url(request), Some(network.shown_credential())),
        };
        let mut headers = request.headers();
        headers.extend(credential);
        Preview { method: request.method.as_str(), url, headers, body: request.body.clone() }
    }
}

/// A request to look at.
#[derive(Debug)]
pub(crate) struct Preview {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

/// An answer as it came.
struct RawAnswer {
    status: u16,
    request_id: Option<String>,
    replayed: bool,
    quota: Option<Quota>,
    body: Zeroizing<Vec<u8>>,
}

impl RawAnswer {
    fn into_answer(self, request: &Request) -> Result<Answer, HttpError> {
        if (200..300).contains(&self.status) {
            return Ok(Answer { body: self.body, replayed: self.replayed, quota: self.quota });
        }
        Err(HttpError::refused(self.status, &self.body, self.request_id, request.changes()))
    }
}
