//! `keys check --fix`: rotates and revokes what was found, as `keys rotate` and `keys revoke` do, once somebody agrees.

use std::cell::RefCell;

use clap::Args as ClapArgs;
use serde_json::Value;

use super::Args;
use crate::bulk::{self, Account, Left, Words};
use crate::config::Environment;
use crate::consent::{Act, Given};
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::model::key::{Key, KeyId};
use crate::model::lifetime::Age;
use crate::model::policy::{Finding, Mend};
use crate::model::rotation::{Goal, Record, Step};
use crate::output::{Format, Output};
use crate::providers::Ability;
use crate::providers::client::Client;
use crate::reach::Reached;
use crate::rotation::{Ended, Hands, Journal, Wishes, begin, resume, rotation_json};
use crate::sink::SinkSpec;
use crate::terminal::Terminal;
use crate::{places, system, text};

/// How many keys are rotated at the same time.
const JOBS: u16 = 4;

/// How long the service may refuse a new key.
const VERIFY: &str = "60s";

const MEND: Act<'_> = Act::new("mend");
const ROTATE: Act<'_> = Act::new("rotate");

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Mending")]
pub(crate) struct Fix {
    /// Rotate and revoke the keys that are found, after asking; what else is found is left to you
    #[arg(id = "fix", long = "fix")]
    is_asked: bool,
    /// Show which keys --fix would rotate and revoke, and touch none
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Where new keys go, as with `keys rotate`; {name} and {id} stand for the key's own
    #[arg(long, value_name = "SINK", requires = "fix")]
    to: Vec<SinkSpec>,
    /// How long rotated keys go on working beside the new ones
    #[arg(long, value_name = "AGE", requires = "fix")]
    grace: Option<Age>,
    /// The most keys this may touch; with --yes it is consent
    #[arg(long, value_name = "N", requires = "fix")]
    max: Option<usize>,
}

impl Fix {
    pub(super) const fn is_asked(&self) -> bool {
        self.is_asked
    }
}

/// What the check found, and in which keys.
pub(super) struct Found<'a> {
    pub(super) findings: &'a [Finding],
    pub(super) keys: &'a [Key],
    /// Whether a key may be the one that asks, with which nothing more can be asked once it is retired; or is a member's
    /// credential, which no key can take the place of.
    pub(super) is_left_alone: &'a dyn Fn(&Key) -> bool,
}

/// What is to be done, and how many findings that leaves.
struct Plan {
    rotate: Vec<Key>,
    revoke: Vec<Key>,
    left: usize,
}

impl Plan {
    /// A key that is to be revoked is not rotated before. One whose rotation waits for the end of its grace is let be.
    fn of(found: &Found<'_>, open: &[Record]) -> Self {
        let waits = |id: &KeyId| open.iter().any(|record| record.old.id == *id && record.step == Step::Waiting);
        let chosen = |wanted: &dyn Fn(&Mend) -> bool| -> Vec<Key> {
            let is_wanted = |key: &&Key| {
                let of_key = |finding: &&Finding| finding.key.as_ref().is_some_and(|(id, _)| *id == key.id);
                !(found.is_left_alone)(key)
                    && !waits(&key.id)
                    && found.findings.iter().filter(of_key).any(|finding| wanted(&finding.mend))
            };
            found.keys.iter().filter(is_wanted).cloned().collect()
        };
        let has = |keys: &[Key], finding: &Finding| {
            finding.key.as_ref().is_some_and(|(id, _)| keys.iter().any(|key| key.id == *id))
        };
        let revoke = chosen(&|mend| matches!(mend, Mend::Revoke(_)));
        let mut rotate = chosen(&|mend| matches!(mend, Mend::Rotate(_)));
        rotate.retain(|key| revoke.iter().all(|revoked| revoked.id != key.id));
        let mended = |finding: &&Finding| {
            has(&revoke, finding) || matches!(finding.mend, Mend::Rotate(_)) && has(&rotate, finding)
        };
        let left = found.findings.len() - found.findings.iter().filter(mended).count();
        Self { rotate, revoke, left }
    }

    fn total(&self) -> usize {
        self.rotate.len() + self.revoke.len()
    }

    fn tell(&self, terminal: &mut Terminal) {
        for (verb, keys) in [("rotate", &self.rotate), ("revoke", &self.revoke)] {
            for key in keys {
                terminal.say(&format!("Would {verb} {} ({})", quoted(&key.name), key.id));
            }
        }
        match self.left {
            0 => {}
            left => terminal.say(&format!("Would leave {} to you", text::count(left, "finding"))),
        }
    }

