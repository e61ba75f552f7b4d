//! `keys logout`: forgets the credential of a profile. The key itself goes on working.

use clap::Args as ClapArgs;
use serde_json::json;

use crate::config::{Environment, Flags, existing};
use crate::failure::quoted;
use crate::known::Known;
use crate::output::Output;
use crate::profiles::{Edit, LOCAL, Profile, Profiles};
use crate::terminal::Terminal;
use crate::unlock::patiently;

/// Log out: forget the stored key of a profile
///
/// The profile stays, and so does the key on its service: revoke it there if nobody is to use it any more.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {}

pub(crate) fn run(
    flags: &Flags,
    environment: &Environment,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let directory = environment.config_directory()?;
    let profiles = Profiles::read(&directory)?;
    let name = flags.profile.as_deref().or(environment.profile()).or(profiles.default());
    let removed = match name {
        None => {
            terminal.say("Nobody is logged in");
            false
        }
        Some(LOCAL) => {
            terminal.say("The profile `local` has no credential; there is nothing to forget");
            false
        }
        Some(name) => {
            let profile = existing(&profiles, name)?;
            let store = profile.store(&directory);
            let removed = patiently(environment, terminal, |patience| store.delete(patience))?;
            forget(&profile, &directory)?;
            Known::forget_profile(environment.names_directory(), name);
            let done = if removed { "Logged out" } else { "There was no stored key" };
            terminal.say(&format!("{done}: profile {}, {}", quoted(name), store.place()));
            say_what_is_left(&profile, removed, environment, terminal);
            removed
        }
    };
    if !output.is_for_people() {
        output.object(terminal, json!({ "profile": name, "removed": removed }), |_| Ok(()))?;
    }
    Ok(terminal.flush()?)
}

/// Takes what was remembered of the key out of the profile.
fn forget(profile: &Profile, directory: &std::path::Path) -> anyhow::Result<()> {
    let forgotten = Profile { key_prefix: None, expires_at: None, ..profile.clone() };
    if forgotten != *profile {
        let mut edit = Edit::start(directory)?;
        edit.put(&forgotten);
        edit.commit()?;
    }
    Ok(())
}

fn say_what_is_left(profile: &Profile, removed: bool, environment: &Environment, terminal: &mut Terminal) {
    if removed {
        let key = profile.key_prefix.as_deref().unwrap_or("itself");
        terminal.say(&format!("The key {key} goes on working until it is revoked on {}", profile.api_url));
    }
    terminal.say(&format!("The profile stays; take it out with: keys profile remove {}", profile.name));
    if let Some(variable) = environment.key_variable(profile.provider) {
        terminal.warn(&format!("{variable} is still set, and commands go on using that key"));
    }
}
