//! `keys __hold`: this program once more, keeping a secret in a clipboard for a while; see `sink::clipboard`. Not one of the
//! commands, so that neither help nor completions show it.

use std::ffi::OsString;
use std::time::Duration;

use clap::Parser;

use crate::sink::clipboard::{self, HELD, HOLD, Held, READY};
use crate::terminal::Terminal;

/// Hold a secret, which comes on standard input, in a clipboard for a while
#[derive(Debug, Parser)]
#[command(name = HOLD)]
struct Args {
    #[arg(value_enum)]
    clipboard: Held,
    /// For how long
    #[arg(long, default_value_t = HELD)]
    seconds: u64,
}

/// Whether this is what is asked for.
pub(crate) fn is_meant(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|word| word == HOLD)
}

/// Whoever started it reads one line: that the secret is placed, or why it is not.
pub(crate) fn run(arguments: &[OsString], terminal: &mut Terminal) -> anyhow::Result<()> {
    let args = Args::try_parse_from(arguments.iter().skip(1))?;
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
