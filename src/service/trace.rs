//! What the log of whoever runs the service says of a request besides what came over the wire: from whom it was, and what
//! went wrong that its answer does not tell.

use std::error::Error;
use std::sync::{Arc, OnceLock};

use super::{Caller, Owner};

/// Travels with a request, in its extensions. Each of its clones is the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace(Arc<Found>);

#[derive(Debug, Default)]
struct Found {
    workspace: OnceLock<String>,
    key: OnceLock<String>,
    cause: OnceLock<String>,
}

impl Trace {
    /// Notes who calls. The first to say so is believed.
    pub(crate) fn is_from(&self, caller: &Caller) {
        let _ = self.0.workspace.set(caller.workspace().id.clone());
        if !caller.is_operator() {
            let _ = self.0.key.set(caller.actor().0.to_owned());
        }
    }

    /// Notes whose key the gate was shown.
    pub(crate) fn is_of(&self, owner: &Owner) {
        let _ = self.0.workspace.set(owner.workspace.clone());
        let _ = self.0.key.set(owner.key.clone());
    }

    /// Notes why a request failed.
    pub(crate) fn failed_for(&self, cause: String) {
        let _ = self.0.cause.set(cause);
    }

    pub(crate) fn workspace(&self) -> Option<&str> {
        self.0.workspace.get().map(String::as_str)
    }

    /// The id of the calling key.
    pub(crate) fn key(&self) -> Option<&str> {
        self.0.key.get().map(String::as_str)
    }

    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.get().map(String::as_str)
    }
}

/// An error with everything below it: `the database does not answer: connection refused`.
pub(crate) fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        below = cause.source();
    }
    text
}
