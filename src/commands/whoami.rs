//! `keys whoami`: as whom and where commands act, and where the credential for that comes from.

use std::path::Path;

use anyhow::Context as _;
use clap::Args as ClapArgs;

use crate::model::key::Key;
use crate::output::Output;
use crate::output::whoami::{self, Origin};
use crate::profiles::{Edit, Profile, ProfilesError};
use crate::providers::client::Client;
use crate::system;
use crate::terminal::Terminal;

/// Show as whom commands act, and where the credential comes from
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys whoami
  keys -p local whoami
  keys whoami --jq .data.permissions[]")]
pub(crate) struct Args {}

/// `stored` is the profile whose stored credential is used, and the directory it is configured in.
pub(crate) async fn run(
    client: &Client,
    origin: &Origin,
    stored: Option<(&Profile, &Path)>,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let answer = client.whoami().await.context("could not find out who this is")?;
    if let (Some((profile, directory)), Some(key)) = (stored, &answer.key) {
        // A convenience for later warnings: where the config file cannot be written, the answer is as good.
        remember(profile, directory, key).ok();
    }
    if origin.source == "file" {
        terminal.warn(&format!("the credential is in {}", origin.place));
    }
    let now = system::now();
    output.object(terminal, whoami::json(origin, &answer, now), |terminal| {
        whoami::detail(origin, &answer, now, terminal)
    })?;
    Ok(terminal.flush()?)
}

/// Keeps what was learned of the key in its profile, so that its end can be warned of without a request.
fn remember(profile: &Profile, directory: &Path, key: &Key) -> Result<(), ProfilesError> {
    let learned = profile.clone().knowing(key);
    if learned == *profile {
        return Ok(());
    }
    let mut edit = Edit::start(directory)?;
    // Another process may have logged in anew meanwhile: then that is what counts.
    if edit.profiles().get(&profile.name)?.as_ref() == Some(profile) {
        edit.put(&learned);
        edit.commit()?;
    }
    Ok(())
}
