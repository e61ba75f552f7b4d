//! Many keys at once: each is a rotation of its own with a journal of its own, and none stops the others.

use super::{ACT, Args, print_list, show};
use crate::bulk::{self, Left, Words};
use crate::consent::Given;
use crate::failure::{Failure, quoted};
use crate::model::filter::Filter;
use crate::model::key::{Key, KeyId};
use crate::model::rotation::{Goal, Record, Step, current};
use crate::model::state::State;
use crate::rotation::{Batch, Ended, Hands, begin, preview, resume};
use crate::sink::SinkSpec;
use crate::{places, selection, system, text};

pub(super) async fn run(args: &Args, given: &Given<'_>, hands: &Hands<'_, '_>) -> anyhow::Result<()> {
    places::check(&args.to)?;
    hands.journal.open()?;
    let now = system::now();
    let command = format!("{:?} {}", hands.service(), same_command(args, hands));
    let batch = Batch::open(hands.journal, &command, now)?;
    let open: Vec<Record> = hands.journal.readable()?;
    let keys = chosen(args, &batch, &open, hands).await?;
    if args.dry_run {
        let mut previews = Vec::new();
        for key in &keys {
            previews.push(preview(key, &args.wishes(places_of(args, key)?, None), hands).await?);
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
    let words = Words { verb: "Rotated", done: told, there: |_| false, left: named };
    let one = async |work: &Work| rotate(args, work, hands).await;
    let (done, failed) = bulk::each(half_done.chain(fresh).collect(), args.jobs, hands.terminal, &words, one).await;
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
        batch.has(&record.old.id) && !listed && hands.reach_that_of(record) && record.step != Step::Waiting
    };
    open.iter().filter(is_left).cloned().collect()
}

/// The open rotation of a key.
fn of<'a>(key: &Key, open: &'a [Record], hands: &Hands<'_, '_>) -> Option<&'a Record> {
    open.iter().find(|record| record.old.id == key.id && hands.reach_that_of(record))
}

async fn rotate(args: &Args, work: &Work, hands: &Hands<'_, '_>) -> anyhow::Result<Ended> {
    let run = match work {
        Work { open: Some(record), .. } => resume(&record.id, Goal::Complete, &[], hands).await?,
        Work { key: Some(key), .. } => begin(key, &args.wishes(places_of(args, key)?, None), hands).await?,
        Work { .. } => anyhow::bail!("there is no key"),
    };
    run.drive(hands).await
}

fn places_of(args: &Args, key: &Key) -> Result<Vec<SinkSpec>, Failure> {
    places::of(&args.to, &key.name, Some(key.id.as_str()))
}

fn told(ended: &Ended) -> String {
    let (old, new) = (&ended.record.old.id, ended.record.new.as_ref());
    new.map_or_else(String::new, |new| format!("Rotated key {} ({old} → {})", quoted(&new.name), new.id))
}

fn named(work: &Work) -> String {
    format!("Not rotated: {} ({})", quoted(work.name()), work.id())
}

/// What was not rotated of several keys, and the command that goes on with it.
fn partial(args: &Args, done: &[Ended], failed: &[(Work, anyhow::Error)], hands: &Hands<'_, '_>) -> Failure {
    let left = failed.iter().map(|(work, error)| Left { id: work.id(), name: work.name(), error });
    let done: Vec<_> = done.iter().map(|ended| super::rotation_json(&ended.record)).collect();
    bulk::partial("rotate", &done, left.collect(), &same_command(args, hands))
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
