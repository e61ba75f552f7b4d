//! Many keys at once: each is a rotation of its own with a journal of its own, and none stops the others.

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};

use super::{ACT, Args, print_list, show};
use crate::consent::Given;
use crate::exit::Exit;
use crate::failure::{Failure, meaning, quoted, whole_message};
use crate::model::filter::Filter;
use crate::model::key::{Key, KeyId};
use crate::model::rotation::{Goal, Record, Step, current};
use crate::model::state::State;
use crate::rotation::{Batch, Ended, Hands, begin, preview, resume};
use crate::sink::SinkSpec;
use crate::{selection, system, text};

pub(super) async fn run(args: &Args, given: &Given<'_>, hands: &Hands<'_, '_>) -> anyhow::Result<()> {
    check_places(args)?;
    hands.journal.open()?;
    let now = system::now();
    let command = format!("{:?} {}", hands.service(), same_command(args, hands));
    let batch = Batch::open(hands.journal, &command, now)?;
    let open: Vec<Record> = hands.journal.readable()?;
    let keys = chosen(args, &batch, &open, hands).await?;
    if args.dry_run {
        let mut previews = Vec::new();
        for key in &keys {
            previews.push(preview(key, &args.wishes(places(args, key)?, None), hands).await?);
        }
        return show(&previews, hands);
    }
    let half_done = half_done(&keys, &batch, &open, hands);
    let total = keys.len() + half_done.len();
    given.within_max(ACT, total)?;
    if args.grace.is_none() && !keys.is_empty() {
        consent(given, &keys, hands)?;
    }
    batch.begin(&keys, now)?;
    if total == 0 {
        hands.terminal.borrow_mut().say("No key fits; there is nothing to rotate");
    } else if batch.is_resumed() {
        let left = text::count(total, "key");
        hands.terminal.borrow_mut().say(&format!("Going on where an earlier run stopped: {left} left"));
    }
    let fresh = keys.into_iter().map(|key| Work { open: of(&key, &open, hands).cloned(), key: Some(key) });
    let half_done = half_done.into_iter().map(|record| Work { open: Some(record), key: None });
    let (done, failed) = each(args, half_done.chain(fresh).collect(), hands).await;
    if failed.is_empty() {
        batch.end()?;
        let terminal = &mut **hands.terminal.borrow_mut();
        return if hands.output.is_for_people() { Ok(()) } else { print_list(&done, hands.output, terminal) };
    }
    Err(partial(args, &done, &failed, hands).into())
}

fn consent(given: &Given<'_>, keys: &[Key], hands: &Hands<'_, '_>) -> anyhow::Result<()> {
    let (terminal, now) = (&mut **hands.terminal.borrow_mut(), system::now());
    let host = hands.reached.client.host();
    match keys {
        [key] => given.obtain_yes(ACT, key, &host, terminal, now),
        keys => given.obtain(ACT, keys, &host, terminal, now),
    }
}

/// The keys that are to be rotated: active ones that fit and have no successor. One whose rotation an earlier run of the
/// same command left open is among them.
async fn chosen(args: &Args, batch: &Batch, open: &[Record], hands: &Hands<'_, '_>) -> anyhow::Result<Vec<Key>> {
    let filter = Filter {
        state: Some(State::Active),
        name: args.name.as_deref().map(wildmatch::WildMatch::new),
        older_than: args.aged.older_than,
        expiring: args.aged.expiring,
        ..Filter::default()
    };
    let now = system::now();
    let (fitting, all) = selection::fitting(&hands.reached.client, &filter, now).await?;
    let unfinished = |key: &Key| of(key, open, hands).is_some_and(|record| record.step != Step::Waiting);
    let (left_open, others): (Vec<Key>, Vec<Key>) = fitting.into_iter().partition(unfinished);
    // A key that an open rotation made is the successor of one of these.
    let is_new = |key: &Key| {
        open.iter().any(|record| record.new.as_ref().is_some_and(|new| new.id == key.id) && record.live_at.is_none())
    };
    let others = others.into_iter().filter(|key| !is_new(key) && of(key, open, hands).is_none()).collect();
    let fresh = current(others, hands.reached.rules.rotation.naming, &all);
    but_for_our_own(batch.left(left_open.into_iter().chain(fresh).collect()), hands).await
}

