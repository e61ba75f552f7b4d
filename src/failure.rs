//! How a run fails: the one place that prints an error.
//!
//! Errors that cross a boundary (the road, the store, a sink, a file) are types that know their exit code and their next
//! step, see [`Explain`]; commands add what was tried with `anyhow`'s context, and make a [`Failure`] of what only they
//! can know. The first typed error in the chain decides.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::io;

use clap::error::ErrorKind;
use serde_json::{Value, json};

use crate::config::ConfigError;
use crate::credential::CredentialError;
use crate::exit::{Exit, Explain};
use crate::files::FileError;
use crate::http::{HttpError, NotAnAddress};
use crate::model::key::Key;
use crate::output::OutputError;
use crate::profiles::ProfilesError;
use crate::rotation::JournalError;
use crate::serve::TlsError;
use crate::service::{Refusal, StoreError};
use crate::sink::SinkError;
use crate::terminal::Terminal;
use crate::text;

/// A failure that a command finds out itself.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// What a program may want to know besides, merged into the error object.
    pub(crate) details: Option<Box<Value>>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { exit, code, message: message.into(), hint: None, details: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn details(mut self, details: Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// A failed change of a key, and whether it may have happened all the same: then its outcome is unknown, and the line that
/// shows it is said.
pub(crate) fn changed_or_not(error: HttpError, context: String, flags: &str, key: &Key) -> anyhow::Error {
    if !error.is_unsure() {
        return anyhow::Error::new(error).context(context);
    }
    let look = format!("keys{flags} list --status all --jq '.data[] | select(.id == \"{}\")'", key.id);
    unknown_outcome(&error, format!("{context}, or it did happen: {error}"), "see whether it happened", &look).into()
}

/// A change of which nobody knows whether it happened, with the line that finds out.
pub(crate) fn unknown_outcome(error: &HttpError, message: String, way: &str, line: &str) -> Failure {
    let (status, request_id) = error.answer().unzip();
    Failure::new(error.exit(), "outcome_unknown", message)
        .hint(format!("{way}:\n  {line}"))
        .details(json!({ "resume": line, "status": status, "request_id": request_id.flatten() }))
}

/// What is said of an error.
struct Report {
    exit: Exit,
    code: String,
    hint: Option<String>,
    retryable: bool,
    details: Option<Box<Value>>,
}

/// The exit code and the next step of an error, for whoever says it in words of its own.
pub(crate) fn meaning(error: &anyhow::Error) -> (Exit, Option<String>) {
    let report = error.chain().find_map(explained);
    report.map_or((Exit::Internal, None), |report| (report.exit, report.hint))
}

/// The messages of an error and its causes in one sentence.
pub(crate) fn whole_message(error: &anyhow::Error) -> String {
    distinct_messages(error).join(": ")
}

/// Prints an error, as an object on stderr where `json` is asked for, and says how the run ends. A reader who closed the
/// pipe has seen enough: that is no failure.
pub(crate) fn report(error: &anyhow::Error, terminal: &mut Terminal, json: bool) -> Exit {
    if let Some(help) = error.downcast_ref::<clap::Error>() {
        return print_help(help, terminal);
    }
    let report = error.chain().find_map(explained);
    let lost_a_secret = report.as_ref().is_some_and(|report| report.exit == Exit::Undelivered);
    if !lost_a_secret && error.chain().any(is_broken_pipe) {
        return Exit::Done;
    }
    let report = report.unwrap_or_else(|| Report {
        exit: Exit::Internal,
        code: "internal".to_owned(),
        hint: Some("this is a fault of keys: please report it".to_owned()),
        retryable: false,
        details: None,
    });
    let mut messages = distinct_messages(error);
    let message = messages.remove(0);
    if json {
        let whole = [vec![message], messages].concat().join(": ");
        print_object(&whole, &report, error, terminal);
    } else {
        terminal.error(&message, &messages, report.hint.as_deref());
    }
    report.exit
}

/// The messages of the chain; a cause that only repeats its effect is said once.
fn distinct_messages(error: &anyhow::Error) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    for cause in error.chain() {
        let message = cause.to_string();
        if messages.last().is_none_or(|last| !last.ends_with(&message)) {
            messages.push(message);
        }
    }
    messages
}

fn print_object(message: &str, report: &Report, error: &anyhow::Error, terminal: &mut Terminal) {
    let answer = error.chain().find_map(|cause| cause.downcast_ref::<HttpError>()).and_then(HttpError::answer);
    let mut object = json!({
        "code": report.code,
        "message": message,
        "hint": report.hint,
        "retryable": report.retryable,
        "status": answer.map(|(status, _)| status),
        "request_id": answer.and_then(|(_, request_id)| request_id),
        "exit": report.exit.code(),
    });
    if let (Value::Object(object), Some(Value::Object(details))) = (&mut object, report.details.as_deref()) {
        object.extend(details.clone());
    }
    terminal.raw_error(&json!({ "error": object }).to_string());
}

/// Says what is wrong with arguments that are not understood; help and version, which are understood so too, go to
/// standard output. What was typed stands in the message: whatever acts on a terminal is spelled out, and whatever may be
/// a secret is left out.
pub(crate) fn misunderstood(usage: &clap::Error, arguments: &[OsString], terminal: &mut Terminal) -> Exit {
    if !usage.use_stderr() {
        return print_help(usage, terminal);
    }
    let mut text = usage.render().ansi().to_string();
    for argument in arguments.iter().filter_map(|argument| argument.to_str()) {
        let value = argument.split_once('=').filter(|_| argument.starts_with('-')).map_or(argument, |(_, value)| value);
        if let Cow::Owned(escaped) = text::escape(value) {
            text = text.replace(value, &escaped);
        }
    }
    let text = text::without_plaintexts(text.strip_prefix("error: ").unwrap_or(&text).trim_end());
    if looks_like_json(arguments) {
        let report =
            Report { exit: Exit::Usage, code: "usage".to_owned(), hint: None, retryable: false, details: None };
        print_object(&text, &report, &anyhow::anyhow!("usage"), terminal);
    } else if usage.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        terminal.say(&text);
    } else {
        terminal.error(&text, &[], None);
    }
    Exit::Usage
}

