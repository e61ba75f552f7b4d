//! Usage: how many calls each key made to each endpoint, how many went wrong, and when a key was last used.
//!
//! Written behind: calls are counted in memory and stored once a second, and before anybody is told. A kill loses at most
//! what one second counted, of these statistics only; so does a database that never says what became of a commit.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::store::{Store, UsageRow, in_time};
use super::{Caller, Owner, Refusal, Service, StoreError};
use crate::model::key::Key;
use crate::model::quota::Period;
use crate::model::usage::{KeyUsage, Tally, UsageReport};

/// Keys and endpoints that are counted apart before they are stored; what comes beyond is counted as one endpoint.
const MOST_COUNTED: usize = 100_000;

/// What endpoints are called when there are too many.
const OTHER: &str = "(other)";

/// The longest time that is answered for at once.
pub(crate) const MOST_DAYS: u16 = 365;

/// Calls that are not stored yet.
#[derive(Default)]
pub(super) struct Usage {
    counted: Mutex<Counted>,
    /// One stores at a time, so that who asks afterwards finds everything.
    storing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Counted {
    by_key: HashMap<String, OfKey>,
    size: usize,
    /// When keys were last used, until that is stored.
    used: HashMap<String, Timestamp>,
}

struct OfKey {
    workspace: String,
    /// By day and endpoint.
    calls: BTreeMap<Period, HashMap<String, Tally>>,
}

/// A call: by which key, to what.
#[derive(Clone, Copy)]
pub(super) struct Called<'a> {
    pub(super) workspace: &'a str,
    pub(super) key: &'a str,
    pub(super) endpoint: &'a str,
}

impl Usage {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, called: Called<'_>, is_error: bool, now: Timestamp) {
        self.add(called, Tally { calls: 1, errors: i64::from(is_error) }, Period::day_of(now));
    }

    /// Notes that a key is used.
    pub(super) fn touch(&self, key: &str, now: Timestamp) {
        let mut counted = self.counted();
        // Nothing is allocated for what is known.
        match counted.used.get_mut(key) {
            Some(last) => *last = now.max(*last),
            None => {
                counted.used.insert(key.to_owned(), now);
            }
        }
    }

    /// Tells of each key also the use that is not stored yet.
    pub(super) fn complete<'a>(&self, keys: impl IntoIterator<Item = &'a mut Key>) {
        let counted = self.counted();
        for key in keys {
            key.last_used_at = key.last_used_at.max(counted.used.get(key.id.as_str()).copied());
        }
    }

    fn add(&self, called: Called<'_>, tally: Tally, day: Period) {
        let Called { workspace, key, endpoint } = called;
        let mut counted = self.counted();
        let is_full = counted.size >= MOST_COUNTED;
        let Counted { by_key, size, .. } = &mut *counted;
        // Nothing is allocated for what is known.
        if let Some(known) = by_key.get_mut(key).and_then(|of_key| of_key.calls.get_mut(&day)?.get_mut(endpoint)) {
            known.add(tally);
            return;
        }
        let of_key = by_key.entry(key.to_owned());
        let of_key = of_key.or_insert_with(|| OfKey { workspace: workspace.to_owned(), calls: BTreeMap::new() });
        let endpoints = of_key.calls.entry(day).or_default();
        let endpoint = if is_full { OTHER } else { endpoint };
        *size += 1;
        endpoints.entry(endpoint.to_owned()).or_default().add(tally);
    }

    /// Stores what is counted. What cannot be stored is counted on.
    pub(super) async fn store(self: &Arc<Self>, store: &Store) -> Result<(), StoreError> {
        let (usage, store) = (Arc::clone(self), store.clone());
        // Whoever asks may go away in the middle of it, and must not take along what is counted.
        let storing = tokio::spawn(async move { usage.store_all(&store).await });
        let stored =
            in_time(async { storing.await.unwrap_or_else(|_| Err(StoreError::Database(sqlx::Error::WorkerCrashed))) });
        stored.await.map_err(|error| match error {
            // To whoever asks it is no change of theirs that may have been made.
            StoreError::CommitUnknown(cause) => StoreError::Database(cause),
            other => other,
        })
    }

    async fn store_all(&self, store: &Store) -> Result<(), StoreError> {
        let _one = in_time(async { Ok(self.storing.lock().await) }).await?;
        let (by_key, mut last_used) = {
            let mut counted = self.counted();
            counted.size = 0;
            let last_used: Vec<(String, Timestamp)> = counted.used.iter().map(|(key, at)| (key.clone(), *at)).collect();
            (std::mem::take(&mut counted.by_key), last_used)
        };
        if by_key.is_empty() && last_used.is_empty() {
            return Ok(());
        }
        let mut counted = Vec::new();
        for (key, of_key) in by_key {
            for (day, endpoints) in of_key.calls {
                for (endpoint, Tally { calls, errors }) in endpoints {
                    let (workspace, key) = (of_key.workspace.clone(), key.clone());
                    counted.push((UsageRow { workspace, day: day.name(), key, endpoint, calls, errors }, day));
                }
            }
        }
        // Everybody takes the rows in the same order, so that two replicas do not wait for one another.
        counted.sort_by(|(left, _), (right, _)| place(left).cmp(&place(right)));
        last_used.sort();
        let (rows, days): (Vec<UsageRow>, Vec<Period>) = counted.into_iter().unzip();
        let stored = store.add_usage(&rows, &last_used).await;
        match &stored {
            Ok(()) => {
                let mut counted = self.counted();
                for (key, at) in &last_used {
                    if counted.used.get(key).is_some_and(|used| used <= at) {
                        counted.used.remove(key);
                    }
                }
            }
            // It may be stored: no call is ever counted twice.
            Err(error) if error.is_unknown() => {}
            Err(_) => {
                for (row, day) in rows.iter().zip(days) {
                    let called = Called { workspace: &row.workspace, key: &row.key, endpoint: &row.endpoint };
                    self.add(called, Tally { calls: row.calls, errors: row.errors }, day);
                }
            }
        }
        stored
    }
}

