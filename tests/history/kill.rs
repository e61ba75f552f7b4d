//! A history under load, with processes that are killed and started again: one on SQLite, two on one PostgreSQL.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::check::violations;
use super::database::Database;
use super::load::{self, Holder, Load, Task, Worker};
use super::record::{Call, Ending, History, Said, Tier};
use super::replica::{Replica, workspace};
use crate::support::Place;

/// How often each process is killed.
const KILLS: usize = 2;

/// Requests in each of the two histories.
const REQUESTS: usize = 10_500;

/// Requests between two kills.
const STRETCH: usize = 1_500;

/// Changes between two kills.
const CHANGES: usize = 10;

#[test]
fn a_service_on_sqlite_that_is_killed_keeps_its_promises() {
    let place = Place::new();
    let database = Database::sqlite(&place);
    survives(&place, &database, 1);
}

#[test]
fn two_replicas_on_postgres_that_are_killed_keep_their_promises() {
    let Some(database) = Database::postgres("a history of two replicas on PostgreSQL") else { return };
    survives(&Place::new(), &database, 2);
}

/// The workspaces of the history: how each is limited, and its credits of the month.
const WORKSPACES: [(&str, &str); 6] = [
    ("Wide", "--plan enterprise --per-day 1000000 --per-minute 1000000 --monthly-credits 1000000"),
    ("A minute", "--plan enterprise --per-day 1000000 --per-minute 300 --monthly-credits 1000000"),
    ("A day", "--plan enterprise --per-day 700 --per-minute 100000 --monthly-credits 1000000"),
    ("Small", "--plan starter --monthly-credits 100"),
    ("Poor", "--plan enterprise --per-day 1000000 --per-minute 1000000 --monthly-credits 100"),
    ("Rivals", "--plan enterprise"),
];

fn survives(place: &Place, database: &Database, count: usize) {
    let secrets = WORKSPACES.map(|(name, options)| workspace(place, &database.url, name, options));
    let replicas: Vec<Replica> = (0..count).map(|_| Replica::started(place, &database.url)).collect();
    let load = Load::new(&replicas);
    let mut first = Worker::new(&load, 0);
    let admins: Vec<Holder> = WORKSPACES
        .iter()
        .zip(&secrets)
        .map(|((_, options), secret)| {
            let tier = if options.contains("starter") { Tier::High } else { Tier::Unmetered };
            first.enter(secret, tier)
        })
        .collect();
    let gone = populate(&mut first, &admins);
    drop(first);
    let rivals = Mutex::new(vec![admins[5].clone()]);
    let mut granted = Vec::new();
    load.run(tasks(&admins, &gone, &rivals), || {
        for replica in std::iter::repeat_n(&replicas, KILLS).flatten() {
            load.wait_for(STRETCH, CHANGES);
            replica.kill();
            if count > 1 {
                // The other one goes on alone, also with changes that wait for this one.
                load.wait_for(STRETCH / 5, 3);
            }
            replica.start();
            granted.push((admins[4].workspace.clone(), grant(place, database, 60)));
        }
        load.wait_for(REQUESTS.saturating_sub(load.sent.load(Ordering::Relaxed)), CHANGES);
    });
    for replica in &replicas {
        replica.stop();
    }
    let verified = place.keys(["serve", "audit", "verify", "--database", &database.url]).done();
    let history = History {
        calls: load.calls.into_inner().unwrap(),
        kills: i64::try_from(KILLS * count).unwrap(),
        granted,
        ending: Ending::of(database, verified.code == 0),
    };
    judge(&history, &replicas);
}

/// All that goes on at once.
fn tasks<'a>(admins: &'a [Holder], gone: &'a Holder, rivals: &'a Mutex<Vec<Holder>>) -> Vec<Task<'a>> {
    let mut tasks: Vec<Task<'a>> = Vec::new();
    for _ in 0..4 {
        tasks.push(Box::new(load::call));
    }
    for keeper in [&admins[0], &admins[0], &admins[4]] {
        tasks.push(Box::new(move |worker| load::keep(worker, keeper)));
    }
    for _ in 0..2 {
        tasks.push(Box::new(|worker| load::quarrel(worker, rivals)));
    }
    tasks.push(Box::new(|worker| load::hang_up(worker, gone)));
    tasks.push(Box::new(|worker| load::pry(worker, &admins[..3])));
    tasks
}

/// Keys of every tier that call, one of them without the permission. Gives the one of those who do not wait for answers.
fn populate(worker: &mut Worker<'_>, admins: &[Holder]) -> Holder {
    let reading = ["read:contacts"];
    let [wide, of_minute, of_day, small, poor, _] = admins else { panic!("six workspaces") };
    let made = [
        (wide, Tier::Standard),
        (wide, Tier::Unmetered),
        (of_minute, Tier::Standard),
        (of_minute, Tier::Standard),
        (of_minute, Tier::High),
        (of_minute, Tier::High),
        (of_day, Tier::Standard),
        (of_day, Tier::High),
        (small, Tier::Standard),
        (small, Tier::High),
        (poor, Tier::Standard),
        (poor, Tier::Unmetered),
    ];
    let mut keys: Vec<_> = made.map(|(admin, tier)| worker.create(admin, &reading, tier).unwrap()).into();
    keys.push(worker.create(wide, &["read:lists"], Tier::Standard).unwrap());
    worker.load.callers.write().unwrap().extend(keys.into_iter().map(Arc::new));
    worker.create(wide, &reading, Tier::Standard).unwrap()
}

/// Grants credits to the workspace that has few; how many.
fn grant(place: &Place, database: &Database, amount: i64) -> i64 {
    let amount_said = amount.to_string();
    let command =
        ["serve", "workspace", "grant-credits", "Poor", &amount_said, "--kind", "bonus", "--database", &database.url];
    let seen = place.keys(command).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    amount
}

fn judge(history: &History, replicas: &[Replica]) {
    let found = violations(history);
    assert!(found.is_empty(), "{} violations, of these rules: {:#?}", found.len(), &found[..found.len().min(20)]);
    // What was not tried has not been shown.
    let seen: BTreeSet<Option<u16>> = history.calls.iter().map(Call::status).collect();
    for status in [None, Some(200), Some(201), Some(204), Some(401), Some(402), Some(403), Some(404), Some(429)] {
        assert!(seen.contains(&status), "nothing was answered {status:?}: {seen:?}");
    }
    let failed = |said: &Said| said.status == 500 && said.code != "outcome_unknown";
    let fault = history.calls.iter().find(|call| call.said.as_ref().is_some_and(failed));
    assert!(fault.is_none(), "a fault of ours: {fault:?}");
    assert!(history.calls.len() >= REQUESTS, "{}", history.calls.len());
    let made = history.calls.iter().filter_map(|call| call.said.as_ref()?.made.as_ref());
    let logs: Vec<String> = replicas.iter().map(Replica::log).collect();
    for (_, secret) in made {
        assert!(logs.iter().all(|log| !log.contains(secret.as_str())), "a secret is in the log");
    }
}
