//! `keys man`: the manual, a page per command.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args as ClapArgs, CommandFactory as _};

use crate::cli::Cli;
use crate::terminal::Terminal;

/// Print the manual page, or write a page for each command into a directory
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys man | man -l -
  keys man ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// Directory to write the pages into
    directory: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<()> {
    let command = Cli::command().disable_help_subcommand(true);
    let Some(directory) = &args.directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        terminal.out().write_all(&page)?;
        return Ok(terminal.flush()?);
    };
    let describe = || format!("could not write the manual into `{}`", directory.display());
    std::fs::create_dir_all(directory).with_context(describe)?;
    clap_mangen::generate_to(command, directory).with_context(describe)?;
    terminal.say(&format!("Wrote the manual into {}", directory.display()));
    Ok(())
}
