//! Everything said to or asked of a person, and the only user of the three standard streams.
//!
//! Standard output is data, standard error is talk. Questions go to the controlling terminal and their answers come from
//! it, so that `keys … | jq` can still ask and bytes on a pipe are never consent.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Read, Write};

use zeroize::{Zeroize, Zeroizing};

use crate::text;

/// Data waits in here on its way to standard output: one system call for some hundred rows.
const BUFFER: usize = 64 * 1024;

/// The longest secret taken from standard input: longer than any key, short enough to notice a wrong file.
const LONGEST_SECRET: usize = 16 * 1024;

/// How wide a terminal is that does not say.
const USUAL_WIDTH: usize = 80;

/// What the environment says about the terminal. Filled by `config`, the only reader of the environment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Surroundings {
    /// `NO_COLOR` is set.
    pub(crate) no_color: bool,
    /// `TERM` is `dumb`.
    pub(crate) dumb: bool,
    /// `CI` is set: nobody is there to answer.
    pub(crate) ci: bool,
    /// `COLUMNS`
    pub(crate) columns: Option<u16>,
}

/// When to use colour
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Color {
    /// Where a terminal shows it
    #[default]
    Auto,
    /// Also into pipes and files
    Always,
    /// Nowhere
    Never,
}

/// What a text means. Never said by colour alone: the words say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Good,
    Bad,
    Warning,
    Dim,
    Strong,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Warning => "33",
            Self::Dim => "2",
            Self::Strong => "1",
        }
    }

    fn paint(self, text: &str, color: bool) -> String {
        if color {
            format!("\x1b[{}m{text}\x1b[0m", self.code())
        } else {
            text.to_owned()
        }
    }
}

/// The one object that writes and asks.
pub(crate) struct Terminal {
    surroundings: Surroundings,
    out: Buffered,
    err: Box<dyn Write + Send>,
    out_on_screen: bool,
    err_on_screen: bool,
    out_color: bool,
    err_color: bool,
    quiet: bool,
    verbose: u8,
    no_input: bool,
    person: Person,
}

