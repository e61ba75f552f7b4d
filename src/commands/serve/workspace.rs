//! `keys serve workspace`: looking at the workspaces of a database, and what they have agreed on.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Figures, Place};
use crate::config::Environment;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::model::credits::{CreditKind, Credits, NewGrant};
use crate::model::lifetime::Lifetime;
use crate::model::plan::Plan;
use crate::output::key::fields;
use crate::output::{Cell, Column, Output, Row};
use crate::service::Workspace;
use crate::terminal::{Style, Terminal};
use crate::{selection, system, text};

/// List workspaces, show one, change its plan, credits and features
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys serve workspace list --database sqlite:acme.db
  keys serve workspace set-plan Acme pro
  keys serve workspace set-plan Acme enterprise --per-minute 1500
  keys serve workspace grant-credits Acme 5000 --kind bonus --expires 30d
  keys serve workspace set-feature Acme developer-api on")]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// List the workspaces
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Show a workspace: plan, limits, credits and features
    Show {
        #[arg(value_name = "WORKSPACE")]
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Put a workspace on a plan
    SetPlan {
        #[arg(value_name = "WORKSPACE")]
        name: String,
        /// Plan: starter, pro, org or enterprise
        #[arg(value_enum, hide_possible_values = true)]
        plan: Plan,
        #[command(flatten)]
        figures: Figures,
        #[command(flatten)]
        place: Place,
    },
    /// Add credits to a workspace
    GrantCredits {
        #[arg(value_name = "WORKSPACE")]
        name: String,
        /// How many
        amount: i64,
        /// Kind: subscription, purchased or bonus
        #[arg(long, value_enum, hide_possible_values = true, default_value = "purchased")]
        kind: CreditKind,
        /// When bonus credits expire: 30d, a date, an instant, or never
        #[arg(long, value_name = "WHEN", default_value = "never")]
        expires: Lifetime,
        /// What they were given for
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Switch a feature of a workspace on or off
    SetFeature {
        #[arg(value_name = "WORKSPACE")]
        name: String,
        /// Feature: developer-api
        #[arg(value_enum, hide_possible_values = true)]
        feature: Feature,
        /// `on` or `off`
        #[arg(value_enum, hide_possible_values = true)]
        switch: Switch,
        #[command(flatten)]
        place: Place,
    },
}

/// What a workspace may have besides its plan.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Feature {
    /// Managing keys over the API, where the provider asks for leave
    DeveloperApi,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

static COLUMNS: [Column; 6] = [
    Column { title: "NAME", name: "name", rank: 9, shrinks: true, right: false, place: 0 },
    Column { title: "ID", name: "id", rank: 8, shrinks: false, right: false, place: 1 },
    Column { title: "PROVIDER", name: "provider", rank: 6, shrinks: false, right: false, place: 2 },
    Column { title: "PLAN", name: "plan", rank: 7, shrinks: false, right: false, place: 3 },
    Column { title: "A DAY", name: "per_day", rank: 5, shrinks: false, right: true, place: 4 },
    Column { title: "A MINUTE", name: "per_minute", rank: 4, shrinks: false, right: true, place: 5 },
];

pub(super) async fn run(
    args: Args,
    environment: &Environment,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let now = system::now();
    match args.task {
        Task::List { place } => {
            let workspaces = super::open_existing(&place, environment).await?.workspaces().await?;
            let mut list = output.list(terminal, &COLUMNS);
            for workspace in &workspaces {
                list.row(terminal, row(workspace))?;
            }
            list.finish(terminal, json!(null))?;
        }
        Task::Show { name, place } => {
            let service = super::open_existing(&place, environment).await?;
            let workspace = service.workspace(&name).await?;
            let credits = service.credits_of(&workspace, now).await?;
            show(&workspace, &credits, output, terminal)?;
        }
        Task::SetPlan { name, plan, figures, place } => {
            let service = super::open_existing(&place, environment).await?;
            let (before, after) = service.set_plan(&name, figures.agreement(plan), now).await?;
            terminal.say(&format!("{} is on the plan {}", quoted(&name), described(&after)));
            if before != after {
                terminal.say(&format!("  before      {}", described(&before)));
            }
        }
        Task::GrantCredits { name, amount, kind, expires, note, place } => {
            let end = selection::end(expires, now)?;
            if end.is_some() && kind != CreditKind::Bonus {
                let message = format!("{} credits do not expire", kind.as_str());
                return Err(Failure::new(Exit::Usage, "validation_error", message).hint("add: --kind bonus").into());
            }
            let service = super::open_existing(&place, environment).await?;
            let new = NewGrant { kind, amount, note, expires_at: end };
            let grant = service.grant_credits(&name, new, now).await?;
            let workspace = service.workspace(&name).await?;
            let balance = service.credits_of(&workspace, now).await?.balance;
            let amount = text::count(usize::try_from(grant.amount).unwrap_or(0), "credit");
            terminal.say(&format!("Granted {amount} ({}) to {}", kind.as_str(), quoted(&name)));
            terminal.say(&format!("  balance     {balance}"));
            let end = grant.expires_at.map_or_else(|| "never".to_owned(), |end| text::utc_and_relative(end, now));
            terminal.say(&format!("  expires     {end}"));
        }
        Task::SetFeature { name, feature: Feature::DeveloperApi, switch, place } => {
            let service = super::open_existing(&place, environment).await?;
            let changed = service.set_feature(&name, "developer-api", switch == Switch::On, now).await?;
            let state = if switch == Switch::On { "on" } else { "off" };
            let already = if changed { "" } else { " already" };
            terminal.say(&format!("developer-api is{already} {state} for {}", quoted(&name)));
        }
    }
    Ok(())
}

fn described(workspace: &Workspace) -> String {
    let limits = workspace.limits();
    let (plan, credits) = (workspace.plan, workspace.monthly_credits);
    format!("{plan}: {} calls a day, {} a minute, {credits} credits a month", limits.per_day, limits.per_minute)
}

fn object(workspace: &Workspace) -> Value {
    let limits = workspace.limits();
    json!({
        "id": workspace.id,
        "name": workspace.name,
        "provider": workspace.provider.rules().name,
        "plan": workspace.plan.as_str(),
        "per_day": limits.per_day,
        "per_minute": limits.per_minute,
        "monthly_credits": workspace.monthly_credits,
        "features": workspace.features,
        "created_at": text::utc(workspace.created_at),
    })
}

fn row(workspace: &Workspace) -> Row {
    let limits = workspace.limits();
    let cells = vec![
        Cell::new(workspace.name.as_str()),
        Cell::new(workspace.id.as_str()),
        Cell::new(workspace.provider.rules().name),
        Cell::new(workspace.plan.as_str()),
        Cell::new(limits.per_day.to_string()),
        Cell::new(limits.per_minute.to_string()),
    ];
    Row { cells, json: object(workspace) }
}

fn show(workspace: &Workspace, credits: &Credits, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut json = object(workspace);
    json["credits_balance"] = json!(credits.balance);
    output.object(terminal, json, |terminal| {
        let limits = workspace.limits();
        let features: Vec<&str> = workspace.features.iter().map(String::as_str).collect();
        fields(
            terminal,
            &[
                ("Name", Some(workspace.name.clone()), Some(Style::Strong)),
                ("ID", Some(workspace.id.clone()), None),
                ("Provider", Some(workspace.provider.rules().name.to_owned()), None),
                ("Plan", Some(workspace.plan.as_str().to_owned()), None),
                ("Limits", Some(format!("{} calls a day, {} a minute", limits.per_day, limits.per_minute)), None),
                (
                    "Credits",
                    Some(format!("{}, and {} each month", credits.balance, credits.monthly.unwrap_or_default())),
                    None,
                ),
                ("Features", (!features.is_empty()).then(|| features.join(" ")), None),
                ("Created", Some(text::utc(workspace.created_at)), None),
            ],
        )
    })?;
    Ok(())
}
