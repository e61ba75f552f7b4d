//! `keys rotation`: rotations that are not over. Each knows its service, so that none of them has to be named again.

use std::cell::RefCell;

use anyhow::Context as _;
use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use crate::config::{Environment, Flags, Source, Target};
use crate::consent::agreed;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::model::lifetime::Age;
use crate::model::rotation::{Goal, Record, Step};
use crate::output::{Output, key, rotation as look};
use crate::providers::Provider;
use crate::reach::Reached;
use crate::rotation::{Ended, EndedHow, Hands, Journal, report, resume};
use crate::sink::SinkSpec;
use crate::system;
use crate::terminal::Terminal;

/// Go on with rotations that are not over, or take them back
#[derive(Debug, ClapArgs)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the rotations that are not over
    List,
    /// Show how far a rotation has come
    Show {
        /// Id of the rotation
        id: String,
    },
    /// Go on with a rotation, or with all that were interrupted
    Resume {
        /// Id of the rotation [default: all that were interrupted]
        id: Option<String>,
        /// Another place instead of those that do not have the key yet; may be repeated
        #[arg(long, value_name = "SINK", requires = "id")]
        to: Vec<SinkSpec>,
    },
    /// Revoke the new key and keep the old one, as long as the new one is not live
    Abort {
        /// Id of the rotation [default: the only one]
        id: Option<String>,
    },
    /// Retire the old key, where the service does not end it by itself
    ///
    /// Refuses while somebody still uses the old key.
    #[command(after_help = "Examples:
  keys rotation finish rot_0123456789abcdef
  keys rotation finish --due --when-idle 3d")]
    Finish {
        /// Id of the rotation [default: the only one]
        id: Option<String>,
        /// All whose grace is over, without asking; good for a cron line
        #[arg(long, conflicts_with = "id")]
        due: bool,
        /// How long the old key must not have been used
        #[arg(long, value_name = "AGE", default_value = "24h")]
        when_idle: Age,
        /// Retire it although somebody still uses it
        #[arg(long)]
        force: bool,
    },
}

/// What the actions need besides the journal.
struct Room<'a, 't> {
    journal: &'a Journal,
    flags: &'a Flags,
    environment: &'a Environment,
    output: &'a Output,
    terminal: &'a RefCell<&'t mut Terminal>,
}

pub(crate) async fn run(
    args: Args,
    yes: bool,
    flags: &Flags,
    environment: &Environment,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let journal = Journal::of(&environment.data_directory()?);
    if let Action::List = args.action {
        return list(&journal, output, terminal);
    }
    if let Action::Show { id } = &args.action {
        let (record, now) = (journal.read(id)?, system::now());
        output.object(terminal, look::open_json(&record), |terminal| {
            key::fields(terminal, &look::detail(&record, now))
        })?;
        return Ok(terminal.flush()?);
    }
    journal.tidy();
    let terminal = RefCell::new(terminal);
    let room = Room { journal: &journal, flags, environment, output, terminal: &terminal };
    match args.action {
        Action::List | Action::Show { .. } => Ok(()),
        Action::Resume { id: Some(id), to } => room.go(&journal.read(&id)?, Goal::Complete, &to, None).await,
        Action::Resume { id: None, .. } => {
            let left = |record: &Record| record.step != Step::Waiting;
            room.all(Goal::Complete, left, None, "go on with").await
        }
        Action::Abort { id } => room.go(&room.only(id, |_| true, "abort")?, Goal::Abort, &[], None).await,
        Action::Finish { due: true, when_idle, force, .. } => {
            let now = system::now();
            let is_due = |record: &Record| record.due_at().is_some_and(|due| due <= now);
            room.all(Goal::Retire { force }, is_due, Some(when_idle), "retire").await
        }
        Action::Finish { id, when_idle, force, .. } => {
            let record = room.only(id, |record| record.step >= Step::Live, "finish")?;
            if record.due_at().is_some_and(|due| due > system::now()) {
                ask(&record, yes, &terminal)?;
            }
            room.go(&record, Goal::Retire { force }, &[], Some(when_idle)).await
        }
    }
}

