//! The pages of an audit log, in order, as far as they are of what is asked for.

use jiff::Timestamp;

use super::dialect::Logged;
use super::rounds::Rounds;
use super::{AUDIT, Client, unreadable};
use crate::http::HttpError;
use crate::model::audit::{AuditEntry, AuditFilter};
use crate::providers::Ability;

/// The pages of an audit log, newest first.
pub(crate) struct LogPages<'a> {
    client: &'a Client,
    filter: &'a AuditFilter,
    /// The next to be given.
    page: u32,
    rounds: Rounds<String>,
    /// How many entries were on the pages so far.
    given: u64,
    ended: bool,
}

impl<'a> LogPages<'a> {
    pub(super) fn new(client: &'a Client, filter: &'a AuditFilter) -> Self {
        Self { client, filter, page: 1, rounds: Rounds::default(), given: 0, ended: false }
    }

    /// The next page; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<AuditEntry>>, HttpError> {
        if self.ended {
            return Ok(None);
        }
        let Self { client, filter, page, .. } = *self;
        let request = client.offered(client.dialect.audit(filter, page), Ability::Audit, &AUDIT)?;
        let answer = client.send(&request, &AUDIT).await?;
        let Logged { mut entries, extent } = client.dialect.logged(&answer.body).map_err(unreadable)?;
        if self.rounds.comes_again(entries.first().map(|entry| entry.id.clone())) {
            self.ended = true;
            if extent.is_none_or(|extent| extent.total <= self.given) {
                return Ok(None);
            }
            return Err(unreadable("its pages repeat"));
        }
        self.given += entries.len() as u64;
        let mut more = !entries.is_empty()
            && extent.is_none_or(|extent| u64::from(page) * u64::from(extent.per_page.max(1)) < extent.total);
        // Not every provider narrows by all of this.
        if let Some(known) = filter.after.as_ref().and_then(|after| entries.iter().position(|entry| entry.id == *after))
        {
            entries.truncate(known);
            more = false;
        }
        // In the whole seconds that some tell.
        let second = |instant: Timestamp| instant.as_second();
        if let Some(from) = filter.from.map(second) {
            more &= entries.last().is_none_or(|oldest| second(oldest.at) >= from);
            entries.retain(|entry| second(entry.at) >= from);
        }
        if let Some(to) = filter.to.map(second) {
            entries.retain(|entry| second(entry.at) <= to);
        }
        if let Some(resource) = &filter.resource {
            entries.retain(|entry| entry.resource_id == *resource);
        }
        self.page += 1;
        self.ended = !more;
        Ok(Some(entries))
    }
}
