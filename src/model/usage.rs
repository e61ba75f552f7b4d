//! What was called: how often, how often in vain, and by which key.

use jiff::Timestamp;

use super::plan::Plan;
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
    pub(crate) plan: Plan,
    pub(crate) per_day: Quota,
    /// For keys of the tier `standard`.
    pub(crate) per_minute: Quota,
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
}
