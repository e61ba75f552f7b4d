//! What is between a new key and the person who is to take it, whatever the menu looks like.

use crate::model::secret::PlainKey;

/// A key to be taken.
pub(crate) struct Offer<'a> {
    /// What it is, in a line: `Key 'ci'`.
    pub(crate) what: &'a str,
    /// The part that may be shown.
    pub(crate) prefix: &'a str,
    pub(crate) plain: &'a PlainKey,
}

/// A way a person chose for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taking {
    Copy,
    Save(String),
    Pipe(String),
}

/// How the menu was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// The key was taken in one way or another.
    Taken,
    /// It was not, and the person knows.
    Untaken,
    Interrupted,
    Terminated,
}

/// Takes the key somewhere; says what became of it, or why nothing did.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&Taking) -> Result<String, String>;
