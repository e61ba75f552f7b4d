//! Nexus ERP's facts: key shape, lengths, permissions, and which one each call needs.

use jiff::SignedDuration;

use crate::model::permission::{Call, Catalogue, Entry};
use crate::model::rotation::{Facts, Naming};
use crate::model::secret::KeyShape;
use crate::providers::{Ability, Management, Rules, Undocumented};

pub(crate) const RULES: Rules = Rules {
    name: "nexus",
    title: "Nexus",
    shape: KeyShape { prefix: "sk_", public: 8, secret: 32, shown: 14 },
    longest_name: 100,
    // Each temporary key has the same one.
    unique_names: false,
    longest_description: 500,
    permissions: Catalogue { entries: ENTRIES, calls: CALLS },
    needs_permission: false,
    reading_permission: Some("leads.read"),
    undocumented: Undocumented::NoKey,
    management: Management::Role { role: "developer", named: "DEVELOPER", feature: "developer-api" },
    temporary: SignedDuration::from_hours(1),
    temporary_name: Some("Docs playground (temp)"),
    takes_lengths: false,
    rotation: Facts { naming: Naming::Shared, edits_expiry: false, replays_for: SignedDuration::from_hours(24) },
    has_limits: false,
    calls_cost_credits: false,
    management_costs_credits: false,
    free_calls: &[],
    address: Some("https://nexuserp.dev/api"),
    variable: None,
    lacks: LACKS,
    elsewhere: "Nexus keys are managed in its dashboard, under Developer",
};

const LACKS: &[(Ability, &str)] = &[
    (Ability::Description, "Nexus keys have no description: say it in the name"),
    (Ability::Tier, "Nexus keys have no tier: leave it out"),
    (
        Ability::EditExpiry,
        "Nexus does not change when a key ends once it is created: make another key, and revoke this one",
    ),
    (Ability::Reason, "Nexus keeps no reason: note it elsewhere"),
    (Ability::Usage, "Nexus does not count calls: `keys list` tells when each key was last used"),
    (Ability::Credits, "Nexus has no credits: no call costs any"),
];

const ENTRIES: &[Entry] = &[
    entry("leads.read", "List and read leads"),
    entry("leads.create", "Create leads"),
    entry("leads.update", "Change leads"),
    entry("leads.delete", "Delete leads"),
];

const CALLS: &[Call] = &[
    call("GET", "/api/leads", "leads.read"),
    call("POST", "/api/leads", "leads.create"),
    call("PATCH", "/api/leads/:id", "leads.update"),
    call("DELETE", "/api/leads/:id", "leads.delete"),
];

const fn entry(name: &'static str, about: &'static str) -> Entry {
    Entry { name, about, included_in: None }
}

const fn call(method: &'static str, path: &'static str, permission: &'static str) -> Call {
    Call { method, path, permission: Some(permission) }
}
