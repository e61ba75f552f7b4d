//! One step at a time, as it was decided: each does one thing, and says what came of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Hands;
use super::abort::revoke_new;
use super::interruptions::Interruptions;
use super::verify::{Unverified, until_accepted};
use crate::credential::Patience;
use crate::exit::{Exit, Explain as _};
use crate::failure::Failure;
use crate::files::PreparedFile;
use crate::handover::{self, Handed, Handover, Lost};
use crate::http::{HttpError, IdempotencyKey};
use crate::model::key::{Key, KeyChange, Setting};
use crate::model::lifetime::Age;
use crate::model::rotation::{Effect, Event, How, Record, State, Successor, Trouble};
use crate::model::secret::PlainKey;
use crate::output::key;
use crate::profiles::{Edit, Profile};
use crate::providers::client::{Client, Minted};
use crate::sink::Sinks;
use crate::system;

/// What the steps of one run need and leave to each other.
pub(super) struct Tools {
    /// Whether an earlier run began this.
    pub(super) resumed: bool,
    /// The way to each place that does not have the key yet.
    pub(super) handovers: Vec<Option<Handover>>,
    pub(super) check: Option<Sinks>,
    /// Room for the plaintext.
    pub(super) rescue: Option<PreparedFile>,
    /// When the old key ends, where it was read in this run.
    pub(super) old_end: OldEnd,
    /// Whether the old key is the one that asks.
    pub(super) is_own: bool,
    pub(super) idle: Option<Age>,
    /// The places that got the key in this run.
    pub(super) written: Vec<String>,
    /// Why the last step did not work.
    pub(super) cause: Option<anyhow::Error>,
    plain: Option<Arc<PlainKey>>,
    masked: bool,
    /// A client that calls with the new key.
    successor: Option<Client>,
}

/// When the old key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OldEnd {
    /// Nobody has asked in this run.
    Unread,
    Never,
    At(Timestamp),
}

impl OldEnd {
    pub(super) fn of(end: Option<Timestamp>) -> Self {
        end.map_or(Self::Never, Self::At)
    }

    pub(super) const fn known(self) -> Option<Timestamp> {
        match self {
            Self::At(end) => Some(end),
            Self::Unread | Self::Never => None,
        }
    }
}

impl Tools {
    pub(super) const fn new(resumed: bool) -> Self {
        Self {
            resumed,
            handovers: Vec::new(),
            check: None,
            rescue: None,
            old_end: OldEnd::Unread,
            is_own: false,
            idle: None,
            written: Vec::new(),
            cause: None,
            plain: None,
            masked: false,
            successor: None,
        }
    }

    pub(super) async fn perform(
        &mut self,
        effect: &Effect,
        state: &State,
        hands: &Hands<'_, '_>,
        interruptions: &mut Interruptions,
    ) -> Event {
        let record = &state.record;
        let (trouble, done) = match effect {
            Effect::Mint => return self.mint(record, hands).await,
            Effect::LookAtUse => return self.look(record, hands).await,
            Effect::Keep => return self.keep(record, hands).await,
            Effect::Record => (Trouble::Journal, written(record, hands).await),
            Effect::Remove => (Trouble::Journal, removed(record, hands).await),
            Effect::Fetch => (Trouble::Fetch, self.fetch(record, hands).await),
            Effect::Deliver(place) => (Trouble::Deliver, self.deliver(*place, record, hands).await),
            Effect::Verify => (Trouble::Verify, self.verify(record, hands, interruptions).await),
            Effect::Check => (Trouble::Check, self.check(hands).await),
            Effect::Adopt => (Trouble::Adopt, self.adopt(record, hands)),
            Effect::Drop => (Trouble::Drop, self.drop_kept(record, hands).await),
            Effect::Retire(how) => (Trouble::Retire, self.retire(*how, record, hands).await),
            Effect::RevokeNew => (Trouble::Revoke, revoke_new(record, hands).await),
            Effect::Stop(_) => (Trouble::Journal, Err(anyhow!("there is nothing to do"))),
        };
        match done {
            Ok(event) => event,
            Err(error) => self.failed(trouble, error),
        }
    }

