//! When a key ends, as people write it: `30d`, `2027-01-01T09:00:00Z`, `2027-01-01`, `never`; and ages such as `90d`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// A length of time: `90d`, `12h`, `4w`, `30m`, `45s`. Whole seconds, more than none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Age(SignedDuration);

/// Seconds in each unit an age may be written in, the longest first.
const UNITS: [(char, i64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Age {
    /// An age of whole seconds, more than none.
    pub(crate) fn from_seconds(seconds: i64) -> Option<Self> {
        (seconds > 0).then(|| Self(SignedDuration::from_secs(seconds)))
    }

    pub(crate) const fn seconds(self) -> i64 {
        self.0.as_secs()
    }

    /// The instant this long before `now`; the earliest there is where it would lie before that.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.0).unwrap_or(Timestamp::MIN)
    }

    /// The instant this long after `now`; the latest there is where it would lie beyond that.
    pub(crate) fn after(self, now: Timestamp) -> Timestamp {
        now.checked_add(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl FromStr for Age {
    type Err = NotAnAge;

    fn from_str(text: &str) -> Result<Self, NotAnAge> {
        let not_an_age = || NotAnAge { text: text.to_owned() };
        let unit = text.chars().last().ok_or_else(not_an_age)?;
        let (_, seconds) = UNITS.iter().find(|(letter, _)| *letter == unit).ok_or_else(not_an_age)?;
        let digits = &text[..text.len() - unit.len_utf8()];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(not_an_age());
        }
        let count: i64 = digits.parse().map_err(|_| not_an_age())?;
        count.checked_mul(*seconds).and_then(Self::from_seconds).ok_or_else(not_an_age)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_secs();
        let (letter, seconds) = UNITS.iter().find(|(_, seconds)| total % seconds == 0).unwrap_or(&('s', 1));
        write!(formatter, "{}{letter}", total / seconds)
    }
}

/// A text that is no length of time.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not a length of time: write a number and a unit, such as 90d, 12h or 4w")]
pub(crate) struct NotAnAge {
    text: String,
}

/// When a key ends, as it was written: relative times stay relative until [`Lifetime::resolve`] is told the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    After(Age),
    At(Timestamp),
    Never,
}

impl Lifetime {
    /// The instant the key ends, in whole seconds, as every provider's wire has it; `None` is never.
    pub(crate) fn resolve(self, now: Timestamp) -> Result<Option<Timestamp>, NotInTheFuture> {
        let end = match self {
            Self::Never => return Ok(None),
            Self::After(age) => now.checked_add(age.0).map_err(|_| NotInTheFuture::TooFar { age })?,
            Self::At(instant) => instant,
        };
        let end = Timestamp::from_second(end.as_second()).unwrap_or(end);
        if end <= now {
            return Err(NotInTheFuture::Past { end });
        }
        Ok(Some(end))
    }

    /// The same as an instant, for services that take no lengths of time.
    pub(crate) fn counted_from(self, now: Timestamp) -> Self {
        match self {
            Self::After(age) => {
                let end = age.after(now);
                Self::At(Timestamp::from_second(end.as_second()).unwrap_or(end))
            }
            Self::At(_) | Self::Never => self,
        }
    }
}

impl FromStr for Lifetime {
    type Err = NotALifetime;

    fn from_str(text: &str) -> Result<Self, NotALifetime> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Ok(age) = text.parse() {
            return Ok(Self::After(age));
        }
        if let Ok(instant) = instant(text) {
            return Ok(Self::At(instant));
        }
        if is_beyond(text) {
            return Err(NotALifetime::Beyond { text: text.to_owned() });
        }
        let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        Err(if number {
            NotALifetime::BareNumber { text: text.to_owned() }
        } else {
            NotALifetime::Unreadable { text: text.to_owned() }
        })
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(age) => age.fmt(formatter),
            Self::At(instant) => instant.fmt(formatter),
            Self::Never => formatter.write_str("never"),
        }
    }
}

/// A time in the past, as people write it: `24h` ago, a date, an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Ago(Age),
    At(Timestamp),
}

impl Moment {
    pub(crate) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(age) => age.before(now),
            Self::At(instant) => instant,
        }
    }
}

impl FromStr for Moment {
    type Err = NotALifetime;

    fn from_str(text: &str) -> Result<Self, NotALifetime> {
        match text.parse()? {
            Lifetime::After(age) => Ok(Self::Ago(age)),
            Lifetime::At(instant) => Ok(Self::At(instant)),
            Lifetime::Never => Err(NotALifetime::Unreadable { text: text.to_owned() }),
        }
    }
}

