//! Lists: what is shown, in which order, on which page.

use super::*;
use crate::model::filter::{Filter, SortField};
use crate::model::state::State;
use crate::testing::{at, on_each_database};

fn sorted(text: &str) -> Sort {
    Sort::parse(text).unwrap()
}

fn searched(text: &str) -> KeyQuery {
    KeyQuery { search: Some(text.to_owned()), ..everything() }
}

/// Keys with equal values, with none, and with their own, in every field that sorts.
async fn assorted(bench: &Bench<'_>, operator: &Caller) {
    for number in 0..23_i64 {
        let name = format!("key {:02}", number / 2);
        let new = match number % 4 {
            0 => new_key(&name, &["read"]),
            1 | 2 => ending(&name, &["read"], 10_000),
            _ => ending(&name, &["read"], 20_000 + number),
        };
        let key = bench.create(operator, &new, at(number / 5)).await.unwrap();
        if number % 3 != 0 {
            bench.caller(&key.plain, at(100 + number % 5)).await;
        }
        if number % 2 == 0 {
            bench.revoke(operator, &key.id, at(200)).await.unwrap();
        }
    }
}

/// Where a key stands in an order; keys without a value come last either way.
fn rank(key: &Key, sort: Sort) -> (bool, String) {
    let instant = |instant: Option<Timestamp>| {
        let value = instant.map_or(0, Timestamp::as_microsecond);
        (instant.is_none(), format!("{value:020}"))
    };
    match sort.field {
        SortField::Name => (false, key.name.clone()),
        SortField::Created => instant(key.created_at),
        SortField::LastUsed => instant(key.last_used_at),
        SortField::Expires => instant(key.expires_at),
    }
}

#[test]
fn pages_neither_repeat_nor_skip_whatever_the_order_and_their_size() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let operator = bench.operator("acme").await;
        assorted(&bench, &operator).await;
        for (field, _) in Sort::FIELDS {
            for order in [field.to_owned(), format!("-{field}")] {
                let sort = sorted(&order);
                for per_page in [1, 2, 5, 7, 23, 100] {
                    let keys = all_pages(&bench, &operator, sort, per_page).await;
                    let mut ids: Vec<_> = keys.iter().map(|key| key.id.to_string()).collect();
                    ids.sort();
                    ids.dedup();
                    assert_eq!(ids.len(), 23, "{order} by {per_page}");
                    assert_in_order(&keys, sort, &order);
                }
            }
        }
    });
}

async fn all_pages(bench: &Bench<'_>, caller: &Caller, sort: Sort, per_page: u32) -> Vec<Key> {
    let mut all = Vec::new();
    for page in 1.. {
        let query = KeyQuery { sort, page, per_page, ..everything() };
        let (keys, total) = bench.service.list_keys(caller, &query, at(300)).await.unwrap();
        assert_eq!(total, 23);
        if keys.is_empty() {
            break;
        }
        all.extend(keys);
    }
    all
}

fn assert_in_order(keys: &[Key], sort: Sort, order: &str) {
    for pair in keys.windows(2) {
        let (first, second) = (rank(&pair[0], sort), rank(&pair[1], sort));
        let follows = if first.0 != second.0 {
            second.0
        } else if sort.descending {
            first.1 >= second.1
        } else {
            first.1 <= second.1
        };
        assert!(follows, "{order}: {first:?} before {second:?}");
    }
}

#[test]
fn the_state_filter_agrees_with_the_model_at_every_instant() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let operator = bench.operator("acme").await;
        assorted(&bench, &operator).await;
        for now in [at(0), at(9_999), at(10_000), at(20_010), at(30_000)] {
            let (all, _) = bench.service.list_keys(&operator, &everything(), now).await.unwrap();
            for state in [State::Active, State::Revoked, State::Expired] {
                let query = KeyQuery { state: Some(state), ..everything() };
                let (listed, total) = bench.service.list_keys(&operator, &query, now).await.unwrap();
                let ids = |keys: &[Key]| -> Vec<String> { keys.iter().map(|key| key.id.to_string()).collect() };
                let expected: Vec<Key> = all.iter().filter(|key| key.state(now) == state).cloned().collect();
                assert_eq!(ids(&listed), ids(&expected), "{state} at {now}");
                assert_eq!(usize::try_from(total).unwrap(), expected.len());
            }
        }
    });
}

