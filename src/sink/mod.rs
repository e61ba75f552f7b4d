//! Where a secret goes instead of a screen: `--to`, one file per place.
//!
//! Every place is prepared, that is opened and checked, before the key is minted: a secret that can be shown only once
//! must not find out afterwards that the disk is full. Dropped before they are used, the places leave nothing behind.

pub(crate) mod clipboard;
mod command;
mod descriptor;
mod dotenv;
mod error;
mod file;
mod github;
mod json;
mod keyring;
mod spec;
mod stdout;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zeroize::Zeroizing;

pub(crate) use self::error::{SinkError, Undelivered};
pub(crate) use self::spec::{BEGINNINGS, NotASink, SinkSpec};

use self::error::Reason;
use crate::model::secret::PlainKey;

/// Room made on a disk beforehand for what is written around a plaintext: more than the longest key takes.
const RESERVE: usize = 2048;

/// What the environment says of the places there are. Filled by `config`, the only reader of the environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Circumstances {
    /// The variables in which keys that manage keys are given, besides `KEYS_API_KEY`.
    pub(crate) credentials: Vec<&'static str>,
    /// Who would keep what is printed for good: a coding agent, a CI log.
    pub(crate) reader: Option<String>,
    /// Whether that is an agent.
    pub(crate) agent: bool,
    /// `GITHUB_ACTIONS` is set.
    pub(crate) github_actions: bool,
    /// `GITHUB_ENV`
    pub(crate) github_env: Option<PathBuf>,
    /// `GITHUB_OUTPUT`
    pub(crate) github_output: Option<PathBuf>,
    /// `CI_PROJECT_DIR`, within GitLab.
    pub(crate) gitlab_project: Option<PathBuf>,
    /// `TMUX` is set.
    pub(crate) tmux: bool,
    /// `SSH_CONNECTION` is set.
    pub(crate) ssh: bool,
}

impl Circumstances {
    /// Whether the runner of GitHub Actions is to be told of a secret, to mask it in the log, before anything else holds
    /// it. An agent within a step would be the one who is told: it reads what the command says, and the runner does not.
    pub(crate) const fn masks(&self) -> bool {
        self.github_actions && !self.agent
    }
}

/// The places of one run, ready to receive.
pub(crate) struct Sinks(Vec<(String, Box<dyn Sink + Send>)>);

impl Sinks {
    /// Whether there is no place at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each place on its own, for deliveries that are noted one by one.
    pub(crate) fn each(self) -> impl Iterator<Item = Self> {
        self.0.into_iter().map(|place| Self(vec![place]))
    }

    /// Makes every place ready. The first that cannot be made ready undoes the others.
    pub(crate) fn prepare(specs: &[SinkSpec], circumstances: &Circumstances) -> Result<Self, SinkError> {
        refuse_repetition(specs)?;
        let prepare = |spec: &SinkSpec| match prepare(spec, circumstances) {
            Ok(sink) => Ok((spec.to_string(), sink)),
            Err(reason) => Err(SinkError::NotReady { place: spec.to_string(), reason }),
        };
        specs.iter().map(prepare).collect::<Result<_, _>>().map(Self)
    }

    /// Hands the secret to each place, in order, up to the first that fails. Returns the places.
    pub(crate) fn deliver(
        self,
        plain: &PlainKey,
        record: &Value,
        stdout: &mut dyn Write,
    ) -> Result<Vec<String>, Undelivered> {
        let mut delivery = Delivery { plain, record, stdout };
        let mut done = Vec::new();
        for (place, sink) in self.0 {
            let note = sink.note();
            if let Err(reason) = sink.deliver(&mut delivery) {
                let cause = Box::new(SinkError::NotDelivered { place: place.clone(), reason });
                return Err(Undelivered { done, cause });
            }
            done.push(note.map_or_else(|| place.clone(), |note| format!("{place}: {note}")));
        }
        Ok(done)
    }
}

/// What a place is given.
struct Delivery<'a> {
    plain: &'a PlainKey,
    /// The key's JSON object, without the secret.
    record: &'a Value,
    stdout: &'a mut dyn Write,
}

