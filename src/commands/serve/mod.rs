//! `keys serve`: the management API itself, self-hosted.

mod admin;
mod audit;
mod init;
mod issue;
mod listen;
mod member;
mod workspace;

use anyhow::Context as _;
use clap::{Args as ClapArgs, Subcommand};

use crate::config::Environment;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::model::plan::Plan;
use crate::output::Output;
use crate::providers::Provider;
use crate::service::{Agreement, Database, Service};
use crate::terminal::Terminal;
use crate::{files, local, system};

/// Database connections at once: more than this only wait for one another.
const CONNECTIONS: u32 = 8;

/// Serve the management API
///
/// Listens on a loopback address, or on any other with TLS or behind a proxy that speaks it. The API is described at
/// /openapi.json; /healthz tells that the process lives, /readyz that its database answers. SIGTERM and Ctrl-C let the
/// requests under way finish and end with 0; a second Ctrl-C ends at once. Standard error is the log: a line of JSON per
/// event and request.
#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  keys serve init --name Acme --database sqlite:acme.db
  keys serve --database sqlite:acme.db --listen 127.0.0.1:8080
  keys serve --listen 0.0.0.0:443 --tls-cert fullchain.pem --tls-key privkey.pem --metrics-listen 9090"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    options: listen::Options,
}

#[derive(Debug, ClapArgs)]
struct Place {
    /// Database: sqlite:PATH or postgres://… [default: that of the profile `local`]
    #[arg(long, value_name = "URL")]
    database: Option<Database>,
}

/// What an enterprise has agreed on.
#[derive(Debug, Clone, Copy, ClapArgs)]
struct Figures {
    /// Calls a day, instead of the plan's; enterprise only
    #[arg(long, value_name = "CALLS")]
    per_day: Option<i64>,
    /// Calls a minute, instead of the plan's; enterprise only
    #[arg(long, value_name = "CALLS")]
    per_minute: Option<i64>,
    /// Credits granted at the start of each month [default: as it was, or 1000]
    #[arg(long, value_name = "CREDITS")]
    monthly_credits: Option<i64>,
}

impl Figures {
    const fn agreement(self, plan: Plan) -> Agreement {
        Agreement {
            plan,
            daily_limit: self.per_day,
            minute_limit: self.per_minute,
            monthly_credits: self.monthly_credits,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Task {
    Init(init::Args),
    Workspace(workspace::Args),
    Member(member::Args),
    Audit(audit::Args),
    Admin(admin::Args),
}

impl Args {
    /// Whether there is no object to print: it serves, or prints a key alone.
    pub(crate) const fn prints_no_object(&self) -> bool {
        match &self.task {
            None | Some(Task::Init(_) | Task::Admin(_)) => true,
            Some(Task::Member(args)) => args.prints_a_key(),
            Some(Task::Workspace(_) | Task::Audit(_)) => false,
        }
    }
}

pub(crate) async fn run(
    args: Args,
    provider: Option<Provider>,
    environment: &Environment,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    match args.task {
        Some(Task::Init(args)) => init::run(args, provider.unwrap_or(Provider::Native), environment, terminal).await,
        Some(Task::Workspace(args)) => workspace::run(args, environment, output, terminal).await,
        Some(Task::Member(args)) => member::run(args, environment, output, terminal).await,
        Some(Task::Audit(args)) => audit::run(args, environment, output, terminal).await,
        Some(Task::Admin(args)) => admin::run(args, environment, terminal).await,
        None => listen::listen(&args.place, &args.options, environment, terminal).await,
    }
}

async fn open(place: &Place, environment: &Environment) -> anyhow::Result<Service> {
    let database = database(place, environment)?;
    Service::open(&database, CONNECTIONS, system::random)
        .await
        .with_context(|| format!("could not open the database {database}"))
}

/// Opens the database of workspaces that are there. One that was named and does not exist is a mistake, and is not made.
async fn open_existing(place: &Place, environment: &Environment) -> anyhow::Result<Service> {
    let is_named = place.database.is_some() || environment.database.is_some();
    if let Database::Sqlite(path) = database(place, environment)?
        && is_named
        && !path.exists()
    {
        let message = format!("there is no database {}", quoted(&path.to_string_lossy()));
        let hint = "check what --database or KEYS_DATABASE_URL says; a new one is made with: keys serve init";
        return Err(Failure::new(Exit::NotFound, "not_found", message).hint(hint).into());
    }
    open(place, environment).await
}

/// The database that is meant: by the option, the environment, or else that of the profile `local`.
fn database(place: &Place, environment: &Environment) -> anyhow::Result<Database> {
    Ok(match (&place.database, &environment.database) {
        (Some(database), _) => database.clone(),
        (None, Some(text)) => text.parse().map_err(|problem: String| {
            Failure::new(Exit::Usage, "invalid_database", format!("KEYS_DATABASE_URL cannot be used: {problem}"))
        })?,
        (None, None) => {
            let directory = environment.data_directory()?;
            files::private_directory(&directory)?;
            local::database(&directory)
        }
    })
}
