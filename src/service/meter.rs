//! Limits and credits at the speed of memory, never one call over.
//!
//! The counters in the database say what is handed out. A replica takes a block of calls from them, spends it here, and
//! gives back what is left when its window ends, when nobody calls, and when the process ends. A kill forfeits the block:
//! too few calls are possible then, never too many.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;

use super::credits::Purse;
use super::store::{Leased, Store, Wanted, Workspace};
use super::{Refusal, Service, StoreError};
use crate::model::credits::Grant;
use crate::model::plan::Limits;
use crate::model::quota::{Period, Quota, block};
use crate::model::tier::Tier;

/// For how long a window or a purse that was found empty is not looked at again: others may give back what they took.
const EMPTY_FOR: Duration = Duration::from_secs(1);

/// After how long without a call a block is given back.
const IDLE: Duration = Duration::from_secs(5);

/// What a call costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) tier: Tier,
    pub(super) limits: Limits,
    pub(super) credit: bool,
}

/// Where a meter is filled from, and for whom.
#[derive(Clone, Copy)]
pub(super) struct Supply<'a> {
    pub(super) service: &'a Service,
    pub(super) workspace: &'a Workspace,
}

/// The meters of all workspaces that were called.
#[derive(Default)]
pub(super) struct Meters {
    by_workspace: RwLock<HashMap<String, Arc<Meter>>>,
}

/// What one workspace may still spend here.
pub(super) struct Meter {
    workspace: String,
    state: Mutex<State>,
    /// One asks the database at a time; the others find what it got.
    refill: Arc<tokio::sync::Mutex<()>>,
}

struct State {
    day: Window,
    /// The minute of keys of the tier `standard`.
    minute: Window,
    /// The minute of keys of the tier `high`: the same counter, with twice the limit.
    high_minute: Window,
    purse: Purse,
    /// Blocks of windows that are over.
    over: Vec<(Period, i64)>,
    last_call: Instant,
}

/// Calls of one window that were taken from the database.
struct Window {
    period: Period,
    /// How many may still be made.
    unspent: i64,
    /// The limit they were taken under.
    limit: i64,
    /// How many were handed out, to anybody, when that was last seen; `None` while it has not been.
    leased: Option<i64>,
    /// Since when nothing is left, and of which limit.
    empty: Option<(Instant, i64)>,
}

/// What stands between a call and its being made.
enum Spent {
    Done(Quota),
    Refused(Refusal, Quota),
    /// Something has to be taken from the database first.
    Missing(Missing),
}

#[derive(Clone, Copy)]
struct Missing {
    day: bool,
    minute: bool,
    credit: bool,
}

impl Meters {
    pub(super) fn of(&self, workspace: &str) -> Arc<Meter> {
        let found = self.by_workspace.read().unwrap_or_else(PoisonError::into_inner).get(workspace).map(Arc::clone);
        found.unwrap_or_else(|| {
            let mut meters = self.by_workspace.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(meters.entry(workspace.to_owned()).or_insert_with(|| Arc::new(Meter::new(workspace))))
        })
    }

    pub(super) fn all(&self) -> Vec<Arc<Meter>> {
        self.by_workspace.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect()
    }
}

impl Window {
    const fn new(period: Period) -> Self {
        Self { period, unspent: 0, limit: 0, leased: None, empty: None }
    }

    /// Turns to another period; what is left of the old one is to be given back.
    fn turn_to(&mut self, period: Period, over: &mut Vec<(Period, i64)>) {
        if self.period != period {
            let old = std::mem::replace(self, Self::new(period));
            if old.unspent > 0 {
                over.push((old.period, old.unspent));
            }
        }
    }

    /// Holds to a limit. What was taken under a higher one is to be given back: of this one it may be used up.
    fn hold_to(&mut self, limit: i64, over: &mut Vec<(Period, i64)>) {
        if limit < self.limit && self.unspent > 0 {
            over.push((self.period, std::mem::take(&mut self.unspent)));
        }
        self.limit = limit;
    }

    fn is_empty_for_now(&self, limit: i64) -> bool {
        limit <= 0 || self.empty.is_some_and(|(since, of)| of == limit && since.elapsed() < EMPTY_FOR)
    }

    fn fill(&mut self, period: Period, limit: i64, leased: Leased) -> i64 {
        if self.period != period {
            // The window ended while the database was asked.
            return leased.got;
        }
        self.unspent += leased.got;
        self.leased = Some(leased.leased);
        self.empty = (leased.got == 0).then(|| (Instant::now(), limit));
        0
    }

    fn left(&self, limit: i64) -> i64 {
        (limit - self.leased.unwrap_or(0) + self.unspent).clamp(0, limit.max(0))
    }

    fn take_back(&mut self) -> Option<(Period, i64)> {
        let unspent = std::mem::take(&mut self.unspent);
        if unspent == 0 {
            return None;
        }
        self.leased = self.leased.map(|leased| leased - unspent);
        Some((self.period, unspent))
    }
}

impl State {
    fn turn_to(&mut self, now: Timestamp) {
        let Self { day, minute, high_minute, over, .. } = self;
        day.turn_to(Period::day_of(now), over);
        minute.turn_to(Period::minute_of(now), over);
        high_minute.turn_to(Period::minute_of(now), over);
    }

