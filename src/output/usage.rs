//! How usage looks: as JSON, as lines and bars for people, and as text for Prometheus.

use std::fmt::Write as _;
use std::io;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::key::fields;
use super::prometheus::{Metric, Sample};
use crate::model::quota::Quota;
use crate::model::usage::{Tally, UsageReport};
use crate::terminal::{Style, Terminal};
use crate::text;

/// How many endpoints and keys people are shown; programs get all.
const SHOWN: usize = 10;

/// For programs. Fields are only ever added.
pub(crate) fn json(report: &UsageReport, now: Timestamp) -> Value {
    let quota = |quota: &Quota| json!({ "limit": quota.limit, "remaining": quota.remaining, "resets_at": text::utc(quota.resets_at) });
    let pace = report.per_day.pace(now);
    json!({
        "plan": report.plan,
        "per_day": quota(&report.per_day),
        "per_minute": report.per_minute.as_ref().map(quota),
        "calls_per_hour": (pace.per_hour * 10.0).round() / 10.0,
        "used_up_at": pace.used_up_at.map(text::utc),
        "today": tally(report.today),
        "last_used_at": report.last_used_at.map(text::utc),
        "days": report.days.iter().map(|(day, of)| with(tally(*of), "day", json!(day))).collect::<Vec<_>>(),
        "endpoints":
            report.endpoints.iter().map(|(name, of)| with(tally(*of), "endpoint", json!(name))).collect::<Vec<_>>(),
        "keys": report
            .keys
            .iter()
            .map(|key| with(with(tally(key.tally), "name", json!(key.name)), "id", json!(key.id)))
            .collect::<Vec<_>>(),
        "note": report.note,
    })
}

fn tally(tally: Tally) -> Value {
    json!({ "calls": tally.calls, "errors": tally.errors, "error_rate": tally.error_rate() })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// For people. `of` names what was used: the workspace, or a key.
pub(crate) fn detail(report: &UsageReport, of: &str, now: Timestamp, terminal: &mut Terminal) -> io::Result<()> {
    let pace = report.per_day.pace(now);
    let lasts = match pace.used_up_at {
        _ if report.per_day.remaining == 0 => "nothing is left".to_owned(),
        None => "lasts until the reset".to_owned(),
        Some(end) => format!("used up at {}, {}", clock(end), text::relative(end, now)),
    };
    let errors = match report.today.calls {
        0 => "no calls today".to_owned(),
        calls => format!("{} of {calls} calls today ({:.1} %)", report.today.errors, report.today.error_rate() * 100.0),
    };
    let low = report.per_day.remaining * 10 < report.per_day.limit;
    let mut quotas = left(std::iter::once(&report.per_day).chain(&report.per_minute), now, terminal).into_iter();
    let (today, minute) = (quotas.next(), quotas.next());
    let lines = [
        ("Usage", Some(of.to_owned()), Some(Style::Strong)),
        ("Plan", Some(report.plan.clone()), None),
        ("Today", today, low.then_some(Style::Warning)),
        ("Minute", minute, None),
        ("Pace", Some(format!("{:.0} calls an hour: {lasts}", pace.per_hour)), None),
        ("Errors", counts_calls(report).then_some(errors), None),
        ("Last used", Some(report.last_used_at.map_or_else(|| "never".to_owned(), |at| text::relative(at, now))), None),
        ("Note", report.note.clone(), Some(Style::Dim)),
    ];
    fields(terminal, &lines)?;
    chart(report, terminal)?;
    let endpoints = ranked(report.endpoints.iter().map(|(name, of)| (name.as_str(), *of)));
    let keys = ranked(report.keys.iter().map(|key| (key.name.as_deref().unwrap_or(&key.id), key.tally)));
    // One width for both, so that their numbers stand below each other.
    let room = terminal.width().saturating_sub(20).max(8);
    let widest = endpoints.iter().chain(&keys).map(|(name, _)| text::width(name)).max().unwrap_or(0).clamp(8, room);
    let are_calls = counts_calls(report);
    let of = if are_calls { "ENDPOINT" } else { "ACTION" };
    ranking(of, are_calls, &endpoints, report.endpoints.len(), widest, terminal)?;
    ranking("KEY", are_calls, &keys, report.keys.len(), widest, terminal)
}

/// Whether it is calls that were counted, and not what an audit log keeps, where nothing fails.
fn counts_calls(report: &UsageReport) -> bool {
    report.note.is_none()
}

/// `██████░░░░  847 of 1000 left, resets in 3 h 12 min (00:00 UTC)`, without the bars where there is little room. They are
/// of one length, so that one can be held against the other.
fn left<'a>(quotas: impl Iterator<Item = &'a Quota> + Clone, now: Timestamp, terminal: &Terminal) -> Vec<String> {
    let words = quotas.clone().map(|Quota { limit, remaining, resets_at }| {
        format!("{remaining} of {limit} left, resets in {} ({})", span(now, *resets_at), clock(*resets_at))
    });
    let words: Vec<String> = words.collect();
    let longest = words.iter().map(|words| text::width(words)).max().unwrap_or(0);
    let room = terminal.width().saturating_sub(longest + 14).min(20);
    if room < 5 {
        return words;
    }
    let (full, empty) = if terminal.shows_unicode() { ("█", "░") } else { ("#", "-") };
    let bar = |quota: &Quota| {
        let whole = usize::try_from(quota.limit).unwrap_or(0).max(1);
        let part = usize::try_from(quota.remaining).unwrap_or(0).min(whole);
        let filled = part.saturating_mul(room).div_ceil(whole);
        format!("{}{}", full.repeat(filled), empty.repeat(room - filled))
    };
    quotas.zip(words).map(|(quota, words)| format!("{}  {words}", bar(quota))).collect()
}

