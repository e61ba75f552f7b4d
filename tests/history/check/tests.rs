//! The checker finds each broken rule, and nothing in a history in which none is.

use serde_json::json;

use super::super::record::{
    ADMIN, Asked, Call, Day, Ending, Entry, Grant, History, KeyRow, Moment, Said, Tier, Verb, Workspace,
};
use super::changes::sha256;
use super::{Rule, violations};

/// A second after 1970, by both clocks.
fn at(second: u64) -> Moment {
    Moment { steady: second * 1_000_000, utc: i64::try_from(second).unwrap() }
}

fn said(status: u16) -> Said {
    Said { status, ..Said::default() }
}

/// A call of `key_a`, from a second to the next.
fn call(asked: Asked, second: u64, said: Said) -> Call {
    Call {
        workspace: "ws_a".to_owned(),
        key: "key_a".to_owned(),
        tier: Tier::Standard,
        asked,
        begin: at(second),
        end: at(second + 1),
        said: Some(said),
    }
}

fn gate(second: u64, status: u16) -> Call {
    call(Asked::Gate, second, said(status))
}

/// A change that the admin asks for.
fn change(once: &str, verb: Verb, target: &str, second: u64, status: u16) -> Call {
    let asked = Asked::Change { once: once.to_owned(), verb, target: target.to_owned() };
    Call { key: "key_root".to_owned(), tier: Tier::Unmetered, ..call(asked, second, said(status)) }
}

fn created(once: &str, id: &str, secret: &str, second: u64) -> Call {
    let mut call = change(once, Verb::Create, "a", second, 201);
    call.said.as_mut().unwrap().made = Some((id.to_owned(), secret.to_owned()));
    call
}

fn entry(verb: Verb, resource: &str, details: serde_json::Value) -> Entry {
    Entry {
        workspace: "ws_a".to_owned(),
        actor: "key_root".to_owned(),
        action: verb.action().to_owned(),
        resource: resource.to_owned(),
        details,
    }
}

fn row(id: &str, secret: &str, is_admin: bool) -> KeyRow {
    KeyRow { id: id.to_owned(), workspace: "ws_a".to_owned(), hash: sha256(secret), is_admin }
}

fn revoked(resource: &str) -> Entry {
    entry(Verb::Revoke, resource, json!({ "revoked_at": { "old": null, "new": "1970" } }))
}

/// A key is made and calls three times; nothing is wrong.
fn fine() -> History {
    let born = |permission: &str, name: &str| json!({ "created": { "name": name, "permissions": [permission], "revoked_at": null } });
    let root = Entry { actor: "operator".to_owned(), ..entry(Verb::Create, "key_root", born(ADMIN, "admin")) };
    History {
        calls: vec![created("1", "key_a", "secret", 10), gate(20, 204), gate(21, 204), gate(22, 429), gate(23, 204)],
        kills: 0,
        granted: vec![("ws_a".to_owned(), 40)],
        ending: Ending {
            workspaces: vec![Workspace { id: "ws_a".to_owned(), per_day: 10, per_minute: 3 }],
            keys: vec![row("key_root", "root", true), row("key_a", "secret", false)],
            audit: vec![root, entry(Verb::Create, "key_a", born("read", "a"))],
            grants: vec![
                Grant { workspace: "ws_a".to_owned(), is_of_month: false, amount: 40, leased: 2 },
                Grant { workspace: "ws_a".to_owned(), is_of_month: true, amount: 10, leased: 1 },
            ],
            days: vec![Day { workspace: "ws_a".to_owned(), leased: 3 }],
            is_chain_whole: true,
        },
    }
}

