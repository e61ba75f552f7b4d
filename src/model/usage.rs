//! What was called: how often, how often in vain, and by which key.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use super::quota::Quota;

/// Calls and how many of them went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) calls: i64,
    pub(crate) errors: i64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.errors += other.errors;
    }

    /// Errors divided by calls, to four places.
    #[expect(clippy::cast_precision_loss, reason = "it is a rate to four places")]
    pub(crate) fn error_rate(self) -> f64 {
        let rate = if self.calls == 0 { 0.0 } else { self.errors as f64 / self.calls as f64 };
        (rate * 10_000.0).round() / 10_000.0
    }
}

/// What one key used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyUsage {
    pub(crate) id: String,
    /// `None` for a key that is deleted.
    pub(crate) name: Option<String>,
    pub(crate) tally: Tally,
}

/// What a workspace, or one of its keys, used.
#[derive(Debug, Clone)]
pub(crate) struct UsageReport {
    /// As the service calls it.
    pub(crate) plan: String,
    pub(crate) per_day: Quota,
    /// For keys of the tier `standard`; `None` where the service does not tell.
    pub(crate) per_minute: Option<Quota>,
    /// Today, in UTC.
    pub(crate) today: Tally,
    /// `2026-11-21`, every day of the time asked for, the oldest first.
    pub(crate) days: Vec<(String, Tally)>,
    /// Over the time asked for, the busiest first.
    pub(crate) endpoints: Vec<(String, Tally)>,
    /// Over the time asked for, the busiest first.
    pub(crate) keys: Vec<KeyUsage>,
    /// When any of these keys was last used.
    pub(crate) last_used_at: Option<Timestamp>,
    /// Where this comes from, if not from the service's own count.
    pub(crate) note: Option<String>,
}

/// How fast the day's limit is used up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Calls an hour since midnight UTC.
    pub(crate) per_hour: f64,
    /// When nothing is left at this pace; `None` where it lasts until the limit is counted anew.
    pub(crate) used_up_at: Option<Timestamp>,
}

impl Quota {
    /// The pace so far in a day that ends at `resets_at`.
    #[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
    pub(crate) fn pace(&self, now: Timestamp) -> Pace {
        let left = self.resets_at.duration_since(now).as_secs_f64();
        let elapsed = (86_400.0 - left).max(60.0);
        let per_second = (self.limit - self.remaining).max(0) as f64 / elapsed;
        let lasts = self.remaining as f64 / per_second;
        let used_up_at = (lasts.is_finite() && lasts < left)
            .then(|| SignedDuration::try_from_secs_f64(lasts).ok().and_then(|lasts| now.checked_add(lasts).ok()))
            .flatten();
        Pace { per_hour: per_second * 3_600.0, used_up_at }
    }
}

/// A bound below which a command fails: a number, or a share of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threshold {
    Count(i64),
    Percent(i64),
}

impl Threshold {
    pub(crate) const fn is_above(self, remaining: i64, whole: i64) -> bool {
        match self {
            Self::Count(count) => remaining < count,
            Self::Percent(percent) => remaining.saturating_mul(100) < whole.saturating_mul(percent),
        }
    }
}

impl FromStr for Threshold {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const NEITHER: &str = "write a number such as 100, or a share such as 10%";
        let number = |digits: &str| {
            let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if all_digits { digits.parse::<i64>().map_err(|_| NEITHER) } else { Err(NEITHER) }
        };
        match text.strip_suffix('%') {
            Some(digits) => number(digits)
                .and_then(|percent| if percent <= 100 { Ok(Self::Percent(percent)) } else { Err(NEITHER) }),
            None => number(text).map(Self::Count),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(formatter, "{count}"),
            Self::Percent(percent) => write!(formatter, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_pace_that_does_not_last_says_when_it_ends() {
        let quota = |remaining| Quota { limit: 1_000, remaining, resets_at: at("2026-02-25T00:00:00Z") };
        let noon = at("2026-02-24T12:00:00Z");
        assert_eq!(quota(400).pace(noon), Pace { per_hour: 50.0, used_up_at: Some(at("2026-02-24T20:00:00Z")) });
        assert_eq!(quota(500).pace(noon).used_up_at, None);
        assert_eq!(quota(1_000).pace(noon), Pace { per_hour: 0.0, used_up_at: None });
        assert_eq!(quota(0).pace(noon).used_up_at, Some(noon));
        // In the first seconds of a day nothing is known yet.
        assert!(quota(999).pace(at("2026-02-24T00:00:01Z")).per_hour <= 60.0);
    }

    #[test]
    fn a_threshold_is_a_number_or_a_share() {
        assert_eq!("10%".parse(), Ok(Threshold::Percent(10)));
        assert_eq!("100".parse(), Ok(Threshold::Count(100)));
        for wrong in ["", "%", "-1", "101%", "ten", "1.5", "10 %", "+3", "99999999999999999999"] {
            assert!(wrong.parse::<Threshold>().is_err(), "{wrong}");
        }
        assert!(Threshold::Percent(10).is_above(99, 1_000));
        assert!(!Threshold::Percent(10).is_above(100, 1_000));
        assert!(Threshold::Count(100).is_above(99, 1_000));
        assert!(!Threshold::Count(100).is_above(100, 1_000));
    }
}
