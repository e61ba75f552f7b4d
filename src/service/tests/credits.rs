//! Credits: granted once, spent in their order and never twice, and shown as they are.

use proptest::collection::vec;
use proptest::prelude::*;

use super::processes::Process;
use super::*;
use crate::model::credits::{CreditKind, Credits, NewGrant};
use crate::service::tests::audit::assert_chain;
use crate::testing::{at, on_each_database};

const NO_CREDITS: &str = "insufficient_credits";

fn granted(kind: CreditKind, amount: i64, end: Option<i64>) -> NewGrant {
    NewGrant { kind, amount, note: None, expires_at: end.map(at) }
}

/// A workspace with so many credits a month, and the plaintext of a key of it.
async fn paying(bench: &Bench<'_>, monthly: i64) -> (Caller, String) {
    let (admin, _) = bench.agreed("acme", agreement(PLENTY, PLENTY, monthly)).await;
    let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
    (admin, key.plain)
}

async fn credits(service: &Service, caller: &Caller, now: Timestamp) -> Credits {
    service.credits(caller, now).await.unwrap()
}

/// What is left of each grant, those first that are spent first.
async fn left(service: &Service, caller: &Caller, now: Timestamp) -> Vec<i64> {
    credits(service, caller, now).await.grants.iter().map(|grant| grant.remaining).collect()
}

/// How many credits are handed out by all grants.
async fn leased(database: &TestDatabase) -> i64 {
    sqlx::query_scalar("SELECT CAST(COALESCE(SUM(leased), 0) AS BIGINT) FROM credit_grants")
        .fetch_one(&database.raw)
        .await
        .unwrap()
}

/// The months granted, in their order.
async fn months(database: &TestDatabase) -> Vec<String> {
    let months = "SELECT month, amount FROM credit_grants WHERE month IS NOT NULL ORDER BY month";
    let rows = database.rows(months).await;
    rows.iter().map(|row| row.replace("month=", "").replace("\namount=", " ")).collect()
}

#[test]
fn the_soonest_to_expire_is_spent_first_then_the_subscription_then_what_was_bought() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, plain) = paying(&bench, 2).await;
        for new in [
            granted(CreditKind::Purchased, 2, None),
            granted(CreditKind::Bonus, 1, None),
            granted(CreditKind::Bonus, 2, Some(200)),
            granted(CreditKind::Bonus, 1, Some(100)),
        ] {
            bench.service.grant_credits("acme", new, START).await.unwrap();
        }
        let mut seen = vec![left(&bench.service, &admin, START).await];
        while call(&bench.service, &plain, START).await == "done" {
            seen.push(left(&bench.service, &admin, START).await);
        }
        let expected = [
            [1, 2, 1, 2, 2],
            [0, 2, 1, 2, 2],
            [0, 1, 1, 2, 2],
            [0, 0, 1, 2, 2],
            [0, 0, 0, 2, 2],
            [0, 0, 0, 1, 2],
            [0, 0, 0, 0, 2],
            [0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0],
        ];
        assert_eq!(seen, expected);
        assert_eq!(call(&bench.service, &plain, START).await, NO_CREDITS);
        bench.service.grant_credits("acme", granted(CreditKind::Purchased, 1, None), START).await.unwrap();
        eventually("what was granted", async || call(&bench.service, &plain, START).await == "done").await;
    });
}

#[test]
fn two_processes_together_never_spend_more_than_there_is() {
    on_each_database(async |database| {
        for (monthly, purchased) in [(0, 40), (300, 240)] {
            let bench = Bench::open(database).await;
            let name = format!("acme {monthly}");
            let (admin, _) = bench.agreed(&name, agreement(PLENTY, PLENTY, monthly)).await;
            let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
            bench.service.grant_credits(&name, granted(CreditKind::Purchased, purchased, None), START).await.unwrap();
            let all = usize::try_from(monthly + purchased).unwrap();
            let (one, other) = (Process::client(&database.database).await, Process::client(&database.database).await);
            let (plains, calls) = ([key.plain.clone()], all / 4);
            let before = leased(database).await;
            let (left, right) =
                tokio::join!(one.storm(&plains, 4, calls, START), other.storm(&plains, 4, calls, START));
            let mut through = left.through[0] + right.through[0];
            assert!(through <= all, "{through} of {all}");
            if left.disturbed || right.disturbed {
                continue;
            }
            one.give_back(START).await;
            other.give_back(START).await;
            assert_eq!(leased(database).await - before, i64::try_from(through).unwrap(), "nothing is lost");
            let began = Instant::now();
            while through < all {
                assert!(began.elapsed() < Duration::from_mins(2), "only {through} of {all}");
                through += usize::from(one.call(&key.plain, START).await == "done");
            }
            assert_eq!([one.call(&key.plain, START).await, other.call(&key.plain, START).await], [NO_CREDITS; 2]);
            assert_eq!(credits(&bench.service, &admin, START).await.balance, 0);
        }
    });
}

