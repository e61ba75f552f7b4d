//! Credits: what is granted, what is left of it, and the few that are at hand to be spent.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::store::{Store, Workspace, Write, month_of};
use super::{Caller, Refusal, Service, StoreError};
use crate::model::credits::{CreditKind, Credits, Grant, NewGrant};
use crate::model::plan::LARGEST_FIGURE;

/// Months that are granted at once, should nobody have called for longer.
const MOST_MONTHS: usize = 120;

/// Credits taken from grants, to be spent here.
#[derive(Default)]
pub(super) struct Purse {
    parts: VecDeque<Part>,
    /// Since when the database has none left.
    empty: Option<Instant>,
    /// The month whose grant is known to be made.
    month: Option<String>,
}

/// Credits taken from one grant.
pub(super) struct Part {
    pub(super) grant: String,
    pub(super) unspent: i64,
    expires_at: Option<Timestamp>,
}

impl Part {
    fn is_spendable(&self, now: Timestamp) -> bool {
        self.unspent > 0 && self.expires_at.is_none_or(|end| end > now)
    }
}

impl Purse {
    pub(super) fn can_pay(&self, now: Timestamp) -> bool {
        self.parts.iter().any(|part| part.is_spendable(now))
    }

    /// Spends one credit.
    pub(super) fn pay(&mut self, now: Timestamp) {
        if let Some(part) = self.parts.iter_mut().find(|part| part.is_spendable(now)) {
            part.unspent -= 1;
        }
        self.parts.retain(|part| part.unspent > 0);
    }

    pub(super) fn is_empty_for_now(&self, time: Duration) -> bool {
        self.empty.is_some_and(|since| since.elapsed() < time)
    }

    pub(super) fn found_empty(&mut self) {
        self.empty = Some(Instant::now());
    }

    pub(super) fn fill(&mut self, grant: &str, credits: i64, expires_at: Option<Timestamp>) {
        self.empty = None;
        match self.parts.iter_mut().find(|part| part.grant == grant) {
            Some(part) => part.unspent += credits,
            None => self.parts.push_back(Part { grant: grant.to_owned(), unspent: credits, expires_at }),
        }
    }

    /// Whether the grant of this month may still have to be made.
    pub(super) fn is_in_another_month(&self, now: Timestamp) -> bool {
        self.month != Some(month_of(now))
    }

    /// Notes that the grant of this month is made.
    pub(super) fn enters_month(&mut self, now: Timestamp) {
        self.month = Some(month_of(now));
    }

    pub(super) fn unspent(&self) -> HashMap<String, i64> {
        self.parts.iter().map(|part| (part.grant.clone(), part.unspent)).collect()
    }

    pub(super) fn take_back(&mut self) -> VecDeque<Part> {
        std::mem::take(&mut self.parts)
    }

    pub(super) fn put_back(&mut self, parts: VecDeque<Part>) {
        for part in parts {
            self.fill(&part.grant, part.unspent, part.expires_at);
        }
    }
}

impl Service {
    /// The workspace's credits. What this replica has taken and not spent counts as left; what others have does not.
    pub(crate) async fn credits(&self, caller: &Caller, now: Timestamp) -> Result<Credits, Refusal> {
        caller.may_look()?;
        self.credits_of(caller.workspace(), now).await
    }

    pub(crate) async fn credits_of(&self, workspace: &Workspace, now: Timestamp) -> Result<Credits, Refusal> {
        grant_months(&self.store, workspace, now, || self.new_id("grant_")).await?;
        let meter = self.meters.of(&workspace.id);
        let _still = meter.hold().await;
        let mut grants = self.store.credit_grants(&workspace.id).await?;
        let here = meter.unspent_credits();
        for grant in &mut grants {
            grant.remaining += here.get(&grant.id).copied().unwrap_or(0);
        }
        grants.sort_by(Grant::spending_order);
        let balance = grants.iter().filter(|grant| grant.is_spendable(now)).map(|grant| grant.remaining).sum();
        let next = first_of_month(now).checked_add(1.month()).unwrap_or(Date::MAX);
        let (monthly, next) = (Some(workspace.monthly_credits), Some(start(next)));
        Ok(Credits { balance, grants, kinds: None, monthly, next_grant_at: next })
    }

