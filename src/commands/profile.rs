//! `keys profile`: the profiles there are, which of them is the default, and taking one out.

use std::path::Path;

use anyhow::Context as _;
use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use crate::config::{Environment, Flags, existing};
use crate::consent::agreed;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::known::Known;
use crate::output::key::fields;
use crate::output::{Cell, Column, Output, Row};
use crate::profiles::{Edit, LOCAL, Profile, Profiles, ProfilesError};
use crate::terminal::{Style, Terminal};
use crate::unlock::patiently;
use crate::{system, text};

/// List profiles, choose the default one, show or remove one
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys profile list
  keys profile use staging
  keys profile remove staging

A profile is made by: keys login -p NAME --api-url URL")]
pub(crate) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// List the profiles
    #[command(visible_alias = "ls")]
    List,
    /// Make a profile the default one
    Use {
        /// Name of the profile
        name: String,
    },
    /// Show a profile
    #[command(visible_alias = "get")]
    Show {
        /// Name of the profile [default: the one in use]
        name: Option<String>,
    },
    /// Remove a profile and its stored key
    #[command(visible_alias = "rm")]
    Remove {
        /// Name of the profile
        name: String,
    },
}

static COLUMNS: [Column; 6] = [
    Column { title: "NAME", name: "name", rank: 9, shrinks: true, right: false, place: 0 },
    Column { title: "DEFAULT", name: "default", rank: 8, shrinks: false, right: false, place: 1 },
    Column { title: "PROVIDER", name: "provider", rank: 5, shrinks: false, right: false, place: 2 },
    Column { title: "SERVICE", name: "api_url", rank: 7, shrinks: true, right: false, place: 3 },
    Column { title: "CREDENTIAL", name: "storage", rank: 6, shrinks: false, right: false, place: 4 },
    Column { title: "KEY", name: "key_prefix", rank: 4, shrinks: false, right: false, place: 5 },
];

pub(crate) fn run(
    args: Args,
    yes: bool,
    flags: &Flags,
    environment: &Environment,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let directory = environment.config_directory()?;
    match args.task {
        Task::List => list(&Profiles::read(&directory)?, output, terminal),
        Task::Use { name } => choose(&name, &directory, environment, terminal),
        Task::Show { name } => {
            let profiles = Profiles::read(&directory)?;
            let name = name.as_deref().or(flags.profile.as_deref()).or(environment.profile()).or(profiles.default());
            show(name.unwrap_or(LOCAL), &profiles, &directory, output, terminal)
        }
        Task::Remove { name } => remove(&name, yes, &directory, environment, terminal),
    }
}

fn list(profiles: &Profiles, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut list = output.list(terminal, &COLUMNS);
    for name in profiles.names().into_iter().filter(|name| name != LOCAL) {
        match profiles.get(&name) {
            Ok(Some(profile)) => list.row(terminal, row(profiles, &profile.name, Some(&profile)))?,
            Ok(None) => {}
            Err(error) => terminal.warn(&error.to_string()),
        }
    }
    list.row(terminal, row(profiles, LOCAL, None))?;
    Ok(list.finish(terminal, json!(null))?)
}

fn row(profiles: &Profiles, name: &str, profile: Option<&Profile>) -> Row {
    let json = object(profiles, name, profile);
    let text = |field: &str| json[field].as_str().unwrap_or_default().to_owned();
    let cell = |field: &str| Cell::of(json[field].as_str().unwrap_or("-"), text(field));
    let default = if profiles.default() == Some(name) { "default" } else { "" };
    let cells = vec![
        Cell::new(name),
        Cell::new(default),
        cell("provider"),
        cell("api_url"),
        cell("storage"),
        cell("key_prefix"),
    ];
    Row { cells, json }
}

