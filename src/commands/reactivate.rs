//! `keys reactivate`: switch revoked keys on again.

use clap::Args as ClapArgs;

use crate::bulk::Account;
use crate::failure::quoted;
use crate::http::IdempotencyKey;
use crate::model::selector::{Preference, Selector};
use crate::model::state::State;
use crate::output::Output;
use crate::providers::native::client::Client;
use crate::terminal::Terminal;
use crate::{selection, system};

/// Reactivate revoked keys
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Id, name, or the start of an id or prefix that only one key has; of several with one name, the revoked one
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<Selector>,
}

pub(crate) async fn run(args: Args, client: &Client, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let now = system::now();
    let mut account = Account::new("reactivate", false);
    for key in selection::all(client, &args.keys, Preference::Revoked, now).await? {
        if key.revoked_at.is_none() {
            terminal.say(&format!("Key {} ({}) is not revoked", quoted(&key.name), key.id));
            warn_if_expired(&key, now, terminal, client);
            account.done(key);
            continue;
        }
        let once = IdempotencyKey::fresh(&mut system::random);
        match client.reactivate(&key.id, &once).await {
            Ok(after) => {
                terminal.say(&format!("Reactivated key {} ({})", quoted(&after.name), after.id));
                warn_if_expired(&after, now, terminal, client);
                terminal.say(&format!("Undo with: keys{} revoke {}", client.flags(), after.id));
                account.done(after);
            }
            Err(error) => {
                if account.failed(key, error).is_break() {
                    break;
                }
            }
        }
    }
    account.finish(client, output, terminal, now)
}

fn warn_if_expired(key: &crate::model::key::Key, now: jiff::Timestamp, terminal: &mut Terminal, client: &Client) {
    if key.state(now) == State::Expired {
        terminal.warn(&format!(
            "it has expired and is still refused; give it a new end with: keys{} edit {} --expires WHEN",
            client.flags(),
            key.id
        ));
    }
}