    fn failed(&mut self, trouble: Trouble, cause: anyhow::Error) -> Event {
        self.cause = Some(cause);
        Event::Failed(trouble)
    }

    async fn mint(&mut self, record: &Record, hands: &Hands<'_, '_>) -> Event {
        let once: Result<IdempotencyKey, _> = record.idempotency_key.parse();
        let (Some(new), Ok(once)) = (record.request.to_new_key(), once) else {
            let error = anyhow!("the journal of the rotation {} holds no request", record.id);
            return self.failed(Trouble::Mint { nothing_made: false }, error);
        };
        match hands.reached.client.mint(&new, &once).await {
            Ok(Minted::Issued(issued)) => {
                self.plain = Some(Arc::new(issued.plain));
                Event::Minted(successor(&issued.key))
            }
            Ok(Minted::Unseen(key)) => Event::MintedUnseen(successor(&key)),
            Err(error) => {
                let nothing_made = self.says_that_nothing_was_made(&error);
                self.failed(Trouble::Mint { nothing_made }, anyhow::Error::new(error))
            }
        }
    }

    /// Where the same request may have been carried out earlier, only what the service says of the request itself counts:
    /// it says it after having looked for the original answer.
    fn says_that_nothing_was_made(&self, error: &HttpError) -> bool {
        let of_the_request = matches!(error, HttpError::Refused { status: 400 | 422, .. });
        !error.is_unsure() && (!self.resumed || of_the_request || error.is("idempotency_conflict"))
    }

    async fn keep(&mut self, record: &Record, hands: &Hands<'_, '_>) -> Event {
        let (escrow, rescue, id, plain) = (hands.escrow.clone(), self.rescue.take(), record.id.clone(), self.plain());
        match hands.waiting(move || Ok(escrow.keep(rescue, &id, plain?.as_ref())?)).await {
            Ok(kept) => Event::Kept(kept),
            Err(error) => self.failed(Trouble::Keep, error),
        }
    }

    async fn fetch(&mut self, record: &Record, hands: &Hands<'_, '_>) -> anyhow::Result<Event> {
        let (escrow, id, kept) = (hands.escrow.clone(), record.id.clone(), record.kept.context("nothing was kept")?);
        self.plain = Some(Arc::new(hands.waiting(move || Ok(escrow.fetch(&id, kept)?)).await?));
        Ok(Event::Fetched)
    }

    fn plain(&self) -> anyhow::Result<Arc<PlainKey>> {
        self.plain.clone().context("the plaintext is not at hand")
    }

    async fn deliver(&mut self, number: usize, record: &Record, hands: &Hands<'_, '_>) -> anyhow::Result<Event> {
        let plain = self.masked_plain(hands)?;
        let new = record.new.as_ref().context("there is no new key")?;
        let way = self.handovers.get_mut(number).and_then(Option::take).context("the place was not made ready")?;
        let on_standard_output = record.places[number].to.as_deref().is_none_or(|to| to == "stdout");
        if way.is_empty() {
            print_object(record, new, &plain, hands)?;
        } else if on_standard_output {
            let handed = Handed { name: &new.name, prefix: &new.prefix, plain: &plain, record: &new.described };
            let mut terminal = hands.terminal.borrow_mut();
            let done = way.hand(handed, &mut terminal).map_err(undelivered)?;
            terminal.flush().map_err(|error| undelivered(Lost::new(&[], error.to_string())))?;
            self.written.extend(done);
        } else {
            let sinks = way.into_sinks().context("the place is none")?;
            self.written.extend(apart(sinks, plain, new.described.clone()).await?);
        }
        Ok(Event::Delivered(number))
    }

    /// The plaintext, for what may print it: the runner of GitHub Actions hears of it first.
    fn masked_plain(&mut self, hands: &Hands<'_, '_>) -> anyhow::Result<Arc<PlainKey>> {
        let plain = self.plain()?;
        if !self.masked {
            handover::mask(&plain, hands.circumstances, &mut hands.terminal.borrow_mut()).map_err(undelivered)?;
            self.masked = true;
        }
        Ok(plain)
    }

