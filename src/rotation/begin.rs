//! Before the first step: what is to be copied is read, every place is prepared, and nobody else works on the key.

use jiff::Timestamp;
use serde_json::Value;

use super::Hands;
use super::drive::Run;
use super::outcome::open_already;
use super::perform::{OldEnd, Tools};
use super::ways::{handovers, places, prepared_check};
use crate::credential::Patience;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::files::PassingLock;
use crate::handover::{Handover, refuse_filtered_out};
use crate::http::{self, IdempotencyKey};
use crate::model::key::{Key, KeyName};
use crate::model::lifetime::Age;
use crate::model::rotation::{Naming, Old, Record, Request, Retirement, State, Step, successor_name};
use crate::model::secret::hex;
use crate::model::state;
use crate::output::key;
use crate::providers::Management;
use crate::sink::SinkSpec;
use crate::system;

/// How a key is to be rotated.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    pub(crate) to: Vec<SinkSpec>,
    pub(crate) grace: Option<Age>,
    pub(crate) check: Option<String>,
    pub(crate) verify: Age,
    pub(crate) compromised: bool,
    pub(crate) name: Option<KeyName>,
    /// Whether the plaintext is kept until it is delivered.
    pub(crate) keeps: bool,
}

/// Everything that can refuse does it here; the journal is open. Nothing has happened when this returns, and nothing is left if it fails.
pub(crate) async fn begin(old: &Key, wishes: &Wishes, hands: &Hands<'_, '_>) -> anyhow::Result<Run> {
    let lock = alone(old, hands)?;
    let is_own = is_own(old, wishes, hands).await?;
    if (is_own || old.role().is_some())
        && let Management::Role { role, .. } = hands.reached.rules.management
    {
        let role = old.role().unwrap_or(role);
        let title = hands.reached.rules.title;
        let message = format!(
            "{title} keys never manage keys: what is made in the place of {}, a member's credential, would not either",
            quoted(&old.name)
        );
        return Err(Failure::new(Exit::Forbidden, "not_offered", message)
            .hint(format!(
                "add the member anew (keys serve member add --workspace WORKSPACE --name NAME --role {role}), and then \
                 revoke this key"
            ))
            .into());
    }
    let record = planned(old, wishes, is_own, hands).await?;
    let mut tools = Tools::new(false);
    if !record.places.is_empty() {
        tools.handovers = handovers(&wishes.to, hands).await?.into_iter().map(Some).collect();
    }
    if tools.handovers.iter().flatten().any(Handover::is_empty) {
        let mut sample = key::json(old, system::now());
        sample["rotation"] = super::rotation_json(&record);
        refuse_filtered_out(sample, hands.output)?;
    }
    tools.check = prepared_check(record.check.as_deref(), hands)?;
    if record.keeps {
        let (escrow, id) = (hands.escrow.clone(), record.id.clone());
        tools.rescue = Some(hands.waiting(move || Ok(escrow.prepare(&id)?)).await?);
    }
    if record.is_stored_credential
        && let Some((store, _)) = hands.stored()
    {
        store.check(Patience::Brief)?;
    }
    tools.old_end = OldEnd::of(old.expires_at);
    tools.is_own = is_own;
    Ok(Run::new(State::fresh(record), lock, tools))
}

/// The right to rotate a key of which no rotation is open.
fn alone(old: &Key, hands: &Hands<'_, '_>) -> anyhow::Result<PassingLock> {
    let service = hands.service();
    let refused = |record: Option<&Record>| open_already(&old.name, record);
    let open = |record: &Record| {
        let is_new = record.may_have_made(old) && record.live_at.is_none();
        hands.reach_that_of(record) && (record.old.id == old.id || is_new)
    };
    let lock = hands.journal.lock(&service, &old.id)?;
    let records = hands.journal.readable()?;
    match (lock, records.iter().find(|record| open(record))) {
        (Some(lock), None) => Ok(lock),
        (_, record) => Err(refused(record).into()),
    }
}

