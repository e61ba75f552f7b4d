//! Operations of ours as the native provider's HTTP.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::wire::{
    AuditAnswer, AuditLogAnswer, CreditsAnswer, KeyAnswer, KeyBody, KeyChangeBody, KeyListAnswer, NewKeyBody, PageBody,
    RevokeBody, UsageAnswer, WhoamiAnswer, read_issued, read_unseen,
};
use crate::http::{IdempotencyKey, Method, Request};
use crate::model::audit::AuditFilter;
use crate::model::credits::Credits;
use crate::model::key::{IssuedKey, Key, KeyChange, NewKey};
use crate::model::secret::PlainKey;
use crate::model::usage::UsageReport;
use crate::model::whoami::Whoami;
use crate::providers::client::dialect::{Dialect, Listed, Logged, Wanted};
use crate::providers::client::query;
use crate::providers::wire::{Extent, Unreadable};

/// The largest page the service gives.
const PER_PAGE: u32 = 1000;

/// The largest page of the audit log.
const AUDIT_PER_PAGE: u32 = 200;

pub(crate) const DIALECT: &dyn Dialect = &Native;

struct Native;

impl Dialect for Native {
    fn create(&self, new: &NewKey, once: &IdempotencyKey) -> Request {
        let body = serde_json::to_value(NewKeyBody::of(new)).ok();
        Request::change(Method::Post, "/v1/api-keys".to_owned(), body, once)
    }

    fn created(&self, body: &[u8]) -> Result<IssuedKey, Unreadable> {
        read_issued(body)
    }

    fn unseen(&self, body: &[u8]) -> Option<Key> {
        read_unseen(body)
    }

    fn sorts(&self) -> bool {
        true
    }

    fn fills_pages(&self) -> bool {
        true
    }

    fn per_page(&self) -> u32 {
        PER_PAGE
    }

    fn list(&self, wanted: &Wanted, page: u32) -> Request {
        let parameters = [
            ("page", Some(page.to_string())),
            ("per_page", Some(PER_PAGE.to_string())),
            ("sort", Some(wanted.sort.as_text())),
            ("status", wanted.state.map(|state| state.as_str().to_owned())),
            ("search", wanted.search.clone()),
            ("selector", wanted.selector.clone()),
        ];
        Request::get(format!("/v1/api-keys{}", query(&parameters)))
    }

    fn listed(&self, body: &[u8]) -> Result<Listed, Unreadable> {
        let KeyListAnswer { data, meta } = read(body)?;
        let keys = data.into_iter().map(KeyBody::into_key).collect::<Result<Vec<Key>, _>>()?;
        Ok(Listed { keys, extent: meta.as_ref().map(extent) })
    }

    fn show(&self, id: &str) -> Option<Request> {
        Some(Request::get(format!("/v1/api-keys/{id}")))
    }

    fn edit(&self, id: &str, change: &KeyChange, once: &IdempotencyKey) -> Option<Request> {
        let body = serde_json::to_value(KeyChangeBody::of(change)).ok();
        Some(Request::change(Method::Patch, format!("/v1/api-keys/{id}"), body, once))
    }

    fn revoke(&self, id: &str, reason: Option<&str>, once: &IdempotencyKey) -> Request {
        let body = serde_json::to_value(RevokeBody { reason: reason.map(str::to_owned) }).ok();
        Request::change(Method::Post, format!("/v1/api-keys/{id}/revoke"), body, once)
    }

    fn revoked(&self, body: &[u8]) -> Result<Option<Key>, Unreadable> {
        self.described(body)
    }

    fn reactivate(&self, id: &str, once: &IdempotencyKey) -> Option<Request> {
        Some(Request::change(Method::Post, format!("/v1/api-keys/{id}/reactivate"), None, once))
    }

    fn delete(&self, id: &str, once: &IdempotencyKey) -> Option<Request> {
        Some(Request::change(Method::Delete, format!("/v1/api-keys/{id}"), None, once))
    }

    fn lookup(&self, plain: &PlainKey, once: &IdempotencyKey) -> Option<Request> {
        Some(Request::ask("/v1/api-keys/lookup".to_owned(), json!({ "key": plain.expose() }), once))
    }

    fn described(&self, body: &[u8]) -> Result<Option<Key>, Unreadable> {
        let KeyAnswer { data } = read(body)?;
        data.into_key().map(Some)
    }

    fn whoami(&self) -> Request {
        Request::get("/v1/whoami".to_owned())
    }

    fn caller(&self, body: &[u8]) -> Result<Whoami, Unreadable> {
        let WhoamiAnswer { data } = read(body)?;
        data.into_whoami()
    }

    fn usage(&self, id: Option<&str>, days: u16) -> Option<Request> {
        let of = id.map_or_else(|| "/v1/usage".to_owned(), |id| format!("/v1/api-keys/{id}/usage"));
        Some(Request::get(format!("{of}?days={days}")))
    }

    fn used(&self, body: &[u8]) -> Result<UsageReport, Unreadable> {
        let UsageAnswer { data } = read(body)?;
        data.into_report()
    }

    fn credits(&self) -> Option<Request> {
        Some(Request::get("/v1/credits".to_owned()))
    }

    fn balance(&self, body: &[u8]) -> Result<Credits, Unreadable> {
        let CreditsAnswer { data } = read(body)?;
        data.into_credits()
    }

    fn audit(&self, filter: &AuditFilter, page: u32) -> Option<Request> {
        let parameters = [
            ("page", Some(page.to_string())),
            ("per_page", Some(AUDIT_PER_PAGE.to_string())),
            ("action", filter.action.clone()),
            ("resource_id", filter.resource.clone()),
            ("from", filter.from.map(|from| from.to_string())),
            ("to", filter.to.map(|to| to.to_string())),
            ("after", filter.after.clone()),
        ];
        Some(Request::get(format!("/v1/audit-logs{}", query(&parameters))))
    }

    fn logged(&self, body: &[u8]) -> Result<Logged, Unreadable> {
        let AuditLogAnswer { data, meta } = read(body)?;
        let entries = data.into_iter().map(AuditAnswer::into_entry).collect::<Result<_, _>>()?;
        Ok(Logged { entries, extent: Some(extent(&meta)) })
    }
}

fn extent(meta: &PageBody) -> Extent {
    Extent { per_page: meta.per_page, total: meta.total }
}

/// Reads an answer. Why it cannot be read is not quoted: it may hold a secret.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(|_| "its JSON has another shape")
}
