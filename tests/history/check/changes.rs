//! One change and one secret per Idempotency-Key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::super::record::{History, Verb};
use super::{Changes, Rule, Violation, entries_of};

pub(super) fn check(history: &History, changes: &Changes<'_>, found: &mut Vec<Violation>) {
    let mut wrong = |text: String| found.push((Rule::Once, text));
    let hashes: BTreeMap<&str, &str> =
        history.ending.keys.iter().map(|key| (key.id.as_str(), key.hash.as_str())).collect();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in history.ending.audit.iter().filter(|entry| entry.action == Verb::Create.action()) {
        *names.entry(entry.details["created"]["name"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let mut all_made = BTreeSet::new();
    for change in &changes.all {
        // Names and keys are its own: only another change under the same Idempotency-Key can be in its way.
        let is_in_its_own_way = |code: &str| ["duplicate_name", "idempotency_conflict"].contains(&code);
        if let Some(said) = change.answers().find(|said| is_in_its_own_way(&said.code)) {
            wrong(format!("{:?} {} was answered {}", change.verb, change.target, said.code));
        }
        if change.verb != Verb::Create {
            continue;
        }
        let made: BTreeSet<_> = change.answers().filter_map(|said| said.made.as_ref()).collect();
        if made.len() > 1 || names.get(change.target).is_some_and(|count| *count > 1) {
            wrong(format!("{} was made more than once", change.target));
        }
        for (id, secret) in made {
            if !all_made.insert(id) {
                wrong(format!("{id} was made under two Idempotency-Keys"));
            }
            let is_deleted = entries_of(history, id, Verb::Delete).next().is_some();
            match hashes.get(id.as_str()) {
                Some(hash) if *hash != sha256(secret) => wrong(format!("{id} has another secret than was answered")),
                None if !is_deleted => wrong(format!("{id} was answered, and is not there")),
                _ => {}
            }
        }
    }
}

pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    })
}
