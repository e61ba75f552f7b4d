//! `keys perms`: the provider's permissions, and the least one a call needs.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::model::permission::UnknownCall;
use crate::output::{Cell, Column, Output, Row};
use crate::providers::{Ability, Rules};
use crate::terminal::Terminal;

/// List the permissions there are, or the least ones that calls need
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys perms
  keys perms for \"GET /v1/contacts\" \"PATCH /v1/contacts/42\"")]
pub(crate) struct Args {
    #[command(subcommand)]
    question: Option<Question>,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Show the least permission each call needs
    For {
        /// A call, such as "GET /v1/contacts"
        #[arg(required = true, value_name = "CALL")]
        calls: Vec<String>,
    },
}

static PERMISSIONS: [Column; 3] = [
    Column { title: "PERMISSION", name: "name", rank: 9, shrinks: false, right: false, place: 0 },
    Column { title: "OPENS", name: "about", rank: 9, shrinks: true, right: false, place: 1 },
    Column { title: "INCLUDED IN", name: "included_in", rank: 4, shrinks: false, right: false, place: 2 },
];

static CALLS: [Column; 2] = [
    Column { title: "CALL", name: "call", rank: 9, shrinks: false, right: false, place: 0 },
    Column { title: "PERMISSION", name: "permission", rank: 9, shrinks: false, right: false, place: 1 },
];

pub(crate) fn run(args: Args, rules: &Rules, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    match args.question {
        None => list(rules, output, terminal),
        Some(Question::For { calls }) => needed(&calls, rules, output, terminal),
    }
}

fn list(rules: &Rules, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    if let Some(sentence) = rules.lack(Ability::Permissions) {
        terminal.say(sentence);
    }
    let mut list = output.list(terminal, &PERMISSIONS);
    for entry in rules.permissions.entries {
        let coarse = entry.included_in.unwrap_or("");
        let cells = vec![Cell::new(entry.name), Cell::new(entry.about), Cell::new(coarse)];
        let json = json!({ "name": entry.name, "about": entry.about, "included_in": entry.included_in });
        list.row(terminal, Row { cells, json })?;
    }
    Ok(list.finish(terminal, json!(null))?)
}

fn needed(asked: &[String], rules: &Rules, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let found = asked.iter().map(|call| rules.permissions.permission_for(call).map(|known| (call, known)));
    let found = found.collect::<Result<Vec<_>, UnknownCall>>().map_err(|error| {
        let failure = Failure::new(Exit::Usage, "unknown_call", error.to_string());
        match error {
            UnknownCall::Malformed(_) => failure,
            UnknownCall::Undocumented(_) => failure.hint("the permissions there are, and what they open: keys perms"),
        }
    })?;
    let mut list = output.list(terminal, &CALLS);
    for (call, known) in found {
        let cells = vec![
            Cell::new(call.as_str()),
            Cell::of(known.permission.unwrap_or("(any key)"), known.permission.unwrap_or_default()),
        ];
        let json = json!({ "call": call, "method": known.method, "path": known.path, "permission": known.permission });
        list.row(terminal, Row { cells, json })?;
    }
    Ok(list.finish(terminal, json!(null))?)
}
