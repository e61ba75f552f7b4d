//! How a place is written on the command line, `file:PATH`, and read back from it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

/// The forms there are, for messages.
const FORMS: &str = "stdout, clipboard, file:PATH, dotenv:PATH#VAR, json:PATH, keyring:SERVICE/ACCOUNT, cmd:COMMAND, \
    github-env:NAME, github-output:NAME, fd:N";

/// How each of them begins, and what it is, for a shell to complete.
pub(crate) const BEGINNINGS: [(&str, &str); 10] = [
    ("stdout", "standard output"),
    ("clipboard", "the clipboard"),
    ("file:", "a file"),
    ("dotenv:", "a variable in a file of assignments"),
    ("json:", "a file with the whole object"),
    ("keyring:", "an entry of the system's keyring"),
    ("cmd:", "a command, on its standard input"),
    ("github-env:", "a variable of a job of GitHub Actions"),
    ("github-output:", "an output of a step of GitHub Actions"),
    ("fd:", "an open descriptor"),
];

/// A place a secret can go to, as it was asked for. Nothing is opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SinkSpec {
    Stdout,
    File(PathBuf),
    Dotenv {
        path: PathBuf,
        variable: String,
    },
    Json(PathBuf),
    Keyring {
        service: String,
        account: String,
    },
    Command(String),
    Descriptor(u32),
    Clipboard,
    /// A variable of the steps that follow in a job of GitHub Actions.
    GithubEnv(String),
    /// An output of this step in a job of GitHub Actions.
    GithubOutput(String),
}

impl FromStr for SinkSpec {
    type Err = NotASink;

    fn from_str(text: &str) -> Result<Self, NotASink> {
        let (form, rest) = text.split_once(':').map_or((text, None), |(form, rest)| (form, Some(rest)));
        match (form, rest) {
            ("stdout", None) => Ok(Self::Stdout),
            ("clipboard", None) => Ok(Self::Clipboard),
            ("file", Some(rest)) => path(rest).map(Self::File),
            ("json", Some(rest)) => path(rest).map(Self::Json),
            ("dotenv", Some(rest)) => dotenv(rest),
            ("keyring", Some(rest)) => keyring(rest),
            ("cmd", Some(rest)) if rest.trim().is_empty() => Err(NotASink::NoCommand),
            ("cmd", Some(rest)) => Ok(Self::Command(rest.to_owned())),
            ("fd", Some(rest)) => descriptor(rest).map(Self::Descriptor),
            ("github-env", Some(rest)) => github_variable(rest).map(Self::GithubEnv),
            ("github-output", Some(rest)) => github_output(rest).map(Self::GithubOutput),
            _ => Err(NotASink::Unknown),
        }
    }
}

impl SinkSpec {
    /// The same place from whichever directory.
    pub(crate) fn absolute(self) -> Self {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        match self {
            Self::File(path) => Self::File(absolute(path)),
            Self::Json(path) => Self::Json(absolute(path)),
            Self::Dotenv { path, variable } => Self::Dotenv { path: absolute(path), variable },
            other => other,
        }
    }
}

impl fmt::Display for SinkSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => formatter.write_str("stdout"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Dotenv { path, variable } => {
                write!(formatter, "dotenv:{}#{variable}", path.display())
            }
            Self::Json(path) => write!(formatter, "json:{}", path.display()),
            Self::Keyring { service, account } => write!(formatter, "keyring:{service}/{account}"),
            Self::Command(command) => write!(formatter, "cmd:{command}"),
            Self::Descriptor(number) => write!(formatter, "fd:{number}"),
            Self::Clipboard => formatter.write_str("clipboard"),
            Self::GithubEnv(name) => write!(formatter, "github-env:{name}"),
            Self::GithubOutput(name) => write!(formatter, "github-output:{name}"),
        }
    }
}

