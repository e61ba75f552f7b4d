//! Who calls, and what they may do.

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::meter::{Cost, Supply};
use super::store::{Workspace, in_time};
use super::{Refusal, Service};
use crate::model::key::Key;
use crate::model::permission::Permission;
use crate::model::plan::Plan;
use crate::model::quota::Quota;
use crate::model::secret::HashedKey;
use crate::model::state::State;
use crate::model::tier::Tier;
use crate::model::whoami::Whoami;
use crate::providers::{Management, Provider, Rules};

/// Who a request comes from: known, and of one workspace.
#[derive(Clone)]
pub(crate) struct Caller {
    workspace: Workspace,
    identity: Identity,
    /// The role of the member whose credential was presented.
    role: Option<String>,
    /// What the caller presented, and the database does not hold: answers kept for replay are sealed with it.
    sealing: Zeroizing<Vec<u8>>,
}

/// As whom a caller acts.
#[derive(Debug, Clone)]
enum Identity {
    /// Whoever holds the database itself: may do everything, is no key, and can lock nobody out.
    Operator,
    Key(Box<Key>),
}

impl Identity {
    /// Whoever presents this key, which is a use of it.
    fn in_use(key: &Key, now: Timestamp) -> Self {
        let last_used_at = key.last_used_at.max(Some(now));
        Self::Key(Box::new(Key { last_used_at, ..key.clone() }))
    }

    /// Whoever presents this key, where it is active.
    fn of(key: &Key, now: Timestamp) -> Result<Self, Refusal> {
        match key.state(now) {
            State::Active => Ok(Self::in_use(key, now)),
            State::Revoked => Err(Refusal::RevokedKey),
            State::Expired => Err(Refusal::InvalidKey),
        }
    }
}

impl Caller {
    /// The same caller with what its key may do by now.
    pub(super) fn as_it_is_now(&self, key: &Key, now: Timestamp) -> Result<Self, Refusal> {
        Ok(Self { identity: Identity::of(key, now)?, ..self.clone() })
    }

    /// Whoever presented a key that the gate let through.
    pub(super) fn of(workspace: Workspace, key: &Key, presented: &str, now: Timestamp) -> Self {
        let (identity, sealing) = (Identity::in_use(key, now), Zeroizing::new(presented.as_bytes().to_vec()));
        Self { workspace, identity, role: None, sealing }
    }

    pub(super) fn operator(workspace: Workspace, sealing: Zeroizing<Vec<u8>>) -> Self {
        Self { workspace, identity: Identity::Operator, role: None, sealing }
    }

