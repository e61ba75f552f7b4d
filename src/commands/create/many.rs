//! Several keys, one for each name in a file. Each is handed over as soon as it is made, and none stops the others.
//!
//! Every request has an Idempotency-Key of its own, made of the run's and the name: the same command with the run's goes on,
//! and gets again what was made but did not arrive.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::again::{note, refuse_another_caller, resume_line};
use super::{Args, IfExists, TAKEN, existing, explained, new_key, undelivered};
use crate::begun::{Begun, Note};
use crate::bulk::{self, Left, Words};
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::handover::Allowed;
use crate::http::IdempotencyKey;
use crate::model::key::{Key, KeyName, NewKey};
use crate::model::lifetime::Lifetime;
use crate::output::{Output, key};
use crate::reach::Reached;
use crate::sink::Circumstances;
use crate::terminal::Terminal;
use crate::{files, places, system, text};

/// More than a hundred thousand of the longest names.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

pub(super) struct Run<'a, 't> {
    pub(super) args: &'a Args,
    /// One end for all, whenever each is made.
    pub(super) lifetime: Lifetime,
    pub(super) circumstances: &'a Circumstances,
    pub(super) begun: Option<&'a Begun>,
    pub(super) reached: &'a Reached,
    pub(super) output: &'a Output,
    pub(super) terminal: &'a RefCell<&'t mut Terminal>,
}

/// What became of a name.
enum Made {
    Key(Box<Key>),
    /// An active key has it already.
    There(String),
}

impl Run<'_, '_> {
    pub(super) async fn all(&self, run: &IdempotencyKey) -> anyhow::Result<()> {
        places::check(&self.args.to)?;
        let names = self.names()?;
        // What is wrong with any of them is found out before the first is made.
        for name in &names {
            self.new_key(name)?;
            places::of(&self.args.to, name.as_str(), None)?;
        }
        if self.args.dry_run {
            return self.preview(&names);
        }
        let resume = resume_line(self.args, None, self.lifetime, run, self.reached.client.flags());
        if self.args.idempotency_key.is_none() {
            // Whoever is killed cannot say it any more.
            self.terminal.borrow_mut().say(&format!("If this is interrupted, go on with:\n  {resume}"));
        }
        if let Some(begun) = self.begun {
            refuse_another_caller(begun, run, self.reached)?;
        }
        let open = self.begun.and_then(|begun| begun.note(&self.note(run, &begun.flags)));
        let words = Words {
            verb: "Created",
            done: told,
            there: |made| matches!(made, Made::There(_)),
            left: |name: &KeyName| format!("Not created: {}", quoted(name.as_str())),
        };
        let one = async |name: &KeyName| self.one(name, run, &resume).await;
        let (made, failed) = bulk::each(names, self.args.jobs, self.terminal, &words, one).await;
        if let Some(open) = open {
            open.end(failed.iter().map(|(_, error)| error));
        }
        if failed.is_empty() {
            return self.print(&made);
        }
        let now = system::now();
        let done: Vec<Value> = made.iter().filter_map(Made::key).map(|made| key::json(made, now)).collect();
        let left = failed.iter().map(|(name, error)| Left { id: "", name: name.as_str(), error });
        if !failed.iter().all(|(_, error)| is_taken(error)) {
            return Err(bulk::partial("create", &done, left.collect(), &resume).into());
        }
        // The same command would be refused again.
        let resume = format!("{resume} --if-exists skip");
        Err(bulk::partial("create", &done, left.collect(), &resume)
            .hint(format!("choose other names, or add --if-exists skip to leave it at that:\n  {resume}"))
            .into())
    }

    fn note(&self, run: &IdempotencyKey, flags: &str) -> Note {
        let file = self.args.names.as_deref().unwrap_or(Path::new("")).to_string_lossy();
        let resume = resume_line(&self.args.elsewhere(), None, self.lifetime, run, flags);
        note(self.args, &file, run, self.reached, (resume, format!("keys{flags} list")))
    }

