//! `keys man`: the manual, a page per command.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::terminal::Terminal;

/// The day of the release that the pages are of.
const DATE: &str = "2026-11-21";

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
    let mut command = Cli::command();
    command.build();
    let Some(directory) = &args.directory else {
        let page = page(&command)?;
        terminal.out().write_all(&page)?;
        return Ok(terminal.flush()?);
    };
    let unusable = |error: io::Error| {
        let why = match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "it is not a directory".to_owned(),
            _ => error.to_string(),
        };
        let shown = quoted(&directory.to_string_lossy());
        Failure::new(Exit::Usage, "directory_unusable", format!("could not write the manual into {shown}: {why}"))
            .hint("name a directory that you may write to")
    };
    std::fs::create_dir_all(directory).map_err(unusable)?;
    write_pages(&command, directory).map_err(unusable)?;
    terminal.say(&format!("Wrote the manual into {}", directory.display()));
    Ok(())
}

/// Writes the page of a command and those of its own commands: `keys-serve-init.1`.
fn write_pages(command: &Command, directory: &Path) -> io::Result<()> {
    use std::io::Write as _;

    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).open(directory.join(format!("{name}.1")))?;
    file.write_all(&page(command)?)?;
    for subcommand in command.get_subcommands() {
        write_pages(subcommand, directory)?;
    }
    Ok(())
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let man = Man::new(command.clone().name(name.clone()))
        .title(name.to_uppercase())
        .date(DATE)
        .source(concat!("keys ", env!("CARGO_PKG_VERSION")))
        .manual("keys manual");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().next().is_some() {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(examples) = command.get_after_help() {
        let mut roff = Roff::new();
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        for line in examples.to_string().lines().filter(|line| *line != "Examples:" && *line != "Example:") {
            roff.text([roman(line)]);
        }
        roff.control("fi", []).to_writer(&mut page)?;
    }
    exit_status().to_writer(&mut page)?;
    Ok(page)
}

/// The exit codes, which are those of every command.
fn exit_status() -> Roff {
    use clap::ValueEnum as _;

    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for exit in Exit::value_variants() {
        roff.control("TP", []).text([bold(exit.code().to_string())]).text([roman(exit.meaning())]);
    }
    roff
}
