//! The native provider's facts: key shape, lengths, permissions, and which one each call needs.

use jiff::SignedDuration;

use crate::model::permission::{Call, Catalogue, Entry};
use crate::model::rotation::{Facts, Naming};
use crate::model::secret::KeyShape;
use crate::providers::Rules;

pub(crate) const RULES: Rules = Rules {
    name: "native",
    shape: KeyShape { prefix: "wbk_", public: 8, secret: 32, shown: 12 },
    longest_name: 120,
    longest_description: 500,
    permissions: Catalogue { entries: ENTRIES, calls: CALLS },
    admin_permission: "admin:api_keys",
    reading_permission: "read",
    writing_permission: "write",
    temporary: SignedDuration::from_hours(1),
    calls_cost_credits: true,
    management_costs_credits: false,
    rotation: Facts { naming: Naming::TakenOver, edits_expiry: true, replays_for: SignedDuration::from_hours(24) },
};

const ENTRIES: &[Entry] = &[
    entry("read:contacts", "List and read contacts", Some("read")),
    entry("write:contacts", "Create and change contacts", Some("write")),
    entry("read:deals", "List and read deals", Some("read")),
    entry("write:deals", "Create and change deals", Some("write")),
    entry("read:lists", "List and read lists", Some("read")),
    entry("write:lists", "Create and change lists", Some("write")),
    entry("read:campaigns", "List and read campaigns", Some("read")),
    entry("write:campaigns", "Create and change campaigns", Some("write")),
    entry("write:email", "Send email", Some("write")),
    entry("write:ai", "Use the AI functions", Some("write")),
    entry("admin:api_keys", "Manage API keys", None),
    entry("admin:webhooks", "Manage webhooks", None),
    entry("read", "Every GET call", None),
    entry("write", "Every POST, PATCH and DELETE call", None),
    entry("lexi", "Talk to the Lexi assistant, view and approve its tasks", None),
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

const fn entry(name: &'static str, about: &'static str, included_in: Option<&'static str>) -> Entry {
    Entry { name, about, included_in }
}

const fn call(method: &'static str, path: &'static str, permission: &'static str) -> Call {
    Call { method, path, permission }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_and_every_coarse_permission_is_in_the_catalogue() {
        let known = |name: &str| ENTRIES.iter().any(|entry| entry.name == name);
        assert!(CALLS.iter().all(|call| known(call.permission)));
        assert!(ENTRIES.iter().filter_map(|entry| entry.included_in).all(known));
        assert!(known(RULES.admin_permission) && known(RULES.reading_permission));
    }

    #[test]
    fn a_key_carries_at_least_128_bits() {
        // Six of the secret's digits are a checksum; a base62 digit carries 5.95 bits.
        const { assert!((RULES.shape.secret - 6) * 595 >= 128 * 100) };
        assert_eq!(RULES.shape.shown, RULES.shape.prefix.len() + RULES.shape.public);
    }
}
