//! Who is let in: a key that was answered, never one whose end was answered, and nobody where another workspace is.

use std::collections::BTreeMap;

use super::super::record::{Asked, Call, History, Verb};
use super::{Change, Changes, Rule, Violation, entries_of};

/// Switches a key on, and off.
const ON: &[Verb] = &[Verb::Create, Verb::Reactivate];
const OFF: &[Verb] = &[Verb::Revoke, Verb::Delete];

pub(super) fn check(history: &History, changes: &Changes<'_>, found: &mut Vec<Violation>) {
    for call in &history.calls {
        let Some(status) = call.status() else { continue };
        if status == 401 {
            if let Some(on) = surely(changes, call, ON, OFF) {
                let text = format!("{} was refused after {:?} was answered: {call:?}", call.key, on.verb);
                found.push((Rule::Kept, text));
            }
        } else if status != 503
            && let Some(off) = surely(changes, call, OFF, ON)
        {
            let text = format!("{} was let in after {:?} was answered: {call:?}", call.key, off.verb);
            found.push((Rule::Revoked, text));
        }
    }
}

/// The change that was answered before a call began, and that nothing can have undone before the call ended.
fn surely<'a, 'b>(changes: &'b Changes<'a>, call: &Call, these: &[Verb], undone_by: &[Verb]) -> Option<&'b Change<'a>> {
    changes.of_key(&call.key, these).find(|change| {
        change.done.is_some_and(|done| done <= call.begin)
            && !changes.of_key(&call.key, undone_by).any(|other| other.may_lie_between(change.begin, call.end))
    })
}

pub(super) fn check_isolation(history: &History, found: &mut Vec<Violation>) {
    let mut wrong = |text: String| found.push((Rule::Isolation, text));
    for call in &history.calls {
        let Some(said) = &call.said else { continue };
        let own = (call.workspace.clone(), call.key.clone());
        if said.owner.as_ref().is_some_and(|owner| *owner != own) {
            wrong(format!("the gate took the caller for another: {call:?}"));
        }
        if call.asked == Asked::Foreign && !matches!(said.status, 404 | 401 | 429 | 503) {
            wrong(format!("a key of another workspace is not unknown: {call:?}"));
        }
    }
    // Who made what, by the log itself.
    let mut homes: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in history.ending.audit.iter().filter(|entry| entry.action == Verb::Create.action()) {
        homes.insert(&entry.resource, &entry.workspace);
    }
    for entry in &history.ending.audit {
        for id in [&entry.actor, &entry.resource] {
            if id.starts_with("key_") && homes.get(id.as_str()) != Some(&entry.workspace.as_str()) {
                wrong(format!("{id} is of another workspace than this entry: {entry:?}"));
            }
        }
    }
    for key in &history.ending.keys {
        let is_at_home = entries_of(history, &key.id, Verb::Create).all(|entry| entry.workspace == key.workspace);
        if !is_at_home {
            wrong(format!("{} is in {}, where it was not made", key.id, key.workspace));
        }
    }
}
