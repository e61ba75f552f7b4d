//! The same request again gets the original answer for 24 hours, plaintext included.
//!
//! That answer is the one place where a plaintext waits on the server's side. It is sealed by an AEAD whose key is derived
//! from the *caller's own presented secret*, of which the database holds only a hash: a stolen database opens nothing.
//! The record is made in the transaction that makes the change, so a crash leaves both or neither.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::store::{StoredAnswer, Write};
use super::{Caller, Refusal, Service, StoreError};
use crate::model::key::KeyId;
use crate::model::secret::{hex, unhex};
use crate::model::state::State;

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What makes a request the same as another one.
#[derive(Debug, Clone)]
pub(crate) struct Once {
    /// The Idempotency-Key, unquoted.
    pub(crate) key: String,
    pub(crate) method: String,
    /// The path, ids included.
    pub(crate) route: String,
    /// The body's bytes.
    pub(crate) body: Vec<u8>,
}

/// A change somebody asks for: who, which request makes it the same as another one, and when.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) once: Option<&'a Once>,
    pub(crate) now: Timestamp,
}

/// An answer in the form of its provider's wire.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// Whether this is the original answer to an earlier request.
    pub(crate) replayed: bool,
}

impl Answer {
    pub(crate) fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, body: Zeroizing::new(body), replayed: false }
    }
}

/// A change that may begin, or the answer it had when it was made before.
pub(super) enum Begun {
    Fresh(Box<Change>),
    Replay(Answer),
}

/// A change under way: its transaction, and what to keep its answer under.
pub(super) struct Change {
    pub(super) write: Write,
    record: Option<Record>,
}

impl Change {
    /// A change that no request can repeat.
    pub(super) const fn unrepeatable(write: Write) -> Self {
        Self { write, record: None }
    }
}

struct Record {
    lookup: String,
    fingerprint: String,
    /// Gone from the set when the change ends, however it ends.
    _in_flight: InFlight,
}

impl Service {
    /// Begins a change to keys, or finds the answer that the same request already had: for callers who may manage keys.
    pub(super) async fn begin(&self, ask: Ask<'_>) -> Result<Begun, Refusal> {
        self.begin_as(ask, Caller::may_manage).await
    }

    /// Begins a change that the caller may make, as it is now and as it is once its turn has come.
    pub(super) async fn begin_as(
        &self,
        ask: Ask<'_>,
        may: fn(&Caller) -> Result<(), Refusal>,
    ) -> Result<Begun, Refusal> {
        let Ask { caller, once, now } = ask;
        may(caller)?;
        let Some(once) = once else {
            return Ok(Begun::Fresh(Box::new(Change::unrepeatable(self.locked(caller, may, now).await?))));
        };
        let lookup = lookup(caller, once);
        let in_flight = InFlight::enter(&self.in_flight, &lookup).ok_or(Refusal::IdempotencyInProgress)?;
        let fingerprint = hex(&Sha256::digest(&once.body));
        let mut write = self.locked(caller, may, now).await?;
        let Some(stored) = write.find_answer(&lookup).await? else {
            let record = Some(Record { lookup, fingerprint, _in_flight: in_flight });
            return Ok(Begun::Fresh(Box::new(Change { write, record })));
        };
        let key = match &stored.key_id {
            Some(id) => Some(write.find_key(id).await?),
            None => None,
        };
        write.give_up().await?;
        if stored.fingerprint != fingerprint {
            return Err(Refusal::IdempotencyConflict);
        }
        // A dead secret must not be handed out as if it lived.
        if key.is_some_and(|key| key.is_none_or(|key| key.state(now) != State::Active)) {
            return Err(Refusal::IdempotencyOutlived);
        }
        let answer = unseal(caller.sealing(), &lookup, &stored).ok_or(Refusal::IdempotencyConflict)?;
        // The first attempt may have been cut short while it waited for the other replicas.
        self.catch_up().await?;
        Ok(Begun::Replay(answer))
    }

    /// Takes the workspace's lock, looks at the caller once more (it may have been revoked while it waited), and drops the
    /// answers that have been kept long enough.
    async fn locked(
        &self,
        caller: &Caller,
        may: fn(&Caller) -> Result<(), Refusal>,
        now: Timestamp,
    ) -> Result<Write, Refusal> {
        let mut write = self.store.write(&caller.workspace().id).await?;
        if !caller.is_operator() {
            let key = write.find_key(caller.actor().0).await?;
            let may = key.ok_or(Refusal::InvalidKey).and_then(|key| may(&caller.as_it_is_now(&key, now)?));
            if let Err(refusal) = may {
                write.give_up().await?;
                return Err(refusal);
            }
        }
        write.purge_answers(oldest_kept(now)).await?;
        Ok(write)
    }

