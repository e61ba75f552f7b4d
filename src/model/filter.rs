//! Which keys a list shows, and in which order.

use std::cmp::Ordering;

use jiff::Timestamp;
use wildmatch::WildMatch;

use super::key::Key;
use super::lifetime::Age;
use super::state::State;

/// The keys to show. Every condition that is set must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// `None` is every state.
    pub(crate) state: Option<State>,
    /// Part of the name or the description, in any case.
    pub(crate) search: Option<String>,
    /// `ci-*`
    pub(crate) name: Option<WildMatch>,
    /// `read:*`, held by the key among others.
    pub(crate) permission: Option<WildMatch>,
    /// Not used for this long; a key never used counts from its creation.
    pub(crate) unused: Option<Age>,
    /// Created longer ago than this.
    pub(crate) older_than: Option<Age>,
    /// Ending within this long from now, and not ended yet.
    pub(crate) expiring: Option<Age>,
    /// Without an end.
    pub(crate) no_expiry: bool,
}

impl Filter {
    pub(crate) fn fits(&self, key: &Key, now: Timestamp) -> bool {
        self.state.is_none_or(|state| key.state(now) == state) && self.fits_but_for_state(key, now)
    }

    /// Whether all but the state fits: what a footer counts as hidden.
    pub(crate) fn fits_but_for_state(&self, key: &Key, now: Timestamp) -> bool {
        let search = self.search.as_ref().is_none_or(|text| contains(key, text));
        let name = self.name.as_ref().is_none_or(|pattern| pattern.matches(&key.name));
        let permission = self
            .permission
            .as_ref()
            .is_none_or(|pattern| key.permissions.iter().any(|held| pattern.matches(held.as_str())));
        let quiet_since = key.last_used_at.or(key.created_at);
        let unused = self.unused.is_none_or(|age| quiet_since.is_some_and(|last| last <= age.before(now)));
        let old = self.older_than.is_none_or(|age| key.created_at.is_some_and(|made| made <= age.before(now)));
        let expiring =
            self.expiring.is_none_or(|age| key.expires_at.is_some_and(|end| end > now && end <= age.after(now)));
        search && name && permission && unused && old && expiring && (!self.no_expiry || key.expires_at.is_none())
    }
}

fn contains(key: &Key, text: &str) -> bool {
    let text = text.to_lowercase();
    let within = |field: &str| field.to_lowercase().contains(&text);
    within(&key.name) || key.description.as_deref().is_some_and(within)
}

/// The field a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortField {
    Name,
    Created,
    LastUsed,
    Expires,
}

/// A sort order: `created`, `-created` (the other way round). Keys without the value come last either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) field: SortField,
    pub(crate) descending: bool,
}

impl Sort {
    /// The orders there are, as they are written.
    pub(crate) const FIELDS: [(&'static str, SortField); 4] = [
        ("name", SortField::Name),
        ("created", SortField::Created),
        ("last-used", SortField::LastUsed),
        ("expires", SortField::Expires),
    ];

    /// The newest first: what was made last is what people look for.
    pub(crate) const NEWEST_FIRST: Self = Self { field: SortField::Created, descending: true };

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let (_, field) = Self::FIELDS.into_iter().find(|(known, _)| *known == name)?;
        Some(Self { field, descending })
    }

    /// Puts keys in this order; of two alike, the one with the smaller id first.
    pub(crate) fn arrange(self, keys: &mut [Key]) {
        let directed = |order: Ordering| if self.descending { order.reverse() } else { order };
        let instant = |key: &Key| match self.field {
            SortField::Name => None,
            SortField::Created => key.created_at,
            SortField::LastUsed => key.last_used_at,
            SortField::Expires => key.expires_at,
        };
        keys.sort_by(|one, other| {
            let order = match (self.field, instant(one), instant(other)) {
                (SortField::Name, _, _) => directed(one.name.cmp(&other.name)),
                (_, Some(one), Some(other)) => directed(one.cmp(&other)),
                (_, one, other) => other.is_some().cmp(&one.is_some()),
            };
            order.then_with(|| one.id.as_str().cmp(other.id.as_str()))
        });
    }

