//! `keys audit`: who changed what.

use std::collections::HashMap;
use std::time::Duration;

use clap::Args as ClapArgs;
use jiff::Timestamp;
use serde_json::json;

use crate::exit::{Exit, Explain as _};
use crate::failure::Failure;
use crate::looking::Looking;
use crate::model::audit::{AuditEntry, AuditFilter};
use crate::model::lifetime::Moment;
use crate::model::selector::{Preference, Selector};
use crate::output::{Output, audit};
use crate::providers::client::Client;
use crate::terminal::Terminal;
use crate::{selection, system};

/// Between two looks with --follow.
const EVERY: Duration = Duration::from_secs(1);

/// What the ids of keys begin with.
const KEY: &str = "key_";

/// Show who changed what, newest first
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys audit --since 24h
  keys audit --key ci --action update
  keys audit --follow --format jsonl")]
pub(crate) struct Args {
    /// Only changes since then: a length of time such as 24h, a date, or an instant
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only changes until then
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
    /// Only this kind of change, such as create, update, revoke or credits.grant
    #[arg(long)]
    action: Option<String>,
    /// Only changes of this key; that of a deleted one by its id
    #[arg(long)]
    key: Option<Selector>,
    /// Go on showing changes as they are made, oldest first, until interrupted
    #[arg(long, conflicts_with = "until")]
    follow: bool,
    /// Show at most this many changes
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

pub(crate) async fn run(args: Args, client: &Client, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let now = system::now();
    let (from, to) = (args.since.map(|since| since.resolve(now)), args.until.map(|until| until.resolve(now)));
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        let message = "--since is later than --until: nothing lies between";
        return Err(Failure::new(Exit::Usage, "invalid_date_range", message).into());
    }
    let resource = match &args.key {
        Some(selector) => Some(resource(client, selector, now).await?),
        None => None,
    };
    let filter = AuditFilter { action: args.action, resource, from, to, after: None };
    if args.follow {
        return follow(filter, args.limit, client, output, terminal).await;
    }
    let limit = args.limit.unwrap_or(usize::MAX);
    let mut list = output.log(terminal, &audit::COLUMNS);
    let mut actors = Actors::default();
    let mut shown = 0_usize;
    let mut log = client.audit(&filter);
    'pages: while let Some(mut entries) = log.next().await? {
        actors.name(&mut entries, client).await;
        for entry in &entries {
            if shown == limit {
                break 'pages;
            }
            list.row_of(terminal, || audit::cells(entry, now), || audit::json(entry))?;
            shown += 1;
        }
    }
    list.finish(terminal, json!({ "count": shown }))?;
    terminal.flush()?;
    if shown == 0 && output.is_for_people() {
        terminal.say("No changes to show");
    }
    Ok(())
}

/// The id that is meant. A deleted key is found by nobody any more, but its changes are there.
async fn resource(client: &Client, selector: &Selector, now: Timestamp) -> anyhow::Result<String> {
    match selection::one(client, selector, Preference::Active, now).await {
        Ok(key) => Ok(key.id.as_str().to_owned()),
        Err(error) => {
            let is_unknown = error.downcast_ref::<Failure>().is_some_and(|failure| failure.exit == Exit::NotFound);
            if is_unknown && selector.as_str().starts_with(KEY) { Ok(selector.as_str().to_owned()) } else { Err(error) }
        }
    }
}

/// The names of the keys that acted, for a provider whose log holds their ids alone.
#[derive(Default)]
struct Actors {
    names: Option<HashMap<String, String>>,
}

impl Actors {
    /// The keys are listed once, and only if they are needed. Where they may not be seen, ids stay.
    async fn name(&mut self, entries: &mut [AuditEntry], client: &Client) {
        for entry in entries.iter_mut().filter(|entry| entry.actor == entry.actor_name) {
            if self.names.is_none() && entry.actor.starts_with(KEY) {
                let keys = client.every().await.unwrap_or_default();
                self.names = Some(keys.into_iter().map(|key| (key.id.as_str().to_owned(), key.name)).collect());
            }
            if let Some(name) = self.names.as_ref().and_then(|names| names.get(&entry.actor)) {
                entry.actor_name.clone_from(name);
            }
        }
    }
}

/// Shows what is there, oldest first, and what comes, until somebody interrupts or enough is shown. Trouble with the service
/// passes.
async fn follow(
    mut filter: AuditFilter,
    limit: Option<usize>,
    client: &Client,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    if filter.from.is_none() {
        filter.from = Some(system::now());
    }
    let mut left = limit.unwrap_or(usize::MAX);
    let mut is_lost = false;
    let mut list = output.log(terminal, &audit::COLUMNS);
    let (mut actors, mut looking) = (Actors::default(), Looking::every(EVERY, 1));
    while left > 0 {
        match newer(&filter, client).await {
            Ok(mut entries) => {
                is_lost = false;
                actors.name(&mut entries, client).await;
                for entry in entries.iter().take(left) {
                    list.row_of(terminal, || audit::cells(entry, system::now()), || audit::json(entry))?;
                    list = list.so_far(terminal)?;
                    left -= 1;
                    filter.after = Some(entry.id.clone());
                    // Numbers rise; from here on they say what is new, whatever the clocks do.
                    filter.from = None;
                }
            }
            Err(error) if error.exit() == Exit::Unreachable => {
                if !is_lost {
                    terminal.warn(&format!("{error}; trying again"));
                }
                is_lost = true;
            }
            Err(error) => return Err(error.into()),
        }
        if left > 0 {
            looking.wait(client, terminal).await;
        }
    }
    Ok(())
}

/// All entries that are new, oldest first.
async fn newer(filter: &AuditFilter, client: &Client) -> Result<Vec<AuditEntry>, crate::http::HttpError> {
    let mut entries = Vec::new();
    let mut log = client.audit(filter);
    while let Some(some) = log.next().await? {
        entries.extend(some);
    }
    entries.reverse();
    Ok(entries)
}
