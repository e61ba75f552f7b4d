//! `clipboard`: where a person pastes from. Cleared after a while, unless something else was copied in between.
//!
//! There are three. Within tmux it is a buffer of tmux. Over SSH it is the terminal's, which can be asked to copy (OSC 52),
//! never answers and cannot be asked to forget. Everywhere else it is the system's, where what was copied often lasts only
//! as long as the process that copied it. So this program starts itself once more, as [`hold`]: detached, with the secret
//! on a pipe, saying when it has the clipboard, and gone when the time is over.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::Reason;
use super::{Circumstances, Delivery, Sink};
use crate::model::secret::PlainKey;

/// How long a secret stays in a clipboard, in seconds.
pub(crate) const HELD: u64 = 45;

/// How long a clipboard may take to accept something.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often it is asked whether it has.
const PAUSE: Duration = Duration::from_millis(5);

/// What the holder says when the secret is where it should be.
pub(crate) const READY: &str = "READY";

/// The word that makes this program a holder.
pub(crate) const HOLD: &str = "__hold";

/// The name of the buffer in tmux.
const BUFFER: &str = "keys";

/// The clipboards that a holder can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Held {
    System,
    Tmux,
}

impl Held {
    const fn argument(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Tmux => "tmux",
        }
    }
}

/// Finds the clipboard of this person, and whether it is there.
pub(super) fn prepare(circumstances: &Circumstances) -> Result<Box<dyn Sink + Send>, Reason> {
    if circumstances.tmux {
        let answers = tmux(&["display-message", "-p", "#{version}"]).output();
        let answers = answers.map_err(|error| Reason::NoClipboard(format!("tmux could not be started: {error}")))?;
        if !answers.status.success() {
            return Err(Reason::NoClipboard("TMUX is set, but tmux does not answer".to_owned()));
        }
        return Ok(Box::new(HeldSink(Held::Tmux)));
    }
    if circumstances.ssh {
        let terminal = OpenOptions::new().write(true).open("/dev/tty");
        let terminal = terminal.map_err(|_| {
            Reason::NoClipboard("over SSH a terminal has to be asked to copy, and there is none".to_owned())
        })?;
        return Ok(Box::new(TerminalSink(terminal)));
    }
    arboard::Clipboard::new().map_err(|error| Reason::NoClipboard(error.to_string()))?;
    Ok(Box::new(HeldSink(Held::System)))
}

/// A clipboard that a process of ours holds.
struct HeldSink(Held);

impl Sink for HeldSink {
    fn deliver(self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        let mut holder = holder(self.0).map_err(Reason::system("start the holder of the clipboard"))?;
        hand_over(&mut holder, delivery.plain).map_err(|what| {
            let _ = holder.kill();
            let _ = holder.wait();
            Reason::NotCopied(what)
        })
    }

    fn note(&self) -> Option<String> {
        Some(match self.0 {
            Held::System => format!("holds it for {HELD} seconds, unless something else is copied before"),
            Held::Tmux => format!(
                "tmux's buffer `{BUFFER}` holds it for {HELD} seconds; your terminal was asked to copy it as well, and cannot be asked to forget it"
            ),
        })
    }
}

/// A terminal that is asked to copy.
struct TerminalSink(File);

impl Sink for TerminalSink {
    fn deliver(mut self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        self.0.write_all(osc_52(delivery.plain).as_bytes()).map_err(Reason::system("write to the terminal"))
    }

    fn note(&self) -> Option<String> {
        Some("asked your terminal to copy it; it does not answer, and cannot be asked to forget it".to_owned())
    }
}

/// The sequence that asks a terminal to copy.
fn osc_52(plain: &PlainKey) -> Zeroizing<String> {
    let text = plain.expose().as_bytes();
    // Sized beforehand: a buffer that grew would leave a copy behind.
    let mut sequence = Zeroizing::new(String::with_capacity(text.len() * 2 + 16));
    sequence.push_str("\x1b]52;c;");
    STANDARD.encode_string(text, &mut sequence);
    sequence.push('\x07');
    sequence
}

/// This program once more. Not in its arguments, not in its environment: the secret goes through a pipe.
fn holder(held: Held) -> io::Result<Child> {
    // On Linux also where the file was replaced meanwhile.
    let program = if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe()? };
    let mut command = Command::new(program);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, "keys");
    // Its directory must not keep a disk from being taken away.
    #[cfg(unix)]
    command.current_dir("/");
    command
        .args([HOLD, held.argument()])
        .env_remove("KEYS_API_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// Gives the secret to the holder, and waits until it says that it has placed it.
fn hand_over(holder: &mut Child, plain: &PlainKey) -> Result<(), String> {
    // Taken, so that it is closed here and the holder sees the end.
    let written = holder.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(plain.expose().as_bytes()));
    let Some(stdout) = holder.stdout.take() else {
        return Err("its holder has no output".to_owned());
    };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut said = String::new();
        let _ = BufReader::new(stdout.take(4096)).read_line(&mut said);
        let _ = sender.send(said);
    });
    let said = receiver.recv_timeout(PATIENCE + PATIENCE).map_err(|_| "it did not answer in time".to_owned())?;
    written.map_err(|error| error.to_string())?;
    match said.trim_end() {
        READY => Ok(()),
        "" => Err("its holder ended".to_owned()),
        what => Err(what.to_owned()),
    }
}

