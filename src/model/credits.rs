//! Credits: what calls are paid with, where a workspace pays by the call.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::Serialize;

/// Where credits came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CreditKind {
    /// Part of the plan, granted each month; what is left rolls over
    Subscription,
    /// Bought; never expires
    Purchased,
    /// Given away; may expire
    Bonus,
}

impl CreditKind {
    pub(crate) const ALL: [Self; 3] = [Self::Subscription, Self::Purchased, Self::Bonus];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Purchased => "purchased",
            Self::Bonus => "bonus",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Credits to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewGrant {
    pub(crate) kind: CreditKind,
    pub(crate) amount: i64,
    pub(crate) note: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Credits that were granted at one time, and how many of them are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) kind: CreditKind,
    pub(crate) amount: i64,
    pub(crate) remaining: i64,
    pub(crate) note: Option<String>,
    pub(crate) granted_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Grant {
    pub(crate) fn is_spendable(&self, now: Timestamp) -> bool {
        self.remaining > 0 && self.expires_at.is_none_or(|end| end > now)
    }

    /// Which of two is spent first: the soonest to expire, then subscription, then purchased; the older of two alike.
    pub(crate) fn spending_order(&self, other: &Self) -> Ordering {
        let end = |grant: &Self| grant.expires_at.unwrap_or(Timestamp::MAX);
        let kind = |grant: &Self| match grant.kind {
            CreditKind::Bonus => 0,
            CreditKind::Subscription => 1,
            CreditKind::Purchased => 2,
        };
        let rank = |grant: &Self| (end(grant), kind(grant), grant.granted_at);
        rank(self).cmp(&rank(other)).then_with(|| self.id.cmp(&other.id))
    }
}

/// What a workspace can spend, and of which grants.
#[derive(Debug, Clone)]
pub(crate) struct Credits {
    /// What can be spent now, over all grants.
    pub(crate) balance: i64,
    /// All grants, those first that are spent first.
    pub(crate) grants: Vec<Grant>,
    /// What is left of each kind, where a service tells that and no grants.
    pub(crate) kinds: Option<Vec<(CreditKind, i64)>>,
    /// Credits granted at the start of each month.
    pub(crate) monthly: Option<i64>,
    /// When the next ones are.
    pub(crate) next_grant_at: Option<Timestamp>,
}

impl Credits {
    /// A balance, of which nothing more is known.
    pub(crate) const fn balance_of(balance: i64) -> Self {
        Self { balance, grants: Vec::new(), kinds: Some(Vec::new()), monthly: None, next_grant_at: None }
    }

    /// What can be spent of a kind; `None` where that is not known.
    pub(crate) fn of_kind(&self, kind: CreditKind, now: Timestamp) -> Option<i64> {
        if let Some(kinds) = &self.kinds {
            return kinds.iter().find(|(known, _)| *known == kind).map(|(_, left)| *left);
        }
        let spendable = self.grants.iter().filter(|grant| grant.kind == kind && grant.is_spendable(now));
        Some(spendable.map(|grant| grant.remaining).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(id: &str, kind: CreditKind, expires_at: Option<i64>) -> Grant {
        Grant {
            id: id.to_owned(),
            kind,
            amount: 10,
            remaining: 10,
            note: None,
            granted_at: Timestamp::UNIX_EPOCH,
            expires_at: expires_at.map(|second| Timestamp::from_second(second).unwrap()),
        }
    }

    #[test]
    fn the_soonest_to_expire_goes_first_then_subscription_then_purchased() {
        let mut grants = [
            grant("d", CreditKind::Purchased, None),
            grant("c", CreditKind::Subscription, None),
            grant("b", CreditKind::Bonus, Some(20)),
            grant("a", CreditKind::Bonus, Some(10)),
        ];
        grants.sort_by(Grant::spending_order);
        let order: Vec<&str> = grants.iter().map(|grant| grant.id.as_str()).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }

    #[test]
    fn what_has_expired_or_is_spent_is_not_spendable() {
        let now = Timestamp::from_second(10).unwrap();
        assert!(!grant("a", CreditKind::Bonus, Some(10)).is_spendable(now));
        assert!(grant("a", CreditKind::Bonus, Some(11)).is_spendable(now));
        assert!(!Grant { remaining: 0, ..grant("a", CreditKind::Purchased, None) }.is_spendable(now));
    }
}
