//! The gate: whether a call to the API behind it may be made, at the speed of memory.
//!
//! A key is valid, not revoked, not expired, holds the permission, is within its limits and can pay: in that order. A call
//! refused for its permission counts, so that trying costs; one refused for the limits does not.

use std::sync::Arc;

use jiff::Timestamp;

use super::cache::{self, Known};
use super::meter::{Cost, Supply};
use super::store::in_time;
use super::usage::Called;
use super::{Caller, Refusal, Service, StoreError};
use crate::model::key::Key;
use crate::model::quota::Quota;
use crate::model::state::State;
use crate::providers::{Needed, OpenedBy, Provider, Rules};

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
    known: Option<Arc<Known>>,
    /// As what it is counted.
    pub(crate) endpoint: String,
    pub(crate) quota: Option<Quota>,
    pub(crate) outcome: Result<(), Refusal>,
}

impl Admission {
    const fn refused(refusal: Refusal) -> Self {
        Self { owner: None, known: None, endpoint: String::new(), quota: None, outcome: Err(refusal) }
    }

    /// Who presented the key and was let through.
    pub(crate) fn caller(&self, presented: &str, now: Timestamp) -> Option<Caller> {
        let known = self.known.as_ref().filter(|_| self.outcome.is_ok())?;
        Some(Caller::of(known.workspace.clone(), &known.key, presented, now))
    }
}

impl Service {
    /// Whether whoever presents a key may make a call of a provider's API. If so, it is made: it counts, and it is paid
    /// for.
    pub(crate) async fn admit(&self, provider: Provider, presented: &str, call: Call<'_>, now: Timestamp) -> Admission {
        let decided = in_time(async { Ok(self.decide(provider, presented, call, now).await) }).await;
        decided.unwrap_or_else(|error| Admission::refused(error.into()))
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
        Admission { owner: Some(owner), known: Some(known), endpoint, quota, outcome }
    }

    /// The key somebody presents: from memory where this replica knows that nothing has changed, else from the database.
    async fn known(&self, presented: &str) -> Result<Option<Arc<Known>>, StoreError> {
        let hash = cache::hash_of(presented);
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

/// Refuses paths that may lead elsewhere behind the gate than they read here: `/v1/contacts/../api-keys`. The pattern in
/// the OpenAPI document says the same.
fn checked(call: Call<'_>) -> Result<(), Refusal> {
    let wrong = |field, problem: &str| Err(Refusal::Invalid { field, problem: problem.to_owned() });
    if !(1..=LONGEST_METHOD).contains(&call.method.len())
        || !call.method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
    {
        return wrong("method", "it is none");
    }
    if !call.path.starts_with('/') || !call.path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("path", "it is none");
    }
    let is_dotted = call.path.split('/').any(|segment| segment == "." || segment == "..");
    // A semicolon ends a segment for some servers, so that `..;` leads up; a hash ends the path for some, not for all.
    if is_dotted || call.path.contains("//") || call.path.contains(['\\', ';', '#']) || hides_more(call.path) {
        return wrong("path", "it can be read in two ways");
    }
    Ok(())
}

/// Longer than any method that is registered.
const LONGEST_METHOD: usize = 20;

/// Whether a percent stands for what shapes a path, or for a control character.
fn hides_more(path: &str) -> bool {
    path.split('%').skip(1).any(|rest| {
        let byte = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let is_harmless = |byte: u8| !byte.is_ascii_control() && !matches!(byte, b'.' | b'/' | b'\\' | b';');
        // A sign is no digit, but is taken for one.
        rest.starts_with('+') || !byte.is_some_and(is_harmless)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_refused() {
        let fits = |path| checked(Call { method: "GET", path }).is_ok();
        for good in ["/", "/v1/contacts", "/v1/contacts/42", "/v1/a.b", "/v1/..a", "/v1/%C3%A9%20%25", "/v1/x/"] {
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
            "/v1/a%",
            "/v1/a%2",
            "/v1/a%+2b",
            "/v1/a;b",
            "/v1/a#b",
            "/v1/contacts/..;/api-keys",
            "/v1/contacts#/../api-keys",
            "/v1/contacts#x",
            "/v1/a%3Bb",
            "/v1/api-keys%0A",
            "/v1/api-keys%7f",
            "/v1/a%2Eb",
            "/v1/%zz",
            "/v1/a b",
            "/v1/\u{e9}",
        ] {
            assert!(!fits(bad), "{bad}");
        }
    }
}
