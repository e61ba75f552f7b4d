//! A locked keyring and somebody who can unlock it: waits for them, and says so.

use crate::config::Environment;
use crate::credential::{CredentialError, Patience};
use crate::terminal::Terminal;

/// Calls the store; where it is locked and somebody is there to unlock it, waits for them.
pub(crate) fn patiently<T>(
    environment: &Environment,
    terminal: &mut Terminal,
    call: impl Fn(Patience) -> Result<T, CredentialError>,
) -> Result<T, CredentialError> {
    match call(Patience::Brief) {
        Err(CredentialError::Locked) if terminal.can_ask() && environment.has_display() => {
            terminal.say("Waiting for you to unlock the keyring…");
            call(Patience::Unlocking)
        }
        other => other,
    }
}