impl Terminal {
    /// The streams of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that opens the standard streams"
    )]
    pub(crate) fn system(surroundings: Surroundings) -> Self {
        // Not locked for good: with 64 KiB at a time the lock costs nothing, and a terminal without it may change threads.
        let (out, err) = (io::stdout(), io::stderr());
        let (out_on_screen, err_on_screen) = (out.is_terminal(), err.is_terminal());
        let mut terminal = Self {
            surroundings,
            out: Buffered::new(Box::new(out)),
            err: Box::new(err),
            out_on_screen,
            err_on_screen,
            out_color: false,
            err_color: false,
            quiet: false,
            verbose: 0,
            no_input: false,
            person: Person::System,
        };
        terminal.configure(Color::Auto, false, 0, false);
        terminal
    }

    /// Takes what the arguments say; colour is decided here, once, for each stream on its own.
    pub(crate) fn configure(&mut self, color: Color, quiet: bool, verbose: u8, no_input: bool) {
        let wanted = !self.surroundings.no_color && !self.surroundings.dumb;
        let decide = |is_terminal: bool| match color {
            Color::Auto => is_terminal && wanted && understands_color(),
            Color::Always => true,
            Color::Never => false,
        };
        self.out_color = decide(self.out_on_screen);
        self.err_color = decide(self.err_on_screen);
        self.quiet = quiet;
        self.verbose = verbose;
        self.no_input = no_input;
    }

    /// Where data goes. It is not written before [`Terminal::flush`] or until 64 KiB of it are there.
    pub(crate) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Forgets the data that is not written yet: a failure with `--json` leaves standard output empty.
    pub(crate) fn discard(&mut self) {
        self.out.clear();
    }

    pub(crate) const fn out_is_terminal(&self) -> bool {
        self.out_on_screen
    }

    pub(crate) const fn err_is_terminal(&self) -> bool {
        self.err_on_screen
    }

    /// How many columns there are: as the environment says, as the terminal says, or the usual 80.
    pub(crate) fn width(&self) -> usize {
        if let Some(columns) = self.surroundings.columns.filter(|columns| *columns > 0) {
            return usize::from(columns);
        }
        let asked = if self.out_on_screen {
            console::Term::stdout().size_checked()
        } else {
            console::Term::stderr().size_checked()
        };
        asked.map_or(USUAL_WIDTH, |(_, columns)| usize::from(columns))
    }

    /// Says something that may be left out; `--quiet` does.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.quiet {
            self.talk(&visible(text));
        }
    }

    /// Says something that must be heard.
    pub(crate) fn warn(&mut self, text: &str) {
        let label = Style::Warning.paint("warning:", self.err_color);
        self.talk(&format!("{label} {}", visible(text)));
    }

    /// Says what only somebody looking for a fault wants to hear: 1 for `-v`, 2 for `-vv`.
    pub(crate) fn detail(&mut self, level: u8, text: &str) {
        if self.verbose >= level {
            let line = Style::Dim.paint(&visible(text), self.err_color);
            self.talk(&line);
        }
    }

    /// Says what went wrong, why, and what to do next.
    pub(crate) fn error(&mut self, message: &str, causes: &[String], hint: Option<&str>) {
        let label = Style::Bad.paint("error:", self.err_color);
        let mut said = format!("{label} {}", visible(message));
        for cause in causes {
            said.push_str("\n  caused by: ");
            said.push_str(&visible(cause));
        }
        if let Some(hint) = hint {
            let label = Style::Strong.paint("hint:", self.err_color);
            said.push_str("\n\n");
            said.push_str(&label);
            said.push(' ');
            said.push_str(&visible(hint));
        }
        self.talk(&said);
    }

    /// Says what went wrong to a program.
    pub(crate) fn raw_error(&mut self, json_line: &str) {
        self.talk(&text::escape_json(json_line));
    }

    /// Why what is written to standard output now would be lost, if it would. Asked before a key is minted that cannot be
    /// shown a second time.
    pub(crate) fn output_would_be_lost(&self) -> Option<&'static str> {
        match &self.person {
            Person::System => lost::system(),
            #[cfg(test)]
            Person::Scripted(_) => None,
        }
    }

    /// Whether there is somebody to ask.
    pub(crate) fn can_ask(&self) -> bool {
        !self.no_input && !self.surroundings.ci && self.person.is_there()
    }

    /// Asks for a yes; everything else is a no.
    pub(crate) fn confirm(&mut self, question: &str) -> io::Result<bool> {
        let answer = self.ask(&format!("{} [y/N] ", visible(question)), Echo::Shown)?;
        Ok(answer
            .is_some_and(|answer| matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
    }

    /// Asks for a name to be typed: what is about to happen should not happen by habit.
    pub(crate) fn confirm_by_typing(&mut self, question: &str, expected: &str) -> io::Result<bool> {
        let shown = text::escape(expected);
        let prompt = format!("{}\nType `{shown}` to confirm: ", visible(question));
        let answer = self.ask(&prompt, Echo::Shown)?;
        // A name with control characters cannot be typed but as it is shown.
        Ok(answer.is_some_and(|answer| {
            answer.trim() == expected.trim() || answer.trim() == shown.trim()
        }))
    }

    /// Takes one secret from standard input: all of a pipe or file, or what a person types unseen.
    pub(crate) fn read_secret(&mut self, prompt: &str) -> io::Result<Zeroizing<String>> {
        if let Some(secret) = self.person.secret_from_standard_input() {
            return secret;
        }
        if !self.can_ask() {
            return Err(io::Error::new(
                io::ErrorKind::NotConnected,
                "nothing is piped in and nobody is to be asked",
            ));
        }
        self.ask(&visible(prompt), Echo::Hidden)?.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the input ended before a line was entered",
            )
        })
    }

    /// Gives a text for standard output its style, where colour is on.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        style.paint(text, self.out_color)
    }

    /// Writes a line of talk. A closed standard error loses it, and nothing else happens.
    fn talk(&mut self, line: &str) {
        if self.out_on_screen && self.err_on_screen {
            // Both streams end on one screen: what came first is to be read first. A failure comes up at the next flush.
            let _ = self.out.flush();
        }
        let _ = self.err.write_all(format!("{line}\n").as_bytes());
    }

    /// Asks, and takes one line; `None` is the end of the input.
    fn ask(&mut self, prompt: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
        if self.out_on_screen {
            self.out.flush()?;
        }
        match &self.person {
            Person::System => prompt::system(prompt, echo),
            #[cfg(test)]
            Person::Scripted(script) => script.ask(prompt, echo),
        }
    }
}

