//! `keys serve audit`: looking through the chains of the audit log.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::Place;
use crate::config::Environment;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::output::{Cell, Column, Output, Row};
use crate::system;
use crate::terminal::Terminal;

/// Verify the audit log
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys serve audit verify --database sqlite:acme.db")]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Look through the chain of every workspace: each entry carries the hash of the one before it
    ///
    /// Ends with 12 where an entry was changed, removed or put in, and with 3 where there is no workspace. Who keeps the
    /// printed heads elsewhere can tell also that nobody wrote a whole chain anew.
    Verify {
        /// Only this workspace
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        #[command(flatten)]
        place: Place,
    },
}

static COLUMNS: [Column; 4] = [
    Column { title: "WORKSPACE", name: "workspace", rank: 9, shrinks: true, right: false, place: 0 },
    Column { title: "CHAIN", name: "chain", rank: 8, shrinks: false, right: false, place: 1 },
    Column { title: "ENTRIES", name: "entries", rank: 7, shrinks: false, right: true, place: 2 },
    Column { title: "HEAD", name: "head", rank: 6, shrinks: false, right: false, place: 3 },
];

pub(super) async fn run(
    args: Args,
    environment: &Environment,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let Task::Verify { workspace, place } = args.task;
    let found =
        super::open_existing(&place, environment).await?.verify_audit(workspace.as_deref(), system::now()).await?;
    if found.is_empty() {
        let message = "this database has no workspace, and so no audit log";
        let hint = "name the one that is meant with --database";
        return Err(Failure::new(Exit::NotFound, "not_found", message).hint(hint).into());
    }
    let mut broken = Vec::new();
    let mut list = output.list(terminal, &COLUMNS);
    for (workspace, verified) in &found {
        let chain = verified.broken_at.map_or_else(|| "whole".to_owned(), |entry| format!("broken at log_{entry}"));
        let cells = vec![
            Cell::new(workspace.as_str()),
            Cell::new(chain.as_str()),
            Cell::new(verified.entries.to_string()),
            Cell::new(verified.head.as_str()),
        ];
        let json = json!({
            "workspace": workspace,
            "whole": verified.broken_at.is_none(),
            "broken_at": verified.broken_at.map(|entry| format!("log_{entry}")),
            "entries": verified.entries,
            "head": verified.head,
        });
        list.row(terminal, Row { cells, json })?;
        if verified.broken_at.is_some() {
            broken.push(quoted(workspace));
        }
    }
    list.finish(terminal, json!(null))?;
    if broken.is_empty() {
        return Ok(());
    }
    let message = format!("the audit log was tampered with: {}", broken.join(", "));
    Err(Failure::new(Exit::CheckFailed, "audit_log_broken", message)
        .hint("compare the entries around the break with a backup of the database")
        .into())
}
