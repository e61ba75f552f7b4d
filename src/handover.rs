//! Handing over a new key: to the places that were named, to standard output, or to a person at a terminal.
//!
//! In two steps around the minting. Before it, everything that can refuse does: a place that cannot take the key, an
//! output nobody reads, or one that too many do. After it, nothing but the handing over happens, and what goes wrong
//! says how far it came.

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;

use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::exit::{Exit, Explain as _};
use crate::failure::{Failure, quoted};
use crate::model::key::IssuedKey;
use crate::model::secret::PlainKey;
use crate::output::Output;
use crate::sink::{Circumstances, SinkSpec, Sinks, Undelivered, writes_to_stdout};
use crate::terminal::{Left, Offer, Taking, Terminal};

/// A way for the key that is ready.
pub(crate) struct Handover {
    way: Way,
    circumstances: Circumstances,
    /// Whether the runner of GitHub Actions is told of the key first.
    masks: bool,
}

/// What is handed over.
#[derive(Clone, Copy)]
pub(crate) struct Handed<'a> {
    pub(crate) name: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) plain: &'a PlainKey,
    /// What is known of the key besides.
    pub(crate) record: &'a Value,
}

enum Way {
    Sinks(Sinks),
    /// A person decides when the key is there.
    Menu,
}

/// A key that did not get to where it should.
pub(crate) struct Lost {
    pub(crate) exit: Exit,
    /// The places that have it.
    pub(crate) done: Vec<String>,
    pub(crate) what: String,
}

impl Lost {
    pub(crate) fn new(done: &[String], what: impl Into<String>) -> Self {
        Self { exit: Exit::Undelivered, done: done.to_vec(), what: what.into() }
    }

    /// A word for scripts.
    pub(crate) const fn code(&self) -> &'static str {
        match self.exit {
            Exit::Interrupted => "interrupted",
            Exit::Terminated => "terminated",
            _ => "not_delivered",
        }
    }
}

impl From<Undelivered> for Lost {
    fn from(undelivered: Undelivered) -> Self {
        let Undelivered { done, cause } = undelivered;
        Self { exit: cause.exit(), done, what: cause.to_string() }
    }
}

/// A way that may be gone, but is not ready yet.
pub(crate) struct Allowed {
    /// `None` where a person decides.
    to: Option<Vec<SinkSpec>>,
    circumstances: Circumstances,
}

impl Allowed {
    /// Looks at the terminal, and at nothing else. `for_people` says that no object is printed, which would hold the key in
    /// a field.
    pub(crate) fn of(
        to: &[SinkSpec],
        for_people: bool,
        circumstances: &Circumstances,
        terminal: &Terminal,
    ) -> anyhow::Result<Self> {
        let allowed = |to| Self { to, circumstances: circumstances.clone() };
        if to.is_empty() && for_people && !circumstances.github_actions && terminal.can_offer() {
            return Ok(allowed(None));
        }
        if !for_people && writes_to_stdout(to) {
            let message = "the key and the object that describes it cannot both be on standard output";
            return Err(Failure::new(Exit::Usage, "conflicting_options", message)
                .hint("leave out --to stdout: the object then holds the key in its field `secret`")
                .into());
        }
        if to.is_empty() || writes_to_stdout(to) {
            refuse_lost_output(terminal)?;
        }
        if to.is_empty() {
            refuse_readers(circumstances, terminal)?;
        }
        if circumstances.masks() {
            refuse_lost_mask(terminal)?;
        }
        let to = if to.is_empty() && for_people { vec![SinkSpec::Stdout] } else { to.to_vec() };
        Ok(allowed(Some(to)))
    }

    /// Makes every place ready, which may wait for the disk.
    pub(crate) fn prepare(self) -> anyhow::Result<Handover> {
        let way = match &self.to {
            Some(to) => Way::Sinks(Sinks::prepare(to, &self.circumstances)?),
            None => Way::Menu,
        };
        Ok(Handover { way, masks: self.circumstances.masks(), circumstances: self.circumstances })
    }

    /// Makes ways ready that are gone one by one: one for each place. What they deliver has been masked by [`mask`].
    pub(crate) fn prepare_each(self) -> anyhow::Result<Vec<Handover>> {
        let Handover { way, circumstances, .. } = self.prepare()?;
        let one = |way| Handover { way, circumstances: circumstances.clone(), masks: false };
        Ok(match way {
            Way::Sinks(sinks) if !sinks.is_empty() => sinks.each().map(|sink| one(Way::Sinks(sink))).collect(),
            whole => vec![one(whole)],
        })
    }
}