/// Whether the terminal shows escape sequences as colour: every one but an old Windows console, which has to be told.
fn understands_color() -> bool {
    cfg!(not(windows)) || console::Term::stdout().features().colors_supported()
}

/// What may be shown: the caller's line breaks stay, whatever else acts on a terminal is spelled out.
fn visible(text: &str) -> Cow<'_, str> {
    text::escape_lines(text)
}

/// Whether what is typed can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Echo {
    Shown,
    Hidden,
}

/// Who answers.
enum Person {
    System,
    #[cfg(test)]
    Scripted(tests::Script),
}

impl Person {
    fn is_there(&self) -> bool {
        match self {
            Self::System => prompt::is_possible(),
            #[cfg(test)]
            Self::Scripted(script) => script.answers(),
        }
    }

    /// What is piped in; `None` where standard input is a terminal.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads standard input"
    )]
    fn secret_from_standard_input(&self) -> Option<io::Result<Zeroizing<String>>> {
        match self {
            Self::System if io::stdin().is_terminal() => None,
            Self::System => Some(standard_input().and_then(|mut input| read_all(&mut input))),
            #[cfg(test)]
            Self::Scripted(script) => script
                .standard_input()
                .map(|input| read_all(&mut input.as_slice())),
        }
    }
}

/// Standard input as a file of its own: the standard library's has a buffer that keeps what went through it.
#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads standard input"
)]
fn standard_input() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(Into::into)
}

/// Standard input as a file of its own: the standard library's has a buffer that keeps what went through it.
#[cfg(windows)]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads standard input"
)]
fn standard_input() -> io::Result<std::fs::File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(Into::into)
}

/// Reads a secret to its end into one buffer that never moves, so that wiping it leaves no copy.
fn read_all(input: &mut dyn Read) -> io::Result<Zeroizing<String>> {
    let mut buffer = Zeroizing::new(vec![0; LONGEST_SECRET + 1]);
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if length > LONGEST_SECRET {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "more than 16 KiB came in where one key was expected",
        ));
    }
    buffer.truncate(length);
    into_text(buffer)
}

fn into_text(mut bytes: Zeroizing<Vec<u8>>) -> io::Result<Zeroizing<String>> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "what came in is not text",
            ))
        }
    }
}

/// A writer that keeps what it was given until it is flushed or full, can forget it, and wipes it behind itself, because it
/// may have been a secret. Not a `BufWriter`: that one writes when dropped and can do neither of the last two.
struct Buffered {
    pending: Vec<u8>,
    sink: Box<dyn Write + Send>,
}

impl Buffered {
    fn new(sink: Box<dyn Write + Send>) -> Self {
        Self {
            pending: Vec::new(),
            sink,
        }
    }

    fn clear(&mut self) {
        self.pending.as_mut_slice().zeroize();
        self.pending.clear();
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let passed = self.sink.write_all(&self.pending);
        // Also after a failure: what was written in part must not be written a second time.
        self.clear();
        passed
    }
}

impl Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.capacity() == 0 {
            // All of it at once: growing would leave copies behind. And late: most commands that fail never need it.
            self.pending.reserve_exact(BUFFER);
        }
        if self.pending.len() + bytes.len() > BUFFER {
            self.pass_on()?;
        }
        if bytes.len() >= BUFFER {
            self.sink.write_all(bytes)?;
        } else {
            self.pending.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.sink.flush()
    }
}

