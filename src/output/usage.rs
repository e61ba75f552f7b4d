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
    let lines = [
        ("Usage", Some(of.to_owned()), Some(Style::Strong)),
        ("Plan", Some(report.plan.clone()), None),
        ("Today", Some(left(&report.per_day, now, terminal)), low.then_some(Style::Warning)),
        ("Minute", report.per_minute.as_ref().map(|minute| left(minute, now, terminal)), None),
        ("Pace", Some(format!("{:.0} calls an hour: {lasts}", pace.per_hour)), None),
        ("Errors", Some(errors), None),
        ("Last used", Some(report.last_used_at.map_or_else(|| "never".to_owned(), |at| text::relative(at, now))), None),
        ("Note", report.note.clone(), Some(Style::Dim)),
    ];
    fields(terminal, &lines)?;
    chart(report, terminal)?;
    let endpoints = report.endpoints.iter().map(|(name, of)| (name.as_str(), *of));
    ranking("ENDPOINT", endpoints, report.endpoints.len(), terminal)?;
    let keys = report.keys.iter().map(|key| (key.name.as_deref().unwrap_or(&key.id), key.tally));
    ranking("KEY", keys, report.keys.len(), terminal)
}

/// `██████░░░░  847 of 1000 left, resets in 3 h 12 min (00:00 UTC)`, without the bar where there is little room.
fn left(quota: &Quota, now: Timestamp, terminal: &Terminal) -> String {
    let Quota { limit, remaining, resets_at } = quota;
    let words = format!("{remaining} of {limit} left, resets in {} ({})", span(now, *resets_at), clock(*resets_at));
    let room = terminal.width().saturating_sub(text::width(&words) + 14).min(20);
    if room < 5 {
        return words;
    }
    let whole = usize::try_from(*limit).unwrap_or(0).max(1);
    let part = usize::try_from(*remaining).unwrap_or(0).min(whole);
    let filled = part.saturating_mul(room).div_ceil(whole);
    let (full, empty) = if terminal.shows_unicode() { ("█", "░") } else { ("#", "-") };
    format!("{}{}  {words}", full.repeat(filled), empty.repeat(room - filled))
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
    let title = format!("Calls a day, {} days, {} at most ({busiest})", days.len(), most.calls);
    let title = terminal.paint(Style::Dim, &title);
    writeln!(terminal.out(), "\n{title}\n{line}")
}

fn ranking<'a>(
    title: &str,
    of: impl Iterator<Item = (&'a str, Tally)>,
    total: usize,
    terminal: &mut Terminal,
) -> io::Result<()> {
    if total == 0 {
        return Ok(());
    }
    let rows: Vec<(String, Tally)> = of.take(SHOWN).map(|(name, of)| (text::escape(name).into_owned(), of)).collect();
    let room = terminal.width().saturating_sub(20).max(8);
    let widest = rows.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0).clamp(title.len(), room);
    let mut lines = String::new();
    for (name, of) in &rows {
        let name = text::shorten(name, widest);
        let padding = widest.saturating_sub(text::width(&name));
        writeln!(lines, "{name}{}  {:>8}  {:>7.1}", " ".repeat(padding), of.calls, of.error_rate() * 100.0).ok();
    }
    let header = terminal.paint(Style::Dim, &format!("{title:<widest$}  {:>8}  {:>7}", "CALLS", "ERRORS%"));
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
        report
            .keys
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
