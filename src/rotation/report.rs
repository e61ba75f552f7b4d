//! What is said of a rotation that has come to its end.

use super::Hands;
use super::outcome::{Ended, How, rotation_json};
use crate::failure::quoted;
use crate::model::rotation::Retirement;
use crate::{system, text};

/// Says how a rotation ended, and describes the new key where it was not described with its plaintext.
pub(crate) fn report(ended: &Ended, hands: &Hands<'_, '_>) -> anyhow::Result<()> {
    let record = &ended.record;
    let terminal = &mut **hands.terminal.borrow_mut();
    let printed = record.places.iter().any(|place| place.to.is_none());
    if let Some(new) = &record.new
        && !hands.output.is_for_people()
        && !printed
    {
        let mut object = new.described.clone();
        object["rotation"] = rotation_json(record);
        let places: Vec<&str> = ended.written.iter().map(String::as_str).collect();
        let context = || format!("the key {} is rotated, and is in {}", new.id, text::list_of(&places));
        hands
            .output
            .object(terminal, object, |_| Ok(()))
            .map_err(|error| anyhow::Error::new(error).context(context()))?;
    }
    for line in lines(ended, hands) {
        terminal.say(&line);
    }
    if record.is_stored_credential {
        terminal.say("Logged in with the new key from now on");
    } else if hands.reached.origin.source == "environment"
        && (ended.is_own || hands.reached.may_be_caller(&record.old.prefix) == Some(true))
        && record.new.is_some()
    {
        terminal.warn(&format!("{} still holds the old key: set it to the new one", hands.reached.origin.place));
    }
    Ok(terminal.flush()?)
}

fn lines(ended: &Ended, hands: &Hands<'_, '_>) -> Vec<String> {
    let (record, now) = (&ended.record, system::now());
    let Some(new) = &record.new else { return Vec::new() };
    let mut lines = vec![format!("Rotated key {}: {} takes the place of {}", quoted(&new.name), new.id, record.old.id)];
    if let Some(end) = new.described["expires_at"].as_str().and_then(|end| end.parse().ok()) {
        lines.push(format!("  expires      {}", text::utc_and_relative(end, now)));
    }
    lines
        .extend(ended.written.iter().filter(|place| *place != "stdout").map(|place| format!("  written to   {place}")));
    let flags = hands.reached.client.flags();
    let old = &record.old.id;
    match (record.retirement, ended.old_end) {
        (Retirement::AtOnce | Retirement::Staying { .. }, _) if ended.how == How::Rotated => {
            lines.push("  old key      revoked".to_owned());
        }
        (Retirement::AtOnce, _) => lines.push("  old key      revoked".to_owned()),
        (Retirement::Ending { .. }, Some(end)) => {
            lines.push(format!("  old key      ends at {}", text::utc_and_relative(end, now)));
            lines.push(format!("End it earlier with: keys{flags} revoke {old}"));
        }
        (Retirement::Ending { .. }, None) => lines.push("  old key      gone already".to_owned()),
        (Retirement::Staying { .. }, _) => {
            let due = record.due_at().map(|due| text::utc_and_relative(due, now)).unwrap_or_default();
            lines.push(format!("  old key      works on; it is due to be retired at {due}"));
            lines.push(format!("Retire it with: keys rotation finish {}", record.id));
        }
    }
    lines.push(format!("Look at the new key with: keys{flags} show {}", new.id));
    lines
}