    async fn verify(
        &mut self,
        record: &Record,
        hands: &Hands<'_, '_>,
        interruptions: &mut Interruptions,
    ) -> anyhow::Result<Event> {
        let new = record.new.as_ref().context("there is no new key")?;
        let client = hands.reached.as_key(self.plain()?.as_ref())?;
        let limit = Duration::from_secs(record.verify_seconds.unsigned_abs());
        let failed = |exit, what: String| Failure::new(exit, "not_verified", what);
        until_accepted(&client, new, limit, interruptions).await.map_err(|unverified| match unverified {
            Unverified::Refused(error) => failed(Exit::CheckFailed, format!("the service does not let it in: {error}")),
            Unverified::Mistaken => failed(Exit::CheckFailed, "the service takes it for another key".to_owned()),
            Unverified::Interrupted(exit) => failed(exit, "interrupted".to_owned()),
        })?;
        self.successor = Some(client);
        Ok(Event::Accepted)
    }

    async fn check(&mut self, hands: &Hands<'_, '_>) -> anyhow::Result<Event> {
        let plain = self.masked_plain(hands)?;
        let command = self.check.take().context("the check was not made ready")?;
        let ran = tokio::task::spawn_blocking(move || command.deliver(&plain, &Value::Null, &mut io::sink())).await?;
        ran.map_err(|failed| Failure::new(Exit::CheckFailed, "check_failed", failed.cause.reason()))?;
        Ok(Event::Checked)
    }

    fn adopt(&self, record: &Record, hands: &Hands<'_, '_>) -> anyhow::Result<Event> {
        let new = record.new.as_ref().context("there is no new key")?;
        let (store, profile) = hands.stored().context("there is no stored credential")?;
        store.set(self.plain()?.as_ref(), Patience::Brief)?;
        // What is remembered of the credential is a convenience: where it cannot be written, `whoami` learns it later.
        if let Some(directory) = &hands.configuration {
            let end = new.described["expires_at"].as_str().and_then(|end| end.parse().ok());
            let learned = Profile { key_prefix: Some(new.prefix.clone()), expires_at: end, ..profile };
            if let Ok(mut edit) = Edit::start(directory) {
                edit.put(&learned);
                edit.commit().ok();
            }
        }
        Ok(Event::Adopted)
    }

    async fn drop_kept(&self, record: &Record, hands: &Hands<'_, '_>) -> anyhow::Result<Event> {
        if record.keeps {
            let (escrow, id, kept, resumed) = (hands.escrow.clone(), record.id.clone(), record.kept, self.resumed);
            hands.waiting(move || Ok(escrow.drop(&id, kept, resumed)?)).await?;
        }
        Ok(Event::Dropped)
    }