/// Why a text names no place. Does not quote it: whoever prints this has it.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NotASink {
    #[error("there is no such place; a secret can go to {FORMS}")]
    Unknown,
    #[error("the path is missing, as in `file:secrets/key`")]
    NoPath,
    #[error("`~` is not expanded here: write `$HOME/...`, or `./~/...` for a directory of that name")]
    Tilde,
    #[error("the variable is missing, as in `dotenv:.env#API_KEY`")]
    NoVariable,
    #[error(
        "a variable is made of letters, digits and `_` and does not start with a digit, as in `dotenv:.env#API_KEY`"
    )]
    NotAVariable,
    #[error("a keyring's entry has two names, as in `keyring:SERVICE/ACCOUNT`")]
    NotAnEntry,
    #[error(
        "a variable is made of letters, digits and `_` and does not start with a digit, as in `github-env:API_KEY`"
    )]
    NotAGithubVariable,
    #[error("GitHub keeps the variables GITHUB_*, RUNNER_* and NODE_OPTIONS for itself")]
    Reserved,
    #[error(
        "an output is made of letters, digits, `_` and `-` and starts with a letter or `_`, as in `github-output:api-key`"
    )]
    NotAnOutput,
    #[error("the command is missing, as in `cmd:pass insert -e api-key`")]
    NoCommand,
    #[error("a descriptor is a number from 1 on, as in `fd:3`; 0 is standard input")]
    NotADescriptor,
}

fn path(text: &str) -> Result<PathBuf, NotASink> {
    if text.is_empty() {
        return Err(NotASink::NoPath);
    }
    // Shells expand it only at the start of a word, and the word starts with `file:`.
    if text == "~" || text.starts_with("~/") {
        return Err(NotASink::Tilde);
    }
    Ok(Path::new(text).to_owned())
}

/// The last `#` separates, because a path may hold one and a variable cannot.
fn dotenv(text: &str) -> Result<SinkSpec, NotASink> {
    let (file, variable) = text.rsplit_once('#').ok_or(NotASink::NoVariable)?;
    if variable.is_empty() {
        return Err(NotASink::NoVariable);
    }
    if !is_variable(variable) {
        return Err(NotASink::NotAVariable);
    }
    Ok(SinkSpec::Dotenv { path: path(file)?, variable: variable.to_owned() })
}

/// The first `/` separates: an account, such as an address, may hold one.
fn keyring(text: &str) -> Result<SinkSpec, NotASink> {
    let (service, account) = text.split_once('/').ok_or(NotASink::NotAnEntry)?;
    let is_name = |name: &str| !name.trim().is_empty() && !name.contains(char::is_control);
    if !is_name(service) || !is_name(account) {
        return Err(NotASink::NotAnEntry);
    }
    Ok(SinkSpec::Keyring { service: service.to_owned(), account: account.to_owned() })
}

fn is_variable(text: &str) -> bool {
    let character = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.starts_with(|first: char| !first.is_ascii_digit()) && text.bytes().all(character)
}

/// Whether GitHub lets it be set is asked here and not on its runner, where it would be asked after the key is made.
fn github_variable(text: &str) -> Result<String, NotASink> {
    if !is_variable(text) {
        return Err(NotASink::NotAGithubVariable);
    }
    let upper = text.to_ascii_uppercase();
    if upper.starts_with("GITHUB_") || upper.starts_with("RUNNER_") || upper == "NODE_OPTIONS" {
        return Err(NotASink::Reserved);
    }
    Ok(text.to_owned())
}

fn github_output(text: &str) -> Result<String, NotASink> {
    let character = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if starts && text.bytes().all(character) { Ok(text.to_owned()) } else { Err(NotASink::NotAnOutput) }
}

