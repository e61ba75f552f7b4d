//! What the journal says of a rotation: all that a later run of the program needs to go on with it, and no secret.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Facts;
use crate::model::key::{Key, KeyId, KeyName, NewKey};
use crate::model::lifetime::{Age, Lifetime};
use crate::model::permission::Permission;
use crate::model::tier::Tier;

/// A rotation that is not over. Once it is, its record is removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The version of this form.
    pub(crate) version: u32,
    /// `rot_…`
    pub(crate) id: String,
    pub(crate) begun_at: Timestamp,
    pub(crate) service: Where,
    /// The shown part of the key that asks for the new one: with another one, the same request would be a new request.
    pub(crate) caller: Option<String>,
    pub(crate) old: Old,
    pub(crate) request: Request,
    pub(crate) idempotency_key: String,
    pub(crate) places: Vec<Place>,
    /// Where commands were started from.
    pub(crate) directory: Option<PathBuf>,
    /// A command that is asked whether the new key works, with the key on its standard input.
    pub(crate) check: Option<String>,
    /// For how many seconds the new key may be refused.
    pub(crate) verify_seconds: i64,
    pub(crate) retirement: Retirement,
    pub(crate) compromised: bool,
    /// Whether the plaintext is kept until it is delivered.
    pub(crate) keeps: bool,
    /// Whether the old key was the one that asked when this began.
    #[serde(default)]
    pub(crate) is_own: bool,
    /// Whether this is the credential that this program is logged in with, whose store gets the new one.
    pub(crate) is_stored_credential: bool,
    pub(crate) step: Step,
    pub(crate) new: Option<Successor>,
    pub(crate) kept: Option<Kept>,
    pub(crate) live_at: Option<Timestamp>,
}

/// The service that has the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Where {
    pub(crate) provider: String,
    pub(crate) profile: Option<String>,
    /// `None` is the service within this program.
    pub(crate) api_url: Option<String>,
}

/// The key that is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Old {
    pub(crate) id: KeyId,
    pub(crate) name: String,
    pub(crate) prefix: String,
}

/// The key that replaces it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Successor {
    pub(crate) id: KeyId,
    pub(crate) name: String,
    pub(crate) prefix: String,
    /// What the places get besides the plaintext.
    pub(crate) described: Value,
}

/// A place that the new key goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// `file:/run/secrets/ci`; `None` is wherever standard output leads when it is delivered.
    pub(crate) to: Option<String>,
    pub(crate) done: bool,
}

/// What becomes of the old key once the new one is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Retirement {
    /// It is revoked.
    AtOnce,
    /// It ends by itself after a grace.
    Ending { seconds: i64 },
    /// It stays until somebody finishes the rotation, which is due after a grace.
    Staying { seconds: i64 },
}

impl Retirement {
    /// What a grace means with a provider; without one the old key goes at once.
    pub(crate) fn planned(grace: Option<Age>, facts: &Facts) -> Self {
        match grace {
            None => Self::AtOnce,
            Some(grace) if facts.edits_expiry => Self::Ending { seconds: grace.seconds() },
            Some(grace) => Self::Staying { seconds: grace.seconds() },
        }
    }
}

/// Where the plaintext is kept until it is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    Keyring,
    /// A private file beside the journal.
    File,
}

/// How far a rotation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// The request for the new key may have been sent.
    Intended,
    /// There is a new key, and its plaintext is kept.
    Minted,
    /// It is in all places, and works.
    Verified,
    /// It is the credential that this program is logged in with.
    Adopted,
    /// It is what the consumer knows; the old key may go.
    Live,
    /// The old key is to be retired by `keys rotation finish`.
    Waiting,
    /// The new key is to be revoked, the old one stays.
    Aborting,
}

