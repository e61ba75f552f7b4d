//! The providers: one room each, with the same four doors. `rules` are its facts, `wire` its JSON, `client` turns an
//! operation of ours into its HTTP, `routes` turns its HTTP into an operation of the service.
//!
//! [`client`], [`routes`] and [`wire`] hold what these doors have in common. A new provider is a room of its own, its `mod` line, and
//! its line in `each_provider`.

/// Hands every provider to a macro: its name in the code, and its room.
macro_rules! each_provider {
    ($use:ident) => {
        $use! {
            /// The API of `keys serve`
            Native = native,
            /// LeadLex, the keys of a workspace
            LeadLex = leadlex,
            /// Nexus ERP, the keys of an organisation
            Nexus = nexus,
            /// ContactLevel, the keys of an organisation
            ContactLevel = contactlevel,
        }
    };
}

pub(crate) mod client;
pub(crate) mod contactlevel;
pub(crate) mod leadlex;
pub(crate) mod native;
pub(crate) mod nexus;
pub(crate) mod routes;
mod scopes;
pub(crate) mod wire;

use jiff::{SignedDuration, Timestamp};

use crate::model::key::Key;
use crate::model::lifetime::Lifetime;
use crate::model::permission::Catalogue;
use crate::model::rotation::Facts;
use crate::model::secret::KeyShape;

macro_rules! declare {
    ($($(#[doc = $about:literal])* $name:ident = $room:ident,)*) => {
        /// Every provider this program knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
        #[value(rename_all = "lower")]
        pub(crate) enum Provider {
            $($(#[doc = $about])* $name,)*
        }

        impl Provider {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub(crate) const fn rules(self) -> &'static Rules {
                match self {
                    $(Self::$name => &$room::rules::RULES,)*
                }
            }
        }
    };
}

each_provider!(declare);

impl Provider {
    /// The provider of a name as storage keeps it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|provider| provider.rules().name == name)
    }
}

/// The facts of a provider that others ask for. What only its own routes and client know stays in its room.
#[derive(Debug)]
pub(crate) struct Rules {
    /// As it is stored and typed.
    pub(crate) name: &'static str,
    /// As people call it.
    pub(crate) title: &'static str,
    pub(crate) shape: KeyShape,
    /// Characters in a name.
    pub(crate) longest_name: usize,
    /// Whether no two active keys of a workspace have the same name.
    pub(crate) unique_names: bool,
    /// Characters in a description.
    pub(crate) longest_description: usize,
    pub(crate) permissions: Catalogue,
    /// Whether a key holds at least one permission.
    pub(crate) needs_permission: bool,
    /// Opens looking at everything, and changing nothing.
    pub(crate) reading_permission: Option<&'static str>,
    pub(crate) undocumented: Undocumented,
    pub(crate) management: Management,
    /// How long a temporary key lives.
    pub(crate) temporary: SignedDuration,
    /// What every temporary key is called, where that is not for its maker to say.
    pub(crate) temporary_name: Option<&'static str>,
    /// Whether calls count against the limits of a plan.
    pub(crate) has_limits: bool,
    /// Whether the end of a new key may be said as a length of time; otherwise it is an instant.
    pub(crate) takes_lengths: bool,
    /// What a rotation has to know.
    pub(crate) rotation: Facts,
    /// Whether a call through the gate is paid with a credit.
    pub(crate) calls_cost_credits: bool,
    /// Whether a call to the management API is.
    pub(crate) management_costs_credits: bool,
    /// Calls that cost no credit although others do: method and path.
    pub(crate) free_calls: &'static [(&'static str, &'static str)],
    /// Where the vendor's own service is.
    pub(crate) address: Option<&'static str>,
    /// The variable in which its users have a key already; `KEYS_API_KEY` comes first.
    pub(crate) variable: Option<&'static str>,
    /// What it does not do: each a sentence with the way to do it instead.
    pub(crate) lacks: &'static [(Ability, &'static str)],
    /// Where keys are managed that a host does not manage over its API; a sentence without its point.
    pub(crate) elsewhere: &'static str,
}

/// What not every provider does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ability {
    /// Keys with a description.
    Description,
    Permissions,
    Tier,
    Temporary,
    Edit,
    /// Changing when a key ends.
    EditExpiry,
    /// Keeping why a key was revoked.
    Reason,
    Reactivate,
    Delete,
    Lookup,
    Usage,
    Credits,
    Audit,
}

