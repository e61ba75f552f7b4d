//! A new key on a terminal: masked, with a menu of what to do with it, drawn on the controlling terminal so that nothing of
//! it is in standard output. Revealed it is on the alternate screen only, and is erased there before that is left.
//!
//! Not by `dialoguer`, see `prompt`; nor can its menu take the place of the one before, ask on, or be left by a signal with
//! the terminal as it was.

use std::fs::File;
use std::io::{self, Write};

use zeroize::Zeroizing;

use super::keyboard::{Key, Keyboard, Stop};
use super::offer::{Left, Offer, Take, Taking};
use super::watch::Caught;
use crate::text;

const ENTRIES: [(&str, &str); 5] = [
    ("copy", "to the clipboard"),
    ("reveal", "on this screen, until you press Enter"),
    ("save", "to a file"),
    ("pipe", "to a command, on its standard input"),
    ("done", ""),
];

/// The longest line taken for a path or a command.
const LINE: usize = 4096;

pub(super) fn offer(terminal: File, offer: &Offer<'_>, take: Take<'_>) -> io::Result<Left> {
    let mut menu = Menu {
        keyboard: Keyboard::open(terminal)?,
        offer,
        take,
        chosen: 0,
        note: String::new(),
        taken: false,
        drawn: 0,
    };
    let left = menu.run();
    // Also after a failure: what stands there is no longer a menu.
    let _ = menu.erase();
    match left {
        Ok(left) => Ok(left),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::Caught(_)) if menu.taken => Ok(Left::Taken),
        Err(Stop::Caught(Caught::Interrupt)) => Ok(Left::Interrupted),
        Err(Stop::Caught(Caught::Terminate)) => Ok(Left::Terminated),
    }
}

struct Menu<'a> {
    keyboard: Keyboard,
    offer: &'a Offer<'a>,
    take: Take<'a>,
    chosen: usize,
    /// What became of the last choice.
    note: String,
    taken: bool,
    /// How many lines of the screen are the menu's.
    drawn: usize,
}

impl Menu<'_> {
    fn run(&mut self) -> Result<Left, Stop> {
        loop {
            self.draw()?;
            let last = ENTRIES.len() - 1;
            match self.keyboard.key()? {
                Key::Up | Key::Character('k') => self.chosen = self.chosen.checked_sub(1).unwrap_or(last),
                Key::Down | Key::Character('j') => self.chosen = if self.chosen == last { 0 } else { self.chosen + 1 },
                Key::Character(letter) => {
                    let starts = |(name, _): &(&str, &str)| name.starts_with(letter.to_ascii_lowercase());
                    if let Some(chosen) = ENTRIES.iter().position(starts) {
                        self.chosen = chosen;
                        if let Some(left) = self.choose()? {
                            return Ok(left);
                        }
                    }
                }
                Key::Enter => {
                    if let Some(left) = self.choose()? {
                        return Ok(left);
                    }
                }
                Key::Escape | Key::End => {
                    if let Some(left) = self.leave(Left::Untaken)? {
                        return Ok(left);
                    }
                }
                Key::Interrupt => {
                    if let Some(left) = self.leave(Left::Interrupted)? {
                        return Ok(left);
                    }
                }
                Key::Backspace | Key::EraseLine | Key::Other => {}
            }
        }
    }

    /// Does what is chosen; says how the menu is left, if it is.
    fn choose(&mut self) -> Result<Option<Left>, Stop> {
        self.note.clear();
        match ENTRIES[self.chosen].0 {
            "copy" => self.act(&Taking::Copy)?,
            "reveal" => return self.reveal(),
            "save" => return self.ask_and_act("Path of the file: ", Taking::Save),
            "pipe" => return self.ask_and_act("Command: ", Taking::Pipe),
            _ => return self.leave(Left::Untaken),
        }
        Ok(None)
    }

    fn ask_and_act(&mut self, prompt: &str, taking: fn(String) -> Taking) -> Result<Option<Left>, Stop> {
        match self.line(prompt)? {
            Line::Entered(text) if text.trim().is_empty() => Ok(None),
            Line::Entered(text) => self.act(&taking(text)).map(|()| None),
            Line::Cancelled => Ok(None),
            Line::Interrupted => self.leave(Left::Interrupted),
        }
    }

    /// A command may talk and ask, on a terminal as it was found.
    fn act(&mut self, taking: &Taking) -> Result<(), Stop> {
        self.erase()?;
        self.keyboard.pause();
        let outcome = (self.take)(taking);
        self.keyboard.resume()?;
        if matches!(taking, Taking::Pipe(_)) {
            // What the command said last may lack its line break.
            self.keyboard.write("\n")?;
        }
        match outcome {
            Ok(note) => {
                self.taken = true;
                self.note = note;
            }
            Err(note) => self.note = format!("Not done: {note}"),
        }
        match self.keyboard.caught() {
            // Ctrl-C was for the command, which has answered to it.
            Some(Caught::Interrupt) | None => Ok(()),
            Some(caught) => Err(Stop::Caught(caught)),
        }
    }

    /// Leaves at once with a key that was taken; otherwise asks whether to do so without it.
    fn leave(&mut self, left: Left) -> Result<Option<Left>, Stop> {
        if self.taken {
            return Ok(Some(Left::Taken));
        }
        "Nobody has this key yet, and it is not shown again. Leave all the same? [y/N]".clone_into(&mut self.note);
        self.draw()?;
        let answer = self.keyboard.key()?;
        self.note.clear();
        Ok(match answer {
            Key::Character('y' | 'Y') => Some(left),
            Key::Interrupt => Some(Left::Interrupted),
            _ => None,
        })
    }

    fn reveal(&mut self) -> Result<Option<Left>, Stop> {
        self.erase()?;
        let revealed = Revealed::show(&mut self.keyboard, self.offer)?;
        self.taken = true;
        let stopped = loop {
            match self.keyboard.key() {
                Ok(Key::Enter | Key::Escape | Key::End | Key::Interrupt) => break Ok(()),
                Ok(_) => {}
                Err(stop) => break Err(stop),
            }
        };
        drop(revealed);
        stopped?;
        "It was shown, and is hidden again".clone_into(&mut self.note);
        Ok(None)
    }

    /// Takes a line below the menu.
    fn line(&mut self, prompt: &str) -> Result<Line, Stop> {
        let mut typed = String::new();
        self.keyboard.write("\x1b[?25h")?;
        let line = loop {
            let (columns, _) = self.keyboard.size();
            let room = columns.saturating_sub(prompt.len() + 1).max(1);
            let shown = tail(&typed, room);
            self.draw()?;
            self.keyboard.write(&format!("\r\x1b[K{prompt}{shown}"))?;
            match self.keyboard.key()? {
                Key::Enter => break Line::Entered(typed),
                Key::Escape | Key::End => break Line::Cancelled,
                Key::Interrupt => break Line::Interrupted,
                Key::Backspace => drop(typed.pop()),
                Key::EraseLine => typed.clear(),
                Key::Character(character) if typed.len() < LINE => typed.push(character),
                Key::Up | Key::Down | Key::Character(_) | Key::Other => {}
            }
        };
        self.keyboard.write("\r\x1b[K\x1b[?25l")?;
        Ok(line)
    }

    fn draw(&mut self) -> io::Result<()> {
        let (columns, _) = self.keyboard.size();
        // One column stays free: a full line would make some terminals begin another.
        let room = columns.saturating_sub(1).max(1);
        let mut lines = vec![format!("{}: {}•••", text::escape(self.offer.what), text::escape(self.offer.prefix))];
        for (at, (name, what)) in ENTRIES.iter().enumerate() {
            let mark = if at == self.chosen { '>' } else { ' ' };
            lines.push(format!("{mark} {name:<8}{what}"));
        }
        lines.extend(wrapped(&self.note, room));
        self.erase()?;
        let mut screen = String::new();
        for line in &lines {
            screen.push_str(text::shorten(line.trim_end(), room).as_ref());
            screen.push('\n');
        }
        self.keyboard.write(&screen)?;
        self.drawn = lines.len();
        Ok(())
    }

    /// Takes the menu off the screen.
    fn erase(&mut self) -> io::Result<()> {
        let up = if self.drawn > 0 { format!("\r\x1b[{}A\x1b[J", self.drawn) } else { "\r\x1b[J".to_owned() };
        self.drawn = 0;
        self.keyboard.write(&up)
    }
}

