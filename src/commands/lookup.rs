//! `keys lookup`: which key a plaintext is. The plaintext comes on standard input and is never echoed.

use std::io::ErrorKind;

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::IdempotencyKey;
use crate::model::secret::PlainKey;
use crate::output::{Output, key};
use crate::providers::Rules;
use crate::providers::client::Client;
use crate::system;
use crate::terminal::Terminal;

/// Find out which key a plaintext is
///
/// The plaintext is read from standard input, or asked for unseen; never give it as an argument. A found key is shown
/// whatever its state.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:
  printf %s \"$LEAKED\" | keys lookup")]
pub(crate) struct Args {}

pub(crate) async fn run(
    client: &Client,
    rules: &Rules,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let text = terminal.read_secret("Key: ").map_err(|error| {
        if error.kind() == ErrorKind::Interrupted {
            return Failure::new(Exit::Interrupted, "interrupted", "interrupted");
        }
        Failure::new(Exit::Usage, "no_key_given", format!("could not read a key from standard input: {error}"))
            .hint("pipe it in: printf %s \"$KEY\" | keys lookup")
    })?;
    let plain = PlainKey::parse(&text).map_err(|error| {
        Failure::new(Exit::Usage, "not_a_key", format!("what came on standard input is not a key: {error}"))
    })?;
    let now = system::now();
    let found = client.lookup(&plain, &IdempotencyKey::fresh(&mut system::random)).await;
    let found = found.map_err(|error| anyhow::Error::new(error).context("could not look the key up"))?;
    let found = found.ok_or_else(|| {
        let hint = if rules.shape.is_well_formed(plain.expose()) {
            "it is well formed: it may be of another workspace or service, or deleted"
        } else {
            "it is not well formed: it may be mistyped, cut off, or of another kind"
        };
        Failure::new(Exit::NotFound, "not_found", "no key of this workspace has this plaintext").hint(hint)
    })?;
    output.object(terminal, key::json(&found, now), |terminal| key::detail(&found, now, terminal))?;
    Ok(terminal.flush()?)
}
