//! The native provider's facts: key shape, lengths, permissions, and which one each call needs.

use jiff::SignedDuration;

use crate::model::permission::{Call, Catalogue};
use crate::model::rotation::{Facts, Naming};
use crate::model::secret::KeyShape;
use crate::providers::scopes::{AREAS, SCOPES, call};
use crate::providers::{Management, Rules, Undocumented};

/// Opens everything that manages keys.
pub(crate) const MANAGING: &str = "admin:api_keys";

/// Opens every call that changes something but keys and webhooks.
pub(crate) const WRITING: &str = "write";

pub(crate) const RULES: Rules = Rules {
    name: "native",
    title: "keys serve",
    shape: KeyShape { prefix: "wbk_", public: 8, secret: 32, shown: 12 },
    longest_name: 120,
    unique_names: true,
    longest_description: 500,
    permissions: Catalogue { entries: SCOPES, calls: CALLS },
    needs_permission: true,
    reading_permission: Some("read"),
    undocumented: Undocumented::Coarse { reading: "read", writing: WRITING, areas: AREAS },
    management: Management::Permission(MANAGING),
    temporary: SignedDuration::from_hours(1),
    temporary_name: None,
    takes_lengths: true,
    rotation: Facts { naming: Naming::TakenOver, edits_expiry: true, replays_for: SignedDuration::from_hours(24) },
    has_limits: true,
    calls_cost_credits: true,
    management_costs_credits: false,
    free_calls: &[],
    address: None,
    variable: None,
    lacks: &[],
    elsewhere: "check that this is the address of a key service",
};

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
    call("POST", "/v1/api-keys/lookup", "admin:api_keys"),
    call("GET", "/v1/api-keys/:id", "read"),
    call("PATCH", "/v1/api-keys/:id", "admin:api_keys"),
    call("DELETE", "/v1/api-keys/:id", "admin:api_keys"),
    call("GET", "/v1/api-keys/:id/usage", "read"),
    call("GET", "/v1/usage", "read"),
    call("GET", "/v1/credits", "read"),
    call("GET", "/v1/audit-logs", "read"),
    call("POST", "/v1/api-keys/:id/revoke", "admin:api_keys"),
    call("POST", "/v1/api-keys/:id/reactivate", "admin:api_keys"),
];