    fn minute_of(&mut self, tier: Tier) -> &mut Window {
        if tier == Tier::High { &mut self.high_minute } else { &mut self.minute }
    }

    fn quota(&self, limits: Limits) -> Quota {
        Quota { limit: limits.per_day, remaining: self.day.left(limits.per_day), resets_at: self.day.period.end() }
    }

    /// Makes a call, if everything it costs is here.
    fn spend(&mut self, cost: &Cost, now: Timestamp) -> Spent {
        self.turn_to(now);
        self.last_call = Instant::now();
        let metered = cost.tier != Tier::Unmetered;
        let per_minute = per_minute(cost);
        if metered {
            let Self { day, minute, high_minute, over, .. } = self;
            day.hold_to(cost.limits.per_day, over);
            let minute = if cost.tier == Tier::High { high_minute } else { minute };
            minute.hold_to(per_minute, over);
        }
        let day = metered && self.day.unspent == 0;
        let minute = metered && self.minute_of(cost.tier).unspent == 0;
        let credit = cost.credit && !self.purse.can_pay(now);
        let no_credit = credit && self.purse.is_empty_for_now(EMPTY_FOR);
        let quota = self.quota(cost.limits);
        if day && self.day.is_empty_for_now(cost.limits.per_day) {
            return Spent::Refused(Refusal::RateLimited { resets_at: self.day.period.end() }, quota);
        }
        if minute && self.minute_of(cost.tier).is_empty_for_now(per_minute) {
            return Spent::Refused(Refusal::RateLimited { resets_at: self.minute.period.end() }, quota);
        }
        if day || minute || credit && !no_credit || self.day.leased.is_none() {
            return Spent::Missing(Missing { day, minute, credit: credit && !no_credit });
        }
        if no_credit {
            return Spent::Refused(Refusal::NoCredits, quota);
        }
        if metered {
            self.day.unspent -= 1;
            self.minute_of(cost.tier).unspent -= 1;
        }
        if cost.credit {
            self.purse.pay(now);
        }
        Spent::Done(self.quota(cost.limits))
    }
}

fn per_minute(cost: &Cost) -> i64 {
    let plain = cost.limits.per_minute;
    if cost.tier == Tier::High { plain.saturating_mul(2) } else { plain }
}

