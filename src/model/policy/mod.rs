//! What a team wants its keys to be, and which of them are not so.

mod file;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::Timestamp;
use wildmatch::WildMatch;

use super::credits::Credits;
use super::key::{Key, KeyId};
use super::lifetime::Age;
use super::permission::{Catalogue, Permission};
use super::quota::Quota;
use super::state::State;
use super::usage::Threshold;

/// What is asked of keys. `None` asks nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// How old a key may become.
    pub(crate) max_age: Option<Age>,
    /// How long a key may go without a call.
    pub(crate) unused: Option<Age>,
    /// How long a new key may wait for its first call.
    pub(crate) never_used: Option<Age>,
    /// How long before its end a key should be replaced.
    pub(crate) expiring: Option<Age>,
    pub(crate) require_expiry: bool,
    /// What should be left of the day.
    pub(crate) quota_below: Option<Threshold>,
    pub(crate) credits_below: Option<Threshold>,
    /// Names of keys that nothing is asked of.
    pub(crate) ignore: Vec<WildMatch>,
    /// Rules that do not apply.
    pub(crate) off: Vec<Rule>,
}

/// How long a key has to have been there before what it never needed is held against it.
const GRACE_DAYS: i64 = 7;

impl Default for Policy {
    fn default() -> Self {
        let days = |days: i64| Age::from_seconds(days * 86_400);
        Self {
            max_age: days(90),
            unused: days(90),
            never_used: days(GRACE_DAYS),
            expiring: days(14),
            require_expiry: false,
            quota_below: None,
            credits_below: None,
            ignore: Vec::new(),
            off: Vec::new(),
        }
    }
}

/// What a key, or the workspace, is found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    CredentialExpiring,
    OverAge,
    Expiring,
    NoExpiry,
    Unused,
    NeverUsed,
    OverPrivileged,
    Duplicate,
    TemporaryLeft,
    QuotaLow,
    CreditsLow,
}

impl Rule {
    pub(crate) const ALL: [Self; 11] = [
        Self::CredentialExpiring,
        Self::OverAge,
        Self::Expiring,
        Self::NoExpiry,
        Self::Unused,
        Self::NeverUsed,
        Self::OverPrivileged,
        Self::Duplicate,
        Self::TemporaryLeft,
        Self::QuotaLow,
        Self::CreditsLow,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CredentialExpiring => "credential-expiring",
            Self::OverAge => "over-age",
            Self::Expiring => "expiring",
            Self::NoExpiry => "no-expiry",
            Self::Unused => "unused",
            Self::NeverUsed => "never-used",
            Self::OverPrivileged => "over-privileged",
            Self::Duplicate => "duplicate",
            Self::TemporaryLeft => "temporary-left",
            Self::QuotaLow => "quota-low",
            Self::CreditsLow => "credits-low",
        }
    }

    /// What the rule asks for, in one sentence.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::CredentialExpiring => "The key that asks is replaced before it ends",
            Self::OverAge => "Keys are rotated before they are too old",
            Self::Expiring => "Keys are replaced before they end",
            Self::NoExpiry => "Every key has an end",
            Self::Unused => "Keys that nobody uses any more are revoked",
            Self::NeverUsed => "Keys that nobody ever used are revoked",
            Self::OverPrivileged => "Keys hold no permission that their calls do not need",
            Self::Duplicate => "One purpose has one key",
            Self::TemporaryLeft => "Temporary keys are revoked when they have served",
            Self::QuotaLow => "Enough calls are left today",
            Self::CreditsLow => "Enough credits are left",
        }
    }
}

/// A key, or the workspace, that is not as it should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) rule: Rule,
    /// The key; `None` where it is the workspace.
    pub(crate) key: Option<(KeyId, String)>,
    pub(crate) message: String,
    pub(crate) mend: Mend,
}

/// What mends a finding.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mend {
    Rotate(KeyId),
    Revoke(KeyId),
    Remove(KeyId, Vec<Permission>),
    /// Gives the key an end.
    End(KeyId, Age),
    /// A person has to think.
    Nothing,
}

impl Mend {
    /// The words of the command after `keys`.
    pub(crate) fn command(&self) -> Option<String> {
        Some(match self {
            Self::Rotate(id) => format!("rotate {id}"),
            Self::Revoke(id) => format!("revoke {id}"),
            Self::Remove(id, permissions) => {
                let names: Vec<&str> = permissions.iter().map(Permission::as_str).collect();
                format!("edit {id} --remove-perm {}", names.join(" --remove-perm "))
            }
            Self::End(id, age) => format!("edit {id} --expires {age}"),
            Self::Nothing => return None,
        })
    }
}

