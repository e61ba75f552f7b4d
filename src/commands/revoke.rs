//! `keys revoke`: switch keys off. Who uses one is refused from then on.

use clap::Args as ClapArgs;

use crate::bulk::{self, Account};
use crate::consent::Given;
use crate::failure::quoted;
use crate::model::selector::Selector;
use crate::output::Output;
use crate::providers::Ability;
use crate::reach::Reached;
use crate::selection::Chosen;
use crate::terminal::Terminal;
use crate::{selection, system, text};

/// Revoke keys
///
/// A revoked key is refused from then on and stays in the list; `keys reactivate` switches it on again, except on LeadLex
/// and ContactLevel, which revoke for good.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys revoke ci --reason leaked
  keys revoke --name 'ci-*' --reason leaked --dry-run
  keys revoke --unused 180d --yes --max 50")]
pub(crate) struct Args {
    /// Id, name, or the start of an id or prefix that only one key has
    #[arg(value_name = "KEY", required_unless_present_any = ["name", "older_than", "expiring", "unused"])]
    keys: Vec<Selector>,
    #[command(flatten)]
    chosen: Chosen,
    /// Show which keys this would touch, and touch none
    #[arg(long)]
    dry_run: bool,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The key's name, instead of typing it when asked; repeat it for several keys
    #[arg(long, value_name = "NAME")]
    confirm: Vec<String>,
    /// The most keys this may touch; with --yes it is consent to more than one
    #[arg(long, value_name = "N")]
    max: Option<usize>,
}

pub(crate) async fn run(
    args: Args,
    yes: bool,
    reached: &Reached,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let client = &reached.client;
    if args.reason.is_some() {
        client.must_offer(Ability::Reason)?;
    }
    let act = bulk::revoking(client);
    let given = Given { yes, confirm: &args.confirm, max: args.max, many: args.chosen.is_any(), settled: Vec::new() };
    if !args.dry_run {
        given.or_somebody_to_ask(act, terminal)?;
    }
    let now = system::now();
    let meant = selection::meant(client, &args.keys, &args.chosen, now).await?;
    if args.dry_run {
        return bulk::preview(act, &meant, output, terminal, now);
    }
    let (revoked, active): (Vec<_>, Vec<_>) = meant.into_iter().partition(|key| key.revoked_at.is_some());
    let reason = args.reason.as_deref().map(|reason| text::option("--reason", reason)).unwrap_or_default();
    let mut account = Account::new("revoke", format!("{reason} --yes"));
    let settled = revoked.iter().flat_map(|key| [key.name.clone(), key.id.to_string()]).collect();
    for key in revoked {
        terminal.say(&format!("Key {} ({}) was revoked already", quoted(&key.name), key.id));
        account.done(key);
    }
    if !active.is_empty() {
        Given { settled, ..given }.obtain(act, &active, &client.host(), terminal, now)?;
    }
    account.revoke(active, args.reason.as_deref(), client, &reached.known, terminal).await;
    account.finish(client, output, terminal, now)
}
