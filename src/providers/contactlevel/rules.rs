//! ContactLevel's facts: key shape and lengths; there are no permissions, and each call costs a credit.

use jiff::SignedDuration;

use crate::model::permission::{Call, Catalogue};
use crate::model::rotation::{Facts, Naming};
use crate::model::secret::KeyShape;
use crate::providers::{Ability, Management, Rules, Undocumented};

pub(crate) const RULES: Rules = Rules {
    name: "contactlevel",
    title: "ContactLevel",
    // The vendor's keys are opaque; these are those of `keys serve`.
    shape: KeyShape { prefix: "cl_", public: 8, secret: 32, shown: 11 },
    longest_name: 120,
    unique_names: false,
    longest_description: 500,
    permissions: Catalogue { entries: &[], calls: CALLS },
    needs_permission: false,
    reading_permission: None,
    undocumented: Undocumented::AnyKey,
    management: Management::AnyKey,
    temporary: SignedDuration::from_hours(1),
    temporary_name: None,
    takes_lengths: false,
    rotation: Facts { naming: Naming::Shared, edits_expiry: false, replays_for: SignedDuration::from_hours(24) },
    has_limits: false,
    calls_cost_credits: true,
    management_costs_credits: true,
    // Or nobody could read an empty balance.
    free_calls: &[("GET", "/api/credits")],
    address: Some("https://a.contactlevel.com"),
    variable: None,
    lacks: LACKS,
    elsewhere: "ContactLevel keys are managed in its dashboard, under Settings → API Keys",
};

const LACKS: &[(Ability, &str)] = &[
    (Ability::Description, "ContactLevel keys have no description: say it in the name"),
    (
        Ability::Permissions,
        "ContactLevel keys have no permissions: a key opens everything of its organisation, so leave them out",
    ),
    (Ability::Tier, "ContactLevel keys have no tier: leave it out"),
    (Ability::Temporary, "ContactLevel has no temporary keys: give the key an end with --expires 1h"),
    (
        Ability::Edit,
        "ContactLevel does not change keys: make another with what is to be different (keys create), and revoke this \
         one (keys revoke)",
    ),
    (Ability::EditExpiry, "ContactLevel does not change when a key ends: make another key, and revoke this one"),
    (Ability::Reason, "ContactLevel keeps no reason: note it elsewhere"),
    (Ability::Reactivate, "ContactLevel revokes for good: make a new key with `keys create`"),
    (
        Ability::Delete,
        "ContactLevel does not delete keys: `keys revoke` switches one off for good, and it stays in the list",
    ),
    (Ability::Usage, "ContactLevel does not count calls by key: `keys credits` tells what is left to spend"),
    (Ability::Audit, "ContactLevel keeps no audit log: `keys list --status all` tells what there is"),
];

const CALLS: &[Call] =
    &[call("GET", "/api/credits"), call("POST", "/api/contacts/create"), call("POST", "/api/audiences/create")];

const fn call(method: &'static str, path: &'static str) -> Call {
    Call { method, path, permission: None }
}
