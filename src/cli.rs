//! What can be typed, and the one place that decides what runs.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Styles;
use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::begun::Begun;
use crate::commands::{
    audit, check, completions, create, credits, delete, edit, help, list, login, logout, lookup, man, perms, profile,
    reactivate, revoke, rotate, rotation, serve, show, usage, whoami,
};
use crate::config::{Environment, Flags, Target, provider};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::IdempotencyKey;
use crate::known::Known;
use crate::model::lifetime::{Age, NotAnAge};
use crate::output::whoami::Origin;
use crate::output::{Format, Jq, Output};
use crate::providers::{Ability, Provider};
use crate::reach::Reached;
use crate::rotation::{Hands, Journal};
use crate::terminal::{Color, Terminal};
use crate::{system, text};

/// Administer API keys
#[derive(Debug, Parser)]
#[command(
    name = "keys",
    version,
    disable_help_subcommand = true,
    max_term_width = 110,
    after_help = "Start here:
  keys login --api-url https://keys.example.com
  keys create --name \"Ingestion worker\" --perm read:contacts

Or with the service built into this program, without any login:
  keys -p local create --name \"Ingestion worker\" --perm read:contacts
  keys -p local list

More: keys help exit-codes, keys help output, keys help environment"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct Globals {
    /// Profile to use; `local` is the service built into this program
    #[arg(short, long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// Provider to speak to: native, leadlex, nexus or contactlevel
    #[arg(long, global = true, value_enum, hide_possible_values = true)]
    provider: Option<Provider>,
    /// Address of the service
    #[arg(long, global = true, value_name = "URL")]
    api_url: Option<String>,
    /// Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check
    #[arg(long, global = true, value_enum, value_name = "FORM", hide_possible_values = true)]
    format: Option<Format>,
    /// Same as --format json
    #[arg(long, global = true, conflicts_with = "format")]
    json: bool,
    /// Run a jq expression over the JSON output
    #[arg(long, global = true, value_name = "EXPR")]
    jq: Option<String>,
    /// Consent to what would be asked
    #[arg(short, long, global = true)]
    yes: bool,
    /// Never ask anything
    #[arg(long, global = true)]
    no_input: bool,
    /// Say only what must be heard
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say which requests go where; -vv shows them, without secrets
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// When to use colour: auto, always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    color: Color,
    /// How long a request may take [default: 30s]
    #[arg(long, global = true, value_name = "AGE")]
    timeout: Option<Age>,
    /// How long to wait for a service that takes no requests now [default: 60s]
    #[arg(long, global = true, value_name = "AGE", value_parser = wait)]
    max_wait: Option<Duration>,
    /// PEM file of the authorities to trust instead of the system's
    #[arg(long, global = true, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
}

/// A length of time that may be none.
fn wait(text: &str) -> Result<Duration, NotAnAge> {
    if text == "0s" { Ok(Duration::ZERO) } else { text.parse().map(duration) }
}

fn duration(age: Age) -> Duration {
    Duration::from_secs(age.seconds().unsigned_abs())
}

#[derive(Debug, Subcommand)]
enum Command {
    Login(login::Args),
    Logout(logout::Args),
    Whoami(whoami::Args),
    Profile(profile::Args),
    Create(create::Args),
    #[command(visible_alias = "ls")]
    List(list::Args),
    #[command(visible_alias = "get")]
    Show(show::Args),
    Edit(edit::Args),
    Rotate(Box<rotate::Args>),
    Rotation(rotation::Args),
    Revoke(revoke::Args),
    Reactivate(reactivate::Args),
    #[command(visible_alias = "rm")]
    Delete(delete::Args),
    Lookup(lookup::Args),
    Usage(usage::Args),
    #[command(visible_alias = "balance")]
    Credits(credits::Args),
    Audit(audit::Args),
    Check(check::Args),
    Perms(perms::Args),
    Serve(serve::Args),
    Completions(completions::Args),
    Man(man::Args),
    Help(help::Args),
}

impl Cli {
    /// Understands the arguments. Errors are in plain text, because what was typed stands in them and is escaped later;
    /// help is in colour where `colour` is wanted.
    pub(crate) fn understand(arguments: &[OsString], color: bool) -> Result<Self, clap::Error> {
        let parse = |styles: Styles| {
            let matches = Self::command().styles(styles).try_get_matches_from(arguments)?;
            Self::from_arg_matches(&matches)
        };
        match parse(Styles::plain()) {
            Err(error) if color && !error.use_stderr() => parse(Styles::default()),
            understood => understood,
        }
    }