#[test]
fn a_search_takes_every_character_as_itself() {
    const ALPHABET: [&str; 8] = ["%", "_", "!", "\\", "a", "B", "'", "*"];
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let operator = bench.operator("acme").await;
        for (number, first) in ALPHABET.iter().enumerate() {
            for second in ALPHABET {
                let mut new = new_key(&format!("{first}{second}x"), &["read"]);
                if number % 2 == 0 {
                    new = new_key(&format!("plain {first} {second}"), &["read"]);
                    new.description = Some(format!("{second}{first}"));
                }
                bench.create(&operator, &new, START).await.unwrap();
            }
        }
        let (all, _) = bench.service.list_keys(&operator, &everything(), START).await.unwrap();
        assert_eq!(all.len(), 64);
        let pairs = ALPHABET.iter().flat_map(|first| ALPHABET.map(|second| format!("{first}{second}")));
        for needle in ALPHABET.map(str::to_owned).into_iter().chain(pairs) {
            let filter = Filter { search: Some(needle.clone()), ..Filter::default() };
            let mut expected: Vec<String> =
                all.iter().filter(|key| filter.fits(key, START)).map(|key| key.name.clone()).collect();
            let mut found = bench.names(&operator, &searched(&needle), START).await;
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{needle:?}");
        }
    });
}

#[test]
fn a_search_finds_a_text_that_is_not_ascii_as_it_is_written() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let operator = bench.operator("acme").await;
        bench.create(&operator, &new_key("ÉTÉ Ключ", &["read"]), START).await.unwrap();
        for needle in ["ÉTÉ", "Ключ", "ÉTÉ Ключ"] {
            let found = bench.names(&operator, &searched(needle), START).await;
            assert_eq!(found, ["ÉTÉ Ключ"], "{needle}");
        }
    });
}

#[test]
fn what_a_selector_could_mean_is_on_its_list() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let operator = bench.operator("acme").await;
        for name in ["ci", "ci @2026-11-20", "ci-%", "c%", "CI", "_", "key_"] {
            bench.create(&operator, &new_key(name, &["read"]), START).await.unwrap();
        }
        let (all, _) = bench.service.list_keys(&operator, &everything(), START).await.unwrap();
        let mut selectors: Vec<String> =
            ["ci", "c", "%", "_", "wbk_", "key_", "none", "c%", "!"].map(str::to_owned).to_vec();
        for key in &all {
            selectors.extend([key.id.to_string(), key.prefix.clone(), key.prefix[..8].to_owned()]);
        }
        for text in selectors {
            let query = KeyQuery { selector: Some(text.clone()), ..everything() };
            let listed = bench.names(&operator, &query, START).await;
            let selector: crate::model::selector::Selector = text.parse().unwrap();
            let missing = all.iter().filter(|key| selector.could_mean(key) && !listed.contains(&key.name));
            assert_eq!(missing.count(), 0, "{text}: {listed:?}");
            if ["%", "none", "!"].contains(&text.as_str()) {
                assert_eq!(listed, [""; 0], "{text}");
            }
        }
    });
}

#[test]
fn a_text_with_a_nul_finds_nothing() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let operator = bench.operator("acme").await;
        bench.create(&operator, &new_key("ci", &["read"]), START).await.unwrap();
        assert_eq!(bench.names(&operator, &searched("\0"), START).await, [""; 0]);
        let shown = bench.service.show_key(&operator, "ci\0").await;
        assert_eq!(outcome(shown), "not_found");
        let revoked = bench.revoke(&operator, "ci\0", START).await;
        assert_eq!(outcome(revoked), "not_found");
    });
}