impl Room<'_, '_> {
    /// Goes on with one rotation.
    async fn go(&self, record: &Record, goal: Goal, to: &[SinkSpec], idle: Option<Age>) -> anyhow::Result<()> {
        let reached = self.reach(record).await?;
        let mut hands =
            Hands::new(&reached, self.journal, self.environment.circumstances(), self.output, self.terminal);
        hands.configuration = self.environment.config_directory().ok();
        let ended = resume(&record.id, goal, to, &hands).await?.when_idle(idle).drive(&hands).await?;
        self.tell(&ended, &hands)
    }

    /// Goes on with every rotation that fits, one after the other; one that fails does not stop the others.
    async fn all(
        &self,
        goal: Goal,
        fits: impl Fn(&Record) -> bool,
        idle: Option<Age>,
        verb: &str,
    ) -> anyhow::Result<()> {
        let records: Vec<Record> = self.journal.readable()?.into_iter().filter(fits).collect();
        let mut failures = Vec::new();
        for record in &records {
            if let Err(error) = self.go(record, goal, &[], idle).await {
                failures.push((record, error));
            }
        }
        match (records.len(), failures.len()) {
            (0, _) => {
                self.terminal.borrow_mut().say(&format!("There is no rotation to {verb}"));
                Ok(())
            }
            (_, 0) => Ok(()),
            (1, _) => failures.pop().map_or(Ok(()), |(_, error)| Err(error)),
            (total, failed) => Err(partial(verb, total, failed, &failures).into()),
        }
    }

    /// The service that a rotation is about: as it was, where nothing else is typed.
    #[expect(clippy::await_holding_refcell_ref, reason = "nothing else is under way that would use the terminal")]
    async fn reach(&self, record: &Record) -> anyhow::Result<Reached> {
        let (flags, service) = (self.flags, &record.service);
        let typed = flags.profile.is_some() || flags.api_url.is_some();
        if !typed {
            self.refuse_credential_of_another(record)?;
        }
        let flags = if typed {
            flags.clone()
        } else if let Some(profile) = &service.profile {
            Flags { profile: Some(profile.clone()), provider: None, ..flags.clone() }
        } else {
            let provider = Provider::named(&service.provider);
            Flags { provider, api_url: service.api_url.clone(), ..flags.clone() }
        };
        let target = Target::choose(&flags, self.environment)?;
        let reached = Reached::at(target, profile_flag(record), true, &mut self.terminal.borrow_mut()).await?;
        if reached.origin.api_url != service.api_url {
            let of = service.api_url.as_deref().unwrap_or("the profile `local`");
            let message = format!("the rotation {} is one of {of}, and not of {}", record.id, reached.origin.host);
            return Err(Failure::new(Exit::Usage, "another_service", message)
                .hint("leave out --profile and --api-url: the rotation knows its service")
                .into());
        }
        Ok(reached)
    }

    /// Refuses to go on with a credential from the environment at a service that the environment does not name: a cron line
    /// would show one job's key to every service of the journal.
    fn refuse_credential_of_another(&self, record: &Record) -> Result<(), Failure> {
        let Some(service) = &record.service.api_url else { return Ok(()) };
        // Where the environment names no service, the key in it is for any that is named.
        let Ok(Target::Remote(remote)) = Target::choose(self.flags, self.environment) else { return Ok(()) };
        let Source::Environment { variable, .. } = remote.source else { return Ok(()) };
        let same = remote.api_url.trim_end_matches('/') == service.trim_end_matches('/');
        if same && remote.provider.rules().name == record.service.provider {
            return Ok(());
        }
        let message = format!(
            "the rotation {} is one of {service}, and the key in {variable} is for {}: it is not sent elsewhere",
            record.id, remote.api_url
        );
        Err(Failure::new(Exit::Usage, "another_service", message).hint(
            "set KEYS_API_URL and the key of that service; rotations begun with a profile go on without the variables",
        ))
    }

    /// The rotation that is named, or the only one there is.
    fn only(&self, id: Option<String>, fits: impl Fn(&Record) -> bool, verb: &str) -> anyhow::Result<Record> {
        if let Some(id) = id {
            return Ok(self.journal.read(&id)?);
        }
        let mut records: Vec<Record> = self.journal.readable()?.into_iter().filter(fits).collect();
        match (records.pop(), records.len()) {
            (Some(record), 0) => Ok(record),
            (None, _) => {
                let message = format!("there is no rotation to {verb}");
                Err(Failure::new(Exit::NotFound, "no_such_rotation", message)
                    .hint("list those that are not over with: keys rotation list")
                    .into())
            }
            (Some(last), others) => {
                let ids = records.iter().chain([&last]).map(|one| format!("  {}  {}", one.id, quoted(&one.old.name)));
                let message = format!("there are {} rotations, and none is named", others + 1);
                Err(Failure::new(Exit::Conflict, "ambiguous", message)
                    .hint(format!("say which:\n{}", ids.collect::<Vec<_>>().join("\n")))
                    .into())
            }
        }
    }

