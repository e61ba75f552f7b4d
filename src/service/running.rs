//! The engine while it serves: what goes on beside the requests, from start to end.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::replica::Replica;
use super::store::{CHANNEL, Database, Store};
use super::{Refusal, Service, StoreError};
use crate::model::quota::Period;

/// Between two rounds of what is written behind.
const ROUND: Duration = Duration::from_secs(1);

/// Rounds between two looks for answers that are kept no longer: a minute, for each may hold a plaintext.
const ROUNDS_TO_PURGE: u32 = 60;

/// Rounds between two looks for what is old enough to be forgotten: an hour.
const ROUNDS_TO_TIDY: u32 = 3_600;

/// How long that may take: a database that does not answer must not end what goes on beside it.
const LONGEST_TIDY: Duration = Duration::from_mins(1);

/// Usage is kept as long as the audit log, and counters longer than any clock steps back.
const USAGE_DAYS: i64 = 400;
const WINDOW_DAYS: i64 = 7;

/// What runs beside the requests. To be ended with [`Running::stop`].
pub(crate) struct Running {
    service: Service,
    replica: Arc<Replica>,
    stop: watch::Sender<bool>,
    pub(super) tasks: Vec<JoinHandle<()>>,
    now: fn() -> Timestamp,
}

impl Service {
    /// Becomes a replica: from here on keys are answered from memory, and what is written behind is written.
    pub(crate) async fn start(&self, database: &Database, now: fn() -> Timestamp) -> Result<Running, Refusal> {
        self.store.install_guards().await?;
        let replica = Arc::new(Replica::new(self.new_id("replica_")));
        // A service that is started twice in one process stays the replica it is.
        let replica = Arc::clone(self.replica.get_or_init(|| replica));
        let (stop, stopped) = watch::channel(false);
        let follow = Arc::clone(&replica).follow(self.store.clone(), Arc::clone(&self.cache));
        let mut tasks = vec![tokio::spawn(follow), tokio::spawn(write_behind(self.clone(), now, stopped.clone()))];
        if let Database::Postgres(url) = database {
            tasks.push(tokio::spawn(listen(url.clone(), Arc::clone(&replica), stopped)));
        }
        Ok(Running { service: self.clone(), replica, stop, tasks, now })
    }
}

impl Running {
    /// Ends what runs, gives back what was taken and not spent, and stores what was counted.
    pub(crate) async fn stop(self) -> Result<(), Refusal> {
        self.stop.send(true).ok();
        self.replica.leave();
        for task in self.tasks {
            task.await.ok();
        }
        let now = (self.now)();
        for meter in self.service.meters.all() {
            meter.give_back(&self.service.store, true, now).await?;
        }
        self.service.usage.store(&self.service.store).await?;
        Ok(())
    }
}

/// Stores usage, gives back what nobody spends, and forgets what is old. What fails is tried again in the next round.
async fn write_behind(service: Service, now: fn() -> Timestamp, mut stopped: watch::Receiver<bool>) {
    let mut round: u32 = 0;
    while tokio::time::timeout(ROUND, stopped.wait_for(|stopped| *stopped)).await.is_err() {
        service.usage.store(&service.store).await.ok();
        for meter in service.meters.all() {
            meter.give_back(&service.store, false, now()).await.ok();
        }
        if round.is_multiple_of(ROUNDS_TO_PURGE) {
            tokio::time::timeout(LONGEST_TIDY, service.purge_answers(now())).await.ok();
        }
        if round.is_multiple_of(ROUNDS_TO_TIDY) {
            tokio::time::timeout(LONGEST_TIDY, service.tidy(now())).await.ok();
        }
        round = round.wrapping_add(1);
    }
}

impl Service {
    /// Forgets what has been kept long enough.
    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        let day = |back: i64| {
            let then = now.checked_sub(SignedDuration::from_hours(24 * back)).unwrap_or(Timestamp::MIN);
            Period::day_of(then)
        };
        self.store.forget_windows(day(WINDOW_DAYS)).await?;
        self.store.forget_usage(&day(USAGE_DAYS).name()).await?;
        self.prune_audit(now).await
    }
}

/// Wakes the replica when PostgreSQL tells of a change. Without it the replica looks by itself, only later.
async fn listen(url: String, replica: Arc<Replica>, mut stopped: watch::Receiver<bool>) {
    let listening = async {
        loop {
            if let Err(_lost) = Store::listen(&url, CHANNEL, || replica.wake()).await {
                tokio::time::sleep(ROUND).await;
            }
        }
    };
    tokio::select! {
        () = listening => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}
