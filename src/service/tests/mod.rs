//! The engine, on each database it knows: written once, run on SQLite and, where there is one, on PostgreSQL.

mod admins;
mod audit;
mod chain;
mod credits;
mod gate;
mod grants;
mod histories;
mod isolation;
mod keys;
mod limits;
mod list;
mod processes;
mod replaced;
mod replay;
mod replicas;
mod sequences;
mod storage;
mod turns;
mod usage;
mod workspaces;

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Agreement, Answer, Ask, Call, Caller, KeyQuery, NewWorkspace, Once, Refusal, Service};
use crate::model::filter::Sort;
use crate::model::key::{IssuedKey, Key, KeyChange, KeyId, NewKey, Setting};
use crate::model::lifetime::Lifetime;
use crate::model::permission::Permission;
use crate::model::plan::Plan;
use crate::model::secret::HashedKey;
use crate::model::tier::Tier;
use crate::providers::Provider;
use crate::testing::{START, TestDatabase, new_workspace};

const ADMIN: &str = "admin:api_keys";
const DAY: i64 = 86_400;

/// An engine on a database of its own.
struct Bench<'a> {
    database: &'a TestDatabase,
    service: Service,
}

/// What a creation answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    id: String,
    plain: String,
}

impl<'a> Bench<'a> {
    async fn open(database: &'a TestDatabase) -> Self {
        Self { database, service: database.open().await }
    }

    /// A new workspace and its first admin key.
    async fn workspace(&self, name: &str) -> (Caller, IssuedKey) {
        let name = name.parse().unwrap();
        let first = self.service.create_workspace(&new_workspace(&name), START).await.unwrap();
        (self.caller(first.plain.expose(), START).await, first)
    }

    /// A new workspace with limits and credits of its own, and its first admin key.
    async fn agreed(&self, name: &str, agreement: Agreement) -> (Caller, IssuedKey) {
        let new = NewWorkspace { name: name.parse().unwrap(), provider: Provider::Native, agreement };
        let first = self.service.create_workspace(&new, START).await.unwrap();
        (self.caller(first.plain.expose(), START).await, first)
    }

    async fn operator(&self, workspace: &str) -> Caller {
        self.operator_sealing(workspace, vec![7; 32]).await
    }

    async fn operator_sealing(&self, workspace: &str, secret: Vec<u8>) -> Caller {
        self.service.operator_of(workspace, Provider::Native, secret.into(), START).await.unwrap()
    }

    async fn caller(&self, plain: &str, now: Timestamp) -> Caller {
        self.service.authenticate(Provider::Native, plain, now).await.unwrap()
    }

    async fn create(&self, caller: &Caller, new: &NewKey, now: Timestamp) -> Result<Made, Refusal> {
        self.create_once(caller, new, None, now).await.map(|answer| made(&answer))
    }

    /// A key, and a caller who presents it.
    async fn create_caller(&self, by: &Caller, name: &str, permissions: &[&str]) -> (Caller, Made) {
        let made = self.create(by, &new_key(name, permissions), START).await.unwrap();
        (self.caller(&made.plain, START).await, made)
    }

    async fn create_once(
        &self,
        caller: &Caller,
        new: &NewKey,
        once: Option<&Once>,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let render = |issued: &IssuedKey| {
            let text = format!("{} {}", issued.key.id, issued.plain.expose());
            Answer::new(201, text.into_bytes())
        };
        self.service.create_key(Ask { caller, once, now }, new, render).await
    }

    async fn edit(&self, caller: &Caller, id: &str, change: &KeyChange, now: Timestamp) -> Result<Answer, Refusal> {
        self.service.edit_key(ask(caller, now), id, change, named).await
    }

    async fn revoke(&self, caller: &Caller, id: &str, now: Timestamp) -> Result<Answer, Refusal> {
        self.service.revoke_key(ask(caller, now), id, None, named).await
    }

    async fn reactivate(&self, caller: &Caller, id: &str, now: Timestamp) -> Result<Answer, Refusal> {
        self.service.reactivate_key(ask(caller, now), id, named).await
    }

    async fn delete(&self, caller: &Caller, id: &str, now: Timestamp) -> Result<Answer, Refusal> {
        self.service.delete_key(ask(caller, now), id, || Answer::new(204, Vec::new())).await
    }

    async fn show(&self, caller: &Caller, id: &str) -> Key {
        self.service.show_key(caller, id).await.unwrap()
    }

