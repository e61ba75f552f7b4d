//! Limits: never one call over, whoever calls from wherever, and whatever the clock does.

use std::sync::atomic::{AtomicI64, Ordering};

use super::processes::{Network, Process};
use super::*;
use crate::model::quota::Period;
use crate::service::store::Wanted;
use crate::testing::{at, on_each_database};

/// The last second of the day in which tests start, counted from [`START`].
pub(super) const LAST_OF_DAY: i64 = 35_199;

/// How many calls of a window are handed out.
async fn leased(service: &Service, caller: &Caller, period: Period) -> i64 {
    service.store.leased_calls(&caller.workspace().id, period).await.unwrap()
}

async fn leased_today(service: &Service, caller: &Caller) -> i64 {
    leased(service, caller, Period::day_of(START)).await
}

pub(super) async fn metered(bench: &Bench<'_>, admin: &Caller, name: &str, tier: Tier) -> Made {
    let new = NewKey { tier, ..new_key(name, &["read"]) };
    bench.create(admin, &new, START).await.unwrap()
}

/// Calls until so many went through in all: what others have given back is found again after a while.
async fn call_up_to(limit: usize, mut through: usize, process: &Process, plain: &str) {
    let began = Instant::now();
    while through < limit {
        assert!(began.elapsed() < Duration::from_mins(2), "only {through} of {limit}");
        through += usize::from(process.call(plain, START).await == "done");
    }
}

#[test]
fn two_processes_together_never_let_one_call_too_many_through() {
    on_each_database(async |database| {
        // By the day and by the minute, in single calls and in blocks.
        for (name, per_day, per_minute) in
            [("a", 60, PLENTY), ("b", 520, PLENTY), ("c", PLENTY, 60), ("d", PLENTY, 520)]
        {
            let bench = Bench::open(database).await;
            let (admin, _) = bench.agreed(name, agreement(per_day, per_minute, PLENTY)).await;
            let key = metered(&bench, &admin, "ci", Tier::Standard).await;
            let limit = usize::try_from(per_day.min(per_minute)).unwrap();
            let (one, other) = (Process::client(&database.database).await, Process::client(&database.database).await);
            let plains = [key.plain.clone()];
            let calls = limit / 4;
            let (left, right) =
                tokio::join!(one.storm(&plains, 4, calls, START), other.storm(&plains, 4, calls, START));
            let through = left.through[0] + right.through[0];
            assert!(through <= limit, "{through} of {limit}");
            if left.disturbed || right.disturbed {
                continue;
            }
            one.give_back(START).await;
            other.give_back(START).await;
            // What was given back is not lost either.
            call_up_to(limit, through, &one, &key.plain).await;
            assert_eq!(one.call(&key.plain, START).await, "rate_limited");
            assert_eq!(other.call(&key.plain, START).await, "rate_limited");
        }
    });
}

#[test]
fn the_tiers_share_one_count_with_a_limit_each() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(PLENTY, 30, PLENTY)).await;
        let mut plains = Vec::new();
        for tier in [Tier::Standard, Tier::High, Tier::Unmetered] {
            plains.push(metered(&bench, &admin, tier.as_str(), tier).await.plain);
        }
        let (one, other) = (Process::client(&database.database).await, Process::client(&database.database).await);
        let (left, right) = tokio::join!(one.storm(&plains, 2, 40, START), other.storm(&plains, 2, 40, START));
        let [standard, high, unmetered] = [0, 1, 2].map(|tier| left.through[tier] + right.through[tier]);
        assert!(standard <= 30, "{standard}");
        assert!(standard + high <= 60, "{standard} and {high}");
        assert!(unmetered > 0);
        if left.disturbed || right.disturbed {
            return;
        }
        one.give_back(START).await;
        other.give_back(START).await;
        call_up_to(60, standard + high, &one, &plains[1]).await;
        let said = [one.call(&plains[0], START).await, one.call(&plains[1], START).await];
        assert_eq!(said, ["rate_limited", "rate_limited"]);
        assert_eq!(one.call(&plains[2], START).await, "done");
        assert_eq!(leased(&bench.service, &admin, Period::minute_of(START)).await, 60);
    });
}

