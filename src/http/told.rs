//! What the headers of an answer say of when to come again: `Retry-After`, and the limits that are left.
//!
//! Three ways to write a limit are about: `X-RateLimit-Remaining` and `-Reset` (Unix seconds), `RateLimit-Remaining` and
//! `-Reset` (seconds from now), and `RateLimit: "daily";r=…;t=…`. The service's clock need not be ours: where an answer
//! says its own time, instants count from that.

use std::num::IntErrorKind;
use std::time::{Duration, SystemTime};

use axum::http::HeaderMap;
use jiff::Timestamp;

use crate::model::quota::Quota;

/// A number of seconds this large is an instant, counted from 1970.
const AN_INSTANT: u64 = 1_000_000_000;

/// Nothing is further away: a year and a day.
const FURTHEST: Duration = Duration::from_hours(366 * 24);

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Told {
    /// How long to send nothing.
    pub(super) retry_after: Option<Duration>,
    pub(super) limits: Vec<Limit>,
}

/// How many requests are left, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) name: String,
    pub(super) remaining: u64,
    /// Until there are all of them again.
    pub(super) reset: Duration,
}

impl Told {
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
        let their_now = text("date").and_then(instant).unwrap_or_else(|| now.as_second());
        let from_now =
            |at: i64| Duration::from_secs(u64::try_from(at.saturating_sub(their_now)).unwrap_or(0)).min(FURTHEST);
        let in_seconds = |seconds: u64| match i64::try_from(seconds) {
            Ok(at) if seconds >= AN_INSTANT => from_now(at),
            _ => Duration::from_secs(seconds).min(FURTHEST),
        };
        let retry_after = text("retry-after").and_then(|text| match text.parse::<u64>() {
            Ok(seconds) => Some(Duration::from_secs(seconds).min(FURTHEST)),
            Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(FURTHEST),
            Err(_) => instant(text).map(from_now),
        });
        let mut limits = Vec::new();
        for prefix in ["x-ratelimit", "ratelimit"] {
            let (remaining, reset) = (number(&format!("{prefix}-remaining")), number(&format!("{prefix}-reset")));
            // Who is not known has no limit, and nothing left of it.
            let is_one = number(&format!("{prefix}-limit")) != Some(0);
            if let (true, Some(remaining), Some(reset)) = (is_one, remaining, reset) {
                limits.push(Limit { name: prefix.to_owned(), remaining, reset: in_seconds(reset) });
            }
        }
        for line in headers.get_all("ratelimit").iter().filter_map(|value| value.to_str().ok()) {
            limits.extend(listed(line));
        }
        Self { retry_after, limits }
    }

    /// How long a service that answered one request too many asks to wait: as it says, or until the last of its used-up
    /// limits starts anew.
    pub(super) fn limited(&self) -> Option<Duration> {
        let used_up = self.limits.iter().filter(|limit| limit.remaining == 0).map(|limit| limit.reset);
        self.retry_after.or_else(|| used_up.max())
    }
}

/// What is left of the day, as `X-RateLimit-Limit`, `-Remaining` and `-Reset` (Unix seconds) tell it.
pub(super) fn quota(headers: &HeaderMap) -> Option<Quota> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let resets_at = Timestamp::from_second(number("x-ratelimit-reset")?).ok()?;
    let (limit, remaining) = (number("x-ratelimit-limit")?, number("x-ratelimit-remaining")?);
    Some(Quota { limit, remaining, resets_at })
}

/// The limits of a `RateLimit` header, of the form with a name each or the older one with a single limit.
fn listed(line: &str) -> Vec<Limit> {
    let items: Vec<&str> = line.split(',').map(str::trim).collect();
    let parameter = |item: &str, names: [&str; 2]| {
        item.split(';').filter_map(|part| part.trim().split_once('=')).find_map(|(name, value)| {
            let value = value.trim().parse::<u64>().ok();
            value.filter(|_| names.contains(&name.trim()))
        })
    };
    let limit = |name: &str, item: &str| {
        let (remaining, reset) = (parameter(item, ["r", "remaining"])?, parameter(item, ["t", "reset"])?);
        Some(Limit { name: name.to_owned(), remaining, reset: Duration::from_secs(reset).min(FURTHEST) })
    };
    if items.iter().any(|item| item.starts_with("remaining=")) {
        return limit("ratelimit", &items.join(";")).into_iter().collect();
    }
    let name = |item: &str| item.split(';').next().unwrap_or_default().trim_matches('"').to_owned();
    items.iter().filter_map(|item| limit(&name(item), item)).collect()
}

