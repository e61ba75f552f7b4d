//! Whether the pages of a list come round again: a service that ignores the page's number, or leads in a circle, would be
//! read for ever.

/// The first rows of two pages that were read: of the one before, and of one further back, which moves on each time the
/// number of pages doubles. A circle of any length comes past it, and two rows are all that is kept.
#[derive(Debug)]
pub(super) struct Rounds<T> {
    before: Option<T>,
    further_back: Option<T>,
    pages: u32,
}

impl<T> Default for Rounds<T> {
    fn default() -> Self {
        Self { before: None, further_back: None, pages: 0 }
    }
}

impl<T: Clone + PartialEq> Rounds<T> {
    /// Takes note of a page that begins with this row. Says whether it was there before.
    pub(super) fn comes_again(&mut self, first: Option<T>) -> bool {
        let again = first.is_some() && (first == self.before || first == self.further_back);
        self.pages = self.pages.saturating_add(1);
        if self.pages.is_power_of_two() {
            self.further_back.clone_from(&first);
        }
        self.before = first;
        again
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn different_pages_and_empty_ones_are_no_circle() {
        let mut rounds = Rounds::default();
        assert!((0..10_000).all(|page| !rounds.comes_again(Some(page))));
        let mut rounds = Rounds::<u32>::default();
        assert!((0..10).all(|_| !rounds.comes_again(None)));
    }

    proptest! {
        #[test]
        fn every_circle_is_noticed_before_long(straight in 0_u32..50, length in 1_u32..50) {
            let mut rounds = Rounds::default();
            let first = |page: u32| if page < straight { page } else { straight + (page - straight) % length };
            let noticed = (0..1_000).position(|page| rounds.comes_again(Some(first(page)))).unwrap();
            prop_assert!(noticed >= (straight + length) as usize, "{noticed}");
            prop_assert!(noticed <= 4 * (straight + length) as usize, "{noticed}");
        }
    }
}
