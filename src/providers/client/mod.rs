//! The one client: operations of ours, said in the dialect of the provider that is spoken to.
//!
//! What a provider does not do is known before anything is sent. What a host turns out not to do is said in the same way:
//! a sentence with the provider, what was asked, and where to do it instead.

pub(crate) mod dialect;
mod gathered;
mod log;
mod pages;
mod rounds;

pub(crate) use self::log::LogPages;
pub(crate) use self::pages::Pages;

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use self::dialect::{Dialect, Wanted};
use super::wire::Unreadable;
use super::{Ability, Provider, Rules};
use crate::http::{
    Answer, Credential, HttpError, IdempotencyKey, Network, NotAnAddress, Preview, Request, Terms, Transport,
};
use crate::model::audit::AuditFilter;
use crate::model::credits::Credits;
use crate::model::filter::{Filter, Sort};
use crate::model::key::{IssuedKey, Key, KeyChange, KeyId, NewKey};
use crate::model::lifetime::Lifetime;
use crate::model::quota::Quota;
use crate::model::secret::PlainKey;
use crate::model::selector::{Preference, Resolution, Selector};
use crate::model::usage::UsageReport;
use crate::model::whoami::Whoami;
use crate::terminal::Voice;

macro_rules! speak {
    ($($(#[doc = $about:literal])* $name:ident = $room:ident,)*) => {
        fn dialect(provider: Provider) -> &'static dyn Dialect {
            match provider {
                $(Provider::$name => crate::providers::$room::client::DIALECT,)*
            }
        }
    };
}

each_provider!(speak);

/// What a request is for.
struct Task {
    doing: &'static str,
    /// Whether it is about one key: then a path that leads nowhere is a key that is not there, where the service says so.
    of_one: bool,
}

const fn of_all(doing: &'static str) -> Task {
    Task { doing, of_one: false }
}

const fn of_one(doing: &'static str) -> Task {
    Task { doing, of_one: true }
}

const CREATE: Task = of_all("create keys");
const LIST: Task = of_all("list keys");
const SHOW: Task = of_one("show keys");
const EDIT: Task = of_one("change keys");
const REVOKE: Task = of_one("revoke keys");
const REACTIVATE: Task = of_one("reactivate keys");
const DELETE: Task = of_one("delete keys");
const LOOKUP: Task = of_all("tell which key a plaintext is");
const WHOAMI: Task = of_all("tell who calls");
const USAGE: Task = of_all("tell what was used");
const USAGE_OF_ONE: Task = of_one("tell what a key used");
const CREDITS: Task = of_all("tell the credits that are left");
const AUDIT: Task = of_all("show who changed what");

/// A service, embedded or elsewhere.
pub(crate) struct Client {
    rules: &'static Rules,
    dialect: &'static dyn Dialect,
    transport: Transport,
    flags: String,
    /// What the last answer that told it said is left of the day.
    left: Mutex<Option<Quota>>,
}

impl Client {
    /// `flags` are those that chose the service, for the lines that people are told to type next.
    pub(crate) fn new(provider: Provider, transport: Transport, flags: String) -> Self {
        Self { rules: provider.rules(), dialect: dialect(provider), transport, flags, left: Mutex::default() }
    }

    /// A service at an address.
    pub(crate) fn at(
        provider: Provider,
        address: &str,
        credential: Credential,
        (terms, voice): (Terms, Voice),
        flags: String,
    ) -> Result<Self, NotAnAddress> {
        let dialect = dialect(provider);
        let network = Network::new(dialect.base(address), credential.sent_as(dialect.scheme()), terms, voice)?;
        Ok(Self::new(provider, Transport::Network(Box::new(network)), flags))
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

    /// What was left of the day after the last request, where the service says so.
    pub(crate) fn left(&self) -> Option<Quota> {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the service counts the calls of each key. Where it does not, a report of usage is gathered from elsewhere.
    pub(crate) fn counts_calls(&self) -> bool {
        self.dialect.usage(None, 1).is_some()
    }

    /// Refuses what the provider does not do, before anything is sent.
    pub(crate) fn must_offer(&self, ability: Ability) -> Result<(), HttpError> {
        self.rules.lack(ability).map_or(Ok(()), |sentence| Err(HttpError::NotOffered(sentence.to_owned())))
    }

    /// Creates a key. The answer says whether this is what an earlier, equal request made.
    pub(crate) async fn create(&self, new: &NewKey, once: &IdempotencyKey) -> Result<(IssuedKey, bool), HttpError> {
        self.must_take(new)?;
        let answer = self.send(&self.dialect.create(new, once), &CREATE).await?;
        let issued = self.dialect.created(&answer.body).map_err(unreadable_change)?;
        Ok((issued, answer.replayed))
    }

    /// Creates a key that may have been created by the same request before. A service that has forgotten the plaintext
    /// still says which key it was.
    pub(crate) async fn mint(&self, new: &NewKey, once: &IdempotencyKey) -> Result<Minted, HttpError> {
        self.must_take(new)?;
        let answer = self.send(&self.dialect.create(new, once), &CREATE).await?;
        match self.dialect.created(&answer.body) {
            Ok(issued) => Ok(Minted::Issued(Box::new(issued))),
            Err(what) => {
                let unseen = self.dialect.unseen(&answer.body).ok_or_else(|| unreadable_change(what))?;
                Ok(Minted::Unseen(Box::new(unseen)))
            }
        }
    }

    /// A provider that takes instants would make a key without an end of one that is said otherwise.
    fn must_take(&self, new: &NewKey) -> Result<(), HttpError> {
        if matches!(new.lifetime, Lifetime::After(_)) && !self.rules.takes_lengths {
            let what = format!("{} takes the instant at which a key ends, and no length of time", self.rules.title);
            return Err(HttpError::NotSent { what });
        }
        Ok(())
    }

    /// A key by its id; `None` where there is none.
    pub(crate) async fn show(&self, id: &KeyId) -> Result<Option<Key>, HttpError> {
        let Some(request) = self.dialect.show(&segment(id)?) else {
            return Ok(self.every().await?.into_iter().find(|key| key.id == *id));
        };
        match self.send(&request, &SHOW).await {
            Ok(answer) => {
                let described = self.dialect.described(&answer.body).map_err(unreadable)?;
                described.map(|key| of(id, key).map_err(unreadable)).transpose()
            }
            Err(error) if error.is("not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every key there is.
    pub(crate) async fn every(&self) -> Result<Vec<Key>, HttpError> {
        let mut keys = Vec::new();
        let mut pages = self.list(&Filter::default(), Sort::NEWEST_FIRST);
        while let Some(page) = pages.next().await? {
            keys.extend(page);
        }
        Ok(keys)
    }

    /// The request that [`Client::create`] would send.
    pub(crate) fn preview_create(&self, new: &NewKey, once: &IdempotencyKey) -> Preview {
        self.transport.preview(&self.dialect.create(new, once))
    }

    /// All keys, page by page. Of the filter, the state and the search narrow what is fetched; the rest is for the caller.
    pub(crate) fn list(&self, filter: &Filter, sort: Sort) -> Pages<'_> {
        // Engines agree on upper and lower case among ASCII letters only; anything else is sought here.
        let search = filter.search.clone().filter(|text| text.is_ascii());
        Pages::new(self, Wanted { state: filter.state, search, selector: None, sort })
    }

    /// The keys that a person means.
    pub(crate) async fn find(
        &self,
        selector: &Selector,
        preferred: Preference,
        now: Timestamp,
    ) -> Result<Resolution, HttpError> {
        let selected = Some(selector.as_str().to_owned());
        let wanted = Wanted { state: None, search: None, selector: selected, sort: Sort::NEWEST_FIRST };
        let mut candidates = Vec::new();
        let mut pages = Pages::new(self, wanted);
        while let Some(page) = pages.next().await? {
            // Not every provider narrows by it. Where every key has the same prefix, it means none of them.
            let says_nothing = self.rules.shape.public == 0;
            let could_be_meant = |key: &Key| {
                if says_nothing {
                    selector.could_mean(&Key { prefix: String::new(), ..key.clone() })
                } else {
                    selector.could_mean(key)
                }
            };
            candidates.extend(page.into_iter().filter(could_be_meant));
        }
        Ok(selector.resolve(candidates, preferred, now))
    }

    pub(crate) async fn edit(&self, id: &KeyId, change: &KeyChange, once: &IdempotencyKey) -> Result<Key, HttpError> {
        let request = self.offered(self.dialect.edit(&segment(id)?, change, once), Ability::Edit, &EDIT)?;
        self.described(id, &request, &EDIT).await
    }

    /// Switches a key off. The key as it is then, where the service describes it.
    pub(crate) async fn revoke(
        &self,
        id: &KeyId,
        reason: Option<&str>,
        once: &IdempotencyKey,
    ) -> Result<Option<Key>, HttpError> {
        let answer = self.send(&self.dialect.revoke(&segment(id)?, reason, once), &REVOKE).await?;
        let revoked = self.dialect.revoked(&answer.body).map_err(unreadable_change)?;
        revoked.map(|key| of(id, key).map_err(unreadable_change)).transpose()
    }

    pub(crate) async fn reactivate(&self, id: &KeyId, once: &IdempotencyKey) -> Result<Key, HttpError> {
        let request = self.dialect.reactivate(&segment(id)?, once);
        let request = self.offered(request, Ability::Reactivate, &REACTIVATE)?;
        self.described(id, &request, &REACTIVATE).await
    }

    pub(crate) async fn delete(&self, id: &KeyId, once: &IdempotencyKey) -> Result<(), HttpError> {
        let request = self.offered(self.dialect.delete(&segment(id)?, once), Ability::Delete, &DELETE)?;
        self.send(&request, &DELETE).await.map(drop)
    }

    /// Which key a plaintext is; `None` where it is none of this workspace.
    pub(crate) async fn lookup(&self, plain: &PlainKey, once: &IdempotencyKey) -> Result<Option<Key>, HttpError> {
        let request = self.offered(self.dialect.lookup(plain, once), Ability::Lookup, &LOOKUP)?;
        match self.transport.send(&request).await {
            Ok(answer) => self.dialect.described(&answer.body).map_err(unreadable),
            // In so many words: a host without this route has no word for it.
            Err(error) if error.is("not_found") => Ok(None),
            Err(error) => Err(self.understood(error, &LOOKUP)),
        }
    }

    /// Who the credential is, as the service says.
    pub(crate) async fn whoami(&self) -> Result<Whoami, HttpError> {
        let answer = self.send(&self.dialect.whoami(), &WHOAMI).await?;
        self.dialect.caller(&answer.body).map_err(unreadable)
    }

    /// What the workspace used in these days up to today, or one of its keys.
    pub(crate) async fn usage(&self, key: Option<&Key>, days: u16, now: Timestamp) -> Result<UsageReport, HttpError> {
        self.must_offer(Ability::Usage)?;
        let id = key.map(|key| segment(&key.id)).transpose()?;
        let Some(request) = self.dialect.usage(id.as_deref(), days) else {
            return self.gathered_usage(key, days, now).await;
        };
        let task = if key.is_some() { &USAGE_OF_ONE } else { &USAGE };
        let answer = self.send(&request, task).await?;
        self.dialect.used(&answer.body).map_err(unreadable)
    }

    /// The credits of the workspace.
    pub(crate) async fn credits(&self) -> Result<Credits, HttpError> {
        let request = self.offered(self.dialect.credits(), Ability::Credits, &CREDITS)?;
        let answer = self.send(&request, &CREDITS).await?;
        self.dialect.balance(&answer.body).map_err(unreadable)
    }

    /// The audit log, page by page, newest first.
    pub(crate) fn audit<'a>(&'a self, filter: &'a AuditFilter) -> LogPages<'a> {
        LogPages::new(self, filter)
    }

    async fn described(&self, id: &KeyId, request: &Request, task: &Task) -> Result<Key, HttpError> {
        let answer = self.send(request, task).await?;
        let key = self.dialect.described(&answer.body).map_err(unreadable_change)?;
        key.ok_or("it describes no key").and_then(|key| of(id, key)).map_err(unreadable_change)
    }

    /// A request that a provider may have no words for.
    fn offered(&self, request: Option<Request>, ability: Ability, task: &Task) -> Result<Request, HttpError> {
        self.must_offer(ability)?;
        request.ok_or_else(|| self.not_offered(task))
    }

    async fn send(&self, request: &Request, task: &Task) -> Result<Answer, HttpError> {
        let answer = self.transport.send(request).await.map_err(|error| self.understood(error, task))?;
        if answer.quota.is_some() {
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = answer.quota;
        }
        Ok(answer)
    }

    /// What a refusal means where it does not say so itself.
    fn understood(&self, mut error: HttpError, task: &Task) -> HttpError {
        if let HttpError::Refused { status, code, message, hint, wordless, .. } = &mut error {
            if matches!(status, 405 | 501) || *status == 404 && (*wordless || !task.of_one) {
                return self.not_offered(task);
            }
            if code.starts_with("http_") {
                let own = self.dialect.meaning(*status, message);
                let usual = match status {
                    401 => "invalid_key",
                    402 => "insufficient_credits",
                    404 => "not_found",
                    429 => "rate_limited",
                    _ => code.as_str(),
                };
                let (meant, next) = own.map_or((usual, None), |own| (own.code, own.hint));
                (*code, *hint) = (meant.to_owned(), hint.take().or(next.map(str::to_owned)));
            }
        }
        error
    }

    fn not_offered(&self, task: &Task) -> HttpError {
        let (host, elsewhere) = (self.host(), self.rules.elsewhere);
        HttpError::NotOffered(format!("{host} does not offer to {}: {elsewhere}", task.doing))
    }
}

/// What a service answers that is asked for a key, perhaps for the second time.
pub(crate) enum Minted {
    Issued(Box<IssuedKey>),
    /// A key whose plaintext it does not show again.
    Unseen(Box<Key>),
}

/// The key that was asked about, and no other.
fn of(id: &KeyId, key: Key) -> Result<Key, Unreadable> {
    if key.id == *id { Ok(key) } else { Err("it describes another key") }
}

fn unreadable(what: &'static str) -> HttpError {
    HttpError::Unreadable { what, changes: false }
}

fn unreadable_change(what: &'static str) -> HttpError {
    HttpError::Unreadable { what, changes: true }
}

/// The id of a key as a part of a path. One that a path swallows, such as `..`, would lead elsewhere.
fn segment(id: &KeyId) -> Result<String, HttpError> {
    if matches!(id.as_str(), "" | "." | "..") {
        return Err(HttpError::NotSent { what: "the key's id cannot stand in an address".to_owned() });
    }
    Ok(encoded(id.as_str()).to_string())
}

/// `?page=1&search=a%20b`, of the parameters that have a value.
pub(crate) fn query(parameters: &[(&str, Option<String>)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        text.extend([if text.is_empty() { "?" } else { "&" }, name, "="]);
        text.extend(encoded(value));
    }
    text
}

/// Percent-encodes all but what RFC 3986 calls unreserved: ids are opaque and may hold anything.
fn encoded(text: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}
