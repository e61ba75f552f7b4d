//! Everything said to or asked of a person, and the only user of the three standard streams.
//!
//! Standard output is data, standard error is talk. Questions go to the controlling terminal and their answers come from
//! it, so that `keys … | jq` can still ask and bytes on a pipe are never consent.

mod ask;
mod buffered;
#[cfg(unix)]
mod captured;
mod input;
#[cfg(unix)]
mod keyboard;
#[cfg(unix)]
mod lost;
#[cfg(unix)]
mod menu;
mod offer;
#[cfg_attr(not(unix), path = "console.rs")]
mod prompt;
mod style;
#[cfg(test)]
pub(crate) mod tests;
mod voice;
#[cfg(unix)]
mod watch;

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use zeroize::Zeroizing;

use self::ask::{Echo, Person};
use self::buffered::Buffered;
pub(crate) use self::offer::{Left, Offer, Take, Taking};
use self::style::understands_color;
pub(crate) use self::style::{Color, Style};
use self::voice::Stderr;
pub(crate) use self::voice::Voice;
use crate::model::secret::PlainKey;
use crate::text;

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
    /// `LC_ALL`, `LC_CTYPE` or `LANG`, the first that is set, asks for UTF-8.
    pub(crate) unicode: bool,
}

/// The one object that writes and asks.
pub(crate) struct Terminal {
    surroundings: Surroundings,
    out: Buffered,
    err: Stderr,
    out_on_screen: bool,
    err_on_screen: bool,
    out_color: bool,
    err_color: bool,
    quiet: bool,
    no_input: bool,
    person: Person,
    /// The line at the bottom that says how far something has come.
    progress: Option<String>,
}

impl Terminal {
    /// The streams of this process.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that opens the standard streams")]
    pub(crate) fn system(surroundings: Surroundings) -> Self {
        // Not locked for good: with 64 KiB at a time the lock costs nothing, and a terminal without it may change threads.
        let (out, err) = (io::stdout(), io::stderr());
        let (out_on_screen, err_on_screen) = (out.is_terminal(), err.is_terminal());
        let mut terminal = Self {
            surroundings,
            out: Buffered::new(Box::new(out)),
            err: Stderr::new(Box::new(err)),
            out_on_screen,
            err_on_screen,
            out_color: false,
            err_color: false,
            quiet: false,
            no_input: false,
            person: Person::System,
            progress: None,
        };
        terminal.configure(Color::Auto, false, false);
        terminal
    }

    /// Takes what the arguments say; colour is decided here, once, for each stream on its own.
    pub(crate) fn configure(&mut self, color: Color, quiet: bool, no_input: bool) {
        let wanted = !self.surroundings.no_color && !self.surroundings.dumb;
        let decide = |is_terminal: bool| match color {
            Color::Auto => is_terminal && wanted && understands_color(),
            Color::Always => true,
            Color::Never => false,
        };
        self.out_color = decide(self.out_on_screen);
        self.err_color = decide(self.err_on_screen);
        self.quiet = quiet;
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

    /// Whether characters beyond ASCII are shown as what they are.
    pub(crate) const fn shows_unicode(&self) -> bool {
        self.surroundings.unicode
    }

    /// Empties the screen of standard output, so that what follows takes the place of what was there. Elsewhere a line is
    /// left free.
    pub(crate) fn start_over(&mut self) -> io::Result<()> {
        let start: &[u8] = if self.out_on_screen && !self.surroundings.dumb { b"\x1b[H\x1b[2J" } else { b"\n" };
        self.out.write_all(start)
    }

    pub(crate) const fn out_is_terminal(&self) -> bool {
        self.out_on_screen
    }

    /// Whether standard output shows colour.
    pub(crate) const fn out_is_colored(&self) -> bool {
        self.out_color
    }

    /// Whether a person sees standard output at once.
    pub(crate) const fn is_on_screen(&self) -> bool {
        self.out_on_screen
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

    /// For what talks while this terminal is in a command's hands.
    pub(crate) fn voice(&self) -> Voice {
        Voice { stderr: self.err.clone(), quiet: self.quiet }
    }

    /// Whether what may be left out is.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Says something that may be left out; `--quiet` does.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.quiet {
            self.talk(&visible(text));
        }
    }