    /// Lets the terminal know what the arguments say of it.
    pub(crate) fn configure(&self, environment: &Environment, terminal: &mut Terminal) {
        let globals = &self.globals;
        // Programs that read objects are told nothing else.
        let quiet = globals.quiet || self.wants_json();
        terminal.configure(globals.color, quiet, globals.no_input || environment.no_input);
    }

    /// Whether errors are wanted as objects.
    pub(crate) fn wants_json(&self) -> bool {
        self.globals.json || matches!(self.globals.format, Some(Format::Json | Format::Jsonl))
    }

    /// Runs the command. What needs no service opens none; what needs no runtime starts none.
    pub(crate) fn execute(self, environment: &Environment, terminal: &mut Terminal) -> anyhow::Result<()> {
        let globals = self.globals;
        let output = globals.output()?;
        if !self.command.prints(output.format) {
            let message = "this form is of another command: prometheus of usage and credits, junit and sarif of check";
            return Err(Failure::new(Exit::Usage, "conflicting_options", message).into());
        }
        if self.command.reminds() {
            let repeated = if let Command::Create(args) = &self.command { args.idempotency_key() } else { None };
            remind(environment, repeated, terminal);
        }
        match self.command {
            Command::Completions(args) => completions::run(&args, terminal),
            Command::Man(args) => man::run(&args, terminal),
            Command::Help(args) => help::run(&args, terminal),
            Command::Perms(args) => {
                let rules = provider(&globals.flags(), environment)?.rules();
                perms::run(args, rules, &output, terminal)
            }
            Command::Login(args) => {
                one_thread()?.block_on(login::run(args, &globals.flags(), environment, &output, terminal))
            }
            Command::Logout(_) => logout::run(&globals.flags(), environment, &output, terminal),
            Command::Profile(args) => profile::run(args, globals.yes, &globals.flags(), environment, &output, terminal),
            Command::Rotation(args) => {
                let flags = globals.flags();
                one_thread()?.block_on(rotation::run(args, globals.yes, &flags, environment, &output, terminal))
            }
            Command::Serve(args)
                if args.prints_no_object() && (globals.json || globals.format.is_some() || globals.jq.is_some()) =>
            {
                let message = "this prints no object: --json, --format and --jq do not go with it";
                Err(Failure::new(Exit::Usage, "conflicting_options", message).into())
            }
            Command::Serve(args) => {
                many_threads()?.block_on(serve::run(args, globals.provider, environment, &output, terminal))
            }
            command => one_thread()?.block_on(command.call(&globals, environment, &output, terminal)),
        }
    }
}

impl Globals {
    fn output(&self) -> anyhow::Result<Output> {
        let asked = self.format.unwrap_or(if self.json || self.jq.is_some() { Format::Json } else { Format::Table });
        let jq = self.jq.as_deref().map(Jq::compile).transpose();
        Ok(Output { format: asked, jq: jq.map_err(crate::output::OutputError::from)? })
    }

    /// The flags that choose the service, as they are typed.
    fn chosen(&self) -> String {
        self.choosing(
            self.profile.as_deref(),
            self.provider.map(|provider| provider.rules().name),
            self.api_url.as_deref(),
        )
    }

    /// The flags that lead there, whatever the environment and the profiles say by then.
    fn leading_to(&self, origin: &Origin) -> String {
        let provider = origin.api_url.as_ref().map(|_| origin.provider);
        self.choosing(origin.profile.as_deref(), provider, origin.api_url.as_deref())
    }

    fn choosing(&self, profile: Option<&str>, provider: Option<&str>, api_url: Option<&str>) -> String {
        let authorities = self.ca_cert.as_ref().map(|file| file.to_string_lossy());
        let options =
            [("-p", profile), ("--provider", provider), ("--api-url", api_url), ("--ca-cert", authorities.as_deref())];
        let given = options.into_iter().filter_map(|(option, value)| Some((option, value?)));
        given.map(|(option, value)| text::option(option, value)).collect()
    }

    fn flags(&self) -> Flags {
        Flags {
            profile: self.profile.clone(),
            provider: self.provider,
            api_url: self.api_url.clone(),
            timeout: self.timeout.map(duration),
            max_wait: self.max_wait,
            ca_cert: self.ca_cert.clone(),
            verbose: self.verbose,
        }
    }
}

impl Command {
    /// Whether the command can print its result in this form.
    const fn prints(&self, format: Format) -> bool {
        match format {
            Format::Table | Format::Json | Format::Jsonl | Format::Csv => true,
            Format::Prometheus => matches!(self, Self::Usage(_) | Self::Credits(_)),
            Format::Junit | Format::Sarif => matches!(self, Self::Check(_)),
        }
    }

    /// Whether the command only shows what it would send.
    const fn sends_nothing(&self) -> bool {
        matches!(self, Self::Create(args) if args.is_dry_run())
    }

