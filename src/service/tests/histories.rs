//! Limits under any history of calls, kills, turns of the clock and new plans: counted by whoever calls, none is one over.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::limits::{LAST_OF_DAY, metered};
use super::*;
use crate::model::quota::Period;
use crate::testing::{at, on_each_database};

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Call { service: usize, tier: usize, times: u8 },
    GiveBack { service: usize, all: bool },
    Kill { service: usize },
    Turn { seconds: i64 },
    Agree { per_day: i64, per_minute: i64 },
}

/// Such as calls are taken one by one from, and such as blocks are.
fn limit() -> impl Strategy<Value = i64> {
    prop_oneof![0..40_i64, 300..2_000_i64]
}

fn step() -> impl Strategy<Value = Step> {
    let service = 0..2_usize;
    prop_oneof![
        8 => (service.clone(), 0..3_usize, 1_u8..12)
            .prop_map(|(service, tier, times)| Step::Call { service, tier, times }),
        2 => (service.clone(), any::<bool>()).prop_map(|(service, all)| Step::GiveBack { service, all }),
        1 => service.prop_map(|service| Step::Kill { service }),
        2 => prop_oneof![-70..70_i64, Just(-DAY), Just(DAY)].prop_map(|seconds| Step::Turn { seconds }),
        1 => (limit(), limit()).prop_map(|(per_day, per_minute)| Step::Agree { per_day, per_minute }),
    ]
}

/// What was let through, counted by who asks and not by the engine.
struct History {
    second: i64,
    per_day: i64,
    per_minute: i64,
    made: BTreeMap<String, i64>,
    /// Something was taken and is not to be had any more.
    forfeited: bool,
}

impl History {
    fn made(&self, period: Period) -> i64 {
        self.made.get(&period.name()).copied().unwrap_or(0)
    }

    fn count(&mut self, tier: usize) {
        let now = at(self.second);
        let (day, minute) = (Period::day_of(now), Period::minute_of(now));
        let Some(times) = [Some(1), Some(2), None][tier] else { return };
        assert!(self.made(day) < self.per_day, "one over the day's {}", self.per_day);
        assert!(self.made(minute) < times * self.per_minute, "one over the minute's {}", self.per_minute);
        for period in [day, minute] {
            *self.made.entry(period.name()).or_default() += 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_has_a_call_too_many(steps in vec(step(), 1..30)) {
        on_each_database(async |database| {
            let bench = Bench::open(database).await;
            let (admin, _) = bench.agreed("acme", agreement(1_000, 400, PLENTY)).await;
            let mut keys = Vec::new();
            for tier in [Tier::Standard, Tier::High, Tier::Unmetered] {
                keys.push(metered(&bench, &admin, tier.as_str(), tier).await.plain);
            }
            let mut services = [database.open().await, database.open().await];
            let mut history =
                History { second: LAST_OF_DAY - 30, per_day: 1_000, per_minute: 400, made: BTreeMap::new(), forfeited: false };
            for step in &steps {
                match *step {
                    Step::Call { service, tier, times } => {
                        for _ in 0..times {
                            let said = call_once(&services[service], &keys[tier], at(history.second)).await;
                            history.forfeited |= said == UNAVAILABLE;
                            let allowed = said == "done" || said == UNAVAILABLE || said == "rate_limited" && tier < 2;
                            assert!(allowed, "{said}");
                            if said == "done" {
                                history.count(tier);
                            }
                        }
                    }
                    Step::GiveBack { service, all } => {
                        let service = &services[service];
                        for meter in service.meters.all() {
                            meter.give_back(&service.store, all, at(history.second)).await.unwrap();
                        }
                    }
                    Step::Kill { service } => {
                        services[service] = database.open().await;
                        history.forfeited = true;
                    }
                    Step::Turn { seconds } => history.second += seconds,
                    Step::Agree { per_day, per_minute } => {
                        let now = at(history.second);
                        bench.service.set_plan("acme", agreement(per_day, per_minute, PLENTY), now).await.unwrap();
                        (history.per_day, history.per_minute) = (per_day, per_minute);
                    }
                }
            }
            for service in &services {
                give_back(service, at(history.second)).await;
            }
            let stored = database.rows("SELECT period, leased FROM limit_windows WHERE leased > 0 ORDER BY period").await;
            let made: Vec<String> =
                history.made.iter().map(|(period, calls)| format!("period={period}\nleased={calls}")).collect();
            assert!(history.forfeited || stored == made, "{stored:?} {made:?}");
        });
    }
}
