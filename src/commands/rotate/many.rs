//! Many keys at once: each is a rotation of its own with a journal of its own, and none stops the others.

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};

use super::{ACT, Args, print_list, show};
use crate::consent::Given;
use crate::exit::Exit;
use crate::failure::{Failure, meaning, quoted, whole_message};
use crate::model::filter::Filter;
use crate::model::key::Key;
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
    given.within_max(ACT, keys.len())?;
    if keys.is_empty() {
        hands.terminal.borrow_mut().say("No key fits; there is nothing to rotate");
    } else if args.grace.is_none() {
        consent(given, &keys, hands)?;
    }
    batch.begin(&keys, now)?;
    if batch.is_resumed() && !keys.is_empty() {
        let left = text::count(keys.len(), "key");
        hands.terminal.borrow_mut().say(&format!("Going on where an earlier run stopped: {left} left"));
    }
    let (done, failed) = each(args, keys, &open, hands).await;
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
    Ok(batch.left(left_open.into_iter().chain(fresh).collect()))
}

/// The open rotation of a key.
fn of<'a>(key: &Key, open: &'a [Record], hands: &Hands<'_, '_>) -> Option<&'a Record> {
    let service = hands.service();
    let here = |record: &&Record| {
        record.old.id == key.id
            && (&record.service.provider, &record.service.api_url) == (&service.provider, &service.api_url)
    };
    open.iter().find(here)
}

/// A key that was not rotated, and why.
struct Unrotated {
    key: Key,
    error: anyhow::Error,
}

/// Rotates the keys, a few at a time, and tells of each. Whoever interrupts ends it all, with the steps that are under
/// way.
async fn each(args: &Args, keys: Vec<Key>, open: &[Record], hands: &Hands<'_, '_>) -> (Vec<Ended>, Vec<Unrotated>) {
    let total = keys.len();
    let stopped = std::cell::Cell::new(false);
    let one = async |key: Key| {
        if stopped.get() {
            let error = Failure::new(Exit::Interrupted, "untried", "not tried").into();
            return Err(Unrotated { key, error });
        }
        let rotated = rotate(args, &key, of(&key, open, hands), hands).await;
        rotated.map_err(|error| {
            if matches!(meaning(&error).0, Exit::Interrupted | Exit::Terminated) {
                stopped.set(true);
            }
            Unrotated { key, error }
        })
    };
    let mut outcomes = stream::iter(keys.into_iter().map(one)).buffer_unordered(usize::from(args.jobs));
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
                let Unrotated { key, error } = &unrotated;
                let name = quoted(&key.name);
                terminal.say(&format!("[{count}/{total}] Not rotated: {name} ({}): {}", key.id, whole_message(error)));
                failed.push(unrotated);
            }
        }
    }
    let terminal = &mut **hands.terminal.borrow_mut();
    terminal.progress(None);
    terminal.say(&format!("Rotated {} of {}", done.len(), text::count(total, "key")));
    (done, failed)
}

async fn rotate(args: &Args, key: &Key, open: Option<&Record>, hands: &Hands<'_, '_>) -> anyhow::Result<Ended> {
    let run = match open {
        Some(record) => resume(&record.id, Goal::Complete, &[], hands)?,
        None => begin(key, &args.wishes(places(args, key)?, None), hands).await?,
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
        let harmless = match spec {
            SinkSpec::Command(_) => text::shell_word(&key.name) == key.name && !key.name.starts_with('-'),
            _ => !key.name.contains('/') && !key.name.starts_with('.'),
        };
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
    for Unrotated { key, error } in failed {
        let (own, hint) = meaning(error);
        if matches!(own, Exit::Interrupted | Exit::Terminated) {
            exit = own;
        }
        let why = whole_message(error);
        reasons.extend(["\n  ", key.id.as_str(), "  ", &text::escape(&key.name), "  ", &why]);
        failures.push(json!({
            "id": key.id, "name": key.name, "message": why, "hint": hint, "exit": own.code(),
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