/// A profile for programs; `None` is the built-in one.
fn object(profiles: &Profiles, name: &str, profile: Option<&Profile>) -> Value {
    json!({
        "name": name,
        "default": profiles.default() == Some(name),
        "built_in": profile.is_none(),
        "provider": profile.map_or("native", |profile| profile.provider.rules().name),
        "api_url": profile.map(|profile| profile.api_url.as_str()),
        "storage": profile.map(|profile| profile.storage.as_str()),
        "key_prefix": profile.and_then(|profile| profile.key_prefix.as_deref()),
        "expires_at": profile.and_then(|profile| profile.expires_at).map(text::utc),
    })
}

fn choose(name: &str, directory: &Path, environment: &Environment, terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut edit = Edit::start(directory)?;
    if name != LOCAL {
        existing(edit.profiles(), name)?;
    }
    edit.set_default(name);
    edit.commit()?;
    terminal.say(&format!("The default profile is now {}", quoted(name)));
    if let Some(other) = environment.profile().filter(|other| *other != name) {
        terminal.warn(&format!("KEYS_PROFILE is set and comes first: commands use {}", quoted(other)));
    }
    Ok(())
}

fn show(
    name: &str,
    profiles: &Profiles,
    directory: &Path,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let profile = if name == LOCAL { None } else { Some(existing(profiles, name)?) };
    let now = system::now();
    output.object(terminal, object(profiles, name, profile.as_ref()), |terminal| {
        let default = if profiles.default() == Some(name) { " (the default)" } else { "" };
        let mut lines = vec![("Name", Some(format!("{name}{default}")), Some(Style::Strong))];
        match &profile {
            None => lines.push(("Service", Some("built into this program; needs no credential".to_owned()), None)),
            Some(profile) => {
                let end = profile.expires_at.map(|end| text::utc_and_relative(end, now));
                lines.extend([
                    ("Provider", Some(profile.provider.rules().name.to_owned()), None),
                    ("Service", Some(profile.api_url.clone()), None),
                    ("Credential", Some(profile.store(directory).place()), None),
                    ("Key", profile.key_prefix.clone(), None),
                    ("Expires", end, None),
                    ("Configured in", Some(profiles.path().display().to_string()), None),
                ]);
            }
        }
        fields(terminal, &lines)
    })?;
    Ok(terminal.flush()?)
}

fn remove(
    name: &str,
    yes: bool,
    directory: &Path,
    environment: &Environment,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    if name == LOCAL {
        return Err(ProfilesError::BuiltIn.into());
    }
    let profiles = Profiles::read(directory)?;
    let (known, is_there) = match profiles.get(name) {
        Ok(found) => (found, profiles.names().iter().any(|other| other == name)),
        // One that cannot be used can be taken out all the same.
        Err(_) => (None, true),
    };
    if !is_there {
        existing(&profiles, name)?;
    }
    agree(name, known.as_ref(), yes, terminal)?;
    let mut edit = Edit::start(directory)?;
    let was_default = edit.remove(name);
    Known::forget_profile(environment.names_directory(), name);
    if let Some(profile) = &known {
        let store = profile.store(directory);
        let removed = patiently(environment, terminal, |patience| store.delete(patience))
            .context("the profile was not removed, because its key could not be")?;
        edit.commit()?;
        if removed {
            let key = profile.key_prefix.as_deref().unwrap_or("itself");
            terminal.say(&format!("Forgot its key, which was in {}", store.place()));
            terminal.say(&format!("The key {key} goes on working until it is revoked on {}", profile.api_url));
        }
    } else {
        edit.commit()?;
    }
    terminal.say(&format!("Removed the profile {}", quoted(name)));
    if was_default {
        terminal.say("There is no default profile now; choose one with: keys profile use NAME");
    }
    Ok(())
}

fn agree(name: &str, profile: Option<&Profile>, yes: bool, terminal: &mut Terminal) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !terminal.can_ask() {
        let message = "removing a profile needs confirmation, and there is nobody to ask";
        return Err(Failure::new(Exit::Unconfirmed, "confirmation_needed", message).hint("add --yes").into());
    }
    let service = profile.map(|profile| format!(" for {}", profile.api_url)).unwrap_or_default();
    agreed(terminal.confirm(&format!("Remove the profile {}{service} and forget its key?", quoted(name))))
}
