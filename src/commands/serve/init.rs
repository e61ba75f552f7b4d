//! `keys serve init`: makes a workspace, and hands over its first admin key.

use jiff::Timestamp;

use super::Place;
use crate::config::Environment;
use crate::failure::{Failure, quoted};
use crate::handover::{Handover, Lost};
use crate::model::key::{KeyId, KeyName};
use crate::providers::Provider;
use crate::service::Service;
use crate::sink::SinkSpec;
use crate::terminal::Terminal;
use crate::{output, system, text};

pub(super) async fn init(
    name: &KeyName,
    place: &Place,
    to: &[SinkSpec],
    environment: &Environment,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let handover = Handover::prepare(to, true, environment.circumstances(), terminal)?;
    let service = super::open(place, environment).await?;
    let now = system::now();
    let issued = service.create_workspace(name, Provider::Native, now).await?;
    let record = output::key::json(&issued.key, now);
    let delivered = handover.deliver(&issued, &record, terminal);
    let flushed = |places| match terminal.flush() {
        Ok(()) => Ok(places),
        Err(error) => Err(Lost::new(&[], error.to_string())),
    };
    let places = match delivered.and_then(flushed) {
        Ok(places) => places,
        Err(lost) => return Err(undelivered(lost, name, &issued.key.id, &service, now).await?.into()),
    };
    terminal.say(&format!(
        "Made workspace {} with admin key {} ({})",
        quoted(name.as_str()),
        quoted(&issued.key.name),
        issued.key.id
    ));
    for place in places.iter().filter(|place| *place != "stdout") {
        terminal.say(&format!("  written to  {place}"));
    }
    terminal.say("Keep it safe: only its hash is stored, so it cannot be shown again.");
    Ok(())
}

/// What a first key that did not arrive means. One that nobody has is taken back, so that the same command can be run
/// again; one that is somewhere stays.
async fn undelivered(
    lost: Lost,
    name: &KeyName,
    key: &KeyId,
    service: &Service,
    now: Timestamp,
) -> anyhow::Result<Failure> {
    let (code, what) = (lost.code(), lost.what);
    if lost.done.is_empty() {
        service.withdraw_first_key(name.as_str(), key, now).await?;
        let message =
            format!("the admin key of {} was not delivered, and is taken back: {what}", quoted(name.as_str()));
        return Ok(Failure::new(lost.exit, code, message).hint("run the same command again"));
    }
    let places = text::list_of(&lost.done);
    let message = format!("the admin key of {} is in {places}, but not everywhere: {what}", quoted(name.as_str()));
    Ok(Failure::new(lost.exit, code, message).hint("copy it from there to where it is missing"))
}
