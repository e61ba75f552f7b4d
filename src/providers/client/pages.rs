//! The pages of a list of keys, in order.

use std::collections::HashSet;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesOrdered;

use super::dialect::{Listed, Wanted};
use super::rounds::Rounds;
use super::{Client, LIST};
use crate::http::{Answer, HttpError};
use crate::model::key::{Key, KeyId};

/// The pages of a list. After the first one, which says how many there are, some are fetched ahead. Of a provider that has
/// no order, all pages are put in order first, and given as one.
pub(crate) struct Pages<'a> {
    client: &'a Client,
    wanted: Wanted,
    /// The next to be given.
    page: u32,
    /// Those that are on their way, from that one on.
    ahead: FuturesOrdered<LocalBoxFuture<'a, Result<Answer, HttpError>>>,
    /// The last one, as far as it is known.
    last: u32,
    rounds: Rounds<KeyId>,
    /// How many keys were on the pages so far.
    given: u64,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(client: &'a Client, wanted: Wanted) -> Self {
        Self {
            client,
            wanted,
            page: 1,
            ahead: FuturesOrdered::new(),
            last: 1,
            rounds: Rounds::default(),
            given: 0,
            ended: false,
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Key>>, HttpError> {
        if self.client.dialect.sorts() {
            return self.fetch().await;
        }
        let mut all: Vec<Key> = Vec::new();
        // A list that changes while it is read may show a key on two pages.
        let mut known: HashSet<KeyId> = HashSet::new();
        let mut is_over = true;
        while let Some(page) = self.fetch().await? {
            is_over = false;
            all.extend(page.into_iter().filter(|key| known.insert(key.id.clone())));
        }
        self.wanted.sort.arrange(&mut all);
        Ok((!is_over).then_some(all))
    }

    async fn fetch(&mut self) -> Result<Option<Vec<Key>>, HttpError> {
        if self.ended {
            return Ok(None);
        }
        self.fetch_ahead();
        let Some(answer) = self.ahead.next().await else { return Ok(None) };
        let Listed { keys, extent } = {
            // Gone before the keys are made of what was read: several pages are in memory at once as it is.
            let answer = answer?;
            let listed = self.client.dialect.listed(&answer.body);
            listed.map_err(|what| HttpError::Unreadable { what, changes: false })?
        };
        if self.rounds.comes_again(keys.first().map(|key| key.id.clone())) {
            self.ended = true;
            // One that says nothing of pages may know none, and one whose list became shorter gives its last page again.
            if extent.is_none_or(|extent| extent.total <= self.given) {
                return Ok(None);
            }
            return Err(HttpError::Unreadable { what: "its pages repeat", changes: false });
        }
        self.given += keys.len() as u64;
        // Pages may be smaller than asked for, of some vendors also smaller than they say, and the total may change while
        // they are fetched; an empty page is the end whatever it says.
        let fills = self.client.dialect.fills_pages();
        self.ended = if let Some(extent) = extent {
            let size = extent.per_page.max(1);
            self.last = u32::try_from(extent.total.div_ceil(size.into())).unwrap_or(u32::MAX);
            let is_short = keys.len() < size as usize;
            let is_last = self.page >= self.last && (fills || self.given >= extent.total);
            keys.is_empty() || fills && is_short || is_last
        } else {
            self.last = self.page + 1;
            keys.is_empty() || fills && keys.len() < self.client.dialect.per_page() as usize
        };
        self.page += 1;
        Ok(Some(keys))
    }

    /// Asks for the pages from the next one on, as many as may be on their way at once and not beyond the last.
    fn fetch_ahead(&mut self) {
        let most = self.client.transport.at_once();
        let mut page = self.page.saturating_add(u32::try_from(self.ahead.len()).unwrap_or(u32::MAX));
        while self.ahead.len() < most && (page <= self.last || self.ahead.is_empty()) {
            let request = self.client.dialect.list(&self.wanted, page);
            let client = self.client;
            self.ahead.push_back(Box::pin(async move { client.send(&request, &LIST).await }));
            page += 1;
        }
    }
}
