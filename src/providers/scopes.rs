//! The scopes that LeadLex documents, and that the native provider has as well: whoever moves from one to the other grants
//! the same.

use crate::model::permission::{Call, Entry};

pub(crate) const SCOPES: &[Entry] = &[
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

/// Paths of which everything takes one permission.
pub(crate) const AREAS: &[(&str, &str)] = &[("/v1/lexi", "lexi")];

const fn entry(name: &'static str, about: &'static str, included_in: Option<&'static str>) -> Entry {
    Entry { name, about, included_in }
}

/// A call that one of them opens.
pub(super) const fn call(method: &'static str, path: &'static str, permission: &'static str) -> Call {
    Call { method, path, permission: Some(permission) }
}