enum Line {
    Entered(String),
    Cancelled,
    Interrupted,
}

/// The key on the alternate screen; dropped, also by a panic, it is erased and the screen left.
struct Revealed {
    terminal: File,
    rows: usize,
}

impl Revealed {
    fn show(keyboard: &mut Keyboard, offer: &Offer<'_>) -> io::Result<Self> {
        let (_, rows) = keyboard.size();
        let plain = offer.plain.expose();
        // Exists before there is anything to erase.
        let revealed = Self { terminal: keyboard.terminal()?, rows };
        // Sized beforehand: a buffer that grew would leave a copy behind. The key begins its line, to be marked easily.
        let mut screen = Zeroizing::new(String::with_capacity(plain.len() + 64));
        for part in ["\x1b[?1049h\x1b[2J\x1b[H", plain, "\n\nPress Enter to hide it"] {
            screen.push_str(part);
        }
        keyboard.write(&screen)?;
        Ok(revealed)
    }
}

impl Drop for Revealed {
    /// Line by line: clearing a whole screen makes some terminals keep what was on it, where it can be scrolled back to.
    fn drop(&mut self) {
        let rows = (1..=self.rows).map(|row| format!("\x1b[{row};1H\x1b[2K"));
        let erased: String = rows.chain(["\x1b[H\x1b[?1049l".to_owned()]).collect();
        let _ = self.terminal.write_all(erased.as_bytes());
    }
}

/// As much of the end as fits.
fn tail(typed: &str, room: usize) -> &str {
    let mut shown = typed;
    while text::width(shown) > room {
        let mut characters = shown.chars();
        characters.next();
        shown = characters.as_str();
    }
    shown
}

/// The text in lines that fit, broken at spaces; no line for no text.
fn wrapped(note: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text::escape(note).split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if text::width(line) + 1 + text::width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_broken_at_spaces_and_lines_keep_their_end() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert!(wrapped("", 7).is_empty());
        assert_eq!(tail("secrets/key", 3), "key");
        assert_eq!(tail("key", 3), "key");
    }
}
