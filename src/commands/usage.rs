//! `keys usage`: how much is left of the limits, until when, and what eats it.

use std::time::Duration;

use clap::Args as ClapArgs;

use crate::exit::{Exit, Explain as _};
use crate::failure::Failure;
use crate::looking::Looking;
use crate::model::selector::{Preference, Selector};
use crate::model::usage::{Threshold, UsageReport};
use crate::output::{self, Output, usage};
use crate::providers::client::Client;
use crate::terminal::Terminal;
use crate::{selection, system};

/// Between two looks with --watch.
const EVERY: Duration = Duration::from_secs(2);

/// How many requests a look is where nobody counts: who calls, the keys, and what they did.
const GATHERED: u32 = 3;

/// Show how much is left of the limits, until when, and what eats it
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys usage
  keys usage ci --days 7
  keys usage --fail-below 10%
  keys usage --format prometheus > /var/lib/node_exporter/keys.prom")]
pub(crate) struct Args {
    /// Only what this key used: id, name, or the start of an id or prefix that only one key has
    key: Option<Selector>,
    /// How many days to look back, today included
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=365))]
    days: u16,
    /// Look again every two seconds, until interrupted
    #[arg(long)]
    watch: bool,
    /// End with 12 where fewer calls are left today: a number, or a share such as 10%
    #[arg(long, value_name = "N|P%")]
    fail_below: Option<Threshold>,
}

pub(crate) async fn run(args: Args, client: &Client, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let key = match &args.key {
        Some(selector) => Some(selection::one(client, selector, Preference::Active, system::now()).await?),
        None => None,
    };
    let of = key.as_ref().map_or_else(|| client.host(), |key| format!("{} on {}", key.name, client.host()));
    let mut report = client.usage(key.as_ref(), args.days, system::now()).await?;
    let mut looking = Looking::every(EVERY, if client.counts_calls() { 1 } else { GATHERED });
    loop {
        show(&report, &of, client, output, terminal)?;
        check(&report, args.fail_below)?;
        if !args.watch {
            return Ok(());
        }
        looking.wait(client, terminal).await;
        report = match client.usage(key.as_ref(), args.days, system::now()).await {
            Ok(report) => report,
            // Who watches wants to go on watching when the service is back.
            Err(error) if error.exit() == Exit::Unreachable => {
                terminal.warn(&format!("{error}; looking again"));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if output.is_for_people() {
            terminal.start_over()?;
        }
    }
}

fn show(
    report: &UsageReport,
    of: &str,
    client: &Client,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let now = system::now();
    if output.is_for_prometheus() {
        let metrics = usage::metrics(report, &[("service", client.host())]);
        return Ok(output::metrics(terminal, &metrics)?);
    }
    output.object(terminal, usage::json(report, now), |terminal| usage::detail(report, of, now, terminal))?;
    Ok(())
}

fn check(report: &UsageReport, bound: Option<Threshold>) -> Result<(), Failure> {
    let quota = &report.per_day;
    match bound {
        Some(bound) if bound.is_above(quota.remaining, quota.limit) => {
            let message = format!("{} of {} calls are left today, fewer than {bound}", quota.remaining, quota.limit);
            Err(Failure::new(Exit::CheckFailed, "quota_low", message)
                .hint(format!("it is counted anew at {}", crate::text::utc(quota.resets_at))))
        }
        _ => Ok(()),
    }
}
