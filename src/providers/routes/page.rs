//! Which page of a list a request asks for.

use super::problem::Problem;

/// The last page there can be: every offset stays a number that every database takes.
const LAST_PAGE: u32 = 1_000_000;

/// A page, from 1, and how much is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) page: u32,
    pub(crate) per_page: u32,
}

impl Page {
    /// The page that is asked for: the first one, and `usual` on it, where nothing is said. Not more than `most`.
    pub(crate) fn asked(page: Option<u32>, per_page: Option<u32>, usual: u32, most: u32) -> Result<Self, Problem> {
        let (page, per_page) = (page.unwrap_or(1), per_page.unwrap_or(usual));
        if !(1..=LAST_PAGE).contains(&page) {
            return Err(Problem::invalid("page", format!("it goes from 1 to {LAST_PAGE}")));
        }
        if !(1..=most).contains(&per_page) {
            return Err(Problem::invalid("per_page", format!("it goes from 1 to {most}")));
        }
        Ok(Self { page, per_page })
    }
}

/// A number of rows, as answers tell it.
pub(crate) fn total(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}
