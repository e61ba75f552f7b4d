//! How a run of a rotation ends, in words: what is so now, and what to type next.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Hands;
use super::perform::Tools;
use crate::exit::Exit;
use crate::failure::{Failure, meaning, quoted, whole_message};
use crate::http::HttpError;
use crate::model::rotation::{Record, Step, Stop, Successor, Trouble};
use crate::text;

/// A rotation that came to an end, or to where it waits for one.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) record: Record,
    pub(crate) how: How,
    /// The places that got the key in this run.
    pub(crate) written: Vec<String>,
    /// When the old key ends, where it was left to.
    pub(crate) old_end: Option<Timestamp>,
    /// Whether the old key is the one that asked.
    pub(crate) is_own: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Rotated,
    Waiting,
    Aborted,
    /// The journal is gone; a key that was made may be left.
    Forgotten,
}

/// What a stop means, with the line that goes on where there is more to do.
pub(super) fn of(
    stop: Stop,
    record: &Record,
    tools: Tools,
    hands: &Hands<'_, '_>,
    interrupted: Option<Exit>,
) -> anyhow::Result<Ended> {
    let Tools { written, old_end, cause, is_own, .. } = tools;
    let ended = |how| Ok(Ended { record: record.clone(), how, written, old_end: old_end.known(), is_own });
    let failure = match stop {
        Stop::Done => return ended(How::Rotated),
        Stop::Waiting => return ended(How::Waiting),
        Stop::Aborted => return ended(How::Aborted),
        Stop::Forgotten => return ended(How::Forgotten),
        Stop::Refused => return Err(refused(record, cause)),
        Stop::Failed(Trouble::Mint { .. }) if record.new.is_none() && is_taken(cause.as_ref()) => taken(record, hands),
        Stop::TooLate => {
            conflict(record, "the new key is live already, and is not taken back", "not_abortable").hint(format!(
                "retire the old key with: {}",
                line(record, if record.step == Step::Waiting { "finish" } else { "resume" })
            ))
        }
        Stop::NotLive => conflict(record, "the new key is not live yet, so that the old one has to stay", "not_live")
            .hint(format!("go on with: {}", line(record, "resume"))),
        Stop::InUse => in_use(record),
        Stop::Stale => stale(record, hands),
        Stop::Unseen => unseen(record),
        Stop::Stray(stray) => second(record, &stray, hands),
        Stop::Failed(trouble) => failed(trouble, record, cause, interrupted),
    };
    Err(failure.into())
}

/// The line that goes on with a rotation.
pub(super) fn line(record: &Record, verb: &str) -> String {
    format!("keys rotation {verb} {}", record.id)
}

/// A rotation for programs, as it stands beside the new key.
pub(crate) fn rotation_json(record: &Record) -> Value {
    json!({ "id": record.id, "old": record.old, "retirement": record.retirement })
}

/// A key of which a rotation is open, or under way in another process.
pub(crate) fn open_already(name: &str, record: Option<&Record>) -> Failure {
    let failure = |message: String| Failure::new(Exit::Conflict, "rotation_open", message);
    match record {
        None => failure(format!("another process is rotating the key {}", quoted(name)))
            .hint("wait for it to end; rotations that are not over are listed by: keys rotation list"),
        Some(record) if record.step == Step::Waiting => {
            failure(format!("the key {} was rotated, and is to be retired (rotation {})", quoted(name), record.id))
                .hint(format!("retire it with: {}", line(record, "finish")))
                .details(json!({ "rotation": record.id }))
        }
        Some(record) => failure(format!("a rotation of the key {} is open: {}", quoted(name), record.id))
            .hint(format!("go on with it: {}\nor take it back: {}", line(record, "resume"), line(record, "abort")))
            .details(json!({ "rotation": record.id, "resume": line(record, "resume") })),
    }
}

/// A rotation that another process ended.
pub(super) fn over(name: &str) -> Failure {
    let message = format!("the rotation of the key {} is over", quoted(name));
    Failure::new(Exit::NotFound, "no_such_rotation", message).hint("another process has ended it: keys rotation list")
}

