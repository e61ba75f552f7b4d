//! Tests of the terminal, on buffers and on a real one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::buffered::BUFFER;
use super::input::LONGEST_SECRET;
use super::input::read_all;
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
        script.answers.get_or_insert_default().extend(answers.map(str::to_owned));
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
            err: Stderr::new(Box::new(captured.err.clone())),
            out_on_screen: false,
            err_on_screen: false,
            out_color: false,
            err_color: false,
            quiet: false,
            no_input: false,
            person: Person::Scripted(captured.script.clone()),
            progress: None,
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

    /// The same, and it shows more than ASCII.
    pub(crate) fn test_unicode_screen(columns: u16) -> (Self, Captured) {
        let (mut terminal, captured) = Self::test_screen(columns);
        terminal.surroundings.unicode = true;
        (terminal, captured)
    }
}

#[test]
fn data_and_talk_go_their_own_ways() {
    let (mut terminal, captured) = Terminal::test();
    terminal.out().write_all(b"data\n").unwrap();
    assert_eq!(captured.stdout(), "", "nothing is written before it is flushed");
    terminal.flush().unwrap();
    terminal.say("created\n\x1b[2Jnext");
    terminal.warn("careful \u{202e}");
    assert_eq!(captured.stdout(), "data\n");
    assert_eq!(captured.stderr(), "created\n\\x1b[2Jnext\nwarning: careful \\u{202e}\n");
}

#[test]
fn a_mask_is_escaped_as_the_runner_wants_it_and_never_silenced() {
    let (mut terminal, captured) = Terminal::test();
    terminal.configure(Color::Auto, true, false);
    let secret = PlainKey::parse(&Zeroizing::new("wbk_%0A::%".to_owned())).unwrap();
    terminal.mask(&secret).unwrap();
    assert_eq!((captured.stderr().as_str(), captured.stdout().as_str()), ("::add-mask::wbk_%250A::%25\n", ""));
}

#[test]
fn quiet_silences_talk_but_no_warning() {
    let (mut terminal, captured) = Terminal::test();
    terminal.configure(Color::Auto, true, false);
    terminal.say("unheard");
    terminal.warn("heard");
    assert_eq!(captured.stderr(), "warning: heard\n");
}

#[test]
fn an_error_says_why_and_what_next() {
    let (mut terminal, captured) = Terminal::test();
    terminal.error("could not list", &["it \x07broke".to_owned(), "no route".to_owned()], Some("run `keys whoami`"));
    let expected =
        "error: could not list\n  caused by: it \\x07broke\n  caused by: no route\n\nhint: run `keys whoami`\n";
    assert_eq!(captured.stderr(), expected);
    terminal.raw_error("{\"error\":\"\u{9b}\"}");
    assert_eq!(captured.stderr(), format!("{expected}{{\"error\":\"\\u009b\"}}\n"));
}

#[test]
fn colour_is_decided_for_each_stream() {
    let (mut terminal, _) = Terminal::test_screen(80);
    terminal.err_on_screen = false;
    terminal.configure(Color::Auto, false, false);
    assert_eq!((terminal.out_color, terminal.err_color), (true, false));
    assert_eq!(terminal.paint(Style::Good, "active"), "\x1b[32mactive\x1b[0m");
    for quiet in
        [Surroundings { no_color: true, ..Default::default() }, Surroundings { dumb: true, ..Default::default() }]
    {
        terminal.surroundings = quiet;
        terminal.configure(Color::Auto, false, false);
        assert_eq!(terminal.paint(Style::Good, "active"), "active");
    }
    terminal.configure(Color::Always, false, false);
    assert_eq!((terminal.out_color, terminal.err_color), (true, true));
    terminal.configure(Color::Never, false, false);
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
    let answers: Vec<bool> = (0..5).map(|_| terminal.confirm("Revoke?\x1b").unwrap()).collect();
    assert_eq!(answers, [true, true, false, false, false]);
    assert_eq!(terminal.confirm("Revoke?").unwrap_err().kind(), io::ErrorKind::Interrupted);
    assert!(!terminal.confirm("nobody answers").unwrap());
    assert_eq!(captured.questions()[0], "Revoke?\\x1b [y/N] ");
    assert_eq!(captured.stdout() + &captured.stderr(), "");
}

#[test]
fn a_name_is_confirmed_by_typing_it() {
    let (mut terminal, captured) = Terminal::test();
    captured.answer(["ci deploy", "ci", "y", "evil\\x1b"]);
    assert!(terminal.confirm_by_typing("Delete it?", "ci deploy").unwrap());
    assert!(!terminal.confirm_by_typing("Delete it?", "ci deploy").unwrap());
    assert!(!terminal.confirm_by_typing("Delete it?", "ci deploy").unwrap());
    assert!(terminal.confirm_by_typing("Delete it?", "evil\x1b").unwrap());
    assert_eq!(captured.questions()[0], "Delete it?\nType `ci deploy` to confirm: ");
}

#[test]
fn nobody_is_asked_in_ci_or_without_input() {
    let (mut terminal, captured) = Terminal::test();
    captured.answer(["y"]);
    terminal.surroundings.ci = true;
    assert!(!terminal.can_ask());
    terminal.surroundings.ci = false;
    terminal.configure(Color::Auto, false, true);
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
    assert_eq!(terminal.read_secret("Key: ").unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert!(read_all(&mut [0xff_u8].as_slice()).is_err());
}

#[test]
fn the_buffer_passes_on_in_large_pieces_and_keeps_the_order() {
    let shared = Shared::default();
    let mut buffered = Buffered::new(Box::new(shared.clone()));
    let mut expected = String::new();
    for piece in ["a".repeat(10), "b".repeat(BUFFER - 5), "c".repeat(3), "d".repeat(2 * BUFFER), "e".to_owned()] {
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
    assert_eq!(lost::why(device("/dev/null").as_fd()), Some("standard output is closed or is /dev/null"));
    assert_eq!(lost::why(File::open("/dev/null").unwrap().as_fd()), Some("standard output is not open for writing"));
    if cfg!(target_os = "linux") {
        assert_eq!(lost::why(device("/dev/full").as_fd()), Some("standard output is /dev/full"));
    }
    let (reader, writer) = io::pipe().unwrap();
    assert_eq!(lost::why(writer.as_fd()), None);
    drop(reader);
    assert_eq!(lost::why(writer.as_fd()), Some("nobody reads standard output any more"));
    let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
    assert_eq!(lost::why(here.as_fd()), None);
    drop(there);
    assert_eq!(lost::why(here.as_fd()), Some("nobody reads standard output any more"));
}

/// Asks on a real terminal; the person there waits for the prompt and then types.
#[cfg(unix)]
fn asked(typed: &[u8], echo: Echo) -> (io::Result<Option<Zeroizing<String>>>, String) {
    use std::fs::OpenOptions;

    use portable_pty::{PtySize, native_pty_system};

    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let path = pair.master.tty_name().unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(path).unwrap();
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
    assert_eq!(format!("{:?}", after.local_modes), format!("{:?}", before.local_modes));
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
    assert!(answer.unwrap().is_none(), "the end of the input is no answer");
}
