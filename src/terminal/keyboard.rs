//! A terminal key by key: its state while that lasts, and what the keys are.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::watch::{Caught, Watch, is_passing};

/// How long the rest of a key may take that starts with Escape: longer and it was Escape.
const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Up,
    Down,
    Enter,
    Escape,
    /// Ctrl-C
    Interrupt,
    /// Ctrl-D
    End,
    Backspace,
    /// Ctrl-U
    EraseLine,
    Character(char),
    Other,
}

/// Why there are no more keys.
#[derive(Debug)]
pub(super) enum Stop {
    /// A signal from elsewhere, or the terminal went away.
    Caught(Caught),
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A terminal in raw mode; dropped, it is as it was, with its cursor.
pub(super) struct Keyboard {
    terminal: File,
    before: Termios,
    is_raw: bool,
    watch: Watch,
    bytes: VecDeque<u8>,
}

impl Keyboard {
    pub(super) fn open(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut keyboard =
            Self { terminal, before, is_raw: false, watch: Watch::start()?, bytes: VecDeque::with_capacity(64) };
        keyboard.resume()?;
        Ok(keyboard)
    }

    /// Key by key, unseen, with Ctrl-C as a key; output is still translated. What was typed before is thrown away,
    /// because it cannot be an answer to what is on the screen now.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        let mut during = self.before.clone();
        during.input_modes -= InputModes::ICRNL | InputModes::IXON;
        during.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        during.special_codes[SpecialCodeIndex::VMIN] = 1;
        during.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&self.terminal, OptionalActions::Flush, &during)?;
        self.is_raw = true;
        self.write("\x1b[?25l")
    }

    /// Gives the terminal to somebody else for a while, as it was found.
    pub(super) fn pause(&mut self) {
        if std::mem::take(&mut self.is_raw) {
            // Nothing can be done about a terminal that went away in between.
            let _ = self.write("\x1b[?25h");
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
        }
    }

    /// A signal that came while somebody else had the terminal.
    pub(super) fn caught(&mut self) -> Option<Caught> {
        self.watch.take()
    }

    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        self.terminal.write_all(text.as_bytes())
    }

    /// Another hold of the same terminal.
    pub(super) fn terminal(&self) -> io::Result<File> {
        self.terminal.try_clone()
    }

    /// Columns and rows, the usual ones where the terminal does not say.
    pub(super) fn size(&self) -> (usize, usize) {
        let size = rustix::termios::tcgetwinsize(&self.terminal);
        let known = size.ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
        known.map_or((super::USUAL_WIDTH, 24), |size| (size.ws_col.into(), size.ws_row.into()))
    }

    /// Waits for a key.
    pub(super) fn key(&mut self) -> Result<Key, Stop> {
        Ok(match self.byte()? {
            b'\r' | b'\n' => Key::Enter,
            3 => Key::Interrupt,
            4 => Key::End,
            8 | 0x7f => Key::Backspace,
            0x15 => Key::EraseLine,
            0x1b => self.escape()?,
            first if first < 0x80 => {
                let character = char::from(first);
                if character.is_control() { Key::Other } else { Key::Character(character) }
            }
            first => self.character(first)?,
        })
    }

    /// What follows Escape, at once or never.
    fn escape(&mut self) -> Result<Key, Stop> {
        if !self.has_more()? {
            return Ok(Key::Escape);
        }
        let introducer = self.byte()?;
        if !matches!(introducer, b'[' | b'O') {
            return Ok(Key::Other);
        }
        // Up to the byte that ends every such sequence.
        while self.has_more()? {
            match self.byte()? {
                b'A' => return Ok(Key::Up),
                b'B' => return Ok(Key::Down),
                0x40..=0x7e => break,
                _ => {}
            }
        }
        Ok(Key::Other)
    }

    /// A character that takes several bytes.
    fn character(&mut self, first: u8) -> Result<Key, Stop> {
        let mut bytes = vec![first];
        let length = first.leading_ones() as usize;
        while bytes.len() < length && length <= 4 && self.has_more()? {
            bytes.push(self.byte()?);
        }
        let character = str::from_utf8(&bytes).ok().and_then(|text| text.chars().next());
        Ok(character.filter(|character| !character.is_control()).map_or(Key::Other, Key::Character))
    }

    fn has_more(&self) -> io::Result<bool> {
        if !self.bytes.is_empty() {
            return Ok(true);
        }
        let mut polled = [PollFd::new(&self.terminal, PollFlags::IN)];
        match poll(&mut polled, Some(&REST)) {
            Ok(ready) => Ok(ready > 0),
            Err(error) if is_passing(&error.into()) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        loop {
            if let Some(byte) = self.bytes.pop_front() {
                return Ok(byte);
            }
            self.wait()?;
            if let Some(caught) = self.watch.take() {
                return Err(Stop::Caught(caught));
            }
            let mut read = [0; 64];
            match self.terminal.read(&mut read) {
                // The terminal is gone, as after a signal that says so.
                Ok(0) => return Err(Stop::Caught(Caught::Terminate)),
                Ok(length) => self.bytes.extend(&read[..length]),
                Err(error) if is_passing(&error) => {}
                Err(_) => return Err(Stop::Caught(Caught::Terminate)),
            }
        }
    }

    /// Until there is something to read or a signal came. Where a terminal cannot be waited for, reading it will do.
    fn wait(&self) -> io::Result<()> {
        let descriptor = self.watch.descriptor();
        let mut polled =
            [PollFd::from_borrowed_fd(self.terminal.as_fd(), PollFlags::IN), PollFd::new(&descriptor, PollFlags::IN)];
        match poll(&mut polled, None) {
            Err(error) if !is_passing(&error.into()) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.pause();
    }
}
