//! `keys serve init`: makes a workspace, and hands over its first admin key.

use clap::Args as ClapArgs;

use super::issue::{self, Made};
use super::{Figures, Place};
use crate::config::Environment;
use crate::failure::quoted;
use crate::model::key::KeyName;
use crate::model::plan::Plan;
use crate::providers::Provider;
use crate::service::NewWorkspace;
use crate::sink::SinkSpec;
use crate::system;
use crate::terminal::Terminal;

/// Make a workspace, and issue its first admin key
///
/// Its keys follow the rules of the provider that --provider names.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Name of the workspace
    #[arg(long)]
    name: KeyName,
    /// Plan: starter, pro, org or enterprise
    #[arg(long, value_enum, value_name = "PLAN", hide_possible_values = true, default_value = "enterprise")]
    plan: Plan,
    #[command(flatten)]
    figures: Figures,
    #[command(flatten)]
    place: Place,
    /// Where the admin key goes; may be repeated
    #[arg(long, value_name = "SINK")]
    to: Vec<SinkSpec>,
}

/// `provider` is whose rules the workspace's keys follow.
pub(super) async fn run(
    args: Args,
    provider: Provider,
    environment: &Environment,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let handover = issue::prepare(&args.to, environment, terminal)?;
    let service = super::open(&args.place, environment).await?;
    let now = system::now();
    let agreement = args.figures.agreement(args.plan);
    let new = NewWorkspace { name: args.name, provider, agreement };
    let issued = service.create_workspace(&new, now).await?;
    let name = new.name.as_str();
    let said = format!("Made workspace {} with admin key", quoted(name));
    issue::hand_over(handover, Made { issued: &issued, workspace: name, said }, &service, now, terminal).await
}
