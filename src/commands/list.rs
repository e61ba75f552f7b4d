//! `keys list`: the keys that fit, streamed page by page.

use std::convert::Infallible;

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;
use wildmatch::WildMatch;

use crate::known::Known;
use crate::model::filter::{Filter, Sort};
use crate::model::lifetime::Age;
use crate::model::state::State;
use crate::output::key::ForPrograms;
use crate::output::{Output, key};
use crate::providers::client::Client;
use crate::terminal::Terminal;
use crate::{system, text};

/// List keys
///
/// Revoked and expired keys are left out unless --status asks for them; how many there are is said on standard error.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys list --unused 90d --sort last-used
  keys list --expiring 14d --json --jq '.data[].name'
  keys list --status all --name 'ci-*'")]
pub(crate) struct Args {
    /// Show keys in this state only [default: active]
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// Only keys with this text in their name or description, in any case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only keys whose name fits this pattern, such as 'ci-*'
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    name: Option<WildMatch>,
    /// Only keys that hold a permission which fits this pattern, such as 'read:*'
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    perm: Option<WildMatch>,
    /// Only keys not used for this long; one never used counts from its creation
    #[arg(long, value_name = "AGE")]
    unused: Option<Age>,
    /// Only keys created longer ago than this
    #[arg(long, value_name = "AGE")]
    older_than: Option<Age>,
    /// Only keys that end within this time
    #[arg(long, value_name = "WITHIN")]
    expiring: Option<Age>,
    /// Only keys that never end
    #[arg(long, conflicts_with = "expiring")]
    no_expiry: bool,
    /// Order: name, created, last-used or expires; with a minus in front the other way round
    #[arg(long, value_name = "FIELD", default_value = "-created", value_parser = sort, allow_hyphen_values = true)]
    sort: Sort,
    /// Show at most this many keys
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Status {
    /// Keys that work
    Active,
    /// Keys that were switched off
    Revoked,
    /// Keys past their end
    Expired,
    /// Every key
    All,
}

impl Status {
    /// The one that is meant; `None` for all.
    const fn state(self) -> Option<State> {
        match self {
            Self::Active => Some(State::Active),
            Self::Revoked => Some(State::Revoked),
            Self::Expired => Some(State::Expired),
            Self::All => None,
        }
    }
}

pub(crate) async fn run(
    args: Args,
    client: &Client,
    known: &Known,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let now = system::now();
    let asked = args.status.and_then(Status::state);
    let filter = Filter {
        state: asked,
        search: args.search,
        name: args.name,
        permission: args.perm,
        unused: args.unused,
        older_than: args.older_than,
        expiring: args.expiring,
        no_expiry: args.no_expiry,
    };
    let mut hidden = Some(Hidden::default());
    let mut shown = 0_usize;
    let limit = args.limit.unwrap_or(usize::MAX);
    let mut list = output.list(terminal, &key::COLUMNS);
    let mut pages = client.list(&filter, args.sort);
    'pages: while let Some(page) = pages.next().await? {
        known.note_each(&page);
        for one in page.iter().filter(|one| filter.fits(one, now)) {
            let state = one.state(now);
            if args.status.is_none() && state != State::Active {
                if let Some(hidden) = &mut hidden {
                    hidden.count(state);
                }
            } else if shown == limit {
                // What was not looked at is not counted.
                hidden = None;
                break 'pages;
            } else {
                list.row_of(terminal, || key::cells(one, now), || ForPrograms { key: one, now })?;
                shown += 1;
            }
        }
    }
    if hidden.is_some() && asked.is_none() && filter.search.is_none() {
        known.note_that_this_is_all();
    }
    list.finish(
        terminal,
        json!({
            "count": shown,
            "hidden": hidden.as_ref().map(|hidden| json!({ "revoked": hidden.revoked, "expired": hidden.expired })),
        }),
    )?;
    terminal.flush()?;
    if output.is_for_people() {
        if shown == 0 {
            terminal.say("No keys to show");
        }
        if let Some(footer) = hidden.and_then(|hidden| hidden.footer()) {
            terminal.say(&footer);
        }
    }
    Ok(())
}

/// Keys that fit but for their state.
#[derive(Default)]
struct Hidden {
    revoked: usize,
    expired: usize,
}

impl Hidden {
    fn count(&mut self, state: State) {
        match state {
            State::Active => {}
            State::Revoked => self.revoked += 1,
            State::Expired => self.expired += 1,
        }
    }

    fn footer(&self) -> Option<String> {
        let total = self.revoked + self.expired;
        let parts = match (self.revoked, self.expired) {
            (0, 0) => return None,
            (revoked, 0) => format!("{revoked} revoked"),
            (0, expired) => format!("{expired} expired"),
            (revoked, expired) => format!("{revoked} revoked and {expired} expired"),
        };
        let noun = text::count(total, "key");
        let noun = noun.rsplit(' ').next().unwrap_or("keys");
        Some(format!("{parts} {noun} hidden (--status all shows them)"))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every text is a pattern, and a parser returns a result")]
fn glob(text: &str) -> Result<WildMatch, Infallible> {
    Ok(WildMatch::new(text))
}

fn sort(text: &str) -> Result<Sort, String> {
    Sort::parse(text)
        .ok_or_else(|| "it is one of name, created, last-used, expires, each also with a minus in front".to_owned())
}
