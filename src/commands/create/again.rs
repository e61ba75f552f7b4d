//! The same create once more: the line that sends it, the note of it, and who must not send it.

use super::{Args, IfExists, JOBS};
use crate::begun::{Begun, Note};
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::http::IdempotencyKey;
use crate::model::key::KeyName;
use crate::model::lifetime::Lifetime;
use crate::model::tier::Tier;
use crate::reach::Reached;
use crate::sink::SinkSpec;
use crate::{system, text};

impl Args {
    /// The same, said in any directory.
    pub(super) fn elsewhere(&self) -> Self {
        let names = self.names.as_ref().map(|names| std::path::absolute(names).unwrap_or_else(|_| names.clone()));
        Self { names, to: self.to.iter().cloned().map(SinkSpec::absolute).collect(), ..self.clone() }
    }
}

/// What is noted of a create before it is sent.
pub(super) fn note(
    args: &Args,
    what: &str,
    once: &IdempotencyKey,
    reached: &Reached,
    (resume, look): (String, String),
) -> Note {
    let runs = args.to.iter().any(|sink| matches!(sink, SinkSpec::Command(_)));
    Note {
        what: what.to_owned(),
        host: reached.client.host(),
        once: once.as_str().to_owned(),
        caller: reached.caller.clone(),
        begun_at: system::now(),
        directory: std::path::absolute(".").ok().filter(|_| runs),
        resume,
        look,
    }
}

/// The service goes by the key that asks: for another one, the same request is a new one.
pub(super) fn refuse_another_caller(begun: &Begun, once: &IdempotencyKey, reached: &Reached) -> Result<(), Failure> {
    let (Some(note), Some(now)) = (begun.by_another(once, reached.caller.as_deref()), &reached.caller) else {
        return Ok(());
    };
    let then = note.caller.unwrap_or_default();
    let message = format!(
        "the create of {} was begun with the key {then}…, and this is {now}…: asked by it, the service might make a \
         second key",
        quoted(&note.what)
    );
    Err(Failure::new(Exit::Conflict, "other_caller", message)
        .hint(format!("go on with the key {then}…: KEYS_API_KEY=… {}", note.resume)))
}

/// The command that sends the same request again.
pub(super) fn resume_line(
    args: &Args,
    name: Option<&KeyName>,
    lifetime: Lifetime,
    idempotency_key: &IdempotencyKey,
    flags: &str,
) -> String {
    let mut line = format!("keys{flags} create");
    let mut add = |option: &str, value: &str| {
        line.push_str(&text::option(option, value));
    };
    if let Some(name) = name {
        add("--name", name.as_str());
    }
    if let Some(names) = &args.names {
        add("--names", &names.to_string_lossy());
    }
    if args.jobs != JOBS {
        add("--jobs", &args.jobs.to_string());
    }
    for permission in &args.permissions {
        add("--perm", permission);
    }
    if let Some(description) = &args.description {
        add("--description", description);
    }
    if args.tier != Tier::Standard {
        add("--tier", args.tier.as_str());
    }
    if lifetime != Lifetime::Never {
        add("--expires", &lifetime.to_string());
    }
    for sink in &args.to {
        add("--to", &sink.to_string());
    }
    if args.names.is_some() && args.if_exists == IfExists::Skip {
        add("--if-exists", "skip");
    }
    add("--idempotency-key", idempotency_key.as_str());
    if args.temp {
        line.push_str(" --temp");
    }
    line
}
