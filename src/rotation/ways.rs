//! Where a new key goes: its places, the ways to them, and the command that is asked whether it works.

use super::Hands;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::handover::{Allowed, Handover};
use crate::model::rotation::Place;
use crate::sink::{SinkSpec, Sinks};

/// Where the key goes. The stored credential goes to its store and, unless asked for, nowhere else.
pub(super) fn places(to: &[SinkSpec], is_stored: bool) -> Vec<Place> {
    if to.is_empty() {
        return if is_stored { Vec::new() } else { vec![Place { to: None, done: false }] };
    }
    to.iter().map(|spec| Place { to: Some(spec.clone().absolute().to_string()), done: false }).collect()
}

/// The ways to the places that do not have the key yet.
pub(super) async fn handovers(to: &[SinkSpec], hands: &Hands<'_, '_>) -> anyhow::Result<Vec<Handover>> {
    let allowed = Allowed::of(to, hands.output.is_for_people(), hands.circumstances, &hands.terminal.borrow())?;
    hands.waiting(|| allowed.prepare_each()).await
}

/// The command that is asked whether the key works: like a place, it gets the key on its standard input.
pub(super) fn prepared_check(check: Option<&str>, hands: &Hands<'_, '_>) -> anyhow::Result<Option<Sinks>> {
    let Some(command) = check else { return Ok(None) };
    let command = SinkSpec::Command(command.to_owned());
    let prepared = Sinks::prepare(&[command], hands.circumstances).map_err(|error| {
        let message = format!("the check cannot be run: {}", error.reason());
        Failure::new(Exit::Usage, "check_not_ready", message).hint("correct --check, or leave it out")
    });
    Ok(Some(prepared?))
}