    /// Shows how far something has come, where standard error is a screen; the end of it with `None`. Whether it is shown.
    pub(crate) fn progress(&mut self, of: Option<(usize, usize)>) -> bool {
        if !self.err_on_screen || self.quiet || self.surroundings.dumb {
            return false;
        }
        self.clear_progress();
        self.progress = of.map(|(done, total)| bar(done, total));
        self.show_progress();
        true
    }

    fn clear_progress(&mut self) {
        if self.progress.is_some() {
            let _ = self.err.write(b"\r\x1b[K");
        }
    }

    fn show_progress(&mut self) {
        if let Some(progress) = &self.progress {
            let _ = self.err.write(progress.as_bytes());
        }
    }

    /// Says something that must be heard.
    pub(crate) fn warn(&mut self, text: &str) {
        let label = Style::Warning.paint("warning:", self.err_color);
        self.talk(&format!("{label} {}", visible(text)));
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

    /// Standard error for whoever writes to it line by line and at their own pace.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that opens the standard streams")]
    pub(crate) fn error_stream() -> Box<dyn Write + Send> {
        Box::new(io::stderr())
    }

    pub(crate) const fn error_is_terminal(&self) -> bool {
        self.err_on_screen
    }

    /// Says what went wrong to a program.
    pub(crate) fn raw_error(&mut self, json_line: &str) {
        self.talk(&text::escape_json(json_line));
    }

    /// Why what is written to standard output now would be lost, if it would. Asked before a key is minted that cannot be
    /// shown a second time.
    pub(crate) fn output_would_be_lost(&self) -> Option<&'static str> {
        match &self.person {
            #[cfg(unix)]
            Person::System => lost::system(),
            #[cfg(not(unix))]
            Person::System => None,
            #[cfg(test)]
            Person::Scripted(_) => None,
        }
    }

    /// Why a command to GitHub's runner on standard error would be lost, or would lie about.
    pub(crate) fn mask_would_be_lost(&self) -> Option<&'static str> {
        match &self.person {
            #[cfg(unix)]
            Person::System => lost::mask(),
            #[cfg(not(unix))]
            Person::System => None,
            #[cfg(test)]
            Person::Scripted(_) => None,
        }
    }

    /// Whether what is written to standard output stays with the script that runs this program. `by_agent` says that a
    /// coding agent may be the one who runs it.
    pub(crate) fn output_is_captured(&self, by_agent: bool) -> bool {
        match &self.person {
            #[cfg(unix)]
            Person::System => captured::system(by_agent),
            #[cfg(not(unix))]
            Person::System => !self.out_on_screen && !by_agent,
            #[cfg(test)]
            Person::Scripted(_) => !self.out_on_screen,
        }
    }

    /// Tells GitHub's runner to hide a secret in the log from now on.
    pub(crate) fn mask(&mut self, secret: &PlainKey) -> io::Result<()> {
        let secret = secret.expose();
        // Sized beforehand: a buffer that grew would leave a copy behind. An escape is three characters.
        let mut line = Zeroizing::new(String::with_capacity(3 * secret.len() + 16));
        line.push_str("::add-mask::");
        for character in secret.chars() {
            match character {
                '%' => line.push_str("%25"),
                '\r' => line.push_str("%0D"),
                '\n' => line.push_str("%0A"),
                other => line.push(other),
            }
        }
        line.push('\n');
        self.err.write(line.as_bytes())
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
        self.clear_progress();
        let _ = self.err.write(format!("{line}\n").as_bytes());
        self.show_progress();
    }
}

/// `[######--------------] 90 of 300`
fn bar(done: usize, total: usize) -> String {
    const WIDTH: usize = 20;
    let filled = (done.min(total) * WIDTH).checked_div(total).unwrap_or(WIDTH);
    format!("[{}{}] {done} of {total}", "#".repeat(filled), "-".repeat(WIDTH - filled))
}

/// What may be shown: the caller's line breaks stay, whatever else acts on a terminal is spelled out.
fn visible(text: &str) -> Cow<'_, str> {
    text::escape_lines(text)
}