#[test]
fn the_count_begins_anew_at_midnight_once_whatever_the_clock_does() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let other = database.open().await;
        let (admin, _) = bench.agreed("acme", agreement(7, PLENTY, PLENTY)).await;
        let key = metered(&bench, &admin, "ci", Tier::Standard).await;
        let through = async |second: i64, calls: usize| {
            let mut through = 0;
            for number in 0..calls {
                let service = if number % 2 == 0 { &bench.service } else { &other };
                through += usize::from(call(service, &key.plain, at(second)).await == "done");
            }
            through
        };
        let (before, after) = (LAST_OF_DAY, LAST_OF_DAY + 1);
        assert_eq!(through(before, 5).await, 5);
        assert_eq!(through(after, 6).await, 6, "a new day");
        assert_eq!(through(before, 5).await, 2, "what was left of the day before");
        assert_eq!(through(after, 5).await, 1, "what was left of the new day");
        assert_eq!(through(before, 5).await + through(after, 5).await, 0, "no day begins twice");
        let refusal = bench.service.admit(Provider::Native, &key.plain, READ, at(before)).await;
        let message = refusal.outcome.err().unwrap().to_string();
        assert_eq!(message, "Rate limit exceeded. Resets at 2026-09-22T00:00:00Z");
    });
}

#[test]
fn a_minute_that_is_used_up_says_when_it_ends_and_what_is_left_of_the_day() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(50, 2, PLENTY)).await;
        let key = metered(&bench, &admin, "ci", Tier::Standard).await;
        let mut left = Vec::new();
        for second in [0, 1, 2, 40] {
            let admission = bench.service.admit(Provider::Native, &key.plain, READ, at(second)).await;
            let quota = admission.quota.unwrap();
            assert_eq!((quota.limit, quota.resets_at.to_string()), (50, "2026-09-22T00:00:00Z".to_owned()));
            let said = admission.outcome.err().map(|refusal| refusal.to_string()).unwrap_or_default();
            left.push((quota.remaining, said));
        }
        let refused = "Rate limit exceeded. Resets at 2026-09-21T14:14:00Z".to_owned();
        let nothing = String::new;
        assert_eq!(left, [(49, nothing()), (48, nothing()), (48, refused), (47, nothing())]);
    });
}

/// A clock that this file's tests of what runs beside the requests can move.
static SECONDS: AtomicI64 = AtomicI64::new(LAST_OF_DAY);

fn moved() -> Timestamp {
    at(SECONDS.load(Ordering::SeqCst))
}

#[test]
fn what_is_not_spent_is_given_back_at_the_end_of_the_window_when_nobody_calls_and_on_stop() {
    on_each_database(async |database| {
        SECONDS.store(LAST_OF_DAY, Ordering::SeqCst);
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(1_000, PLENTY, PLENTY)).await;
        let key = metered(&bench, &admin, "ci", Tier::Standard).await;
        let (today, tomorrow) = (Period::day_of(moved()), Period::day_of(at(LAST_OF_DAY + 1)));
        let process = Process::replica(&database.database, moved).await;
        assert_eq!(process.call(&key.plain, moved()).await, "done");
        assert_eq!(leased(&bench.service, &admin, today).await, 10, "a block of a hundredth");

        SECONDS.fetch_add(1, Ordering::SeqCst);
        let is = async |period, calls| leased(&bench.service, &admin, period).await == calls;
        eventually("the day's end", async || is(today, 1).await).await;
        process.call(&key.plain, moved()).await;
        eventually("idleness", async || is(tomorrow, 1).await).await;
        process.call(&key.plain, moved()).await;
        process.stop().await;
        assert_eq!(leased(&bench.service, &admin, tomorrow).await, 2);
    });
}

#[test]
fn a_kill_forfeits_what_was_taken() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(300, PLENTY, PLENTY)).await;
        let key = metered(&bench, &admin, "ci", Tier::Standard).await;
        let process = Process::client(&database.database).await;
        assert_eq!(process.call(&key.plain, START).await, "done");
        process.kill();
        assert_eq!(leased_today(&bench.service, &admin).await, 3);
        let mut through = 0;
        while call(&bench.service, &key.plain, START).await == "done" {
            through += 1;
        }
        assert_eq!(through, 297);
    });
}

