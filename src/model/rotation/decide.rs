//! What happens next. The record in a [`State`] is written to the journal by [`Effect::Record`] before anything that
//! builds on it is done; all else in it is forgotten when the program ends.

use jiff::Timestamp;

use super::Facts;
use super::record::{Kept, Record, Retirement, Step, Successor};

/// A rotation under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) record: Record,
    pub(crate) goal: Goal,
    memory: Memory,
}

/// What this run of the program is to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The new key in place of the old one.
    Complete,
    /// The old key as it was, and no new one.
    Abort,
    /// The old key retired now; `force` although somebody uses it.
    Retire { force: bool },
}

/// What this run of the program knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Memory {
    /// Whether an earlier run began this.
    resumed: bool,
    /// Whether the request for the new key can be sent again without making a second key.
    may_repeat: bool,
    /// Whether the plaintext is at hand.
    holds: bool,
    unreadable: bool,
    orphan: bool,
    accepted: bool,
    idle: bool,
    revoked: bool,
    dropped: bool,
    refused: bool,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    Begun,
    Recorded,
    /// The service made the key, now or when it was asked before.
    Minted(Successor),
    /// The service made the key when it was asked before, and does not show its plaintext again.
    MintedUnseen(Successor),
    Kept(Kept),
    Fetched,
    Delivered(usize),
    Accepted,
    Checked,
    Adopted,
    Dropped,
    Retired,
    Revoked,
    /// The new key is the credential that this program is logged in with, which an earlier run could not note.
    FoundStored,
    FoundIdle,
    FoundInUse,
    Removed,
    Failed(Trouble),
}

/// What did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Journal,
    /// `nothing_made`: the service says that it made no key.
    Mint {
        nothing_made: bool,
    },
    Keep,
    Fetch,
    Deliver,
    Verify,
    Check,
    Adopt,
    Drop,
    Retire,
    Revoke,
    Look,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Write the record to the journal.
    Record,
    /// Ask for the new key, always with the same request.
    Mint,
    /// Keep the plaintext until it is delivered.
    Keep,
    /// Get the plaintext from where it is kept.
    Fetch,
    Deliver(usize),
    /// Call the service with the new key until it is accepted.
    Verify,
    /// Ask the user's command whether the new key works.
    Check,
    /// Make it the stored credential.
    Adopt,
    /// Delete the kept plaintext.
    Drop,
    Retire(How),
    /// Revoke the new key.
    RevokeNew,
    /// Find out whether somebody still uses the old key.
    LookAtUse,
    /// Remove the record from the journal.
    Remove,
    Stop(Stop),
}

/// How an old key is retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Revoke,
    /// To end so many seconds from now, or when it ends anyway.
    EndAfter(i64),
}

/// Why nothing more happens in this run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stop {
    /// The new key is live and the old one retired.
    Done,
    /// The new key is live, the old one stays until it is retired.
    Waiting,
    Aborted,
    /// The service refused to make a key, and made none before.
    Refused,
    /// The journal is gone, and nobody knows whether a key was made.
    Forgotten,
    /// The new key is live, so that it cannot be taken back.
    TooLate,
    /// The new key is not live, so that the old one must stay.
    NotLive,
    InUse,
    /// Asking again might make a second key.
    Stale,
    Unseen,
    /// The service made a second key.
    Stray(Successor),
    Failed(Trouble),
}

impl State {
    /// A rotation that begins.
    pub(crate) fn fresh(record: Record) -> Self {
        let memory = Memory { may_repeat: true, ..Memory::default() };
        Self { record, goal: Goal::Complete, memory }
    }

    /// A rotation that an earlier run began.
    pub(crate) fn resumed(record: Record, goal: Goal, facts: &Facts, now: Timestamp) -> Self {
        let may_repeat = record.may_repeat(facts, now);
        Self { record, goal, memory: Memory { resumed: true, may_repeat, ..Memory::default() } }
    }

    /// The same, where the request cannot be sent again: another key would ask for it now.
    pub(crate) const fn without_repeating(mut self) -> Self {
        self.memory.may_repeat = false;
        self
    }

    fn to(&mut self, step: Step) -> Effect {
        self.record.step = step;
        Effect::Record
    }

    /// What there is to do by the record.
    fn act(&mut self, now: Timestamp) -> Effect {
        match (self.goal, self.record.step) {
            (_, Step::Aborting) => self.take_back(),
            (Goal::Retire { force }, Step::Live | Step::Waiting) => self.retire(force),
            (Goal::Retire { .. }, _) => Effect::Stop(Stop::NotLive),
            (Goal::Abort, Step::Adopted | Step::Live | Step::Waiting) => Effect::Stop(Stop::TooLate),
            // Only the service knows whether it made a key; asked again, it names it.
            (Goal::Abort, Step::Intended) if self.memory.may_repeat => Effect::Mint,
            (Goal::Abort, Step::Intended) => Effect::Remove,
            (Goal::Abort, Step::Minted | Step::Verified) => self.to(Step::Aborting),
            (Goal::Complete, Step::Intended) if self.memory.orphan => Effect::Stop(Stop::Unseen),
            (Goal::Complete, Step::Intended) if self.memory.may_repeat => Effect::Mint,
            (Goal::Complete, Step::Intended) => Effect::Stop(Stop::Stale),
            (Goal::Complete, Step::Minted) => self.hand_over(),
            (Goal::Complete, Step::Verified) if self.record.is_stored_credential => self.with_plaintext(Effect::Adopt),
            (Goal::Complete, Step::Verified | Step::Adopted) => {
                self.record.live_at = Some(now);
                self.to(Step::Live)
            }
            (Goal::Complete, Step::Live) if !self.memory.dropped => Effect::Drop,
            (Goal::Complete, Step::Live) => match self.record.retirement {
                Retirement::AtOnce => Effect::Retire(How::Revoke),
                Retirement::Ending { seconds } => Effect::Retire(How::EndAfter(seconds)),
                Retirement::Staying { .. } => self.to(Step::Waiting),
            },
            (Goal::Complete, Step::Waiting) => Effect::Stop(Stop::Waiting),
        }
    }

