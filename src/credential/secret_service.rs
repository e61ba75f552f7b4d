//! The Secret Service: what GNOME Keyring, `KWallet`, `KeePassXC` and others offer on the session bus.
//!
//! By `dbus-secret-service` alone, below the common facade: only here a call can be told how long it may wait for a
//! person, and a locked collection is told apart from one that does not hold the entry.

use std::collections::HashMap;

use dbus_secret_service::{Collection, EncryptionType, Error, Item, SecretService};
use zeroize::Zeroizing;

use super::CredentialError;
use super::keyring::{Entry, Patience};

/// What secrets are, in the words of the protocol.
const TEXT: &str = "text/plain";

pub(super) fn check(patience: Patience) -> Result<(), CredentialError> {
    let service = connect(patience)?;
    unlocked(&service, patience).map(drop)
}

pub(super) fn get(entry: &Entry, patience: Patience) -> Result<Option<Zeroizing<Vec<u8>>>, CredentialError> {
    let service = connect(patience)?;
    let collection = unlocked(&service, patience)?;
    let Some(item) = find(&collection, entry)?.into_iter().next() else {
        return Ok(None);
    };
    unlock_entry(&item, patience)?;
    item.get_secret().map(Zeroizing::new).map(Some).map_err(failed)
}

pub(super) fn set(entry: &Entry, secret: &[u8], patience: Patience) -> Result<(), CredentialError> {
    let service = connect(patience)?;
    let collection = unlocked(&service, patience)?;
    // An entry that is there is changed in its place: to replace it, `KeePassXC` asks a person, however it is set.
    if let Some(item) = find(&collection, entry)?.into_iter().next() {
        unlock_entry(&item, patience)?;
        return item.set_secret(secret, TEXT).map_err(failed);
    }
    collection.create_item(&entry.label, attributes(entry), secret, true, TEXT).map(drop).map_err(failed)
}

pub(super) fn delete(entry: &Entry, patience: Patience) -> Result<bool, CredentialError> {
    let service = connect(patience)?;
    let collection = unlocked(&service, patience)?;
    let items = find(&collection, entry)?;
    for item in &items {
        item.delete().map_err(failed)?;
    }
    Ok(!items.is_empty())
}

/// Secrets are encrypted on the bus, so that a log of it holds none.
///
/// The prompts of the protocol are carried out even where nobody is asked anything: `KeePassXC` answers each storing and
/// each removal with one, which completes by itself unless it is set to ask. What would ask for sure is not begun: see
/// [`unlocked`] and [`unlock_entry`]. The library counts messages of the bus as well as seconds, so its limit lies beyond
/// ours.
fn connect(patience: Patience) -> Result<SecretService, CredentialError> {
    let limit = patience.seconds() * 10;
    SecretService::connect_with_max_prompt_timeout(EncryptionType::Dh, limit).map_err(failed)
}

/// The default collection, unlocked: asked of the service first, because one that is locked finds nothing and says
/// nothing.
fn unlocked(service: &SecretService, patience: Patience) -> Result<Collection<'_>, CredentialError> {
    let collection = service.get_default_collection().map_err(|error| match error {
        Error::NoResult => CredentialError::NoCollection,
        other => failed(other),
    })?;
    if collection.is_locked().map_err(failed)? {
        match patience {
            Patience::Brief => return Err(CredentialError::Locked),
            Patience::Unlocking => collection.unlock().map_err(failed)?,
        }
        // A window that was closed is no error on every keyring.
        if collection.is_locked().map_err(failed)? {
            return Err(CredentialError::Locked);
        }
    }
    Ok(collection)
}

/// An entry can be locked in an unlocked collection: `KeePassXC` asks for each of them on behalf of each program.
fn unlock_entry(item: &Item<'_>, patience: Patience) -> Result<(), CredentialError> {
    if !item.is_locked().map_err(failed)? {
        return Ok(());
    }
    match patience {
        Patience::Brief => Err(CredentialError::Locked),
        Patience::Unlocking => item.unlock().map_err(failed),
    }
}

fn find<'a>(collection: &'a Collection<'a>, entry: &Entry) -> Result<Vec<Item<'a>>, CredentialError> {
    collection.search_items(attributes(entry)).map_err(failed)
}

/// The names that `secret-tool` and the common libraries use too.
fn attributes(entry: &Entry) -> HashMap<&str, &str> {
    HashMap::from([("service", entry.service.as_str()), ("username", entry.account.as_str())])
}

/// What a failure means. Of the bus's own words only the name of the error is taken over.
fn failed(error: Error) -> CredentialError {
    match error {
        Error::Locked | Error::Prompt => CredentialError::Locked,
        Error::Unavailable => CredentialError::NoService,
        Error::Dbus(error) => {
            let name = error.name().unwrap_or_default();
            match name.rsplit('.').next().unwrap_or_default() {
                "NotSupported" | "NoServer" | "FileNotFound" | "BadAddress" | "AuthFailed" => CredentialError::NoBus,
                "Disconnected" => CredentialError::Failed("the session bus hung up".to_owned()),
                "ServiceUnknown" | "NameHasNoOwner" | "ServiceNotFound" | "ExecFailed" | "ChildExited"
                | "ChildSignaled" | "UnknownMethod" | "UnknownInterface" | "UnknownObject" => {
                    CredentialError::NoService
                }
                "IsLocked" => CredentialError::Locked,
                // The library's own limit for one call is two seconds; or it died before it answered.
                "NoReply" | "Timeout" | "TimedOut" => CredentialError::Silent,
                _ => CredentialError::Failed(crate::text::escape(name).into_owned()),
            }
        }
        Error::Crypto(_) => CredentialError::Failed("the secret it sent could not be decrypted".to_owned()),
        Error::NoResult => CredentialError::Failed("it lost the entry".to_owned()),
        _ => CredentialError::Failed("it sent what cannot be understood".to_owned()),
    }
}
