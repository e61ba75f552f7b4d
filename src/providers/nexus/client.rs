//! Operations of ours as Nexus ERP's HTTP: the routes below `/api/developer`, which are those of `keys serve`.

use serde_json::json;

use super::wire::{asked, changed, entry};
use crate::http::{IdempotencyKey, Method, Request};
use crate::model::audit::AuditFilter;
use crate::model::key::{IssuedKey, Key, KeyChange, NewKey};
use crate::model::secret::PlainKey;
use crate::model::whoami::Whoami;
use crate::providers::client::dialect::{Dialect, Listed, Logged, Meaning, Wanted};
use crate::providers::client::query;
use crate::providers::wire::{Fields, Unreadable, page, read_issued, read_key, read_unseen, within};

const KEYS: &str = "/api/developer/keys";

pub(crate) const DIALECT: &dyn Dialect = &Nexus;

struct Nexus;

impl Dialect for Nexus {
    /// The vendor's address ends in `/api`, and so does the way to every route.
    fn base<'a>(&self, address: &'a str) -> &'a str {
        let address = address.trim_end_matches('/');
        address.strip_suffix("/api").unwrap_or(address)
    }

    /// Errors of Nexus have no code.
    fn meaning(&self, status: u16, message: &str) -> Option<Meaning> {
        let meaning = |code, hint| Some(Meaning { code, hint });
        match status {
            403 if message.contains("DEVELOPER") => meaning(
                "insufficient_permissions",
                Some(
                    "keys never manage keys here: use the credential of a member with the role Developer \
                     (keys serve member add --workspace WORKSPACE --name NAME --role developer)",
                ),
            ),
            403 if message.contains("Developer API") => {
                meaning("feature_off", Some("the platform admin switches it on for an organisation"))
            }
            403 if message.starts_with("Missing permission") => meaning("insufficient_permissions", None),
            _ => None,
        }
    }

    fn create(&self, new: &NewKey, once: &IdempotencyKey) -> Request {
        if new.temporary {
            return Request::change(Method::Post, format!("{KEYS}/temp"), None, once);
        }
        Request::change(Method::Post, KEYS.to_owned(), Some(asked(new)), once)
    }

    fn created(&self, body: &[u8]) -> Result<IssuedKey, Unreadable> {
        read_issued(within(body, "data")?, "key")
    }

    fn unseen(&self, body: &[u8]) -> Option<Key> {
        read_unseen(within(body, "data").ok()?, "key")
    }

    fn list(&self, wanted: &Wanted, page: u32) -> Request {
        let parameters = [
            ("page", Some(page.to_string())),
            ("per_page", Some(self.per_page().to_string())),
            ("search", wanted.search.clone()),
        ];
        Request::get(format!("{KEYS}{}", query(&parameters)))
    }

    fn listed(&self, body: &[u8]) -> Result<Listed, Unreadable> {
        let (rows, extent) = page(body, &["data"])?;
        Ok(Listed { keys: rows.into_iter().map(read_key).collect::<Result<_, _>>()?, extent })
    }

    fn show(&self, id: &str) -> Option<Request> {
        Some(Request::get(format!("{KEYS}/{id}")))
    }

    fn edit(&self, id: &str, change: &KeyChange, once: &IdempotencyKey) -> Option<Request> {
        Some(Request::change(Method::Patch, format!("{KEYS}/{id}"), Some(changed(change)), once))
    }

    fn revoke(&self, id: &str, _reason: Option<&str>, once: &IdempotencyKey) -> Request {
        Request::change(Method::Post, format!("{KEYS}/{id}/revoke"), None, once)
    }

    fn reactivate(&self, id: &str, once: &IdempotencyKey) -> Option<Request> {
        Some(Request::change(Method::Post, format!("{KEYS}/{id}/reactivate"), None, once))
    }

    fn delete(&self, id: &str, once: &IdempotencyKey) -> Option<Request> {
        Some(Request::change(Method::Delete, format!("{KEYS}/{id}"), None, once))
    }

    fn lookup(&self, plain: &PlainKey, once: &IdempotencyKey) -> Option<Request> {
        Some(Request::ask(format!("{KEYS}/lookup"), json!({ "key": plain.expose() }), once))
    }

    fn described(&self, body: &[u8]) -> Result<Option<Key>, Unreadable> {
        Fields::of_body(body)?.take("data").map(read_key).transpose()
    }

    fn whoami(&self) -> Request {
        Request::get("/api/developer/me".to_owned())
    }

    fn caller(&self, body: &[u8]) -> Result<Whoami, Unreadable> {
        let mut answer = Fields::of(within(body, "data")?)?;
        let name = answer.object("organisation")?.text("name")?.ok_or("it names no organisation")?;
        let key = answer.take("key").map(read_key).transpose()?;
        Ok(Whoami { workspace: name, plan: None, key, tells_key: true })
    }

    fn audit(&self, filter: &AuditFilter, page: u32) -> Option<Request> {
        let parameters = [
            ("page", Some(page.to_string())),
            ("per_page", Some(self.per_page().to_string())),
            ("action", filter.action.clone()),
            ("entity_id", filter.resource.clone()),
        ];
        Some(Request::get(format!("/api/developer/audit-log{}", query(&parameters))))
    }

    fn logged(&self, body: &[u8]) -> Result<Logged, Unreadable> {
        let (rows, extent) = page(body, &["data"])?;
        Ok(Logged { entries: rows.into_iter().map(entry).collect::<Result<_, _>>()?, extent })
    }
}
