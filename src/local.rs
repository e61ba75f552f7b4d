//! The built-in profile `local`: the service within this process, on a SQLite file in the user's data directory.
//!
//! Whoever may read and write that file may do everything in it, so no credential is asked for and none is kept: the
//! caller is the database's operator. What is kept beside the database is the secret that answers for replay are sealed
//! with; it opens nothing else.

use std::path::Path;

use anyhow::Context as _;
use axum::Router;
use zeroize::Zeroizing;

use crate::files::{self, Lock, PreparedFile};
use crate::http::Transport;
use crate::providers::Provider;
use crate::providers::native::client::Client;
use crate::providers::native::routes;
use crate::providers::routes::Context;
use crate::service::{Database, Service};
use crate::system;

/// The workspace of the profile.
const WORKSPACE: &str = "local";

/// Opens the service, and makes what it needs on first use. Two processes at once wait for one another while it is made.
pub(crate) async fn open(data_directory: &Path, flags: String) -> anyhow::Result<Client> {
    let describe = || format!("could not open the profile `local` in `{}`", data_directory.display());
    files::private_directory(data_directory).with_context(describe)?;
    let _made_by_one = Lock::exclusive(&data_directory.join("local.lock")).with_context(describe)?;
    let sealing = sealing_secret(&data_directory.join("replay.secret")).with_context(describe)?;
    let service = Service::open(&database(data_directory), 1, system::random).await.with_context(describe)?;
    let operator =
        service.operator_of(WORKSPACE, Provider::Native, sealing, system::now()).await.with_context(describe)?;
    let context = Context { service, now: system::now, random: system::random };
    Ok(Client::new(Transport::Embedded(routes::embedded(context, operator)), flags))
}

/// The profile without its service: good for showing requests, not for sending them.
pub(crate) fn unopened(flags: String) -> Client {
    Client::new(Transport::Embedded(Router::new()), flags)
}

/// The path of the profile's database, which `keys serve` takes too where it is told no other.
pub(crate) fn database(data_directory: &Path) -> Database {
    Database::Sqlite(data_directory.join("keys.db"))
}

/// 32 random bytes, made once.
fn sealing_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, files::FileError> {
    if let Some(secret) = files::read_private(path, 32)?
        && secret.len() == 32
    {
        return Ok(secret);
    }
    let mut secret = Zeroizing::new(vec![0_u8; 32]);
    system::random(&mut secret);
    PreparedFile::new(path, secret.len())?.commit(&secret)?;
    Ok(secret)
}
