//! `keys delete`: remove keys for good.

use clap::Args as ClapArgs;

use crate::bulk::{self, Account};
use crate::consent::{Act, Given};
use crate::failure::quoted;
use crate::http::IdempotencyKey;
use crate::model::key::Key;
use crate::model::selector::Selector;
use crate::output::Output;
use crate::reach::Reached;
use crate::selection::Chosen;
use crate::terminal::Terminal;
use crate::{selection, system};

/// Delete keys for good
///
/// This cannot be undone; `keys revoke` can. What the audit log says of the key stays.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Id, name, or the start of an id or prefix that only one key has
    #[arg(value_name = "KEY", required_unless_present_any = ["name", "older_than", "expiring", "unused"])]
    keys: Vec<Selector>,
    #[command(flatten)]
    chosen: Chosen,
    /// Show which keys this would touch, and touch none
    #[arg(long)]
    dry_run: bool,
    /// The key's name, instead of typing it when asked; repeat it for several keys
    #[arg(long, value_name = "NAME")]
    confirm: Vec<String>,
    /// The most keys this may touch; with --yes it is consent to more than one
    #[arg(long, value_name = "N")]
    max: Option<usize>,
}

const ACT: Act<'_> = Act { verb: "delete", is_final: true, warning: None };

pub(crate) async fn run(
    args: Args,
    yes: bool,
    reached: &Reached,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let client = &reached.client;
    let many = args.chosen.is_any();
    let given = Given { yes, confirm: &args.confirm, max: args.max, many, settled: Vec::new() };
    if !args.dry_run {
        given.or_somebody_to_ask(ACT, terminal)?;
    }
    let now = system::now();
    let (keys, gone) = if many {
        (selection::meant(client, &args.keys, &args.chosen, now).await?, Vec::new())
    } else {
        selection::left(client, &args.keys, &args.confirm, now).await?
    };
    for id in &gone {
        terminal.say(&format!("Key {id} is gone already"));
    }
    if args.dry_run {
        return bulk::preview(ACT, &keys, output, terminal, now);
    }
    if !keys.is_empty() {
        Given { settled: gone, ..given }.obtain(ACT, &keys, &client.host(), terminal, now)?;
    }
    let mut account = Account::new("delete", " --yes".to_owned());
    let delete = async |key: &Key| {
        let once = IdempotencyKey::fresh(&mut system::random);
        client.delete(&key.id, &once).await.map(|()| key.clone())
    };
    let said = |key: &Key| {
        reached.known.forget(key);
        terminal.say(&format!("Deleted key {} ({}); this cannot be undone", quoted(&key.name), key.id));
    };
    account.each(keys, delete, said).await;
    account.finish(client, output, terminal, now)
}
