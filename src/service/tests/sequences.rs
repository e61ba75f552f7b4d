//! Any sequence of operations, against a model small enough to be right by inspection.

use proptest::collection::vec;
use proptest::prelude::*;

use super::audit::assert_chain;
use super::*;
use crate::model::state::State;
use crate::testing::{at, on_each_database};

/// One step. Numbers pick among the keys there are and the few names there are.
#[derive(Debug, Clone)]
enum Step {
    Create { name: u8, admin: bool, lives: Option<u8> },
    Rename { key: u8, name: u8 },
    Permit { key: u8, admin: bool },
    End { key: u8, lives: Option<u8> },
    Revoke { key: u8 },
    Reactivate { key: u8 },
    Delete { key: u8 },
    Wait { seconds: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0_u8..3;
    let lives = || proptest::option::of(1_u8..20);
    prop_oneof![
        4 => (name.clone(), any::<bool>(), lives())
            .prop_map(|(name, admin, lives)| Step::Create { name, admin, lives }),
        2 => (any::<u8>(), name).prop_map(|(key, name)| Step::Rename { key, name }),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(key, admin)| Step::Permit { key, admin }),
        2 => (any::<u8>(), lives()).prop_map(|(key, lives)| Step::End { key, lives }),
        2 => any::<u8>().prop_map(|key| Step::Revoke { key }),
        2 => any::<u8>().prop_map(|key| Step::Reactivate { key }),
        1 => any::<u8>().prop_map(|key| Step::Delete { key }),
        2 => (1_u8..15).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// A key as the model knows it.
#[derive(Debug, Clone, PartialEq)]
struct Modelled {
    id: String,
    plain: String,
    name: String,
    admin: bool,
    end: Option<i64>,
    revoked: bool,
}

impl Modelled {
    fn state(&self, now: i64) -> State {
        let revoked = self.revoked.then_some(START);
        State::of(revoked, self.end.map(at), at(now))
    }
}

#[derive(Debug, Default)]
struct Model {
    keys: Vec<Modelled>,
    now: i64,
    entries: i64,
}

impl Model {
    fn picked(&self, number: u8) -> usize {
        usize::from(number) % self.keys.len()
    }

    /// What a step that leaves key `index` as `after` (or removes it) is answered with, and what then is.
    fn change(&mut self, index: usize, after: Option<Modelled>) -> &'static str {
        let now = self.now;
        let before = self.keys[index].clone();
        if after.as_ref() == Some(&before) {
            return "done";
        }
        let manages = |key: &Modelled| key.admin && key.state(now) == State::Active;
        let less = after.as_ref().is_none_or(|after| {
            !after.admin
                || after.revoked && !before.revoked
                || after.end.is_some_and(|end| before.end.is_none_or(|old| end < old))
        });
        let others = || self.keys.iter().enumerate().filter(|(other, _)| *other != index);
        if less && manages(&before) && !others().any(|(_, key)| manages(key)) {
            return "last_admin_key";
        }
        if let Some(after) = &after
            && after.state(now) == State::Active
            && others().any(|(_, key)| key.name == after.name && key.state(now) == State::Active)
        {
            return "duplicate_name";
        }
        self.entries += 1;
        match after {
            Some(after) => self.keys[index] = after,
            None => drop(self.keys.remove(index)),
        }
        "done"
    }
}

fn permissions(admin: bool) -> &'static [&'static str] {
    if admin { &[ADMIN, "read"] } else { &["read"] }
}

struct Run<'a> {
    bench: Bench<'a>,
    admin: Caller,
    model: Model,
}