/// Without the key that asks: once it is retired, nothing more can be asked with it.
async fn but_for_our_own(mut keys: Vec<Key>, hands: &Hands<'_, '_>) -> anyhow::Result<Vec<Key>> {
    let may_be = |key: &Key| hands.reached.may_be_caller(&key.prefix) != Some(false);
    if hands.reached.is_local() || !keys.iter().any(may_be) {
        return Ok(keys);
    }
    let whoami = hands.reached.client.whoami().await?;
    if !whoami.tells_key {
        let could_be = |key: &Key| hands.reached.rules.management.could_be_held_by(key);
        for key in keys.extract_if(.., |key| could_be(key)) {
            hands.terminal.borrow_mut().say(&format!(
                "Leaving out {}, which could be the key that this is done with; rotate it by itself: keys{} rotate {}",
                quoted(&key.name),
                hands.reached.client.flags(),
                key.id
            ));
        }
        return Ok(keys);
    }
    if let Some(own) = whoami.key.filter(|own| keys.iter().any(|key| key.id == own.id)) {
        keys.retain(|key| key.id != own.id);
        let line = format!("keys{} rotate {}", hands.reached.client.flags(), own.id);
        let name = quoted(&own.name);
        hands
            .terminal
            .borrow_mut()
            .say(&format!("Leaving out {name}, the key that this is done with; rotate it by itself: {line}"));
    }
    Ok(keys)
}

/// One key that is to be rotated: as it is now where it works still, and its rotation where one is open.
struct Work {
    key: Option<Key>,
    open: Option<Record>,
}

impl Work {
    fn id(&self) -> &str {
        let key = self.key.as_ref().map(|key| &key.id);
        key.or(self.open.as_ref().map(|open| &open.old.id)).map_or("", KeyId::as_str)
    }

    fn name(&self) -> &str {
        let key = self.key.as_ref().map(|key| &key.name);
        key.or(self.open.as_ref().map(|open| &open.old.name)).map_or("", String::as_str)
    }
}

/// Rotations of this command which came as far as to retire the old key, so that it is no longer among the active ones.
fn half_done(keys: &[Key], batch: &Batch, open: &[Record], hands: &Hands<'_, '_>) -> Vec<Record> {
    let is_left = |record: &&Record| {
        let listed = keys.iter().any(|key| key.id == record.old.id);
        batch.has(&record.old.id) && !listed && is_here(record, hands) && record.step != Step::Waiting
    };
    open.iter().filter(is_left).cloned().collect()
}

/// Whether a rotation is one of the service that is reached.
fn is_here(record: &Record, hands: &Hands<'_, '_>) -> bool {
    let service = hands.service();
    (&record.service.provider, &record.service.api_url) == (&service.provider, &service.api_url)
}

/// The open rotation of a key.
fn of<'a>(key: &Key, open: &'a [Record], hands: &Hands<'_, '_>) -> Option<&'a Record> {
    open.iter().find(|record| record.old.id == key.id && is_here(record, hands))
}

/// A key that was not rotated, and why.
struct Unrotated {
    work: Work,
    error: anyhow::Error,
}

/// Rotates the keys, a few at a time, and tells of each. Whoever interrupts ends it all, with the steps that are under
/// way.
async fn each(args: &Args, work: Vec<Work>, hands: &Hands<'_, '_>) -> (Vec<Ended>, Vec<Unrotated>) {
    let total = work.len();
    let stopped = std::cell::Cell::new(false);
    let one = async |work: Work| {
        if stopped.get() {
            let error = Failure::new(Exit::Interrupted, "untried", "not tried").into();
            return Err(Unrotated { work, error });
        }
        let rotated = rotate(args, &work, hands).await;
        rotated.map_err(|error| {
            if matches!(meaning(&error).0, Exit::Interrupted | Exit::Terminated) {
                stopped.set(true);
            }
            Unrotated { work, error }
        })
    };
    let mut outcomes = stream::iter(work.into_iter().map(one)).buffer_unordered(usize::from(args.jobs));
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    hands.terminal.borrow_mut().progress(Some((0, total)));
    while let Some(outcome) = outcomes.next().await {
        let terminal = &mut **hands.terminal.borrow_mut();
        let count = done.len() + failed.len() + 1;
        let shown = terminal.progress(Some((count, total)));
        match outcome {
            Ok(ended) => {
                if let Some(new) = ended.record.new.as_ref().filter(|_| !shown) {
                    let old = &ended.record.old.id;
                    terminal.say(&format!("[{count}/{total}] Rotated key {} ({old} → {})", quoted(&new.name), new.id));
                }
                done.push(ended);
            }
            Err(unrotated) => {
                let Unrotated { work, error } = &unrotated;
                let (id, name) = (work.id(), quoted(work.name()));
                terminal.say(&format!("[{count}/{total}] Not rotated: {name} ({id}): {}", whole_message(error)));
                failed.push(unrotated);
            }
        }
    }
    let terminal = &mut **hands.terminal.borrow_mut();
    terminal.progress(None);
    if total > 0 {
        terminal.say(&format!("Rotated {} of {}", done.len(), text::count(total, "key")));
    }
    (done, failed)
}

