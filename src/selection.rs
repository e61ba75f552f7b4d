//! From what a person typed to what it means, or to a sentence that says why it means nothing: keys, permissions, names,
//! ends.

use clap::Args as ClapArgs;
use jiff::Timestamp;
use serde_json::json;
use wildmatch::WildMatch;

use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::model::filter::{Filter, Sort};
use crate::model::key::{Key, KeyName};
use crate::model::lifetime::{Age, Lifetime};
use crate::model::permission::{Permission, distinct};
use crate::model::selector::{Preference, Resolution, Selector};
use crate::model::state::State;
use crate::providers::Rules;
use crate::providers::client::Client;
use crate::text;

/// How many candidates of an ambiguous name are listed.
const LISTED: usize = 10;

/// Keys chosen by what they are, where none is named. All that is said of them holds for each.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Chosen {
    /// Instead of naming keys: all active keys whose name fits this pattern, such as 'ci-*'
    #[arg(long, value_name = "GLOB", help_heading = "Many keys at once", conflicts_with = "keys")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) aged: Aged,
    /// All active keys not used for this long; one never used counts from its creation
    #[arg(long, value_name = "AGE", help_heading = "Many keys at once", conflicts_with = "keys")]
    pub(crate) unused: Option<Age>,
}

/// The part of the choice that is about time.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Aged {
    /// All active keys created longer ago than this
    #[arg(long, value_name = "AGE", help_heading = "Many keys at once", conflicts_with = "keys")]
    pub(crate) older_than: Option<Age>,
    /// All active keys that end within this time
    #[arg(long, value_name = "WITHIN", help_heading = "Many keys at once", conflicts_with = "keys")]
    pub(crate) expiring: Option<Age>,
}

impl Chosen {
    /// Whether keys are chosen at all.
    pub(crate) const fn is_any(&self) -> bool {
        self.name.is_some() || self.aged.is_any() || self.unused.is_some()
    }

    /// Active keys that fit.
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            state: Some(State::Active),
            name: self.name.as_deref().map(WildMatch::new),
            unused: self.unused,
            older_than: self.aged.older_than,
            expiring: self.aged.expiring,
            ..Filter::default()
        }
    }
}

impl Aged {
    pub(crate) const fn is_any(&self) -> bool {
        self.older_than.is_some() || self.expiring.is_some()
    }
}

/// The keys that fit, the oldest first, and all active keys.
pub(crate) async fn fitting(client: &Client, filter: &Filter, now: Timestamp) -> anyhow::Result<(Vec<Key>, Vec<Key>)> {
    let mut all: Vec<Key> = Vec::new();
    let active = Filter { state: filter.state, ..Filter::default() };
    let mut pages = client.list(&active, Sort { descending: false, ..Sort::NEWEST_FIRST });
    while let Some(page) = pages.next().await? {
        all.extend(page);
    }
    let fitting = all.iter().filter(|key| filter.fits(key, now)).cloned().collect();
    Ok((fitting, all))
}

/// The one key that is meant.
pub(crate) async fn one(
    client: &Client,
    selector: &Selector,
    preferred: Preference,
    now: Timestamp,
) -> anyhow::Result<Key> {
    found(client, selector, preferred, now).await?.ok_or_else(|| unknown(client, selector).into())
}

async fn found(
    client: &Client,
    selector: &Selector,
    preferred: Preference,
    now: Timestamp,
) -> anyhow::Result<Option<Key>> {
    if text::reads_like_a_plaintext(selector.as_str()) {
        return Err(plaintext("the name of one").into());
    }
    match client.find(selector, preferred, now).await? {
        Resolution::One(key) => Ok(Some(*key)),
        Resolution::None => Ok(None),
        Resolution::Many(keys) => Err(ambiguous(selector, &keys, now).into()),
    }
}

