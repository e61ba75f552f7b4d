//! How a key looks: as a row, as JSON, and as the lines of `keys show`.

use std::io;

use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::table::{Cell, Column};
use crate::model::key::Key;
use crate::model::permission::Permission;
use crate::model::state::State;
use crate::model::tier::Tier;
use crate::terminal::{Style, Terminal};
use crate::text;

/// What stands where nothing is known.
const UNKNOWN: &str = "-";

/// An end nearer than this is worth a second look: a week, in seconds.
const SOON: i64 = 7 * 86_400;

/// The columns of a list of keys.
pub(crate) static COLUMNS: [Column; 9] = [
    Column { title: "NAME", name: "name", rank: 9, shrinks: true, right: false, place: 1 },
    Column { title: "ID", name: "id", rank: 9, shrinks: false, right: false, place: 0 },
    Column { title: "STATUS", name: "status", rank: 8, shrinks: false, right: false, place: 3 },
    Column { title: "PERMISSIONS", name: "permissions", rank: 7, shrinks: true, right: false, place: 4 },
    Column { title: "EXPIRES", name: "expires_at", rank: 6, shrinks: false, right: false, place: 8 },
    Column { title: "LAST USED", name: "last_used_at", rank: 5, shrinks: false, right: false, place: 7 },
    Column { title: "PREFIX", name: "prefix", rank: 4, shrinks: false, right: false, place: 2 },
    Column { title: "TIER", name: "tier", rank: 2, shrinks: false, right: false, place: 5 },
    Column { title: "CREATED", name: "created_at", rank: 3, shrinks: false, right: false, place: 6 },
];

/// A key in a table, for people and scripts. For scripts an instant that is not there is empty: `never` is no time.
pub(crate) fn cells(key: &Key, now: Timestamp) -> Vec<Cell> {
    let state = key.state(now);
    let permissions: Vec<&str> = key.permissions.iter().map(Permission::as_str).collect();
    let mut held = Cell::words(&permissions);
    if held.human.is_empty() {
        UNKNOWN.clone_into(&mut held.human);
    }
    let mut expires = instant(key.expires_at, now, "never");
    if state == State::Active && key.expires_at.is_some_and(|end| end.as_second() - now.as_second() < SOON) {
        expires = expires.styled(Style::Warning);
    }
    let tier = key.tier.map_or("", |tier| tier.as_str());
    vec![
        Cell::new(key.name.as_str()),
        Cell::new(key.id.as_str()),
        status(key, state),
        held,
        expires,
        instant(key.last_used_at, now, "never"),
        Cell::new(key.prefix.as_str()),
        Cell::of(if tier.is_empty() { UNKNOWN } else { tier }, tier),
        instant(key.created_at, now, UNKNOWN),
    ]
}

/// A key for programs: our fields, in this order, then what its provider says beyond them. Fields are only ever added.
pub(crate) fn json(key: &Key, now: Timestamp) -> Value {
    serde_json::to_value(ForPrograms { key, now }).unwrap_or_default()
}

/// The same for long lists, in which nothing is made that is not printed.
pub(crate) struct ForPrograms<'a> {
    pub(crate) key: &'a Key,
    pub(crate) now: Timestamp,
}

impl Serialize for ForPrograms<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { key, now } = *self;
        let time = |instant: Option<Timestamp>| instant.map(text::utc);
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("id", &key.id)?;
        fields.serialize_entry("name", &key.name)?;
        fields.serialize_entry("description", &key.description)?;
        fields.serialize_entry("prefix", &key.prefix)?;
        fields.serialize_entry("permissions", &key.permissions)?;
        fields.serialize_entry("tier", &key.tier.map(Tier::as_str))?;
        fields.serialize_entry("status", key.state(now).as_str())?;
        fields.serialize_entry("temporary", &key.temporary)?;
        fields.serialize_entry("created_by", &key.created_by)?;
        fields.serialize_entry("created_at", &time(key.created_at))?;
        fields.serialize_entry("last_used_at", &time(key.last_used_at))?;
        fields.serialize_entry("expires_at", &time(key.expires_at))?;
        fields.serialize_entry("revoked_at", &time(key.revoked_at))?;
        fields.serialize_entry("revoked_reason", &key.revoked_reason)?;
        if key.replaced {
            fields.serialize_entry("replaced", &true)?;
        }
        for (name, value) in key.more.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
            fields.serialize_entry(name, value)?;
        }
        fields.end()
    }
}

