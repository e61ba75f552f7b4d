//! A key that `keys serve` issues by itself, without a caller: how it is handed over, and what becomes of it where that fails.

use jiff::Timestamp;

use crate::config::Environment;
use crate::failure::{Failure, quoted};
use crate::handover::{Handover, Lost};
use crate::model::key::IssuedKey;
use crate::output;
use crate::service::Service;
use crate::sink::SinkSpec;
use crate::terminal::Terminal;
use crate::text;

/// The places a key goes to, prepared before it is made.
pub(super) fn prepare(to: &[SinkSpec], environment: &Environment, terminal: &mut Terminal) -> anyhow::Result<Handover> {
    Handover::prepare(to, true, environment.circumstances(), terminal)
}

/// A key that was made.
pub(super) struct Made<'a> {
    pub(super) issued: &'a IssuedKey,
    pub(super) workspace: &'a str,
    /// What to say before its name.
    pub(super) said: String,
}

/// Hands a key over and says so.
pub(super) async fn hand_over(
    handover: Handover,
    made: Made<'_>,
    service: &Service,
    now: Timestamp,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let Made { issued, workspace, said } = made;
    let record = output::key::json(&issued.key, now);
    let delivered = handover.deliver(issued, &record, terminal);
    let flushed = |places| match terminal.flush() {
        Ok(()) => Ok(places),
        Err(error) => Err(Lost::new(&[], error.to_string())),
    };
    let places = match delivered.and_then(flushed) {
        Ok(places) => places,
        Err(lost) => return Err(undelivered(lost, issued, workspace, service, now).await?.into()),
    };
    terminal.say(&format!("{said} {} ({})", quoted(&issued.key.name), issued.key.id));
    for place in places.iter().filter(|place| *place != "stdout") {
        terminal.say(&format!("  written to  {place}"));
    }
    terminal.say("Keep it safe: only its hash is stored, so it cannot be shown again.");
    Ok(())
}

/// What a key that did not arrive means. One that nobody has is taken back, so that the same command can be run again; one
/// that is somewhere stays.
async fn undelivered(
    lost: Lost,
    issued: &IssuedKey,
    workspace: &str,
    service: &Service,
    now: Timestamp,
) -> anyhow::Result<Failure> {
    let (code, what) = (lost.code(), lost.what);
    let key = format!("the key {} of {}", quoted(&issued.key.name), quoted(workspace));
    if lost.done.is_empty() {
        service.withdraw_key(workspace, &issued.key.id, now).await?;
        let message = format!("{key} was not delivered, and is taken back: {what}");
        return Ok(Failure::new(lost.exit, code, message).hint("run the same command again"));
    }
    let places = text::list_of(&lost.done);
    let message = format!("{key} is in {places}, but not everywhere: {what}");
    Ok(Failure::new(lost.exit, code, message).hint("copy it from there to where it is missing"))
}
