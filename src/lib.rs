//! `keys` administers API keys: create, list, show, edit, revoke, reactivate and delete them, over the management API of
//! a service, or with the service built into this program.
//!
//! The rooms, and who may use whom, are held by `tests/layers.rs`. Data goes down once and comes back once:
//! `main` → [`cli`] → one of [`commands`] → a provider's client → [`http`] → … → the provider's routes → [`service`] →
//! its store. The profile `local` takes the same way, with the router called within the process ([`local`]).
//!
//! * [`model`]: what keys are and what follows from it; pure.
//! * [`providers`]: a room per provider, each with its rules, wire, client and routes.
//! * [`service`]: the engine over its store. [`serve`]: the listener in front of it.
//! * [`http`]: the client's road. [`sink`]: the places a secret can go.
//! * [`reach`]: from flags, environment and profile to the client that goes there.
//! * [`selection`], [`consent`], [`unlock`], [`bulk`]: which keys are meant, whether somebody agrees or has to unlock a
//!   keyring, what became of each.
//! * [`handover`]: a new key on its way to a place or a person. [`rotation`]: a key and its successor, step by step.
//! * [`terminal`], [`output`], [`text`]: what people and programs see. [`failure`], [`exit`]: how a run fails.
//! * [`config`], [`profiles`], [`credential`]: the environment, the config file, where the admin's own key lives.
//! * [`known`]: names and ids of keys that were seen, for a shell to complete.
//! * [`begun`]: creates that were killed, and the line that gets their keys all the same.
//! * [`looking`]: the time between two looks of who follows or watches.
//! * [`files`], [`system`], [`hygiene`]: private files, the clock and randomness, what a crash leaves behind.

mod begun;
mod bulk;
mod cli;
mod commands;
mod config;
mod consent;
mod credential;
mod exit;
mod failure;
mod files;
mod handover;
mod http;
mod hygiene;
mod known;
mod local;
mod looking;
mod model;
mod output;
mod places;
mod profiles;
mod providers;
mod reach;
mod rotation;
mod selection;
mod serve;
mod service;
mod sink;
mod system;
mod terminal;
#[cfg(test)]
mod testing;
mod text;
mod unlock;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::Cli;
use crate::commands::{complete, hold};
use crate::config::Environment;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// Runs one command line, the program's name first, and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    ExitCode::from(hygiene::run(|| run_line(&arguments)).code())
}

fn run_line(arguments: &[OsString]) -> Exit {
    let environment = Environment::read();
    let mut terminal = Terminal::system(environment.surroundings());
    if hold::is_meant(arguments) {
        let outcome = hold::run(arguments, &mut terminal);
        return outcome.map_or_else(|error| failure::report(&error, &mut terminal, false), |()| Exit::Done);
    }
    if complete::is_meant(arguments) {
        // A shell that completes has nobody to tell of an error, and no line to tell it on.
        return complete::run(arguments, &environment, &mut terminal).map_or(Exit::Internal, |()| Exit::Done);
    }
    match Cli::understand(arguments, terminal.out_is_colored()) {
        Err(usage) => failure::misunderstood(&usage, arguments, &mut terminal),
        Ok(cli) => {
            cli.configure(&environment, &mut terminal);
            let json = cli.wants_json();
            match cli.execute(&environment, &mut terminal) {
                Ok(()) => Exit::Done,
                Err(error) => {
                    terminal.discard();
                    failure::report(&error, &mut terminal, json)
                }
            }
        }
    }
}