    /// Whether rotations that are not over are told of: not where they are the subject, nor where a program reads.
    const fn reminds(&self) -> bool {
        !matches!(self, Self::Rotation(_) | Self::Completions(_) | Self::Man(_) | Self::Help(_) | Self::Serve(_))
    }

    /// What a provider must do for the command to make sense.
    const fn ability(&self) -> Option<Ability> {
        match self {
            Self::Edit(_) => Some(Ability::Edit),
            Self::Reactivate(_) => Some(Ability::Reactivate),
            Self::Delete(_) => Some(Ability::Delete),
            Self::Lookup(_) => Some(Ability::Lookup),
            Self::Usage(_) => Some(Ability::Usage),
            Self::Credits(_) => Some(Ability::Credits),
            Self::Audit(_) => Some(Ability::Audit),
            _ => None,
        }
    }

    /// Runs a command that calls a service.
    async fn call(
        self,
        globals: &Globals,
        environment: &Environment,
        output: &Output,
        terminal: &mut Terminal,
    ) -> anyhow::Result<()> {
        let flags = globals.flags();
        let target = Target::choose(&flags, environment)?;
        let known = Known::of(environment.names_directory().as_deref(), target.place());
        let mut reached = Reached::at(target, globals.chosen(), !self.sends_nothing(), terminal).await?;
        reached.known = known;
        reached.warn_of_expiry(terminal);
        if let Some(ability) = self.ability() {
            reached.client.must_offer(ability)?;
        }
        let outcome = self.call_at(&reached, globals, environment, output, terminal).await;
        reached.known.keep();
        outcome
    }

    async fn call_at(
        self,
        reached: &Reached,
        globals: &Globals,
        environment: &Environment,
        output: &Output,
        terminal: &mut Terminal,
    ) -> anyhow::Result<()> {
        let (client, known, yes) = (&reached.client, &reached.known, globals.yes);
        match self {
            Self::Create(args) => {
                let begun = environment
                    .data_directory()
                    .map(|directory| Begun::of(&directory, globals.leading_to(&reached.origin)))
                    .ok();
                create::run(args, environment.circumstances(), begun.as_ref(), reached, output, terminal).await
            }
            Self::List(args) => list::run(args, client, known, output, terminal).await,
            Self::Show(args) => show::run(args, client, known, output, terminal).await,
            Self::Edit(args) => edit::run(args, yes, reached, output, terminal).await,
            Self::Rotate(args) => {
                let journal = Journal::of(&environment.data_directory()?);
                let terminal = RefCell::new(terminal);
                let mut hands = Hands::new(reached, &journal, environment.circumstances(), output, &terminal);
                hands.configuration = environment.config_directory().ok();
                rotate::run(*args, yes, &mut hands).await
            }
            Self::Revoke(args) => revoke::run(args, yes, reached, output, terminal).await,
            Self::Reactivate(args) => reactivate::run(args, client, known, output, terminal).await,
            Self::Delete(args) => delete::run(args, yes, reached, output, terminal).await,
            Self::Lookup(_) => lookup::run(client, reached.rules, output, terminal).await,
            Self::Usage(args) => usage::run(args, client, output, terminal).await,
            Self::Credits(args) => credits::run(args, client, output, terminal).await,
            Self::Audit(args) => audit::run(args, client, output, terminal).await,
            Self::Check(args) => check::run(args, yes, environment, reached, output, terminal).await,
            Self::Whoami(_) => {
                let directory = environment.config_directory().ok();
                let stored = reached.stored.as_ref().zip(directory.as_deref());
                whoami::run(client, &reached.origin, stored, output, terminal).await
            }
            Self::Login(_)
            | Self::Logout(_)
            | Self::Profile(_)
            | Self::Perms(_)
            | Self::Rotation(_)
            | Self::Serve(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Help(_) => {
                Err(Failure::new(Exit::Internal, "internal", "a command that calls no service came where one does")
                    .into())
            }
        }
    }
}

/// Says in one line that rotations are not over, and of each create that did not come to its end how to go on; but of the one
/// that is gone on with now.
fn remind(environment: &Environment, repeated: Option<&IdempotencyKey>, terminal: &mut Terminal) {
    let Ok(directory) = environment.data_directory() else { return };
    // What is told for the last time has to be heard.
    if terminal.is_quiet() {
        return;
    }
    let left = Journal::of(&directory).left();
    if left > 0 {
        let verb = if left == 1 { "is" } else { "are" };
        terminal.say(&format!("{} {verb} not over: keys rotation list", text::count(left, "rotation")));
    }
    let now = system::now();
    for note in Begun::of(&directory, String::new()).left(repeated, now) {
        terminal.say(&note.sentence(now));
    }
}

fn one_thread() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn many_threads() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
