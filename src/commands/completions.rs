//! `keys completions`: a completion script for a shell.

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::terminal::Terminal;

/// Print a completion script
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys completions bash > ~/.local/share/bash-completion/completions/keys
  keys completions zsh > \"${fpath[1]}/_keys\"
  keys completions fish > ~/.config/fish/completions/keys.fish")]
pub(crate) struct Args {
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<()> {
    // Into memory first: the generator panics when its writer fails, and a closed pipe is no reason to.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keys", &mut script);
    terminal.out().write_all(&script)?;
    Ok(terminal.flush()?)
}
