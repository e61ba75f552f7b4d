//! The built-in profile `local`: the service within this process, on a SQLite file in the user's data directory.
//!
//! Whoever may read and write that file may do everything in it, so no credential is asked for and none is kept: the
//! caller is the database's operator. What is kept beside the database is the secret that answers for replay are sealed
//! with; it opens nothing else.

use std::path::Path;

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use tower::util::MapRequestLayer;
use zeroize::Zeroizing;

use crate::files::{self, Lock, PreparedFile};
use crate::http::Transport;
use crate::model::secret::PlainKey;
use crate::providers::Provider;
use crate::providers::client::Client;
use crate::providers::native::routes;
use crate::providers::routes::Context;
use crate::service::{self, Database};
use crate::system;

/// The workspace of the profile.
const WORKSPACE: &str = "local";

/// The service, for whoever presents a key to it.
pub(crate) struct Service(Context);

impl Service {
    /// A client that presents a key, as one over the network does.
    pub(crate) fn as_key(&self, plain: &PlainKey) -> anyhow::Result<Client> {
        let value = Zeroizing::new(format!("Bearer {}", plain.expose()));
        let mut value = HeaderValue::from_str(&value).context("the key cannot be sent in a header")?;
        value.set_sensitive(true);
        let present = move |mut request: Request| {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
            request
        };
        let router = routes::routes(self.0.clone()).layer(MapRequestLayer::new(present));
        Ok(Client::new(Provider::Native, Transport::Embedded(router), String::new()))
    }
}

/// Opens the service, and makes what it needs on first use. Two processes at once wait for one another while it is made.
pub(crate) async fn open(data_directory: &Path, flags: String) -> anyhow::Result<(Client, Service)> {
    let describe = || format!("could not open the profile `local` in `{}`", data_directory.display());
    files::private_directory(data_directory).with_context(describe)?;
    let _made_by_one = Lock::exclusive(&data_directory.join("local.lock")).with_context(describe)?;
    let sealing = sealing_secret(&data_directory.join("replay.secret")).with_context(describe)?;
    let service = service::Service::open(&database(data_directory), 1, system::random).await.with_context(describe)?;
    let operator =
        service.operator_of(WORKSPACE, Provider::Native, sealing, system::now()).await.with_context(describe)?;
    let context = Context { service, now: system::now, random: system::random };
    let client = Client::new(Provider::Native, Transport::Embedded(routes::embedded(context.clone(), operator)), flags);
    Ok((client, Service(context)))
}

/// The profile without its service: good for showing requests, not for sending them.
pub(crate) fn unopened(flags: String) -> Client {
    Client::new(Provider::Native, Transport::Embedded(Router::new()), flags)
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
