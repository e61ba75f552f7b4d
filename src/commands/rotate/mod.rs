//! `keys rotate`: a new key in the place of an old one, so that neither a crash nor a lost answer costs a key.

mod many;

use clap::Args as ClapArgs;
use serde_json::json;

use crate::consent::{Act, Given};
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::model::key::KeyName;
use crate::model::lifetime::Age;
use crate::model::rotation::Record;
use crate::model::selector::{Preference, Selector};
use crate::output::{Output, rotation as look};
use crate::rotation::{Ended, Hands, Preview, Wishes, begin, preview, report, rotation_json};
use crate::selection::Aged;
use crate::sink::SinkSpec;
use crate::terminal::Terminal;
use crate::{selection, system, text};

/// Rotate a key: make its successor, deliver it, and retire the old one
///
/// The old key is not touched before the new one is delivered and works. Whatever is interrupted on the way, `keys
/// rotation resume` goes on with it. Without --grace the old key is revoked as soon as the new one works, which asks.
///
/// Without KEY, all active keys that fit the options are rotated, each on its own; the same command again goes on where
/// an earlier one stopped. In the places of many keys, {name} and {id} stand for the key's own.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  NEW=$(keys rotate ci --yes)
  keys rotate ci --grace 24h --to dotenv:.env#API_KEY --check './smoke-test'
  keys rotate ci --compromised --yes --to 'cmd:vault kv put secret/ci value=-'
  keys rotate --older-than 90d --grace 7d --to 'file:/run/secrets/{name}' --max 50 --jobs 4")]
pub(crate) struct Args {
    /// Id, name, or the start of an id or prefix that only one key has
    #[arg(id = "keys", value_name = "KEY", required_unless_present_any = ["name", "older_than", "expiring"])]
    key: Option<Selector>,
    #[expect(clippy::doc_markdown, reason = "this is help text: `file:PATH` is no address")]
    /// Where the plaintext goes: stdout, clipboard, file:PATH, dotenv:PATH#VAR, json:PATH, keyring:SERVICE/ACCOUNT,
    /// cmd:COMMAND, github-env:NAME, github-output:NAME or fd:N; may be repeated
    #[arg(long, value_name = "SINK")]
    to: Vec<SinkSpec>,
    /// How long the old key goes on working beside the new one
    #[arg(long, value_name = "AGE")]
    grace: Option<Age>,
    /// A command that must succeed before the old key is retired; it gets the new key on its standard input
    #[arg(long, value_name = "CMD")]
    check: Option<String>,
    /// How long the service may refuse the new key
    #[arg(long, value_name = "AGE", default_value = "60s")]
    verify_timeout: Age,
    /// Somebody else knows the old key: revoke it at once, and say so in the audit log
    #[arg(long, conflicts_with = "grace")]
    compromised: bool,
    /// With KEY, the name of the new key; without, all active keys whose name fits this pattern
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Keep no copy of the new key until it is delivered; the service can be asked for it for a day
    #[arg(long)]
    no_escrow: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    aged: Aged,
    /// The most keys this may rotate; with --yes it is consent to more than one
    #[arg(long, value_name = "N", help_heading = "Many keys at once", conflicts_with = "keys")]
    max: Option<usize>,
    /// How many keys are rotated at the same time
    #[arg(long, value_name = "N", help_heading = "Many keys at once", conflicts_with = "keys", default_value = "4")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
}

const ACT: Act<'_> = Act::new("rotate");