/// Asking on the controlling terminal. Not by `dialoguer`: it reads from standard input, raises SIGINT by itself and, killed
/// by it, leaves the cursor hidden or the echo off.
#[cfg(unix)]
mod prompt {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Read, Write};

    use rustix::termios::{
        InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };
    use zeroize::Zeroizing;

    use super::{Echo, into_text};

    /// Ctrl-C, as it arrives where it is not turned into a signal.
    const CTRL_C: u8 = 3;

    /// The longest line a terminal hands over at once.
    const LINE: usize = 4096;

    pub(super) fn is_possible() -> bool {
        open().is_ok()
    }

    pub(super) fn system(prompt: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
        ask(&open()?, prompt, echo)
    }

    fn open() -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open("/dev/tty")
    }

    /// Asks on a terminal and takes one line, edited as the terminal edits lines.
    pub(super) fn ask(
        mut terminal: &File,
        prompt: &str,
        echo: Echo,
    ) -> io::Result<Option<Zeroizing<String>>> {
        let modes = Modes::set(terminal, echo)?;
        terminal.write_all(prompt.as_bytes())?;
        let line = read_line(terminal);
        drop(modes);
        let ended_line = matches!(&line, Ok(Some(line)) if line.last() == Some(&b'\n'));
        if echo == Echo::Hidden || !ended_line {
            let _ = terminal.write_all(b"\n");
        }
        let Some(mut line) = line? else {
            return Ok(None);
        };
        if line.last() == Some(&CTRL_C) {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        into_text(line).map(Some)
    }

    fn read_line(mut terminal: &File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut line = Zeroizing::new(vec![0; LINE]);
        loop {
            match terminal.read(&mut line) {
                Ok(0) => return Ok(None),
                Ok(length) => {
                    line.truncate(length);
                    return Ok(Some(line));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The terminal in the state a question needs; dropped, it is as it was.
    struct Modes<'a> {
        terminal: &'a File,
        before: Termios,
    }

    impl<'a> Modes<'a> {
        /// Whole lines, with Ctrl-C ending a line instead of the process: the caller's guards and journals get their turn.
        /// What was typed before the question was there is thrown away, because it cannot be an answer to it.
        fn set(terminal: &'a File, echo: Echo) -> io::Result<Self> {
            let before = tcgetattr(terminal)?;
            let mut during = before.clone();
            during.input_modes |= InputModes::ICRNL;
            during.local_modes |= LocalModes::ICANON;
            during.local_modes -= LocalModes::ISIG;
            during
                .local_modes
                .set(LocalModes::ECHO, echo == Echo::Shown);
            during.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
            tcsetattr(terminal, OptionalActions::Flush, &during)?;
            Ok(Self { terminal, before })
        }
    }

    impl Drop for Modes<'_> {
        fn drop(&mut self) {
            // Nothing can be done about a terminal that went away in between.
            let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
        }
    }
}

/// Asking on the console.
#[cfg(not(unix))]
mod prompt {
    use std::io::{self, IsTerminal};

    use console::{Key, Term};
    use zeroize::Zeroizing;

    use super::Echo;

    /// Longer than any answer or key, so that the text never moves while it grows.
    const LINE: usize = 4096;

    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
    pub(super) fn is_possible() -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Reads key by key, so that Ctrl-C comes as a key and not as the end of the process.
    pub(super) fn system(prompt: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
        let term = Term::stderr();
        term.write_str(prompt)?;
        let mut line = Zeroizing::new(String::with_capacity(LINE));
        loop {
            match term.read_key_raw()? {
                Key::Enter => {
                    term.write_line("")?;
                    return Ok(Some(line));
                }
                Key::CtrlC => {
                    term.write_line("")?;
                    return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
                }
                Key::Backspace => {
                    if let Some(gone) = line.pop()
                        && echo == Echo::Shown
                    {
                        term.clear_chars(crate::text::width(gone.encode_utf8(&mut [0; 4])))?;
                    }
                }
                Key::Char(character)
                    if !character.is_control() && line.len() + character.len_utf8() <= LINE =>
                {
                    line.push(character);
                    if echo == Echo::Shown {
                        term.write_str(character.encode_utf8(&mut [0; 4]))?;
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether standard output can take what is written to it.
#[cfg(unix)]
mod lost {
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, fstatvfs, stat};

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that opens the standard streams"
    )]
    pub(super) fn system() -> Option<&'static str> {
        why(io::stdout().as_fd())
    }

    /// What cannot be found out does not count: the write itself will tell.
    pub(super) fn why(output: BorrowedFd<'_>) -> Option<&'static str> {
        let about = fstat(output).ok()?;
        // The standard library takes the failure of writing to such a descriptor for success.
        if fcntl_getfl(output).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDONLY) {
            return Some("standard output is not open for writing");
        }
        match FileType::from_raw_mode(about.st_mode) {
            FileType::CharacterDevice => {
                let is =
                    |device: &str| stat(device).is_ok_and(|device| device.st_rdev == about.st_rdev);
                if is("/dev/null") {
                    // The standard library opens it in the place of a stream that is closed, so this is `>&-` too.
                    return Some("standard output is closed or is /dev/null");
                }
                is("/dev/full").then_some("standard output is /dev/full")
            }
            FileType::Fifo | FileType::Socket => {
                let mut polled = [PollFd::new(&output, PollFlags::OUT)];
                let answer = poll(
                    &mut polled,
                    Some(&Timespec {
                        tv_sec: 0,
                        tv_nsec: 0,
                    }),
                );
                let gone = answer.is_ok()
                    && polled[0]
                        .revents()
                        .intersects(PollFlags::ERR | PollFlags::HUP);
                gone.then_some("nobody reads standard output any more")
            }
            FileType::RegularFile => {
                // A file system that counts no blocks, as some in memory do, is not full.
                let full =
                    fstatvfs(output).is_ok_and(|disk| disk.f_blocks > 0 && disk.f_bavail == 0);
                full.then_some("the disk that holds standard output is full")
            }
            _ => None,
        }
    }
}

/// Whether standard output can take what is written to it: nobody knows here.
#[cfg(not(unix))]
mod lost {
    pub(super) const fn system() -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a test's terminal was given, and what the person at it will answer.
    #[derive(Clone, Default)]
    pub(crate) struct Captured {
        out: Shared,
        err: Shared,
        script: Script,
    }

    impl Captured {
        pub(crate) fn stdout(&self) -> String {
            self.out.text()
        }

        pub(crate) fn stderr(&self) -> String {
            self.err.text()
        }

        /// From now on there is somebody to ask, who gives these answers one after the other.
        pub(crate) fn answer<const N: usize>(&self, answers: [&str; N]) {
            let mut script = self.script.0.lock().unwrap();
            script
                .answers
                .get_or_insert_default()
                .extend(answers.map(str::to_owned));
        }

        /// What is piped in.
        pub(crate) fn pipe_in(&self, text: &str) {
            self.script.0.lock().unwrap().standard_input = Some(text.as_bytes().to_vec());
        }

        /// The questions that were asked.
        pub(crate) fn questions(&self) -> Vec<String> {
            self.script.0.lock().unwrap().questions.clone()
        }
    }

    #[derive(Clone, Default)]
    pub(crate) struct Script(Arc<Mutex<Lines>>);

    #[derive(Default)]
    struct Lines {
        answers: Option<VecDeque<String>>,
        questions: Vec<String>,
        standard_input: Option<Vec<u8>>,
    }

    impl Script {
        pub(super) fn answers(&self) -> bool {
            self.0.lock().unwrap().answers.is_some()
        }

        pub(super) fn standard_input(&self) -> Option<Vec<u8>> {
            self.0.lock().unwrap().standard_input.take()
        }

        pub(super) fn ask(&self, prompt: &str, _: Echo) -> io::Result<Option<Zeroizing<String>>> {
            let mut lines = self.0.lock().unwrap();
            lines.questions.push(prompt.to_owned());
            match lines.answers.as_mut().and_then(VecDeque::pop_front) {
                Some(answer) if answer == "\u{3}" => Err(io::ErrorKind::Interrupted.into()),
                answer => Ok(answer.map(Zeroizing::new)),
            }
        }
    }

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Terminal {
        /// Buffers in the place of the streams, neither of them a terminal, and nobody to ask.
        pub(crate) fn test() -> (Self, Captured) {
            let captured = Captured::default();
            let terminal = Self {
                surroundings: Surroundings::default(),
                out: Buffered::new(Box::new(captured.out.clone())),
                err: Box::new(captured.err.clone()),
                out_on_screen: false,
                err_on_screen: false,
                out_color: false,
                err_color: false,
                quiet: false,
                verbose: 0,
                no_input: false,
                person: Person::Scripted(captured.script.clone()),
            };
            (terminal, captured)
        }

        /// The same, but both streams are a terminal so wide, without colour.
        pub(crate) fn test_screen(columns: u16) -> (Self, Captured) {
            let (mut terminal, captured) = Self::test();
            terminal.surroundings.columns = Some(columns);
            terminal.out_on_screen = true;
            terminal.err_on_screen = true;
            (terminal, captured)
        }
    }

    #[test]
    fn data_and_talk_go_their_own_ways() {
        let (mut terminal, captured) = Terminal::test();
        terminal.out().write_all(b"data\n").unwrap();
        assert_eq!(
            captured.stdout(),
            "",
            "nothing is written before it is flushed"
        );
        terminal.flush().unwrap();
        terminal.say("created\n\x1b[2Jnext");
        terminal.warn("careful \u{202e}");
        terminal.detail(1, "unheard");
        assert_eq!(captured.stdout(), "data\n");
        assert_eq!(
            captured.stderr(),
            "created\n\\x1b[2Jnext\nwarning: careful \\u{202e}\n"
        );
    }

    #[test]
    fn quiet_silences_talk_and_verbose_adds_to_it() {
        let (mut terminal, captured) = Terminal::test();
        terminal.configure(Color::Auto, true, 1, false);
        terminal.say("unheard");
        terminal.detail(1, "one");
        terminal.detail(2, "unheard");
        terminal.warn("heard");
        assert_eq!(captured.stderr(), "one\nwarning: heard\n");
    }

    #[test]
    fn an_error_says_why_and_what_next() {
        let (mut terminal, captured) = Terminal::test();
        terminal.error(
            "could not list",
            &["it \x07broke".to_owned(), "no route".to_owned()],
            Some("run `keys whoami`"),
        );
        let expected = "error: could not list\n  caused by: it \\x07broke\n  caused by: no route\n\nhint: run `keys whoami`\n";
        assert_eq!(captured.stderr(), expected);
        terminal.raw_error("{\"error\":\"\u{9b}\"}");
        assert_eq!(
            captured.stderr(),
            format!("{expected}{{\"error\":\"\\u009b\"}}\n")
        );
    }

    #[test]
    fn colour_is_decided_for_each_stream() {
        let (mut terminal, _) = Terminal::test_screen(80);
        terminal.err_on_screen = false;
        terminal.configure(Color::Auto, false, 0, false);
        assert_eq!((terminal.out_color, terminal.err_color), (true, false));
        assert_eq!(
            terminal.paint(Style::Good, "active"),
            "\x1b[32mactive\x1b[0m"
        );
        for quiet in [
            Surroundings {
                no_color: true,
                ..Default::default()
            },
            Surroundings {
                dumb: true,
                ..Default::default()
            },
        ] {
            terminal.surroundings = quiet;
            terminal.configure(Color::Auto, false, 0, false);
            assert_eq!(terminal.paint(Style::Good, "active"), "active");
        }
        terminal.configure(Color::Always, false, 0, false);
        assert_eq!((terminal.out_color, terminal.err_color), (true, true));
        terminal.configure(Color::Never, false, 0, false);
        assert_eq!((terminal.out_color, terminal.err_color), (false, false));
    }

    #[test]
    fn on_one_screen_data_comes_before_later_talk() {
        let (mut terminal, captured) = Terminal::test_screen(80);
        terminal.out().write_all(b"row\n").unwrap();
        terminal.say("footer");
        assert_eq!(captured.stdout(), "row\n");
        terminal.out().write_all(b"half").unwrap();
        terminal.discard();
        terminal.flush().unwrap();
        assert_eq!(captured.stdout(), "row\n");
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        let (mut terminal, captured) = Terminal::test();
        assert!(!terminal.can_ask());
        captured.answer(["y", "YES", "", "no", "yessir", "\u{3}"]);
        assert!(terminal.can_ask());
        let answers: Vec<bool> = (0..5)
            .map(|_| terminal.confirm("Revoke?\x1b").unwrap())
            .collect();
        assert_eq!(answers, [true, true, false, false, false]);
        assert_eq!(
            terminal.confirm("Revoke?").unwrap_err().kind(),
            io::ErrorKind::Interrupted
        );
        assert!(!terminal.confirm("nobody answers").unwrap());
        assert_eq!(captured.questions()[0], "Revoke?\\x1b [y/N] ");
        assert_eq!(captured.stdout() + &captured.stderr(), "");
    }

    #[test]
    fn a_name_is_confirmed_by_typing_it() {
        let (mut terminal, captured) = Terminal::test();
        captured.answer(["ci deploy", "ci", "y", "evil\\x1b"]);
        assert!(
            terminal
                .confirm_by_typing("Delete it?", "ci deploy")
                .unwrap()
        );
        assert!(
            !terminal
                .confirm_by_typing("Delete it?", "ci deploy")
                .unwrap()
        );
        assert!(
            !terminal
                .confirm_by_typing("Delete it?", "ci deploy")
                .unwrap()
        );
        assert!(
            terminal
                .confirm_by_typing("Delete it?", "evil\x1b")
                .unwrap()
        );
        assert_eq!(
            captured.questions()[0],
            "Delete it?\nType `ci deploy` to confirm: "
        );
    }

    #[test]
    fn nobody_is_asked_in_ci_or_without_input() {
        let (mut terminal, captured) = Terminal::test();
        captured.answer(["y"]);
        terminal.surroundings.ci = true;
        assert!(!terminal.can_ask());
        terminal.surroundings.ci = false;
        terminal.configure(Color::Auto, false, 0, true);
        assert!(!terminal.can_ask());
        assert!(terminal.read_secret("Key: ").is_err());
    }

    #[test]
    fn a_secret_comes_from_a_pipe_or_unseen_from_a_person() {
        let (mut terminal, captured) = Terminal::test();
        captured.answer(["typed"]);
        captured.pipe_in("piped\n");
        assert_eq!(terminal.read_secret("Key: ").unwrap().as_str(), "piped\n");
        assert_eq!(terminal.read_secret("Key: ").unwrap().as_str(), "typed");
        captured.pipe_in(&"x".repeat(LONGEST_SECRET));
        assert_eq!(terminal.read_secret("Key: ").unwrap().len(), LONGEST_SECRET);
        captured.pipe_in(&"x".repeat(LONGEST_SECRET + 1));
        assert_eq!(
            terminal.read_secret("Key: ").unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert!(read_all(&mut [0xff_u8].as_slice()).is_err());
    }

    #[test]
    fn the_buffer_passes_on_in_large_pieces_and_keeps_the_order() {
        let shared = Shared::default();
        let mut buffered = Buffered::new(Box::new(shared.clone()));
        let mut expected = String::new();
        for piece in [
            "a".repeat(10),
            "b".repeat(BUFFER - 5),
            "c".repeat(3),
            "d".repeat(2 * BUFFER),
            "e".to_owned(),
        ] {
            buffered.write_all(piece.as_bytes()).unwrap();
            expected.push_str(&piece);
        }
        buffered.flush().unwrap();
        assert_eq!(shared.text(), expected);
        assert!(buffered.pending.capacity() == BUFFER && buffered.pending.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn output_that_would_be_lost_is_noticed() {
        use std::fs::File;
        use std::os::fd::AsFd;

        let device = |path: &str| std::fs::OpenOptions::new().write(true).open(path).unwrap();
        assert_eq!(
            lost::why(device("/dev/null").as_fd()),
            Some("standard output is closed or is /dev/null")
        );
        assert_eq!(
            lost::why(File::open("/dev/null").unwrap().as_fd()),
            Some("standard output is not open for writing")
        );
        if cfg!(target_os = "linux") {
            assert_eq!(
                lost::why(device("/dev/full").as_fd()),
                Some("standard output is /dev/full")
            );
        }
        let (reader, writer) = io::pipe().unwrap();
        assert_eq!(lost::why(writer.as_fd()), None);
        drop(reader);
        assert_eq!(
            lost::why(writer.as_fd()),
            Some("nobody reads standard output any more")
        );
        let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(lost::why(here.as_fd()), None);
        drop(there);
        assert_eq!(
            lost::why(here.as_fd()),
            Some("nobody reads standard output any more")
        );
    }

    /// Asks on a real terminal; the person there waits for the prompt and then types.
    #[cfg(unix)]
    fn asked(typed: &[u8], echo: Echo) -> (io::Result<Option<Zeroizing<String>>>, String) {
        use std::fs::OpenOptions;

        use portable_pty::{PtySize, native_pty_system};

        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let path = pair.master.tty_name().unwrap();
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        let before = rustix::termios::tcgetattr(&terminal).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let mut writer = pair.master.take_writer().unwrap();
        let typed = typed.to_vec();
        let person = std::thread::spawn(move || {
            let mut seen = Vec::new();
            let mut answered = false;
            let mut piece = [0; 256];
            // The answer's line break ends every run; a prompt has none.
            while !seen.contains(&b'\n') {
                let length = reader.read(&mut piece).unwrap();
                seen.extend_from_slice(&piece[..length]);
                if !answered && seen.ends_with(b"? ") {
                    answered = true;
                    writer.write_all(&typed).unwrap();
                    writer.flush().unwrap();
                }
            }
            (String::from_utf8(seen).unwrap(), writer)
        });
        let answer = prompt::ask(&terminal, "Really? ", echo);
        let after = rustix::termios::tcgetattr(&terminal).unwrap();
        assert_eq!(
            format!("{:?}", after.local_modes),
            format!("{:?}", before.local_modes)
        );
        let (seen, _writer) = person.join().unwrap();
        (answer, seen)
    }

    #[cfg(unix)]
    #[test]
    fn a_terminal_echoes_answers_but_no_secrets() {
        let (answer, seen) = asked("ключ\n".as_bytes(), Echo::Shown);
        assert_eq!(answer.unwrap().unwrap().as_str(), "ключ");
        assert_eq!(seen, "Really? ключ\r\n");
        let (answer, seen) = asked(b"secret\r", Echo::Hidden);
        assert_eq!(answer.unwrap().unwrap().as_str(), "secret");
        assert_eq!(seen.replace('\r', ""), "Really? \n");
    }

    #[cfg(unix)]
    #[test]
    fn ctrl_c_ends_the_question_and_not_the_process() {
        for echo in [Echo::Shown, Echo::Hidden] {
            let (answer, _) = asked(b"ye\x03", echo);
            assert_eq!(answer.unwrap_err().kind(), io::ErrorKind::Interrupted);
        }
        let (answer, _) = asked(b"\x04", Echo::Shown);
        assert!(
            answer.unwrap().is_none(),
            "the end of the input is no answer"
        );
    }
}
