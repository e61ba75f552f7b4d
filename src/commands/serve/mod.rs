//! `keys serve`: the management API itself, self-hosted.

mod init;
mod listen;

use anyhow::Context as _;
use clap::{Args as ClapArgs, Subcommand};

use crate::config::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::model::key::KeyName;
use crate::service::{Database, Service};
use crate::sink::SinkSpec;
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

#[derive(Debug, Subcommand)]
enum Task {
    /// Make a workspace, and issue its first admin key
    Init {
        /// Name of the workspace
        #[arg(long)]
        name: KeyName,
        #[command(flatten)]
        place: Place,
        /// Where the admin key goes; may be repeated
        #[arg(long, value_name = "SINK")]
        to: Vec<SinkSpec>,
    },
}

pub(crate) async fn run(args: Args, environment: &Environment, terminal: &mut Terminal) -> anyhow::Result<()> {
    match args.task {
        Some(Task::Init { name, place, to }) => init::init(&name, &place, &to, environment, terminal).await,
        None => listen::listen(&args.place, &args.options, environment, terminal).await,
    }
}

async fn open(place: &Place, environment: &Environment) -> anyhow::Result<Service> {
    let database = match (&place.database, &environment.database) {
        (Some(database), _) => database.clone(),
        (None, Some(text)) => text.parse().map_err(|problem: String| {
            Failure::new(Exit::Usage, "invalid_database", format!("KEYS_DATABASE_URL cannot be used: {problem}"))
        })?,
        (None, None) => {
            let directory = environment.data_directory()?;
            files::private_directory(&directory)?;
            local::database(&directory)
        }
    };
    Service::open(&database, CONNECTIONS, system::random)
        .await
        .with_context(|| format!("could not open the database {database}"))
}
