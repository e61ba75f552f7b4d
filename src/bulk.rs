//! The same thing done to several keys: each on its own, none of them stopping the others, and an account of all.

use std::cell::{Cell, RefCell};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::consent::Act;
use crate::exit::{Exit, Explain};
use crate::failure::{Failure, changed_or_not, meaning, quoted, whole_message};
use crate::http::{HttpError, IdempotencyKey};
use crate::known::Known;
use crate::model::key::Key;
use crate::output::{Output, key};
use crate::providers::Ability;
use crate::providers::client::Client;
use crate::terminal::Terminal;
use crate::{system, text};

/// What became of each key.
pub(crate) struct Account {
    verb: &'static str,
    /// The options that go on with the rest: consent that was given, a reason.
    options: String,
    done: Vec<Key>,
    failed: Vec<(Key, HttpError)>,
    /// Not reached, because somebody wanted this program to end.
    untried: Vec<Key>,
}

/// Whether a key that is revoked stays so.
fn is_for_good(client: &Client) -> bool {
    client.must_offer(Ability::Reactivate).is_err()
}

/// Revoking, as it is asked about.
pub(crate) fn revoking(client: &Client) -> Act<'static> {
    let warning = is_for_good(client).then_some("This cannot be undone: the service revokes for good.");
    Act { warning, ..Act::new("revoke") }
}

impl Account {
    /// `options` stand behind the keys in the line that goes on with the rest.
    pub(crate) const fn new(verb: &'static str, options: String) -> Self {
        Self { verb, options, done: Vec::new(), failed: Vec::new(), untried: Vec::new() }
    }

    /// Notes that a key is done, and how it looks now.
    pub(crate) fn done(&mut self, key: Key) {
        self.done.push(key);
    }

    /// Does something to each key; `said` tells people of what was done. One that fails does not stop the others, unless
    /// somebody wants this program to end.
    pub(crate) async fn each(
        &mut self,
        keys: Vec<Key>,
        act: impl AsyncFn(&Key) -> Result<Key, HttpError>,
        mut said: impl FnMut(&Key),
    ) {
        let mut keys = keys.into_iter();
        while let Some(key) = keys.next() {
            match act(&key).await {
                Ok(after) => {
                    said(&after);
                    self.done.push(after);
                }
                Err(error) => {
                    let ends = error.is_interruption();
                    self.failed.push((key, error));
                    if ends {
                        self.untried.extend(keys);
                        return;
                    }
                }
            }
        }
    }

    /// Revokes each key, and tells of it.
    pub(crate) async fn revoke(
        &mut self,
        keys: Vec<Key>,
        reason: Option<&str>,
        client: &Client,
        known: &Known,
        terminal: &mut Terminal,
    ) {
        let revoke = async |key: &Key| {
            let once = IdempotencyKey::fresh(&mut system::random);
            let after = client.revoke(&key.id, reason, &once).await?;
            Ok(after.unwrap_or_else(|| Key { revoked_at: Some(system::now()), ..key.clone() }))
        };
        let is_final = is_for_good(client);
        let said = |key: &Key| {
            known.note(key);
            terminal.say(&format!("Revoked key {} ({})", quoted(&key.name), key.id));
            if is_final {
                terminal.say("This cannot be undone; a new key is made with `keys create`");
            } else {
                terminal.say(&format!("Undo with: keys{} reactivate {}", client.flags(), key.id));
            }
        };
        self.each(keys, revoke, said).await;
    }

    /// Prints the account. A single failure is an error of its own kind; several keys of which some failed are exit code 9.
    pub(crate) fn finish(
        mut self,
        client: &Client,
        output: &Output,
        terminal: &mut Terminal,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        if self.failed.is_empty() {
            // People were told of each key already.
            return if output.is_for_people() { Ok(()) } else { self.print(output, terminal, now) };
        }
        if self.done.is_empty()
            && self.untried.is_empty()
            && self.failed.len() == 1
            && let Some((key, error)) = self.failed.pop()
        {
            let context = format!("could not {} the key {}", self.verb, quoted(&key.name));
            return Err(changed_or_not(error, context, client.flags(), &key));
        }
        Err(self.partial(client, now).into())
    }