/// A rotation that stopped between two steps because somebody wanted it to.
pub(super) fn interrupted(record: &Record, exit: Exit) -> Failure {
    let code = if exit == Exit::Interrupted { "interrupted" } else { "terminated" };
    resumable(record, exit, code, format!("{code}: {}", standing(record)))
}

fn conflict(record: &Record, message: &str, code: &'static str) -> Failure {
    let message = format!("{message} (rotation {} of the key {})", record.id, quoted(&record.old.name));
    Failure::new(Exit::Conflict, code, message).details(details(record))
}

fn in_use(record: &Record) -> Failure {
    let old = &record.old;
    let message = format!("the old key {} ({}) is still being used", quoted(&old.name), old.id);
    Failure::new(Exit::Conflict, "old_key_in_use", message)
        .hint(format!(
            "retire it once nobody uses it any longer: {}\nor all the same: {} --force",
            line(record, "finish"),
            line(record, "finish")
        ))
        .details(details(record))
}

/// Nothing was made, and the journal is gone.
fn refused(record: &Record, cause: Option<anyhow::Error>) -> anyhow::Error {
    let name = quoted(&record.old.name);
    let context = format!("could not rotate the key {name}; nothing was changed");
    if let Some(cause) = cause.as_ref().filter(|cause| is_taken(Some(cause))) {
        return Failure::new(Exit::Conflict, "duplicate_name", format!("{context}: {cause}"))
            .hint("choose another name with --name; without it, the next one that is free is taken")
            .into();
    }
    cause.map_or_else(|| anyhow::anyhow!(context.clone()), |cause| cause.context(context.clone()))
}

/// Whether another key has the name of the new one.
fn is_taken(cause: Option<&anyhow::Error>) -> bool {
    let refusal = cause.and_then(|cause| cause.downcast_ref::<HttpError>());
    refusal.is_some_and(|refusal| refusal.is("duplicate_name"))
}

/// The name is taken, perhaps by the key that an earlier run made, which the service no longer tells this one.
fn taken(record: &Record, hands: &Hands<'_, '_>) -> Failure {
    let message = format!(
        "there is a key {} already, and it is not known whether an earlier try made it; {}",
        quoted(&record.request.name),
        standing(record)
    );
    let list = format!("keys{} list --name {}", hands.reached.client.flags(), text::shell_word(&record.request.name));
    Failure::new(Exit::Conflict, "duplicate_name", message)
        .hint(format!(
            "look at it: {list}\nif nobody knows it, revoke it, and then: {}\n\
             or, if another key began this, go on as that one:\n  {}",
            line(record, "abort"),
            line(record, "resume")
        ))
        .details(details(record))
}

fn stale(record: &Record, hands: &Hands<'_, '_>) -> Failure {
    let message = format!(
        "it is not known whether the key {} was made, and too late to ask: the service keeps answers for a day",
        quoted(&record.request.name)
    );
    let list = format!("keys{} list --name {}", hands.reached.client.flags(), text::shell_word(&record.request.name));
    Failure::new(Exit::Unknown, "outcome_unknown", message)
        .hint(format!("look for a key that nobody knows, and revoke it: {list}\nthen: {}", line(record, "abort")))
        .details(details(record))
}

fn unseen(record: &Record) -> Failure {
    let id = record.new.as_ref().map_or("?", |new| new.id.as_str());
    let message =
        format!("the key {id} was made, and the service does not show its plaintext again; the old key is as it was");
    Failure::new(Exit::Unknown, "plaintext_lost", message)
        .hint(format!("revoke it with: {}\nthen rotate the key anew", line(record, "abort")))
        .details(details(record))
}

fn second(record: &Record, stray: &Successor, hands: &Hands<'_, '_>) -> Failure {
    let first = record.new.as_ref().map_or("?", |new| new.id.as_str());
    let message = format!("the service made a second key, {}, where it had made {first} before", stray.id);
    Failure::new(Exit::Conflict, "second_key", message)
        .hint(format!(
            "revoke it with: keys{} revoke {}\nthen: {}",
            hands.reached.client.flags(),
            stray.id,
            line(record, "abort")
        ))
        .details(details(record))
}

