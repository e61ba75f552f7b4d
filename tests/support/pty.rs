//! A terminal with a person at it.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::{HANGS, KEYS, Place};

/// What is on the screen, and a bell for when that changes.
type Screen = Arc<(Mutex<(vt100::Parser, bool)>, Condvar)>;

pub(crate) struct Pty {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    screen: Screen,
    /// Closed when dropped.
    _master: Box<dyn MasterPty + Send>,
}

impl Pty {
    /// A line of shell on a terminal of its own, in which `keys` is the binary.
    pub(crate) fn shell(place: &Place, line: &str) -> Self {
        Self::sized(place, line, 100)
    }

    pub(crate) fn sized(place: &Place, line: &str, columns: u16) -> Self {
        let size = PtySize { rows: 40, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", &format!("keys() {{ {KEYS} \"$@\"; }}\n{line}")]);
        command.cwd(place.root());
        command.env_clear();
        for (name, value) in place.environment() {
            if name != "COLUMNS" {
                command.env(name, value);
            }
        }
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen: Screen = Arc::new((
            Mutex::new((vt100::Parser::new(NonZeroU16::new(40).unwrap(), NonZeroU16::new(columns).unwrap(), 0), false)),
            Condvar::new(),
        ));
        let reader = pair.master.try_clone_reader().unwrap();
        let shown = Arc::clone(&screen);
        thread::spawn(move || show(reader, &shown));
        Self { child, keyboard: pair.master.take_writer().unwrap(), screen, _master: pair.master }
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub(crate) fn expect(&self, text: &str) {
        let (state, changed) = &*self.screen;
        let begin = Instant::now();
        let mut state = state.lock().unwrap();
        while !state.0.screen().contents().contains(text) {
            assert!(
                !state.1 && begin.elapsed() < HANGS,
                "`{text}` is not on the screen:\n{}",
                state.0.screen().contents()
            );
            state = changed.wait_timeout(state, HANGS).unwrap().0;
        }
    }

    /// Types, without an Enter that is not in the text.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Closes the window: all that runs in it is told so.
    pub(crate) fn hang_up(mut self) {
        let group = rustix::process::Pid::from_raw(self.child.process_id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process_group(group, rustix::process::Signal::HUP).unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end: the exit code, and what is on the screen then.
    #[track_caller]
    pub(crate) fn done(mut self) -> (u32, String) {
        let status = self.child.wait().unwrap();
        let (state, changed) = &*self.screen;
        let mut state = state.lock().unwrap();
        while !state.1 {
            state = changed.wait_timeout(state, HANGS).unwrap().0;
        }
        (status.exit_code(), state.0.screen().contents())
    }
}

fn show(mut reader: Box<dyn Read + Send>, screen: &Screen) {
    let (state, changed) = &**screen;
    let mut buffer = [0; 4096];
    loop {
        let read = reader.read(&mut buffer).unwrap_or(0);
        let mut state = state.lock().unwrap();
        if read == 0 {
            state.1 = true;
            changed.notify_all();
            return;
        }
        state.0.process(&buffer[..read]);
        changed.notify_all();
    }
}