async fn rotate(args: &Args, work: &Work, hands: &Hands<'_, '_>) -> anyhow::Result<Ended> {
    let run = match work {
        Work { open: Some(record), .. } => resume(&record.id, Goal::Complete, &[], hands)?,
        Work { key: Some(key), .. } => begin(key, &args.wishes(places(args, key)?, None), hands).await?,
        Work { .. } => anyhow::bail!("there is no key"),
    };
    run.drive(hands).await
}

/// Refuses places that one key would overwrite another in.
fn check_places(args: &Args) -> Result<(), Failure> {
    let example = "give each key a place of its own, as in --to 'file:DIRECTORY/{name}' or --to 'cmd:COMMAND {id}'";
    let refused = |message: String| Err(Failure::new(Exit::Usage, "no_place_of_its_own", message).hint(example));
    if args.to.is_empty() {
        return refused("many keys cannot all go to standard output".to_owned());
    }
    for place in &args.to {
        let text = place.to_string();
        if !text.contains("{name}") && !text.contains("{id}") {
            return refused(format!("every key would go to `{text}`"));
        }
    }
    Ok(())
}

/// The places of one key. A name that others chose must not lead elsewhere, nor be a command.
fn places(args: &Args, key: &Key) -> anyhow::Result<Vec<SinkSpec>> {
    let place = |spec: &SinkSpec| {
        let template = spec.to_string();
        let stays = !key.name.contains('/') && !key.name.starts_with(['.', '-']);
        let harmless = stays && (!matches!(spec, SinkSpec::Command(_)) || text::shell_word(&key.name) == key.name);
        let problem = |what: String| {
            Failure::new(Exit::Usage, "unusable_name", format!("the key {} has no place: {what}", quoted(&key.name)))
                .hint("use {id} in --to instead of {name}")
        };
        if template.contains("{name}") && !harmless {
            return Err(problem("its name cannot stand in one".to_owned()));
        }
        let text = template.replace("{name}", &key.name).replace("{id}", key.id.as_str());
        text.parse::<SinkSpec>().map_err(|error| problem(error.to_string()))
    };
    Ok(args.to.iter().map(place).collect::<Result<_, _>>()?)
}

/// What was not rotated of several keys, and the command that goes on with it.
fn partial(args: &Args, done: &[Ended], failed: &[Unrotated], hands: &Hands<'_, '_>) -> Failure {
    let mut reasons = String::new();
    let mut failures: Vec<Value> = Vec::new();
    let mut exit = Exit::Partial;
    for Unrotated { work, error } in failed {
        let (own, hint) = meaning(error);
        if matches!(own, Exit::Interrupted | Exit::Terminated) {
            exit = own;
        }
        let why = whole_message(error);
        reasons.extend(["\n  ", work.id(), "  ", &text::escape(work.name()), "  ", &why]);
        failures.push(json!({
            "id": work.id(), "name": work.name(), "message": why, "hint": hint, "exit": own.code(),
        }));
    }
    let total = text::count(done.len() + failed.len(), "key");
    let resume = same_command(args, hands);
    let done: Vec<Value> = done.iter().map(|ended| super::rotation_json(&ended.record)).collect();
    Failure::new(exit, "partial", format!("could not rotate {} of {total}:{reasons}", failed.len()))
        .hint(format!("the same command goes on with the rest:\n  {resume}"))
        .details(json!({ "done": done, "failures": failures, "resume": resume }))
}

/// The command as it was typed, but for what does not change what it does.
fn same_command(args: &Args, hands: &Hands<'_, '_>) -> String {
    let mut line = format!("keys{} rotate", hands.reached.client.flags());
    let mut add = |option: &str, value: Option<String>| {
        line.extend(value.map(|value| text::option(option, &value)));
    };
    add("--name", args.name.clone());
    add("--older-than", args.aged.older_than.map(|age| age.to_string()));
    add("--expiring", args.aged.expiring.map(|age| age.to_string()));
    for place in &args.to {
        add("--to", Some(place.to_string()));
    }
    add("--grace", args.grace.map(|age| age.to_string()));
    add("--check", args.check.clone());
    add("--max", args.max.map(|max| max.to_string()));
    add("--jobs", Some(args.jobs).filter(|jobs| *jobs != 4).map(|jobs| jobs.to_string()));
    for (flag, given) in [("--compromised", args.compromised), ("--no-escrow", args.no_escrow)] {
        if given {
            line.extend([" ", flag]);
        }
    }
    if args.grace.is_none() {
        line.push_str(" --yes");
    }
    line
}
