//! Operations of ours, turned into the native provider's HTTP.

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesOrdered;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::wire::{
    AuditAnswer, AuditLogAnswer, CreditsAnswer, KeyAnswer, KeyBody, KeyChangeBody, KeyListAnswer, NewKeyBody,
    RevokeBody, UsageAnswer, WhoamiAnswer, read_issued, read_unseen,
};
use crate::http::{Answer, HttpError, IdempotencyKey, Method, Preview, Request, Transport};
use crate::model::audit::{AuditEntry, AuditFilter};
use crate::model::credits::Credits;
use crate::model::filter::{Filter, Sort};
use crate::model::key::{IssuedKey, Key, KeyChange, KeyId, NewKey};
use crate::model::secret::PlainKey;
use crate::model::selector::{Preference, Resolution, Selector};
use crate::model::usage::UsageReport;
use crate::model::whoami::Whoami;

/// The largest page the service gives.
const PER_PAGE: u32 = 1000;

/// The largest page of the audit log.
const AUDIT_PER_PAGE: u32 = 200;

/// A native service, embedded or elsewhere.
pub(crate) struct Client {
    transport: Transport,
    flags: String,
}

impl Client {
    /// `flags` are those that chose the service, for the lines that people are told to type next.
    pub(crate) const fn new(transport: Transport, flags: String) -> Self {
        Self { transport, flags }
    }

    /// The service's name in questions: its host, or `local`.
    pub(crate) fn host(&self) -> String {
        match &self.transport {
            Transport::Embedded(_) => "local".to_owned(),
            Transport::Network(network) => network.host(),
        }
    }

    /// The flags with which another command goes the same way; nothing where the environment says it.
    pub(crate) fn flags(&self) -> &str {
        &self.flags
    }

    /// Creates a key. The answer says whether this is what an earlier, equal request made.
    pub(crate) async fn create(
        &self,
        new: &NewKey,
        idempotency_key: &IdempotencyKey,
    ) -> Result<(IssuedKey, bool), HttpError> {
        let answer = self.transport.send(&creation(new, idempotency_key)).await?;
        let replayed = answer.replayed;
        read_issued(&answer.body)
            .map(|issued| (issued, replayed))
            .map_err(|what| HttpError::Unreadable { what, changes: true })
    }

    /// Creates a key that may have been created by the same request before. A service that has forgotten the plaintext
    /// still says which key it was.
    pub(crate) async fn mint(&self, new: &NewKey, idempotency_key: &IdempotencyKey) -> Result<Minted, HttpError> {
        let answer = self.transport.send(&creation(new, idempotency_key)).await?;
        let unreadable = |what| HttpError::Unreadable { what, changes: true };
        match read_issued(&answer.body) {
            Ok(issued) => Ok(Minted::Issued(Box::new(issued))),
            Err(what) => read_unseen(&answer.body).map(|key| Minted::Unseen(Box::new(key))).ok_or(unreadable(what)),
        }
    }