    /// What is not done of several keys, and the line that goes on with it.
    fn partial(&self, client: &Client, now: Timestamp) -> Failure {
        let verb = self.verb;
        let mut reasons = String::new();
        let mut failures: Vec<Value> = Vec::new();
        let mut resume = format!("keys{} {verb}", client.flags());
        let failed = self.failed.iter().map(|(key, error)| (key, Some(error)));
        for (key, error) in failed.chain(self.untried.iter().map(|key| (key, None))) {
            let why = error.map_or_else(|| "not tried".to_owned(), ToString::to_string);
            reasons.extend(["\n  ", key.id.as_str(), "  ", &text::escape(&key.name), "  ", &why]);
            failures.push(json!({
                "id": key.id,
                "name": key.name,
                "code": error.map_or("untried", Explain::code),
                "message": why,
                "exit": error.map(|error| error.exit().code()),
            }));
            resume.extend([" ", key.id.as_str()]);
        }
        resume.push_str(&self.options);
        if self.options.contains(" --yes") {
            let confirmed = failures.iter().filter_map(|failure| failure["id"].as_str());
            resume.extend(confirmed.map(|id| text::option("--confirm", id)));
        }
        let done: Vec<Value> = self.done.iter().map(|key| key::json(key, now)).collect();
        let total = text::count(done.len() + failures.len(), "key");
        let interruption = self.failed.iter().map(|(_, error)| error).find(|error| error.is_interruption());
        let exit = interruption.map_or(Exit::Partial, Explain::exit);
        Failure::new(exit, "partial", format!("could not {verb} {} of {total}:{reasons}", failures.len()))
            .hint(format!("go on with the rest:\n  {resume}"))
            .details(json!({ "done": done, "failures": failures, "resume": resume }))
    }

    fn print(&self, output: &Output, terminal: &mut Terminal, now: Timestamp) -> anyhow::Result<()> {
        let mut list = output.list(terminal, &key::COLUMNS);
        for done in &self.done {
            list.row_of(terminal, || key::cells(done, now), || key::json(done, now))?;
        }
        Ok(list.finish(terminal, Value::Null)?)
    }
}

/// What is said while something is done to several things.
pub(crate) struct Words<T, D> {
    /// `Rotated`: of all together.
    pub(crate) verb: &'static str,
    /// What was done to one; nothing is said where it is empty.
    pub(crate) done: fn(&D) -> String,
    /// Whether nothing was left to do to one.
    pub(crate) there: fn(&D) -> bool,
    /// One that it could not be done to, before the reason.
    pub(crate) left: fn(&T) -> String,
}

/// Does something to each of several things, a few at a time, and tells of each. None stops the others; whoever interrupts
/// ends it all, with what is under way.
pub(crate) async fn each<T, D>(
    things: Vec<T>,
    jobs: u16,
    terminal: &RefCell<&mut Terminal>,
    words: &Words<T, D>,
    act: impl AsyncFn(&T) -> anyhow::Result<D>,
) -> (Vec<D>, Vec<(T, anyhow::Error)>) {
    let total = things.len();
    let stopped = Cell::new(false);
    let one = async |thing: T| {
        if stopped.get() {
            return Err((thing, Failure::new(Exit::Interrupted, "untried", "not tried").into()));
        }
        let outcome = act(&thing).await;
        outcome.map_err(|error| {
            if matches!(meaning(&error).0, Exit::Interrupted | Exit::Terminated) {
                stopped.set(true);
            }
            (thing, error)
        })
    };
    let mut outcomes = stream::iter(things.into_iter().map(one)).buffer_unordered(usize::from(jobs));
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    terminal.borrow_mut().progress(Some((0, total)));
    while let Some(outcome) = outcomes.next().await {
        let terminal = &mut **terminal.borrow_mut();
        let count = done.len() + failed.len() + 1;
        let shown = terminal.progress(Some((count, total)));
        match outcome {
            Ok(one) => {
                let said = (words.done)(&one);
                if !shown && !said.is_empty() {
                    terminal.say(&format!("[{count}/{total}] {said}"));
                }
                done.push(one);
            }
            Err((thing, error)) => {
                terminal.say(&format!("[{count}/{total}] {}: {}", (words.left)(&thing), whole_message(&error)));
                failed.push((thing, error));
            }
        }
    }
    let terminal = &mut **terminal.borrow_mut();
    terminal.progress(None);
    if total > 0 {
        let there = done.iter().filter(|one| (words.there)(one)).count();
        let besides = match there {
            0 => String::new(),
            1 => "; 1 was there already".to_owned(),
            many => format!("; {many} were there already"),
        };
        terminal.say(&format!("{} {} of {}{besides}", words.verb, done.len() - there, text::count(total, "key")));
    }
    (done, failed)
}

