//! The audit log: whole, with each change once; and, read from its beginning, never without an admin.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::record::{ADMIN, Entry, History, Verb};
use super::{Changes, Rule, Violation, entries_of};

pub(super) fn check(history: &History, changes: &Changes<'_>, found: &mut Vec<Violation>) {
    if !history.ending.is_chain_whole {
        found.push((Rule::Audit, "the chain is broken".to_owned()));
    }
    check_changes(history, changes, found);
    check_admins(history, found);
}

/// Two who make the same change to a key at once leave one entry: the second found it made.
fn check_changes(history: &History, changes: &Changes<'_>, found: &mut Vec<Violation>) {
    for (key, numbers) in &changes.by_key {
        for verb in [Verb::Create, Verb::Edit, Verb::Revoke, Verb::Reactivate, Verb::Delete] {
            let asked: Vec<_> =
                numbers.iter().map(|number| &changes.all[*number]).filter(|one| one.verb == verb).collect();
            let possible = asked.iter().filter(|change| !change.is_refused).count();
            let is_done = asked.iter().any(|change| change.done.is_some());
            // The first admin keys are the operator's.
            let entries: Vec<&Entry> =
                entries_of(history, key, verb).filter(|entry| entry.actor != "operator").collect();
            if entries.len() > possible || is_done && entries.is_empty() {
                let text =
                    format!("{verb:?} of {key} was asked {possible} times, and is in the log {} times", entries.len());
                found.push((Rule::Audit, text));
            }
            let is_asked = |entry: &&Entry| {
                asked.iter().any(|change| change.actor == entry.actor && change.workspace == entry.workspace)
            };
            if let Some(entry) = entries.iter().find(|entry| !is_asked(entry)) {
                found.push((Rule::Audit, format!("nobody asked for what the log says: {entry:?}")));
            }
        }
    }
}

fn check_admins(history: &History, found: &mut Vec<Violation>) {
    let mut admins: BTreeMap<&str, BTreeMap<&str, Standing>> = BTreeMap::new();
    for entry in &history.ending.audit {
        let keys = admins.entry(&entry.workspace).or_default();
        let had_one = keys.values().any(Standing::is_admin);
        follow(keys, entry);
        if had_one && !keys.values().any(Standing::is_admin) {
            found.push((Rule::Admin, format!("{} lost its last admin by {entry:?}", entry.workspace)));
        }
    }
    let with_admin: BTreeSet<&str> =
        history.ending.keys.iter().filter(|key| key.is_admin).map(|key| key.workspace.as_str()).collect();
    for workspace in history.ending.workspaces.iter().filter(|one| !with_admin.contains(one.id.as_str())) {
        found.push((Rule::Admin, format!("{} ends without an admin", workspace.id)));
    }
}

/// Whether a key may manage keys, and whether it is active.
#[derive(Default)]
struct Standing {
    manages: bool,
    is_revoked: bool,
}

impl Standing {
    const fn is_admin(&self) -> bool {
        self.manages && !self.is_revoked
    }
}

fn follow<'a>(keys: &mut BTreeMap<&'a str, Standing>, entry: &'a Entry) {
    let manages = |permissions: &Value| {
        permissions.as_array().map(|held| held.iter().any(|permission| permission.as_str() == Some(ADMIN)))
    };
    if entry.action == Verb::Delete.action() {
        keys.remove(entry.resource.as_str());
        return;
    }
    let new = |field: &str| match &entry.details["created"] {
        Value::Null => entry.details.get(field).map(|change| &change["new"]),
        created => created.get(field),
    };
    if !entry.resource.starts_with("key_") {
        return;
    }
    let key = keys.entry(&entry.resource).or_default();
    if let Some(manages) = new("permissions").and_then(manages) {
        key.manages = manages;
    }
    if let Some(revoked) = new("revoked_at") {
        key.is_revoked = !revoked.is_null();
    }
}