    /// A key by its id; `None` where there is none.
    pub(crate) async fn show(&self, id: &KeyId) -> Result<Option<Key>, HttpError> {
        match self.transport.send(&Request::get(path(id, "")?)).await {
            Ok(answer) => key(&answer, false).map(Some),
            Err(error) if error.is("not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The request that [`Client::create`] would send.
    pub(crate) fn preview_create(&self, new: &NewKey, idempotency_key: &IdempotencyKey) -> Preview {
        self.transport.preview(&creation(new, idempotency_key))
    }

    /// All keys, page by page. Of the filter, the state and the search narrow what is fetched; the rest is for the caller.
    pub(crate) fn list(&self, filter: &Filter, sort: Sort) -> Pages<'_> {
        let mut parameters = vec![("sort", sort.as_text())];
        parameters.extend(filter.state.map(|state| ("status", state.as_str().to_owned())));
        // Engines agree on upper and lower case among ASCII letters only; anything else is sought here.
        let search = filter.search.clone().filter(|text| text.is_ascii());
        parameters.extend(search.map(|text| ("search", text)));
        self.pages(&parameters)
    }

    /// The keys that a person means.
    pub(crate) async fn find(
        &self,
        selector: &Selector,
        preferred: Preference,
        now: Timestamp,
    ) -> Result<Resolution, HttpError> {
        let mut candidates = Vec::new();
        let mut pages = self.pages(&[("selector", selector.as_str().to_owned()), ("sort", "-created".to_owned())]);
        while let Some(page) = pages.next().await? {
            candidates.extend(page);
        }
        Ok(selector.resolve(candidates, preferred, now))
    }

    pub(crate) async fn edit(
        &self,
        id: &KeyId,
        change: &KeyChange,
        idempotency_key: &IdempotencyKey,
    ) -> Result<Key, HttpError> {
        let body = serde_json::to_value(KeyChangeBody::of(change)).ok();
        self.changed(Method::Patch, path(id, "")?, body, idempotency_key).await
    }

    pub(crate) async fn revoke(
        &self,
        id: &KeyId,
        reason: Option<&str>,
        idempotency_key: &IdempotencyKey,
    ) -> Result<Key, HttpError> {
        let body = serde_json::to_value(RevokeBody { reason: reason.map(str::to_owned) }).ok();
        self.changed(Method::Post, path(id, "/revoke")?, body, idempotency_key).await
    }

    pub(crate) async fn reactivate(&self, id: &KeyId, idempotency_key: &IdempotencyKey) -> Result<Key, HttpError> {
        self.changed(Method::Post, path(id, "/reactivate")?, None, idempotency_key).await
    }

    pub(crate) async fn delete(&self, id: &KeyId, idempotency_key: &IdempotencyKey) -> Result<(), HttpError> {
        let request = Request::change(Method::Delete, path(id, "")?, None, idempotency_key);
        self.transport.send(&request).await.map(|_| ())
    }

    /// Which key a plaintext is.
    pub(crate) async fn lookup(&self, plain: &PlainKey) -> Result<Key, HttpError> {
        let request = Request::ask("/v1/api-keys/lookup".to_owned(), json!({ "key": plain.expose() }));
        let answer = self.transport.send(&request).await?;
        key(&answer, false)
    }

    /// Who the credential is, as the service says.
    pub(crate) async fn whoami(&self) -> Result<Whoami, HttpError> {
        let answer = self.transport.send(&Request::get("/v1/whoami".to_owned())).await?;
        let WhoamiAnswer { data } = read(&answer, false)?;
        data.into_whoami().map_err(|what| HttpError::Unreadable { what, changes: false })
    }

    /// What the workspace used in these days up to today, or one of its keys.
    pub(crate) async fn usage(&self, key: Option<&KeyId>, days: u16) -> Result<UsageReport, HttpError> {
        let target = match key {
            Some(id) => format!("{}?days={days}", path(id, "/usage")?),
            None => format!("/v1/usage?days={days}"),
        };
        let UsageAnswer { data } = read(&self.transport.send(&Request::get(target)).await?, false)?;
        data.into_report().map_err(|what| HttpError::Unreadable { what, changes: false })
    }

    /// The credits of the workspace.
    pub(crate) async fn credits(&self) -> Result<Credits, HttpError> {
        let CreditsAnswer { data } = read(&self.transport.send(&Request::get("/v1/credits".to_owned())).await?, false)?;
        data.into_credits().map_err(|what| HttpError::Unreadable { what, changes: false })
    }

    /// One page of the audit log, newest first, and whether there are more.
    pub(crate) async fn audit(&self, filter: &AuditFilter, page: u32) -> Result<(Vec<AuditEntry>, bool), HttpError> {
        let mut target = format!("/v1/audit-logs?page={page}&per_page={AUDIT_PER_PAGE}");
        let given = [
            ("action", filter.action.clone()),
            ("resource_id", filter.resource.clone()),
            ("from", filter.from.map(|from| from.to_string())),
            ("to", filter.to.map(|to| to.to_string())),
            ("after", filter.after.clone()),
        ];
        for (name, value) in given.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            target.extend(["&", name, "="]);
            target.extend(encoded(&value));
        }
        let AuditLogAnswer { data, meta } = read(&self.transport.send(&Request::get(target)).await?, false)?;
        let more = !data.is_empty() && u64::from(page) * u64::from(meta.per_page.max(1)) < meta.total;
        let entries = data.into_iter().map(AuditAnswer::into_entry).collect::<Result<_, _>>();
        let entries = entries.map_err(|what| HttpError::Unreadable { what, changes: false })?;
        Ok((entries, more))
    }

    async fn changed(
        &self,
        method: Method,
        target: String,
        body: Option<serde_json::Value>,
        idempotency_key: &IdempotencyKey,
    ) -> Result<Key, HttpError> {
        let answer = self.transport.send(&Request::change(method, target, body, idempotency_key)).await?;
        key(&answer, true)
    }

    fn pages(&self, parameters: &[(&str, String)]) -> Pages<'_> {
        let mut query = String::new();
        for (name, value) in parameters {
            query.extend(["&", name, "="]);
            query.extend(encoded(value));
        }
        Pages::new(self, query)
    }
}

