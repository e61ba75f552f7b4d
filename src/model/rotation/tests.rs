//! Rotations in a world of a service, a journal, places and a keyring, in which the program dies and everything fails, at
//! any moment and in any order.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::key::KeyId;
use crate::model::key::tests::key;

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const DAY: i64 = 86_400;

fn facts(naming: Naming, edits_expiry: bool) -> Facts {
    Facts { naming, edits_expiry, replays_for: SignedDuration::from_hours(24) }
}

fn record(places: usize, own: bool, check: bool, keeps: bool, retirement: Retirement) -> Record {
    let old = key("old", "ci");
    Record {
        version: Record::VERSION,
        id: "rot_1".to_owned(),
        begun_at: NOW,
        service: Where { provider: "native".to_owned(), profile: None, api_url: None },
        caller: None,
        request: Request::like(&old, "ci".to_owned(), true),
        old: Old { id: old.id, name: old.name, prefix: old.prefix },
        idempotency_key: "once".to_owned(),
        places: (0..places).map(|_| Place { to: Some("file:key".to_owned()), done: false }).collect(),
        directory: None,
        check: check.then(|| "true".to_owned()),
        verify_seconds: 60,
        retirement,
        compromised: false,
        keeps,
        is_own: own,
        is_stored_credential: own,
        step: Step::Intended,
        new: None,
        kept: None,
        live_at: None,
    }
}

fn successor(id: &str) -> Successor {
    Successor { id: KeyId::new(id), name: "ci".to_owned(), prefix: id.to_owned(), described: Value::Null }
}

/// What becomes of one effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Works,
    /// It is not done, and this is known.
    Fails,
    /// It is done, and this is not known.
    Lost,
    DiesBefore,
    DiesAfter,
    /// The service does not show the plaintext it made earlier.
    Unseen,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Works),
        2 => Just(Fate::Fails),
        2 => Just(Fate::Lost),
        3 => Just(Fate::DiesBefore),
        3 => Just(Fate::DiesAfter),
        1 => Just(Fate::Unseen),
    ]
}

fn goal() -> impl Strategy<Value = Goal> {
    prop_oneof![
        6 => Just(Goal::Complete),
        2 => Just(Goal::Abort),
        1 => Just(Goal::Retire { force: false }),
        1 => Just(Goal::Retire { force: true }),
    ]
}

/// Everything that outlives a run of the program.
struct World {
    facts: Facts,
    now: Timestamp,
    journal: Option<Record>,
    old_works: bool,
    /// The successors, and whether each works.
    made: Vec<(String, bool)>,
    /// What the same request gets again.
    answer: Option<String>,
    answered_at: Timestamp,
    kept: Option<String>,
    places: Vec<Option<String>>,
    verified: Option<String>,
    stored: Option<String>,
    in_use: bool,
    begun: bool,
    told: bool,
}

impl World {
    fn new(facts: Facts, first: Record) -> Self {
        Self {
            facts,
            now: NOW,
            places: vec![None; first.places.len()],
            journal: Some(first),
            old_works: true,
            made: Vec::new(),
            answer: None,
            answered_at: NOW,
            kept: None,
            verified: None,
            stored: None,
            in_use: false,
            begun: false,
            told: false,
        }
    }

    fn works(&self, id: &str) -> bool {
        self.made.iter().any(|(made, works)| made == id && *works)
    }

    fn working(&self) -> Vec<&String> {
        self.made.iter().filter(|(_, works)| *works).map(|(id, _)| id).collect()
    }

    /// One run of the program; `None` is one that died.
    fn run(&mut self, goal: Goal, fates: &mut dyn Iterator<Item = Fate>) -> Option<Stop> {
        let record = self.journal.clone()?;
        let resumed = self.begun;
        let mut state =
            if resumed { State::resumed(record, goal, &self.facts, self.now) } else { State::fresh(record) };
        self.begun = true;
        let (mut event, mut holds) = (Event::Begun, None);
        for _ in 0..60 {
            let (after, effect) = next(state, event, self.now);
            state = after;
            if let Effect::Stop(stop) = effect {
                self.check();
                return Some(stop);
            }
            let fate = fates.next().unwrap_or(Fate::Works);
            if fate == Fate::DiesBefore {
                return None;
            }
            event = self.perform(&state, &effect, fate, resumed, &mut holds);
            self.check();
            if fate == Fate::DiesAfter {
                return None;
            }
        }
        panic!("it goes round in circles: {state:?}");
    }