#[test]
fn a_month_is_granted_once_however_many_ask_and_those_in_which_nobody_called_as_well() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, plain) = paying(&bench, 50).await;
        assert_eq!(credits(&bench.service, &admin, START).await.balance, 50);
        let later = at(100 * DAY);
        let (one, other) = (Process::client(&database.database).await, Process::client(&database.database).await);
        let ask = async |process: &Process| {
            let (caller, plain) = (admin.clone(), plain.clone());
            process
                .run(move |service| async move {
                    let balances = (0..4).map(|_| service.credits(&caller, later));
                    let calls = futures_util::future::join_all((0..4).map(|_| call(&service, &plain, later)));
                    tokio::join!(futures_util::future::join_all(balances), calls).1
                })
                .await
        };
        let (left, right) = tokio::join!(ask(&one), ask(&other));
        assert_eq!([left, right].concat(), ["done"; 8]);
        assert_eq!(months(database).await, ["2026-09 50", "2026-10 50", "2026-11 50", "2026-12 50"]);
        one.give_back(later).await;
        other.give_back(later).await;
        let shown = credits(&bench.service, &admin, later).await;
        assert_eq!((shown.balance, shown.next_grant_at.unwrap().to_string()), (192, "2027-01-01T00:00:00Z".to_owned()));
        // An operator's clock that is behind grants nothing anew.
        credits(&bench.service, &admin, at(50 * DAY)).await;
        assert_eq!(months(database).await.len(), 4);
        assert_chain(database, &admin.workspace().id).await;
    });
}

#[test]
fn a_month_whose_grant_failed_is_granted_when_it_can_be() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (_, plain) = paying(&bench, 50).await;
        database.execute("ALTER TABLE audit_entries RENAME TO away").await.unwrap();
        assert_eq!(call_once(&bench.service, &plain, START).await, UNAVAILABLE);
        assert_eq!(months(database).await, Vec::<String>::new());
        database.execute("ALTER TABLE away RENAME TO audit_entries").await.unwrap();
        assert_eq!(call(&bench.service, &plain, START).await, "done");
    });
}

#[test]
fn another_figure_a_month_holds_from_then_on_and_not_for_months_gone_by() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, plain) = paying(&bench, 50).await;
        let agree = async |monthly: i64, now: Timestamp| {
            bench.service.set_plan("acme", agreement(PLENTY, PLENTY, monthly), now).await.unwrap();
        };
        assert_eq!(call(&bench.service, &plain, START).await, "done");
        agree(70, at(40 * DAY)).await;
        assert_eq!(months(database).await, ["2026-09 50", "2026-10 50"]);
        agree(0, at(70 * DAY)).await;
        agree(20, at(165 * DAY)).await;
        let caller = bench.caller(&plain, at(165 * DAY)).await;
        let shown = credits(&bench.service, &caller, at(200 * DAY)).await;
        let granted = ["2026-09 50", "2026-10 50", "2026-11 70", "2027-03 20", "2027-04 20"];
        assert_eq!(months(database).await, granted);
        assert_eq!(shown.balance, 209);
        // Whoever has had none so far is granted this month's, and calls at once.
        let (_, first) = bench.agreed("new", agreement(PLENTY, PLENTY, 0)).await;
        let new = first.plain.expose();
        assert_eq!(call(&bench.service, new, START).await, NO_CREDITS);
        let more = agreement(PLENTY, PLENTY, 5);
        bench.service.set_plan("new", more, at(DAY)).await.unwrap();
        eventually("credits", async || call(&bench.service, new, at(DAY)).await == "done").await;
        assert_chain(database, &admin.workspace().id).await;
    });
}

