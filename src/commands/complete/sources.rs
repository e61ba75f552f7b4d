//! Where the values come from: each argument's type or name says what it takes.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use clap::{Arg, Command};
use clap_complete::CompletionCandidate;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, PathCompleter, ValueCompleter as _};

use crate::config::{Environment, Flags, Target};
use crate::known::{Known, Sight};
use crate::model::selector::Selector;
use crate::profiles::{LOCAL, Profiles};
use crate::providers::{Provider, Rules};
use crate::rotation::Journal;
use crate::sink::{BEGINNINGS, SinkSpec};
use crate::text;

/// What values are taken from.
pub(super) struct Sources {
    keys: Vec<Sight>,
    profiles: Vec<String>,
    rotations: Vec<(String, String)>,
    rules: &'static Rules,
}

impl Sources {
    /// All that is there without asking anybody, for the service that the words choose.
    pub(super) fn of(words: &[String], environment: &Environment) -> Self {
        let flags = Flags {
            profile: value_of(words, Some('p'), "--profile"),
            provider: value_of(words, None, "--provider").as_deref().and_then(Provider::named),
            api_url: value_of(words, None, "--api-url"),
            ..Flags::default()
        };
        let target = Target::choose(&flags, environment).ok();
        let directory = environment.names_directory();
        let keys = directory.zip(target.as_ref()).map(|(directory, target)| Known::recall(&directory, &target.place()));
        let provider = match &target {
            Some(Target::Remote(remote)) => remote.provider,
            _ => flags.provider.unwrap_or(Provider::Native),
        };
        let profiles = environment.config_directory().ok().and_then(|directory| Profiles::read(&directory).ok());
        let journal = environment.data_directory().map(|directory| Journal::of(&directory));
        let open = journal.ok().and_then(|journal| journal.readable().ok()).unwrap_or_default();
        Self {
            keys: keys.unwrap_or_default(),
            profiles: profiles.map(|profiles| profiles.names()).unwrap_or_default(),
            rotations: open.into_iter().map(|record| (record.id, record.old.name)).collect(),
            rules: provider.rules(),
        }
    }

    /// Keys by their names; by their ids where one is begun, or where the name cannot be typed.
    fn keys(&self, begun: &str, fits: fn(&Sight) -> bool) -> Vec<CompletionCandidate> {
        let mut by_name: BTreeMap<&str, &Sight> = BTreeMap::new();
        let mut by_id = Vec::new();
        for key in self.keys.iter().filter(|key| fits(key)) {
            let typeable = !key.name.is_empty() && !key.name.starts_with('-') && text::escape(&key.name) == key.name;
            let is_name = typeable && !text::reads_like_a_plaintext(&key.name);
            if is_name && key.name.starts_with(begun) {
                by_name.entry(&key.name).or_insert(key);
            }
            if (!is_name || !begun.is_empty()) && key.id.starts_with(begun) {
                by_id.push(key);
            }
        }
        let names = by_name.into_iter().map(|(name, key)| candidate(name, &key.id));
        names.chain(by_id.into_iter().map(|key| candidate(&key.id, &text::escape(&key.name)))).collect()
    }
}

fn candidate(value: &str, about: &str) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(about.to_owned().into()))
}

/// The value of an option among words, the last where it is repeated.
fn value_of(words: &[String], short: Option<char>, long: &str) -> Option<String> {
    let mut value = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let of_long = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
        // Flags may stand before it in the same word.
        let of_short = short.and_then(|short| {
            let rest = word.strip_prefix('-')?.trim_start_matches(['y', 'q', 'v']).strip_prefix(short)?;
            Some(rest.strip_prefix('=').unwrap_or(rest))
        });
        if word == "--" {
            break;
        } else if word == long || of_short == Some("") {
            value = words.next().cloned();
        } else if let Some(rest) = of_long.or(of_short) {
            value = Some(rest.to_owned());
        }
    }
    value
}