/// `3 h 12 min`
fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn clock(instant: Timestamp) -> String {
    instant.to_zoned(jiff::tz::TimeZone::UTC).strftime("%H:%M UTC").to_string()
}

/// A column for each day, the height of its calls.
fn chart(report: &UsageReport, terminal: &mut Terminal) -> io::Result<()> {
    const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    const PLAIN: [&str; 9] = [" ", ".", ".", ":", ":", "|", "|", "#", "#"];
    let width = terminal.width().max(10);
    let days = &report.days[report.days.len().saturating_sub(width)..];
    let Some((busiest, most)) = days.iter().max_by_key(|(_, of)| of.calls).filter(|(_, of)| of.calls > 0) else {
        return Ok(());
    };
    let bars = if terminal.shows_unicode() { BARS } else { PLAIN };
    let mut line = String::new();
    for (_, of) in days {
        // Every day with a call is seen.
        let height = if of.calls == 0 { 0 } else { 1 + of.calls.saturating_mul(7) / most.calls.max(1) };
        line.push_str(bars.get(usize::try_from(height).unwrap_or(0)).copied().unwrap_or(" "));
    }
    let what = if counts_calls(report) { "Calls" } else { "Changes" };
    let title = format!("{what} a day, {} days, {} at most ({busiest})", days.len(), most.calls);
    let room = if terminal.is_on_screen() { width } else { usize::MAX };
    let title = terminal.paint(Style::Dim, &text::wrapped(&title, room).join("\n"));
    writeln!(terminal.out(), "\n{title}\n{line}")
}

/// The first of them, as people see their names.
fn ranked<'a>(of: impl Iterator<Item = (&'a str, Tally)>) -> Vec<(String, Tally)> {
    of.take(SHOWN).map(|(name, of)| (text::escape(name).into_owned(), of)).collect()
}

fn ranking(
    title: &str,
    are_calls: bool,
    rows: &[(String, Tally)],
    total: usize,
    widest: usize,
    terminal: &mut Terminal,
) -> io::Result<()> {
    if total == 0 {
        return Ok(());
    }
    let mut lines = String::new();
    for (name, of) in rows {
        let name = text::shorten(name, widest);
        let padding = widest.saturating_sub(text::width(&name));
        write!(lines, "{name}{}  {:>8}", " ".repeat(padding), of.calls).ok();
        if are_calls {
            write!(lines, "  {:>7.1}", of.error_rate() * 100.0).ok();
        }
        lines.push('\n');
    }
    let (counted, errors) = if are_calls { ("CALLS", "  ERRORS%") } else { ("CHANGES", "") };
    let header = terminal.paint(Style::Dim, &format!("{title:<widest$}  {counted:>8}{errors}"));
    write!(terminal.out(), "\n{header}\n{lines}")?;
    match total.saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(terminal.out(), "and {more} more (--json shows all)"),
    }
}