    fn tell(&self, ended: &Ended, hands: &Hands<'_, '_>) -> anyhow::Result<()> {
        let record = &ended.record;
        let name = quoted(&record.old.name);
        let said = match ended.how {
            EndedHow::Rotated | EndedHow::Waiting => return report(ended, hands),
            EndedHow::Aborted => match &record.new {
                Some(new) => {
                    format!("Aborted the rotation of the key {name}: {} is revoked, {} stays", new.id, record.old.id)
                }
                None => format!("Aborted the rotation of the key {name}: no new key was made, {} stays", record.old.id),
            },
            EndedHow::Forgotten => {
                format!("Forgot the rotation of the key {name}: look for a key that nobody knows with: keys list")
            }
        };
        let terminal = &mut **self.terminal.borrow_mut();
        terminal.say(&said);
        if !self.output.is_for_people() {
            let new = record.new.as_ref().map(|new| &new.id);
            self.output.object(terminal, json!({ "id": record.id, "old": record.old, "revoked": new }), |_| Ok(()))?;
        }
        Ok(terminal.flush()?)
    }
}

/// The flag with which other commands go to the same service.
fn profile_flag(record: &Record) -> String {
    let profile = record.service.profile.as_deref();
    profile.map(|profile| crate::text::option("-p", profile)).unwrap_or_default()
}

/// An old key is retired before its grace is over only if somebody says so.
fn ask(record: &Record, yes: bool, terminal: &RefCell<&mut Terminal>) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    let terminal = &mut **terminal.borrow_mut();
    if !terminal.can_ask() {
        let message = "finish needs confirmation before the grace is over, and there is nobody to ask";
        return Err(Failure::new(Exit::Unconfirmed, "confirmation_needed", message).hint("add --yes").into());
    }
    let due = record.due_at().map(crate::text::utc).unwrap_or_default();
    let old = &record.old;
    let question = format!("The old key {} ({}) was to work until {due}\nRetire it now?", quoted(&old.name), old.id);
    agreed(terminal.confirm(&question))
}

fn partial(verb: &str, total: usize, failed: usize, failures: &[(&Record, anyhow::Error)]) -> Failure {
    let mut reasons = String::new();
    for (record, error) in failures {
        reasons.extend(["\n  ", &record.id, "  ", &crate::failure::whole_message(error)]);
    }
    let listed: Vec<_> = failures
        .iter()
        .map(|(record, error)| {
            json!({ "id": record.id, "name": record.old.name, "message": crate::failure::whole_message(error),
                    "exit": crate::failure::meaning(error).0.code() })
        })
        .collect();
    let message = format!("could not {verb} {failed} of {total} rotations:{reasons}");
    Failure::new(Exit::Partial, "partial", message)
        .hint("run the same command again, or go on one by one: keys rotation list")
        .details(json!({ "failures": listed }))
}

fn list(journal: &Journal, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let now = system::now();
    let ids = journal.ids().context("could not read the journal")?;
    let mut list = output.list(terminal, &look::OPEN);
    let (mut count, mut unreadable) = (0_usize, Vec::new());
    let mut records = Vec::new();
    for id in ids {
        match journal.read(&id) {
            Ok(record) => records.push(record),
            Err(error) => unreadable.push(error),
        }
    }
    records.sort_by_key(|record| record.begun_at);
    for record in &records {
        list.row_of(terminal, || look::open_cells(record, now), || look::open_json(record))?;
        count += 1;
    }
    list.finish(terminal, json!({ "count": count, "unreadable": unreadable.len() }))?;
    for error in unreadable {
        terminal.warn(&error.to_string());
    }
    if count == 0 && output.is_for_people() {
        terminal.say("No rotation is open");
    }
    Ok(terminal.flush()?)
}