/// Holds a secret in a clipboard: places it, says so by `ready`, and comes back when the time is over or something else
/// was copied. The process is to end then; with it ends the secret's time in the system's clipboard.
pub(crate) fn hold(
    held: Held,
    secret: &Zeroizing<String>,
    time: Duration,
    ready: impl FnOnce() -> io::Result<()>,
) -> Result<(), String> {
    detach();
    match held {
        Held::System => hold_system(secret, time, ready),
        Held::Tmux => hold_tmux(secret, time, ready),
    }
}

/// Away from the terminal, whose end and whose Ctrl-C are not for this process; and should it crash while nobody looks, what
/// it holds is not written to a disk.
fn detach() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit, setsid};

        // Fails for the leader of a group only, which somebody else has detached then.
        let _ = setsid();
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}

fn hold_system(
    secret: &Zeroizing<String>,
    time: Duration,
    ready: impl FnOnce() -> io::Result<()>,
) -> Result<(), String> {
    let mut clipboard = arboard::Clipboard::new().map_err(|error| error.to_string())?;
    let offered = secret.clone();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Its failure ends the wait below just as well.
        let _ = sender.send(offer(&offered));
    });
    let deadline = Instant::now() + PATIENCE;
    while !is_ours(&mut clipboard, secret) {
        if let Ok(Err(error)) = receiver.try_recv() {
            return Err(error.to_string());
        }
        if Instant::now() >= deadline {
            return Err("it did not take it in time".to_owned());
        }
        thread::sleep(PAUSE);
    }
    ready().map_err(|error| error.to_string())?;
    if cfg!(target_os = "linux") {
        // Ends early when something else is copied. Otherwise the end of this process empties the clipboard.
        let _ = receiver.recv_timeout(time);
        return Ok(());
    }
    thread::sleep(time);
    if is_ours(&mut clipboard, secret) {
        clipboard.clear().map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn is_ours(clipboard: &mut arboard::Clipboard, secret: &str) -> bool {
    clipboard.get_text().map(Zeroizing::new).is_ok_and(|text| text.as_str() == secret)
}

/// Offers the text to whoever pastes, until something else is copied.
#[cfg(target_os = "linux")]
fn offer(secret: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtLinux as _;

    arboard::Clipboard::new()?.set().exclude_from_history().wait().text(secret)
}

#[cfg(target_os = "macos")]
fn offer(secret: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtApple as _;

    arboard::Clipboard::new()?.set().exclude_from_history().text(secret)
}

#[cfg(windows)]
fn offer(secret: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtWindows as _;

    arboard::Clipboard::new()?.set().exclude_from_cloud().exclude_from_history().text(secret)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn offer(secret: &str) -> Result<(), arboard::Error> {
    arboard::Clipboard::new()?.set().text(secret)
}

/// A buffer of tmux with a name of its own; `-w` has tmux ask the terminal around it to copy too, whatever its option
/// `set-clipboard` says of programs.
fn hold_tmux(secret: &str, time: Duration, ready: impl FnOnce() -> io::Result<()>) -> Result<(), String> {
    let mut load = tmux(&["load-buffer", "-b", BUFFER, "-w", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let written = load.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(secret.as_bytes()));
    let status = load.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("tmux load-buffer ended with {status}"));
    }
    written.map_err(|error| error.to_string())?;
    ready().map_err(|error| error.to_string())?;
    thread::sleep(time);
    let shown = tmux(&["show-buffer", "-b", BUFFER]).output().map_err(|error| error.to_string())?;
    if Zeroizing::new(shown.stdout).as_slice() == secret.as_bytes() {
        tmux(&["delete-buffer", "-b", BUFFER]).status().map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn tmux(arguments: &[&str]) -> Command {
    let mut command = Command::new("tmux");
    command
        .args(arguments)
        .env_remove("KEYS_API_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::super::tests::key;
    use super::*;

    #[test]
    fn a_terminal_is_asked_in_base64_and_the_buffer_never_grows() {
        let sequence = osc_52(&key("wbk_secret"));
        assert_eq!(sequence.as_str(), "\x1b]52;c;d2JrX3NlY3JldA==\x07");
        let long = "k".repeat(512);
        let sequence = osc_52(&key(&long));
        assert_eq!(sequence.capacity(), 512 * 2 + 16);
    }
}