/// The keys that are named, or those that fit where none is.
pub(crate) async fn meant(
    client: &Client,
    selectors: &[Selector],
    chosen: &Chosen,
    now: Timestamp,
) -> anyhow::Result<Vec<Key>> {
    if chosen.is_any() {
        return Ok(fitting(client, &chosen.filter(), now).await?.0);
    }
    all(client, selectors, Preference::Active, now).await
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

/// The keys that are named and still there, and the ids of those that are gone: an earlier run may have deleted one after
/// all, and the line that goes on names it. It counts as one where its whole id was confirmed too and looks like that of
/// another key here; any other that is not found stops everything.
pub(crate) async fn left(
    client: &Client,
    selectors: &[Selector],
    confirmed: &[String],
    now: Timestamp,
) -> anyhow::Result<(Vec<Key>, Vec<String>)> {
    let (mut keys, mut gone): (Vec<Key>, Vec<&Selector>) = (Vec::new(), Vec::new());
    for selector in selectors {
        match found(client, selector, Preference::Active, now).await? {
            Some(key) if keys.iter().all(|known| known.id != key.id) => keys.push(key),
            Some(_) => {}
            None if confirmed.iter().any(|name| name == selector.as_str()) => gone.push(selector),
            None => return Err(unknown(client, selector).into()),
        }
    }
    let is_id = |text: &str| keys.iter().any(|key| is_alike(key.id.as_str(), text));
    if let Some(typo) = gone.iter().find(|selector| !is_id(selector.as_str())) {
        return Err(unknown(client, typo).into());
    }
    Ok((keys, gone.into_iter().map(|selector| selector.as_str().to_owned()).collect()))
}

/// Whether two ids are of one make: as long, and what is no letter and no digit stands at the same places.
fn is_alike(one: &str, other: &str) -> bool {
    let marks = |text: &str| -> Vec<Option<char>> {
        text.chars().map(|character| Some(character).filter(|character| !character.is_alphanumeric())).collect()
    };
    marks(one) == marks(other)
}

/// The permissions of these names, each once.
pub(crate) fn permissions(names: &[String], rules: &Rules) -> Result<Vec<Permission>, Failure> {
    let known = names.iter().map(|name| rules.permissions.permission(name.trim()));
    let known = known.collect::<Result<Vec<_>, _>>().map_err(|error| {
        let nearest = error.suggestion.map(|nearest| format!("did you mean `{nearest}`? ")).unwrap_or_default();
        Failure::new(Exit::Usage, "unknown_permission", error.to_string())
            .hint(format!("{nearest}all permissions are listed by: keys perms"))
    })?;
    Ok(distinct(known))
}

/// Refuses a name that is longer than the provider takes, or that everybody who lists keys could use.
pub(crate) fn check_name(name: &KeyName, rules: &Rules) -> Result<(), Failure> {
    if text::holds_what_reads_like_a_plaintext(name.as_str()) {
        return Err(plaintext("the name of one"));
    }
    let problem = |error| Failure::new(Exit::Usage, "invalid_name", format!("the name cannot be used: {error}"));
    name.fits(rules.longest_name).map_err(problem)
}

/// Refuses a description that everybody who looks at the key could use.
pub(crate) fn check_description(description: Option<&str>) -> Result<(), Failure> {
    if description.is_some_and(text::holds_what_reads_like_a_plaintext) {
        Err(plaintext("what one is for"))
    } else {
        Ok(())
    }
}

/// The end that is meant; `None` is never.
pub(crate) fn end(lifetime: Lifetime, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let problem = |error| Failure::new(Exit::Usage, "invalid_expiry", format!("--expires cannot be used: {error}"));
    lifetime.resolve(now).map_err(problem)
}

fn unknown(client: &Client, selector: &Selector) -> Failure {
    Failure::new(Exit::NotFound, "not_found", format!("no key is called {}", quoted(selector.as_str())))
        .hint(format!("list all keys with: keys{} list --status all", client.flags()))
}

/// A whole key where something else is meant. It is not said again, and nothing is asked about it.
fn plaintext(meant: &str) -> Failure {
    let message = format!("this looks like a whole key, and not like {meant}");
    Failure::new(Exit::Usage, "plaintext_given", message).hint(
        "others can read arguments, and the shell may have kept it: revoke the key if so\n\
         to find out which key it is, pipe it in: printf %s \"$KEY\" | keys lookup",
    )
}

fn ambiguous(selector: &Selector, keys: &[Key], now: Timestamp) -> Failure {
    let candidates: Vec<String> = keys
        .iter()
        .take(LISTED)
        .map(|key| format!("  {}  {}  {}", key.id, key.state(now), text::escape(&key.name)))
        .collect();
    let more = keys.len().saturating_sub(LISTED);
    let rest = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    let message = format!("{} may be any of {} keys", quoted(selector.as_str()), keys.len());
    let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    Failure::new(Exit::Conflict, "ambiguous", message)
        .hint(format!("say which by its id:\n{}{rest}", candidates.join("\n")))
        .details(json!({ "candidates": ids }))
}