    /// Adds credits to a workspace, and says what it has then.
    pub(crate) async fn grant_credits(&self, workspace: &str, new: NewGrant, now: Timestamp) -> Result<Grant, Refusal> {
        let workspace = self.workspace(workspace).await?;
        let NewGrant { kind, amount, note, expires_at } = new;
        if !(1..=LARGEST_FIGURE).contains(&amount) {
            let problem = format!("it goes from 1 to {LARGEST_FIGURE}");
            return Err(Refusal::Invalid { field: "amount", problem });
        }
        if expires_at.is_some() && kind != CreditKind::Bonus {
            let problem = "only bonus credits expire".to_owned();
            return Err(Refusal::Invalid { field: "expires_at", problem });
        }
        let grant =
            Grant { id: self.new_id("grant_"), kind, amount, remaining: amount, note, granted_at: now, expires_at };
        let mut write = self.store.write(&workspace.id).await?;
        write.insert_grant(&grant, None).await?;
        note_grant(&mut write, &grant, ("operator", "operator"), now).await?;
        write.commit().await?;
        Ok(grant)
    }
}

/// Makes the grants of the months since the newest one, this month's included: what is left rolls over, also from months
/// in which nobody called.
pub(super) async fn grant_months(
    store: &Store,
    workspace: &Workspace,
    now: Timestamp,
    new_id: impl Fn() -> String,
) -> Result<(), StoreError> {
    if workspace.monthly_credits < 1 || store.has_month(&workspace.id, &month_of(now)).await? {
        return Ok(());
    }
    let mut write = store.write(&workspace.id).await?;
    grant_months_in(&mut write, workspace, workspace.created_at, now, new_id).await?;
    write.commit().await.map(drop)
}

/// Makes the grants of the months from one instant to another that are newer than the newest one made.
pub(super) async fn grant_months_in(
    write: &mut Write,
    workspace: &Workspace,
    from: Timestamp,
    now: Timestamp,
    new_id: impl Fn() -> String,
) -> Result<(), StoreError> {
    if workspace.monthly_credits < 1 {
        return Ok(());
    }
    let newest = write.newest_month().await?;
    let mut month = first_of_month(from.min(now));
    let last = first_of_month(now);
    let mut months = Vec::new();
    while month <= last {
        let name = month.strftime("%Y-%m").to_string();
        if newest.as_ref().is_none_or(|newest| name > *newest) {
            months.push((name, month));
        }
        let Ok(next) = month.checked_add(1.month()) else { break };
        month = next;
    }
    for (name, month) in months.into_iter().rev().take(MOST_MONTHS).rev() {
        let grant = Grant {
            id: new_id(),
            kind: CreditKind::Subscription,
            amount: workspace.monthly_credits,
            remaining: workspace.monthly_credits,
            note: Some(name.clone()),
            granted_at: start(month).max(workspace.created_at),
            expires_at: None,
        };
        if write.insert_grant(&grant, Some(&name)).await? {
            note_grant(write, &grant, ("service", "service"), now).await?;
        }
    }
    Ok(())
}

async fn note_grant(write: &mut Write, grant: &Grant, actor: (&str, &str), now: Timestamp) -> Result<(), StoreError> {
    let details = json!({ "created": {
        "kind": grant.kind, "amount": grant.amount, "note": grant.note,
        "expires_at": grant.expires_at.map(|end| end.to_string()),
    } });
    write.append_audit(now, actor, "credits.grant", &grant.id, &details.to_string()).await
}

fn first_of_month(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date().first_of_month()
}

fn start(date: Date) -> Timestamp {
    date.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}
