//! `keys check`: which keys are stale, too wide or about to end, as an exit code.

mod fix;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args as ClapArgs;
use serde_json::json;

use self::fix::Fix;
use crate::config::Environment;
use crate::exit::{Exit, Explain as _};
use crate::failure::Failure;
use crate::http::HttpError;
use crate::model::credits::Credits;
use crate::model::key::{Key, KeyId};
use crate::model::lifetime::Age;
use crate::model::policy::{Facts, Finding, Mend, Policy};
use crate::model::usage::UsageReport;
use crate::output::{Format, Output, findings};
use crate::providers::Ability;
use crate::providers::client::Client;
use crate::reach::Reached;
use crate::terminal::Terminal;
use crate::{files, system, text};

/// How far back calls are looked at.
const DAYS: u16 = 30;

/// A policy is a page of text at most.
const LARGEST_POLICY: u64 = 64 * 1024;

/// Check the keys against a policy: too old, unused, too wide, about to end
///
/// Ends with 12 where anything is found. Each finding names the command that mends it; --fix runs those that rotate and
/// revoke, once you agree.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys check
  keys check --max-age 60d --require-expiry --format junit > keys.xml
  keys check --policy keys-policy.toml --format sarif > keys.sarif
  keys check --fix --dry-run
  keys check --fix --to 'file:/run/secrets/{name}' --grace 7d --yes --max 20

A policy file:
  max-age = \"90d\"          # false switches a rule off
  unused = \"90d\"
  never-used = \"7d\"
  expiring = \"14d\"
  require-expiry = true
  quota-below = \"10%\"
  credits-below = 500
  ignore = [\"legacy-*\"]    # names of keys that nothing is asked of
  off = [\"duplicate\"]      # rules that do not apply")]
pub(crate) struct Args {
    /// How old a key may become [default: 90d]
    #[arg(long, value_name = "AGE")]
    max_age: Option<Age>,
    /// How long a key may go without a call [default: 90d]
    #[arg(long, value_name = "AGE")]
    unused: Option<Age>,
    /// How long before its end a key should be replaced [default: 14d]
    #[arg(long, value_name = "WITHIN")]
    expiring: Option<Age>,
    /// Every key must have an end
    #[arg(long)]
    require_expiry: bool,
    /// Read the policy from this file; options come first
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    fix: Fix,
}

impl Args {
    fn policy(&self) -> anyhow::Result<Policy> {
        let mut policy = match &self.policy {
            Some(path) => read(path)?,
            None => Policy::default(),
        };
        policy.max_age = self.max_age.or(policy.max_age);
        policy.unused = self.unused.or(policy.unused);
        policy.expiring = self.expiring.or(policy.expiring);
        policy.require_expiry |= self.require_expiry;
        Ok(policy)
    }
}

fn read(path: &Path) -> anyhow::Result<Policy> {
    let shown = path.display();
    let bytes =
        files::read_public(path, LARGEST_POLICY).with_context(|| format!("could not read the policy {shown}"))?;
    let text = String::from_utf8_lossy(&bytes);
    text.parse().map_err(|error| {
        let message = format!("the policy {shown} cannot be used: {error}");
        Failure::new(Exit::Usage, "invalid_policy", message).hint("keys check --help shows one").into()
    })
}

pub(crate) async fn run(
    args: Args,
    yes: bool,
    environment: &Environment,
    reached: &Reached,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let client = &reached.client;
    let policy = args.policy()?;
    let now = system::now();
    let keys = client.every().await?;
    reached.known.note_each(&keys);
    reached.known.note_that_this_is_all();
    let seen = Seen::of(client, &policy, &keys, terminal).await?;
    let facts = Facts {
        keys: &keys,
        catalogue: &reached.rules.permissions,
        calls: seen.calls.as_ref(),
        own: seen.own.as_ref(),
        per_day: seen.usage.as_ref().map(|usage| &usage.per_day),
        credits: seen.credits.as_ref(),
    };
    let mut found = policy.findings(facts, now);
    let is_credential = |id: &KeyId| keys.iter().any(|key| key.id == *id && key.role().is_some());
    for finding in &mut found {
        // No command is named that the provider does not do, nor one that is refused.
        let does = match &finding.mend {
            Mend::Remove(..) => client.must_offer(Ability::Edit).is_ok(),
            Mend::End(..) => client.must_offer(Ability::EditExpiry).is_ok(),
            Mend::Rotate(id) => !is_credential(id),
            Mend::Revoke(_) | Mend::Nothing => true,
        };
        if !does {
            finding.mend = Mend::Nothing;
        }
    }
    print(&found, &policy, args.policy.as_deref(), client, output, terminal)?;
    if found.is_empty() {
        if output.is_for_people() {
            terminal.say(&format!("{} checked, nothing found", text::count(keys.len(), "key")));
        }
        return Ok(());
    }
    if args.fix.is_asked() {
        let may_be_own = |key: &Key| match &seen.own {
            Some(own) => key.id == *own,
            None => reached.may_be_own(key),
        };
        let is_left_alone = |key: &Key| key.role().is_some() || may_be_own(key);
        let found = fix::Found { findings: &found, keys: &keys, is_left_alone: &is_left_alone };
        return fix::run(&args, yes, &found, environment, reached, terminal).await;
    }
    let message = format!("{} in {}", text::count(found.len(), "finding"), text::count(keys.len(), "key"));
    Err(Failure::new(Exit::CheckFailed, "policy_violated", message).into())
}