    /// Obtains consent to all of it before any of it is done.
    fn consent(&self, given: &Given<'_>, client: &Client, terminal: &mut Terminal) -> anyhow::Result<()> {
        let (now, host) = (system::now(), client.host());
        match self.rotate.as_slice() {
            [] => {}
            [key] => given.obtain_yes(ROTATE, key, &host, terminal, now)?,
            keys => given.obtain(ROTATE, keys, &host, terminal, now)?,
        }
        if self.revoke.is_empty() {
            Ok(())
        } else {
            given.obtain(bulk::revoking(client), &self.revoke, &host, terminal, now)
        }
    }
}

pub(super) async fn run(
    args: &Args,
    yes: bool,
    found: &Found<'_>,
    environment: &Environment,
    reached: &Reached,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let fix = &args.fix;
    let journal = Journal::of(&environment.data_directory()?);
    let open = journal.readable()?;
    let plan = Plan::of(found, &open);
    plan.tell(terminal);
    if fix.dry_run {
        terminal.say("Nothing was sent");
        return Err(left(found.findings.len(), "found"));
    }
    if plan.total() > 0 {
        let given = Given { yes, max: fix.max, many: true, ..Given::default() };
        given.or_somebody_to_ask(MEND, terminal)?;
        given.within_max(MEND, plan.total())?;
        if !plan.rotate.is_empty() {
            places::check(&fix.to)?;
        }
        plan.consent(&given, &reached.client, terminal)?;
    }
    // The findings are on standard output; what becomes of the keys is talk.
    let talk = Output { format: Format::Table, jq: None };
    {
        let terminal = RefCell::new(&mut *terminal);
        let mut hands = Hands::new(reached, &journal, environment.circumstances(), &talk, &terminal);
        hands.configuration = environment.config_directory().ok();
        hands.is_one_of_many = true;
        rotate(args, plan.rotate, &open, &hands).await?;
    }
    let mut account = Account::new("revoke", " --yes".to_owned());
    let reason = reached.client.must_offer(Ability::Reason).is_ok().then_some("keys check");
    account.revoke(plan.revoke, reason, &reached.client, &reached.known, terminal).await;
    account.finish(&reached.client, &talk, terminal, system::now())?;
    if plan.left == 0 { Ok(()) } else { Err(left(plan.left, "left")) }
}

fn left(count: usize, what: &str) -> anyhow::Error {
    let message = format!("{} {what}", text::count_of(count, "finding is", "findings are"));
    Failure::new(Exit::CheckFailed, "policy_violated", message).into()
}

async fn rotate(args: &Args, keys: Vec<Key>, open: &[Record], hands: &Hands<'_, '_>) -> anyhow::Result<()> {
    let fix = &args.fix;
    hands.journal.open()?;
    let verify = VERIFY.parse()?;
    let words = Words { verb: "Rotated", done: told, there: |_| false, left: named };
    let one = async |key: &Key| {
        let run = if let Some(record) = open.iter().find(|record| record.old.id == key.id) {
            resume(&record.id, Goal::Complete, &[], hands).await?
        } else {
            let (to, grace) = (places::of(&fix.to, &key.name, Some(key.id.as_str()))?, fix.grace);
            let wishes = Wishes { to, grace, check: None, verify, compromised: false, name: None, keeps: true };
            begin(key, &wishes, hands).await?
        };
        run.drive(hands).await
    };
    let (done, failed) = bulk::each(keys, JOBS, hands.terminal, &words, one).await;
    if failed.is_empty() {
        return Ok(());
    }
    let done: Vec<Value> = done.iter().map(|ended| rotation_json(&ended.record)).collect();
    let left = failed.iter().map(|(key, error)| Left { id: key.id.as_str(), name: &key.name, error });
    Err(bulk::partial("rotate", &done, left.collect(), &same_command(args, hands.reached.client.flags())).into())
}

fn told(ended: &Ended) -> String {
    let new = ended.record.new.as_ref();
    new.map_or_else(String::new, |new| {
        format!("Rotated key {} ({} → {})", quoted(&new.name), ended.record.old.id, new.id)
    })
}

fn named(key: &Key) -> String {
    format!("Not rotated: {} ({})", quoted(&key.name), key.id)
}

/// The command as it was typed, but for what does not change what it does.
fn same_command(args: &Args, flags: &str) -> String {
    let mut line = format!("keys{flags} check --fix");
    let mut add = |option: &str, value: Option<String>| {
        line.extend(value.map(|value| text::option(option, &value)));
    };
    add("--max-age", args.max_age.map(|age| age.to_string()));
    add("--unused", args.unused.map(|age| age.to_string()));
    add("--expiring", args.expiring.map(|age| age.to_string()));
    add("--policy", args.policy.as_ref().map(|path| path.display().to_string()));
    for place in &args.fix.to {
        add("--to", Some(place.to_string()));
    }
    add("--grace", args.fix.grace.map(|age| age.to_string()));
    add("--max", args.fix.max.map(|max| max.to_string()));
    if args.require_expiry {
        line.push_str(" --require-expiry");
    }
    line
}
