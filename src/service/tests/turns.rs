//! Changes that come together: each is as if it had come alone.

use futures_util::future::join_all;

use super::audit::assert_chain;
use super::*;
use crate::testing::on_each_database;

#[test]
fn many_at_once_are_made_or_refused_each_for_itself() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        // Every third asks for a name that another one takes.
        let name = |number: usize| format!("key {}", number - number % 3 / 2);
        let news: Vec<NewKey> = (0..60).map(|number| new_key(&name(number), &["read"])).collect();
        let made = join_all(news.iter().map(|new| bench.create(&admin, new, START))).await;
        let refused = made.iter().filter_map(|made| made.as_ref().err());
        assert!(refused.clone().all(|refusal| code(refusal) == "duplicate_name"));
        assert_eq!(refused.count(), 20);
        for made in made.iter().flatten() {
            assert_eq!(bench.caller(&made.plain, START).await.actor().0, made.id);
        }
        assert_eq!(database.count("api_keys").await, 41);
        assert_eq!(database.count("audit_entries").await, 41);
        assert_chain(database, &admin.workspace().id).await;
    });
}

#[test]
fn who_is_refused_hears_of_it_once_that_lasts() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        for round in 0..20 {
            let (mine, theirs) = (format!("key {round}"), format!("other {round}"));
            let new = new_key(&mine, &["read"]);
            let other = bench.create(&admin, &new_key(&theirs, &["read"]), START).await.unwrap();
            let seen = async |name: &str| database.count(&format!("api_keys WHERE name = '{name}'")).await;
            // What is told is so by then, whichever came first.
            let create = async || (bench.create(&admin, &new, START).await.err(), seen(&mine).await);
            let delete = async || (bench.delete(&admin, &other.id, START).await.err(), seen(&theirs).await);
            let outcomes: [(Option<Refusal>, i64); 4] = tokio::join!(create(), create(), delete(), delete()).into();
            let code =
                |(refusal, count): (Option<Refusal>, i64)| (refusal.as_ref().map_or("done".to_owned(), code), count);
            let mut told = outcomes.map(code);
            told.sort();
            let expected = [("done", 0), ("done", 1), ("duplicate_name", 1), ("not_found", 0)];
            assert_eq!(told, expected.map(|(code, count)| (code.to_owned(), count)));
        }
    });
}

#[test]
fn who_gives_up_takes_nobody_along() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        for round in 0..20 {
            let news: Vec<NewKey> = (0..12).map(|number| new_key(&format!("{round} {number}"), &["read"])).collect();
            // Every other one has time for a few steps only, each for more of them.
            let patience = |number: usize| if number.is_multiple_of(2) { usize::MAX } else { number * (round + 1) * 8 };
            let made = join_all(news.iter().enumerate().map(async |(number, new)| {
                tokio::select! {
                    biased;
                    made = bench.create(&admin, new, START) => Some(made.unwrap()),
                    () = steps(patience(number)) => None,
                }
            }))
            .await;
            assert!(made.iter().step_by(2).all(Option::is_some));
            for made in made.iter().flatten() {
                bench.caller(&made.plain, START).await;
            }
            // Nobody holds the way.
            bench.create(&admin, &new_key(&format!("{round} at last"), &["read"]), START).await.unwrap();
        }
        assert_eq!(database.count("api_keys").await, database.count("audit_entries").await);
        assert_chain(database, &admin.workspace().id).await;
    });
}