    /// A name a line; empty lines are none.
    fn names(&self) -> anyhow::Result<Vec<KeyName>> {
        let Some(path) = &self.args.names else { anyhow::bail!("there is no file of names") };
        let refused = |message: String| {
            Failure::new(Exit::Usage, "unusable_names", message)
                .hint("write the name of one key on each line of the file")
        };
        let content = files::read_public(path, LARGEST_FILE)?;
        let shown = quoted(&path.to_string_lossy());
        let content = str::from_utf8(&content).map_err(|_| refused(format!("{shown} is not UTF-8 text")))?;
        let mut seen = HashSet::new();
        let mut names = Vec::new();
        for (number, line) in content.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |why: String| refused(format!("line {} of {shown}: {why}", number + 1));
            let name: KeyName = line.parse().map_err(|error| wrong(format!("{}: {error}", quoted(line))))?;
            if !seen.insert(name.as_str().to_owned()) {
                return Err(wrong(format!("{} stands there already", quoted(line))).into());
            }
            names.push(name);
        }
        if names.is_empty() {
            return Err(refused(format!("{shown} holds no name")).into());
        }
        Ok(names)
    }

    fn new_key(&self, name: &KeyName) -> anyhow::Result<NewKey> {
        new_key(Some(name), self.args, self.lifetime, &self.reached.client, self.reached.rules)
    }

    async fn one(&self, name: &KeyName, run: &IdempotencyKey, resume: &str) -> anyhow::Result<Made> {
        let places = places::of(&self.args.to, name.as_str(), None)?;
        let for_people = self.output.is_for_people();
        let allowed = Allowed::of(&places, for_people, self.circumstances, &self.terminal.borrow())?;
        // The others do not wait for the disk that this one waits for.
        let handover = spawn_blocking(|| allowed.prepare()).await??;
        let new = self.new_key(name)?;
        // Where names need not be unique, no service says that one is taken.
        let skips = self.args.if_exists == IfExists::Skip;
        if skips && !self.reached.rules.unique_names && existing(&new, &self.reached.client).await?.is_some() {
            return Ok(Made::There(name.as_str().to_owned()));
        }
        let (issued, _) = match self.reached.client.create(&new, &run.part(name.as_str())).await {
            Ok(created) => created,
            Err(error) if error.is(TAKEN) && skips => {
                return Ok(Made::There(name.as_str().to_owned()));
            }
            Err(error) => return Err(explained(error, name.as_str(), resume)),
        };
        self.reached.known.note(&issued.key);
        let key = issued.key.clone();
        let record = key::json(&key, system::now());
        let delivered = handover.deliver_apart(issued, record, self.terminal).await;
        delivered.map_err(|lost| undelivered(&key, &lost, resume))?;
        Ok(Made::Key(Box::new(key)))
    }

    fn preview(&self, names: &[KeyName]) -> anyhow::Result<()> {
        let terminal = &mut **self.terminal.borrow_mut();
        let plan = names.iter().map(|name| {
            let places = places::of(&self.args.to, name.as_str(), None)?;
            Ok((name.as_str(), places.iter().map(ToString::to_string).collect::<Vec<_>>()))
        });
        let plan: Vec<(&str, Vec<String>)> = plan.collect::<Result<_, Failure>>()?;
        let rows: Vec<Value> = plan.iter().map(|(name, places)| json!({ "name": name, "to": places })).collect();
        self.output.object(terminal, json!({ "dry_run": true, "keys": rows }), |terminal| {
            for (name, places) in &plan {
                writeln!(terminal.out(), "{}  {}", text::escape(name), text::escape(&places.join(" ")))?;
            }
            Ok(())
        })?;
        terminal.say(&format!("Would create {}; nothing was sent", text::count(names.len(), "key")));
        Ok(())
    }

    /// People were told of each already.
    fn print(&self, made: &[Made]) -> anyhow::Result<()> {
        if self.output.is_for_people() {
            return Ok(());
        }
        let (terminal, now) = (&mut **self.terminal.borrow_mut(), system::now());
        let mut list = self.output.list(terminal, &key::COLUMNS);
        for made in made.iter().filter_map(Made::key) {
            list.row_of(terminal, || key::cells(made, now), || key::json(made, now))?;
        }
        Ok(list.finish(terminal, Value::Null)?)
    }
}

impl Made {
    fn key(&self) -> Option<&Key> {
        match self {
            Self::Key(key) => Some(key),
            Self::There(_) => None,
        }
    }
}

/// Whether an active key has the name already.
fn is_taken(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Failure>().is_some_and(|failure| failure.code == TAKEN)
}

fn told(made: &Made) -> String {
    match made {
        Made::Key(key) => format!("Created key {} ({})", quoted(&key.name), key.id),
        Made::There(name) => format!("Key {} exists already; nothing was made", quoted(name)),
    }
}