    /// Drops the answers that have been kept long enough, also of workspaces in which nothing changes any more.
    pub(super) async fn purge_answers(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store.purge_answers(oldest_kept(now)).await
    }

    /// Ends a change: keeps its answer for replay where it carries an Idempotency-Key, and commits. `made` names the key
    /// whose plaintext the answer holds.
    pub(super) async fn finish(
        &self,
        ask: Ask<'_>,
        change: Change,
        outcome: Result<Answer, Refusal>,
        made: Option<&KeyId>,
    ) -> Result<Answer, Refusal> {
        let Ask { caller, now, .. } = ask;
        let Change { mut write, record } = change;
        let answer = match outcome {
            Ok(answer) => answer,
            Err(refusal) => {
                write.give_up().await?;
                return Err(refusal);
            }
        };
        if let Some(record) = &record {
            let mut salt = [0_u8; 32];
            let mut nonce = [0_u8; 24];
            (self.random)(&mut salt);
            (self.random)(&mut nonce);
            let mut stored = StoredAnswer {
                fingerprint: record.fingerprint.clone(),
                key_id: made.map(|id| id.as_str().to_owned()),
                salt: hex(&salt),
                nonce: hex(&nonce),
                sealed: String::new(),
                created_at: now.as_microsecond(),
            };
            stored.sealed = seal(caller.sealing(), &record.lookup, &stored, &answer)
                .ok_or_else(|| StoreError::Corrupt { what: "an answer that cannot be sealed".to_owned() })?;
            write.keep_answer(&record.lookup, &stored).await?;
        }
        let changes = write.commit().await?;
        self.settle(&changes).await?;
        Ok(answer)
    }
}

/// Answers made by then are kept no longer.
fn oldest_kept(now: Timestamp) -> Timestamp {
    now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN)
}

/// SHA-256 over what makes a request the same, each part with its length in front. Another key of the same workspace has
/// another look-up, so it cannot replay.
fn lookup(caller: &Caller, once: &Once) -> String {
    let mut digest = Sha256::new();
    for part in [&caller.workspace().id, caller.actor().0, &once.method, &once.route, &once.key] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    hex(&digest.finalize())
}

fn cipher(secret: &[u8], salt: &[u8]) -> Option<XChaCha20Poly1305> {
    let mut key = Zeroizing::new([0_u8; 32]);
    Hkdf::<Sha256>::new(Some(salt), secret).expand(b"keys idempotency answer v1", &mut key[..]).ok()?;
    XChaCha20Poly1305::new_from_slice(&key[..]).ok()
}

/// What an answer is bound to besides its key: moved to another request, another key or another time, it does not open.
fn context(lookup: &str, stored: &StoredAnswer) -> String {
    let key_id = stored.key_id.as_deref().unwrap_or("");
    format!("{lookup}|{}|{key_id}|{}", stored.fingerprint, stored.created_at)
}

fn seal(secret: &[u8], lookup: &str, stored: &StoredAnswer, answer: &Answer) -> Option<String> {
    let mut plain = Zeroizing::new(answer.status.to_be_bytes().to_vec());
    plain.extend_from_slice(&answer.body);
    let aad = context(lookup, stored);
    let nonce = XNonce::try_from(unhex(&stored.nonce)?.as_slice()).ok()?;
    let sealed = cipher(secret, &unhex(&stored.salt)?)?.encrypt(&nonce, Payload { msg: &plain, aad: aad.as_bytes() });
    sealed.ok().map(|sealed| hex(&sealed))
}

fn unseal(secret: &[u8], lookup: &str, stored: &StoredAnswer) -> Option<Answer> {
    let aad = context(lookup, stored);
    let nonce = XNonce::try_from(unhex(&stored.nonce)?.as_slice()).ok()?;
    let sealed = unhex(&stored.sealed)?;
    let plain = cipher(secret, &unhex(&stored.salt)?)?.decrypt(&nonce, Payload { msg: &sealed, aad: aad.as_bytes() });
    let plain = Zeroizing::new(plain.ok()?);
    let (status, body) = plain.split_at_checked(2)?;
    Some(Answer {
        status: u16::from_be_bytes(status.try_into().ok()?),
        body: Zeroizing::new(body.to_vec()),
        replayed: true,
    })
}

/// The presence of a request in the set of those under way.
struct InFlight {
    set: Arc<Mutex<HashSet<String>>>,
    lookup: String,
}

impl InFlight {
    fn enter(set: &Arc<Mutex<HashSet<String>>>, lookup: &str) -> Option<Self> {
        let fresh = set.lock().unwrap_or_else(PoisonError::into_inner).insert(lookup.to_owned());
        fresh.then(|| Self { set: Arc::clone(set), lookup: lookup.to_owned() })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.lookup);
    }
}