#[test]
fn a_new_plan_counts_at_once_also_for_what_was_taken_before() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(1_000, PLENTY, PLENTY)).await;
        let key = metered(&bench, &admin, "ci", Tier::Standard).await;
        let free = metered(&bench, &admin, "free", Tier::Unmetered).await;
        let (one, other) = (
            Process::replica(&database.database, crate::testing::now).await,
            Process::replica(&database.database, crate::testing::now).await,
        );
        let processes = [&one, &other];
        for process in processes {
            for plain in [&key.plain, &free.plain] {
                assert_eq!(process.call(plain, START).await, "done");
            }
        }
        let set = async |agreement: Agreement| {
            one.run(move |service| async move { service.set_plan("acme", agreement, START).await.unwrap() }).await;
        };
        // Two calls are made, more are at hand.
        set(agreement(2, PLENTY, PLENTY)).await;
        for process in processes {
            assert_eq!(process.call(&key.plain, START).await, "rate_limited");
            assert_eq!(process.call(&free.plain, START).await, "done");
        }
        set(agreement(1_000, PLENTY, PLENTY)).await;
        for process in processes {
            assert_eq!(process.call(&key.plain, START).await, "done");
        }
        let starter = Agreement { plan: Plan::Starter, daily_limit: None, minute_limit: None, monthly_credits: None };
        set(starter).await;
        for process in processes {
            let mut through = 0;
            while process.call(&free.plain, START).await == "done" {
                through += 1;
                assert!(through <= 10, "a key without limits on a plan that has none");
            }
        }
    });
}

#[test]
fn without_its_counters_no_call_is_let_through() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(100, 100, PLENTY)).await;
        let key = metered(&bench, &admin, "ci", Tier::Standard).await;
        database.execute("ALTER TABLE limit_windows RENAME TO away").await.unwrap();
        for _ in 0..3 {
            assert_eq!(call_once(&bench.service, &key.plain, START).await, UNAVAILABLE);
        }
        database.execute("ALTER TABLE away RENAME TO limit_windows").await.unwrap();
        assert_eq!(call(&bench.service, &key.plain, START).await, "done");
    });
}

#[test]
fn a_window_that_others_gave_back_is_taken_from_while_others_write() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(100, 100, PLENTY)).await;
        let workspace = admin.workspace().id.clone();
        let writer = Process::client(&database.database).await;
        let written = workspace.clone();
        let writing = writer.run(move |service| async move {
            for number in 0..400 {
                let period = Period::Minute(number);
                service.store.lease_calls(&written, &[Wanted { period, limit: 10, leased: 0 }]).await.unwrap();
            }
        });
        let taking = async {
            for number in 0..400 {
                // Seen as used up when it was last looked at.
                let wanted = Wanted { period: Period::Day(number), limit: 10, leased: 10 };
                let leased = bench.service.store.lease_calls(&workspace, &[wanted]).await.unwrap();
                assert_eq!(leased[0].got, 1);
            }
        };
        tokio::join!(writing, taking);
    });
}

#[test]
fn what_may_have_been_given_back_already_is_not_given_back_again() {
    on_each_database(async |database| {
        let Some(network) = Network::before(database).await else { return };
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(1_000, PLENTY, PLENTY)).await;
        let key = metered(&bench, &admin, "ci", Tier::Standard).await;
        let minute = Period::minute_of(START);
        let process = Process::client(network.database()).await;
        for _ in 0..5 {
            assert_eq!(process.call(&key.plain, START).await, "done");
        }
        network.hold_after("SET leased = leased -");
        let workspace = admin.workspace().id.clone();
        let giving = process.run(move |service| async move {
            service.meters.of(&workspace).give_back(&service.store, true, START).await.is_err()
        });
        let cutting = async {
            eventually("an answer under way", async || network.is_held()).await;
            let is_done = async || leased(&bench.service, &admin, minute).await < PLENTY / 100;
            eventually("its effect", is_done).await;
            network.cut();
        };
        let (failed, ()) = tokio::join!(giving, cutting);
        assert!(failed, "its answer was lost");
        process.give_back(START).await;
        for period in [minute, Period::day_of(START)] {
            assert!(leased(&bench.service, &admin, period).await >= 5, "five calls were made");
        }
    });
}
