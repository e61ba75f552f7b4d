//! The rotation of a key: what has to happen next, given what has happened. Pure; `crate::rotation` performs it.
//!
//! The order is law: intent → mint → escrow → deliver → verify → commit → retire. Whatever a run of the program has done
//! lasts in its journal, and [`next`] reads from there where to go on, so that a rotation which was interrupted anywhere
//! takes no other way than one that was not.

mod decide;
mod naming;
mod record;
#[cfg(test)]
mod tests;

use jiff::SignedDuration;

pub(crate) use self::decide::{Effect, Event, Goal, How, State, Stop, Trouble, next};
pub(crate) use self::naming::{current, successor_name};
pub(crate) use self::record::{Kept, Old, Place, Record, Request, Retirement, Step, Successor, Where};

/// What a provider's way with keys means for a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) naming: Naming,
    /// Whether the end of a key can be changed, so that an old key can be left to end by itself.
    pub(crate) edits_expiry: bool,
    /// How long the same request again gets the original answer, plaintext included.
    pub(crate) replays_for: SignedDuration,
}

/// What the successor of a key may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The same: it takes the name over from the key it replaces. Otherwise names are unique among active keys.
    TakenOver,
    /// Names are unique among active keys: the successor's carries the date, `ci @2026-11-20`.
    Dated,
    /// The same: any number of keys may have one name.
    Shared,
}

impl Naming {
    /// Whether a name can be had by one active key only: then a request that is sent again makes no second key, even
    /// when its answer is no longer kept.
    const fn is_unique(self) -> bool {
        !matches!(self, Self::Shared)
    }
}
