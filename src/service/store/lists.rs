//! Pages of the table of keys: filtered, searched, in an order, and what a selector may mean.

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Row};

use super::keys::{columns, is_unstorable, read};
use super::{Store, StoreError, like, micros};
use crate::model::filter::{Sort, SortField};
use crate::model::key::Key;
use crate::model::state::State;

/// One page of a list.
#[derive(Debug, Clone)]
pub(crate) struct KeyQuery {
    pub(crate) state: Option<State>,
    /// Whether revoked keys are left out.
    pub(crate) hides_revoked: bool,
    /// Part of the name or the description.
    pub(crate) search: Option<String>,
    /// Narrows the list to keys that this may mean: a superset of what `model::selector` picks.
    pub(crate) selector: Option<String>,
    pub(crate) sort: Sort,
    /// From 1.
    pub(crate) page: u32,
    pub(crate) per_page: u32,
}

/// The condition of a list: $1 workspace, $2 state, `unrevoked` or '', $3 now, $4 search pattern or ''.
const LISTED: &str = "workspace_id = $1 \
     AND ($2 = '' \
       OR ($2 = 'revoked' AND revoked_at IS NOT NULL) \
       OR ($2 = 'unrevoked' AND revoked_at IS NULL) \
       OR ($2 = 'expired' AND revoked_at IS NULL AND expires_at <= $3) \
       OR ($2 = 'active' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3))) \
     AND ($4 = '' OR folded LIKE $4 ESCAPE '!')";

/// More of it, where a selector is given: that is $5. SQLite finds by its indexes, which are in the order of the characters,
/// the name, those with the date of a rotation, and what begins with it: $6 is the end of that.
const SELECTED_SQLITE: &str = " AND id IN \
     (SELECT id FROM api_keys WHERE workspace_id = $1 AND name = $5 \
      UNION SELECT id FROM api_keys WHERE workspace_id = $1 AND name >= $5 || ' @' AND name < $5 || ' A' \
      UNION SELECT id FROM api_keys WHERE workspace_id = $1 AND prefix >= $5 AND prefix < $6 \
      UNION SELECT id FROM api_keys WHERE id >= $5 AND id < $6)";

/// PostgreSQL's are in the order of its language, and the pattern $6 finds it.
const SELECTED_POSTGRES: &str =
    " AND (name = $5 OR name LIKE $6 ESCAPE '!' OR prefix LIKE $6 ESCAPE '!' OR id LIKE $6 ESCAPE '!')";

impl Store {
    /// One page of a workspace's keys, and how many there are on all pages.
    pub(crate) async fn list_keys(
        &self,
        workspace: &str,
        query: &KeyQuery,
        now: Timestamp,
    ) -> Result<(Vec<Key>, i64), StoreError> {
        if [&query.search, &query.selector].into_iter().flatten().any(|text| is_unstorable(text)) {
            return Ok((Vec::new(), 0));
        }
        let state = query.state.map_or(if query.hides_revoked { "unrevoked" } else { "" }, State::as_str);
        let search = query.search.as_deref().map_or(String::new(), |text| format!("%{}%", like(&text.to_lowercase())));
        let (condition, selector_end, limit) = match &query.selector {
            None => (LISTED.to_owned(), String::new(), "LIMIT $5 OFFSET $6"),
            Some(text) if self.is_postgres => {
                (format!("{LISTED}{SELECTED_POSTGRES}"), format!("{}%", like(text)), "LIMIT $7 OFFSET $8")
            }
            // The sign keeps SQLite from going through the whole workspace for the sake of the order.
            Some(text) => (format!("+{LISTED}{SELECTED_SQLITE}"), format!("{text}{}", char::MAX), "LIMIT $7 OFFSET $8"),
        };
        // Only texts of this file go into the statements; every value is bound.
        let bound = |statement: String| {
            let bound = sqlx::query(AssertSqlSafe(statement));
            let bound = bound.bind(workspace).bind(state).bind(micros(now)).bind(&search);
            match &query.selector {
                Some(selector) => bound.bind(selector).bind(&selector_end),
                None => bound,
            }
        };
        let before = i64::from(query.page.saturating_sub(1)) * i64::from(query.per_page);
        let order = order(query.sort);
        let columns = columns!();
        let rows = bound(format!("SELECT {columns} FROM api_keys WHERE {condition} ORDER BY {order} {limit}"))
            .bind(i64::from(query.per_page))
            .bind(before)
            .fetch_all(&self.pool)
            .await?;
        let found = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        // The last page says by itself how many there are.
        let total = if found < i64::from(query.per_page) && (found > 0 || before == 0) {
            before + found
        } else {
            let counted = bound(format!("SELECT COUNT(*) FROM api_keys WHERE {condition}"));
            counted.fetch_one(&self.pool).await?.try_get(0)?
        };
        let keys = rows.iter().map(|row| read(row).map(|stored| stored.key)).collect::<Result<_, _>>()?;
        Ok((keys, total))
    }
}

/// Every order ends in the id, so that pages neither repeat nor skip a key of equal rank.
const fn order(sort: Sort) -> &'static str {
    match (sort.field, sort.descending) {
        (SortField::Name, false) => "folded ASC, id ASC",
        (SortField::Name, true) => "folded DESC, id DESC",
        (SortField::Created, false) => "created_at ASC, id ASC",
        (SortField::Created, true) => "created_at DESC, id DESC",
        (SortField::LastUsed, false) => "CASE WHEN last_used_at IS NULL THEN 1 ELSE 0 END, last_used_at ASC, id ASC",
        (SortField::LastUsed, true) => "CASE WHEN last_used_at IS NULL THEN 1 ELSE 0 END, last_used_at DESC, id DESC",
        (SortField::Expires, false) => "CASE WHEN expires_at IS NULL THEN 1 ELSE 0 END, expires_at ASC, id ASC",
        (SortField::Expires, true) => "CASE WHEN expires_at IS NULL THEN 1 ELSE 0 END, expires_at DESC, id DESC",
    }
}
