//! The same thing done to several keys: each on its own, none of them stopping the others, and an account of all.

use std::ops::ControlFlow;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::exit::{Exit, Explain};
use crate::failure::{Failure, changed_or_not, quoted};
use crate::http::HttpError;
use crate::model::key::Key;
use crate::output::{Output, key};
use crate::providers::native::client::Client;
use crate::terminal::Terminal;
use crate::text;

/// What became of each key.
pub(crate) struct Account {
    verb: &'static str,
    /// Whether it took somebody's consent, which then holds for the rest too.
    is_confirmed: bool,
    done: Vec<Key>,
    failed: Vec<(Key, HttpError)>,
}

impl Account {
    pub(crate) const fn new(verb: &'static str, is_confirmed: bool) -> Self {
        Self { verb, is_confirmed, done: Vec::new(), failed: Vec::new() }
    }

    /// Notes that a key is done, and how it looks now.
    pub(crate) fn done(&mut self, key: Key) {
        self.done.push(key);
    }

    /// Notes that a key is not done. Says whether to go on with the others: not when somebody wants this program to end.
    pub(crate) fn failed(&mut self, key: Key, error: HttpError) -> ControlFlow<()> {
        let flow = if error.is_interruption() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        self.failed.push((key, error));
        flow
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
            && self.failed.len() == 1
            && let Some((key, error)) = self.failed.pop()
        {
            let context = format!("could not {} the key {}", self.verb, quoted(&key.name));
            return Err(changed_or_not(error, context, client.flags(), &key));
        }
        Err(self.partial(client, now).into())
    }

    /// What failed of several keys, and the line that goes on with the rest.
    fn partial(&self, client: &Client, now: Timestamp) -> Failure {
        let failures: Vec<Value> = self
            .failed
            .iter()
            .map(|(key, error)| {
                json!({
                    "id": key.id,
                    "name": key.name,
                    "code": error.code(),
                    "message": error.to_string(),
                    "exit": error.exit().code(),
                })
            })
            .collect();
        let mut reasons = String::new();
        for (key, error) in &self.failed {
            reasons.extend(["\n  ", key.id.as_str(), "  ", &text::escape(&key.name), "  ", &error.to_string()]);
        }
        let done: Vec<Value> = self.done.iter().map(|key| key::json(key, now)).collect();
        let total = text::count(done.len() + failures.len(), "key");
        let interruption = self.failed.iter().map(|(_, error)| error).find(|error| error.is_interruption());
        let exit = interruption.map_or(Exit::Partial, Explain::exit);
        let verb = self.verb;
        let mut resume = format!("keys{} {verb}", client.flags());
        for (key, _) in &self.failed {
            resume.extend([" ", key.id.as_str()]);
        }
        if self.is_confirmed {
            resume.push_str(" --yes");
            for (key, _) in &self.failed {
                resume.extend([" --confirm ", key.id.as_str()]);
            }
        }
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
