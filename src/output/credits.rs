//! How credits look: as JSON, as lines for people, and as text for Prometheus.

use std::io;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::key::fields;
use super::prometheus::{Metric, Sample};
use crate::model::credits::{CreditKind, Credits, Grant};
use crate::terminal::{Style, Terminal};
use crate::text;

/// For programs. Fields are only ever added. `days_left` is what the balance lasts at the present rate, where that is known.
pub(crate) fn json(credits: &Credits, days_left: Option<f64>, now: Timestamp) -> Value {
    let spendable: Vec<Value> = spendable(credits, now).map(grant).collect();
    let mut json = json!({
        "balance": credits.balance,
        "monthly": credits.monthly,
        "next_grant_at": credits.next_grant_at.map(text::utc),
        "days_left": days_left.map(|days| (days * 10.0).round() / 10.0),
        "grants": spendable,
    });
    for kind in CreditKind::ALL {
        json[kind.as_str()] = json!(credits.of_kind(kind, now));
    }
    json
}

fn grant(grant: &Grant) -> Value {
    json!({
        "id": grant.id,
        "kind": grant.kind,
        "amount": grant.amount,
        "remaining": grant.remaining,
        "note": grant.note,
        "granted_at": text::utc(grant.granted_at),
        "expires_at": grant.expires_at.map(text::utc),
    })
}

fn spendable(credits: &Credits, now: Timestamp) -> impl Iterator<Item = &Grant> {
    credits.grants.iter().filter(move |grant| grant.is_spendable(now))
}

/// For people.
pub(crate) fn detail(
    credits: &Credits,
    days_left: Option<f64>,
    now: Timestamp,
    terminal: &mut Terminal,
) -> io::Result<()> {
    let parts: Vec<String> = CreditKind::ALL
        .into_iter()
        .filter_map(|kind| credits.of_kind(kind, now).map(|left| (kind, left)))
        .filter(|(_, left)| *left > 0)
        .map(|(kind, left)| format!("{left} {}", kind.as_str()))
        .collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let lasts = days_left.map(|days| match days {
        days if days >= 365.0 => "more than a year at the present rate".to_owned(),
        days if days < 1.0 => "less than a day at the present rate".to_owned(),
        days if days < 2.0 => "a day at the present rate".to_owned(),
        days => format!("{:.0} days at the present rate", days.floor()),
    });
    let style = if credits.balance == 0 { Style::Bad } else { Style::Strong };
    let next = credits.monthly.filter(|monthly| *monthly > 0).zip(credits.next_grant_at);
    let next = next.map(|(monthly, at)| format!("{monthly} more {}", text::relative(at, now)));
    fields(
        terminal,
        &[
            ("Balance", Some(format!("{}{parts}", credits.balance)), Some(style)),
            ("Lasts", lasts, None),
            ("Next", next, None),
        ],
    )?;
    let expiring: Vec<&Grant> = spendable(credits, now).filter(|grant| grant.expires_at.is_some()).collect();
    for grant in expiring {
        let end = grant.expires_at.map(|end| text::utc_and_relative(end, now)).unwrap_or_default();
        let note = grant.note.as_deref().map(|note| format!(" ({})", text::escape(note))).unwrap_or_default();
        writeln!(terminal.out(), "{} {}{note} expire {end}", grant.remaining, grant.kind.as_str())?;
    }
    Ok(())
}

/// For Prometheus. `labels` say which service it is of.
#[expect(clippy::cast_precision_loss, reason = "samples are floating point, and credits are few")]
pub(crate) fn metrics(credits: &Credits, labels: &[(&'static str, String)], now: Timestamp) -> Vec<Metric> {
    let of_kind = |kind: CreditKind| {
        let left = credits.of_kind(kind, now)?;
        Some(Sample::new(labels, &[("kind", kind.as_str().to_owned())], left as f64))
    };
    let mut by_kind: Vec<Sample> = CreditKind::ALL.into_iter().filter_map(of_kind).collect();
    if by_kind.is_empty() {
        by_kind.push(Sample::new(labels, &[], credits.balance as f64));
    }
    let expiring = spendable(credits, now).filter_map(|grant| {
        let end = grant.expires_at?;
        let own = [("grant", grant.id.clone()), ("expires_at", text::utc(end))];
        Some(Sample::new(labels, &own, grant.remaining as f64))
    });
    vec![
        Metric::gauge("keys_credits_balance", "Credits that can be spent", by_kind),
        Metric::gauge("keys_credits_expiring", "Credits that are lost when they expire", expiring.collect()),
    ]
}
