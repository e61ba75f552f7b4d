//! `keys serve member`: the people of a workspace, each with a role and a credential.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::Place;
use super::issue::{self, Made};
use crate::config::Environment;
use crate::failure::quoted;
use crate::model::key::KeyName;
use crate::output::{Cell, Column, Output, Row};
use crate::service::Role;
use crate::sink::SinkSpec;
use crate::terminal::Terminal;
use crate::{system, text};

/// Add members to a workspace, or list them
///
/// A member's credential is a key. Revoke it to remove the member.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys serve member add --workspace Acme --name Ada --role developer --to file:ada.key
  keys serve member list --workspace Acme")]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Add a member, and issue the credential
    Add {
        /// Name of the workspace
        #[arg(long)]
        workspace: String,
        /// Name of the member
        #[arg(long)]
        name: KeyName,
        /// Role: admin, developer or support
        #[arg(long, value_enum, hide_possible_values = true)]
        role: Role,
        #[command(flatten)]
        place: Place,
        /// Where the credential goes; may be repeated
        #[arg(long, value_name = "SINK")]
        to: Vec<SinkSpec>,
    },
    /// List the members whose credential works
    List {
        /// Name of the workspace
        #[arg(long)]
        workspace: String,
        #[command(flatten)]
        place: Place,
    },
}

static COLUMNS: [Column; 4] = [
    Column { title: "NAME", name: "name", rank: 9, shrinks: true, right: false, place: 0 },
    Column { title: "ID", name: "id", rank: 8, shrinks: false, right: false, place: 1 },
    Column { title: "ROLE", name: "role", rank: 7, shrinks: false, right: false, place: 2 },
    Column { title: "SINCE", name: "created_at", rank: 5, shrinks: false, right: false, place: 3 },
];

impl Args {
    /// Whether what it prints is a key, and nothing else.
    pub(super) const fn prints_a_key(&self) -> bool {
        matches!(self.task, Task::Add { .. })
    }
}

pub(super) async fn run(
    args: Args,
    environment: &Environment,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let now = system::now();
    match args.task {
        Task::Add { workspace, name, role, place, to } => {
            let handover = issue::prepare(&to, environment, terminal)?;
            let service = super::open_existing(&place, environment).await?;
            let issued = service.add_member(&workspace, &name, role, now).await?;
            let said = format!("Added a member with the role {} to {}:", role.as_str(), quoted(&workspace));
            let made = Made { issued: &issued, workspace: &workspace, said };
            issue::hand_over(handover, made, &service, now, terminal).await
        }
        Task::List { workspace, place } => {
            let members = super::open_existing(&place, environment).await?.members(&workspace, now).await?;
            let mut list = output.list(terminal, &COLUMNS);
            for member in &members {
                let since = member.key.created_at;
                let created = since.map(text::utc).unwrap_or_default();
                let relative = since.map_or_else(String::new, |since| text::relative(since, now));
                let cells = vec![
                    Cell::new(member.key.name.as_str()),
                    Cell::new(member.key.id.as_str()),
                    Cell::new(member.role.as_str()),
                    Cell::of(relative, created.clone()),
                ];
                let json = json!({
                    "name": member.key.name, "id": member.key.id.as_str(), "role": member.role, "created_at": created,
                });
                list.row(terminal, Row { cells, json })?;
            }
            Ok(list.finish(terminal, json!(null))?)
        }
    }
}