    pub(crate) fn as_text(self) -> String {
        let name = Self::FIELDS.into_iter().find(|(_, field)| *field == self.field).map_or("", |(name, _)| name);
        format!("{}{name}", if self.descending { "-" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::key;
    use super::super::permission::Permission;
    use super::*;

    const DAY: i64 = 86_400;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(day * DAY).unwrap()
    }

    fn shows(filter: &Filter, key: &Key) -> bool {
        filter.fits(key, day(100))
    }

    #[test]
    fn keys_are_put_in_order_and_those_without_the_value_come_last_either_way() {
        let mut keys = [key("key_3", "b"), key("key_1", "a"), key("key_2", "c")];
        for (key, used) in keys.iter_mut().zip([None, Some(day(1)), Some(day(2))]) {
            key.last_used_at = used;
        }
        let mut ordered = |text: &str| {
            Sort::parse(text).unwrap().arrange(&mut keys);
            keys.iter().map(|key| key.name.as_str()).collect::<String>()
        };
        assert_eq!(ordered("name"), "abc");
        assert_eq!(ordered("-name"), "cba");
        assert_eq!(ordered("last-used"), "acb");
        assert_eq!(ordered("-last-used"), "cab");
        // Nobody knows when these were made.
        assert_eq!(ordered("created"), "acb");
    }

    #[test]
    fn a_key_never_used_is_unused_since_its_creation() {
        let filter = Filter { unused: Some("30d".parse().unwrap()), ..Filter::default() };
        let mut subject = key("key_1", "ci");
        assert!(!shows(&filter, &subject), "nothing is known of it");
        subject.created_at = Some(day(60));
        assert!(shows(&filter, &subject));
        subject.last_used_at = Some(day(99));
        assert!(!shows(&filter, &subject));
        subject.last_used_at = Some(day(70));
        assert!(shows(&filter, &subject), "exactly thirty days");
    }

    #[test]
    fn expiring_leaves_out_what_has_ended_and_what_never_ends() {
        let filter = Filter { expiring: Some("2w".parse().unwrap()), ..Filter::default() };
        let mut subject = key("key_1", "ci");
        assert!(!shows(&filter, &subject));
        for (end, expected) in [(100, false), (101, true), (114, true), (115, false)] {
            subject.expires_at = Some(day(end));
            assert_eq!(shows(&filter, &subject), expected, "day {end}");
        }
        assert!(!shows(&Filter { no_expiry: true, ..Filter::default() }, &subject));
    }

    #[test]
    fn patterns_and_search_look_at_names_permissions_and_descriptions() {
        let mut subject = key("key_1", "ci-deploy");
        subject.description = Some("Nightly Job".to_owned());
        subject.permissions = vec![Permission::from_server("read:contacts")];
        let by_name = |pattern| Filter { name: Some(WildMatch::new(pattern)), ..Filter::default() };
        let by_permission = |pattern| Filter { permission: Some(WildMatch::new(pattern)), ..Filter::default() };
        let by_search = |text: &str| Filter { search: Some(text.to_owned()), ..Filter::default() };
        assert!(shows(&by_name("ci-*"), &subject) && !shows(&by_name("ci"), &subject));
        assert!(shows(&by_permission("read:*"), &subject) && !shows(&by_permission("write:*"), &subject));
        assert!(
            shows(&by_search("nightly"), &subject)
                && shows(&by_search("DEPLOY"), &subject)
                && !shows(&by_search("%"), &subject)
        );
    }

    #[test]
    fn sort_orders_round_trip() {
        for (name, _) in Sort::FIELDS {
            for text in [name.to_owned(), format!("-{name}")] {
                assert_eq!(Sort::parse(&text).unwrap().as_text(), text);
            }
        }
        assert_eq!(Sort::parse("--name"), None);
        assert_eq!(Sort::parse(""), None);
    }
}