impl Handover {
    /// Makes the way ready, where it may be gone.
    pub(crate) fn prepare(
        to: &[SinkSpec],
        for_people: bool,
        circumstances: &Circumstances,
        terminal: &Terminal,
    ) -> anyhow::Result<Self> {
        Allowed::of(to, for_people, circumstances, terminal)?.prepare()
    }

    /// Whether there is no place: the key goes into the object that is printed.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.way, Way::Sinks(sinks) if sinks.is_empty())
    }

    /// Hands the key over, and returns the places that have it.
    pub(crate) fn deliver(
        self,
        issued: &IssuedKey,
        record: &Value,
        terminal: &mut Terminal,
    ) -> Result<Vec<String>, Lost> {
        let IssuedKey { key, plain } = issued;
        self.hand(Handed { name: &key.name, prefix: &key.prefix, plain, record }, terminal)
    }

    /// The same beside others, which do not wait for the disk that this waits for. Not to standard output, which they share.
    pub(crate) async fn deliver_apart(
        self,
        issued: IssuedKey,
        record: Value,
        terminal: &RefCell<&mut Terminal>,
    ) -> Result<Vec<String>, Lost> {
        if self.masks {
            mask(&issued.plain, &self.circumstances, &mut terminal.borrow_mut())?;
        }
        let sinks = self.into_sinks().ok_or_else(|| Lost::new(&[], "nobody decides where it goes"))?;
        let delivered = spawn_blocking(move || sinks.deliver(&issued.plain, &record, &mut io::sink())).await;
        let delivered = delivered.map_err(|error| Lost::new(&[], error.to_string()))?;
        Ok(delivered?)
    }

    /// The same for a key that was made earlier.
    pub(crate) fn hand(self, handed: Handed<'_>, terminal: &mut Terminal) -> Result<Vec<String>, Lost> {
        if self.masks {
            mask(handed.plain, &self.circumstances, terminal)?;
        }
        match self.way {
            Way::Sinks(sinks) => Ok(sinks.deliver(handed.plain, handed.record, terminal.out())?),
            Way::Menu => offer(handed, &self.circumstances, terminal),
        }
    }

    /// The places, for whoever delivers to them without a terminal; `None` where a person decides.
    pub(crate) fn into_sinks(self) -> Option<Sinks> {
        match self.way {
            Way::Sinks(sinks) => Some(sinks),
            Way::Menu => None,
        }
    }
}

/// Tells the runner of GitHub Actions of the key, before anything else: what the runner reads later is hidden, what it
/// read before is not.
pub(crate) fn mask(plain: &PlainKey, circumstances: &Circumstances, terminal: &mut Terminal) -> Result<(), Lost> {
    if !circumstances.masks() {
        return Ok(());
    }
    terminal.mask(plain).map_err(|error| Lost::new(&[], format!("could not mask it: {error}")))
}

/// Refuses a --jq that leaves the key out of what is printed: it would go nowhere. `record` describes a key, which gets
/// the plaintext of none.
pub(crate) fn refuse_filtered_out(mut record: Value, output: &Output) -> anyhow::Result<()> {
    const NO_SECRET: &str = "the-plaintext-of-no-key";
    record["secret"] = Value::String(NO_SECRET.to_owned());
    if output.shows(record, NO_SECRET)? {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, "secret_filtered_out", "the key would be lost: --jq leaves it out")
        .hint("take it along, as in --jq .data.secret, or send it to a place with --to")
        .into())
}

