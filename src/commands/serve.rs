//! `keys serve`: the management API itself, self-hosted.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;

use crate::config::Environment;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::handover::{Handover, Lost};
use crate::model::key::{KeyId, KeyName};
use crate::providers::Provider;
use crate::providers::native::routes::Context;
use crate::serve;
use crate::service::{Database, Service};
use crate::sink::SinkSpec;
use crate::terminal::Terminal;
use crate::{files, local, output, system, text};

/// Database connections at once: more than this only wait for one another.
const CONNECTIONS: u32 = 8;

/// Serve the management API
///
/// Listens on a loopback address. The API is described at /openapi.json.
#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  keys serve init --name Acme --database sqlite:acme.db
  keys serve --database sqlite:acme.db --listen 127.0.0.1:8080"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    place: Place,
    /// Address to listen on; port 0 takes a free one, which is said on standard error
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
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
        Some(Task::Init { name, place, to }) => init(&name, &place, &to, environment, terminal).await,
        None => listen(&args.place, args.listen, environment, terminal).await,
    }
}

async fn init(
    name: &KeyName,
    place: &Place,
    to: &[SinkSpec],
    environment: &Environment,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let handover = Handover::prepare(to, true, environment.circumstances(), terminal)?;
    let service = open(place, environment).await?;
    let now = system::now();
    let issued = service.create_workspace(name, Provider::Native, now).await?;
    let record = output::key::json(&issued.key, now);
    let delivered = handover.deliver(&issued, &record, terminal);
    let flushed = |places| match terminal.flush() {
        Ok(()) => Ok(places),
        Err(error) => Err(Lost::new(&[], error.to_string())),
    };
    let places = match delivered.and_then(flushed) {
        Ok(places) => places,
        Err(lost) => return Err(undelivered(lost, name, &issued.key.id, &service, now).await?.into()),
    };
    terminal.say(&format!(
        "Made workspace {} with admin key {} ({})",
        quoted(name.as_str()),
        quoted(&issued.key.name),
        issued.key.id
    ));
    for place in places.iter().filter(|place| *place != "stdout") {
        terminal.say(&format!("  written to  {place}"));
    }
    terminal.say("Keep it safe: only its hash is stored, so it cannot be shown again.");
    Ok(())
}

/// What a first key that did not arrive means. One that nobody has is taken back, so that the same command can be run
/// again; one that is somewhere stays.
async fn undelivered(
    lost: Lost,
    name: &KeyName,
    key: &KeyId,
    service: &Service,
    now: Timestamp,
) -> anyhow::Result<Failure> {
    let (code, what) = (lost.code(), lost.what);
    if lost.done.is_empty() {
        service.withdraw_first_key(name.as_str(), key, now).await?;
        let message =
            format!("the admin key of {} was not delivered, and is taken back: {what}", quoted(name.as_str()));
        return Ok(Failure::new(lost.exit, code, message).hint("run the same command again"));
    }
    let places = text::list_of(&lost.done);
    let message = format!("the admin key of {} is in {places}, but not everywhere: {what}", quoted(name.as_str()));
    Ok(Failure::new(lost.exit, code, message).hint("copy it from there to where it is missing"))
}

async fn listen(
    place: &Place,
    address: SocketAddr,
    environment: &Environment,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    if !address.ip().is_loopback() {
        let message = format!("{address} can be reached from other machines, and keys would travel in the clear");
        return Err(Failure::new(Exit::Usage, "insecure_listener", message)
            .hint("listen on 127.0.0.1, behind a proxy that speaks TLS")
            .into());
    }
    let service = open(place, environment).await?;
    if !service.has_workspaces().await? {
        terminal.warn("this database has no workspace yet; make one with: keys serve init --name NAME");
    }
    let listener =
        tokio::net::TcpListener::bind(address).await.with_context(|| format!("could not listen on {address}"));
    let listener = listener.map_err(|error| Failure::new(Exit::Unreachable, "cannot_listen", format!("{error:#}")))?;
    terminal.say(&format!("Listening on http://{}", listener.local_addr()?));
    let context = Context { service, now: system::now, random: system::random };
    serve::serve(listener, context, serve::stopped()).await.context("the listener failed")?;
    terminal.say("Stopped");
    Ok(())
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