    /// Into all places, and then verified.
    fn hand_over(&mut self) -> Effect {
        let pending = self.record.places.iter().position(|place| !place.done);
        let effect = match pending {
            Some(place) => Effect::Deliver(place),
            None if !self.memory.accepted => Effect::Verify,
            None if self.record.check.is_some() => Effect::Check,
            None => return self.to(Step::Verified),
        };
        self.with_plaintext(effect)
    }

    /// An effect that needs the plaintext, or what gets hold of it first.
    fn with_plaintext(&self, effect: Effect) -> Effect {
        if self.memory.holds {
            effect
        } else if self.record.kept.is_some() && !self.memory.unreadable {
            Effect::Fetch
        } else if self.memory.may_repeat {
            Effect::Mint
        } else {
            Effect::Stop(Stop::Failed(Trouble::Fetch))
        }
    }

    fn retire(&self, force: bool) -> Effect {
        if !self.memory.dropped {
            Effect::Drop
        } else if force || self.memory.idle {
            Effect::Retire(How::Revoke)
        } else {
            Effect::LookAtUse
        }
    }

    fn take_back(&self) -> Effect {
        if !self.memory.revoked {
            Effect::RevokeNew
        } else if !self.memory.dropped {
            Effect::Drop
        } else {
            Effect::Remove
        }
    }

    fn minted(&mut self, successor: Successor, now: Timestamp) -> Effect {
        if self.record.new.as_ref().is_some_and(|known| known.id != successor.id) {
            return Effect::Stop(Stop::Stray(successor));
        }
        self.memory.holds = true;
        self.record.new = Some(successor);
        match self.record.step {
            Step::Intended if self.goal == Goal::Abort => self.to(Step::Aborting),
            Step::Intended if self.record.keeps => Effect::Keep,
            Step::Intended => self.to(Step::Minted),
            _ => self.act(now),
        }
    }

    fn minted_unseen(&mut self, successor: Successor) -> Effect {
        if self.record.step != Step::Intended {
            return Effect::Stop(Stop::Failed(Trouble::Fetch));
        }
        self.record.new = Some(successor);
        self.memory.orphan = true;
        if self.goal == Goal::Abort { self.to(Step::Aborting) } else { Effect::Record }
    }

    fn removed(&self) -> Stop {
        match (self.goal, self.record.step) {
            (Goal::Complete, Step::Intended) => Stop::Refused,
            (Goal::Abort, Step::Intended) if !self.memory.refused => Stop::Forgotten,
            (_, Step::Aborting) | (Goal::Abort, _) => Stop::Aborted,
            _ => Stop::Done,
        }
    }

    fn failed(&mut self, trouble: Trouble) -> Effect {
        match trouble {
            // Where an earlier run may have made a key, a refusal of today does not say that it did not.
            Trouble::Mint { nothing_made: true }
                if self.record.step == Step::Intended && (!self.memory.resumed || self.goal == Goal::Abort) =>
            {
                self.memory.refused = true;
                Effect::Remove
            }
            Trouble::Fetch => {
                self.memory.unreadable = true;
                self.with_plaintext(Effect::Stop(Stop::Failed(trouble)))
            }
            _ => Effect::Stop(Stop::Failed(trouble)),
        }
    }
}

/// Decides what follows from an event.
pub(crate) fn next(mut state: State, event: Event, now: Timestamp) -> (State, Effect) {
    let effect = match event {
        Event::Begun | Event::Recorded => state.act(now),
        Event::Minted(successor) => state.minted(successor, now),
        Event::MintedUnseen(successor) => state.minted_unseen(successor),
        Event::Kept(kept) => {
            state.record.kept = Some(kept);
            state.to(Step::Minted)
        }
        Event::Fetched => {
            state.memory.holds = true;
            state.act(now)
        }
        Event::Delivered(place) => {
            if let Some(place) = state.record.places.get_mut(place) {
                place.done = true;
            }
            Effect::Record
        }
        Event::Accepted => {
            state.memory.accepted = true;
            state.act(now)
        }
        Event::Checked => state.to(Step::Verified),
        Event::Adopted | Event::FoundStored => state.to(Step::Adopted),
        Event::Dropped => {
            state.memory.dropped = true;
            state.act(now)
        }
        Event::Retired => Effect::Remove,
        Event::Revoked => {
            state.memory.revoked = true;
            state.act(now)
        }
        Event::FoundIdle => {
            state.memory.idle = true;
            state.act(now)
        }
        Event::FoundInUse => Effect::Stop(Stop::InUse),
        Event::Removed => Effect::Stop(state.removed()),
        Event::Failed(trouble) => state.failed(trouble),
    };
    (state, effect)
}