    fn perform(
        &mut self,
        state: &State,
        effect: &Effect,
        fate: Fate,
        resumed: bool,
        holds: &mut Option<String>,
    ) -> Event {
        let record = &state.record;
        let new = record.new.as_ref().map(|new| new.id.as_str().to_owned());
        let fails = fate == Fate::Fails;
        let failed = |trouble| Event::Failed(trouble);
        match effect {
            Effect::Record | Effect::Remove if fails => failed(Trouble::Journal),
            Effect::Record => {
                self.journal = Some(record.clone());
                Event::Recorded
            }
            Effect::Mint => self.mint(fate, resumed, holds),
            Effect::Keep if fails => failed(Trouble::Keep),
            Effect::Keep => {
                self.kept.clone_from(holds);
                if fate == Fate::Lost { failed(Trouble::Keep) } else { Event::Kept(Kept::File) }
            }
            Effect::Fetch if fails || self.kept.is_none() => failed(Trouble::Fetch),
            Effect::Fetch => {
                holds.clone_from(&self.kept);
                Event::Fetched
            }
            Effect::Deliver(_) if fails => failed(Trouble::Deliver),
            Effect::Deliver(place) => {
                assert!(holds.is_some() && *holds == new, "a place gets the new key, and only from who has it");
                assert!(!record.keeps || self.kept.is_some() || resumed, "nothing is delivered that is not kept");
                self.places[*place].clone_from(holds);
                if fate == Fate::Lost { failed(Trouble::Deliver) } else { Event::Delivered(*place) }
            }
            Effect::Verify | Effect::Check if fails => failed(Trouble::Verify),
            Effect::Verify => {
                assert!(holds.as_deref().is_some_and(|id| self.works(id)));
                assert!(self.places.iter().all(|place| place == holds), "delivered before it is verified");
                self.verified.clone_from(holds);
                Event::Accepted
            }
            Effect::Check => Event::Checked,
            Effect::Adopt if fails => failed(Trouble::Adopt),
            Effect::Adopt => {
                assert!(self.verified.is_some() && self.verified == *holds, "what is stored has been verified");
                self.stored.clone_from(holds);
                if fate == Fate::Lost { failed(Trouble::Adopt) } else { Event::Adopted }
            }
            _ => self.perform_late(state, effect, fate),
        }
    }

    /// The steps once the new key is verified, and those that take it back.
    fn perform_late(&mut self, state: &State, effect: &Effect, fate: Fate) -> Event {
        let record = &state.record;
        let new = record.new.as_ref().map(|new| new.id.as_str().to_owned());
        let fails = fate == Fate::Fails;
        let failed = |trouble| Event::Failed(trouble);
        match effect {
            Effect::Drop if fails => failed(Trouble::Drop),
            Effect::Drop => {
                let step = self.journal.as_ref().map(|record| record.step);
                assert!(step.is_some_and(|step| step >= Step::Live), "kept until the journal says live: {step:?}");
                self.kept = None;
                Event::Dropped
            }
            Effect::Retire(_) if fails => failed(Trouble::Retire),
            Effect::Retire(_) => {
                let journal = self.journal.as_ref().unwrap();
                assert!(matches!(journal.step, Step::Live | Step::Waiting), "the old key is never touched before");
                assert_eq!((&self.verified, &self.kept), (&new, &None));
                assert!(self.places.iter().all(|place| *place == new));
                assert!(!record.is_stored_credential || self.stored == new, "locked out");
                self.old_works = false;
                if fate == Fate::Lost { failed(Trouble::Retire) } else { Event::Retired }
            }
            Effect::RevokeNew if fails => failed(Trouble::Revoke),
            Effect::RevokeNew if self.stored.is_some() && self.stored == new => Event::FoundStored,
            Effect::RevokeNew => {
                assert!(self.old_works, "the new key is taken back only where the old one works");
                let new = new.unwrap();
                self.made.iter_mut().filter(|(id, _)| *id == new).for_each(|(_, works)| *works = false);
                if fate == Fate::Lost { failed(Trouble::Revoke) } else { Event::Revoked }
            }
            Effect::LookAtUse if fails => failed(Trouble::Look),
            Effect::LookAtUse if self.in_use => Event::FoundInUse,
            Effect::LookAtUse => Event::FoundIdle,
            Effect::Remove => {
                self.journal = None;
                // Whoever aborts when it is too late to ask is told that a key may be left.
                self.told = self.now > NOW && record.step == Step::Intended;
                Event::Removed
            }
            _ => unreachable!(),
        }
    }

