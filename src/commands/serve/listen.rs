//! `keys serve` without more: listens, and answers until it is stopped.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args as ClapArgs;

use super::Place;
use crate::config::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::model::lifetime::Age;
use crate::providers::routes::{self, Context};
use crate::serve::{self, Ended, Form, Level, Limits, Log, Requests, Settings, Stage, Tls};
use crate::service::Running;
use crate::service::trace::whole;
use crate::system;
use crate::terminal::Terminal;

/// How long storing what was counted last may take at the end, and where somebody would not wait.
const AT_LEISURE: Duration = Duration::from_secs(10);
const IN_A_HURRY: Duration = Duration::from_secs(1);

#[derive(Debug, ClapArgs)]
pub(super) struct Options {
    /// Address to listen on; port 0 takes a free one, which the log says
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Certificate and those of its issuers, in PEM form: speak TLS; SIGHUP reads it again
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM form; others may not be able to read it
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy in front speaks TLS: listen on any address, and take the client's from X-Forwarded-For
    #[arg(long)]
    behind_proxy: bool,
    /// Serve /metrics for Prometheus here, on loopback unless an address is given
    #[arg(long, value_name = "[ADDRESS:]PORT")]
    metrics_listen: Option<MetricsAddress>,
    /// Which requests have a line in the log: all, errors or none [default: all; on a terminal errors]
    #[arg(long, value_enum, value_name = "WHICH", hide_possible_values = true)]
    log_requests: Option<Requests>,
    /// Connections at once; more are refused
    #[arg(long, value_name = "N", default_value_t = 4096, help_heading = "Limits")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,
    /// How long the header of a request may take, from its first byte; and the first byte and the TLS handshake of a connection
    #[arg(long, value_name = "AGE", default_value = "10s", help_heading = "Limits")]
    header_timeout: Age,
    /// How long the body of a request may take
    #[arg(long, value_name = "AGE", default_value = "30s", help_heading = "Limits")]
    body_timeout: Age,
    /// How long a client may take for each 64 KiB of an answer
    #[arg(long, value_name = "AGE", default_value = "30s", help_heading = "Limits")]
    write_timeout: Age,
    /// How long a connection may wait for its next request
    #[arg(long, value_name = "AGE", default_value = "75s", help_heading = "Limits")]
    idle_timeout: Age,
    /// How long requests under way may take to finish once the server is told to end
    #[arg(long, value_name = "AGE", default_value = "30s", help_heading = "Limits")]
    drain_timeout: Age,
}

/// Loopback, where only a port is given.
#[derive(Debug, Clone, Copy)]
struct MetricsAddress(SocketAddr);

impl FromStr for MetricsAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let on_loopback = text.parse().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        let address = on_loopback.or_else(|_| text.parse());
        address.map(Self).map_err(|_| "name a port, or an address and a port".to_owned())
    }
}

impl Options {
    /// Refuses to let keys travel in the clear.
    fn check(&self) -> Result<(), Failure> {
        if self.listen.ip().is_loopback() || self.tls_cert.is_some() || self.behind_proxy {
            return Ok(());
        }
        let message = format!("{} can be reached from other machines, and keys would travel in the clear", self.listen);
        Err(Failure::new(Exit::Usage, "insecure_listener", message).hint(
            "speak TLS with --tls-cert FILE --tls-key FILE; or add --behind-proxy where a proxy in front speaks TLS",
        ))
    }

    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        Ok(Some(Tls::load(certificate.clone(), key.clone())?))
    }

    fn limits(&self) -> Limits {
        let duration = |age: Age| Duration::from_secs(age.seconds().unsigned_abs());
        Limits {
            header: duration(self.header_timeout),
            body: duration(self.body_timeout),
            write: duration(self.write_timeout),
            idle: duration(self.idle_timeout),
            drain: duration(self.drain_timeout),
            connections: usize::try_from(self.max_connections).unwrap_or(usize::MAX),
        }
    }

    /// For a person who watches it is enough to see what goes wrong.
    fn log(&self, terminal: &Terminal) -> std::io::Result<Log> {
        let (form, usual) =
            if terminal.error_is_terminal() { (Form::Words, Requests::Errors) } else { (Form::Json, Requests::All) };
        Log::start(Terminal::error_stream(), form, self.log_requests.unwrap_or(usual), system::now)
    }
}

pub(super) async fn listen(
    place: &Place,
    options: &Options,
    environment: &Environment,
    terminal: &Terminal,
) -> anyhow::Result<()> {
    options.check()?;
    let (started, tls) = (system::now(), options.tls()?);
    let database = super::database(place, environment)?;
    let service = super::open(place, environment).await?;
    let has_workspaces = service.has_workspaces().await?;
    let listener = bind(options.listen)?;
    let metrics = options.metrics_listen.map(|MetricsAddress(address)| bind(address)).transpose()?;
    let signals = serve::signals(tls.is_some())?;
    let log = options.log(terminal)?;
    serve::log_panics(&log);
    if !has_workspaces {
        let message = "This database has no workspace yet; make one with: keys serve init --name NAME";
        log.event(Level::Warning, "no_workspace", message, &[]);
    }
    let running = service.start(&database, system::now).await?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr()?);
    let metrics_url = metrics.as_ref().map(tokio::net::TcpListener::local_addr).transpose()?;
    let metrics_url = metrics_url.map(|address| format!("http://{address}/metrics"));
    let mut fields = vec![("url", url.as_str().into())];
    fields.extend(metrics_url.map(|url| ("metrics_url", url.into())));
    log.event(Level::Info, "listening", &format!("Listening on {url}"), &fields);
    let limits = options.limits().within_open_files();
    if limits.connections < options.limits().connections {
        let connections = limits.connections;
        let message = format!("The system allows so many open files that only {connections} connections fit");
        log.event(Level::Warning, "few_open_files", &message, &[("connections", connections.into())]);
    }
    let stage = Stage::new();
    let health = serve::health(service.clone(), stage.clone());
    let router = routes::of_all(&Context { service, now: system::now, random: system::random }).merge(health);
    let settings = Settings {
        limits,
        tls,
        behind_proxy: options.behind_proxy,
        metrics,
        log: log.clone(),
        stage,
        started,
        now: system::now,
        random: system::random,
    };
    let ended = serve::serve(listener, router, settings, signals).await;
    store_the_rest(running, ended, &log).await;
    log.finish();
    match ended {
        Ended::Drained | Ended::CutOff => Ok(()),
        Ended::Interrupted => {
            Err(Failure::new(Exit::Interrupted, "interrupted", "requests under way were cut off").into())
        }
    }
}

/// Stores what was counted last, and gives back what was leased and not spent.
async fn store_the_rest(running: Running, ended: Ended, log: &Log) {
    let patience = if ended == Ended::Interrupted { IN_A_HURRY } else { AT_LEISURE };
    let stored = tokio::time::timeout(patience, running.stop()).await;
    let why = match stored {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(whole(&error)),
        Err(_) => Some("the database does not answer".to_owned()),
    };
    if let Some(why) = why {
        let message = "What was counted last could not be stored, and what was leased not given back";
        log.event(Level::Error, "not_stored", &format!("{message}: {why}"), &[("cause", why.as_str().into())]);
    }
}

fn bind(address: SocketAddr) -> Result<tokio::net::TcpListener, Failure> {
    serve::bind(address).map_err(|error| {
        Failure::new(Exit::Unreachable, "cannot_listen", format!("could not listen on {address}: {error}"))
    })
}
