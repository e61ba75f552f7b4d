//! The checker: what a history shows that may not be. Where a history leaves open what happened, nothing is held against
//! the service: a lost answer may have been any, and of two things at once either may have been first.

mod audit;
mod changes;
mod metering;
mod reach;
#[cfg(test)]
mod tests;

use super::record::{Call, Entry, History, Moment, Said, Verb};
use std::collections::BTreeMap;

/// A rule of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// Never one call over a limit, and what a kill forfeits is bounded.
    Limits,
    /// Credits are never below zero, and conserved.
    Credits,
    /// A revoke or delete that was answered holds, on every replica.
    Revoked,
    /// A key that was answered is let in.
    Kept,
    /// One change and one secret per Idempotency-Key.
    Once,
    /// There is always an active admin key.
    Admin,
    /// Each change is in the audit log, once, and its chain is whole.
    Audit,
    /// Nobody sees or changes what is another workspace's.
    Isolation,
}

/// A rule that was broken, and how.
pub(crate) type Violation = (Rule, String);

pub(crate) fn violations(history: &History) -> Vec<Violation> {
    let changes = Changes::of(history);
    let mut found = Vec::new();
    metering::check_limits(history, &mut found);
    metering::check_credits(history, &mut found);
    reach::check(history, &changes, &mut found);
    changes::check(history, &changes, &mut found);
    audit::check(history, &changes, &mut found);
    reach::check_isolation(history, &mut found);
    found
}

/// A change somebody asked for, however often the request was sent.
struct Change<'a> {
    verb: Verb,
    target: &'a str,
    actor: &'a str,
    workspace: &'a str,
    /// When it was first asked for.
    begin: Moment,
    /// When it was first answered that it is done; `None` while nobody knows.
    done: Option<Moment>,
    /// Whether it was answered that it will not be done.
    is_refused: bool,
    attempts: Vec<&'a Call>,
}

impl Change<'_> {
    fn answers(&self) -> impl Iterator<Item = &Said> {
        self.attempts.iter().filter_map(|call| call.said.as_ref())
    }

    /// Whether it may have happened between two instants.
    fn may_lie_between(&self, after: Moment, before: Moment) -> bool {
        !self.is_refused && self.begin < before && self.done.is_none_or(|done| done > after)
    }
}

struct Changes<'a> {
    all: Vec<Change<'a>>,
    /// Those of a key, by its id; that which made it is among them.
    by_key: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Changes<'a> {
    fn of(history: &'a History) -> Self {
        use super::record::Asked;
        let mut by_once: BTreeMap<&str, Change<'a>> = BTreeMap::new();
        for call in &history.calls {
            let Asked::Change { once, verb, target } = &call.asked else { continue };
            let change = by_once.entry(once).or_insert_with(|| Change {
                verb: *verb,
                target,
                actor: &call.key,
                workspace: &call.workspace,
                begin: call.begin,
                done: None,
                is_refused: false,
                attempts: Vec::new(),
            });
            change.attempts.push(call);
            change.begin = change.begin.min(call.begin);
            if call.said.as_ref().is_some_and(Said::is_done) {
                change.done = Some(change.done.map_or(call.end, |done| done.min(call.end)));
            }
        }
        let mut all: Vec<Change<'a>> = by_once.into_values().collect();
        for change in &mut all {
            // What is refused after a lost attempt may have happened in that one.
            let is_known = |call: &&Call| call.status().is_some_and(|status| (400..500).contains(&status));
            change.is_refused = change.attempts.iter().all(is_known);
        }
        let mut by_key: BTreeMap<&'a str, Vec<usize>> = BTreeMap::new();
        for (number, change) in all.iter().enumerate() {
            let made = change.attempts.iter().find_map(|call| call.said.as_ref()?.made.as_ref());
            let key = if change.verb == Verb::Create { made.map(|(id, _)| id.as_str()) } else { Some(change.target) };
            if let Some(key) = key {
                by_key.entry(key).or_default().push(number);
            }
        }
        Self { all, by_key }
    }

    fn of_key(&self, key: &str, verbs: &[Verb]) -> impl Iterator<Item = &Change<'a>> {
        let numbers = self.by_key.get(key).map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|number| &self.all[*number]).filter(move |change| verbs.contains(&change.verb))
    }
}

/// The entries of the audit log by what they are about and what was done.
fn entries_of<'a>(history: &'a History, resource: &str, verb: Verb) -> impl Iterator<Item = &'a Entry> {
    history.ending.audit.iter().filter(move |entry| entry.resource == resource && entry.action == verb.action())
}
