//! How rotations look: those that are not over, and those that have been done.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::table::{Cell, Column};
use crate::model::rotation::{Record, Retirement, Step};
use crate::terminal::Style;
use crate::text;

/// The columns of a list of open rotations.
pub(crate) static OPEN: [Column; 6] = [
    Column { title: "ROTATION", name: "id", rank: 9, shrinks: false, right: false, place: 0 },
    Column { title: "KEY", name: "name", rank: 9, shrinks: true, right: false, place: 1 },
    Column { title: "STEP", name: "step", rank: 8, shrinks: true, right: false, place: 4 },
    Column { title: "BEGUN", name: "begun_at", rank: 6, shrinks: false, right: false, place: 5 },
    Column { title: "OLD", name: "old_id", rank: 7, shrinks: false, right: false, place: 2 },
    Column { title: "NEW", name: "new_id", rank: 7, shrinks: false, right: false, place: 3 },
];

/// The columns of a list of rotated keys.
pub(crate) static DONE: [Column; 3] = [
    Column { title: "NAME", name: "name", rank: 9, shrinks: true, right: false, place: 1 },
    Column { title: "ID", name: "id", rank: 9, shrinks: false, right: false, place: 0 },
    Column { title: "OLD", name: "old_id", rank: 8, shrinks: false, right: false, place: 2 },
];

pub(crate) fn open_cells(record: &Record, now: Timestamp) -> Vec<Cell> {
    let new = record.new.as_ref().map_or("", |new| new.id.as_str());
    vec![
        Cell::new(record.id.as_str()),
        Cell::new(record.old.name.as_str()),
        Cell::of(record.step.left(), step(record.step)).styled(Style::Warning),
        Cell::of(text::relative(record.begun_at, now), text::utc(record.begun_at)),
        Cell::new(record.old.id.as_str()),
        Cell::of(if new.is_empty() { "-" } else { new }, new),
    ]
}

pub(crate) fn done_cells(record: &Record) -> Vec<Cell> {
    let new = record.new.as_ref();
    vec![
        Cell::new(new.map_or("", |new| new.name.as_str())),
        Cell::new(new.map_or("", |new| new.id.as_str())),
        Cell::new(record.old.id.as_str()),
    ]
}

/// An open rotation for programs.
pub(crate) fn open_json(record: &Record) -> Value {
    let places = record.places.iter().map(|place| json!({ "to": place.to, "done": place.done }));
    json!({
        "id": record.id,
        "step": record.step,
        "begun_at": text::utc(record.begun_at),
        "service": record.service,
        "old": record.old,
        "new": record.new.as_ref().map(|new| json!({ "id": new.id, "name": new.name, "prefix": new.prefix })),
        "places": places.collect::<Vec<_>>(),
        "check": record.check,
        "retirement": record.retirement,
        "kept": record.kept,
        "live_at": record.live_at.map(text::utc),
        "due_at": record.due_at().map(text::utc),
    })
}

/// The lines of `keys rotation show`.
pub(crate) fn detail(record: &Record, now: Timestamp) -> Vec<(&'static str, Option<String>, Option<Style>)> {
    let new = record.new.as_ref();
    let mut lines = vec![
        ("Rotation", Some(record.id.clone()), Some(Style::Strong)),
        ("Left", Some(record.step.left().to_owned()), Some(Style::Warning)),
        ("Key", Some(record.old.name.clone()), None),
        ("Old", Some(format!("{} ({})", record.old.id, record.old.prefix)), None),
        ("New", new.map(|new| format!("{} ({})", new.id, new.prefix)), None),
        ("Service", Some(record.service.api_url.clone().unwrap_or_else(|| "local".to_owned())), None),
        ("Begun", Some(text::utc_and_relative(record.begun_at, now)), None),
        ("Live", record.live_at.map(|live| text::utc_and_relative(live, now)), None),
        ("Old key", Some(retirement(record.retirement)), None),
        ("Due", record.due_at().map(|due| text::utc_and_relative(due, now)), None),
        ("Check", record.check.clone(), None),
    ];
    for place in &record.places {
        let to = place.to.as_deref().unwrap_or("standard output");
        let state = if place.done { "has it" } else { "does not have it" };
        lines.push(("Place", Some(format!("{to}: {state}")), None));
    }
    lines
}

/// What becomes of the old key, for people.
pub(crate) fn retirement(retirement: Retirement) -> String {
    match retirement {
        Retirement::AtOnce => "is revoked as soon as the new one works".to_owned(),
        Retirement::Ending { seconds } => format!("ends {} after the new one is live", age(seconds)),
        Retirement::Staying { seconds } => format!("stays until it is retired, which is due after {}", age(seconds)),
    }
}

fn age(seconds: i64) -> String {
    crate::model::lifetime::Age::from_seconds(seconds).map_or_else(|| "0s".to_owned(), |age| age.to_string())
}

fn step(step: Step) -> String {
    serde_json::to_value(step).ok().and_then(|step| step.as_str().map(str::to_owned)).unwrap_or_default()
}
