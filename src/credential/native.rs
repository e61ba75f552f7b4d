//! The keychain of macOS and the credential manager of Windows, which are always there and need no bus.

use std::collections::HashMap;
use std::sync::Arc;

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
use keyring_core::Error;
use keyring_core::api::CredentialStoreApi as _;
#[cfg(windows)]
use windows_native_keyring_store::Store;
use zeroize::Zeroizing;

use super::CredentialError;
use super::keyring::{Entry, Patience};

pub(super) fn check(_: Patience) -> Result<(), CredentialError> {
    store().map(drop)
}

pub(super) fn get(entry: &Entry, _: Patience) -> Result<Option<Zeroizing<Vec<u8>>>, CredentialError> {
    match open(entry)?.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

pub(super) fn set(entry: &Entry, secret: &[u8], _: Patience) -> Result<(), CredentialError> {
    open(entry)?.set_secret(secret).map_err(failed)
}

pub(super) fn delete(entry: &Entry, _: Patience) -> Result<bool, CredentialError> {
    match open(entry)?.delete_credential() {
        Ok(()) => Ok(true),
        Err(Error::NoEntry) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn store() -> Result<Arc<Store>, CredentialError> {
    Store::new().map_err(failed)
}

fn open(entry: &Entry) -> Result<keyring_core::Entry, CredentialError> {
    // Otherwise Windows hands the secret on to the user's other machines.
    let modifiers = HashMap::from([("persistence", "Local")]);
    let modifiers = cfg!(windows).then_some(&modifiers);
    store()?.build(&entry.service, &entry.account, modifiers).map_err(failed)
}

/// What a failure means. Never taken over as it is: two of these errors carry the secret itself.
fn failed(error: Error) -> CredentialError {
    match error {
        Error::NoStorageAccess(_) => CredentialError::Locked,
        // Over SSH the keychain may not ask anybody: errSecInteractionNotAllowed, which comes without its number.
        Error::PlatformFailure(cause) if cause.to_string().contains("interaction is not allowed") => {
            CredentialError::Locked
        }
        Error::BadEncoding(secret) | Error::BadDataFormat(secret, _) => {
            drop(Zeroizing::new(secret));
            CredentialError::Failed("what it holds is not text".to_owned())
        }
        Error::TooLong(what, limit) => {
            CredentialError::Failed(format!("it takes no more than {limit} bytes of {what}"))
        }
        Error::Ambiguous(_) => CredentialError::Failed("it holds several entries of this name".to_owned()),
        Error::PlatformFailure(cause) => CredentialError::Failed(cause.to_string()),
        _ => CredentialError::Failed("it does not do what was asked".to_owned()),
    }
}