/// For Prometheus. `labels` say which service it is of.
pub(crate) fn metrics(report: &UsageReport, labels: &[(&'static str, String)]) -> Vec<Metric> {
    let periods: Vec<(&str, &Quota)> = [("day", Some(&report.per_day)), ("minute", report.per_minute.as_ref())]
        .into_iter()
        .filter_map(|(period, quota)| Some((period, quota?)))
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "samples are floating point, and calls are few")]
    let of = |value: &dyn Fn(&Quota) -> i64| -> Vec<Sample> {
        let sample = |(period, quota): (&str, &Quota)| {
            Sample::new(labels, &[("period", period.to_owned())], value(quota) as f64)
        };
        periods.iter().copied().map(sample).collect()
    };
    #[expect(clippy::cast_precision_loss, reason = "samples are floating point, and calls are few")]
    let of_keys = |value: fn(Tally) -> i64| -> Vec<Sample> {
        // A metric is read without the note that says what it is not.
        let counted = if counts_calls(report) { &report.keys[..] } else { &[] };
        counted
            .iter()
            .map(|key| {
                let name = key.name.clone().unwrap_or_default();
                Sample::new(labels, &[("key_id", key.id.clone()), ("key", name)], value(key.tally) as f64)
            })
            .collect()
    };
    vec![
        Metric::gauge("keys_quota_limit_calls", "Calls that may be made in the period", of(&|quota| quota.limit)),
        Metric::gauge("keys_quota_remaining_calls", "Calls left in the period", of(&|quota| quota.remaining)),
        Metric::gauge(
            "keys_quota_reset_timestamp_seconds",
            "When the period ends, in seconds since 1970",
            of(&|quota| quota.resets_at.as_second()),
        ),
        Metric::gauge("keys_key_calls", "Calls of the key over the days asked for", of_keys(|of| of.calls)),
        Metric::gauge(
            "keys_key_errors",
            "Calls of the key that failed, over the days asked for",
            of_keys(|of| of.errors),
        ),
    ]
}