    async fn retire(&mut self, how: How, record: &Record, hands: &Hands<'_, '_>) -> anyhow::Result<Event> {
        // A key cannot ask for anything once it is revoked: where the old key is the one that asks, the new one does.
        let successor = self.successor.as_ref().filter(|_| self.is_own);
        let client = successor.unwrap_or(&hands.reached.client);
        let retired = match how {
            How::Revoke => revoke_old(client, record).await,
            How::EndAfter(seconds) => {
                let known = self.old_end;
                let end = end_old(client, record, seconds, known).await;
                end.map(|end| self.old_end = OldEnd::of(end))
            }
        };
        match retired {
            Ok(()) => Ok(Event::Retired),
            // It revoked itself when it was asked before, and the answer was lost.
            Err(error) if error.is("revoked_key") && self.is_caller(record, hands) => Ok(Event::Retired),
            Err(error) if error.is("validation_error") && matches!(how, How::EndAfter(_)) => {
                Err(Failure::new(Exit::Usage, "invalid_expiry", error.to_string())
                    .hint("compare the clock of this machine with that of the service")
                    .into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the old key is the one that asks: as it looks, or as it was when the rotation began.
    fn is_caller(&self, record: &Record, hands: &Hands<'_, '_>) -> bool {
        hands.reached.may_be_caller(&record.old.prefix).unwrap_or(self.is_own)
    }

    async fn look(&mut self, record: &Record, hands: &Hands<'_, '_>) -> Event {
        let idle = self.idle.or_else(|| Age::from_seconds(86_400));
        match (hands.reached.client.show(&record.old.id).await, idle) {
            (Ok(Some(old)), Some(idle)) if record.is_in_use(old.last_used_at, idle, system::now()) => Event::FoundInUse,
            (Ok(_), _) => Event::FoundIdle,
            (Err(error), _) => self.failed(Trouble::Look, error.into()),
        }
    }
}

fn successor(key: &Key) -> Successor {
    let described = key::json(key, system::now());
    Successor { id: key.id.clone(), name: key.name.clone(), prefix: key.prefix.clone(), described }
}

pub(super) async fn written(record: &Record, hands: &Hands<'_, '_>) -> anyhow::Result<Event> {
    let (journal, record) = (hands.journal.clone(), record.clone());
    hands.waiting(move || Ok(journal.write(&record)?)).await?;
    Ok(Event::Recorded)
}

async fn removed(record: &Record, hands: &Hands<'_, '_>) -> anyhow::Result<Event> {
    let (journal, id) = (hands.journal.clone(), record.id.clone());
    hands.waiting(move || Ok(journal.remove(&id)?)).await?;
    Ok(Event::Removed)
}

/// A delivery that others need not wait for: a command may take its time.
async fn apart(sinks: Sinks, plain: Arc<PlainKey>, described: Value) -> anyhow::Result<Vec<String>> {
    let delivered = tokio::task::spawn_blocking(move || sinks.deliver(&plain, &described, &mut io::sink())).await?;
    delivered.map_err(|failed| {
        let hint = failed.cause.hint();
        let failure = Failure::new(Exit::Undelivered, "not_delivered", failed.cause.to_string());
        Failure { hint, ..failure }.into()
    })
}

/// The object that describes the new key, with its plaintext.
fn print_object(record: &Record, new: &Successor, plain: &PlainKey, hands: &Hands<'_, '_>) -> anyhow::Result<()> {
    let mut object = new.described.clone();
    object["rotation"] = super::rotation_json(record);
    object["secret"] = Value::String(plain.expose().to_owned());
    let mut terminal = hands.terminal.borrow_mut();
    let printed = hands.output.object(&mut terminal, object, |_| Ok(()));
    printed.map_err(|error| undelivered(Lost::new(&[], format!("{:#}", anyhow::Error::new(error)))))?;
    Ok(())
}

fn undelivered(lost: Lost) -> anyhow::Error {
    let code = lost.code();
    Failure::new(lost.exit, code, lost.what).into()
}

/// Revokes the old key. One that is gone is retired.
async fn revoke_old(client: &Client, record: &Record) -> Result<(), HttpError> {
    let reason = if record.compromised { "compromised" } else { "rotated" };
    let once = IdempotencyKey::fresh(&mut system::random);
    match client.revoke(&record.old.id, Some(reason), &once).await {
        Err(error) if !error.is("not_found") => Err(error),
        _ => Ok(()),
    }
}

/// Lets the old key end after a grace, counted from now so that nobody gets less than was said; never later than it ends
/// anyway. Returns when it does.
async fn end_old(
    client: &Client,
    record: &Record,
    seconds: i64,
    known: OldEnd,
) -> Result<Option<Timestamp>, HttpError> {
    let before = match known {
        OldEnd::Never => None,
        OldEnd::At(end) => Some(end),
        OldEnd::Unread => match client.show(&record.old.id).await? {
            Some(old) if old.revoked_at.is_none() => old.expires_at,
            _ => return Ok(None),
        },
    };
    // Whole seconds, rounded up: a grace of a second is not over already.
    let grace = SignedDuration::from_secs(seconds.saturating_add(1));
    let end = system::now().checked_add(grace).unwrap_or(Timestamp::MAX);
    let end = Timestamp::from_second(end.as_second()).unwrap_or(end);
    if before.is_some_and(|before| before <= end) {
        return Ok(before);
    }
    let change = KeyChange { expires_at: Some(Setting::To(end)), ..KeyChange::default() };
    let once = IdempotencyKey::fresh(&mut system::random);
    match client.edit(&record.old.id, &change, &once).await {
        Err(error) if !error.is("not_found") => Err(error),
        _ => Ok(Some(end)),
    }
}
