//! What the successor of a key is called, and which keys have a successor already.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use thiserror::Error;

use super::Naming;
use crate::model::key::Key;

/// More of them on one day are an accident.
const MOST_A_DAY: u32 = 1000;

/// The name of the successor. `taken` are names that other keys have.
pub(crate) fn successor_name(
    old: &str,
    naming: Naming,
    taken: &[String],
    longest: usize,
    now: Timestamp,
) -> Result<String, NoName> {
    if naming != Naming::Dated {
        return Ok(old.to_owned());
    }
    let dated = format!("{} @{}", undated(old), now.to_zoned(TimeZone::UTC).date());
    let counted = (2..MOST_A_DAY).map(|count| format!("{dated}.{count}"));
    let free = std::iter::once(dated.clone()).chain(counted).find(|name| !taken.contains(name));
    let name = free.ok_or(NoName::AllTaken)?;
    if name.chars().count() > longest { Err(NoName::TooLong { name, longest }) } else { Ok(name) }
}

/// There is no name for the successor.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NoName {
    #[error("all names with the date of today are taken")]
    AllTaken,
    #[error("`{name}` is longer than {longest} characters")]
    TooLong { name: String, longest: usize },
}

/// The keys of a list that have no successor: those a rotation of many is about.
pub(crate) fn current(keys: Vec<Key>, naming: Naming, all: &[Key]) -> Vec<Key> {
    let has_successor = |key: &Key| match naming {
        Naming::TakenOver => key.replaced,
        Naming::Dated => all.iter().any(|other| {
            let related = undated(&other.name) == undated(&key.name) && undated(&other.name) != other.name;
            related && other.id != key.id && other.created_at > key.created_at
        }),
        Naming::Shared => false,
    };
    keys.into_iter().filter(|key| !has_successor(key)).collect()
}

/// A name without the date of a rotation: `ci` for `ci @2026-11-20` and `ci @2026-11-20.2`.
fn undated(name: &str) -> &str {
    let Some((base, date)) = name.rsplit_once(" @") else { return name };
    let (date, count) = date.split_once('.').unwrap_or((date, "1"));
    let is_dated = date.len() == 10 && date.parse::<Date>().is_ok() && count.parse::<u32>().is_ok();
    if is_dated && !base.is_empty() { base } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::tests::key;

    fn named(old: &str, naming: Naming, taken: &[&str], longest: usize) -> Result<String, NoName> {
        let taken: Vec<String> = taken.iter().map(|name| (*name).to_owned()).collect();
        successor_name(old, naming, &taken, longest, "2026-11-20T23:59:59Z".parse().unwrap())
    }

    #[test]
    fn a_successor_keeps_the_name_or_carries_the_date() {
        assert_eq!(named("ci", Naming::TakenOver, &["ci"], 2).unwrap(), "ci");
        assert_eq!(named("ci", Naming::Shared, &["ci"], 2).unwrap(), "ci");
        assert_eq!(named("ci", Naming::Dated, &["ci"], 120).unwrap(), "ci @2026-11-20");
        assert_eq!(named("ci", Naming::Dated, &["ci @2026-11-20"], 120).unwrap(), "ci @2026-11-20.2");
        assert_eq!(
            named("ci @2026-11-20.2", Naming::Dated, &["ci @2026-11-20", "ci @2026-11-20.2"], 120).unwrap(),
            "ci @2026-11-20.3"
        );
        assert_eq!(named("ci @2025-01-01", Naming::Dated, &[], 120).unwrap(), "ci @2026-11-20");
        assert_eq!(named("ci @home", Naming::Dated, &[], 120).unwrap(), "ci @home @2026-11-20");
        assert!(matches!(named("ci", Naming::Dated, &[], 13), Err(NoName::TooLong { longest: 13, .. })));
    }

    #[test]
    fn a_key_with_a_successor_is_left_alone() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let made = |id: &str, name: &str, second| Key { created_at: at(second), ..key(id, name) };
        let ids = |keys: &[Key], naming| {
            let kept = current(keys.to_vec(), naming, keys);
            kept.into_iter().map(|key| key.id.as_str().to_owned()).collect::<Vec<_>>()
        };
        let keys =
            [made("1", "ci", 1), made("2", "ci @2026-11-20", 2), made("3", "ci @2026-11-20.2", 3), made("4", "cd", 1)];
        assert_eq!(ids(&keys, Naming::Dated), ["3", "4"]);
        let keys = [Key { replaced: true, ..made("1", "ci", 1) }, made("2", "ci", 2), made("3", "cd", 1)];
        assert_eq!(ids(&keys, Naming::TakenOver), ["2", "3"]);
        assert_eq!(ids(&keys, Naming::Shared), ["1", "2", "3"]);
    }
}
