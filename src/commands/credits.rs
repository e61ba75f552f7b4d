//! `keys credits`: the balance, what expires when, and how long it lasts.

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::model::credits::Credits;
use crate::model::usage::{Threshold, UsageReport};
use crate::output::{self, Output, credits};
use crate::providers::client::Client;
use crate::system;
use crate::terminal::Terminal;

/// How many days the present rate is taken from.
const DAYS: u16 = 30;

/// Show the credits that are left, what expires when, and how long they last
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys credits
  keys credits --fail-below 500")]
pub(crate) struct Args {
    /// End with 12 where fewer credits are left: a number, or a share of what was granted such as 10%
    #[arg(long, value_name = "N|P%")]
    fail_below: Option<Threshold>,
}

pub(crate) async fn run(args: Args, client: &Client, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let now = system::now();
    let credits = client.credits().await?;
    if matches!(args.fail_below, Some(Threshold::Percent(_))) && credits.kinds.is_some() {
        let message = "the service does not tell how many credits were granted, so that there is no share of them";
        return Err(Failure::new(Exit::Usage, "no_share", message).hint("give a number: --fail-below 500").into());
    }
    if output.is_for_prometheus() {
        let metrics = credits::metrics(&credits, &[("service", client.host())], now);
        output::metrics(terminal, &metrics)?;
    } else {
        // How long they last is said where calls are counted and may be seen, and left out elsewhere.
        let counted = if client.counts_calls() { client.usage(None, DAYS, now).await.ok() } else { None };
        let days_left = counted.and_then(|usage| days_left(&credits, &usage));
        let json = credits::json(&credits, days_left, now);
        output.object(terminal, json, |terminal| credits::detail(&credits, days_left, now, terminal))?;
    }
    let granted = credits.grants.iter().map(|grant| grant.amount).sum();
    match args.fail_below {
        Some(bound) if bound.is_above(credits.balance, granted) => {
            let message = format!("{} credits are left, fewer than {bound}", credits.balance);
            Err(Failure::new(Exit::CheckFailed, "credits_low", message).into())
        }
        _ => Ok(()),
    }
}

/// What the balance lasts at the rate of the days since the first call.
#[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
fn days_left(credits: &Credits, usage: &UsageReport) -> Option<f64> {
    let days: Vec<i64> =
        usage.days.iter().map(|(_, of)| of.calls - of.errors).skip_while(|calls| *calls == 0).collect();
    let calls: i64 = days.iter().sum();
    (calls > 0).then(|| credits.balance as f64 * days.len() as f64 / calls as f64)
}