/// What is known of a workspace. What the caller may not see is `None`, and not judged.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) keys: &'a [Key],
    pub(crate) catalogue: &'a Catalogue,
    /// The calls of each key, as `GET /v1/contacts/:id`.
    pub(crate) calls: Option<&'a HashMap<KeyId, Vec<String>>>,
    /// The key that asks.
    pub(crate) own: Option<&'a KeyId>,
    pub(crate) per_day: Option<&'a Quota>,
    pub(crate) credits: Option<&'a Credits>,
}

impl Policy {
    /// What is not as it should be, by rule.
    pub(crate) fn findings(&self, facts: Facts<'_>, now: Timestamp) -> Vec<Finding> {
        let ignored = |key: &Key| self.ignore.iter().any(|glob| glob.matches(&key.name));
        let active: Vec<&Key> =
            facts.keys.iter().filter(|key| key.state(now) == State::Active && !ignored(key)).collect();
        let mut findings = Vec::new();
        for key in &active {
            self.of_age(key, facts, now, &mut findings);
            self.of_use(key, facts, now, &mut findings);
        }
        duplicates(&active, &mut findings);
        self.of_workspace(facts, &mut findings);
        findings.retain(|finding| !self.off.contains(&finding.rule));
        findings.sort_by_key(|finding| finding.rule);
        findings
    }

    fn of_age(&self, key: &Key, facts: Facts<'_>, now: Timestamp, findings: &mut Vec<Finding>) {
        if key.temporary {
            let message = "a temporary key that is still there".to_owned();
            return findings.push(of(Rule::TemporaryLeft, key, message, Mend::Revoke(key.id.clone())));
        }
        if let (Some(max_age), Some(created_at)) = (self.max_age, key.created_at)
            && created_at < max_age.before(now)
        {
            let message = format!("it is {} old, and may be {max_age}", days(created_at, now));
            findings.push(of(Rule::OverAge, key, message, Mend::Rotate(key.id.clone())));
        }
        match (self.expiring, key.expires_at) {
            (Some(within), Some(end)) if end <= within.after(now) => {
                let own = facts.own == Some(&key.id);
                let rule = if own { Rule::CredentialExpiring } else { Rule::Expiring };
                let whose = if own { "the key that asks" } else { "it" };
                let message = format!("{whose} ends in {}", days(now, end));
                findings.push(of(rule, key, message, Mend::Rotate(key.id.clone())));
            }
            (_, None) if self.require_expiry => {
                let mend = self.max_age.or(self.unused).map_or(Mend::Nothing, |age| Mend::End(key.id.clone(), age));
                findings.push(of(Rule::NoExpiry, key, "it never ends".to_owned(), mend));
            }
            _ => {}
        }
    }

    fn of_use(&self, key: &Key, facts: Facts<'_>, now: Timestamp, findings: &mut Vec<Finding>) {
        if key.temporary || facts.own == Some(&key.id) {
            return;
        }
        let revoke = || Mend::Revoke(key.id.clone());
        match (key.last_used_at, key.created_at) {
            (Some(last), _) => {
                if self.unused.is_some_and(|unused| last < unused.before(now)) {
                    let message = format!("it was last used {} ago", days(last, now));
                    return findings.push(of(Rule::Unused, key, message, revoke()));
                }
            }
            (None, Some(created_at)) => {
                if self.never_used.is_some_and(|wait| created_at < wait.before(now)) {
                    let message = format!("it is {} old, and was never used", days(created_at, now));
                    findings.push(of(Rule::NeverUsed, key, message, revoke()));
                }
                return;
            }
            (None, None) => return,
        }
        let settled = key.created_at.is_some_and(|created| now.duration_since(created).as_hours() >= GRACE_DAYS * 24);
        let Some(calls) = facts.calls.and_then(|calls| calls.get(&key.id)).filter(|calls| !calls.is_empty()) else {
            return;
        };
        let (needless, instead) = needless(&key.permissions, calls, facts.catalogue);
        if settled && !needless.is_empty() {
            let names: Vec<&str> = needless.iter().map(Permission::as_str).collect();
            let instead = if instead.is_empty() { String::new() } else { format!("; {} would do", instead.join(" ")) };
            let message = format!("it holds {}, which none of its calls needed{instead}", names.join(" "));
            // Who holds nothing afterwards is revoked rather than narrowed.
            let mend = if needless.len() < key.permissions.len() && instead.is_empty() {
                Mend::Remove(key.id.clone(), needless)
            } else {
                Mend::Nothing
            };
            findings.push(of(Rule::OverPrivileged, key, message, mend));
        }
    }