pub(crate) async fn run(args: Args, yes: bool, hands: &mut Hands<'_, '_>) -> anyhow::Result<()> {
    hands.is_one_of_many = args.key.is_none();
    let given = Given { yes, max: args.max, many: args.key.is_none(), ..Given::default() };
    // With a grace nothing stops working that somebody uses.
    if args.grace.is_none() && !args.dry_run {
        given.or_somebody_to_ask(ACT, &hands.terminal.borrow())?;
    }
    let Some(selector) = &args.key else {
        return many::run(&args, &given, hands).await;
    };
    let name = args.name.as_deref().map(|name| successor_name(name, hands)).transpose()?;
    let now = system::now();
    let client = &hands.reached.client;
    let old = selection::one(client, selector, Preference::Active, now).await?;
    let wishes = args.wishes(args.to.clone(), name);
    if args.dry_run {
        return show(&[preview(&old, &wishes, hands).await?], hands);
    }
    hands.journal.open()?;
    let run = begin(&old, &wishes, hands).await?;
    if args.grace.is_none() {
        given.obtain_yes(ACT, &old, &client.host(), &mut hands.terminal.borrow_mut(), now)?;
    }
    hands.terminal.borrow_mut().say(&format!("Rotating key {} ({})", quoted(&old.name), old.id));
    let ended = run.drive(hands).await?;
    report(&ended, hands)
}

impl Args {
    fn wishes(&self, to: Vec<SinkSpec>, name: Option<KeyName>) -> Wishes {
        Wishes {
            to,
            grace: self.grace,
            check: self.check.clone(),
            verify: self.verify_timeout,
            compromised: self.compromised,
            name,
            keeps: !self.no_escrow,
        }
    }
}

fn successor_name(name: &str, hands: &Hands<'_, '_>) -> Result<KeyName, Failure> {
    let problem = |error| Failure::new(Exit::Usage, "invalid_name", format!("the name cannot be used: {error}"));
    let name: KeyName = name.parse().map_err(problem)?;
    selection::check_name(&name, hands.reached.rules)?;
    Ok(name)
}

/// Shows what rotations would do, and does nothing.
fn show(previews: &[Preview], hands: &Hands<'_, '_>) -> anyhow::Result<()> {
    let terminal = &mut **hands.terminal.borrow_mut();
    let plans: Vec<_> = previews.iter().map(Preview::json).collect();
    let object = json!({ "dry_run": true, "rotations": plans });
    hands.output.object(terminal, object, |terminal| {
        for (number, preview) in previews.iter().enumerate() {
            if number > 0 {
                writeln!(terminal.out())?;
            }
            write_plan(preview, terminal)?;
        }
        Ok(())
    })?;
    terminal.say(&format!(
        "{} would be rotated; nothing was sent that changes anything",
        text::count(previews.len(), "key")
    ));
    Ok(())
}

fn write_plan(preview: &Preview, terminal: &mut Terminal) -> std::io::Result<()> {
    let record: &Record = &preview.record;
    let out = terminal.out();
    writeln!(out, "Key {} ({})", quoted(&record.old.name), record.old.id)?;
    writeln!(out, "  make      {} {}", preview.request.method, preview.request.url)?;
    let body = preview.request.body.as_ref().map(ToString::to_string).unwrap_or_default();
    writeln!(out, "            {}", text::escape(&body))?;
    for place in &record.places {
        writeln!(out, "  deliver   {}", text::escape(place.to.as_deref().unwrap_or("to standard output")))?;
    }
    writeln!(out, "  verify    for at most {} seconds", record.verify_seconds)?;
    if let Some(check) = &record.check {
        writeln!(out, "  check     {}", text::escape(check))?;
    }
    if record.is_stored_credential {
        writeln!(out, "  store     as the credential of this program")?;
    }
    writeln!(out, "  old key   {}", look::retirement(record.retirement))
}

/// What `keys rotate` and `keys rotation` print of several rotations.
pub(crate) fn print_list(ended: &[Ended], output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut list = output.list(terminal, &look::DONE);
    for one in ended {
        let json = || {
            let mut object = one.record.new.as_ref().map_or_else(|| json!({}), |new| new.described.clone());
            object["rotation"] = rotation_json(&one.record);
            object
        };
        list.row_of(terminal, || look::done_cells(&one.record), json)?;
    }
    Ok(list.finish(terminal, json!({ "count": ended.len() }))?)
}