fn place(row: &UsageRow) -> (&str, &str, &str, &str) {
    (&row.workspace, &row.day, &row.key, &row.endpoint)
}

impl Service {
    /// Notes a call that was answered.
    pub(crate) fn note_call(&self, caller: &Caller, endpoint: &str, is_error: bool, now: Timestamp) {
        if let Some(key) = caller.key() {
            let call = Called { workspace: &caller.workspace().id, key: key.id.as_str(), endpoint };
            self.usage.count(call, is_error, now);
        }
    }

    /// Notes that a call the gate let through was answered with an error after all.
    pub(crate) fn note_failure(&self, owner: &Owner, endpoint: &str, now: Timestamp) {
        let call = Called { workspace: &owner.workspace, key: &owner.key, endpoint };
        self.usage.add(call, Tally { calls: 0, errors: 1 }, Period::day_of(now));
    }

    /// What the workspace used in these days up to today, or one of its keys.
    pub(crate) async fn usage(
        &self,
        caller: &Caller,
        key: Option<&str>,
        days: u16,
        now: Timestamp,
    ) -> Result<UsageReport, Refusal> {
        if let Some(key) = key {
            self.show_key(caller, key).await?;
        }
        caller.may_look()?;
        let workspace = caller.workspace();
        self.usage.store(&self.store).await?;
        let meter = self.meters.of(&workspace.id);
        let per_day = meter.quota(&self.store, workspace.limits(), now).await?;
        let per_minute = meter.minute(&self.store, workspace.limits(), now).await?;
        let dates: Vec<String> = (0..i64::from(days.max(1)))
            .rev()
            .filter_map(|back| now.checked_sub(SignedDuration::from_hours(24 * back)).ok())
            .map(|instant| Period::day_of(instant).name())
            .collect();
        let span = (dates.first().map_or("", String::as_str), dates.last().map_or("", String::as_str));
        let rows = self.store.usage(&workspace.id, key, span).await?;
        let last_used_at = self.store.last_used(&workspace.id, key).await?;
        let names = self.store.key_names(&workspace.id, key, span).await?;
        let mut by_day: BTreeMap<String, Tally> = dates.iter().map(|day| (day.clone(), Tally::default())).collect();
        let (mut by_endpoint, mut by_key) = (BTreeMap::new(), BTreeMap::new());
        for UsageRow { day, key, endpoint, calls, errors, .. } in rows {
            let tally = Tally { calls, errors };
            by_day.entry(day).or_default().add(tally);
            by_endpoint.entry(endpoint).or_insert_with(Tally::default).add(tally);
            by_key.entry(key).or_insert_with(Tally::default).add(tally);
        }
        let of_key = |(id, tally): (String, Tally)| KeyUsage { name: names.get(&id).cloned(), id, tally };
        Ok(UsageReport {
            plan: workspace.plan.as_str().to_owned(),
            per_day,
            per_minute: Some(per_minute),
            today: by_day.get(span.1).copied().unwrap_or_default(),
            days: by_day.into_iter().collect(),
            endpoints: busiest_first(by_endpoint),
            keys: busiest_first(by_key).into_iter().map(of_key).collect(),
            last_used_at,
            note: None,
        })
    }
}

fn busiest_first(tallies: BTreeMap<String, Tally>) -> Vec<(String, Tally)> {
    let mut tallies: Vec<(String, Tally)> = tallies.into_iter().collect();
    tallies.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.calls));
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_what_is_counted_apart_no_call_is_lost_and_no_memory_is_taken() {
        let usage = Usage::default();
        let now = Timestamp::UNIX_EPOCH;
        for number in 0..MOST_COUNTED + 500 {
            let endpoint = format!("GET /{number}");
            usage.count(Called { workspace: "w", key: "k", endpoint: &endpoint }, number % 2 == 0, now);
        }
        usage.count(Called { workspace: "w", key: "k", endpoint: "GET /7" }, false, now);
        let counted = usage.counted();
        let endpoints = &counted.by_key["k"].calls[&Period::day_of(now)];
        assert_eq!(endpoints.len(), MOST_COUNTED + 1);
        assert_eq!(endpoints[OTHER], Tally { calls: 500, errors: 250 });
        assert_eq!(endpoints["GET /7"].calls, 2, "what is known is counted on");
    }
}
