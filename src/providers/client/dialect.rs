//! How one provider is spoken to: what an operation of ours is as its HTTP, and what its answers mean. Nothing is sent here.

use crate::http::{IdempotencyKey, Request, Scheme};
use crate::model::audit::{AuditEntry, AuditFilter};
use crate::model::credits::Credits;
use crate::model::filter::Sort;
use crate::model::key::{IssuedKey, Key, KeyChange, NewKey};
use crate::model::secret::PlainKey;
use crate::model::state::State;
use crate::model::usage::UsageReport;
use crate::model::whoami::Whoami;
use crate::providers::wire::{Extent, Unreadable};

/// A provider's way to say things. What it has no words for is `None`; its rules say what to do instead. Ids come
/// percent-encoded.
pub(crate) trait Dialect: Sync {
    /// Where requests go, given the address of the service as people know it.
    fn base<'a>(&self, address: &'a str) -> &'a str {
        address
    }

    fn scheme(&self) -> Scheme {
        Scheme::Bearer
    }

    /// The code and the next step of a refusal that has none of its own.
    fn meaning(&self, _status: u16, _message: &str) -> Option<Meaning> {
        None
    }

    fn create(&self, new: &NewKey, once: &IdempotencyKey) -> Request;

    fn created(&self, body: &[u8]) -> Result<IssuedKey, Unreadable>;

    /// The key that an answer to [`Dialect::create`] names without its plaintext.
    fn unseen(&self, _body: &[u8]) -> Option<Key> {
        None
    }

    /// Whether lists come in the order that is asked for.
    fn sorts(&self) -> bool {
        false
    }

    /// Whether a page that holds fewer keys than it was asked to, or than it says, is the last one.
    fn fills_pages(&self) -> bool {
        false
    }

    /// How many keys a page is asked to hold.
    fn per_page(&self) -> u32 {
        100
    }

    /// The request for a page of keys. It may hold more than is wanted.
    fn list(&self, wanted: &Wanted, page: u32) -> Request;

    fn listed(&self, body: &[u8]) -> Result<Listed, Unreadable>;

    /// Asks for one key.
    fn show(&self, _id: &str) -> Option<Request> {
        None
    }

    fn edit(&self, _id: &str, _change: &KeyChange, _once: &IdempotencyKey) -> Option<Request> {
        None
    }

    fn revoke(&self, id: &str, reason: Option<&str>, once: &IdempotencyKey) -> Request;

    /// The key that was switched off, where the answer describes it.
    fn revoked(&self, body: &[u8]) -> Result<Option<Key>, Unreadable> {
        if body.is_empty() { Ok(None) } else { self.described(body) }
    }

    fn reactivate(&self, _id: &str, _once: &IdempotencyKey) -> Option<Request> {
        None
    }

    fn delete(&self, _id: &str, _once: &IdempotencyKey) -> Option<Request> {
        None
    }

    /// Asks which key a plaintext is.
    fn lookup(&self, _plain: &PlainKey, _once: &IdempotencyKey) -> Option<Request> {
        None
    }

    /// The key that an answer describes; `None` where it describes none.
    fn described(&self, body: &[u8]) -> Result<Option<Key>, Unreadable>;

    fn whoami(&self) -> Request;

    fn caller(&self, body: &[u8]) -> Result<Whoami, Unreadable>;

    /// Asks what the workspace used in these days, or one of its keys.
    fn usage(&self, _id: Option<&str>, _days: u16) -> Option<Request> {
        None
    }

    fn used(&self, _body: &[u8]) -> Result<UsageReport, Unreadable> {
        Err(UNASKED)
    }

    fn credits(&self) -> Option<Request> {
        None
    }

    fn balance(&self, _body: &[u8]) -> Result<Credits, Unreadable> {
        Err(UNASKED)
    }

    /// The request for a page of the audit log. It may hold more than is wanted.
    fn audit(&self, _filter: &AuditFilter, _page: u32) -> Option<Request> {
        None
    }

    fn logged(&self, _body: &[u8]) -> Result<Logged, Unreadable> {
        Err(UNASKED)
    }
}

/// An answer to what nobody can have asked.
const UNASKED: Unreadable = "nobody asked for it";

/// What a refusal means.
pub(crate) struct Meaning {
    pub(crate) code: &'static str,
    pub(crate) hint: Option<&'static str>,
}

/// The keys that a list is to hold, in which order.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) state: Option<State>,
    /// Part of the name or the description, in ASCII.
    pub(crate) search: Option<String>,
    /// What a person typed for a key.
    pub(crate) selector: Option<String>,
    pub(crate) sort: Sort,
}

/// A page of keys.
pub(crate) struct Listed {
    pub(crate) keys: Vec<Key>,
    /// How many a page holds, and how many there are on all pages, where that is said.
    pub(crate) extent: Option<Extent>,
}

/// A page of the audit log, newest first.
pub(crate) struct Logged {
    pub(crate) entries: Vec<AuditEntry>,
    pub(crate) extent: Option<Extent>,
}
