//! `cmd:COMMAND`: a command of the user's, for instance of a password store, that reads the plaintext on its standard
//! input. Without a line break, because a store would keep it. Never in its arguments or its environment, which other
//! processes can read.

use std::io::{self, ErrorKind, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(unix)]
use std::time::Duration;

use super::error::Reason;
use super::{Delivery, Sink};

/// A command that will be run once there is a key.
pub(super) struct CommandSink {
    command: String,
    /// Variables that are not handed on to it.
    withheld: Vec<&'static str>,
}

impl CommandSink {
    /// Checks what can be checked without running any of the command.
    pub(super) fn prepare(command: &str, withheld: &[&'static str]) -> Result<Self, Reason> {
        check(command)?;
        Ok(Self { command: command.to_owned(), withheld: withheld.to_vec() })
    }
}

impl Sink for CommandSink {
    fn deliver(self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        let output = standard_error().map_err(Reason::system("hand on standard error"))?;
        let mut shell = shell(&self.command);
        for variable in self.withheld {
            shell.env_remove(variable);
        }
        // Asked for before the command runs, which may be when it comes.
        #[cfg(unix)]
        let signals = Signals::watch();
        let mut child = shell
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(Reason::system("start the command"))?;
        // Taken, so that it is closed here and the command sees the end.
        let written =
            child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(delivery.plain.expose().as_bytes()));
        #[cfg(unix)]
        let status = wait(&mut child, &signals)?;
        #[cfg(not(unix))]
        let status = wait(&mut child)?;
        if !status.success() {
            return Err(Reason::Ended(status));
        }
        match written {
            // It did not want all of its input and says that all is well: that is its decision.
            Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(Reason::system("write to the command")),
        }
    }
}