/// Unix seconds of a date as HTTP writes it.
fn instant(text: &str) -> Option<i64> {
    let date = httpdate::parse_http_date(text).ok()?;
    let since = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    /// 2026-02-24T23:59:00Z
    const NOW: i64 = 1_771_977_540;

    fn read(headers: &[(&'static str, &str)]) -> Told {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        Told::read(&map, Timestamp::from_second(NOW).unwrap())
    }

    fn limits(headers: &[(&'static str, &str)]) -> Vec<(String, u64, u64)> {
        let limits = read(headers).limits.into_iter();
        limits.map(|limit| (limit.name, limit.remaining, limit.reset.as_secs())).collect()
    }

    fn after(headers: &[(&'static str, &str)]) -> Option<u64> {
        read(headers).retry_after.map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_a_number_or_a_date_of_one_of_three_forms() {
        assert_eq!(after(&[("retry-after", "7")]), Some(7));
        assert_eq!(after(&[("retry-after", " 0 ")]), Some(0));
        for date in ["Wed, 25 Feb 2026 00:00:00 GMT", "Wednesday, 25-Feb-26 00:00:00 GMT", "Wed Feb 25 00:00:00 2026"] {
            assert_eq!(after(&[("retry-after", date)]), Some(60), "{date}");
        }
        assert_eq!(after(&[("retry-after", "Tue, 24 Feb 2026 00:00:00 GMT")]), Some(0), "it is past");
        for nothing in ["", "soon", "-1", "1.5", "1e3", "Wed, 99 Feb 2026 00:00:00 GMT"] {
            assert_eq!(after(&[("retry-after", nothing)]), None, "{nothing}");
        }
        for far in ["1000000000000", "18446744073709551615", "99999999999999999999999999"] {
            assert_eq!(after(&[("retry-after", far)]), Some(FURTHEST.as_secs()), "{far}");
        }
    }

    #[test]
    fn a_date_counts_from_the_services_own_time() {
        let theirs = ("date", "Tue, 24 Feb 2026 23:00:00 GMT");
        assert_eq!(after(&[theirs, ("retry-after", "Tue, 24 Feb 2026 23:00:05 GMT")]), Some(5));
        let reset = 1_771_974_000 + 30;
        let legacy = [theirs, ("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", &reset.to_string())];
        assert_eq!(limits(&legacy), [("x-ratelimit".to_owned(), 1, 30)]);
    }

    #[test]
    fn each_way_to_write_a_limit_is_understood() {
        let one = |headers: &[(&'static str, &str)], name: &str, remaining, reset| {
            assert_eq!(limits(headers), [(name.to_owned(), remaining, reset)], "{headers:?}");
        };
        one(&[("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "1771977600")], "x-ratelimit", 12, 60);
        one(&[("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "60")], "x-ratelimit", 12, 60);
        one(&[("ratelimit-remaining", "3"), ("ratelimit-reset", "20")], "ratelimit", 3, 20);
        one(&[("ratelimit", "\"daily\";r=50;t=30")], "daily", 50, 30);
        one(&[("ratelimit", "limit=100, remaining=50, reset=30")], "ratelimit", 50, 30);
        assert_eq!(
            limits(&[
                ("ratelimit", "\"daily\";r=50;t=3600, \"minute\"; t=30; r=0"),
                ("ratelimit", "\"x\";r=1;t=2;pk=:a:")
            ]),
            [("daily".to_owned(), 50, 3600), ("minute".to_owned(), 0, 30), ("x".to_owned(), 1, 2)]
        );
        for (name, value) in [
            ("x-ratelimit-remaining", "12"),
            ("ratelimit", "\"daily\";r=50"),
            ("ratelimit", "\"daily\";r=-1;t=5"),
            ("ratelimit", "remaining=, reset="),
            ("ratelimit", ""),
        ] {
            assert_eq!(limits(&[(name, value)]), [], "{name}: {value}");
        }
        let nobody = [("x-ratelimit-limit", "0"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "60")];
        assert_eq!(limits(&nobody), []);
    }

    #[test]
    fn a_refusal_without_retry_after_lasts_as_long_as_its_used_up_limits() {
        assert_eq!(read(&[]).limited(), None);
        assert_eq!(read(&[("ratelimit", "\"a\";r=1;t=30")]).limited(), None);
        let both = [("ratelimit", "\"a\";r=0;t=30, \"b\";r=0;t=50, \"c\";r=1;t=90")];
        assert_eq!(read(&both).limited(), Some(Duration::from_secs(50)));
        assert_eq!(read(&[both[0], ("retry-after", "2")]).limited(), Some(Duration::from_secs(2)));
    }

    proptest! {
        #[test]
        fn no_header_panics(name in "(x-)?ratelimit(-remaining|-reset)?|retry-after|date", value in "[ -~]{0,40}") {
            let name: HeaderName = name.parse().unwrap();
            let map = HeaderMap::from_iter([(name, HeaderValue::from_str(&value).unwrap())]);
            Told::read(&map, Timestamp::MAX).limited();
            Told::read(&map, Timestamp::MIN).limited();
        }
    }
}
