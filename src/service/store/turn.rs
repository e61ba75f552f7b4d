//! Changes to SQLite take turns, and those that come together are committed together: waiting for the disk is most of what
//! a change costs, and whoever waits for another connection's lock sleeps for longer than that one writes.
//!
//! A change that is made while others wait leaves its transaction to the next one, marked with a savepoint, and lines up
//! again to see it committed; the first whose second turn comes commits for all of them. A change that is given up is
//! undone as far as the last mark; and what it was refused by, it has seen before that was committed, so nobody is told of a
//! refusal before it is. PostgreSQL has rows to lock instead, and needs none of this.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::{Any, AnyConnection, AnyPool, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::StoreError;

/// How long a change waits for its turn: as long as SQLite waits for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// The changes of this process to one database, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<Line>);

#[derive(Debug, Default)]
struct Line {
    /// The transaction that is open.
    place: Arc<Mutex<Option<Shared>>>,
    /// How many wait to make a change.
    waiting: AtomicUsize,
}

/// A transaction in which several changes may be made.
#[derive(Debug)]
struct Shared {
    transaction: Transaction<'static, Any>,
    /// Whether any was made: the last mark is behind the last of them.
    holds_changes: bool,
    /// Whether a change after them was given up and is not undone yet.
    is_half_done: bool,
    outcome: Outcome,
}

/// What became of a transaction, for all who made a change in it.
type Outcome = Arc<OnceLock<Result<(), Lost>>>;

/// Why nothing of a transaction was kept.
#[derive(Debug, Clone, Copy)]
enum Lost {
    Busy,
    ReadOnly,
    Full,
    Otherwise,
}

/// A change whose turn it is. Dropped without [`Turn::commit`], nothing of it happened.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    place: OwnedMutexGuard<Option<Shared>>,
    is_over: bool,
}

impl Turns {
    /// Waits for the turn of a change.
    pub(super) async fn take(&self, pool: &AnyPool) -> Result<Turn, StoreError> {
        let waiting = Waiting::among(&self.0);
        let Ok(mut place) = tokio::time::timeout(PATIENCE, self.line_up()).await else { return Err(StoreError::Busy) };
        drop(waiting);
        let goes_on = match place.as_mut() {
            Some(shared) => shared.undo().await.is_ok(),
            None => false,
        };
        if !goes_on {
            *place = None;
            let transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
            *place =
                Some(Shared { transaction, holds_changes: false, is_half_done: false, outcome: Outcome::default() });
        }
        Ok(Turn { turns: self.clone(), place, is_over: false })
    }

    /// Lines up to see a transaction committed, unless somebody has done it by then.
    async fn see_committed(&self, outcome: &Outcome) -> Result<(), StoreError> {
        let mut place = self.line_up().await;
        match outcome.get() {
            Some(Ok(())) => Ok(()),
            Some(Err(lost)) => Err((*lost).into()),
            None => commit(place.take_if(|shared| Arc::ptr_eq(&shared.outcome, outcome))).await,
        }
    }

    /// First come, first served.
    async fn line_up(&self) -> OwnedMutexGuard<Option<Shared>> {
        Arc::clone(&self.0.place).lock_owned().await
    }
}

impl Shared {
    /// Undoes a change that was given up. Asked for again, it is undone again, and no other one is.
    async fn undo(&mut self) -> Result<(), StoreError> {
        if self.is_half_done {
            self.execute("ROLLBACK TO made").await?;
            self.is_half_done = false;
        }
        Ok(())
    }

    /// Sets the mark behind a change that was made.
    async fn mark(&mut self) -> Result<(), StoreError> {
        self.holds_changes = true;
        self.execute("SAVEPOINT made").await
    }

    /// What fails here fails for all changes in the transaction.
    async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError> {
        let executed = sqlx::query(statement).execute(&mut *self.transaction).await.map(drop).map_err(StoreError::from);
        if let Err(error) = &executed {
            self.outcome.set(Err(Lost::by(error))).ok();
        }
        executed
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        self.undo().await?;
        let committed = self.transaction.commit().await.map_err(StoreError::from);
        self.outcome.set(committed.as_ref().copied().map_err(Lost::by)).ok();
        committed
    }
}

impl Turn {
    /// Commits, together with others that wait.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        to_its_end(self.keep()).await
    }

    /// Undoes the change, and returns once what it has seen is committed.
    pub(super) async fn give_up(mut self) -> Result<(), StoreError> {
        let Some(shared) = self.place.as_mut().filter(|shared| shared.holds_changes) else { return Ok(()) };
        let (outcome, turns) = (Arc::clone(&shared.outcome), self.turns.clone());
        drop(self);
        to_its_end(async move { turns.see_committed(&outcome).await }).await
    }

    async fn keep(mut self) -> Result<(), StoreError> {
        let Some(shared) = self.place.as_mut() else { return Err(Lost::Otherwise.into()) };
        if self.turns.0.waiting.load(Ordering::Relaxed) == 0 {
            return commit(self.place.take()).await;
        }
        let outcome = Arc::clone(&shared.outcome);
        if let Err(error) = shared.mark().await {
            *self.place = None;
            return Err(error);
        }
        self.is_over = true;
        let turns = self.turns.clone();
        drop(self);
        turns.see_committed(&outcome).await
    }
}

/// Does what others rely on, also where nobody waits for it any more: a client that is gone takes only its own request along.
async fn to_its_end(work: impl Future<Output = Result<(), StoreError>> + Send + 'static) -> Result<(), StoreError> {
    tokio::spawn(work).await.unwrap_or(Err(StoreError::Database(sqlx::Error::WorkerCrashed)))
}

async fn commit(shared: Option<Shared>) -> Result<(), StoreError> {
    match shared {
        Some(shared) => shared.commit().await,
        None => Err(Lost::Otherwise.into()),
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        match self.place.as_mut() {
            // Those who made the others come to commit them.
            Some(shared) if shared.holds_changes => shared.is_half_done = true,
            _ => *self.place = None,
        }
    }
}

impl Deref for Turn {
    type Target = AnyConnection;

    #[expect(clippy::expect_used, reason = "the place is left when the turn ends, which takes the turn away")]
    fn deref(&self) -> &AnyConnection {
        &self.place.as_ref().expect("a transaction").transaction
    }
}

impl DerefMut for Turn {
    #[expect(clippy::expect_used, reason = "the place is left when the turn ends, which takes the turn away")]
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.place.as_mut().expect("a transaction").transaction
    }
}

/// One who waits to make a change, until this is dropped.
struct Waiting<'a>(&'a Line);

impl<'a> Waiting<'a> {
    fn among(line: &'a Line) -> Self {
        line.waiting.fetch_add(1, Ordering::Relaxed);
        Self(line)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lost {
    const fn by(error: &StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            StoreError::ReadOnly => Self::ReadOnly,
            StoreError::Full => Self::Full,
            _ => Self::Otherwise,
        }
    }
}

impl From<Lost> for StoreError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Busy => Self::Busy,
            Lost::ReadOnly => Self::ReadOnly,
            Lost::Full => Self::Full,
            Lost::Otherwise => Self::Database(sqlx::Error::WorkerCrashed),
        }
    }
}
