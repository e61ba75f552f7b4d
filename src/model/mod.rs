//! What keys are and what follows from it. Pure: no I/O, no async, no clock, no randomness; `now` and random bytes are
//! arguments. Uses nothing of ours.

pub(crate) mod audit;
pub(crate) mod credits;
pub(crate) mod filter;
pub(crate) mod key;
pub(crate) mod lifetime;
pub(crate) mod permission;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod quota;
pub(crate) mod record;
pub(crate) mod rotation;
pub(crate) mod secret;
pub(crate) mod selector;
pub(crate) mod state;
pub(crate) mod tier;
pub(crate) mod usage;
pub(crate) mod whoami;
