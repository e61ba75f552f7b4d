//! `keys reactivate`: switch revoked keys on again.

use clap::Args as ClapArgs;

use crate::bulk::Account;
use crate::failure::quoted;
use crate::http::IdempotencyKey;
use crate::known::Known;
use crate::model::key::Key;
use crate::model::selector::{Preference, Selector};
use crate::model::state::State;
use crate::output::Output;
use crate::providers::client::Client;
use crate::terminal::Terminal;
use crate::{selection, system};

/// Reactivate revoked keys
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Id, name, or the start of an id or prefix that only one key has; of several with one name, the revoked one
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<Selector>,
}

pub(crate) async fn run(
    args: Args,
    client: &Client,
    known: &Known,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let now = system::now();
    let mut account = Account::new("reactivate", String::new());
    let keys = selection::all(client, &args.keys, Preference::Revoked, now).await?;
    let (revoked, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.revoked_at.is_some());
    for key in others {
        terminal.say(&format!("Key {} ({}) is not revoked", quoted(&key.name), key.id));
        warn_if_expired(&key, now, terminal, client);
        account.done(key);
    }
    let reactivate = async |key: &Key| {
        let once = IdempotencyKey::fresh(&mut system::random);
        client.reactivate(&key.id, &once).await
    };
    let said = |key: &Key| {
        known.note(key);
        terminal.say(&format!("Reactivated key {} ({})", quoted(&key.name), key.id));
        warn_if_expired(key, now, terminal, client);
        terminal.say(&format!("Undo with: keys{} revoke {}", client.flags(), key.id));
    };
    account.each(revoked, reactivate, said).await;
    account.finish(client, output, terminal, now)
}

fn warn_if_expired(key: &Key, now: jiff::Timestamp, terminal: &mut Terminal, client: &Client) {
    if key.state(now) == State::Expired {
        terminal.warn(&format!(
            "it has expired and is still refused; give it a new end with: keys{} edit {} --expires WHEN",
            client.flags(),
            key.id
        ));
    }
}
