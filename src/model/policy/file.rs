//! A policy as a team writes it down: `keys-policy.toml`.

use std::str::FromStr;

use thiserror::Error;
use toml_edit::{DocumentMut, Item};
use wildmatch::WildMatch;

use super::{Policy, Rule};
use crate::model::lifetime::Age;

/// A text that is no policy.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub(crate) struct NotAPolicy(String);

impl FromStr for Policy {
    type Err = NotAPolicy;

    /// What is not said stays as usual. What is not known is refused: a rule that is misspelt must not be a rule that is off.
    fn from_str(text: &str) -> Result<Self, NotAPolicy> {
        let document: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| NotAPolicy(error.to_string()))?;
        let mut policy = Self::default();
        for (name, item) in document.iter() {
            match name {
                "max-age" => policy.max_age = age(name, item)?,
                "unused" => policy.unused = age(name, item)?,
                "never-used" => policy.never_used = age(name, item)?,
                "expiring" => policy.expiring = age(name, item)?,
                "require-expiry" => {
                    let word = item.as_bool();
                    policy.require_expiry = word.ok_or_else(|| wrong(name, "it is true or false"))?;
                }
                "quota-below" => policy.quota_below = Some(threshold(name, item)?),
                "credits-below" => policy.credits_below = Some(threshold(name, item)?),
                "ignore" => policy.ignore = texts(name, item)?.iter().map(|text| WildMatch::new(text)).collect(),
                "off" => policy.off = texts(name, item)?.iter().map(|text| rule(text)).collect::<Result<_, _>>()?,
                _ => {
                    let known = "max-age, unused, never-used, expiring, require-expiry, quota-below, credits-below, ignore, off";
                    return Err(NotAPolicy(format!("there is no `{name}`; there are {known}")));
                }
            }
        }
        Ok(policy)
    }
}

fn wrong(name: &str, problem: &str) -> NotAPolicy {
    NotAPolicy(format!("{name}: {problem}"))
}

/// An age, or `false` for none.
fn age(name: &str, item: &Item) -> Result<Option<Age>, NotAPolicy> {
    if item.as_bool() == Some(false) {
        return Ok(None);
    }
    let text = item.as_str().ok_or_else(|| wrong(name, "it is a length of time such as \"90d\", or false"))?;
    text.parse().map(Some).map_err(|error| wrong(name, &format!("{error}")))
}

fn threshold<T: FromStr<Err = &'static str>>(name: &str, item: &Item) -> Result<T, NotAPolicy> {
    let text = item.as_integer().map(|number| number.to_string()).or_else(|| item.as_str().map(str::to_owned));
    let text = text.ok_or_else(|| wrong(name, "it is a number, or a share such as \"10%\""))?;
    text.parse().map_err(|problem| wrong(name, problem))
}

fn texts(name: &str, item: &Item) -> Result<Vec<String>, NotAPolicy> {
    let list =
        || -> Option<Vec<String>> { item.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect() };
    list().ok_or_else(|| wrong(name, "it is a list of texts"))
}

fn rule(text: &str) -> Result<Rule, NotAPolicy> {
    let known = || Rule::ALL.map(Rule::as_str).join(", ");
    let rule = Rule::ALL.into_iter().find(|rule| rule.as_str() == text);
    rule.ok_or_else(|| NotAPolicy(format!("off: there is no rule `{text}`; there are {}", known())))
}
