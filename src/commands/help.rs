//! `keys help`: the help of a command, or one of the topics that belong to no single command.

use std::ffi::OsString;

use clap::{Args as ClapArgs, CommandFactory as _, ValueEnum as _};

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::terminal::Terminal;

/// Print help for a command or a topic: exit-codes, output, environment
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// A command, or exit-codes, output or environment
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

pub(crate) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<()> {
    let text = match args.topic.first().map(String::as_str) {
        Some("exit-codes") => exit_codes(),
        Some("output") => OUTPUT.to_owned(),
        Some("environment") => ENVIRONMENT.to_owned(),
        _ => return command_help(&args.topic, terminal),
    };
    terminal.out().write_all(text.as_bytes())?;
    Ok(terminal.flush()?)
}

/// The table of exit codes, from the doc comments of [`Exit`].
pub(crate) fn exit_codes() -> String {
    let lines = Exit::value_variants().iter().map(|exit| format!("{:>4}  {}\n", exit.code(), exit.meaning()));
    format!("Exit codes of every command; they never change their meaning.\n\n{}", lines.collect::<String>())
}

/// The help of a command, just as its option --help gives it.
fn command_help(topic: &[String], terminal: &Terminal) -> anyhow::Result<()> {
    let mut command = Cli::command();
    command.build();
    let mut found = &mut command;
    for word in topic {
        found = found.find_subcommand_mut(word).ok_or_else(|| {
            Failure::new(Exit::Usage, "unknown_topic", format!("there is no command and no topic {}", quoted(word)))
                .hint("all commands are listed by: keys help; topics are exit-codes, output and environment")
        })?;
    }
    let mut arguments = vec![OsString::from("keys")];
    arguments.extend(topic.iter().map(OsString::from));
    arguments.push("--help".into());
    match Cli::understand(&arguments, terminal.out_is_colored()) {
        Err(help) => Err(help.into()),
        Ok(_) => Ok(()),
    }
}

const OUTPUT: &str = "\
Standard output is data or the secret; everything said to a person is on standard error.

The secret
  `keys create` with standard output piped and without --to writes the plaintext and a line break, and nothing
  else, so NEW=$(keys create …) works. With --json the plaintext is in the one field `secret`. With --to it goes
  to the places named there and nowhere else. Everywhere else a key is shown by its prefix.
  On a terminal a menu copies it, shows it until Enter is pressed, saves it or pipes it to a command.
  What a coding agent or a CI log would keep is refused (exit code 13), unless --to stdout says it outright.

Places (--to)
  stdout                     The plaintext and a line break
  clipboard                  tmux's buffer, the terminal's over SSH, or the system's; cleared after 45 seconds where
                             that is possible
  file:PATH                  A file with the plaintext and a line break; files are replaced whole, with mode 0600
  dotenv:PATH#VAR            A variable in a file of assignments, whose other lines stay as they are
  json:PATH                  A file with the object that --json prints
  keyring:SERVICE/ACCOUNT    An entry of the system's keyring
  cmd:COMMAND                A command that reads the plaintext on standard input
  github-env:NAME            A variable of the steps that follow in a job of GitHub Actions
  github-output:NAME         An output of this step; other jobs do not get it, because it is masked
  fd:N                       A descriptor that was opened for it, as in --to fd:3 3>FILE
  Each is checked before the key is made. In GitHub Actions the key is masked before anything holds it.

Forms (--format, --json)
  table   For people, fitted to the width of the terminal. Piped: a row a line, tab-separated, without a header,
          nothing cut off, times as RFC 3339, empty where there is none.
  json    One object: {\"schema\":1,\"data\":…,\"meta\":…}; in a list, `data` is an array. Fields are only ever added.
  jsonl   The items alone, one a line.
  csv     RFC 4180 with a header; cells that a spreadsheet would run as formulas get a ' in front.

Filters (--jq)
  --jq EXPR runs a jq expression over the JSON object (over each item with jsonl). Strings are printed raw.

Errors
  With --json a failure leaves standard output empty and writes one object to standard error:
  {\"error\":{\"code\",\"message\",\"hint\",\"retryable\",\"status\",\"request_id\",\"exit\"}}.

Names come from other people: control characters in them are spelled out wherever a person reads them.
";

const ENVIRONMENT: &str = "\
Variables that keys reads. A flag outweighs a variable, a variable the profile. A job that sets KEYS_API_KEY and
KEYS_API_URL needs no login.

  KEYS_PROFILE       The profile to use, as --profile
  KEYS_PROVIDER      The provider to speak to, as --provider
  KEYS_API_URL       The address of the service, as --api-url
  KEYS_API_KEY       The key to manage keys with, before any that is stored by `keys login`; there is no flag for
                     it, because arguments can be read by others
  LEADLEX_API_KEY    The same for LeadLex alone, after KEYS_API_KEY
  KEYS_CONFIG_DIR    Where config.toml is, with the profiles
  KEYS_DATA_DIR      Where the profile `local` keeps its database, and rotations their journal
  KEYS_CACHE_DIR     Where names of keys are remembered for the shell's completion
  KEYS_DATABASE_URL  The database of `keys serve`, as --database
  KEYS_NO_INPUT      Never ask anything, as --no-input
  HTTPS_PROXY        The proxy to reach services through, of which it sees the host alone; ALL_PROXY is as good
  NO_PROXY           Hosts that are reached without it; loopback addresses always are
  SSL_CERT_FILE      PEM file of the authorities to trust instead of the system's, as --ca-cert
  CI                 Never ask anything, unless it is `false`
  NO_COLOR           No colour
  TERM               `dumb` is no colour
  COLUMNS            The width to fit tables to
  TMUX               The clipboard is a buffer of tmux
  SSH_CONNECTION     The clipboard is the terminal's
  GITHUB_ACTIONS     New keys are masked in the log; GITHUB_ENV and GITHUB_OUTPUT name the files of the step
  GITLAB_CI          No dotenv file is written below CI_PROJECT_DIR, where it may become a report

What prints a key for good is refused where one of these is set, unless its output is captured:
  agents  CLAUDECODE CURSOR_AGENT CODEX_SANDBOX CODEX_SANDBOX_NETWORK_DISABLED CODEX_THREAD_ID CODEX_CI GEMINI_CLI
          CLINE_ACTIVE OPENCODE QWEN_CODE AUGMENT_AGENT GOOSE_TERMINAL AI_AGENT
  logs    GITHUB_ACTIONS GITLAB_CI JENKINS_URL TF_BUILD BUILDKITE CIRCLECI TRAVIS TEAMCITY_VERSION
          BITBUCKET_BUILD_NUMBER CODEBUILD_BUILD_ID DRONE CI
";
