//! Operations of ours as ContactLevel's HTTP: the routes below `/api/keys`, which are those of `keys serve`.

use serde_json::json;

use super::wire::{asked, read_credits};
use crate::http::{IdempotencyKey, Method, Request, Scheme};
use crate::model::credits::Credits;
use crate::model::key::{IssuedKey, Key, NewKey};
use crate::model::secret::PlainKey;
use crate::model::whoami::Whoami;
use crate::providers::client::dialect::{Dialect, Listed, Wanted};
use crate::providers::client::query;
use crate::providers::wire::{Fields, Unreadable, page, plaintext, read_key, within};

pub(crate) const DIALECT: &dyn Dialect = &ContactLevel;

struct ContactLevel;

impl Dialect for ContactLevel {
    fn scheme(&self) -> Scheme {
        Scheme::ApiKey
    }

    fn create(&self, new: &NewKey, once: &IdempotencyKey) -> Request {
        Request::change(Method::Post, "/api/keys/create".to_owned(), Some(asked(new)), once)
    }

    fn created(&self, body: &[u8]) -> Result<IssuedKey, Unreadable> {
        let mut answer = Fields::of_body(body)?;
        let plain = plaintext(&mut answer, "api_key")?;
        let key = answer.take("key").ok_or("it describes no key")?;
        Ok(IssuedKey { key: read_key(key)?, plain })
    }

    fn unseen(&self, body: &[u8]) -> Option<Key> {
        let mut answer = Fields::of_body(body).ok()?;
        if plaintext(&mut answer, "api_key").is_ok() {
            return None;
        }
        read_key(answer.take("key")?).ok()
    }

    fn list(&self, _wanted: &Wanted, page: u32) -> Request {
        let parameters = [("page", Some(page.to_string())), ("per_page", Some(self.per_page().to_string()))];
        Request::get(format!("/api/keys{}", query(&parameters)))
    }

    fn listed(&self, body: &[u8]) -> Result<Listed, Unreadable> {
        let (rows, extent) = page(body, &["keys"])?;
        Ok(Listed { keys: rows.into_iter().map(read_key).collect::<Result<_, _>>()?, extent })
    }

    fn show(&self, id: &str) -> Option<Request> {
        Some(Request::get(format!("/api/keys/{id}")))
    }

    fn revoke(&self, id: &str, _reason: Option<&str>, once: &IdempotencyKey) -> Request {
        Request::change(Method::Post, format!("/api/keys/{id}/revoke"), None, once)
    }

    fn lookup(&self, plain: &PlainKey, once: &IdempotencyKey) -> Option<Request> {
        Some(Request::ask("/api/keys/lookup".to_owned(), json!({ "api_key": plain.expose() }), once))
    }

    fn described(&self, body: &[u8]) -> Result<Option<Key>, Unreadable> {
        Fields::of_body(body)?.take("key").map(read_key).transpose()
    }

    fn whoami(&self) -> Request {
        Request::get("/api/keys/me".to_owned())
    }

    fn caller(&self, body: &[u8]) -> Result<Whoami, Unreadable> {
        let mut answer = Fields::of_body(body)?;
        let name = answer.object("organization")?.text("name")?.ok_or("it names no organization")?;
        let key = answer.take("key").map(read_key).transpose()?;
        Ok(Whoami { workspace: name, plan: None, key, tells_key: true })
    }

    fn credits(&self) -> Option<Request> {
        Some(Request::get("/api/credits".to_owned()))
    }

    fn balance(&self, body: &[u8]) -> Result<Credits, Unreadable> {
        read_credits(within(body, "data")?)
    }
}
