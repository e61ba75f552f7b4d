//! ContactLevel's facts: key shape and lengths; there are no permissions, and each call costs a credit.

use jiff::SignedDuration;

use crate::model::permission::{Call, Catalogue};
use crate::model::secret::KeyShape;
use crate::providers::{Management, Rules, Undocumented};

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
    has_limits: false,
    calls_cost_credits: true,
    management_costs_credits: true,
    // Or nobody could read an empty balance.
    free_calls: &[("GET", "/api/credits")],
};

const CALLS: &[Call] =
    &[call("GET", "/api/credits"), call("POST", "/api/contacts/create"), call("POST", "/api/audiences/create")];

const fn call(method: &'static str, path: &'static str) -> Call {
    Call { method, path, permission: None }
}