impl Step {
    /// What is left to do, for people.
    pub(crate) const fn left(self) -> &'static str {
        match self {
            Self::Intended => "to be made",
            Self::Minted => "to be delivered and verified",
            Self::Verified | Self::Adopted => "to be made live",
            Self::Live => "the old key is to be retired",
            Self::Waiting => "waits for the old key to be retired",
            Self::Aborting => "the new key is to be revoked",
        }
    }
}

/// The request for the new key, so that it can be sent again exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) tier: Tier,
    /// `30d`, an instant or `never`
    pub(crate) lifetime: String,
    pub(crate) temporary: bool,
    pub(crate) replaces: Option<KeyId>,
}

impl Request {
    /// A key like this one, under a name of its own.
    pub(crate) fn like(old: &Key, name: String, replaces: bool) -> Self {
        Self {
            name,
            description: old.description.clone().filter(|text| !text.is_empty()),
            permissions: old.permissions.clone(),
            tier: old.tier.unwrap_or(Tier::Standard),
            lifetime: if old.temporary { Lifetime::Never } else { lifetime(old) }.to_string(),
            temporary: old.temporary,
            replaces: replaces.then(|| old.id.clone()),
        }
    }

    /// `None` where the journal holds what no journal of ours holds.
    pub(crate) fn to_new_key(&self) -> Option<NewKey> {
        Some(NewKey {
            name: self.name.parse::<KeyName>().ok()?,
            description: self.description.clone(),
            permissions: self.permissions.clone(),
            tier: self.tier,
            lifetime: self.lifetime.parse().ok()?,
            temporary: self.temporary,
            replaces: self.replaces.clone(),
        })
    }
}

/// A key that was made for 90 days gets a successor for 90 days. Where nothing is known of its beginning, the successor
/// ends when it would have.
fn lifetime(old: &Key) -> Lifetime {
    let Some(end) = old.expires_at else { return Lifetime::Never };
    // Ends are whole seconds where beginnings need not be.
    let seconds = |made: Timestamp| end.as_second().saturating_sub(made.as_second());
    let length = old.created_at.and_then(|made| Age::from_seconds(seconds(made)));
    length.map_or(Lifetime::At(end), Lifetime::After)
}

impl Record {
    /// The form that this version writes and reads.
    pub(crate) const VERSION: u32 = 1;

    /// Whether the same request again can make no second key.
    pub(super) fn may_repeat(&self, facts: &Facts, now: Timestamp) -> bool {
        // An hour less than the service keeps answers: its clock is another one.
        let margin = SignedDuration::from_hours(1);
        let age = now.duration_since(self.begun_at);
        facts.naming.is_unique() || (age < facts.replays_for - margin && age >= -margin)
    }

    /// Whether a key is the new one, also as long as nobody has heard of that one: then it has the name that was asked for,
    /// and is not older than the rotation.
    pub(crate) fn may_have_made(&self, key: &Key) -> bool {
        // The service's clock is another one.
        let skew = SignedDuration::from_mins(5);
        if let Some(new) = &self.new {
            return new.id == key.id;
        }
        let is_young = key.created_at.is_none_or(|created| created.duration_since(self.begun_at) >= -skew);
        key.name == self.request.name && key.id != self.old.id && is_young
    }

    /// When the old key may be retired by `finish --due`; `None` as long as it must not be retired at all.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        let grace = match self.retirement {
            Retirement::AtOnce => 0,
            Retirement::Ending { seconds } | Retirement::Staying { seconds } => seconds,
        };
        let live_at = self.live_at.filter(|_| matches!(self.step, Step::Live | Step::Waiting))?;
        Some(live_at.checked_add(SignedDuration::from_secs(grace)).unwrap_or(Timestamp::MAX))
    }

    /// Whether somebody still calls with the old key: it was used since the new one is live, and within the last `idle`.
    pub(crate) fn is_in_use(&self, last_used_at: Option<Timestamp>, idle: Age, now: Timestamp) -> bool {
        last_used_at.is_some_and(|used| self.live_at.is_none_or(|live| used > live) && used > idle.before(now))
    }
}