fn print_help(help: &clap::Error, terminal: &mut Terminal) -> Exit {
    let text = help.render().ansi().to_string();
    match terminal.out().write_all(text.as_bytes()).and_then(|()| terminal.flush()) {
        Ok(()) => Exit::Done,
        Err(error) => report(&error.into(), terminal, false),
    }
}

/// Whether errors are wanted as objects, judged by the look of arguments that are not understood.
fn looks_like_json(arguments: &[OsString]) -> bool {
    let forms = ["json", "jsonl"];
    let mut before: Option<&OsString> = None;
    arguments.iter().any(|argument| {
        let follows = before.is_some_and(|before| before == "--format") && forms.iter().any(|form| argument == form);
        before = Some(argument);
        follows || ["--json", "--format=json", "--format=jsonl"].iter().any(|option| argument == option)
    })
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// What a typed error says of itself; `None` for any other.
fn explained(cause: &(dyn std::error::Error + 'static)) -> Option<Report> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some(Report {
            exit: failure.exit,
            code: failure.code.to_owned(),
            hint: failure.hint.clone(),
            retryable: matches!(failure.exit, Exit::Limited | Exit::Unreachable | Exit::Unknown),
            details: failure.details.clone(),
        });
    }
    explain::<ConfigError>(cause)
        .or_else(|| explain::<CredentialError>(cause))
        .or_else(|| explain::<FileError>(cause))
        .or_else(|| explain::<HttpError>(cause))
        .or_else(|| explain::<JournalError>(cause))
        .or_else(|| explain::<NotAnAddress>(cause))
        .or_else(|| explain::<OutputError>(cause))
        .or_else(|| explain::<ProfilesError>(cause))
        .or_else(|| explain::<Refusal>(cause))
        .or_else(|| explain::<SinkError>(cause))
        .or_else(|| explain::<StoreError>(cause))
        .or_else(|| explain::<TlsError>(cause))
}

fn explain<E: Explain + 'static>(cause: &(dyn std::error::Error + 'static)) -> Option<Report> {
    let error = cause.downcast_ref::<E>()?;
    Some(Report {
        exit: error.exit(),
        code: error.code().to_owned(),
        hint: error.hint(),
        retryable: error.is_retryable(),
        details: None,
    })
}

/// A text in a sentence: quoted, and harmless to a terminal.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", text::escape(text))
}
