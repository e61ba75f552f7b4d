//! `keys serve` without more: listens, and answers until it is stopped.

use std::net::SocketAddr;

use anyhow::Context as _;

use super::Place;
use crate::config::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::providers::native::routes::Context;
use crate::terminal::Terminal;
use crate::{serve, system};

pub(super) async fn listen(
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
    let database = super::database(place, environment)?;
    let service = super::open(place, environment).await?;
    if !service.has_workspaces().await? {
        terminal.warn("this database has no workspace yet; make one with: keys serve init --name NAME");
    }
    let listener =
        tokio::net::TcpListener::bind(address).await.with_context(|| format!("could not listen on {address}"));
    let listener = listener.map_err(|error| Failure::new(Exit::Unreachable, "cannot_listen", format!("{error:#}")))?;
    terminal.say(&format!("Listening on http://{}", listener.local_addr()?));
    let running = service.start(&database, system::now).await?;
    let context = Context { service, now: system::now, random: system::random };
    serve::serve(listener, context, serve::stopped()).await.context("the listener failed")?;
    running.stop().await?;
    terminal.say("Stopped");
    Ok(())
}