    /// As a service does it: the same request gets the same answer for a day, and a name is given once.
    fn mint(&mut self, fate: Fate, resumed: bool, holds: &mut Option<String>) -> Event {
        if fate == Fate::Fails {
            return Event::Failed(Trouble::Mint { nothing_made: !resumed });
        }
        let forgotten = self.now.duration_since(self.answered_at) > SignedDuration::from_hours(24);
        let known = self.answer.clone().filter(|_| !forgotten);
        let id = match known {
            Some(id) if !self.works(&id) => return Event::Failed(Trouble::Mint { nothing_made: true }),
            Some(id) if fate == Fate::Unseen => return Event::MintedUnseen(successor(&id)),
            Some(id) => id,
            None if self.facts.naming.is_unique() && !self.working().is_empty() => {
                return Event::Failed(Trouble::Mint { nothing_made: false });
            }
            None => {
                let id = format!("new_{}", self.made.len());
                self.made.push((id.clone(), true));
                (self.answer, self.answered_at) = (Some(id.clone()), self.now);
                id
            }
        };
        if fate == Fate::Lost {
            return Event::Failed(Trouble::Mint { nothing_made: false });
        }
        *holds = Some(id.clone());
        Event::Minted(successor(&id))
    }

    /// What holds at every moment, whatever died.
    fn check(&self) {
        let consumer = !self.places.is_empty() || self.stored.is_some();
        let new_is_known = self.places.iter().all(|place| place.as_deref().is_some_and(|id| self.works(id)));
        assert!(self.old_works || (consumer && new_is_known), "no key that the consumer knows works");
        let working = self.working();
        assert!(working.len() <= 1, "more than one key too many: {working:?}");
        if let ([extra], true) = (working.as_slice(), self.old_works && !self.told) {
            let record = self.journal.as_ref().expect("a key that nobody knows of");
            let named = record.new.as_ref().is_some_and(|new| new.id.as_str() == extra.as_str());
            assert!(named || record.step == Step::Intended, "a key that the journal does not name");
        }
    }

    /// A run in which nothing dies or fails.
    fn calm(&mut self, goal: Goal) -> Option<Stop> {
        self.run(goal, &mut std::iter::empty())
    }
}