/// Which keys open a call that the provider does not document.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Undocumented {
    /// Those that may read everything, or change everything; but below some paths those that hold another permission.
    Coarse {
        reading: &'static str,
        writing: &'static str,
        areas: &'static [(&'static str, &'static str)],
    },
    AnyKey,
    NoKey,
}

/// Which keys manage keys.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Management {
    /// Those that hold this permission.
    Permission(&'static str),
    /// The credentials of members with this role, where the workspace has the feature. `named` is how the provider calls
    /// what others lack.
    Role {
        role: &'static str,
        named: &'static str,
        feature: &'static str,
    },
    AnyKey,
}

impl Management {
    /// Whether a key may be one that manages keys, judged by what it holds.
    pub(crate) fn could_be_held_by(&self, key: &Key) -> bool {
        match self {
            Self::Permission(needed) => key.permissions.iter().any(|held| held.as_str() == *needed),
            Self::Role { .. } | Self::AnyKey => true,
        }
    }

    /// What to do so that another key manages keys too.
    pub(crate) fn way_to_another(&self) -> String {
        match self {
            Self::Permission(needed) => format!("give another one `{needed}` first"),
            Self::Role { role, .. } => format!("add another member with the role `{role}` first"),
            Self::AnyKey => "make another one first".to_owned(),
        }
    }
}

/// What a call through the gate takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) opened_by: OpenedBy,
    /// As what it is counted: `GET /v1/contacts/:id`.
    pub(crate) endpoint: String,
}

/// Which keys open a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenedBy {
    Permission(&'static str),
    AnyKey,
    NoKey,
}

impl Rules {
    /// The sentence that says that the provider does not do something, and what to do instead; `None` where it does.
    pub(crate) fn lack(&self, ability: Ability) -> Option<&'static str> {
        self.lacks.iter().find(|(lacking, _)| *lacking == ability).map(|(_, sentence)| *sentence)
    }

    /// How long a key is asked to live, as the provider takes it: a length of time stays one where that is possible, so that
    /// the same request again says the same.
    pub(crate) fn taken(&self, asked: Lifetime, now: Timestamp) -> Lifetime {
        if self.takes_lengths { asked } else { asked.counted_from(now) }
    }

    /// Whether a call costs no credit although others do.
    pub(crate) fn is_free(&self, method: &str, path: &str) -> bool {
        self.free_calls.contains(&(answered_as(method), path))
    }

    /// What a call takes.
    ///
    /// What is behind the gate decodes the path, so this does too: `/v1/api%2Dkeys` is `/v1/api-keys`.
    pub(crate) fn needed_for(&self, method: &str, path: &str) -> Needed {
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        if let Some(call) = self.permissions.call(answered_as(method), &decoded) {
            let opened_by = call.permission.map_or(OpenedBy::AnyKey, OpenedBy::Permission);
            return Needed { opened_by, endpoint: format!("{} {}", call.method, call.path) };
        }
        let opened_by = match self.undocumented {
            Undocumented::Coarse { reading, writing, areas } => {
                let area = areas.iter().find(|(area, _)| is_below(area, &decoded));
                let coarse = if ["GET", "HEAD", "OPTIONS"].contains(&method) { reading } else { writing };
                OpenedBy::Permission(area.map_or(coarse, |(_, permission)| permission))
            }
            Undocumented::AnyKey => OpenedBy::AnyKey,
            Undocumented::NoKey => OpenedBy::NoKey,
        };
        Needed { opened_by, endpoint: format!("{method} {}", endpoint_of(path)) }
    }
}

/// What is behind the gate answers HEAD as it answers GET, but for the body.
fn answered_as(method: &str) -> &str {
    if method == "HEAD" { "GET" } else { method }
}

