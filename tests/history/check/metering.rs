//! Limits and credits: what was let through, against what may be and what the database says was handed out.

use std::collections::BTreeMap;

use super::super::record::{Asked, Call, History, Tier};
use super::{Rule, Violation};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// Whether a call surely counted. One that was refused for its permission may have found the limit used up.
fn counted(call: &Call) -> bool {
    let Some(said) = &call.said else { return false };
    match call.asked {
        Asked::Gate => said.status == 204,
        // What came before the count refuses with other codes; what came behind it says what it found.
        Asked::Credits | Asked::Foreign | Asked::Change { .. } => {
            said.is_done() || matches!(said.status, 400 | 403 | 404 | 409)
        }
    }
}

/// Whether a call may have counted.
fn may_count(call: &Call) -> bool {
    !matches!(call.status(), Some(401 | 402 | 429))
}

/// The most that a process holds of so many: what a kill forfeits.
const fn block(of: i64) -> i64 {
    if of < 200 { 1 } else { of / 100 }
}

pub(super) fn check_limits(history: &History, found: &mut Vec<Violation>) {
    for workspace in &history.ending.workspaces {
        let calls: Vec<&Call> = history
            .calls
            .iter()
            .filter(|call| call.workspace == workspace.id && call.tier != Tier::Unmetered)
            .collect();
        let mut check = |what: &str, length, limit, calls: &[&Call]| {
            if let Some((first, last, count)) = over(calls, length, limit) {
                let windows = last - first + 1;
                let text = format!(
                    "{} let {count} calls through in {windows} {what}, with a limit of {limit} each",
                    workspace.id
                );
                found.push((Rule::Limits, text));
            }
        };
        let standard: Vec<&Call> = calls.iter().copied().filter(|call| call.tier == Tier::Standard).collect();
        check("minutes, of the tier `standard`", MINUTE, workspace.per_minute, &standard);
        check("minutes", MINUTE, workspace.per_minute * 2, &calls);
        check("days", DAY, workspace.per_day, &calls);
        let leased: i64 =
            history.ending.days.iter().filter(|day| day.workspace == workspace.id).map(|day| day.leased).sum();
        let least = count(calls.iter().filter(|call| counted(call)));
        let most = count(calls.iter().filter(|call| may_count(call)));
        let forfeited = history.kills * block(workspace.per_day);
        if leased < least || leased > most + forfeited {
            let text = format!(
                "{} handed out {leased} calls of its days, where {least} to {most} were made, and kills forfeit {forfeited}",
                workspace.id
            );
            found.push((Rule::Limits, text));
        }
    }
}

fn count<T>(what: impl Iterator<Item = T>) -> i64 {
    i64::try_from(what.count()).unwrap()
}

/// The windows, from the first to the last, in which more calls counted than their limits allow together. A call counts
/// where it began and ended.
fn over(calls: &[&Call], length: i64, limit: i64) -> Option<(i64, i64, i64)> {
    let mut spans: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for call in calls.iter().filter(|call| counted(call)) {
        *spans.entry((call.begin.utc.div_euclid(length), call.end.utc.div_euclid(length))).or_default() += 1;
    }
    let first = spans.keys().map(|(begin, _)| *begin).min()?;
    let last = spans.keys().map(|(_, end)| *end).max()?;
    let pairs = (first..=last).flat_map(|begin| (begin..=last).map(move |end| (begin, end)));
    pairs
        .map(|(begin, end)| {
            let within = spans.iter().filter(|((from, to), _)| *from >= begin && *to <= end);
            (begin, end, within.map(|(_, count)| count).sum::<i64>())
        })
        .find(|(begin, end, count)| *count > limit * (end - begin + 1))
}

pub(super) fn check_credits(history: &History, found: &mut Vec<Violation>) {
    let mut wrong = |text: String| found.push((Rule::Credits, text));
    for call in &history.calls {
        if let Some(balance) = call.said.as_ref().and_then(|said| said.balance)
            && balance < 0
        {
            wrong(format!("{} had a balance of {balance}", call.workspace));
        }
    }
    for workspace in &history.ending.workspaces {
        let grants: Vec<_> = history.ending.grants.iter().filter(|grant| grant.workspace == workspace.id).collect();
        if grants.iter().any(|grant| grant.leased < 0 || grant.leased > grant.amount) {
            wrong(format!("{} has a grant of which more was spent than it held, or less than nothing", workspace.id));
        }
        let given: i64 = history.granted.iter().filter(|(to, _)| *to == workspace.id).map(|(_, amount)| amount).sum();
        let there: i64 = grants.iter().filter(|grant| !grant.is_of_month).map(|grant| grant.amount).sum();
        if given != there {
            wrong(format!("{} was granted {given} credits, and has grants of {there}", workspace.id));
        }
        let spent: i64 = grants.iter().map(|grant| grant.leased).sum();
        let gate = || history.calls.iter().filter(|call| call.workspace == workspace.id && call.asked == Asked::Gate);
        let least = count(gate().filter(|call| call.status() == Some(204)));
        let most = count(gate().filter(|call| matches!(call.status(), None | Some(204 | 500 | 503))));
        let forfeited = history.kills * block(grants.iter().map(|grant| grant.amount).sum());
        if spent < least || spent > most + forfeited {
            wrong(format!(
                "{} spent {spent} credits on {least} to {most} calls, where kills forfeit {forfeited}",
                workspace.id
            ));
        }
    }
}
