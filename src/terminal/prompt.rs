//! Asking on the controlling terminal. Not by `dialoguer`: it reads from standard input, raises SIGINT by itself and, killed by
//! it, leaves the cursor hidden or the echo off.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::Echo;
use super::input::into_text;

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

pub(super) fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Asks on a terminal and takes one line, edited as the terminal edits lines.
pub(super) fn ask(mut terminal: &File, prompt: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
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
        during.local_modes.set(LocalModes::ECHO, echo == Echo::Shown);
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
