//! Pages of a list, as a query asks for them.

use super::problem::Problem;

/// The last page there can be: every offset stays a number that every database takes.
const LAST_PAGE: u32 = 1_000_000;

/// The page and its size.
pub(super) fn page(page: Option<u32>, per_page: Option<u32>, usual: u32, largest: u32) -> Result<(u32, u32), Problem> {
    let (page, per_page) = (page.unwrap_or(1), per_page.unwrap_or(usual));
    if !(1..=LAST_PAGE).contains(&page) {
        return Err(Problem::invalid("page", format!("it goes from 1 to {LAST_PAGE}")));
    }
    if !(1..=largest).contains(&per_page) {
        return Err(Problem::invalid("per_page", format!("it goes from 1 to {largest}")));
    }
    Ok((page, per_page))
}
