//! The new key taken back, unless this program is logged in with it already: that would lock everybody out.

use anyhow::Context as _;

use super::Hands;
use crate::credential::Patience;
use crate::http::IdempotencyKey;
use crate::model::rotation::{Event, Record, Successor};
use crate::system;

pub(super) async fn revoke_new(record: &Record, hands: &Hands<'_, '_>) -> anyhow::Result<Event> {
    let new = record.new.as_ref().context("there is no new key")?;
    if record.is_stored_credential && is_stored(record, new, hands).await? {
        return Ok(Event::FoundStored);
    }
    let once = IdempotencyKey::fresh(&mut system::random);
    match hands.reached.client.revoke(&new.id, Some("rotation aborted"), &once).await {
        Err(error) if !error.is("not_found") => Err(error.into()),
        _ => Ok(Event::Revoked),
    }
}

/// Whether this program is logged in with the new key. Where the service does not tell which key asks, what is stored is
/// compared with what is kept.
async fn is_stored(record: &Record, new: &Successor, hands: &Hands<'_, '_>) -> anyhow::Result<bool> {
    let client = &hands.reached.client;
    let whoami = client.whoami().await?;
    if whoami.tells_key {
        return Ok(whoami.key.is_some_and(|key| key.id == new.id));
    }
    let (Some((store, _)), Some(kept)) = (hands.stored(), record.kept) else { return Ok(false) };
    // What is kept goes once the new key is revoked, and an abort may have died after that.
    if client.show(&new.id).await?.is_none_or(|key| key.revoked_at.is_some()) {
        return Ok(false);
    }
    let plain = hands.escrow.fetch(&record.id, kept)?;
    Ok(store.get(Patience::Brief)?.is_some_and(|held| held.expose() == plain.expose()))
}