/// Whether a path is this one or below it. Many an API does not tell small letters from large ones.
fn is_below(area: &str, path: &str) -> bool {
    let begins = path.get(..area.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(area));
    begins && matches!(path.as_bytes().get(area.len()), None | Some(b'/'))
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

    fn needed(provider: Provider, method: &str, path: &str) -> String {
        let Needed { opened_by, endpoint } = provider.rules().needed_for(method, path);
        let opened_by = match opened_by {
            OpenedBy::Permission(permission) => permission,
            OpenedBy::AnyKey => "any",
            OpenedBy::NoKey => "none",
        };
        format!("{opened_by} {endpoint}")
    }

    #[test]
    fn what_is_not_documented_takes_the_coarse_permission_and_is_counted_without_its_ids() {
        let needed = |method, path| needed(Provider::Native, method, path);
        assert_eq!(needed("GET", "/v1/contacts"), "read:contacts GET /v1/contacts");
        assert_eq!(needed("PATCH", "/v1/contacts/42"), "write:contacts PATCH /v1/contacts/:id");
        assert_eq!(needed("GET", "/v1/deals/42/notes"), "read GET /v1/deals/:id/notes");
        assert_eq!(needed("DELETE", "/v2/a%20b/"), "write DELETE /v2/:id");
        assert_eq!(needed("HEAD", "/"), "read HEAD /");
        assert_eq!(needed("POST", "/v1/%61pi%2Dkeys"), "admin:api_keys POST /v1/api-keys");
    }

    #[test]
    fn a_call_said_in_another_way_takes_what_the_same_call_takes() {
        for provider in [Provider::Native, Provider::LeadLex] {
            let needed = |method, path| needed(provider, method, path);
            // Many an API answers HEAD as GET, and does not tell small letters from large ones.
            assert_eq!(needed("HEAD", "/v1/lexi/tasks"), "lexi GET /v1/lexi/tasks");
            assert_eq!(needed("HEAD", "/v1/contacts"), "read:contacts GET /v1/contacts");
            assert_eq!(needed("POST", "/v1/API-Keys"), "admin:api_keys POST /v1/api-keys");
            assert_eq!(needed("GET", "/v1/Lexi/TASKS"), "lexi GET /v1/lexi/tasks");
            // Below a path that has a permission of its own, what is not documented takes that.
            assert_eq!(needed("GET", "/v1/lexi/tasks/4"), "lexi GET /v1/lexi/tasks/:id");
            assert_eq!(needed("POST", "/v1/LEXI"), "lexi POST /v1/LEXI");
            assert_eq!(needed("POST", "/v1/lexicon"), "write POST /v1/lexicon");
        }
        assert_eq!(needed(Provider::Nexus, "HEAD", "/api/leads"), "leads.read GET /api/leads");
        assert!(Provider::ContactLevel.rules().is_free("HEAD", "/api/credits"));
    }

    #[test]
    fn a_provider_without_coarse_permissions_opens_what_it_does_not_document_to_every_key_or_to_none() {
        assert_eq!(needed(Provider::Nexus, "PATCH", "/api/leads/42"), "leads.update PATCH /api/leads/:id");
        assert_eq!(needed(Provider::Nexus, "GET", "/api/invoices"), "none GET /api/invoices");
        assert_eq!(needed(Provider::ContactLevel, "POST", "/api/contacts/create"), "any POST /api/contacts/create");
        assert_eq!(needed(Provider::ContactLevel, "GET", "/api/anything"), "any GET /api/anything");
    }

    #[test]
    fn every_provider_is_found_by_its_name_and_keeps_to_its_own_facts() {
        for provider in Provider::ALL {
            let rules = provider.rules();
            assert_eq!(Provider::named(rules.name), Some(*provider));
            let typed = clap::ValueEnum::to_possible_value(provider).unwrap();
            assert_eq!(typed.get_name(), rules.name);
            let known = |name: &str| rules.permissions.entries.iter().any(|entry| entry.name == name);
            assert!(rules.permissions.calls.iter().filter_map(|call| call.permission).all(known), "{}", rules.name);
            assert!(rules.permissions.entries.iter().filter_map(|entry| entry.included_in).all(known));
            assert!(rules.reading_permission.is_none_or(known));
            if let Management::Permission(managing) = rules.management {
                assert!(known(managing));
            }
            if let Undocumented::Coarse { reading, writing, areas } = rules.undocumented {
                assert!(known(reading) && known(writing) && areas.iter().all(|(_, permission)| known(permission)));
            }
            // Six of the secret's digits are a checksum, and what is shown of it is no secret; a digit carries 5.95 bits.
            let shown = rules.shape.shown.saturating_sub(rules.shape.prefix.len() + rules.shape.public + 1);
            assert!((rules.shape.secret - 6 - shown) * 595 >= 128 * 100, "{}", rules.name);
            for (ability, sentence) in rules.lacks {
                assert!(sentence.contains(rules.title) && sentence.contains(": "), "{ability:?}: {sentence}");
            }
            assert_eq!(rules.needs_permission, !rules.permissions.entries.is_empty() && *provider != Provider::Nexus);
        }
    }
}