    fn of_workspace(&self, facts: Facts<'_>, findings: &mut Vec<Finding>) {
        if let (Some(bound), Some(quota)) = (self.quota_below, facts.per_day)
            && bound.is_above(quota.remaining, quota.limit)
        {
            let message = format!("{} of {} calls are left today, fewer than {bound}", quota.remaining, quota.limit);
            findings.push(Finding { rule: Rule::QuotaLow, key: None, message, mend: Mend::Nothing });
        }
        if let (Some(bound), Some(credits)) = (self.credits_below, facts.credits) {
            let granted = credits.grants.iter().map(|grant| grant.amount).sum();
            if bound.is_above(credits.balance, granted) {
                let message = format!("{} credits are left, fewer than {bound}", credits.balance);
                findings.push(Finding { rule: Rule::CreditsLow, key: None, message, mend: Mend::Nothing });
            }
        }
    }
}

fn of(rule: Rule, key: &Key, message: String, mend: Mend) -> Finding {
    Finding { rule, key: Some((key.id.clone(), key.name.clone())), message, mend }
}

fn days(from: Timestamp, to: Timestamp) -> String {
    match to.duration_since(from).as_hours().max(0) {
        hours @ 0..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

/// The permissions that no call needed, and for a coarse one that is too wide, the narrow ones that would do.
fn needless(held: &[Permission], calls: &[String], catalogue: &Catalogue) -> (Vec<Permission>, Vec<&'static str>) {
    let documented = |call: &String| catalogue.permission_for(call).ok().map(|call| call.permission);
    let needed: Vec<Option<Option<&'static str>>> = calls.iter().map(documented).collect();
    // A call that nothing is known of may have needed anything coarse.
    let all_known = needed.iter().all(Option::is_some);
    let mut needed: Vec<&'static str> = needed.into_iter().flatten().flatten().collect();
    needed.sort_unstable();
    needed.dedup();
    let mut instead: Vec<&'static str> = Vec::new();
    let mut needless = Vec::new();
    for permission in held {
        let name = permission.as_str();
        if needed.contains(&name) {
            continue;
        }
        let included = |wanted: &&&'static str| {
            catalogue.entries.iter().any(|entry| entry.name == **wanted && entry.included_in == Some(name))
        };
        let narrower: Vec<&'static str> = needed.iter().filter(included).copied().collect();
        let is_coarse = catalogue.entries.iter().any(|entry| entry.included_in == Some(name));
        if is_coarse && !all_known {
            continue;
        }
        // A coarse permission whose calls a narrow one held besides opens is needless; else the narrow ones would do.
        instead.extend(narrower.iter().filter(|wanted| held.iter().all(|held| held.as_str() != **wanted)));
        needless.push(permission.clone());
    }
    (needless, instead)
}

/// Keys that seem to serve one purpose: names that differ in nothing but case, marks and the date of a rotation.
fn duplicates(active: &[&Key], findings: &mut Vec<Finding>) {
    let mut by_purpose: HashMap<String, Vec<&Key>> = HashMap::new();
    for key in active.iter().filter(|key| !key.temporary) {
        by_purpose.entry(purpose(&key.name)).or_default().push(key);
    }
    for mut keys in by_purpose.into_values().filter(|keys| keys.len() > 1) {
        // The newest is the one that is meant.
        keys.sort_by_key(|key| (key.created_at, key.id.as_str().to_owned()));
        let Some((newest, older)) = keys.split_last() else { continue };
        for key in older {
            let message = format!("it seems to serve the same purpose as the newer `{}` ({})", newest.name, newest.id);
            findings.push(of(Rule::Duplicate, key, message, Mend::Revoke(key.id.clone())));
        }
    }
}

fn purpose(name: &str) -> String {
    let undated = name.split_once(" @").map_or(name, |(name, _)| name);
    undated.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
