//! Asking on the console, where there is no `/dev/tty`.

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
            Key::Char(character) if !character.is_control() && line.len() + character.len_utf8() <= LINE => {
                line.push(character);
                if echo == Echo::Shown {
                    term.write_str(character.encode_utf8(&mut [0; 4]))?;
                }
            }
            _ => {}
        }
    }
}