/// An instant as RFC 3339 writes it, or a date, which means its first moment in UTC.
fn instant(text: &str) -> Result<Timestamp, jiff::Error> {
    // `Date` would also take a date and time without an offset and drop the time: only the ten characters of a date are one.
    if text.len() == 10 {
        let date: Date = text.parse()?;
        return Ok(date.to_zoned(TimeZone::UTC)?.timestamp());
    }
    text.parse()
}

/// Whether a text is a time that nothing here can hold, because offsets from UTC need room behind the last instant. People
/// write the end of the calendar for "never".
fn is_beyond(text: &str) -> bool {
    let Ok(pieces) = Pieces::parse(text) else { return false };
    let whole = pieces.time().is_some() && pieces.offset().is_some();
    (whole || text.len() == 10) && pieces.date() >= Timestamp::MAX.to_zoned(TimeZone::UTC).date()
}

/// A text that names no end.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NotALifetime {
    #[error("`{text}` has no unit: write {text}d for days, {text}h for hours or {text}w for weeks")]
    BareNumber { text: String },
    #[error(
        "`{text}` is not a time: write a length such as 30d, 12h or 4w, a date such as 2027-01-31, \
         an instant such as 2027-01-31T09:00:00Z, or never"
    )]
    Unreadable { text: String },
    #[error(
        "`{text}` is beyond the last instant there is, {:.0}: for a key without an end write never",
        Timestamp::MAX
    )]
    Beyond { text: String },
}

/// An end that cannot be one.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NotInTheFuture {
    #[error("{end} is in the past")]
    Past { end: Timestamp },
    #[error("{age} from now is beyond the year 9999")]
    TooFar { age: Age },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn resolve(text: &str) -> String {
        let now = at("2026-11-20T12:00:00.7Z");
        match text.parse::<Lifetime>() {
            Err(error) => error.to_string(),
            Ok(lifetime) => match lifetime.resolve(now) {
                Ok(Some(end)) => end.to_string(),
                Ok(None) => "never".to_owned(),
                Err(error) => error.to_string(),
            },
        }
    }

    #[test]
    fn what_people_write_becomes_an_instant_in_utc() {
        assert_eq!(resolve("30d"), "2026-12-20T12:00:00Z");
        assert_eq!(resolve("12h"), "2026-11-21T00:00:00Z");
        assert_eq!(resolve("4w"), "2026-12-18T12:00:00Z");
        assert_eq!(resolve("2027-01-31"), "2027-01-31T00:00:00Z");
        assert_eq!(resolve("2027-01-31T10:00:00+02:00"), "2027-01-31T08:00:00Z");
        assert_eq!(resolve("never"), "never");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_never_ignored() {
        for text in [
            "",
            " ",
            "90",
            "0d",
            "-1d",
            "1.5d",
            "1 d",
            "d",
            "30D",
            "30days",
            "yesterday",
            "tomorrow-ish",
            "Never",
            "2027-13-01",
            "2027-01-31T10:00:00",
            "2027-01-31T25:00:00Z",
            "٣٠d",
            "99999999999999999999d",
            "1é",
        ] {
            assert!(text.parse::<Lifetime>().is_err(), "{text:?}");
        }
        assert!(resolve("90").contains("90d"));
        assert_eq!(resolve("2020-01-01"), "2020-01-01T00:00:00Z is in the past");
        assert!(resolve("9999999w").contains("beyond the year 9999"));
        for text in ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.5+00:00", "9999-12-31T00:00:00-05:00"] {
            assert!(resolve(text).contains("beyond the last instant there is"), "{text}");
        }
        assert_eq!(resolve("9999-12-30"), "9999-12-30T00:00:00Z");
        assert_eq!(resolve("9999-12-30T22:00:00Z"), "9999-12-30T22:00:00Z");
        for text in ["9999-12-32", "9999-12-31T23:59:59", "9999-12-31T25:00:00Z", "99991231"] {
            assert!(resolve(text).contains("is not a time") || resolve(text).contains("no unit"), "{text}");
        }
    }

    #[test]
    fn an_end_at_this_very_moment_is_past() {
        let now = at("2026-11-20T12:00:00Z");
        assert_eq!(Lifetime::At(now).resolve(now), Err(NotInTheFuture::Past { end: now }));
    }

    proptest! {
        #[test]
        fn an_age_round_trips(seconds in 1_i64..=i64::from(u32::MAX)) {
            let age = Age(SignedDuration::from_secs(seconds));
            prop_assert_eq!(age.to_string().parse::<Age>().unwrap(), age);
        }

        #[test]
        fn an_instant_round_trips(second in 0_i64..=253_000_000_000) {
            let lifetime = Lifetime::At(Timestamp::from_second(second).unwrap());
            prop_assert_eq!(lifetime.to_string().parse::<Lifetime>().unwrap(), lifetime);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            text.parse::<Lifetime>().ok();
        }
    }
}
