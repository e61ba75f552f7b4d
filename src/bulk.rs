//! The same thing done to several keys: each on its own, none of them stopping the others, and an account of all.

use std::ops::ControlFlow;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::exit::{Exit, Explain};
use crate::failure::{Failure, quoted};
use crate::http::HttpError;
use crate::model::key::Key;
use crate::output::{Output, key};
use crate::terminal::Terminal;
use crate::text;

/// What became of each key.
#[derive(Default)]
pub(crate) struct Account {
    done: Vec<Key>,
    failed: Vec<(Key, HttpError)>,
}

impl Account {
    /// Notes that a key is done, and how it looks now.
    pub(crate) fn done(&mut self, key: Key) {
        self.done.push(key);
    }

    /// Notes that a key is not done. Says whether to go on with the others: not when somebody wants this program to end.
    pub(crate) fn failed(&mut self, key: Key, error: HttpError, terminal: &mut Terminal) -> ControlFlow<()> {
        let flow = if error.is_interruption() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        terminal.warn(&format!("{} ({}): {error}", quoted(&key.name), key.id));
        self.failed.push((key, error));
        flow
    }

    /// Prints the account. A single failure is an error of its own kind; several keys of which some failed are exit code 9.
    pub(crate) fn finish(
        mut self,
        verb: &str,
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
            return Err(anyhow::Error::new(error).context(format!("could not {verb} the key {}", quoted(&key.name))));
        }
        let failures: Vec<Value> = self
            .failed
            .iter()
            .map(|(key, error)| {
                json!({ "id": key.id, "name": key.name, "code": error.code(), "message": error.to_string(), "exit": error.exit().code() })
            })
            .collect();
        let done: Vec<Value> = self.done.iter().map(|key| key::json(key, now)).collect();
        let total = done.len() + failures.len();
        let message = format!("could not {verb} {} of {}", failures.len(), text::count(total, "key"));
        let interruption = self.failed.iter().map(|(_, error)| error).find(|error| error.is_interruption());
        let exit = interruption.map_or(Exit::Partial, Explain::exit);
        Err(Failure::new(exit, "partial", message)
            .hint("the same command again goes on where this one stopped")
            .details(json!({ "done": done, "failures": failures }))
            .into())
    }

    fn print(&self, output: &Output, terminal: &mut Terminal, now: Timestamp) -> anyhow::Result<()> {
        let mut list = output.list(terminal, &key::COLUMNS);
        for done in &self.done {
            list.row_of(terminal, || key::cells(done, now), || key::json(done, now))?;
        }
        Ok(list.finish(terminal, Value::Null)?)
    }
}
