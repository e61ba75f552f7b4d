//! `keys serve admin`: a way back in for whoever holds the database, where no admin key is left.

use clap::{Args as ClapArgs, Subcommand};

use super::Place;
use super::issue::{self, Made};
use crate::config::Environment;
use crate::failure::quoted;
use crate::sink::SinkSpec;
use crate::system;
use crate::terminal::Terminal;

/// Get back into a workspace whose admin keys are lost
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys serve admin recover --workspace Acme --database sqlite:acme.db
  keys serve admin recover --workspace Acme --replace --to file:admin.key")]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Issue a new admin key where none is active
    ///
    /// Works once: then there is an admin key again. It is noted in the audit log.
    Recover {
        /// Name of the workspace
        #[arg(long)]
        workspace: String,
        /// Also where admin keys are active, which nobody has any more: they are revoked
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        place: Place,
        /// Where the admin key goes; may be repeated
        #[arg(long, value_name = "SINK")]
        to: Vec<SinkSpec>,
    },
}

pub(super) async fn run(args: Args, environment: &Environment, terminal: &mut Terminal) -> anyhow::Result<()> {
    let Task::Recover { workspace, replace, place, to } = args.task;
    let handover = issue::prepare(&to, environment, terminal)?;
    let service = super::open_existing(&place, environment).await?;
    let now = system::now();
    let (issued, revoked) = service.recover_admin(&workspace, replace, now).await?;
    let said = format!("Recovered {} with admin key", quoted(&workspace));
    let made = Made { issued: &issued, workspace: &workspace, said };
    let handed_over = issue::hand_over(handover, made, &service, now, terminal).await;
    // Also where the new key reached nobody and is taken back: those stay revoked.
    for name in revoked {
        terminal.say(&format!("  revoked     {}", quoted(&name)));
    }
    handed_over
}