/// Waits for the command to end, or for somebody who wants this program to end: signals no longer do that by themselves
/// once a change was sent, and a command may hang for ever.
#[cfg(unix)]
fn wait(child: &mut Child, signals: &Signals) -> Result<ExitStatus, Reason> {
    loop {
        let status = child.try_wait().map_err(Reason::system("wait for the command"))?;
        match (status, signals.caught()) {
            // Ctrl-C at a terminal ends the command as well.
            (Some(status), Some(reason)) if !status.success() => return Err(reason),
            (Some(status), _) => return Ok(status),
            (None, Some(reason)) => {
                child.kill().and_then(|()| child.wait().map(drop)).ok();
                return Err(reason);
            }
            (None, None) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// The last signal that wanted this program to end, as long as this lives.
#[cfg(unix)]
struct Signals {
    last: Arc<AtomicUsize>,
    watches: Vec<signal_hook::SigId>,
}

#[cfg(unix)]
impl Signals {
    const INTERRUPTED: usize = 1;
    const TERMINATED: usize = 2;

    fn watch() -> Self {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

        let last = Arc::new(AtomicUsize::new(0));
        let signals = [(SIGINT, Self::INTERRUPTED), (SIGTERM, Self::TERMINATED), (SIGHUP, Self::TERMINATED)];
        let watches = signals
            .into_iter()
            .filter_map(|(signal, value)| signal_hook::flag::register_usize(signal, Arc::clone(&last), value).ok());
        Self { watches: watches.collect(), last }
    }

    fn caught(&self) -> Option<Reason> {
        match self.last.load(Ordering::Relaxed) {
            0 => None,
            caught => Some(Reason::Interrupted { terminated: caught == Self::TERMINATED }),
        }
    }
}

#[cfg(unix)]
impl Drop for Signals {
    fn drop(&mut self) {
        for watch in self.watches.drain(..) {
            signal_hook::low_level::unregister(watch);
        }
    }
}

#[cfg(not(unix))]
fn wait(child: &mut Child) -> Result<ExitStatus, Reason> {
    child.wait().map_err(Reason::system("wait for the command"))
}

/// The key that manages keys is not handed on to a command that is to have another one.
const ADMIN_KEY: &str = "KEYS_API_KEY";

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env_remove(ADMIN_KEY);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    use std::os::windows::process::CommandExt;

    let mut shell = Command::new("cmd");
    // `cmd` splits its line by rules of its own, which quoting for other programs would break.
    shell.arg("/C").raw_arg(command).env_remove(ADMIN_KEY);
    shell
}

/// Where the command's output goes: standard output belongs to data.
#[cfg(unix)]
fn standard_error() -> io::Result<Stdio> {
    rustix::stdio::stderr().try_clone_to_owned().map(Stdio::from)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems can fail")]
fn standard_error() -> io::Result<Stdio> {
    #[expect(clippy::disallowed_methods, reason = "handed on to a child, nothing is written here")]
    let standard_error = io::stderr();
    Ok(Stdio::from(standard_error))
}

/// Asks the shell whether it understands the command and would find its first word.
#[cfg(unix)]
fn check(command: &str) -> Result<(), Reason> {
    let syntax = ask(&["-n", "-c", command])?;
    if !syntax.status.success() {
        let said = String::from_utf8_lossy(&syntax.stderr);
        return Err(Reason::Syntax(said.lines().next().unwrap_or("no reason given").to_owned()));
    }
    if let Some(word) = first_word(command)
        && !ask(&["-c", r#"command -v "$1""#, "sh", word])?.status.success()
    {
        return Err(Reason::NoCommand(word.to_owned()));
    }
    Ok(())
}

/// There is no way to have `cmd` check a command without running it.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems can refuse")]
fn check(_: &str) -> Result<(), Reason> {
    Ok(())
}

#[cfg(unix)]
fn ask(arguments: &[&str]) -> Result<std::process::Output, Reason> {
    Command::new("sh").args(arguments).stdin(Stdio::null()).output().map_err(Reason::system("start `sh`"))
}

/// The first word, if it can only be the name of a command: no assignment, expansion, function or redirection.
#[cfg(unix)]
fn first_word(command: &str) -> Option<&str> {
    let command = command.trim_start();
    let plain = |character: char| character.is_ascii_alphanumeric() || "_./+-".contains(character);
    let (word, rest) = command.split_at(command.find(|character| !plain(character)).unwrap_or(command.len()));
    let ends = rest.is_empty() || rest.starts_with(|next: char| next.is_whitespace() || ";&|<>".contains(next));
    let is_function = rest.trim_start().starts_with('(');
    let is_descriptor = word.bytes().all(|byte| byte.is_ascii_digit());
    (ends && !is_function && !is_descriptor && !word.starts_with('-')).then_some(word)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::tests::{AWKWARD, deliver, key, refusal, specs};
    use super::super::{Circumstances, Sinks, Undelivered};
    use super::*;
    use crate::files::scratch::Scratch;

    fn run(command: &str, plain: &str) -> Result<Vec<String>, Undelivered> {
        let (outcome, stdout) = deliver(&[&format!("cmd:{command}")], plain);
        assert_eq!(stdout, "");
        outcome
    }

    #[test]
    fn the_command_gets_exactly_the_plaintext() {
        let scratch = Scratch::new();
        let path = scratch.path("received");
        run(&format!("cat > '{}'", path.display()), AWKWARD).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), AWKWARD);
    }

    #[test]
    fn nothing_runs_before_there_is_a_key() {
        let scratch = Scratch::new();
        let command = format!("touch '{0}'; : $(touch '{0}')", scratch.path("ran").display());
        let sinks = Sinks::prepare(&specs(&[&format!("cmd:{command}")]), &Circumstances::default()).unwrap();
        assert!(scratch.names().is_empty());
        sinks.deliver(&key("wbk_secret"), &serde_json::Value::Null, &mut Vec::new()).unwrap();
        assert_eq!(scratch.names(), ["ran"]);
    }

    #[test]
    fn the_secret_is_neither_in_the_arguments_nor_in_the_environment() {
        let scratch = Scratch::new();
        let path = scratch.path("seen");
        run(
            &format!("{{ env; cat /proc/$$/cmdline; ps -ww; }} > '{}' 2>&1; cat >/dev/null", path.display()),
            "wbk_secret",
        )
        .unwrap();
        let seen = fs::read(&path).unwrap();
        assert!(!String::from_utf8_lossy(&seen).contains("wbk_secret"));
    }

    #[test]
    fn both_outputs_of_the_command_are_standard_error() {
        run("cat >/dev/null; [ /dev/fd/1 -ef /dev/fd/2 ]", "wbk_secret").unwrap();
    }

    #[test]
    fn a_command_that_fails_is_named_with_its_status() {
        let failure = run("cat >/dev/null; exit 3", "wbk_secret").unwrap_err().to_string();
        assert!(failure.contains("exit status: 3") && !failure.contains("wbk_secret"), "{failure}");
        let failure = run("kill -9 $$", "wbk_secret").unwrap_err().to_string();
        assert!(failure.contains("signal: 9"), "{failure}");
    }

    #[test]
    fn a_command_that_does_not_read_decides_by_its_status() {
        for _ in 0..20 {
            run("exec <&-; exit 0", "wbk_secret").unwrap();
            assert!(run("exec <&-; exit 1", "wbk_secret").unwrap_err().to_string().contains("exit status: 1"));
        }
    }

    #[test]
    fn what_cannot_run_is_refused_at_once() {
        assert!(refusal(&["cmd:if then"]).contains("does not understand"));
        assert!(refusal(&["cmd:cat 'unfinished"]).contains("does not understand"));
        assert!(refusal(&["cmd:no-such-command-here --flag"]).contains("no command `no-such-command-here`"));
        assert!(refusal(&["cmd:./no/such/script"]).contains("no command"));
    }

    #[test]
    fn only_what_must_be_a_command_is_looked_up() {
        let cases = [
            ("pass insert -e key", Some("pass")),
            ("  cat>file", Some("cat")),
            ("./store;true", Some("./store")),
            ("A=1 store", None),
            ("$STORE key", None),
            ("'my store' key", None),
            ("store() { cat; }; store", None),
            ("store () { cat; }; store", None),
            ("2>/dev/null store", None),
            ("(store)", None),
            ("~/bin/store", None),
        ];
        for (command, word) in cases {
            assert_eq!(first_word(command), word, "{command}");
        }
        Sinks::prepare(
            &specs(&["cmd:if true; then cat; fi", "cmd:cd / && cat", "cmd:{ cat; }", "cmd:A=1 unheard-of"]),
            &Circumstances::default(),
        )
        .unwrap();
    }

    proptest! {
        #[test]
        fn no_command_panics(command in "\\PC*") {
            first_word(&command);
        }
    }
}