/// A key that something could not be done to, and why.
pub(crate) struct Left<'a> {
    /// Empty where there is none yet.
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) error: &'a anyhow::Error,
}

/// What is not done of several keys, and the command that goes on with it.
pub(crate) fn partial(verb: &str, done: &[Value], left: Vec<Left<'_>>, resume: &str) -> Failure {
    let mut reasons = String::new();
    let mut failures: Vec<Value> = Vec::new();
    let mut exit = Exit::Partial;
    let total = text::count(done.len() + left.len(), "key");
    for Left { id, name, error } in left {
        let (own, hint) = meaning(error);
        if matches!(own, Exit::Interrupted | Exit::Terminated) {
            exit = own;
        }
        let why = whole_message(error);
        reasons.push_str("\n  ");
        if !id.is_empty() {
            reasons.extend([id, "  "]);
        }
        reasons.extend([&*text::escape(name), "  ", &why]);
        let id = Some(id).filter(|id| !id.is_empty());
        failures.push(json!({ "id": id, "name": name, "message": why, "hint": hint, "exit": own.code() }));
    }
    Failure::new(exit, "partial", format!("could not {verb} {} of {total}:{reasons}", failures.len()))
        .hint(format!("the same command goes on with the rest:\n  {resume}"))
        .details(json!({ "done": done, "failures": failures, "resume": resume }))
}

/// Shows the keys that something would be done to.
pub(crate) fn preview(
    act: Act<'_>,
    keys: &[Key],
    output: &Output,
    terminal: &mut Terminal,
    now: Timestamp,
) -> anyhow::Result<()> {
    let mut list = output.list(terminal, &key::COLUMNS);
    for one in keys {
        list.row_of(terminal, || key::cells(one, now), || key::json(one, now))?;
    }
    list.finish(terminal, json!({ "dry_run": true, "count": keys.len() }))?;
    terminal.say(&format!("Would {} {}; nothing was sent", act.verb, text::count(keys.len(), "key")));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Transport;
    use crate::model::key::tests::key;
    use crate::providers::Provider;

    #[tokio::test]
    async fn what_an_interruption_left_untried_is_named_with_the_line_that_goes_on() {
        let mut account = Account::new("revoke", " --reason leaked --yes".to_owned());
        let revoke = async |key: &Key| {
            if key.name == "second" {
                Err(HttpError::Interrupted { terminated: false, unsure: true })
            } else {
                Ok(key.clone())
            }
        };
        let keys = vec![key("key_1", "first"), key("key_2", "second"), key("key_3", "third")];
        let mut said = Vec::new();
        account.each(keys, revoke, |key| said.push(key.name.clone())).await;
        assert_eq!(said, ["first"]);
        let client = Client::new(Provider::Native, Transport::Embedded(axum::Router::new()), " -p local".to_owned());
        let failure = account.partial(&client, Timestamp::UNIX_EPOCH);
        assert_eq!(failure.exit, Exit::Interrupted);
        assert!(failure.message.starts_with("could not revoke 2 of 3 keys:"), "{}", failure.message);
        assert!(failure.message.ends_with("key_3  third  not tried"), "{}", failure.message);
        let line = "keys -p local revoke key_2 key_3 --reason leaked --yes --confirm key_2 --confirm key_3";
        assert!(failure.hint.unwrap().ends_with(line));
    }
}
