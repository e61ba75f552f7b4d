//! Operations of ours as LeadLex's HTTP.

use super::wire::{asked, entry};
use crate::http::{IdempotencyKey, Method, Request};
use crate::model::audit::AuditFilter;
use crate::model::credits::Credits;
use crate::model::key::{IssuedKey, Key, NewKey};
use crate::model::state::State;
use crate::model::whoami::Whoami;
use crate::providers::client::dialect::{Dialect, Listed, Logged, Wanted};
use crate::providers::client::query;
use crate::providers::wire::{Fields, Unreadable, page, read_issued, read_key, read_unseen, within};

/// The largest page of the audit log.
const AUDIT_PER_PAGE: u32 = 200;

pub(crate) const DIALECT: &dyn Dialect = &LeadLex;

struct LeadLex;

impl Dialect for LeadLex {
    fn create(&self, new: &NewKey, once: &IdempotencyKey) -> Request {
        Request::change(Method::Post, "/v1/api-keys".to_owned(), Some(asked(new)), once)
    }

    fn created(&self, body: &[u8]) -> Result<IssuedKey, Unreadable> {
        read_issued(within(body, "data")?, "key")
    }

    fn unseen(&self, body: &[u8]) -> Option<Key> {
        read_unseen(within(body, "data").ok()?, "key")
    }

    fn list(&self, wanted: &Wanted, page: u32) -> Request {
        let revoked = matches!(wanted.state, None | Some(State::Revoked));
        let parameters = [
            ("page", Some(page.to_string())),
            ("per_page", Some(self.per_page().to_string())),
            ("include_revoked", Some(revoked.to_string())),
            ("search", wanted.search.clone()),
        ];
        Request::get(format!("/v1/api-keys{}", query(&parameters)))
    }

    fn listed(&self, body: &[u8]) -> Result<Listed, Unreadable> {
        let (rows, extent) = page(body, &["data", "api_keys"])?;
        Ok(Listed { keys: rows.into_iter().map(read_key).collect::<Result<_, _>>()?, extent })
    }

    fn revoke(&self, id: &str, _reason: Option<&str>, once: &IdempotencyKey) -> Request {
        Request::change(Method::Delete, format!("/v1/api-keys/{id}"), None, once)
    }

    /// Revoking answers with nothing; whatever a service sends there does not describe the key.
    fn described(&self, _body: &[u8]) -> Result<Option<Key>, Unreadable> {
        Ok(None)
    }

    /// The settings are those of the workspace that the key is of. Which key it is nobody says.
    fn whoami(&self) -> Request {
        Request::get("/v1/settings".to_owned())
    }

    fn caller(&self, body: &[u8]) -> Result<Whoami, Unreadable> {
        let mut settings = Fields::of(within(body, "data")?)?;
        let plan = settings.object("billing").and_then(|mut billing| billing.text("plan")).unwrap_or_default();
        let name = settings.text("name")?.ok_or("it names no workspace")?;
        Ok(Whoami { workspace: name, plan, key: None, tells_key: false })
    }

    fn credits(&self) -> Option<Request> {
        Some(self.whoami())
    }

    fn balance(&self, body: &[u8]) -> Result<Credits, Unreadable> {
        let mut billing = Fields::of(within(body, "data")?)?.object("billing")?;
        Ok(Credits::balance_of(billing.number("credits_balance").ok_or("it holds no balance")?))
    }

    fn audit(&self, filter: &AuditFilter, page: u32) -> Option<Request> {
        let parameters = [
            ("page", Some(page.to_string())),
            ("per_page", Some(AUDIT_PER_PAGE.to_string())),
            ("action", filter.action.as_deref().map(|action| documented(action).to_owned())),
            ("resource_type", filter.action.as_deref().and_then(kind).map(str::to_owned)),
            ("from_date", filter.from.map(|from| from.to_string())),
            ("to_date", filter.to.map(|to| to.to_string())),
        ];
        Some(Request::get(format!("/v1/audit-logs{}", query(&parameters))))
    }

    fn logged(&self, body: &[u8]) -> Result<Logged, Unreadable> {
        let (rows, extent) = page(body, &["data", "logs"])?;
        Ok(Logged { entries: rows.into_iter().map(entry).collect::<Result<_, _>>()?, extent })
    }
}

/// What LeadLex calls a change: revoking a key is deleting it.
fn documented(action: &str) -> &str {
    match action.rsplit('.').next().unwrap_or(action) {
        "revoke" => "delete",
        "edit" | "reactivate" => "update",
        other => other,
    }
}

/// What LeadLex calls the kind of thing that an action is of, where that is said: `api_key.create`.
fn kind(action: &str) -> Option<&str> {
    match action.rsplit_once('.')?.0 {
        "api_key" => Some("api_keys"),
        kind => Some(kind),
    }
}