fn failed(trouble: Trouble, record: &Record, cause: Option<anyhow::Error>, interrupted: Option<Exit>) -> Failure {
    let cause = cause.unwrap_or_else(|| anyhow::anyhow!("the plaintext can no longer be read"));
    let (exit, hint) = meaning(&cause);
    let why = whole_message(&cause);
    let delivered = record.places.iter().all(|place| place.done);
    let (exit, code, what) = match trouble {
        Trouble::Mint { .. } if record.new.is_none() && is_unsure(&cause) => {
            (exit, "outcome_unknown", "it is not known whether the new key was made")
        }
        Trouble::Mint { .. } if record.new.is_none() => (exit, "not_made", "the new key could not be made"),
        Trouble::Mint { .. } | Trouble::Fetch => {
            (Exit::Undelivered, "not_delivered", "the plaintext of the new key could not be read")
        }
        Trouble::Keep => (Exit::Undelivered, "not_delivered", "the new key was made, and could not be kept safe"),
        Trouble::Deliver => (exit, "not_delivered", "the new key was made, and is not delivered"),
        Trouble::Verify => (exit, "not_verified", "the new key does not work"),
        Trouble::Check => (exit, "check_failed", "the check of the new key failed"),
        Trouble::Adopt => (Exit::Undelivered, "not_stored", "the new key could not be stored"),
        Trouble::Journal if record.new.is_none() => (exit, "journal_failed", "the journal could not be written"),
        Trouble::Journal if !delivered || record.step <= Step::Live => {
            (Exit::Undelivered, "journal_failed", "the new key was made, and the journal could not be written")
        }
        Trouble::Journal => (exit, "journal_failed", "the journal could not be written"),
        Trouble::Drop => (exit, "not_removed", "the new key is live, and its kept copy could not be removed"),
        Trouble::Retire => (exit, "not_retired", "the new key is live, and the old one could not be retired"),
        Trouble::Revoke => (exit, "not_aborted", "the new key could not be revoked"),
        Trouble::Look => (exit, "unknown_use", "it could not be found out whether the old key is still used"),
    };
    let verb = match trouble {
        Trouble::Revoke => "abort",
        Trouble::Look => "finish",
        _ => "resume",
    };
    let exit = interrupted.unwrap_or(exit);
    let message = format!("{what}: {why}; {}", standing(record));
    let mut failure = resumable(record, exit, code, message);
    if let (Some(hint), Some(line)) = (hint, &mut failure.hint) {
        *line = format!("{hint}\n{line}");
    }
    if verb != "resume" {
        failure.hint = failure.hint.map(|hint| hint.replace("keys rotation resume", &format!("keys rotation {verb}")));
    } else if matches!(trouble, Trouble::Verify | Trouble::Check | Trouble::Mint { .. } | Trouble::Deliver) {
        failure.hint = failure.hint.map(|hint| format!("{hint}\nor take it back: {}", line(record, "abort")));
    }
    failure
}

/// Whether what was asked for may have been done: also where somebody did not wait for the answer.
fn is_unsure(cause: &anyhow::Error) -> bool {
    meaning(cause).0 == Exit::Unknown || cause.downcast_ref::<HttpError>().is_some_and(HttpError::is_unsure)
}

/// What is so, whatever failed.
fn standing(record: &Record) -> String {
    match record.step {
        Step::Live | Step::Waiting => format!("the new key is live, and the old key {} works too", record.old.id),
        _ => format!("the old key {} is as it was", record.old.id),
    }
}

fn resumable(record: &Record, exit: Exit, code: &'static str, message: String) -> Failure {
    Failure::new(exit, code, message)
        .hint(format!("go on with:\n  {}", line(record, "resume")))
        .details(details(record))
}

fn details(record: &Record) -> Value {
    json!({
        "rotation": record.id,
        "step": record.step,
        "old": record.old.id,
        "new": record.new.as_ref().map(|new| &new.id),
        "resume": line(record, "resume"),
    })
}
