//! LeadLex's facts: key shape, lengths, scopes, and which one each call needs.

use jiff::SignedDuration;

use crate::model::permission::{Call, Catalogue};
use crate::model::rotation::{Facts, Naming};
use crate::model::secret::KeyShape;
use crate::providers::scopes::{AREAS, SCOPES, call};
use crate::providers::{Ability, Management, Rules, Undocumented};

pub(crate) const RULES: Rules = Rules {
    name: "leadlex",
    title: "LeadLex",
    // What is shown is the same for every key, and tells none from another.
    shape: KeyShape { prefix: "wbk_live", public: 0, secret: 32, shown: 8 },
    longest_name: 120,
    unique_names: true,
    longest_description: 500,
    permissions: Catalogue { entries: SCOPES, calls: CALLS },
    needs_permission: true,
    reading_permission: Some("read"),
    undocumented: Undocumented::Coarse { reading: "read", writing: "write", areas: AREAS },
    management: Management::Permission("admin:api_keys"),
    temporary: SignedDuration::from_hours(1),
    temporary_name: None,
    takes_lengths: false,
    rotation: Facts { naming: Naming::Dated, edits_expiry: false, replays_for: SignedDuration::from_hours(24) },
    has_limits: true,
    calls_cost_credits: false,
    management_costs_credits: false,
    free_calls: &[],
    address: Some("https://data.leadlex.com/functions/v1/api-gateway"),
    variable: Some("LEADLEX_API_KEY"),
    lacks: LACKS,
    elsewhere: "LeadLex's own address is https://data.leadlex.com/functions/v1/api-gateway, and its dashboard manages keys \
                under Settings → API & Integrations",
};

const LACKS: &[(Ability, &str)] = &[
    (Ability::Temporary, "LeadLex has no temporary keys: give the key an end with --expires 1h"),
    (
        Ability::Edit,
        "LeadLex does not change keys: make another with what is to be different (keys create), and revoke this one \
         (keys revoke)",
    ),
    (Ability::EditExpiry, "LeadLex does not change when a key ends: make another key, and revoke this one"),
    (Ability::Reason, "LeadLex keeps no reason: note it elsewhere"),
    (Ability::Reactivate, "LeadLex revokes for good: make a new key with `keys create`"),
    (
        Ability::Delete,
        "LeadLex does not delete keys: `keys revoke` switches one off for good, and it stays in the list",
    ),
    (
        Ability::Lookup,
        "LeadLex does not tell which key a plaintext is: find out where it is used, and revoke the key that was made \
         for that",
    ),
];

const CALLS: &[Call] = &[
    call("GET", "/v1/contacts", "read:contacts"),
    call("POST", "/v1/contacts", "write:contacts"),
    call("PATCH", "/v1/contacts/:id", "write:contacts"),
    call("GET", "/v1/lists", "read:lists"),
    call("POST", "/v1/lists", "write:lists"),
    call("GET", "/v1/campaigns", "read:campaigns"),
    call("POST", "/v1/campaigns", "write:campaigns"),
    call("POST", "/v1/lexi/chat", "lexi"),
    call("GET", "/v1/lexi/tasks", "lexi"),
    call("POST", "/v1/lexi/tasks/:id/approve", "lexi"),
    call("GET", "/v1/api-keys", "read"),
    call("POST", "/v1/api-keys", "admin:api_keys"),
    call("DELETE", "/v1/api-keys/:id", "admin:api_keys"),
    call("GET", "/v1/audit-logs", "read"),
    call("GET", "/v1/settings", "read"),
];