/// The rules that are broken where this is done to a history in which none is.
fn broken(spoil: impl FnOnce(&mut History)) -> Vec<Rule> {
    let mut history = fine();
    spoil(&mut history);
    let mut rules: Vec<Rule> = violations(&history).into_iter().map(|(rule, _)| rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

/// The same, with a revoke of `key_a` at second 30 in it, answered at 31.
fn broken_after_a_revoke(spoil: impl FnOnce(&mut History)) -> Vec<Rule> {
    broken(|history| {
        history.calls.push(change("2", Verb::Revoke, "key_a", 30, 200));
        history.ending.audit.push(revoked("key_a"));
        spoil(history);
    })
}

#[test]
fn nothing_is_wrong_with_what_is_fine() {
    assert_eq!(broken(|_| {}), []);
    assert_eq!(broken_after_a_revoke(|history| history.calls.push(gate(31, 401))), []);
}

#[test]
fn a_call_over_a_limit_is_found() {
    let spend = |history: &mut History, calls: Vec<Call>| {
        history.ending.days[0].leased += i64::try_from(calls.len()).unwrap();
        history.ending.grants[0].leased += i64::try_from(calls.len()).unwrap();
        history.calls.extend(calls);
    };
    let of_tier = |tier| move |second| Call { tier, ..gate(second, 204) };
    assert_eq!(broken(|history| spend(history, vec![gate(24, 204)])), [Rule::Limits]);
    // The next minute has a limit of its own, and a call that may be of either is held against neither.
    assert_eq!(broken(|history| spend(history, (60..63).map(|second| gate(second, 204)).collect())), []);
    assert_eq!(broken(|history| spend(history, vec![gate(59, 204)])), []);
    // But both minutes together cannot hold seven.
    let seven = |history: &mut History| spend(history, (59..63).map(|second| gate(second, 204)).collect());
    assert_eq!(broken(seven), [Rule::Limits]);
    // A key of the tier `high` may use twice the limit, all keys together.
    assert_eq!(broken(|history| spend(history, (24..27).map(of_tier(Tier::High)).collect())), []);
    assert_eq!(broken(|history| spend(history, (24..28).map(of_tier(Tier::High)).collect())), [Rule::Limits]);
    // The day's limit is 10.
    let many = (60..240).step_by(20).map(|second| gate(second, 204)).collect::<Vec<_>>();
    assert_eq!(broken(|history| spend(history, many)), [Rule::Limits]);
}

#[test]
fn calls_that_are_handed_out_and_neither_made_nor_forfeited_are_found() {
    assert_eq!(broken(|history| history.ending.days[0].leased = 2), [Rule::Limits]);
    assert_eq!(broken(|history| history.ending.days[0].leased = 4), [Rule::Limits]);
    let killed = |history: &mut History| (history.ending.days[0].leased, history.kills) = (4, 1);
    assert_eq!(broken(killed), []);
}

#[test]
fn credits_that_are_not_conserved_are_found() {
    assert_eq!(broken(|history| history.ending.grants[0].leased = 1), [Rule::Credits]);
    assert_eq!(broken(|history| history.ending.grants[0].leased = 3), [Rule::Credits]);
    assert_eq!(broken(|history| (history.ending.grants[0].leased, history.kills) = (3, 1)), []);
    assert_eq!(broken(|history| (history.ending.grants[0].leased, history.kills) = (4, 1)), [Rule::Credits]);
    assert_eq!(broken(|history| history.granted.clear()), [Rule::Credits]);
    assert_eq!(
        broken(|history| (history.ending.grants[1].amount, history.ending.grants[1].leased) = (0, 1)),
        [Rule::Credits]
    );
    let owing = Said { status: 200, balance: Some(-1), ..Said::default() };
    let owes = |history: &mut History| {
        history.calls.push(call(Asked::Credits, 70, owing));
        history.ending.days[0].leased += 1;
    };
    assert_eq!(broken(owes), [Rule::Credits]);
}

#[test]
fn a_call_of_a_revoked_key_is_found() {
    let let_in = |second| {
        broken_after_a_revoke(|history| {
            history.calls.push(Call { tier: Tier::Unmetered, ..gate(second, 204) });
            history.ending.grants[0].leased += 1;
        })
    };
    assert_eq!(let_in(31), [Rule::Revoked]);
    // It began before the answer.
    assert_eq!(let_in(30), []);
    // Also one that is refused for another reason has been let in.
    assert_eq!(broken_after_a_revoke(|history| history.calls.push(gate(31, 403))), [Rule::Revoked]);
    assert_eq!(broken_after_a_revoke(|history| history.calls.push(gate(31, 503))), []);
    // A reactivate that may have come between makes it possible, one that came before does not.
    let reactivated = |second, status| {
        broken_after_a_revoke(|history| {
            history.calls.push(gate(34, 403));
            history.calls.push(change("3", Verb::Reactivate, "key_a", second, status));
            if status == 200 {
                let details = json!({ "revoked_at": { "old": "1970", "new": null } });
                history.ending.audit.push(entry(Verb::Reactivate, "key_a", details));
            }
        })
    };
    assert_eq!(reactivated(32, 200), []);
    assert_eq!(reactivated(32, 500), []);
    assert_eq!(reactivated(32, 404), [Rule::Revoked]);
    assert_eq!(reactivated(27, 200), [Rule::Revoked]);
    assert_eq!(reactivated(36, 200), [Rule::Revoked]);
}

#[test]
fn a_key_that_was_answered_and_is_refused_is_found() {
    assert_eq!(broken(|history| history.calls.push(gate(24, 401))), [Rule::Kept]);
    assert_eq!(broken(|history| history.calls.push(gate(5, 401))), []);
    // It ended while the revoke was under way.
    assert_eq!(broken_after_a_revoke(|history| history.calls.push(gate(29, 401))), [Rule::Kept]);
    assert_eq!(broken_after_a_revoke(|history| history.calls.push(gate(30, 401))), []);
}

#[test]
fn two_secrets_under_one_idempotency_key_are_found() {
    assert_eq!(broken(|history| history.calls.push(created("1", "key_a", "secret", 12))), []);
    assert_eq!(broken(|history| history.calls.push(created("1", "key_a", "other", 12))), [Rule::Once]);
    assert_eq!(broken(|history| history.ending.keys[1].hash = sha256("other")), [Rule::Once]);
    let mut refused = change("1", Verb::Create, "a", 12, 409);
    refused.said.as_mut().unwrap().code = "duplicate_name".to_owned();
    assert_eq!(broken(|history| history.calls.push(refused)), [Rule::Once]);
    // The key is gone, and nobody deleted it.
    assert_eq!(broken(|history| drop(history.ending.keys.pop())), [Rule::Once]);
}

#[test]
fn a_workspace_without_an_admin_is_found() {
    let lose = |history: &mut History| {
        history.calls.push(change("2", Verb::Revoke, "key_root", 30, 200));
        history.ending.audit.push(revoked("key_root"));
    };
    assert_eq!(broken(lose), [Rule::Admin]);
    assert_eq!(broken(|history| history.ending.keys[0].is_admin = false), [Rule::Admin]);
    let narrowed = |history: &mut History| {
        history.calls.push(change("2", Verb::Edit, "key_root", 30, 200));
        let details = json!({ "permissions": { "old": [ADMIN], "new": ["read"] } });
        history.ending.audit.push(entry(Verb::Edit, "key_root", details));
    };
    assert_eq!(broken(narrowed), [Rule::Admin]);
}

#[test]
fn a_log_that_is_not_what_happened_is_found() {
    assert_eq!(broken(|history| history.ending.is_chain_whole = false), [Rule::Audit]);
    assert_eq!(broken(|history| history.calls.push(change("2", Verb::Edit, "key_a", 30, 200))), [Rule::Audit]);
    assert_eq!(broken(|history| history.ending.audit.push(entry(Verb::Edit, "key_a", json!({})))), [Rule::Audit]);
    let twice = |history: &mut History| history.ending.audit.push(revoked("key_a"));
    assert_eq!(broken_after_a_revoke(twice), [Rule::Audit]);
}

#[test]
fn what_one_workspace_does_to_another_is_found() {
    let foreign = |status| {
        broken(|history| {
            history.calls.push(Call { tier: Tier::Unmetered, ..call(Asked::Foreign, 70, said(status)) });
        })
    };
    assert_eq!(foreign(404), []);
    assert_eq!(foreign(403), [Rule::Isolation]);
    assert_eq!(foreign(200), [Rule::Isolation]);
    let mistaken = |history: &mut History| {
        history.calls[1].said.as_mut().unwrap().owner = Some(("ws_b".to_owned(), "key_a".to_owned()));
    };
    assert_eq!(broken(mistaken), [Rule::Isolation]);
    let moved = |history: &mut History| history.ending.keys[1].workspace = "ws_b".to_owned();
    assert_eq!(broken(moved), [Rule::Isolation]);
    let acted = |history: &mut History| {
        let stranger = Entry { workspace: "ws_b".to_owned(), ..revoked("key_other") };
        history.ending.audit.push(stranger);
    };
    assert_eq!(broken(acted), [Rule::Isolation]);
}
