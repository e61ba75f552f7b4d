//! Whether a key works: active, revoked or expired.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// The state of a key at an instant. Derived, never stored: an expiry needs nobody to write it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Lets its calls through
    Active,
    /// Switched off by somebody
    Revoked,
    /// Past its expiry
    Expired,
}

impl State {
    /// A revoked key stays `Revoked` when its expiry passes too: that somebody switched it off is the more telling fact.
    /// An expiry counts from its very instant on.
    pub(crate) fn of(revoked_at: Option<Timestamp>, expires_at: Option<Timestamp>, now: Timestamp) -> Self {
        match (revoked_at, expires_at) {
            (Some(_), _) => Self::Revoked,
            (None, Some(expiry)) if expiry <= now => Self::Expired,
            (None, _) => Self::Active,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_follows_from_two_instants() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(State::of(None, None, at(100)), State::Active);
        assert_eq!(State::of(None, Some(at(101)), at(100)), State::Active);
        assert_eq!(State::of(None, Some(at(100)), at(100)), State::Expired);
        assert_eq!(State::of(Some(at(1)), None, at(100)), State::Revoked);
        assert_eq!(State::of(Some(at(1)), Some(at(2)), at(100)), State::Revoked);
    }
}