impl Meter {
    fn new(workspace: &str) -> Self {
        let never = Period::Minute(0);
        Self {
            workspace: workspace.to_owned(),
            state: Mutex::new(State {
                day: Window::new(Period::Day(0)),
                minute: Window::new(never),
                high_minute: Window::new(never),
                purse: Purse::default(),
                over: Vec::new(),
                last_call: Instant::now(),
            }),
            refill: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call, or says why it may not be made; in both cases what is left of the day, where that is known.
    pub(super) async fn spend(
        self: &Arc<Self>,
        supply: Supply<'_>,
        cost: &Cost,
        now: Timestamp,
    ) -> (Option<Quota>, Result<(), Refusal>) {
        match self.state().spend(cost, now) {
            Spent::Done(quota) => return (Some(quota), Ok(())),
            Spent::Refused(refusal, quota) => return (Some(quota), Err(refusal)),
            Spent::Missing(_) => {}
        }
        let mut one = self.hold().await;
        loop {
            let missing = match self.state().spend(cost, now) {
                Spent::Done(quota) => return (Some(quota), Ok(())),
                Spent::Refused(refusal, quota) => return (Some(quota), Err(refusal)),
                Spent::Missing(missing) => missing,
            };
            one = match self.fetch(supply, *cost, missing, now, one).await {
                Ok(one) => one,
                Err(error) => return (None, Err(error.into())),
            };
        }
    }

    /// Takes what a call lacks, also when nobody waits for it any more: what is on its way from the database would be lost.
    async fn fetch(
        self: &Arc<Self>,
        supply: Supply<'_>,
        cost: Cost,
        missing: Missing,
        now: Timestamp,
        one: OwnedMutexGuard<()>,
    ) -> Result<OwnedMutexGuard<()>, StoreError> {
        let (meter, service, workspace) = (Arc::clone(self), supply.service.clone(), supply.workspace.clone());
        let taking = tokio::spawn(async move {
            let supply = Supply { service: &service, workspace: &workspace };
            meter.take(supply, &cost, missing, now).await.map(|()| one)
        });
        taking.await.unwrap_or_else(|_| Err(StoreError::Database(sqlx::Error::WorkerCrashed)))
    }

    /// Takes from the database what a call lacks.
    async fn take(&self, supply: Supply<'_>, cost: &Cost, missing: Missing, now: Timestamp) -> Result<(), StoreError> {
        let store = &supply.service.store;
        let (day, minute) = (Period::day_of(now), Period::minute_of(now));
        if missing.day || missing.minute {
            let (day_seen, minute_seen) = {
                let mut state = self.state();
                (state.day.leased.unwrap_or(0), state.minute_of(cost.tier).leased.unwrap_or(0))
            };
            let of_day = Wanted { period: day, limit: cost.limits.per_day, leased: day_seen };
            let of_minute = Wanted { period: minute, limit: per_minute(cost), leased: minute_seen };
            let wanted: Vec<Wanted> =
                [missing.day.then_some(of_day), missing.minute.then_some(of_minute)].into_iter().flatten().collect();
            let mut leased = store.lease_calls(&self.workspace, &wanted).await?.into_iter();
            let mut state = self.state();
            let mut late = Vec::new();
            if missing.day
                && let Some(leased) = leased.next()
            {
                late.push((day, state.day.fill(day, cost.limits.per_day, leased)));
            }
            if missing.minute
                && let Some(leased) = leased.next()
            {
                late.push((minute, state.minute_of(cost.tier).fill(minute, per_minute(cost), leased)));
            }
            state.over.extend(late.into_iter().filter(|(_, calls)| *calls > 0));
        } else if self.state().day.leased.is_none() {
            let leased = store.leased_calls(&self.workspace, day).await?;
            let mut state = self.state();
            if state.day.period == day {
                state.day.leased = Some(leased);
            }
        }
        if missing.credit {
            self.take_credits(supply, now).await?;
        }
        Ok(())
    }

    /// Takes a block of credits from the grant that is spent first.
    async fn take_credits(&self, supply: Supply<'_>, now: Timestamp) -> Result<(), StoreError> {
        let Supply { service, workspace } = supply;
        let store = &service.store;
        if self.state().purse.is_in_another_month(now) {
            super::credits::grant_months(store, workspace, now, || service.new_id("grant_")).await?;
            self.state().purse.enters_month(now);
        }
        // Only others who take from the same grant at the same time can make an attempt fail.
        for _ in 0..3 {
            let mut grants = store.credit_grants(&self.workspace).await?;
            grants.retain(|grant| grant.is_spendable(now));
            let balance: i64 = grants.iter().map(|grant| grant.remaining).sum();
            grants.sort_by(Grant::spending_order);
            let Some(first) = grants.first() else { break };
            let credits = block(balance, balance).min(first.remaining);
            if store.lease_credits(&first.id, credits).await? {
                self.state().purse.fill(&first.id, credits, first.expires_at);
                return Ok(());
            }
        }
        self.state().purse.found_empty();
        Ok(())
    }

    /// Keeps blocks from moving between here and the database, so that both together can be counted.
    pub(super) async fn hold(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.refill).lock_owned().await
    }

    /// What is left of the day, without making a call.
    pub(super) async fn quota(&self, store: &Store, limits: Limits, now: Timestamp) -> Result<Quota, StoreError> {
        let _still = self.hold().await;
        let leased = store.leased_calls(&self.workspace, Period::day_of(now)).await?;
        let mut state = self.state();
        state.turn_to(now);
        state.day.leased = Some(leased.max(state.day.unspent));
        Ok(state.quota(limits))
    }

    /// What is left of the minute for keys of the tier `standard`.
    pub(super) async fn minute(&self, store: &Store, limits: Limits, now: Timestamp) -> Result<Quota, StoreError> {
        let period = Period::minute_of(now);
        let _still = self.hold().await;
        let leased = store.leased_calls(&self.workspace, period).await?;
        let mut state = self.state();
        state.turn_to(now);
        let here = state.minute.unspent + state.high_minute.unspent;
        let remaining = (limits.per_minute - leased + here).clamp(0, limits.per_minute.max(0));
        Ok(Quota { limit: limits.per_minute, remaining, resets_at: period.end() })
    }

    /// Credits that were taken from a grant and are still unspent here.
    pub(super) fn unspent_credits(&self) -> HashMap<String, i64> {
        self.state().purse.unspent()
    }

    /// Gives back what is not needed: windows that are over, everything where nobody calls or `all` is wanted.
    pub(super) async fn give_back(&self, store: &Store, all: bool, now: Timestamp) -> Result<(), StoreError> {
        let _still = self.hold().await;
        let (mut calls, mut credits) = {
            let mut state = self.state();
            state.turn_to(now);
            let mut calls = std::mem::take(&mut state.over);
            let mut credits = VecDeque::new();
            if all || state.last_call.elapsed() >= IDLE {
                let State { day, minute, high_minute, .. } = &mut *state;
                calls.extend([day, minute, high_minute].into_iter().filter_map(Window::take_back));
                credits = state.purse.take_back();
            }
            (calls, credits)
        };
        while let Some((period, unspent)) = calls.pop() {
            if let Err(error) = store.return_calls(&self.workspace, period, unspent).await {
                // Nobody may spend them meanwhile: they wait for the next attempt. What may have been given back is forfeit.
                calls.extend((!error.is_unknown()).then_some((period, unspent)));
                self.state().over.append(&mut calls);
                self.state().purse.put_back(credits);
                return Err(error);
            }
        }
        while let Some(part) = credits.pop_front() {
            if let Err(error) = store.return_credits(&part.grant, part.unspent).await {
                credits.extend((!error.is_unknown()).then_some(part));
                self.state().purse.put_back(credits);
                return Err(error);
            }
        }
        Ok(())
    }
}
