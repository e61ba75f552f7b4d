//! `keys delete`: remove keys for good.

use clap::Args as ClapArgs;

use crate::bulk::Account;
use crate::consent::{Act, Given};
use crate::failure::quoted;
use crate::http::IdempotencyKey;
use crate::model::key::Key;
use crate::model::selector::{Preference, Selector};
use crate::output::Output;
use crate::providers::native::client::Client;
use crate::terminal::Terminal;
use crate::{selection, system};

/// Delete keys for good
///
/// This cannot be undone; `keys revoke` can. What the audit log says of the key stays.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Id, name, or the start of an id or prefix that only one key has
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<Selector>,
    /// The key's name, instead of typing it when asked; repeat it for several keys
    #[arg(long, value_name = "NAME")]
    confirm: Vec<String>,
    /// The most keys this may touch; with --yes it is consent to more than one
    #[arg(long, value_name = "N")]
    max: Option<usize>,
}

const ACT: Act<'_> = Act { verb: "delete", is_final: true };

pub(crate) async fn run(
    args: Args,
    yes: bool,
    client: &Client,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let given = Given { yes, confirm: &args.confirm, max: args.max };
    given.or_somebody_to_ask(ACT, terminal)?;
    let now = system::now();
    let keys = selection::all(client, &args.keys, Preference::Active, now).await?;
    given.obtain(ACT, &keys, &client.host(), terminal, now)?;
    let mut account = Account::new("delete", " --yes".to_owned());
    let delete = async |key: &Key| {
        let once = IdempotencyKey::fresh(&mut system::random);
        client.delete(&key.id, &once).await.map(|()| key.clone())
    };
    let said = |key: &Key| {
        terminal.say(&format!("Deleted key {} ({}); this cannot be undone", quoted(&key.name), key.id));
    };
    account.each(keys, delete, said).await;
    account.finish(client, output, terminal, now)
}
