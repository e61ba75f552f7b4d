//! Usage of a provider that has no answer for it: what is left of the day from the headers of any answer, when keys were
//! last used from their list, and what they did from the audit log.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Client, WHOAMI, unreadable};
use crate::http::HttpError;
use crate::model::audit::{AuditEntry, AuditFilter};
use crate::model::key::Key;
use crate::model::usage::{KeyUsage, Tally, UsageReport};

impl Client {
    pub(super) async fn gathered_usage(
        &self,
        key: Option<&Key>,
        days: u16,
        now: Timestamp,
    ) -> Result<UsageReport, HttpError> {
        let answer = self.send(&self.dialect.whoami(), &WHOAMI).await?;
        let whoami = self.dialect.caller(&answer.body).map_err(unreadable)?;
        let keys = match key {
            Some(key) => vec![key.clone()],
            None => self.every().await?,
        };
        let dates: Vec<String> = (0..i64::from(days.max(1))).rev().filter_map(|back| date(now, back)).collect();
        let from = dates.first().and_then(|first| format!("{first}T00:00:00Z").parse().ok());
        let entries = self.entries_since(from).await?;
        // These requests count too: what the last of them was told is what is left.
        let per_day = self.left().ok_or_else(|| unreadable("it does not say how many calls are left"))?;
        let of_these = |entry: &&AuditEntry| keys.iter().any(|key| key.id.as_str() == entry.actor);
        let mut by_day: BTreeMap<String, Tally> = dates.iter().map(|day| (day.clone(), Tally::default())).collect();
        let mut by_action: BTreeMap<String, Tally> = BTreeMap::new();
        let mut by_key: BTreeMap<String, Tally> = BTreeMap::new();
        let one = Tally { calls: 1, errors: 0 };
        for entry in entries.iter().filter(of_these) {
            by_day.entry(entry.at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()).or_default().add(one);
            by_action.entry(entry.action.clone()).or_default().add(one);
            by_key.entry(entry.actor.clone()).or_default().add(one);
        }
        let of_key = |(id, tally): (String, Tally)| {
            let name = keys.iter().find(|key| key.id.as_str() == id).map(|key| key.name.clone());
            KeyUsage { id, name, tally }
        };
        Ok(UsageReport {
            plan: whoami.plan.unwrap_or_default(),
            today: Tally { calls: (per_day.limit - per_day.remaining).max(0), errors: 0 },
            per_day,
            per_minute: None,
            days: by_day.into_iter().collect(),
            endpoints: busiest_first(by_action),
            keys: busiest_first(by_key).into_iter().map(of_key).collect(),
            last_used_at: keys.iter().filter_map(|key| key.last_used_at).max(),
            note: Some(format!(
                "{} tells how many calls are left today; days, actions and keys are what its audit log keeps of changes",
                self.rules.title
            )),
        })
    }

    async fn entries_since(&self, from: Option<Timestamp>) -> Result<Vec<AuditEntry>, HttpError> {
        let filter = AuditFilter { from, ..AuditFilter::default() };
        let mut entries = Vec::new();
        let mut log = self.audit(&filter);
        while let Some(some) = log.next().await? {
            entries.extend(some);
        }
        Ok(entries)
    }
}

/// The UTC date so many days ago.
fn date(now: Timestamp, back: i64) -> Option<String> {
    let then = now.checked_sub(SignedDuration::from_hours(24 * back)).ok()?;
    Some(then.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string())
}

fn busiest_first(tallies: BTreeMap<String, Tally>) -> Vec<(String, Tally)> {
    let mut tallies: Vec<(String, Tally)> = tallies.into_iter().collect();
    tallies.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.calls));
    tallies
}
