//! The providers: one room each, with the same four doors. `rules` are its facts, `wire` its JSON, `client` turns an
//! operation of ours into its HTTP, `routes` turns its HTTP into an operation of the service.

pub(crate) mod native;
pub(crate) mod routes;

use jiff::SignedDuration;

use crate::model::permission::Catalogue;
use crate::model::secret::KeyShape;

/// Every provider this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Provider {
    /// The API of `keys serve`
    Native,
}

impl Provider {
    pub(crate) const fn rules(self) -> &'static Rules {
        match self {
            Self::Native => &native::rules::RULES,
        }
    }

    /// The provider of a name as storage keeps it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Native].into_iter().find(|provider| provider.rules().name == name)
    }
}

/// The facts of a provider that others ask for. What only its own routes and client know stays in its room.
#[derive(Debug)]
pub(crate) struct Rules {
    /// As it is stored and typed.
    pub(crate) name: &'static str,
    pub(crate) shape: KeyShape,
    /// Characters in a name.
    pub(crate) longest_name: usize,
    /// Characters in a description.
    pub(crate) longest_description: usize,
    pub(crate) permissions: Catalogue,
    /// Opens the management of keys.
    pub(crate) admin_permission: &'static str,
    /// Opens looking at keys without touching them.
    pub(crate) reading_permission: &'static str,
    /// Opens every call that changes something and needs no permission of its own.
    pub(crate) writing_permission: &'static str,
    /// How long a temporary key lives.
    pub(crate) temporary: SignedDuration,
    /// Whether a call through the gate is paid with a credit.
    pub(crate) calls_cost_credits: bool,
    /// Whether a call to the management API is.
    pub(crate) management_costs_credits: bool,
}

/// What a call through the gate takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) permission: &'static str,
    /// As what it is counted: `GET /v1/contacts/:id`.
    pub(crate) endpoint: String,
}

impl Rules {
    /// What a call takes. One that the provider does not document takes the coarse permission to read, or to write.
    pub(crate) fn needed_for(&self, method: &str, path: &str) -> Needed {
        if let Some(call) = self.permissions.call(method, path) {
            return Needed { permission: call.permission, endpoint: format!("{} {}", call.method, call.path) };
        }
        let reads = ["GET", "HEAD", "OPTIONS"].contains(&method);
        let permission = if reads { self.reading_permission } else { self.writing_permission };
        Needed { permission, endpoint: format!("{method} {}", endpoint_of(path)) }
    }
}

/// A path as an endpoint: segments that look like the name of one thing among many become `:id`, so that calls to the same
/// endpoint are counted together.
fn endpoint_of(path: &str) -> String {
    const LONGEST: usize = 8;
    let segments = path.trim_end_matches('/').split('/').take(LONGEST + 1).map(|segment| {
        let names_one = segment.len() > 32 || segment.bytes().any(|byte| byte.is_ascii_digit() || byte == b'%');
        let is_version = segment.len() < 4 && segment.starts_with('v');
        if names_one && !is_version { ":id" } else { segment }
    });
    let endpoint = segments.collect::<Vec<_>>().join("/");
    if endpoint.is_empty() { "/".to_owned() } else { endpoint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_documented_takes_the_coarse_permission_and_is_counted_without_its_ids() {
        let needed = |method: &str, path: &str| {
            let Needed { permission, endpoint } = Provider::Native.rules().needed_for(method, path);
            format!("{permission} {endpoint}")
        };
        assert_eq!(needed("GET", "/v1/contacts"), "read:contacts GET /v1/contacts");
        assert_eq!(needed("PATCH", "/v1/contacts/42"), "write:contacts PATCH /v1/contacts/:id");
        assert_eq!(needed("GET", "/v1/deals/42/notes"), "read GET /v1/deals/:id/notes");
        assert_eq!(needed("DELETE", "/v2/a%20b/"), "write DELETE /v2/:id");
        assert_eq!(needed("HEAD", "/"), "read HEAD /");
    }
}
