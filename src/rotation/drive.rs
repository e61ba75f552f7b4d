//! The one loop: it asks what comes next, has it performed, and tells what happened. A rotation that begins and one that
//! is resumed go through it alike.

use super::interruptions::Interruptions;
use super::outcome::{self, Ended, open_already};
use super::perform::{Tools, written};
use super::ways::{handovers, places, prepared_check};
use super::{Hands, JournalError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::PassingLock;
use crate::model::lifetime::Age;
use crate::model::rotation::{Effect, Event, Goal, Record, State, Step, next};
use crate::sink::SinkSpec;
use crate::system;

/// A rotation that is ready for its next step. Nobody else works on its key.
pub(crate) struct Run {
    pub(super) state: State,
    pub(super) tools: Tools,
    _lock: PassingLock,
}

impl Run {
    pub(super) const fn new(state: State, lock: PassingLock, tools: Tools) -> Self {
        Self { state, tools, _lock: lock }
    }

    /// How long the old key must not have been used to be retired.
    pub(crate) const fn when_idle(mut self, idle: Option<Age>) -> Self {
        self.tools.idle = idle;
        self
    }

    /// Goes on until there is nothing more to do, or nothing more can be done.
    pub(crate) async fn drive(mut self, hands: &Hands<'_, '_>) -> anyhow::Result<Ended> {
        if !self.tools.resumed {
            written(&self.state.record, hands).await?;
        }
        let mut interruptions = Interruptions::heard();
        let mut event = Event::Begun;
        loop {
            let (state, effect) = next(self.state, event, system::now());
            self.state = state;
            if let Effect::Stop(stop) = effect {
                return outcome::of(stop, &self.state.record, self.tools, hands, interruptions.pending());
            }
            // What is under way is noted first, and what was made is kept first.
            let may_wait = !matches!(effect, Effect::Record | Effect::Keep | Effect::Drop | Effect::Remove);
            if may_wait && let Some(exit) = interruptions.pending() {
                return Err(outcome::interrupted(&self.state.record, exit).into());
            }
            event = self.tools.perform(&effect, &self.state, hands, &mut interruptions).await;
        }
    }
}

/// Takes up a rotation that an earlier run began. `to` replaces the places that do not have the key yet.
pub(crate) async fn resume(id: &str, goal: Goal, to: &[SinkSpec], hands: &Hands<'_, '_>) -> anyhow::Result<Run> {
    let before = hands.journal.read(id)?;
    let lock = hands.journal.lock(&before.service, &before.old.id)?;
    let lock = lock.ok_or_else(|| open_already(&before.old.name, None))?;
    // Whoever held the lock until now may have ended it, or come further.
    let mut record = hands.journal.read(id).map_err(|error| match error {
        JournalError::Unknown(_) => outcome::over(&before.old.name).into(),
        other => anyhow::Error::new(other),
    })?;
    let completes = goal == Goal::Complete && record.step <= Step::Minted;
    if completes && !to.is_empty() {
        record.places.retain(|place| place.done);
        record.places.extend(places(to, false));
    }
    let may_repeat = is_same_caller(&record, hands);
    if record.step == Step::Intended && !may_repeat {
        return Err(other_caller(&record, hands).into());
    }
    let mut tools = Tools::new(true);
    tools.is_own = record.is_own;
    if completes {
        go_to(&record);
        tools.handovers = pending(&record, hands).await?;
        tools.check = prepared_check(record.check.as_deref(), hands)?;
    }
    let mut state = State::resumed(record, goal, &hands.reached.rules.rotation, system::now());
    if !may_repeat {
        state = state.without_repeating();
    }
    Ok(Run::new(state, lock, tools))
}

/// The ways to the places that do not have the key yet, each at its number.
async fn pending(record: &Record, hands: &Hands<'_, '_>) -> anyhow::Result<Vec<Option<crate::handover::Handover>>> {
    let unreadable = |_| Failure::new(Exit::Usage, "journal_malformed", "the journal names a place that is none");
    let left = record.places.iter().filter(|place| !place.done);
    let specs: Vec<SinkSpec> = left
        .clone()
        .filter_map(|place| place.to.as_deref())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if left.count() == 0 {
        return Ok(Vec::new());
    }
    let mut ready = handovers(&specs, hands).await?.into_iter();
    Ok(record.places.iter().map(|place| if place.done { None } else { ready.next() }).collect())
}

/// Commands find the files they found when the rotation began, where that directory is still there.
fn go_to(record: &Record) {
    let runs = |place: &Option<String>| place.as_deref().is_some_and(|to| to.starts_with("cmd:"));
    let runs = record.check.is_some() || record.places.iter().any(|place| !place.done && runs(&place.to));
    if let Some(directory) = record.directory.as_ref().filter(|_| runs) {
        std::env::set_current_dir(directory).ok();
    }
}

/// Whether the service would take the same request for the same: it goes by the key that asks.
fn is_same_caller(record: &Record, hands: &Hands<'_, '_>) -> bool {
    match (&record.caller, &hands.reached.caller) {
        (Some(then), Some(now)) => then == now,
        _ => true,
    }
}

fn other_caller(record: &Record, hands: &Hands<'_, '_>) -> Failure {
    let then = record.caller.as_deref().unwrap_or("another key");
    let now = hands.reached.caller.as_deref().unwrap_or("another one");
    let message = format!(
        "the rotation {} was begun with the key {then}…, and this is {now}…: asked by it, the service might make a second key",
        record.id
    );
    Failure::new(Exit::Conflict, "other_caller", message)
        .hint(format!("go on with the key {then}…: KEYS_API_KEY=… {}", outcome::line(record, "resume")))
}