#[cfg(test)]
#[expect(clippy::needless_raw_string_hashes, reason = "golden texts are written by `SNAPSHOTS=overwrite`, with hashes")]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::model::usage::KeyUsage;
    use crate::output::prometheus;
    use crate::terminal::tests::Captured;

    /// At noon, with 95 % of the day used up.
    fn report(now: Timestamp) -> UsageReport {
        let of = |calls, errors| Tally { calls, errors };
        let in_hours = |hours: i64| Timestamp::from_second(now.as_second() + hours * 3600).unwrap();
        let key =
            |id: &str, name: Option<&str>, tally| KeyUsage { id: id.to_owned(), name: name.map(str::to_owned), tally };
        UsageReport {
            note: None,
            plan: "pro".to_owned(),
            per_day: Quota { limit: 1000, remaining: 50, resets_at: in_hours(12) },
            per_minute: Some(Quota {
                limit: 50,
                remaining: 38,
                resets_at: Timestamp::from_second(now.as_second() + 42).unwrap(),
            }),
            today: of(950, 19),
            days: (1..=30)
                .map(|day| (format!("2026-11-{day:02}"), of((day * 7919) % 613 * i64::from(day % 6 > 0), 0)))
                .collect(),
            endpoints: vec![
                ("GET /v1/contacts".to_owned(), of(9746, 80)),
                ("POST /v1/lexi/tasks/:id/approve".to_owned(), of(36, 36)),
            ],
            keys: vec![
                key(
                    "key_1",
                    Some("a rather long name of a key that somebody chose in the night ключ 🔑"),
                    of(9141, 91),
                ),
                key("key_2", Some("ci"), of(641, 25)),
                key("key_0000000000ab", None, of(1, 0)),
            ],
            last_used_at: Some(now),
        }
    }

    fn shown((mut terminal, captured): (Terminal, Captured)) -> String {
        let now = Timestamp::from_second(1_795_176_000).unwrap();
        detail(&report(now), "keys.example.com", now, &mut terminal).unwrap();
        terminal.flush().unwrap();
        let shown = captured.stdout();
        let widest = shown.lines().map(text::width).max().unwrap();
        assert!(widest <= terminal.width(), "{widest} of {}", terminal.width());
        shown
    }

    #[test]
    fn a_day_that_is_nearly_used_up_on_a_wide_screen() {
        assert_data_eq!(
            shown(Terminal::test_unicode_screen(120)),
            str![[r#"
Usage      keys.example.com
Plan       pro
Today      █░░░░░░░░░░░░░░░░░░░  50 of 1000 left, resets in 12 h 0 min (00:00 UTC)
Minute     ████████████████░░░░  38 of 50 left, resets in 42 s (12:00 UTC)
Pace       79 calls an hour: used up at 12:37 UTC, in 37 minutes
Errors     19 of 950 calls today (2.0 %)
Last used  just now

Calls a day, 30 days, 589 at most (2026-11-25)
▇▇▆▅▅ ▄▃▂▂▁ ▇▇▆▆▅ ▄▃▃▂▁ █▇▆▆▅ 

ENDPOINT                                                                 CALLS  ERRORS%
GET /v1/contacts                                                          9746      0.8
POST /v1/lexi/tasks/:id/approve                                             36    100.0

KEY                                                                      CALLS  ERRORS%
a rather long name of a key that somebody chose in the night ключ 🔑      9141      1.0
ci                                                                         641      3.9
key_0000000000ab                                                             1      0.0

"#]]
        );
        assert_data_eq!(
            shown(Terminal::test_unicode_screen(80)),
            str![[r#"
Usage      keys.example.com
Plan       pro
Today      █░░░░░░░░░░░░░░░░  50 of 1000 left, resets in 12 h 0 min (00:00 UTC)
Minute     █████████████░░░░  38 of 50 left, resets in 42 s (12:00 UTC)
Pace       79 calls an hour: used up at 12:37 UTC, in 37 minutes
Errors     19 of 950 calls today (2.0 %)
Last used  just now

Calls a day, 30 days, 589 at most (2026-11-25)
▇▇▆▅▅ ▄▃▂▂▁ ▇▇▆▆▅ ▄▃▃▂▁ █▇▆▆▅ 

ENDPOINT                                                         CALLS  ERRORS%
GET /v1/contacts                                                  9746      0.8
POST /v1/lexi/tasks/:id/approve                                     36    100.0

KEY                                                              CALLS  ERRORS%
a rather long name of a key that somebody chose in the nigh…      9141      1.0
ci                                                                 641      3.9
key_0000000000ab                                                     1      0.0

"#]]
        );
    }

    #[test]
    fn what_an_audit_log_keeps_is_exported_as_no_calls() {
        let now = Timestamp::UNIX_EPOCH;
        let of_calls = prometheus::text(&metrics(&report(now), &[]));
        assert!(of_calls.contains("keys_key_calls{key_id=\"key_2\",key=\"ci\"} 641\n"), "{of_calls}");
        assert!(of_calls.contains("keys_key_errors{key_id=\"key_2\",key=\"ci\"} 25\n"), "{of_calls}");
        let of_changes = UsageReport { note: Some("these are changes".to_owned()), ..report(now) };
        let of_changes = prometheus::text(&metrics(&of_changes, &[]));
        assert!(of_changes.contains("keys_quota_remaining_calls{"), "{of_changes}");
        assert!(!of_changes.contains("keys_key_"), "{of_changes}");
    }

    #[test]
    fn and_on_a_narrow_one() {
        assert_data_eq!(
            shown(Terminal::test_unicode_screen(40)),
            str![[r#"
Usage      keys.example.com
Plan       pro
Today      50 of 1000 left, resets in 12
           h 0 min (00:00 UTC)
Minute     38 of 50 left, resets in 42 s
           (12:00 UTC)
Pace       79 calls an hour: used up at
           12:37 UTC, in 37 minutes
Errors     19 of 950 calls today (2.0 %)
Last used  just now

Calls a day, 30 days, 589 at most
(2026-11-25)
▇▇▆▅▅ ▄▃▂▂▁ ▇▇▆▆▅ ▄▃▃▂▁ █▇▆▆▅ 

ENDPOINT                 CALLS  ERRORS%
GET /v1/contacts          9746      0.8
POST /v1/lexi/tasks…        36    100.0

KEY                      CALLS  ERRORS%
a rather long name…       9141      1.0
ci                         641      3.9
key_0000000000ab             1      0.0

"#]]
        );
    }

    #[test]
    fn a_screen_that_shows_ascii_alone() {
        assert_data_eq!(
            shown(Terminal::test_screen(80)),
            str![[r#"
Usage      keys.example.com
Plan       pro
Today      #----------------  50 of 1000 left, resets in 12 h 0 min (00:00 UTC)
Minute     #############----  38 of 50 left, resets in 42 s (12:00 UTC)
Pace       79 calls an hour: used up at 12:37 UTC, in 37 minutes
Errors     19 of 950 calls today (2.0 %)
Last used  just now

Calls a day, 30 days, 589 at most (2026-11-25)
##||| ::... ##||| :::.. ##||| 

ENDPOINT                                                         CALLS  ERRORS%
GET /v1/contacts                                                  9746      0.8
POST /v1/lexi/tasks/:id/approve                                     36    100.0

KEY                                                              CALLS  ERRORS%
a rather long name of a key that somebody chose in the nigh…      9141      1.0
ci                                                                 641      3.9
key_0000000000ab                                                     1      0.0

"#]]
        );
    }
}
