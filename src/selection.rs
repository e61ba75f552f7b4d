//! From what a person typed to the key it means, or to a sentence that says why there is none.

use jiff::Timestamp;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::model::key::Key;
use crate::model::selector::{Preference, Resolution, Selector};
use crate::providers::native::client::Client;
use crate::text;

/// How many candidates of an ambiguous name are listed.
const LISTED: usize = 10;

/// The one key that is meant.
pub(crate) async fn one(
    client: &Client,
    selector: &Selector,
    preferred: Preference,
    now: Timestamp,
) -> anyhow::Result<Key> {
    match client.find(selector, preferred, now).await? {
        Resolution::One(key) => Ok(*key),
        Resolution::None => Err(unknown(selector).into()),
        Resolution::Many(keys) => Err(ambiguous(selector, &keys, now).into()),
    }
}

/// The keys that are meant, each once. One that is not found stops everything: nothing is changed by halves for a typo.
pub(crate) async fn all(
    client: &Client,
    selectors: &[Selector],
    preferred: Preference,
    now: Timestamp,
) -> anyhow::Result<Vec<Key>> {
    let mut keys: Vec<Key> = Vec::with_capacity(selectors.len());
    for selector in selectors {
        let key = one(client, selector, preferred, now).await?;
        if keys.iter().all(|known| known.id != key.id) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn unknown(selector: &Selector) -> Failure {
    Failure::new(
        Exit::NotFound,
        "not_found",
        format!("no key is called {}", quoted(selector.as_str())),
    )
    .hint("list all keys with: keys list --status all")
}

fn ambiguous(selector: &Selector, keys: &[Key], now: Timestamp) -> Failure {
    let candidates: Vec<String> = keys
        .iter()
        .take(LISTED)
        .map(|key| {
            format!(
                "  {}  {}  {}",
                key.id,
                key.state(now),
                text::escape(&key.name)
            )
        })
        .collect();
    let more = keys.len().saturating_sub(LISTED);
    let rest = if more > 0 {
        format!("\n  and {more} more")
    } else {
        String::new()
    };
    let message = format!(
        "{} may be any of {} keys",
        quoted(selector.as_str()),
        keys.len()
    );
    let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    Failure::new(Exit::Conflict, "ambiguous", message)
        .hint(format!(
            "say which by its id:\n{}{rest}",
            candidates.join("\n")
        ))
        .details(json!({ "candidates": ids }))
}