/// The record of a rotation that has not begun.
async fn planned(old: &Key, wishes: &Wishes, is_own: bool, hands: &Hands<'_, '_>) -> anyhow::Result<Record> {
    if old.revoked_at.is_some() {
        let message = format!("the key {} is revoked, and nobody uses it", quoted(&old.name));
        return Err(Failure::new(Exit::Conflict, "revoked_key", message)
            .hint(format!(
                "switch it on again with: keys{} reactivate {}; or make a new one with: keys create",
                hands.reached.client.flags(),
                old.id
            ))
            .into());
    }
    let (rules, now) = (hands.reached.rules, system::now());
    let naming = rules.rotation.naming;
    let name = if let Some(name) = &wishes.name {
        name.as_str().to_owned()
    } else {
        let taken = if naming == Naming::Dated { hands.reached.client.every().await? } else { Vec::new() };
        let taken: Vec<String> = taken.into_iter().map(|key| key.name).collect();
        successor_name(&old.name, naming, &taken, rules.longest_name, now).map_err(|error| {
            Failure::new(Exit::Usage, "invalid_name", format!("there is no name for the new key: {error}"))
                .hint("choose one with --name")
        })?
    };
    let takes_over = naming == Naming::TakenOver && name == old.name;
    let mut request = Request::like(old, name, takes_over);
    if let Ok(asked) = request.lifetime.parse() {
        request.lifetime = rules.taken(asked, now).to_string();
    }
    let is_stored = is_own && hands.reached.stored.is_some();
    if is_stored && !wishes.keeps {
        let message = "the key that this program is logged in with is kept until its successor is stored";
        return Err(Failure::new(Exit::Usage, "own_key_is_kept", message).hint("leave out --no-escrow").into());
    }
    let mut id = [0_u8; 8];
    system::random(&mut id);
    Ok(Record {
        version: Record::VERSION,
        id: format!("rot_{}", hex(&id)),
        begun_at: whole(now),
        service: hands.service(),
        caller: hands.reached.caller.clone(),
        request,
        old: Old { id: old.id.clone(), name: old.name.clone(), prefix: old.prefix.clone() },
        idempotency_key: IdempotencyKey::fresh(&mut system::random).as_str().to_owned(),
        places: places(&wishes.to, is_stored),
        directory: std::env::current_dir().ok(),
        check: wishes.check.clone(),
        verify_seconds: wishes.verify.seconds(),
        retirement: Retirement::planned(wishes.grace, &rules.rotation),
        compromised: wishes.compromised,
        keeps: wishes.keeps,
        is_own,
        is_stored_credential: is_stored,
        step: Step::Intended,
        new: None,
        kept: None,
        live_at: None,
    })
}

/// Whether this is the key that asks. Its shown part tells most; the service has the last word. A service that has none
/// leaves it to what is known of its keys: where several could be the one, the old key must not be retired by itself.
async fn is_own(old: &Key, wishes: &Wishes, hands: &Hands<'_, '_>) -> anyhow::Result<bool> {
    if hands.reached.is_local() || hands.reached.may_be_caller(&old.prefix) == Some(false) {
        return Ok(false);
    }
    let whoami = hands.reached.client.whoami().await?;
    if whoami.tells_key {
        return Ok(whoami.key.is_some_and(|key| key.id == old.id));
    }
    let (rules, now) = (hands.reached.rules, system::now());
    if !rules.management.could_be_held_by(old) {
        return Ok(false);
    }
    let keys = hands.reached.client.every().await?;
    let managing =
        keys.iter().filter(|key| key.state(now) == state::State::Active && rules.management.could_be_held_by(key));
    if managing.count() < 2 {
        return Ok(true);
    }
    if wishes.grace.is_some() {
        return Ok(false);
    }
    let message = format!(
        "{} does not tell which key asks, and {} could be the one: once it is retired, nothing more could be asked with it",
        rules.title,
        quoted(&old.name)
    );
    Err(Failure::new(Exit::Conflict, "may_be_own_key", message)
        .hint("rotate it with --grace, log in with the new key, and then retire the old one: keys rotation finish")
        .into())
}

/// What a rotation would do.
pub(crate) struct Preview {
    pub(crate) record: Record,
    pub(crate) request: http::Preview,
}

impl Preview {
    pub(crate) fn json(&self) -> Value {
        let headers =
            self.request.headers.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
        serde_json::json!({
            "old": self.record.old,
            "request": {
                "method": self.request.method,
                "url": self.request.url,
                "headers": headers.collect::<serde_json::Map<_, _>>(),
                "body": self.request.body,
            },
            "places": self.record.places.iter().map(|place| &place.to).collect::<Vec<_>>(),
            "stored_credential": self.record.is_stored_credential,
            "check": self.record.check,
            "verify_seconds": self.record.verify_seconds,
            "retirement": self.record.retirement,
        })
    }
}

/// What [`begin`] would begin. Only reads.
pub(crate) async fn preview(old: &Key, wishes: &Wishes, hands: &Hands<'_, '_>) -> anyhow::Result<Preview> {
    let record = planned(old, wishes, is_own(old, wishes, hands).await?, hands).await?;
    let problem = || Failure::new(Exit::Usage, "invalid_name", "the new key could not be described");
    let new = record.request.to_new_key().ok_or_else(problem)?;
    let once = record.idempotency_key.parse().map_err(|_| problem())?;
    Ok(Preview { request: hands.reached.client.preview_create(&new, &once), record })
}

fn whole(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}