    /// How an attempt to authenticate is refused.
    async fn refused(&self, plain: &str, now: Timestamp) -> String {
        match self.service.authenticate(Provider::Native, plain, now).await {
            Ok(_) => "let in".to_owned(),
            Err(refusal) => code(&refusal),
        }
    }

    async fn names(&self, caller: &Caller, query: &KeyQuery, now: Timestamp) -> Vec<String> {
        let (keys, _) = self.service.list_keys(caller, query, now).await.unwrap();
        keys.into_iter().map(|key| key.name).collect()
    }
}

/// So many calls a day and a minute, and so many credits a month.
const fn agreement(per_day: i64, per_minute: i64, monthly: i64) -> Agreement {
    Agreement {
        plan: Plan::Enterprise,
        daily_limit: Some(per_day),
        minute_limit: Some(per_minute),
        monthly_credits: Some(monthly),
    }
}

/// More than any test spends.
const PLENTY: i64 = 1_000_000;

/// A call that takes `read:contacts`.
const READ: Call<'_> = Call { method: "GET", path: "/v1/contacts" };

/// A database that does not answer in time.
const UNAVAILABLE: &str = "database_unavailable";

/// What the gate says to [`READ`].
async fn call_once(service: &Service, plain: &str, now: Timestamp) -> String {
    outcome(service.admit(Provider::Native, plain, READ, now).await.outcome)
}

/// What the gate says to [`READ`] as soon as it can: that a machine is busy decides no test.
async fn call(service: &Service, plain: &str, now: Timestamp) -> String {
    let began = Instant::now();
    loop {
        let said = call_once(service, plain, now).await;
        if said != UNAVAILABLE || began.elapsed() > Duration::from_mins(1) {
            return said;
        }
    }
}

/// Gives back what a service has taken and not spent.
async fn give_back(service: &Service, now: Timestamp) {
    for meter in service.meters.all() {
        meter.give_back(&service.store, true, now).await.unwrap();
    }
}

/// Waits for a condition, longer than any machine may be busy.
async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < Duration::from_mins(2), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Ends after so many turns of the other tasks.
async fn steps(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// A change that carries no Idempotency-Key.
const fn ask(caller: &Caller, now: Timestamp) -> Ask<'_> {
    Ask { caller, once: None, now }
}

fn new_key(name: &str, permissions: &[&str]) -> NewKey {
    NewKey {
        name: name.parse().unwrap(),
        description: None,
        permissions: held(permissions),
        tier: Tier::Standard,
        lifetime: Lifetime::Never,
        temporary: false,
        replaces: None,
    }
}

/// A key that ends so many seconds after [`START`].
fn ending(name: &str, permissions: &[&str], end: i64) -> NewKey {
    NewKey { lifetime: Lifetime::At(crate::testing::at(end)), ..new_key(name, permissions) }
}

fn held(permissions: &[&str]) -> Vec<Permission> {
    permissions.iter().map(|name| Permission::from_server(*name)).collect()
}

fn renamed(name: &str) -> KeyChange {
    KeyChange { name: Some(name.parse().unwrap()), ..KeyChange::default() }
}

fn permitted(permissions: &[&str]) -> KeyChange {
    KeyChange { permissions: Some(held(permissions)), ..KeyChange::default() }
}

fn ends(end: Option<Timestamp>) -> KeyChange {
    KeyChange { expires_at: Some(end.map_or(Setting::Clear, Setting::To)), ..KeyChange::default() }
}

fn everything() -> KeyQuery {
    KeyQuery {
        state: None,
        hides_revoked: false,
        search: None,
        selector: None,
        sort: Sort::parse("name").unwrap(),
        page: 1,
        per_page: 100,
    }
}

fn named(key: &Key) -> Answer {
    Answer::new(200, key.name.clone().into_bytes())
}

fn made(answer: &Answer) -> Made {
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let (id, plain) = text.split_once(' ').unwrap();
    Made { id: id.to_owned(), plain: plain.to_owned() }
}

fn once(key: &str, body: &str) -> Once {
    Once {
        key: key.to_owned(),
        method: "POST".to_owned(),
        route: "/v1/api-keys".to_owned(),
        body: body.as_bytes().to_vec(),
    }
}

fn code(refusal: &Refusal) -> String {
    use crate::exit::Explain;
    refusal.code().to_owned()
}

/// The word of a refusal; `done` where there was none.
fn outcome<T>(result: Result<T, Refusal>) -> String {
    result.map_or_else(|refusal| code(&refusal), |_| "done".to_owned())
}

fn hashed(plain: &str) -> String {
    HashedKey::of(plain).as_str().to_owned()
}