impl Run<'_> {
    async fn step(&mut self, step: &Step) {
        let now = self.model.now;
        // Whoever acts is looked at again under the lock, so somebody acts who may: as long as there is anybody.
        let may_act = |key: &&Modelled| key.admin && key.state(now) == State::Active;
        let actor = self.model.keys.iter().find(may_act).map(|key| key.plain.clone());
        match actor {
            Some(plain) => self.admin = self.bench.caller(&plain, at(now)).await,
            None if matches!(step, Step::Wait { .. }) => {}
            None => return,
        }
        let (real, expected) = match *step {
            Step::Wait { seconds } => {
                self.model.now += i64::from(seconds);
                return;
            }
            Step::Create { name, admin, lives } => self.create(name, admin, lives).await,
            Step::Rename { key, name } => {
                let name = format!("name {name}");
                self.edit(key, &renamed(&name), |key| key.name.clone_from(&name)).await
            }
            Step::Permit { key, admin } => {
                self.edit(key, &permitted(permissions(admin)), |key| key.admin = admin).await
            }
            Step::End { key, lives } => {
                let end = lives.map(|lives| now + i64::from(lives));
                self.edit(key, &ends(end.map(at)), |key| key.end = end).await
            }
            Step::Revoke { key } => self.switch(key, true).await,
            Step::Reactivate { key } => self.switch(key, false).await,
            Step::Delete { key } => {
                let index = self.model.picked(key);
                let id = self.model.keys[index].id.clone();
                let real = self.bench.delete(&self.admin, &id, at(now)).await;
                (outcome(real), self.model.change(index, None))
            }
        };
        assert_eq!(real, expected, "{step:?} at {now} on {:?}", self.model);
    }

    async fn create(&mut self, name: u8, admin: bool, lives: Option<u8>) -> (String, &'static str) {
        let now = self.model.now;
        let end = lives.map(|lives| now + i64::from(lives));
        let mut new = new_key(&format!("name {name}"), permissions(admin));
        new.lifetime = end.map_or(Lifetime::Never, |end| Lifetime::At(at(end)));
        let mut key = Modelled {
            id: String::new(),
            plain: String::new(),
            name: new.name.as_str().to_owned(),
            admin,
            end,
            revoked: true,
        };
        self.model.keys.push(key.clone());
        let index = self.model.keys.len() - 1;
        key.revoked = false;
        let expected = self.model.change(index, Some(key));
        match self.bench.create(&self.admin, &new, at(now)).await {
            Ok(made) => {
                self.model.keys[index].id = made.id;
                self.model.keys[index].plain = made.plain;
                ("done".to_owned(), expected)
            }
            Err(refusal) => {
                self.model.keys.remove(index);
                (code(&refusal), expected)
            }
        }
    }

    async fn edit(&mut self, key: u8, change: &KeyChange, apply: impl FnOnce(&mut Modelled)) -> (String, &'static str) {
        let index = self.model.picked(key);
        let mut after = self.model.keys[index].clone();
        apply(&mut after);
        let now = at(self.model.now);
        let real = self.bench.edit(&self.admin, &after.id, change, now).await;
        (outcome(real), self.model.change(index, Some(after)))
    }

    async fn switch(&mut self, key: u8, revoked: bool) -> (String, &'static str) {
        let index = self.model.picked(key);
        let mut after = self.model.keys[index].clone();
        after.revoked = revoked;
        let now = at(self.model.now);
        let real = if revoked {
            self.bench.revoke(&self.admin, &after.id, now).await
        } else {
            self.bench.reactivate(&self.admin, &after.id, now).await
        };
        (outcome(real), self.model.change(index, Some(after)))
    }

    /// Everything the engine says agrees with the model.
    async fn compare(&self) {
        let now = at(self.model.now);
        let (stored, _) = self.bench.service.list_keys(&self.admin, &everything(), now).await.unwrap();
        assert_eq!(stored.len(), self.model.keys.len());
        for key in &self.model.keys {
            let found = stored.iter().find(|stored| stored.id.as_str() == key.id);
            let found = found.unwrap();
            assert_eq!(found.name, key.name);
            assert_eq!(found.permissions, held(permissions(key.admin)));
            assert_eq!(found.expires_at, key.end.map(at));
            assert_eq!(found.state(now), key.state(self.model.now));
            let expected = match key.state(self.model.now) {
                State::Active => "let in",
                State::Revoked => "revoked_key",
                State::Expired => "invalid_key",
            };
            assert_eq!(self.bench.refused(&key.plain, now).await, expected);
        }
        let entries = self.bench.database.count("audit_entries").await;
        assert_eq!(entries, self.model.entries);
        assert_chain(self.bench.database, &self.admin.workspace().id).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_engine_does_what_the_model_says(steps in vec(step(), 1..25)) {
        on_each_database(async |database| {
            let bench = Bench::open(database).await;
            let (admin, first) = bench.workspace("acme").await;
            let first = Modelled {
                id: first.key.id.to_string(),
                plain: first.plain.expose().to_owned(),
                name: "admin".to_owned(),
                admin: true,
                end: None,
                revoked: false,
            };
            let model = Model { keys: vec![first], now: 0, entries: 1 };
            let mut run = Run { bench, admin, model };
            // The first key holds everything; the model knows only two permissions, and one tier.
            let narrowed = KeyChange { tier: Some(Tier::Standard), ..permitted(permissions(true)) };
            let id = run.model.keys[0].id.clone();
            run.bench.edit(&run.admin, &id, &narrowed, START).await.unwrap();
            run.model.entries += 1;
            for step in &steps {
                run.step(step).await;
            }
            run.compare().await;
        });
    }
}