#[test]
fn what_has_expired_is_not_spent_also_when_it_was_taken_before() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, plain) = paying(&bench, 0).await;
        bench.service.grant_credits("acme", granted(CreditKind::Bonus, 400, Some(100)), START).await.unwrap();
        bench.service.grant_credits("acme", granted(CreditKind::Purchased, 2, None), START).await.unwrap();
        assert_eq!(call(&bench.service, &plain, at(99)).await, "done");
        assert_eq!(leased(database).await, 4, "a block of a hundredth");
        assert_eq!(credits(&bench.service, &admin, at(99)).await.balance, 401);
        assert_eq!(credits(&bench.service, &admin, at(100)).await.balance, 2);
        for said in ["done", "done", NO_CREDITS] {
            assert_eq!(call(&bench.service, &plain, at(100)).await, said);
        }
        assert_eq!(credits(&bench.service, &admin, at(100)).await.balance, 0);
    });
}

#[test]
fn only_what_makes_sense_is_granted() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = paying(&bench, 0).await;
        for (new, said) in [
            (granted(CreditKind::Purchased, 0, None), "validation_error"),
            (granted(CreditKind::Purchased, -1, None), "validation_error"),
            (granted(CreditKind::Purchased, 1, Some(10)), "validation_error"),
            (granted(CreditKind::Subscription, 1, Some(10)), "validation_error"),
        ] {
            assert_eq!(outcome(bench.service.grant_credits("acme", new, START).await), said);
        }
        let new = granted(CreditKind::Purchased, 1, None);
        assert_eq!(outcome(bench.service.grant_credits("nobody", new, START).await), "not_found");
        assert_eq!(database.count("credit_grants").await, 0);
        assert_eq!(credits(&bench.service, &admin, START).await.balance, 0);
    });
}

#[derive(Debug, Clone)]
enum Step {
    Call { service: usize, times: u8 },
    Grant { kind: CreditKind, amount: i64, lives: Option<i64> },
    GiveBack { service: usize },
    Kill { service: usize },
    Wait { seconds: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let service = 0..2_usize;
    let kind = prop_oneof![Just(CreditKind::Bonus), Just(CreditKind::Purchased)];
    prop_oneof![
        6 => (service.clone(), 1_u8..10).prop_map(|(service, times)| Step::Call { service, times }),
        2 => (kind, 1..400_i64, proptest::option::of(1..200_i64)).prop_map(|(kind, amount, lives)| {
            Step::Grant { kind, amount, lives: lives.filter(|_| kind == CreditKind::Bonus) }
        }),
        1 => service.clone().prop_map(|service| Step::GiveBack { service }),
        1 => service.prop_map(|service| Step::Kill { service }),
        2 => (1..150_i64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_call_costs_one_credit_and_the_balance_says_so(
        steps in vec(step(), 1..25), alone in any::<bool>(), monthly in 0..150_i64,
    ) {
        on_each_database(async |database| {
            let bench = Bench::open(database).await;
            let (admin, plain) = paying(&bench, monthly).await;
            let mut services = [database.open().await, database.open().await];
            let (mut second, mut through, mut forfeited, mut empty) = (0, 0, 0, false);
            for step in &steps {
                match *step {
                    Step::Call { service, times } => {
                        let service = &services[if alone { 0 } else { service }];
                        for _ in 0..times {
                            let before = credits(service, &admin, at(second)).await;
                            let said = call_once(service, &plain, at(second)).await;
                            if said == UNAVAILABLE {
                                return; // A busy machine: what was taken is forfeit.
                            }
                            let after = credits(service, &admin, at(second)).await;
                            if said == "done" {
                                through += 1;
                                // What the other one gave back meanwhile cannot have come in between.
                                assert!(!alone || after.balance == before.balance - 1, "{before:?} {after:?}");
                                assert!(after.balance >= 0);
                            } else {
                                assert_eq!(said, NO_CREDITS);
                                // Where there was nothing it is looked again after a second.
                                assert!(!alone || empty || after.balance == 0, "{after:?}");
                                empty = true;
                            }
                        }
                    }
                    Step::Grant { kind, amount, lives } => {
                        let new = granted(kind, amount, lives.map(|lives| second + lives));
                        bench.service.grant_credits("acme", new, at(second)).await.unwrap();
                    }
                    Step::GiveBack { service } => give_back(&services[service], at(second)).await,
                    Step::Kill { service } => {
                        let meter = services[service].meters.of(&admin.workspace().id);
                        forfeited += meter.unspent_credits().values().sum::<i64>();
                        services[service] = database.open().await;
                    }
                    Step::Wait { seconds } => second += seconds,
                }
                let here: i64 = services.iter().flat_map(|service| service.meters.all()).map(|meter| {
                    meter.unspent_credits().values().sum::<i64>()
                }).sum();
                assert_eq!(leased(database).await, through + here + forfeited, "not conserved");
            }
        });
    }
}
