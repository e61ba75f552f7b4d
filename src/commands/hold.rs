//! `keys __hold`: this program's own helper that keeps a secret in a clipboard for a while; see `sink::clipboard`.

use std::time::Duration;

use clap::Args as ClapArgs;

use crate::sink::clipboard::{self, HELD, Held, READY};
use crate::terminal::Terminal;

/// Hold a secret in a clipboard for a while
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[arg(value_enum)]
    clipboard: Held,
    /// For how long
    #[arg(long, default_value_t = HELD)]
    seconds: u64,
}

/// Whoever started it reads one line: that the secret is placed, or why it is not.
pub(crate) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<()> {
    let secret = terminal.read_secret("Secret: ")?;
    let outcome = clipboard::hold(args.clipboard, &secret, Duration::from_secs(args.seconds), || {
        terminal.out().write_all(format!("{READY}\n").as_bytes())?;
        terminal.flush()
    });
    if let Err(what) = outcome {
        terminal.out().write_all(format!("{what}\n").as_bytes())?;
        terminal.flush()?;
    }
    Ok(())
}