fn any_naming() -> impl Strategy<Value = (Naming, bool)> {
    prop_oneof![
        Just((Naming::TakenOver, true)),
        Just((Naming::Dated, false)),
        Just((Naming::Shared, false)),
        Just((Naming::Shared, true)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whatever_dies_a_resume_comes_to_an_end_and_no_key_is_lost(
        (naming, edits_expiry) in any_naming(),
        places in 0_usize..4,
        own: bool,
        check: bool,
        keeps: bool,
        grace in prop::option::of(1_i64..DAY),
        runs in prop::collection::vec((goal(), prop::collection::vec(fate(), 0..24)), 0..6),
        last in prop_oneof![3 => Just(Goal::Complete), 1 => Just(Goal::Abort)],
    ) {
        let facts = facts(naming, edits_expiry);
        // A key that goes nowhere else is the stored credential.
        let own = own || places == 0;
        let grace = grace.and_then(crate::model::lifetime::Age::from_seconds);
        let mut world = World::new(facts, record(places, own, check, keeps, Retirement::planned(grace, &facts)));
        for (number, (goal, fates)) in runs.into_iter().enumerate() {
            let goal = if number == 0 { Goal::Complete } else { goal };
            let stop = world.run(goal, &mut fates.into_iter());
            // The journal is there as long as there is something to do, and no longer.
            let over = matches!(stop, Some(Stop::Done | Stop::Aborted | Stop::Refused | Stop::Forgotten));
            prop_assert!(!(over && world.journal.is_some()), "{stop:?}");
            prop_assert!(!matches!(stop, Some(Stop::Stray(_) | Stop::Forgotten | Stop::Stale)), "{stop:?}");
        }
        let began_here = !world.begun;
        let last = if began_here { Goal::Complete } else { last };
        let existed = world.journal.is_some();
        match world.calm(last) {
            None => prop_assert!(!existed),
            Some(Stop::Done) => prop_assert!(!world.old_works && world.kept.is_none() && world.journal.is_none()),
            Some(Stop::Waiting) => {
                // An answer that was lost may have retired the old key already.
                prop_assert!(world.kept.is_none());
                world.in_use = true;
                prop_assert_eq!(world.calm(Goal::Retire { force: false }), Some(Stop::InUse));
                world.in_use = false;
                prop_assert_eq!(world.calm(Goal::Retire { force: false }), Some(Stop::Done));
                prop_assert!(!world.old_works && world.journal.is_none());
            }
            Some(Stop::Aborted) => {
                prop_assert!(world.old_works && world.working().is_empty());
                prop_assert!(world.kept.is_none() && world.journal.is_none());
            }
            // It cannot be taken back any longer, and goes on.
            Some(Stop::TooLate) => {
                prop_assert_eq!(last, Goal::Abort);
                let stop = world.calm(Goal::Complete);
                prop_assert!(matches!(stop, Some(Stop::Done | Stop::Waiting)), "{:?}", stop);
            }
            Some(stop) => prop_assert!(false, "it does not come to an end: {stop:?}"),
        }
    }

    #[test]
    fn a_day_later_nothing_is_asked_for_that_might_make_a_second_key(
        (naming, edits_expiry) in any_naming(),
        fates in prop::collection::vec(fate(), 0..24),
        last in prop_oneof![Just(Goal::Complete), Just(Goal::Abort)],
        later in 0_usize..3,
    ) {
        let facts = facts(naming, edits_expiry);
        let mut world = World::new(facts, record(1, false, false, true, Retirement::AtOnce));
        world.run(Goal::Complete, &mut fates.into_iter());
        for _ in 0..=later {
            world.now += SignedDuration::from_hours(25);
            let stop = world.calm(last);
            prop_assert!(world.made.len() <= 1, "a second key");
            prop_assert!(!matches!(stop, Some(Stop::Stray(_))));
        }
    }
}

fn goes(record: Record, goal: Goal, events: &[Event]) -> Vec<Effect> {
    let facts = facts(Naming::TakenOver, true);
    let mut state = State::resumed(record, goal, &facts, NOW);
    let mut effects = Vec::new();
    for event in std::iter::once(&Event::Begun).chain(events) {
        let (after, effect) = next(state, event.clone(), NOW);
        state = after;
        effects.push(effect);
    }
    effects
}

#[test]
fn the_order_is_law() {
    let grace = Retirement::Ending { seconds: 60 };
    let effects = goes(
        record(2, true, true, true, grace),
        Goal::Complete,
        &[
            Event::Minted(successor("new")),
            Event::Kept(Kept::Keyring),
            Event::Recorded,
            Event::Delivered(0),
            Event::Recorded,
            Event::Delivered(1),
            Event::Recorded,
            Event::Accepted,
            Event::Checked,
            Event::Recorded,
            Event::Adopted,
            Event::Recorded,
            Event::Recorded,
            Event::Dropped,
            Event::Retired,
            Event::Removed,
        ],
    );
    let expected = [
        Effect::Mint,
        Effect::Keep,
        Effect::Record,
        Effect::Deliver(0),
        Effect::Record,
        Effect::Deliver(1),
        Effect::Record,
        Effect::Verify,
        Effect::Check,
        Effect::Record,
        Effect::Adopt,
        Effect::Record,
        Effect::Record,
        Effect::Drop,
        Effect::Retire(How::EndAfter(60)),
        Effect::Remove,
        Effect::Stop(Stop::Done),
    ];
    assert_eq!(effects, expected);
}

#[test]
fn a_plaintext_that_cannot_be_read_is_asked_for_again() {
    let mut minted = record(1, false, false, true, Retirement::AtOnce);
    (minted.step, minted.new, minted.kept) = (Step::Minted, Some(successor("new")), Some(Kept::Keyring));
    let again = Event::Minted(successor("new"));
    let effects = goes(minted.clone(), Goal::Complete, &[Event::Failed(Trouble::Fetch), again]);
    assert_eq!(effects, [Effect::Fetch, Effect::Mint, Effect::Deliver(0)]);
    let other = Event::Minted(successor("other"));
    let effects = goes(minted.clone(), Goal::Complete, &[Event::Failed(Trouble::Fetch), other]);
    assert_eq!(effects[2], Effect::Stop(Stop::Stray(successor("other"))));
    // Where a second request might make a second key, it is not sent.
    let shared = facts(Naming::Shared, false);
    let state = State::resumed(minted, Goal::Complete, &shared, NOW + SignedDuration::from_hours(24));
    let (state, effect) = next(state, Event::Begun, NOW);
    assert_eq!(effect, Effect::Fetch);
    let (_, effect) = next(state, Event::Failed(Trouble::Fetch), NOW);
    assert_eq!(effect, Effect::Stop(Stop::Failed(Trouble::Fetch)));
}

#[test]
fn a_key_whose_plaintext_is_not_shown_again_is_named_and_can_be_taken_back() {
    let first = record(1, false, false, true, Retirement::AtOnce);
    let unseen = Event::MintedUnseen(successor("new"));
    let effects = goes(first.clone(), Goal::Complete, &[unseen.clone(), Event::Recorded]);
    assert_eq!(effects, [Effect::Mint, Effect::Record, Effect::Stop(Stop::Unseen)]);
    let effects = goes(first, Goal::Abort, &[unseen, Event::Recorded, Event::Revoked, Event::Dropped, Event::Removed]);
    let expected =
        [Effect::Mint, Effect::Record, Effect::RevokeNew, Effect::Drop, Effect::Remove, Effect::Stop(Stop::Aborted)];
    assert_eq!(effects, expected);
}

#[test]
fn a_successor_is_asked_for_with_what_the_key_has() {
    let made = Timestamp::from_second(1_000 * DAY).unwrap();
    let mut old = key("old", "ci");
    assert_eq!(Request::like(&old, "ci".to_owned(), false).lifetime, "never");
    old.expires_at = Some(made + SignedDuration::from_hours(90 * 24));
    assert_eq!(Request::like(&old, "ci".to_owned(), false).lifetime, "1972-12-26T00:00:00Z");
    old.created_at = Some(made);
    let request = Request::like(&old, "ci".to_owned(), true);
    assert_eq!((request.lifetime.as_str(), request.replaces.as_ref()), ("90d", Some(&old.id)));
    assert_eq!(request.to_new_key().unwrap().lifetime.to_string(), "90d");
    old.temporary = true;
    let request = Request::like(&old, "ci".to_owned(), true);
    assert_eq!((request.lifetime.as_str(), request.temporary), ("never", true));
}

#[test]
fn an_old_key_is_in_use_when_it_was_used_lately_and_since_the_new_one_is_live() {
    let mut live = record(1, false, false, true, Retirement::Staying { seconds: DAY });
    assert_eq!(live.due_at(), None);
    (live.step, live.live_at) = (Step::Waiting, Some(NOW));
    assert_eq!(live.due_at(), Some(NOW + SignedDuration::from_secs(DAY)));
    let idle = "1h".parse().unwrap();
    let used = |seconds: i64| Some(NOW + SignedDuration::from_secs(seconds));
    let later = NOW + SignedDuration::from_secs(7_200);
    assert!(!live.is_in_use(None, idle, later) && !live.is_in_use(used(-1), idle, later));
    assert!(!live.is_in_use(used(3_600), idle, later) && live.is_in_use(used(3_601), idle, later));
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    let mut record = record(2, true, true, true, Retirement::Staying { seconds: 5 });
    (record.new, record.kept, record.live_at) = (Some(successor("new")), Some(Kept::Keyring), Some(NOW));
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    assert!(text.contains(r#""retirement":{"kind":"staying","seconds":5}"#), "{text}");
}
