//! `keys show`: everything that is known of one key, but for its secret.

use clap::Args as ClapArgs;

use crate::known::Known;
use crate::model::selector::{Preference, Selector};
use crate::output::{Output, key};
use crate::providers::client::Client;
use crate::terminal::Terminal;
use crate::{selection, system};

/// Show a key
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Id, name, or the start of an id or prefix that only one key has
    key: Selector,
}

pub(crate) async fn run(
    args: Args,
    client: &Client,
    known: &Known,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let now = system::now();
    let found = selection::one(client, &args.key, Preference::Active, now).await?;
    known.note(&found);
    output.object(terminal, key::json(&found, now), |terminal| key::detail(&found, now, terminal))?;
    Ok(terminal.flush()?)
}