/// Names that nothing a server says beyond a key may have: our own, and `secret`, the one field that holds a plaintext.
const OURS: [&str; 16] = [
    "id",
    "name",
    "description",
    "prefix",
    "permissions",
    "tier",
    "status",
    "temporary",
    "created_by",
    "created_at",
    "last_used_at",
    "expires_at",
    "revoked_at",
    "revoked_reason",
    "replaced",
    "secret",
];

/// The lines of `keys show`.
pub(crate) fn detail(key: &Key, now: Timestamp, terminal: &mut Terminal) -> io::Result<()> {
    let state = key.state(now);
    let time = |instant: Option<Timestamp>, otherwise: &str| {
        instant.map_or_else(|| otherwise.to_owned(), |instant| text::utc_and_relative(instant, now))
    };
    let permissions: Vec<&str> = key.permissions.iter().map(Permission::as_str).collect();
    let created = match &key.created_by {
        Some(creator) => format!("{} by {creator}", time(key.created_at, "at an unknown time")),
        None => time(key.created_at, "unknown"),
    };
    let mut lines = vec![
        ("Name", Some(key.name.clone()), Some(Style::Strong)),
        ("ID", Some(key.id.to_string()), None),
        ("Status", Some(status(key, state).human), Some(style(state))),
        ("Prefix", Some(key.prefix.clone()), None),
        ("Permissions", Some(if permissions.is_empty() { "none".to_owned() } else { permissions.join(" ") }), None),
        ("Tier", key.tier.map(|tier| tier.to_string()), None),
        ("Temporary", key.temporary.then(|| "yes".to_owned()), None),
        ("Description", key.description.clone().filter(|description| !description.is_empty()), None),
        ("Created", Some(created), None),
        ("Last used", Some(time(key.last_used_at, "never")), None),
        ("Expires", Some(time(key.expires_at, "never")), None),
    ];
    if key.revoked_at.is_some() {
        lines.push(("Revoked", Some(time(key.revoked_at, "")), None));
    }
    lines.push(("Reason", key.revoked_reason.clone(), None));
    fields(terminal, &lines)
}

/// When a key ends, for people.
pub(crate) fn end(key: &Key, now: Timestamp) -> String {
    key.expires_at.map_or_else(|| "never".to_owned(), |end| text::utc_and_relative(end, now))
}

/// Writes aligned lines `Label  value`, without those that have no value. On a screen a value that has no room goes on in
/// the next line, below where it began.
pub(crate) fn fields(terminal: &mut Terminal, lines: &[(&str, Option<String>, Option<Style>)]) -> io::Result<()> {
    let widest = lines.iter().filter(|(_, value, _)| value.is_some()).map(|(label, _, _)| text::width(label)).max();
    let widest = widest.unwrap_or(0);
    for (label, value, style) in lines {
        let Some(value) = value else { continue };
        let label = terminal.paint(Style::Dim, &format!("{label:<widest$}"));
        let value = text::escape(value);
        let room = if terminal.is_on_screen() { terminal.width().saturating_sub(widest + 2) } else { usize::MAX };
        let painted = |line: &String| style.map_or_else(|| line.clone(), |style| terminal.paint(style, line));
        let lines: Vec<String> = text::wrapped(&value, room).iter().map(painted).collect();
        writeln!(terminal.out(), "{label}  {}", lines.join(&format!("\n{:widest$}  ", "")))?;
    }
    Ok(())
}

/// For people, also that a successor has taken over the name: two active keys of one name look alike otherwise.
fn status(key: &Key, state: State) -> Cell {
    if key.replaced && state == State::Active {
        return Cell::of("replaced", state.as_str()).styled(Style::Warning);
    }
    Cell::new(state.as_str()).styled(style(state))
}

fn instant(instant: Option<Timestamp>, now: Timestamp, otherwise: &str) -> Cell {
    match instant {
        Some(instant) => Cell::of(text::relative(instant, now), text::utc(instant)),
        None => Cell::of(otherwise, ""),
    }
}

const fn style(state: State) -> Style {
    match state {
        State::Active => Style::Good,
        State::Revoked => Style::Bad,
        State::Expired => Style::Warning,
    }
}