/// Lets a person decide.
fn offer(handed: Handed<'_>, circumstances: &Circumstances, terminal: &mut Terminal) -> Result<Vec<String>, Lost> {
    let Handed { name, prefix, plain, record } = handed;
    let mut done = Vec::new();
    let mut take = |taking: &Taking| {
        let spec = match taking {
            Taking::Copy => Ok(SinkSpec::Clipboard),
            Taking::Save(path) => Ok(SinkSpec::File(in_home(path.trim()))),
            Taking::Pipe(command) => format!("cmd:{command}").parse(),
        };
        let spec: SinkSpec = spec.map_err(|error: crate::sink::NotASink| error.to_string())?;
        let sinks = Sinks::prepare(&[spec], circumstances).map_err(|error| match error.hint() {
            Some(hint) => format!("{error}; {hint}"),
            None => error.to_string(),
        })?;
        let places = sinks.deliver(plain, record, &mut io::sink()).map_err(|lost| lost.to_string())?;
        let note = match taking {
            Taking::Copy => places.concat().replacen("clipboard", "Clipboard", 1),
            Taking::Save(_) => format!("Saved to {}", places.concat()),
            Taking::Pipe(_) => "The command has taken it".to_owned(),
        };
        done.extend(places);
        Ok(note)
    };
    let what = format!("Key {} is made", quoted(name));
    let offer = Offer { what: &what, prefix, plain };
    let left = match terminal.offer(&offer, &mut take) {
        Ok(left) => left,
        // The terminal is gone, but the key is where it was sent before.
        Err(_) if !done.is_empty() => return Ok(done),
        Err(error) => return Err(Lost::new(&[], error.to_string())),
    };
    let untaken = |exit, what: &str| Err(Lost { exit, done: Vec::new(), what: what.to_owned() });
    match left {
        Left::Taken => Ok(done),
        Left::Untaken => untaken(Exit::Undelivered, "it was left without being taken"),
        Left::Interrupted => untaken(Exit::Interrupted, "interrupted before it was taken"),
        Left::Terminated => untaken(Exit::Terminated, "terminated before it was taken"),
    }
}

/// A path as a person types it here, where no shell turns `~` into the home directory.
fn in_home(path: &str) -> PathBuf {
    let home = directories::BaseDirs::new().map(|directories| directories.home_dir().to_owned());
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn refuse_lost_output(terminal: &Terminal) -> Result<(), Failure> {
    let Some(reason) = terminal.output_would_be_lost() else {
        return Ok(());
    };
    let message = format!("the key would be lost: {reason}");
    Err(Failure::new(Exit::Usage, "output_would_be_lost", message)
        .hint("send the key to a place, for instance with --to file:PATH"))
}

/// A key that a log or a conversation keeps is no longer a secret. Saying `--to stdout` is consent.
fn refuse_readers(circumstances: &Circumstances, terminal: &Terminal) -> Result<(), Failure> {
    let captured = || terminal.output_is_captured(circumstances.agent);
    let Some(reader) = circumstances.reader.as_ref().filter(|_| !captured()) else {
        return Ok(());
    };
    let actions = if circumstances.masks() { ", github-env:NAME, github-output:NAME" } else { "" };
    let message = format!("the key would be printed where it is kept: {reader}");
    Err(Failure::new(Exit::Unconfirmed, "secret_in_log", message).hint(format!(
        "send it to a place with --to: file:PATH, dotenv:PATH#VAR, json:PATH, cmd:COMMAND, clipboard{actions}; \
         capture it with KEY=$(keys …); or say --to stdout"
    )))
}

fn refuse_lost_mask(terminal: &Terminal) -> Result<(), Failure> {
    let Some(reason) = terminal.mask_would_be_lost() else {
        return Ok(());
    };
    let message = format!("GitHub Actions could not be told to mask the key: {reason}");
    Err(Failure::new(Exit::Usage, "mask_would_be_lost", message).hint("leave standard error as the runner gave it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(to: &[SinkSpec], for_people: bool, circumstances: &Circumstances, terminal: &Terminal) -> Option<Exit> {
        let refused = Handover::prepare(to, for_people, circumstances, terminal).err()?;
        refused.downcast_ref::<Failure>().map(|failure| failure.exit)
    }

    #[test]
    fn a_reader_gets_what_it_is_given_and_nothing_by_the_way() {
        let read = Circumstances { reader: Some("a CI log (CI is set)".to_owned()), ..Circumstances::default() };
        let (on_screen, _) = Terminal::test_screen(80);
        let (captured, _) = Terminal::test();
        for for_people in [true, false] {
            assert_eq!(refusal(&[], for_people, &read, &on_screen), Some(Exit::Unconfirmed));
            assert_eq!(refusal(&[], for_people, &read, &captured), None);
            assert_eq!(refusal(&[], for_people, &Circumstances::default(), &on_screen), None);
        }
        assert_eq!(refusal(&[SinkSpec::Stdout], true, &read, &on_screen), None);
        assert_eq!(refusal(&[SinkSpec::Stdout], false, &read, &captured), Some(Exit::Usage));
    }
}
