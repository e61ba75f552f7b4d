//! How calls are counted: the UTC dates and minutes they fall into, and how many a replica takes at once.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A stretch of time that has a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Period {
    /// Days since 1970-01-01.
    Day(i64),
    /// Minutes since 1970-01-01T00:00Z.
    Minute(i64),
}

impl Period {
    pub(crate) fn day_of(now: Timestamp) -> Self {
        Self::Day(now.as_second().div_euclid(86_400))
    }

    pub(crate) fn minute_of(now: Timestamp) -> Self {
        Self::Minute(now.as_second().div_euclid(60))
    }

    fn start(self) -> Timestamp {
        let seconds = match self {
            Self::Day(day) => day.saturating_mul(86_400),
            Self::Minute(minute) => minute.saturating_mul(60),
        };
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    }

    /// When the count begins anew.
    pub(crate) fn end(self) -> Timestamp {
        let length = match self {
            Self::Day(_) => SignedDuration::from_hours(24),
            Self::Minute(_) => SignedDuration::from_mins(1),
        };
        self.start().saturating_add(length).unwrap_or(Timestamp::MAX)
    }

    /// `2026-11-21` or `2026-11-21T10:43`: as storage names it. Later periods of a kind sort after earlier ones.
    pub(crate) fn name(self) -> String {
        let start = self.start().to_zoned(TimeZone::UTC);
        match self {
            Self::Day(_) => start.strftime("%Y-%m-%d").to_string(),
            Self::Minute(_) => start.strftime("%Y-%m-%dT%H:%M").to_string(),
        }
    }
}

/// How much a replica takes at once where so much of a total is left: single pieces of what is scarce, so that what a kill
/// forfeits is hardly noticed, else a hundredth of what is left.
pub(crate) const fn block(total: i64, left: i64) -> i64 {
    let hundredth = left / 100;
    if total <= 100 || hundredth < 1 { 1 } else { hundredth }
}

/// What a workspace has left of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) limit: i64,
    pub(crate) remaining: i64,
    pub(crate) resets_at: Timestamp,
}

impl Quota {
    /// The time between two calls that take half of what is left until the count begins anew; a quarter of an hour at most.
    pub(crate) fn spread(&self, now: Timestamp) -> Duration {
        const LONGEST: Duration = Duration::from_mins(15);
        let time = Duration::try_from(self.resets_at.duration_since(now)).unwrap_or_default();
        let calls = u32::try_from(self.remaining / 2).unwrap_or(u32::MAX);
        time.checked_div(calls).unwrap_or(LONGEST).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_spread_over_the_day() {
        let now: Timestamp = "2026-02-24T12:00:00Z".parse().unwrap();
        let of = |remaining| Quota { limit: 1000, remaining, resets_at: Period::day_of(now).end() }.spread(now);
        assert_eq!(of(86_400), Duration::from_secs(1));
        assert_eq!(of(864), Duration::from_secs(100));
        assert_eq!((of(1), of(0), of(-1)), (Duration::from_mins(15), Duration::from_mins(15), Duration::from_mins(15)));
    }

    #[test]
    fn a_day_and_a_minute_end_where_the_next_begin() {
        let now: Timestamp = "2026-02-24T23:59:59.999Z".parse().unwrap();
        assert_eq!(Period::day_of(now).name(), "2026-02-24");
        assert_eq!(Period::day_of(now).end().to_string(), "2026-02-25T00:00:00Z");
        assert_eq!(Period::minute_of(now).name(), "2026-02-24T23:59");
        assert_eq!(Period::minute_of(now).end().to_string(), "2026-02-25T00:00:00Z");
        assert_eq!(Period::day_of("2026-02-25T00:00:00Z".parse().unwrap()).name(), "2026-02-25");
        assert_eq!(Period::day_of("1969-12-31T23:59:59Z".parse().unwrap()).name(), "1969-12-31");
    }

    #[test]
    fn a_block_is_one_where_the_limit_is_small_and_a_hundredth_of_what_is_left_elsewhere() {
        assert_eq!(block(100, 100), 1);
        assert_eq!(block(1_000, 1_000), 10);
        assert_eq!(block(1_000, 250), 2);
        assert_eq!(block(1_000, 40), 1);
        assert_eq!(block(1_000_000, 1_000_000), 10_000);
    }
}
