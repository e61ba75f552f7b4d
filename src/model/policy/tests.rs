use serde_json::Map;

use super::*;
use crate::model::permission::{Call, Entry};
use crate::model::tier::Tier;

const ENTRIES: &[Entry] = &[
    Entry { name: "read:contacts", about: "", included_in: Some("read") },
    Entry { name: "write:contacts", about: "", included_in: Some("write") },
    Entry { name: "read", about: "", included_in: None },
    Entry { name: "write", about: "", included_in: None },
];
const CALLS: &[Call] = &[
    Call { method: "GET", path: "/v1/contacts", permission: Some("read:contacts") },
    Call { method: "PATCH", path: "/v1/contacts/:id", permission: Some("write:contacts") },
];
const CATALOGUE: Catalogue = Catalogue { entries: ENTRIES, calls: CALLS };

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn ago(days: i64) -> Timestamp {
    Age::from_seconds(days * 86_400).unwrap().before(now())
}

/// A key that nothing is wrong with.
fn good(name: &str) -> Key {
    Key {
        id: KeyId::new(format!("key_{name}")),
        name: name.to_owned(),
        description: None,
        prefix: "wbk_1".to_owned(),
        permissions: vec![Permission::from_server("read:contacts")],
        tier: Some(Tier::Standard),
        temporary: false,
        created_by: None,
        created_at: Some(ago(30)),
        last_used_at: Some(ago(1)),
        expires_at: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        revoked_at: None,
        revoked_reason: None,
        replaced: false,
        more: Map::new(),
    }
}

fn found(policy: &Policy, keys: &[Key], calls: &[(&str, &[&str])]) -> Vec<String> {
    let calls: HashMap<KeyId, Vec<String>> = calls
        .iter()
        .map(|(key, calls)| (KeyId::new(format!("key_{key}")), calls.iter().map(|call| (*call).to_owned()).collect()))
        .collect();
    let own = KeyId::new("key_own");
    let facts =
        Facts { keys, catalogue: &CATALOGUE, calls: Some(&calls), own: Some(&own), per_day: None, credits: None };
    let findings = policy.findings(facts, now());
    findings
        .into_iter()
        .map(|finding| {
            let name = finding.key.map_or_else(String::new, |(_, name)| name);
            format!("{} {name}: {}", finding.rule.as_str(), finding.mend.command().unwrap_or_default())
        })
        .collect()
}

#[test]
fn each_fault_is_found_and_nothing_else() {
    let keys = [
        good("good"),
        Key { created_at: Some(ago(91)), ..good("old") },
        Key { last_used_at: Some(ago(91)), created_at: Some(ago(89)), ..good("idle") },
        Key { last_used_at: None, created_at: Some(ago(8)), ..good("virgin") },
        Key { last_used_at: None, created_at: Some(ago(6)), ..good("fresh") },
        Key { expires_at: Some("2026-06-10T00:00:00Z".parse().unwrap()), ..good("ending") },
        Key { expires_at: None, ..good("endless") },
        Key { temporary: true, ..good("trial") },
        Key { revoked_at: Some(ago(1)), created_at: Some(ago(500)), ..good("revoked") },
        Key { id: KeyId::new("key_twin1"), created_at: Some(ago(20)), ..good("CI worker") },
        Key { id: KeyId::new("key_twin2"), created_at: Some(ago(10)), ..good("ci-worker @2026-05-22") },
        Key { expires_at: Some("2026-06-02T00:00:00Z".parse().unwrap()), ..good("own") },
    ];
    let policy = Policy { require_expiry: true, ..Policy::default() };
    assert_eq!(
        found(&policy, &keys, &[]),
        [
            "credential-expiring own: rotate key_own",
            "over-age old: rotate key_old",
            "expiring ending: rotate key_ending",
            "no-expiry endless: edit key_endless --expires 90d",
            "unused idle: revoke key_idle",
            "never-used virgin: revoke key_virgin",
            "duplicate CI worker: revoke key_twin1",
            "temporary-left trial: revoke key_trial",
        ]
    );
    assert_eq!(found(&Policy::default(), &keys[..1], &[]), [""; 0]);
    let ignoring: Policy = "ignore = [\"*\"]".parse().unwrap();
    assert_eq!(found(&ignoring, &keys, &[]), [""; 0]);
}

#[test]
fn what_no_call_needed_is_held_against_a_key() {
    let holding = |name: &str, permissions: &[&str]| Key {
        permissions: permissions.iter().map(|name| Permission::from_server(*name)).collect(),
        ..good(name)
    };
    let keys = [
        holding("wide", &["read:contacts", "write:contacts"]),
        holding("right", &["read:contacts", "write:contacts"]),
        holding("coarse", &["read"]),
        holding("both", &["read", "read:contacts"]),
        holding("strange", &["read", "write:contacts"]),
        holding("silent", &["read", "write"]),
        Key { created_at: Some(ago(3)), ..holding("young", &["read:contacts", "write:contacts"]) },
    ];
    let reads: &[&str] = &["GET /v1/contacts"];
    let calls: [(&str, &[&str]); 6] = [
        ("wide", reads),
        ("right", &["GET /v1/contacts", "PATCH /v1/contacts/:id"]),
        ("coarse", reads),
        ("both", reads),
        ("strange", &["GET /v1/deals"]),
        ("young", reads),
    ];
    let found = found(&Policy::default(), &keys, &calls);
    assert_eq!(
        found,
        [
            "over-privileged wide: edit key_wide --remove-perm write:contacts",
            "over-privileged coarse: ",
            "over-privileged both: edit key_both --remove-perm read",
            "over-privileged strange: edit key_strange --remove-perm write:contacts",
        ]
    );
}

#[test]
fn quota_and_credits_are_judged_where_a_bound_is_given() {
    let quota = Quota { limit: 100, remaining: 9, resets_at: now() };
    let credits = Credits::balance_of(50);
    let facts = Facts {
        keys: &[],
        catalogue: &CATALOGUE,
        calls: None,
        own: None,
        per_day: Some(&quota),
        credits: Some(&credits),
    };
    let policy: Policy = "quota-below = \"10%\"\ncredits-below = 51".parse().unwrap();
    let rules: Vec<Rule> = policy.findings(facts, now()).into_iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, [Rule::QuotaLow, Rule::CreditsLow]);
    let policy: Policy = "quota-below = \"9%\"\ncredits-below = 50".parse().unwrap();
    assert!(policy.findings(facts, now()).is_empty());
    assert!(Policy::default().findings(facts, now()).is_empty());
}

#[test]
fn a_policy_is_read_or_refused_by_name() {
    let policy: Policy =
        "max-age = \"30d\"\nunused = false\nrequire-expiry = true\noff = [\"duplicate\"]".parse().unwrap();
    assert_eq!(policy.max_age, Age::from_seconds(30 * 86_400));
    assert_eq!((policy.unused, policy.require_expiry), (None, true));
    assert_eq!(policy.off, [Rule::Duplicate]);
    for (text, said) in [
        ("max_age = \"30d\"", "there is no `max_age`"),
        ("max-age = 30", "max-age: it is a length"),
        ("max-age = \"30\"", "max-age: `30` is not a length"),
        ("off = [\"over-ages\"]", "there is no rule `over-ages`"),
        ("quota-below = \"ten\"", "quota-below: write a number"),
        ("ignore = \"x\"", "ignore: it is a list"),
        ("require-expiry = \"yes\"", "require-expiry: it is true or false"),
        ("max-age =", "TOML"),
    ] {
        let error = text.parse::<Policy>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}
