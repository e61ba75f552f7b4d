//! What a program writes to a terminal, byte by byte.

use std::io::Read as _;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::support::{KEYS, Place};

/// Everything that `keys` with these arguments writes to a terminal, on both streams.
pub(crate) fn written(place: &Place, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let pair = native_pty_system().openpty(PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 }).unwrap();
    let mut command = CommandBuilder::new(KEYS);
    command.args(arguments);
    command.cwd(place.root());
    command.env_clear();
    let own = place.environment();
    let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.chain(environment.iter().copied()) {
        if !["COLUMNS", "NO_COLOR"].contains(&name) {
            command.env(name, value);
        }
    }
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut bytes = Vec::new();
    // The end of a terminal is an error to whoever reads it.
    let _ = pair.master.try_clone_reader().unwrap().read_to_end(&mut bytes);
    child.wait().unwrap();
    String::from_utf8(bytes).expect("UTF-8 on a terminal")
}

/// What would act on a terminal or on the order of its text, besides colours and line breaks.
pub(crate) fn acts(written: &str) -> Option<char> {
    without_colours(written).replace("\r\n", "").chars().find(|character| {
        character.is_control()
            || matches!(character,
                '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}')
    })
}

/// Takes out `ESC [ digits m`, and nothing else.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.trim_start_matches(|character: char| character.is_ascii_digit() || character == ';');
        match digits.strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}

#[test]
fn what_acts_on_a_terminal_is_seen() {
    for harmless in ["", "name\r\n", "\u{1b}[1;31mred\u{1b}[0m\r\n", "Zürich 東京 👩‍🚀"] {
        assert_eq!(acts(harmless), None, "{harmless:?}");
    }
    for acting in ["\u{1b}[2J", "\u{1b}]0;x\u{7}", "a\rb", "\u{9b}31m", "\u{202e}", "a\tb", "\u{0}"] {
        assert!(acts(acting).is_some(), "{acting:?}");
    }
}
