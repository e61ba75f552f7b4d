//! The providers: one room each, with the same four doors. `rules` are its facts, `wire` its JSON, `client` turns an
//! operation of ours into its HTTP, `routes` turns its HTTP into an operation of the service.

pub(crate) mod native;

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
    /// How long a temporary key lives.
    pub(crate) temporary: SignedDuration,
}