    pub(crate) fn rules(&self) -> &'static Rules {
        self.workspace.provider.rules()
    }

    /// The calling key; the operator has none.
    pub(super) const fn key(&self) -> Option<&Key> {
        match &self.identity {
            Identity::Operator => None,
            Identity::Key(key) => Some(key),
        }
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub(super) fn sealing(&self) -> &[u8] {
        &self.sealing
    }

    pub(super) const fn is_operator(&self) -> bool {
        matches!(self.identity, Identity::Operator)
    }

    /// Who this is, for the caller itself: no permission is needed to hear what one already holds.
    pub(crate) fn whoami(&self) -> Whoami {
        Whoami {
            workspace: self.workspace.name.clone(),
            plan: Some(self.workspace.plan.as_str().to_owned()),
            key: match &self.identity {
                Identity::Operator => None,
                Identity::Key(key) => Some((**key).clone()),
            },
            tells_key: true,
        }
    }

    /// The id and the name under which the audit log keeps what this caller does.
    pub(super) fn actor(&self) -> (&str, &str) {
        match &self.identity {
            Identity::Operator => ("operator", "operator"),
            Identity::Key(key) => (key.id.as_str(), &key.name),
        }
    }

    fn holds(&self, permission: &str) -> bool {
        match &self.identity {
            Identity::Operator => true,
            Identity::Key(key) => self.rules().permissions.covers(&key.permissions, permission),
        }
    }

    /// Refuses callers that may not manage keys.
    pub(super) fn may_manage(&self) -> Result<(), Refusal> {
        if self.is_operator() {
            return Ok(());
        }
        match self.rules().management {
            Management::Permission(needed) if !self.holds(needed) => Err(Refusal::MissingPermission(needed)),
            Management::Role { role, named, .. } if self.role.as_deref() != Some(role) => {
                Err(Refusal::MissingPermission(named))
            }
            Management::Role { feature, .. } if !self.workspace.features.contains(feature) => Err(Refusal::FeatureOff),
            Management::Permission(_) | Management::Role { .. } | Management::AnyKey => Ok(()),
        }
    }

    /// Refuses callers that may neither manage keys nor read everything.
    pub(super) fn may_look(&self) -> Result<(), Refusal> {
        let rules = self.rules();
        let by_permission = matches!(rules.management, Management::Permission(_));
        let may_read = rules.reading_permission.is_some_and(|reading| by_permission && self.holds(reading));
        if may_read { Ok(()) } else { self.may_manage() }
    }

    /// Refuses to hand on what the caller does not hold: permissions, and being without limits.
    pub(super) fn may_grant(&self, permissions: &[Permission], tier: Tier) -> Result<(), Refusal> {
        if tier == Tier::Unmetered && self.workspace.plan != Plan::Enterprise {
            return Err(Refusal::TierNotInPlan);
        }
        // `high` comes with every plan; to be without limits is handed on only by who is.
        if let Identity::Key(key) = &self.identity
            && tier == Tier::Unmetered
            && key.tier != Some(Tier::Unmetered)
        {
            return Err(Refusal::TierNotHeld(tier.as_str()));
        }
        match permissions.iter().find(|permission| !self.holds(permission.as_str())) {
            Some(lacking) => Err(Refusal::NotHeld(lacking.clone())),
            None => Ok(()),
        }
    }
}

impl Service {
    /// Finds out who presents this key to a provider's API. Unknown and malformed keys cost the same look-up as known
    /// ones, and those of another provider are unknown.
    pub(crate) async fn authenticate(
        &self,
        provider: Provider,
        presented: &str,
        now: Timestamp,
    ) -> Result<Caller, Refusal> {
        let stored = in_time(self.store.key_with_hash(&HashedKey::of(presented))).await?.ok_or(Refusal::InvalidKey)?;
        let workspace = in_time(self.store.workspace_with_id(&stored.workspace)).await?.ok_or(Refusal::InvalidKey)?;
        if workspace.provider != provider {
            return Err(Refusal::InvalidKey);
        }
        let identity = Identity::of(&stored.key, now)?;
        self.usage.touch(stored.key.id.as_str(), now);
        let role = stored.key.role().map(str::to_owned);
        Ok(Caller { workspace, identity, role, sealing: Zeroizing::new(presented.as_bytes().to_vec()) })
    }

    /// Counts a call of a key to the management API, or says why it may not be made; in both cases what is left of the day.
    /// The operator is not counted. A call that is free costs no credit where others do.
    pub(crate) async fn meter(
        &self,
        caller: &Caller,
        is_free: bool,
        now: Timestamp,
    ) -> (Option<Quota>, Result<(), Refusal>) {
        let Some(key) = caller.key() else { return (None, Ok(())) };
        let workspace = caller.workspace();
        let credit = caller.rules().management_costs_credits && !is_free;
        let cost = Cost { tier: workspace.tier_of(key), limits: workspace.limits(), credit };
        let supply = Supply { service: self, workspace };
        let meter = self.meters.of(&workspace.id);
        let spent = in_time(async { Ok(meter.spend(supply, &cost, now).await) }).await;
        spent.unwrap_or_else(|error| (None, Err(error.into())))
    }
}
