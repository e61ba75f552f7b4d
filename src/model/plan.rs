//! What a workspace has paid for: its plan, and the limits that come with it.

use std::fmt;

use super::tier::Tier;

/// The largest limit, and the most credits that are granted at once: what many of them come to is still a number.
pub(crate) const LARGEST_FIGURE: i64 = 1_000_000_000_000;

/// A plan. The figures of the first three are LeadLex's; an enterprise agrees on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Plan {
    /// 100 calls a day, 10 a minute
    Starter,
    /// 1,000 calls a day, 50 a minute
    Pro,
    /// 10,000 calls a day, 200 a minute
    Org,
    /// 100,000 calls a day and 1,000 a minute, or as agreed; keys may be unmetered
    Enterprise,
}

/// How many calls a workspace may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// In one UTC date.
    pub(crate) per_day: i64,
    /// In one UTC minute.
    pub(crate) per_minute: i64,
}

impl Plan {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Starter => "starter",
            Self::Pro => "pro",
            Self::Org => "org",
            Self::Enterprise => "enterprise",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Starter, Self::Pro, Self::Org, Self::Enterprise].into_iter().find(|plan| plan.as_str() == text)
    }

    /// What the tier of a key comes to: on other plans than `enterprise` no key is without limits, also one that was.
    pub(crate) fn tier_of(self, tier: Option<Tier>) -> Tier {
        match tier.unwrap_or(Tier::Standard) {
            Tier::Unmetered if self != Self::Enterprise => Tier::Standard,
            tier => tier,
        }
    }

    pub(crate) const fn limits(self) -> Limits {
        match self {
            Self::Starter => Limits { per_day: 100, per_minute: 10 },
            Self::Pro => Limits { per_day: 1_000, per_minute: 50 },
            Self::Org => Limits { per_day: 10_000, per_minute: 200 },
            Self::Enterprise => Limits { per_day: 100_000, per_minute: 1_000 },
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
