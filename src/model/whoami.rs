//! Who a credential is, as its service says.

use super::key::Key;

/// The answer to `whoami`. Strings are as the server sent them: escape them before a person sees them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Whoami {
    pub(crate) workspace: String,
    pub(crate) plan: Option<String>,
    /// The calling key; `None` for the operator of the service within this process, who needs none, and where the service
    /// does not tell.
    pub(crate) key: Option<Key>,
    /// Whether the service tells which key calls.
    pub(crate) tells_key: bool,
}