/// What a service answers that is asked for a key, perhaps for the second time.
pub(crate) enum Minted {
    Issued(Box<IssuedKey>),
    /// A key whose plaintext it does not show again.
    Unseen(Box<Key>),
}

/// The pages of a list. After the first one, which says how many there are, some are fetched ahead.
pub(crate) struct Pages<'a> {
    client: &'a Client,
    query: String,
    /// The next to be given.
    page: u32,
    /// Those that are on their way, from that one on.
    ahead: FuturesOrdered<LocalBoxFuture<'a, Result<Answer, HttpError>>>,
    /// The last one, as far as it is known.
    last: u32,
    /// The first key of the page before: a service that ignores the page's number would be read for ever.
    first: Option<KeyId>,
    ended: bool,
}

impl<'a> Pages<'a> {
    fn new(client: &'a Client, query: String) -> Self {
        Self { client, query, page: 1, ahead: FuturesOrdered::new(), last: 1, first: None, ended: false }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Key>>, HttpError> {
        if self.ended {
            return Ok(None);
        }
        self.fetch_ahead();
        let Some(answer) = self.ahead.next().await else { return Ok(None) };
        let KeyListAnswer { data, meta } = {
            // Gone before the keys are made of what was read: several pages are in memory at once as it is.
            let answer = answer?;
            read(&answer, false)?
        };
        let keys = data.into_iter().map(KeyBody::into_key).collect::<Result<Vec<Key>, _>>();
        let keys = keys.map_err(|what| HttpError::Unreadable { what, changes: false })?;
        let first = keys.first().map(|key| key.id.clone());
        if first.is_some() && first == self.first {
            return Err(HttpError::Unreadable { what: "its pages repeat", changes: false });
        }
        self.first = first;
        // Pages may be smaller than asked for, and the total may change while they are fetched; an empty page is the end
        // whatever it says.
        let size = meta.as_ref().map_or(PER_PAGE, |meta| meta.per_page.max(1));
        let whole = keys.len() >= size as usize;
        let more = meta.as_ref().is_none_or(|meta| u64::from(self.page) * u64::from(size) < meta.total);
        self.ended = !(whole && more);
        self.page += 1;
        let pages = meta.map(|meta| u32::try_from(meta.total.div_ceil(size.into())).unwrap_or(u32::MAX));
        self.last = pages.unwrap_or(self.page);
        Ok(Some(keys))
    }

    /// Asks for the pages from the next one on, as many as may be on their way at once and not beyond the last.
    fn fetch_ahead(&mut self) {
        let most = self.client.transport.at_once();
        let mut page = self.page.saturating_add(u32::try_from(self.ahead.len()).unwrap_or(u32::MAX));
        while self.ahead.len() < most && (page <= self.last || self.ahead.is_empty()) {
            let request = Request::get(format!("/v1/api-keys?page={page}&per_page={PER_PAGE}{}", self.query));
            let client = self.client;
            self.ahead.push_back(Box::pin(async move { client.transport.send(&request).await }));
            page += 1;
        }
    }
}

fn creation(new: &NewKey, idempotency_key: &IdempotencyKey) -> Request {
    let body = serde_json::to_value(NewKeyBody::of(new)).ok();
    Request::change(Method::Post, "/v1/api-keys".to_owned(), body, idempotency_key)
}

/// The path of a key. An id that a path swallows, such as `..`, would lead elsewhere.
fn path(id: &KeyId, action: &str) -> Result<String, HttpError> {
    if matches!(id.as_str(), "" | "." | "..") {
        return Err(HttpError::NotSent { what: "the key's id cannot stand in an address".to_owned() });
    }
    Ok(format!("/v1/api-keys/{}{action}", encoded(id.as_str())))
}

/// Percent-encodes all but what RFC 3986 calls unreserved: ids are opaque and may hold anything.
fn encoded(text: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}

fn key(answer: &Answer, changes: bool) -> Result<Key, HttpError> {
    let KeyAnswer { data } = read(answer, changes)?;
    data.into_key().map_err(|what| HttpError::Unreadable { what, changes })
}

/// Reads an answer. Why it cannot be read is not quoted: it may hold a secret.
fn read<T: DeserializeOwned>(answer: &Answer, changes: bool) -> Result<T, HttpError> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| HttpError::Unreadable { what: "its JSON has another shape", changes })
}