fn descriptor(text: &str) -> Result<u32, NotASink> {
    let number = i32::from_str(text).ok().and_then(|number| u32::try_from(number).ok());
    match number {
        Some(number) if number > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(number),
        _ => Err(NotASink::NotADescriptor),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_spec() -> impl Strategy<Value = SinkSpec> {
        // Colons, hashes, quotes and spaces are all legitimate in a path.
        let path = "[^~\0]\\PC{0,30}";
        prop_oneof![
            Just(SinkSpec::Stdout),
            path.prop_map(|path| SinkSpec::File(path.into())),
            (path, "[A-Za-z_][A-Za-z0-9_]{0,20}")
                .prop_map(|(path, variable)| SinkSpec::Dotenv { path: path.into(), variable }),
            path.prop_map(|path| SinkSpec::Json(path.into())),
            ("[^/\\p{Cc}]{0,20}x", "\\P{Cc}{0,20}x")
                .prop_map(|(service, account)| SinkSpec::Keyring { service, account }),
            "[!-~]\\PC{0,40}".prop_map(SinkSpec::Command),
            (1..=i32::MAX.cast_unsigned()).prop_map(SinkSpec::Descriptor),
            Just(SinkSpec::Clipboard),
            "[A-FH-MO-Qa-fh-mo-q][A-Za-z0-9_]{0,20}".prop_map(SinkSpec::GithubEnv),
            "[A-Za-z_][A-Za-z0-9_-]{0,20}".prop_map(SinkSpec::GithubOutput),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(spec in any_spec()) {
            prop_assert_eq!(spec.to_string().parse(), Ok(spec));
        }

        #[test]
        fn no_text_panics(
            text in "(stdout|file|dotenv|json|keyring|cmd|fd|clipboard|github-env|github-output)?:?.*"
        ) {
            SinkSpec::from_str(&text).ok();
        }
    }

    #[test]
    fn the_last_hash_separates() {
        let spec = SinkSpec::Dotenv { path: "a#b/.env".into(), variable: "KEY".to_owned() };
        assert_eq!("dotenv:a#b/.env#KEY".parse(), Ok(spec));
    }

    #[test]
    fn what_names_no_place_is_told_apart() {
        let cases = [
            ("", NotASink::Unknown),
            ("file", NotASink::Unknown),
            ("stdout:", NotASink::Unknown),
            ("clipboard:", NotASink::Unknown),
            ("github-env", NotASink::Unknown),
            ("github-env:", NotASink::NotAGithubVariable),
            ("github-env:MY-KEY", NotASink::NotAGithubVariable),
            ("github-env:A=B", NotASink::NotAGithubVariable),
            ("github-env:github_token", NotASink::Reserved),
            ("github-env:RUNNER_TEMP", NotASink::Reserved),
            ("github-env:NODE_OPTIONS", NotASink::Reserved),
            ("github-output:", NotASink::NotAnOutput),
            ("github-output:-key", NotASink::NotAnOutput),
            ("github-output:key<<EOF", NotASink::NotAnOutput),
            ("file:", NotASink::NoPath),
            ("json:", NotASink::NoPath),
            ("dotenv:#KEY", NotASink::NoPath),
            ("file:~/key", NotASink::Tilde),
            ("dotenv:~/.env#KEY", NotASink::Tilde),
            ("dotenv:.env", NotASink::NoVariable),
            ("dotenv:.env#", NotASink::NoVariable),
            ("dotenv:.env#1KEY", NotASink::NotAVariable),
            ("dotenv:.env#MY-KEY", NotASink::NotAVariable),
            ("keyring:", NotASink::NotAnEntry),
            ("keyring:service", NotASink::NotAnEntry),
            ("keyring:/account", NotASink::NotAnEntry),
            ("keyring:service/", NotASink::NotAnEntry),
            ("keyring:service/a\nb", NotASink::NotAnEntry),
            ("keyring:\u{1}_/x", NotASink::NotAnEntry),
            ("cmd:", NotASink::NoCommand),
            ("cmd:  ", NotASink::NoCommand),
            ("fd:", NotASink::NotADescriptor),
            ("fd:0", NotASink::NotADescriptor),
            ("fd:+3", NotASink::NotADescriptor),
            ("fd:-1", NotASink::NotADescriptor),
            ("fd:4294967296", NotASink::NotADescriptor),
        ];
        for (text, refused) in cases {
            assert_eq!(SinkSpec::from_str(text), Err(refused), "{text}");
        }
        assert!(NotASink::Unknown.to_string().contains(FORMS));
        let forms: Vec<&str> = FORMS.split(", ").map(|form| form.split_inclusive(':').next().unwrap()).collect();
        assert!(forms.len() == BEGINNINGS.len() && BEGINNINGS.iter().all(|(form, _)| forms.contains(form)));
    }
}