/// A place that is ready. Used up by the delivery, so that it happens once.
trait Sink {
    fn deliver(self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason>;

    /// What is to be said of the place once it has the secret, besides its name.
    fn note(&self) -> Option<String> {
        None
    }
}

/// Whether a secret will be on standard output, where then nothing else may be.
pub(crate) fn writes_to_stdout(specs: &[SinkSpec]) -> bool {
    specs.iter().any(|spec| Target::of(spec) == Target::Descriptor(1))
}

fn prepare(spec: &SinkSpec, circumstances: &Circumstances) -> Result<Box<dyn Sink + Send>, Reason> {
    Ok(match spec {
        SinkSpec::Stdout => Box::new(stdout::StdoutSink),
        SinkSpec::File(path) => Box::new(file::FileSink::prepare(path)?),
        SinkSpec::Dotenv { path, variable } => {
            refuse_report(path, circumstances)?;
            Box::new(dotenv::DotenvSink::prepare(path, variable)?)
        }
        SinkSpec::Json(path) => Box::new(json::JsonSink::prepare(path)?),
        SinkSpec::Keyring { service, account } => Box::new(keyring::KeyringSink::prepare(service, account)?),
        SinkSpec::Command(command) => Box::new(command::CommandSink::prepare(command, &circumstances.credentials)?),
        SinkSpec::Descriptor(number) => Box::new(descriptor::DescriptorSink::prepare(*number)?),
        SinkSpec::Clipboard => clipboard::prepare(circumstances)?,
        SinkSpec::GithubEnv(name) => Box::new(github::environment(name, circumstances)?),
        SinkSpec::GithubOutput(name) => Box::new(github::output(name, circumstances)?),
    })
}

/// Refuses a dotenv file where GitLab may pick it up as a report: whoever may see the pipeline could download it, and
/// nothing masks it in later jobs. Reports are taken from the project's directory only; which files are, is said in a
/// place that this program does not see. A file of another form is no report, and often the only way within a job.
fn refuse_report(path: &Path, circumstances: &Circumstances) -> Result<(), Reason> {
    match &circumstances.gitlab_project {
        Some(project) if canonical(path).starts_with(project.canonicalize().as_deref().unwrap_or(project)) => {
            Err(Reason::Report)
        }
        _ => Ok(()),
    }
}

/// What a place writes to, however it is spelled: two places with one target would undo each other.
#[derive(PartialEq)]
enum Target<'a> {
    File(PathBuf),
    Variable(PathBuf, &'a str),
    Command(&'a str),
    Entry(&'a str, &'a str),
    Descriptor(u32),
    Clipboard,
    GithubEnv(&'a str),
    GithubOutput(&'a str),
}

impl<'a> Target<'a> {
    fn of(spec: &'a SinkSpec) -> Self {
        match spec {
            SinkSpec::Stdout => Self::Descriptor(1),
            SinkSpec::File(path) | SinkSpec::Json(path) => Self::File(canonical(path)),
            SinkSpec::Dotenv { path, variable } => Self::Variable(canonical(path), variable),
            SinkSpec::Keyring { service, account } => Self::Entry(service, account),
            SinkSpec::Command(command) => Self::Command(command),
            SinkSpec::Descriptor(number) => Self::Descriptor(*number),
            SinkSpec::Clipboard => Self::Clipboard,
            SinkSpec::GithubEnv(name) => Self::GithubEnv(name),
            SinkSpec::GithubOutput(name) => Self::GithubOutput(name),
        }
    }

    fn collides(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(file), Self::Variable(path, _)) | (Self::Variable(path, _), Self::File(file)) => file == path,
            _ => self == other,
        }
    }
}

fn refuse_repetition(specs: &[SinkSpec]) -> Result<(), SinkError> {
    let mut targets: Vec<(Target<'_>, &SinkSpec)> = Vec::with_capacity(specs.len());
    for spec in specs {
        let target = Target::of(spec);
        if let Some((_, first)) = targets.iter().find(|(earlier, _)| earlier.collides(&target)) {
            let reason = Reason::Repeated(first.to_string());
            return Err(SinkError::NotReady { place: spec.to_string(), reason });
        }
        targets.push((target, spec));
    }
    Ok(())
}

/// One spelling for each file. A link at the end stays as it is: writing to one is refused later.
fn canonical(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let directory = absolute.parent().and_then(|parent| parent.canonicalize().ok());
    match (directory, absolute.file_name().map(OsString::from)) {
        (Some(directory), Some(name)) => directory.join(name),
        _ => absolute,
    }
}

/// The plaintext and a line break, as `ssh-keygen` would write it: `$(cat key)` drops the line break again.
fn line(plain: &PlainKey) -> Zeroizing<Vec<u8>> {
    let text = plain.expose().as_bytes();
    // Sized beforehand: a buffer that grew would leave a copy behind.
    let mut line = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    line.extend_from_slice(text);
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::exit::{Exit, Explain};
    use crate::files::scratch::Scratch;

    /// Visible ASCII, with everything in it that a shell or a parser might take for its own.
    pub(super) const AWKWARD: &str = r#"k_'"$HOME`id`\n#!&;|<>*{}~"#;

    pub(super) fn key(text: &str) -> PlainKey {
        PlainKey::parse(&Zeroizing::new(text.to_owned())).unwrap()
    }

    pub(super) fn specs(texts: &[&str]) -> Vec<SinkSpec> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Prepares and delivers; returns the outcome and what was on standard output.
    pub(super) fn deliver(texts: &[&str], plain: &str) -> (Result<Vec<String>, Undelivered>, String) {
        let mut stdout = Vec::new();
        let sinks = Sinks::prepare(&specs(texts), &Circumstances::default()).unwrap();
        let outcome = sinks.deliver(&key(plain), &json!({"id": "k1", "name": "ci"}), &mut stdout);
        (outcome, String::from_utf8(stdout).unwrap())
    }

    /// What the preparation says to these places.
    pub(super) fn refusal(texts: &[&str]) -> String {
        let error = Sinks::prepare(&specs(texts), &Circumstances::default()).err().expect("this cannot be prepared");
        assert_eq!((error.exit(), error.code()), (Exit::Usage, "sink_not_ready"));
        format!("{error}; {}", error.hint().unwrap_or_default())
    }

    #[test]
    fn standard_output_gets_the_plaintext_and_nothing_else() {
        let (outcome, stdout) = deliver(&["stdout"], "wbk_secret");
        assert_eq!(outcome.unwrap(), ["stdout"]);
        assert_eq!(stdout, "wbk_secret\n");
        assert!(writes_to_stdout(&specs(&["file:x", "stdout"])) && writes_to_stdout(&specs(&["fd:1"])));
        assert!(!writes_to_stdout(&specs(&["file:x", "fd:2"])));
    }

    #[test]
    fn every_place_gets_its_own() {
        let scratch = Scratch::new();
        let place = |form: &str, name: &str| format!("{form}:{}", scratch.path(name).display());
        let places =
            [place("file", "key"), "stdout".to_owned(), place("json", "key.json"), place("dotenv", ".env#KEY")];
        let texts: Vec<&str> = places.iter().map(String::as_str).collect();
        let (outcome, stdout) = deliver(&texts, "wbk_secret");
        assert_eq!(outcome.unwrap(), places);
        assert_eq!(stdout, "wbk_secret\n");
        assert_eq!(scratch.names(), [".env", "key", "key.json"]);
    }

    #[test]
    fn what_is_prepared_and_dropped_leaves_nothing() {
        let scratch = Scratch::new();
        let place = |form: &str, name: &str| format!("{form}:{}", scratch.path(name).display()).parse().unwrap();
        let specs = [place("file", "key"), place("json", "key.json"), place("dotenv", ".env#KEY")];
        let sinks = Sinks::prepare(&specs, &Circumstances::default()).unwrap();
        assert_eq!(scratch.names().len(), 3);
        drop(sinks);
        assert!(scratch.names().is_empty());
    }

    #[test]
    fn one_that_cannot_be_prepared_undoes_those_before_it() {
        let scratch = Scratch::new();
        let good = format!("file:{}", scratch.path("key").display());
        let bad = format!("file:{}", scratch.path("absent/key").display());
        let refused = refusal(&[&good, &bad]);
        assert!(refused.contains("absent/key") && refused.contains("mkdir -p"), "{refused}");
        assert!(scratch.names().is_empty());
    }

    #[test]
    fn the_first_failure_ends_the_delivery_and_names_what_is_done() {
        let scratch = Scratch::new();
        let first = format!("file:{}", scratch.path("first").display());
        let second = format!("file:{}", scratch.path("second").display());
        let third = format!("file:{}", scratch.path("third").display());
        let sinks = Sinks::prepare(&specs(&[&first, &second, &third]), &Circumstances::default()).unwrap();
        fs::create_dir(scratch.path("second")).unwrap();
        let failure = sinks.deliver(&key("wbk_secret"), &json!({}), &mut Vec::new()).unwrap_err();
        assert_eq!((failure.cause.exit(), failure.cause.code()), (Exit::Undelivered, "not_delivered"));
        assert_eq!(failure.done, [first]);
        assert!(failure.cause.to_string().contains(&second), "{}", failure.cause);
        assert!(failure.to_string().contains(&second), "{failure}");
        assert!(!format!("{failure} {failure:?}").contains("wbk_secret"));
        assert_eq!(scratch.names(), ["first", "second"]);
    }

    #[test]
    fn a_closed_standard_output_is_a_failure_and_no_closed_pipe() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let sinks = Sinks::prepare(&specs(&["stdout"]), &Circumstances::default()).unwrap();
        let failure = sinks.deliver(&key("wbk_secret"), &json!({}), &mut Closed).unwrap_err();
        assert_eq!(failure.cause.exit(), Exit::Undelivered);
        let failure = anyhow::Error::new(failure);
        let silent = failure.chain().any(<dyn std::error::Error>::is::<std::io::Error>);
        assert!(!silent, "it would be passed over like a reader who has seen enough");
    }

    #[test]
    fn the_same_target_twice_is_refused_however_it_is_spelled() {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path("sub")).unwrap();
        let place = |form: &str, name: &str| format!("{form}:{}", scratch.path(name).display());
        let pairs = [
            (place("file", "key"), place("file", "key")),
            (place("file", "key"), place("json", "./key")),
            (place("file", "key"), place("file", "sub/../key")),
            (place("dotenv", "key#A"), place("file", "key")),
            (place("dotenv", "key#A"), place("dotenv", "key#A")),
            ("stdout".to_owned(), "fd:1".to_owned()),
            ("cmd:cat".to_owned(), "cmd:cat".to_owned()),
        ];
        for (first, second) in &pairs {
            let refused = refusal(&[first, second]);
            assert!(refused.contains(&format!("`{first}` goes there already")), "{refused}");
        }
        assert_eq!(scratch.names(), ["sub"]);
    }
}