/// What the credential may see besides the keys.
struct Seen {
    own: Option<KeyId>,
    usage: Option<UsageReport>,
    calls: Option<HashMap<KeyId, Vec<String>>>,
    credits: Option<Credits>,
}

impl Seen {
    /// Looks at everything that is judged. What may not be seen, or is not offered, is said once.
    async fn of(client: &Client, policy: &Policy, keys: &[Key], terminal: &mut Terminal) -> Result<Self, HttpError> {
        let own = unless_hidden(client.whoami().await, "the credential's own end", terminal)?;
        if own.as_ref().is_some_and(|whoami| !whoami.tells_key) {
            terminal.warn("not checked: the credential's own end (the service does not tell which key it is)");
        }
        let own = own.and_then(|whoami| whoami.key).map(|key| key.id);
        let usage = unless_hidden(
            client.usage(None, DAYS, system::now()).await,
            "usage, quota and needless permissions",
            terminal,
        )?;
        let calls = match &usage {
            Some(usage) if client.counts_calls() => Some(calls(client, usage, keys).await?),
            Some(UsageReport { note: Some(note), .. }) => {
                terminal.warn(&format!("not checked: needless permissions ({note})"));
                None
            }
            _ => None,
        };
        let credits = match policy.credits_below {
            Some(_) => unless_hidden(client.credits().await, "credits", terminal)?,
            None => None,
        };
        Ok(Self { own, usage, calls, credits })
    }
}

fn unless_hidden<T>(seen: Result<T, HttpError>, what: &str, terminal: &mut Terminal) -> Result<Option<T>, HttpError> {
    match seen {
        Ok(seen) => Ok(Some(seen)),
        Err(error) if matches!(error.exit(), Exit::Forbidden | Exit::NotFound) => {
            terminal.warn(&format!("not checked: {what} ({error})"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The calls of each key that made any.
async fn calls(client: &Client, usage: &UsageReport, keys: &[Key]) -> Result<HashMap<KeyId, Vec<String>>, HttpError> {
    let mut calls = HashMap::new();
    for used in &usage.keys {
        let Some(key) = keys.iter().find(|key| key.id.as_str() == used.id) else { continue };
        let of_key = client.usage(Some(key), DAYS, system::now()).await?;
        // What was refused opened nothing, and so needed nothing.
        let answered = of_key.endpoints.into_iter().filter(|(_, of)| of.calls > of.errors);
        calls.insert(key.id.clone(), answered.map(|(endpoint, _)| endpoint).collect());
    }
    Ok(calls)
}

fn print(
    found: &[Finding],
    policy: &Policy,
    file: Option<&Path>,
    client: &Client,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    match output.format {
        Format::Junit => terminal.out().write_all(findings::junit(found, &policy.off, client.flags()).as_bytes())?,
        Format::Sarif => {
            let sarif = findings::sarif(found, file, &client.host(), client.flags());
            writeln!(terminal.out(), "{sarif:#}")?;
        }
        _ if output.is_for_people() && terminal.is_on_screen() => findings::detail(found, client.flags(), terminal)?,
        _ => {
            let mut list = output.list(terminal, &findings::COLUMNS);
            for finding in found {
                list.row(terminal, findings::row(finding, client.flags()))?;
            }
            list.finish(terminal, json!({ "count": found.len() }))?;
        }
    }
    Ok(terminal.flush()?)
}
