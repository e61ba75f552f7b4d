//! The gate: whether a call to the API behind it may be made, at the speed of memory.
//!
//! A key is valid, not revoked, not expired, holds the permission, is within its limits and can pay: in that order. A call
//! refused for its permission counts, so that trying costs; one refused for the limits does not.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::cache::{self, Known};
use super::meter::{Cost, Supply};
use super::usage::Called;
use super::{Refusal, Service, StoreError};
use crate::model::key::Key;
use crate::model::quota::Quota;
use crate::model::state::State;
use crate::providers::{Needed, OpenedBy, Provider, Rules};

/// For how long the database may keep a call waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// The call somebody wants to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    /// `/v1/contacts/42`, without a query.
    pub(crate) path: &'a str,
}

/// Whose call it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The workspace's id.
    pub(crate) workspace: String,
    /// The key's id.
    pub(crate) key: String,
}

/// What the gate says.
pub(crate) struct Admission {
    /// Whose call it is, where that is known.
    pub(crate) owner: Option<Owner>,
    pub(crate) quota: Option<Quota>,
    pub(crate) outcome: Result<(), Refusal>,
}

impl Admission {
    const fn refused(refusal: Refusal) -> Self {
        Self { owner: None, quota: None, outcome: Err(refusal) }
    }
}

impl Service {
    /// Whether whoever presents a key may make a call of a provider's API. If so, it is made: it counts, and it is paid
    /// for.
    pub(crate) async fn admit(&self, provider: Provider, presented: &str, call: Call<'_>, now: Timestamp) -> Admission {
        match tokio::time::timeout(PATIENCE, self.decide(provider, presented, call, now)).await {
            Ok(admission) => admission,
            Err(_) => Admission::refused(StoreError::Database(sqlx::Error::PoolTimedOut).into()),
        }
    }

    async fn decide(&self, provider: Provider, presented: &str, call: Call<'_>, now: Timestamp) -> Admission {
        let known = match self.known(presented).await {
            Ok(Some(known)) if known.workspace.provider == provider => known,
            Ok(_) => return Admission::refused(Refusal::InvalidKey),
            Err(error) => return Admission::refused(error.into()),
        };
        match known.key.state(now) {
            State::Active => {}
            State::Revoked => return Admission::refused(Refusal::RevokedKey),
            State::Expired => return Admission::refused(Refusal::InvalidKey),
        }
        let rules = known.workspace.provider.rules();
        let (endpoint, permitted) = match checked(call) {
            Ok(()) => {
                let Needed { opened_by, endpoint } = rules.needed_for(call.method, call.path);
                (endpoint, permitted(&known.key, rules, opened_by))
            }
            Err(refusal) => (MALFORMED.to_owned(), Err(refusal)),
        };
        let cost = Cost {
            tier: known.workspace.tier_of(&known.key),
            limits: known.workspace.limits(),
            credit: permitted.is_ok() && rules.calls_cost_credits && !rules.is_free(call.method, call.path),
        };
        let supply = Supply { service: self, workspace: &known.workspace };
        let (quota, spent) = known.meter.spend(supply, &cost, now).await;
        // Who may not do it hears that, also where the limits would not let it do anything.
        let outcome = permitted.and(spent);
        let called = Called { workspace: &known.workspace.id, key: known.key.id.as_str(), endpoint: &endpoint };
        self.usage.touch(called.key, now);
        self.usage.count(called, outcome.is_err(), now);
        let owner = Owner { workspace: known.workspace.id.clone(), key: known.key.id.as_str().to_owned() };
        Admission { owner: Some(owner), quota, outcome }
    }

    /// The key somebody presents: from memory where this replica knows that nothing has changed, else from the database.
    async fn known(&self, presented: &str) -> Result<Option<Arc<Known>>, StoreError> {
        let Some(hash) = cache::hash_of(presented) else { return Ok(None) };
        let in_step = self.replica.get().is_some_and(|replica| replica.is_in_step());
        if in_step && let Some(known) = self.cache.get(&hash) {
            return Ok(Some(known));
        }
        let began = self.cache.generation();
        let Some(stored) = self.store.key_with_hash(&crate::model::secret::HashedKey::of(presented)).await? else {
            return Ok(None);
        };
        let Some(workspace) = self.store.workspace_with_id(&stored.workspace).await? else { return Ok(None) };
        let meter = self.meters.of(&workspace.id);
        let known = Arc::new(Known { key: stored.key, workspace, meter });
        if in_step {
            self.cache.insert(hash, Arc::clone(&known), began);
        }
        Ok(Some(known))
    }
}

/// Refuses a key that does not open a call.
fn permitted(key: &Key, rules: &Rules, opened_by: OpenedBy) -> Result<(), Refusal> {
    match opened_by {
        OpenedBy::Permission(needed) if !rules.permissions.covers(&key.permissions, needed) => {
            Err(Refusal::MissingPermission(needed))
        }
        OpenedBy::Permission(_) | OpenedBy::AnyKey => Ok(()),
        OpenedBy::NoKey => Err(Refusal::Uncovered),
    }
}

/// The endpoint under which calls are counted whose path is none.
const MALFORMED: &str = "(malformed)";

/// Refuses paths that may lead elsewhere behind the gate than they read here: `/v1/contacts/../api-keys`.
fn checked(call: Call<'_>) -> Result<(), Refusal> {
    let wrong = |problem: &str| Err(Refusal::Invalid { field: "path", problem: problem.to_owned() });
    if !call.path.starts_with('/') || call.path.contains(|character: char| character == '\\' || character.is_control())
    {
        return wrong("it is none");
    }
    let lower = call.path.to_ascii_lowercase();
    let dotted = lower.replace("%2e", ".");
    if lower.contains("%2f") || lower.contains("%5c") || lower.contains("%00") || lower.contains("//") {
        return wrong("it can be read in two ways");
    }
    if dotted.split('/').any(|segment| segment == "." || segment == "..") {
        return wrong("it can be read in two ways");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_refused() {
        let fits = |path| checked(Call { method: "GET", path }).is_ok();
        for good in ["/", "/v1/contacts", "/v1/contacts/42", "/v1/contacts/a.b", "/v1/contacts/%C3%A9", "/v1/x/"] {
            assert!(fits(good), "{good}");
        }
        for bad in [
            "",
            "v1/contacts",
            "*",
            "/v1/contacts/..",
            "/v1/./contacts",
            "/v1/contacts/%2e%2E/api-keys",
            "/v1/contacts/.%2e",
            "/v1//api-keys",
            "/v1/contacts/..%2fapi-keys",
            "/v1\\api-keys",
            "/v1/a%5cb",
            "/v1/a\u{0}",
            "/v1/a%00",
        ] {
            assert!(!fits(bad), "{bad}");
        }
    }
}