/// The command with what is known of its values. `path` are the commands above it.
pub(super) fn with(command: Command, path: &[String], sources: &Arc<Sources>) -> Command {
    let path: Vec<String> = path.iter().cloned().chain([command.get_name().to_owned()]).collect();
    let below = path.clone();
    // Understood, but not offered: one name for one command.
    let aliases: Vec<String> = command.get_visible_aliases().map(str::to_owned).collect();
    command
        .visible_alias(None::<&'static str>)
        .aliases(aliases)
        .mut_args(|argument| of_argument(argument, &path, sources))
        .mut_subcommands(|command| with(command, &below, sources))
}

fn of_argument(argument: Arg, path: &[String], sources: &Arc<Sources>) -> Arg {
    let path: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
    let is = |id: TypeId| argument.get_value_parser().type_id() == id;
    let is_valued = |name: &str| argument.get_value_names().is_some_and(|names| names == [name]);
    let sources = Arc::clone(sources);
    if is(TypeId::of::<Selector>()) || argument.get_id() == "confirm" {
        let fits = states(&path);
        let keys = move |begun: &OsStr| begun.to_str().map(|begun| sources.keys(begun, fits)).unwrap_or_default();
        return argument.add(ArgValueCompleter::new(keys));
    }
    if is(TypeId::of::<SinkSpec>()) {
        return argument.add(ArgValueCompleter::new(places));
    }
    if is_valued("SCOPE") {
        let entries = &sources.rules.permissions.entries;
        return argument.add(of_list(entries.iter().map(|entry| (entry.name.to_owned(), entry.about.to_owned()))));
    }
    match (argument.get_id().as_str(), path.as_slice()) {
        ("profile", []) => argument.add(of_profiles(&sources, true)),
        ("name", ["profile", verb]) => argument.add(of_profiles(&sources, *verb == "use" || *verb == "show")),
        ("id", ["rotation", _]) => argument.add(of_list(sources.rotations.iter().cloned())),
        (_, ["perms", "for"]) if argument.is_positional() => {
            let calls = sources.rules.permissions.calls.iter();
            let calls = calls.map(|call| {
                (format!("{} {}", call.method, call.path), call.permission.unwrap_or("any key").to_owned())
            });
            argument.add(of_list(calls))
        }
        _ => argument,
    }
}

/// The keys that a command is of use for, as they were when they were seen.
fn states(path: &[&str]) -> fn(&Sight) -> bool {
    match path {
        ["revoke" | "edit" | "rotate"] => |key| !key.revoked,
        ["reactivate"] => |key| key.revoked,
        _ => |_| true,
    }
}

fn of_list(values: impl Iterator<Item = (String, String)>) -> ArgValueCandidates {
    let values: Vec<(String, String)> = values.collect();
    ArgValueCandidates::new(move || values.iter().map(|(value, about)| candidate(value, about)).collect())
}

fn of_profiles(sources: &Sources, built_in: bool) -> ArgValueCandidates {
    let built_in = built_in.then(|| (LOCAL.to_owned(), "the service built into this program".to_owned()));
    of_list(sources.profiles.iter().map(|name| (name.clone(), String::new())).chain(built_in))
}

/// The beginnings of places, and behind that of a file, paths.
fn places(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_str().unwrap_or_default();
    match begun.split_once(':') {
        Some((form @ ("file" | "json" | "dotenv"), path)) => {
            let paths = PathCompleter::any().complete(OsStr::new(path)).into_iter();
            paths.map(|path| path.add_prefix(format!("{form}:"))).collect()
        }
        Some(_) => Vec::new(),
        None => {
            let fitting = BEGINNINGS.iter().filter(|(form, _)| form.starts_with(begun));
            fitting.map(|(form, about)| candidate(form, about)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_read_from_the_words_as_the_program_would() {
        let of = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            value_of(&words, Some('p'), "--profile")
        };
        assert_eq!(of("keys show x"), None);
        for line in ["-p work show", "-pwork show", "-p=work show", "--profile work", "--profile=work", "list -yp work"]
        {
            assert_eq!(of(&format!("keys {line}")).as_deref(), Some("work"), "{line}");
        }
        assert_eq!(of("keys -p work show -- -p other").as_deref(), Some("work"));
        assert_eq!(of("keys --provider native"), None);
    }
}
