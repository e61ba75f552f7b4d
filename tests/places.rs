//! Where a new key goes, seen from outside: the menu in a real tmux, the clipboards of tmux, of a terminal and of an X
//! server, every place read back by programs that are not ours, and what is refused before there is a key.
//!
//! What a machine lacks is left out and named on standard error; with `KEYS_REQUIRE_TERMINAL_TOOLS` set, that fails.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests, helpers and all")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;

const KEYS: &str = env!("CARGO_BIN_EXE_keys");

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A directory of one test, with the data of its keys; removed with what is in it.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("keys-places-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A program that knows nothing of who runs the tests.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", search_path()).env("HOME", &self.0).env("KEYS_DATA_DIR", self.path("data"));
        command.current_dir(&self.0).stdin(Stdio::null());
        command
    }

    /// `keys -p local …`, in words without spaces in them.
    fn keys(&self, line: &str) -> Command {
        let mut command = self.command(KEYS);
        command.args(["-p", "local"]).args(line.split(' '));
        command
    }

    fn create(&self, name: &str, to: &[&str]) -> Command {
        let mut command = self.keys("create --perm read:contacts --name");
        command.arg(name);
        for place in to {
            command.args(["--to", place]);
        }
        command
    }

    /// The names of all keys there are.
    fn names(&self) -> Vec<String> {
        let output = self.keys("list --status all --json").output().unwrap();
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        list["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(self.path(name))
            .unwrap()
            .write_all(content.as_bytes())
            .unwrap();
        self.path(name)
    }

    /// A directory with `keys` in it, as somebody has who typed it.
    fn search_path_with_keys(&self) -> String {
        let directory = self.path("bin");
        if !directory.exists() {
            fs::create_dir(&directory).unwrap();
            symlink(KEYS, directory.join("keys")).unwrap();
        }
        format!("{}:{}", directory.display(), search_path())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[expect(clippy::disallowed_methods, reason = "programs are looked for where the tests' own are")]
fn search_path() -> String {
    std::env::var("PATH").unwrap()
}

/// Whether all of these programs are there.
#[expect(clippy::disallowed_methods, reason = "whether the tests may do without is for those who run them to say")]
fn available(programs: &[&str]) -> bool {
    let path = search_path();
    let found = |program: &str| std::env::split_paths(&path).any(|directory| directory.join(program).is_file());
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !found(program)).collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(std::env::var_os("KEYS_REQUIRE_TERMINAL_TOOLS").is_none(), "{missing} is required and not there");
    leave_out(&missing);
    false
}

/// Says what a test goes without, where the test runner does not swallow it.
#[expect(clippy::disallowed_methods, reason = "this is for the person who runs the tests")]
fn leave_out(what: &str) {
    let test = thread::current().name().unwrap_or_default().to_owned();
    let _ = std::io::stderr().write_all(format!("left out for want of {what}: {test}\n").as_bytes());
}

/// Waits until there is an answer; what there was instead is shown when there never is.
fn wait_for<T>(what: &str, mut answer: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match answer() {
            Ok(answer) => return answer,
            Err(instead) if start.elapsed() > DEADLINE => panic!("{what} never came; there was:\n{instead}"),
            Err(_) => thread::sleep(Duration::from_millis(15)),
        }
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn is_key(text: &str) -> bool {
    text.len() == 45 && text.starts_with("wbk_")
}

/// A server of tmux of its own, with a shell in its one pane.
struct Tmux<'a> {
    socket: String,
    home: &'a Home,
}

impl<'a> Tmux<'a> {
    fn start(home: &'a Home) -> Self {
        let socket = home.path("tmux").display().to_string();
        let tmux = Self { socket, home };
        let status = tmux
            .command(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "env PS1='$ ' sh"])
            .env("PATH", home.search_path_with_keys())
            .env("TERM", "xterm-256color")
            .status();
        assert!(status.unwrap().success());
        tmux.wait("$");
        tmux
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command("tmux");
        command.args(["-S", &self.socket]).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        out(&self.command(arguments).output().unwrap())
    }

    /// Presses keys, by tmux's names for them.
    fn press(&self, key: &str) {
        self.run(&["send-keys", key]);
    }

    fn type_in(&self, text: &str) {
        self.run(&["send-keys", "-l", text]);
    }

    fn enter(&self, line: &str) {
        self.type_in(line);
        self.press("Enter");
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p", "-J"]).trim_end().to_owned()
    }

    /// All that can be scrolled back to, and the screen.
    fn everything(&self) -> String {
        self.run(&["capture-pane", "-p", "-J", "-S", "-"])
    }

    fn wait(&self, text: &str) -> String {
        wait_for(text, || {
            let screen = self.screen();
            if screen.contains(text) { Ok(screen) } else { Err(screen) }
        })
    }

    /// Runs `keys create` up to its menu, and returns the key's prefix.
    fn create(&self, name: &str) -> String {
        self.enter(&format!("clear; keys -p local create --name {name} --perm read:contacts; echo status $?"));
        let screen = self.wait("  done");
        let header = screen.lines().find(|line| line.starts_with("Key `")).unwrap();
        header.split_whitespace().last().unwrap().trim_end_matches('•').to_owned()
    }

    /// Runs the line that gets the key again, which is on the screen, and returns the key.
    fn resume(&self) -> String {
        let screen = self.screen();
        let line = screen.lines().find(|line| line.trim_start().starts_with("keys -p local create"));
        let line = line.unwrap_or_else(|| panic!("no line to resume by:\n{screen}"));
        let again = || {
            let mut shell = self.home.command("sh");
            shell.args(["-c", line]).env("PATH", self.home.search_path_with_keys());
            out(&shell.output().unwrap()).trim_end().to_owned()
        };
        let key = again();
        assert!(is_key(&key), "{line}\n{key}");
        assert_eq!(key, again());
        key
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// What a screen shows below the command line, with the key's prefix made the same for all.
fn menu(screen: &str, prefix: &str) -> String {
    let lines = screen.lines().skip_while(|line| !line.starts_with("Key `"));
    lines.collect::<Vec<_>>().join("\n").replace(prefix, "PREFIX")
}

/// Waits until the menu stands there just so: the mark at an entry, a note below.
fn shows(tmux: &Tmux<'_>, prefix: &str, mark: usize, note: &str) {
    let entries = [
        "copy    to the clipboard",
        "reveal  on this screen, until you press Enter",
        "save    to a file",
        "pipe    to a command, on its standard input",
        "done",
    ];
    let mut expected = "Key `ci` is made: PREFIX•••".to_owned();
    for (at, entry) in entries.iter().enumerate() {
        expected.push_str(if at == mark { "\n> " } else { "\n  " });
        expected.push_str(entry);
    }
    if !note.is_empty() {
        expected = format!("{expected}\n{note}");
    }
    wait_for(&expected, || {
        let found = menu(&tmux.screen(), prefix);
        if found == expected { Ok(()) } else { Err(found) }
    });
}

#[test]
fn the_menu_step_by_step() {
    if !available(&["tmux"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home);
    let prefix = tmux.create("ci");
    let shows = |mark, note| shows(&tmux, &prefix, mark, note);
    shows(0, "");
    tmux.press("Down");
    shows(1, "");
    tmux.press("j");
    shows(2, "");
    tmux.press("Up");
    tmux.press("k");
    shows(0, "");
    tmux.press("k");
    shows(4, "");
    let question = "Nobody has this key yet, and it is not shown again. Leave all the same? [y/N]";
    for leaving in ["Enter", "d", "Escape", "C-d", "C-c"] {
        tmux.press(leaving);
        shows(4, question);
        tmux.press("n");
        shows(4, "");
    }
    tmux.press("s");
    shows(2, "Path of the file:");
    tmux.type_in("nowhere/kex");
    tmux.press("BSpace");
    tmux.type_in("y");
    shows(2, "Path of the file: nowhere/key");
    tmux.press("Escape");
    shows(2, "");
    tmux.press("s");
    shows(2, "Path of the file:");
    tmux.enter("no/where");
    tmux.wait("Not done: could not prepare `file:no/where`");
    tmux.press("s");
    tmux.wait("Path of the file:");
    tmux.enter("saved");
    shows(2, "Saved to file:saved");
    tmux.press("p");
    shows(3, "Command:");
    tmux.enter("false");
    tmux.wait("Not done: could not deliver to `cmd:false`: the command ended with exit status: 1");
    tmux.press("p");
    tmux.wait("Command:");
    tmux.enter("tr a-z A-Z >piped; echo a word of its own");
    let screen = tmux.wait("The command has taken it");
    assert!(screen.contains("a word of its own\n"), "{screen}");
    tmux.press("d");
    let screen = tmux.wait("status 0");
    assert!(screen.contains("Created key `ci`") && screen.contains("written to   file:saved"), "{screen}");
    assert!(!screen.contains("reveal"), "the menu is gone: {screen}");
    let key = home.read("saved").trim_end().to_owned();
    assert!(is_key(&key) && key.starts_with(&prefix));
    assert_eq!(home.read("piped"), key.to_uppercase());
    assert_eq!(fs::metadata(home.path("saved")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!tmux.everything().contains(&key));
}

#[test]
fn what_was_revealed_is_nowhere_afterwards() {
    if !available(&["tmux"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home);
    // Without an alternate screen the key stands on the only one there is.
    for alternate in ["on", "off"] {
        tmux.run(&["set-option", "-g", "alternate-screen", alternate]);
        let prefix = tmux.create(&format!("revealed-{alternate}"));
        tmux.press("r");
        let screen = tmux.wait("Press Enter to hide it");
        let key = screen.lines().find(|line| line.starts_with(&prefix)).unwrap().trim_end().to_owned();
        assert!(is_key(&key), "{screen}");
        tmux.press("Enter");
        tmux.wait("It was shown, and is hidden again");
        assert!(!tmux.everything().contains(&key));
        tmux.press("d");
        tmux.wait("status 0");
        assert!(!tmux.everything().contains(&key));
        let secret = &key[prefix.len()..];
        assert!(!tmux.everything().contains(secret));
    }
}

#[test]
fn a_copy_in_tmux_is_its_buffer() {
    if !available(&["tmux"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home);
    let prefix = tmux.create("ci");
    tmux.press("c");
    let screen = tmux.wait("cannot be asked to forget it");
    let said = screen.replace('\n', " ");
    assert!(
        said.contains("Clipboard: tmux's buffer `keys` holds it for 45 seconds; your terminal was asked"),
        "{said}"
    );
    let key = tmux.run(&["show-buffer", "-b", "keys"]);
    assert!(is_key(&key) && key.starts_with(&prefix));
    no_process_shows(&key);
    tmux.press("d");
    tmux.wait("status 0");
    assert!(!tmux.everything().contains(&key));
}

#[test]
fn a_buffer_of_tmux_is_deleted_in_time_if_it_is_still_ours() {
    if !available(&["tmux"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home);
    tmux.enter("printf secret-1 | keys __hold tmux --seconds 1 >ready1; echo ended $?");
    wait_for("READY", || {
        let ready = fs::read_to_string(home.path("ready1")).unwrap_or_default();
        if ready == "READY\n" { Ok(()) } else { Err(ready) }
    });
    assert_eq!(tmux.run(&["show-buffer", "-b", "keys"]), "secret-1");
    tmux.wait("ended 0");
    assert_eq!(tmux.run(&["show-buffer", "-b", "keys"]), "");

    tmux.enter("clear; printf secret-2 | keys __hold tmux --seconds 1 >ready2; echo ended $?");
    wait_for("READY", || {
        let ready = fs::read_to_string(home.path("ready2")).unwrap_or_default();
        if ready == "READY\n" { Ok(()) } else { Err(ready) }
    });
    tmux.run(&["set-buffer", "-b", "keys", "another"]);
    tmux.wait("ended 0");
    assert_eq!(tmux.run(&["show-buffer", "-b", "keys"]), "another");
}

/// No process has a secret in its arguments or in the environment it was started with.
fn no_process_shows(secret: &str) {
    for process in fs::read_dir("/proc").unwrap().flatten() {
        for file in ["cmdline", "environ"] {
            let text = fs::read(process.path().join(file)).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&text).contains(secret), "{} shows it", process.path().display());
        }
    }
}

/// A name, keys to press with what is to be on the screen then, and what is said in the end.
type Way<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn ctrl_c_says_everywhere_how_to_get_the_key() {
    if !available(&["tmux"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home);
    let question = "Leave all the same?";
    let ways: [Way<'_>; 6] = [
        ("menu", &[("C-c", question), ("C-c", "status 130")], "interrupted before it was taken"),
        ("answer", &[("C-c", question), ("y", "status 130")], "interrupted before it was taken"),
        ("path", &[("s", "Path of"), ("C-c", question), ("C-c", "status 130")], "interrupted before it was taken"),
        ("command", &[("p", "Command:"), ("C-c", question), ("C-c", "status 130")], "interrupted before it was taken"),
        ("done", &[("d", question), ("y", "status 11")], "it was left without being taken"),
        ("escape", &[("Escape", question), ("y", "status 11")], "it was left without being taken"),
    ];
    for (name, steps, what) in ways {
        let prefix = tmux.create(name);
        for (key, then) in steps {
            tmux.press(key);
            tmux.wait(then);
        }
        let screen = tmux.screen();
        assert!(screen.contains(&format!("was made, but not delivered: {what}")), "{screen}");
        assert!(tmux.resume().starts_with(&prefix), "{name}");
    }
    // While a place has it that was named.
    tmux.enter("clear; keys -p local create --name sent --perm read:contacts --to 'cmd:echo st\"\"arted; sleep 60'; echo status $?");
    tmux.wait("started");
    tmux.press("C-c");
    let screen = tmux.wait("status 130");
    assert!(screen.contains("--to 'cmd:echo st\"\"arted; sleep 60' --idempotency-key"), "{screen}");
    // While a command has it: the command ends, the menu is there again.
    tmux.create("running");
    tmux.press("p");
    tmux.wait("Command:");
    tmux.enter("echo st\"\"arted; sleep 60");
    tmux.wait("started");
    tmux.press("C-c");
    tmux.wait("Not done: could not deliver to `cmd:echo st\"\"arted; sleep 60`");
    // Revealed is taken: Ctrl-C only hides it.
    tmux.press("r");
    tmux.wait("Press Enter to hide it");
    tmux.press("C-c");
    tmux.wait("It was shown, and is hidden again");
    tmux.press("C-c");
    tmux.wait("status 0");
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    if !available(&["tmux", "stty"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home);
    for (signal, step, status) in
        [("TERM", "", 143), ("HUP", "", 143), ("INT", "", 130), ("TERM", "s", 143), ("TERM", "r", 0)]
    {
        let name = format!("by-{signal}-{step}");
        tmux.enter(&format!(
            "clear; stty -g >before; sh -c 'echo $$ >pid; exec keys -p local create --name {name} --perm read:contacts'; \
             echo status $?; stty -g >after"
        ));
        let screen = tmux.wait("  done");
        let prefix = screen.lines().find(|line| line.starts_with("Key `")).unwrap().to_owned();
        if !step.is_empty() {
            tmux.press(step);
            tmux.wait(if step == "s" { "Path of the file:" } else { "Press Enter" });
        }
        let process = home.read("pid").trim_end().to_owned();
        assert!(home.command("kill").args([&format!("-{signal}"), &process]).status().unwrap().success());
        let screen = tmux.wait(&format!("status {status}"));
        let after = wait_for("the state afterwards", || {
            let after = fs::read_to_string(home.path("after")).unwrap_or_default();
            if after.ends_with('\n') { Ok(after) } else { Err(after) }
        });
        assert_eq!(home.read("before"), after, "{name}");
        assert_eq!(tmux.run(&["display-message", "-p", "#{cursor_flag} #{alternate_on}"]), "1 0\n", "{name}");
        if status != 0 {
            assert!(prefix.contains(&tmux.resume()[..12]), "{screen}");
        }
        fs::remove_file(home.path("after")).unwrap();
    }
}

#[test]
fn without_somebody_to_ask_a_terminal_gets_the_plain_key() {
    if !available(&["tmux"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home);
    tmux.enter("clear; keys -p local create --name ci --perm read:contacts --no-input; echo status $?");
    let screen = tmux.wait("status 0");
    assert!(screen.lines().any(|line| is_key(line.trim_end())), "{screen}");
    tmux.enter("clear; CI=true keys -p local create --name log --perm read:contacts; echo status $?");
    let screen = tmux.wait("status 13");
    assert!(screen.contains("a CI log (CI is set)"), "{screen}");
    tmux.enter("clear; keys serve init --name Acme; echo status $?");
    tmux.wait("Key `");
    tmux.press("s");
    tmux.wait("Path of the file:");
    tmux.enter("admin");
    tmux.wait("Saved to file:admin");
    tmux.press("d");
    tmux.wait("Made workspace `Acme`");
    assert!(is_key(home.read("admin").trim_end()));
    assert_eq!(home.names(), ["ci"]);
}

/// A terminal of our own, which keeps what it was asked to copy.
struct Screen {
    parser: Arc<Mutex<vt100::Parser<Copied>>>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
}

#[derive(Default)]
struct Copied(Vec<String>);

impl vt100::Callbacks for Copied {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.0.push(String::from_utf8(data.to_vec()).unwrap());
    }
}

impl Screen {
    fn start(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let pty =
            native_pty_system().openpty(PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(KEYS);
        command.args(arguments);
        command.env_clear();
        command.env("KEYS_DATA_DIR", home.path("data"));
        command.cwd(&home.0);
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().unwrap();
        let (rows, columns) = (NonZeroU16::new(24).unwrap(), NonZeroU16::new(100).unwrap());
        let parser = Arc::new(Mutex::new(vt100::Parser::new_with_callbacks(rows, columns, 1000, Copied::default())));
        let feed = Arc::clone(&parser);
        let writer = pty.master.take_writer().unwrap();
        let master = pty.master;
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                feed.lock().unwrap().process(&bytes[..length]);
            }
            drop(master);
        });
        Self { parser, writer, child }
    }

    fn wait(&self, text: &str) -> String {
        wait_for(text, || {
            let screen = self.parser.lock().unwrap().screen().contents();
            if screen.contains(text) { Ok(screen) } else { Err(screen) }
        })
    }

    fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
    }

    fn copied(&self) -> Vec<String> {
        let parser = self.parser.lock().unwrap();
        let decode = |text: &String| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        parser.callbacks().0.iter().map(|text| String::from_utf8(decode(text)).unwrap()).collect()
    }
}

const SSH: [(&str, &str); 2] = [("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22"), ("TERM", "xterm")];

#[test]
fn over_ssh_the_terminal_is_asked_to_copy() {
    let home = Home::new();
    let create = ["-p", "local", "create", "--name", "ci", "--perm", "read:contacts"];
    let mut screen = Screen::start(&home, &create, &SSH);
    screen.wait("  done");
    screen.press("c");
    let shown = screen.wait("asked your terminal to copy it");
    let said = shown.replace('\n', " ");
    assert!(
        said.contains(
            "Clipboard: asked your terminal to copy it; it does not answer, and cannot be asked to forget it"
        ),
        "{said}"
    );
    assert!(!said.to_lowercase().contains("copied"), "nobody knows that: {said}");
    screen.press("s");
    screen.wait("Path of the file:");
    screen.press("saved\r");
    screen.wait("Saved to file:saved");
    screen.press("d");
    assert!(screen.child.wait().unwrap().success());
    assert_eq!(screen.copied(), [home.read("saved").trim_end()]);

    // Without a menu too; and without a terminal there is nobody to ask.
    let create = ["-p", "local", "create", "--name", "ci2", "--perm", "read:contacts", "--to", "clipboard"];
    let mut screen = Screen::start(&home, &create, &SSH);
    screen.wait("Undo with");
    assert!(screen.child.wait().unwrap().success());
    assert!(screen.copied().iter().all(|key| is_key(key)));
    let refused = home.command("setsid").args([KEYS, "-p", "local"]).args(&create[2..]).envs(SSH).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("a terminal has to be asked to copy, and there is none"), "{}", err(&refused));
}

/// An X server without a screen, for one test.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start(home: &Home) -> Self {
        let mut server = home
            .command("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x480x8", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        let mut said = server.stdout.take().unwrap();
        let mut byte = [0];
        while said.read(&mut byte).unwrap() == 1 && byte != [b'\n'] {
            number.push(char::from(byte[0]));
        }
        Self { server, name: format!(":{number}") }
    }

    fn paste(&self, home: &Home) -> String {
        let mut paste = home.command("xclip");
        out(&paste.args(["-o", "-selection", "clipboard"]).env("DISPLAY", &self.name).output().unwrap())
    }

    fn copy(&self, home: &Home, text: &str) {
        let file = home.path("copy");
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&file)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let mut copy = home.command("xclip");
        copy.args(["-i", "-selection", "clipboard"]).arg(file).env("DISPLAY", &self.name);
        // It goes on in the background, where it must not hold on to what the test reads.
        assert!(copy.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    }

    /// The holders on this display.
    fn holders(&self) -> Vec<PathBuf> {
        let on_display = |process: &Path| {
            let of =
                |file: &str| String::from_utf8_lossy(&fs::read(process.join(file)).unwrap_or_default()).into_owned();
            of("cmdline").contains("__hold") && of("environ").contains(&format!("DISPLAY={}", self.name))
        };
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|process| process.path());
        processes.filter(|process| on_display(process)).collect()
    }

    fn wait_without_holder(&self) {
        wait_for("the end of the holder", || {
            let holders = self.holders();
            if holders.is_empty() { Ok(()) } else { Err(format!("{holders:?}")) }
        });
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn the_clipboard_holds_the_key_until_something_else_is_copied() {
    if !available(&["Xvfb", "xclip"]) {
        return;
    }
    let home = Home::new();
    let display = Display::start(&home);
    let created = home.create("ci", &["clipboard", "file:saved"]).env("DISPLAY", &display.name).output().unwrap();
    assert!(created.status.success(), "{}", err(&created));
    assert!(err(&created).contains("clipboard: holds it for 45 seconds, unless something else is copied before"));
    let key = home.read("saved").trim_end().to_owned();
    assert_eq!(out(&created), "");
    // It outlives the command that made it, for every paste.
    assert_eq!(display.paste(&home), key);
    assert_eq!(display.paste(&home), key);
    assert_eq!(display.holders().len(), 1);
    no_process_shows(&key);
    display.copy(&home, "something else");
    display.wait_without_holder();
    assert_eq!(display.paste(&home), "something else");
}

#[test]
fn the_clipboard_is_cleared_in_time() {
    if !available(&["Xvfb", "xclip"]) {
        return;
    }
    let home = Home::new();
    let display = Display::start(&home);
    let mut hold = home.command(KEYS);
    hold.args(["__hold", "system", "--seconds", "2"]).env("DISPLAY", &display.name);
    let mut holder = hold.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    holder.stdin.take().unwrap().write_all(b"secret-3").unwrap();
    let mut ready = [0; 6];
    holder.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    assert_eq!(&ready, b"READY\n");
    assert_eq!(display.paste(&home), "secret-3");
    assert!(holder.wait().unwrap().success());
    assert_eq!(display.paste(&home), "");
}

#[test]
fn without_a_clipboard_nothing_is_made() {
    let home = Home::new();
    let unreachable = [("DISPLAY", ":4711")];
    let dead_tmux = [("TMUX", "/nowhere,1,0")];
    for variables in [&[][..], &unreachable[..], &dead_tmux[..]] {
        let refused = home.create("ci", &["clipboard"]).envs(variables.iter().copied()).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
        let said = err(&refused);
        assert!(said.contains("there is no clipboard") && said.contains("file:PATH"), "{said}");
    }
    assert!(home.names().is_empty());
}

/// What a program prints that got a key in one way or another.
fn printed(home: &Home, program: &str, arguments: &[&str]) -> String {
    let output = home.command(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", err(&output));
    out(&output).trim_end().to_owned()
}

#[test]
fn other_programs_read_what_was_written() {
    if !available(&["jq", "python3"]) {
        return;
    }
    let home = Home::new();
    home.write(".env", "A='1 # one'\nexport KEY=old # before\nB=\"2\"\n");
    fs::set_permissions(home.path(".env"), fs::Permissions::from_mode(0o600)).unwrap();
    let places = ["file:key", "dotenv:.env#KEY", "json:key.json", "cmd:cat >piped", "fd:1"];
    let created = home.create("ci", &places).output().unwrap();
    assert!(created.status.success(), "{}", err(&created));
    let key = out(&created).trim_end().to_owned();
    assert!(is_key(&key));
    assert_eq!(printed(&home, "cat", &["key"]), key);
    assert_eq!(
        printed(&home, "sh", &["-c", ". ./.env; printf '%s|%s|%s' \"$A\" \"$KEY\" \"$B\""]),
        format!("1 # one|{key}|2")
    );
    assert_eq!(printed(&home, "jq", &["-r", ".secret", "key.json"]), key);
    assert_eq!(printed(&home, "jq", &["-r", ".name", "key.json"]), "ci");
    assert_eq!(home.read("piped"), key);
    for name in ["key", ".env", "key.json"] {
        assert_eq!(fs::metadata(home.path(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let importable = home.command("python3").args(["-c", "import dotenv"]).stderr(Stdio::null()).status();
    if importable.is_ok_and(|status| status.success()) {
        let program =
            "import dotenv; values = dotenv.dotenv_values('.env'); print(values['A'], values['KEY'], values['B'])";
        assert_eq!(printed(&home, "python3", &["-c", program]), format!("1 # one {key} 2"));
    } else {
        leave_out("python-dotenv");
    }
}

/// Runs a command line in `sh` as a script would, both outputs in pipes.
fn script(home: &Home, line: &str, variables: &[(&str, &str)]) -> Output {
    let mut shell = home.command("sh");
    shell.args(["-c", line]).env("PATH", home.search_path_with_keys()).envs(variables.iter().copied());
    shell.output().unwrap()
}

/// A file system in memory without any room left, in the directory `full`.
struct FullDisk<'a>(&'a Home);

impl<'a> FullDisk<'a> {
    fn mount(home: &'a Home) -> Option<Self> {
        fs::create_dir(home.path("full")).unwrap();
        let mut mount = home.command("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4k", "keys", "full"]).stderr(Stdio::null());
        if !mount.status().is_ok_and(|status| status.success()) {
            return None;
        }
        let disk = Self(home);
        home.write("full/env", "");
        let mut rest = fs::OpenOptions::new().write(true).create_new(true).open(home.path("full/rest")).unwrap();
        assert!(rest.write_all(&[0; 8192]).is_err());
        Some(disk)
    }
}

impl Drop for FullDisk<'_> {
    fn drop(&mut self) {
        let _ = self.0.command("umount").arg("full").status();
    }
}

#[test]
fn what_cannot_take_the_key_is_found_out_before_there_is_one() {
    let home = Home::new();
    home.write("target", "");
    symlink(home.path("target"), home.path("link")).unwrap();
    fs::create_dir(home.path("directory")).unwrap();
    home.write("open", "");
    fs::set_permissions(home.path("open"), fs::Permissions::from_mode(0o644)).unwrap();
    let create = "keys -p local create --perm read:contacts --name ci";
    let mut lines: Vec<String> = [
        "--to file:/dev/full",
        "--to file:link",
        "--to file:directory",
        "--to file:open",
        "--to json:link",
        "--to dotenv:link#KEY",
        "--to dotenv:directory#KEY",
        "--to file:absent/key",
        "--to file:/proc/key",
        "--to fd:7",
        "--to cmd:no-such-command",
        "--to github-env:KEY",
        "--to github-output:KEY",
        ">&-",
        "--to stdout >&-",
        "--to fd:1 >&-",
        ">/dev/full",
        "--to file:good --to file:directory",
    ]
    .iter()
    .map(|rest| format!("{create} {rest}"))
    .collect();
    let disk = FullDisk::mount(&home);
    if disk.is_some() {
        lines.push(format!("{create} --to file:full/key"));
        lines.push(format!("{create} --to dotenv:full/.env#KEY"));
        lines.push(format!("{create} >> full/rest"));
        lines.push(format!("GITHUB_ENV=full/env {create} --to github-env:KEY"));
        lines.push(format!("mount -o remount,ro full && {create} --to file:full/key"));
    } else {
        leave_out("a file system in memory, which only root can mount");
    }
    let outcomes: Vec<Output> = lines.iter().map(|line| script(&home, line, &[])).collect();
    drop(disk);
    for (line, outcome) in lines.iter().zip(&outcomes) {
        let said = err(outcome);
        assert_eq!(outcome.status.code(), Some(2), "{line}\n{said}");
        assert!(said.starts_with("error: ") && !said.contains("wbk_"), "{line}\n{said}");
        assert_eq!(out(outcome), "", "{line}");
    }
    assert!(home.names().is_empty());
    assert!(!home.path("good").exists());
}

/// What GitHub's runner makes of a file of commands, by its rules.
fn runner_reads(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (assignment, block) = (line.find('='), line.find("<<"));
        match (assignment, block) {
            (at, Some(block)) if at.is_none_or(|at| block < at) => {
                let end = &line[block + 2..];
                let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                found.insert(line[..block].to_owned(), value.join("\n"));
            }
            (Some(at), _) => drop(found.insert(line[..at].to_owned(), line[at + 1..].to_owned())),
            _ => assert!(line.is_empty(), "the runner refuses {line}"),
        }
    }
    found
}

const ACTIONS: [(&str, &str); 4] =
    [("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITHUB_ENV", "step.env"), ("GITHUB_OUTPUT", "step.output")];

#[test]
fn a_step_of_github_actions() {
    let home = Home::new();
    home.write("step.env", "LINES<<X\none\nTWO=2\nX\nNAME=value");
    home.write("step.output", "");
    let line = "keys -p local create --perm read:contacts --name ci --to github-env:API_KEY --to github-output:api-key --to file:key";
    let step = script(&home, line, &ACTIONS);
    let key = home.read("key").trim_end().to_owned();
    assert!(step.status.success() && is_key(&key), "{}", err(&step));
    assert!(err(&step).starts_with(&format!("::add-mask::{key}\n")), "the mask comes first: {}", err(&step));
    assert_eq!(err(&step).matches(&key).count(), 1);
    assert_eq!(out(&step), "");
    let environment = runner_reads(&home.read("step.env"));
    let pairs = [("API_KEY", key.as_str()), ("LINES", "one\nTWO=2"), ("NAME", "value")];
    assert_eq!(environment, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!(runner_reads(&home.read("step.output")), BTreeMap::from([("api-key".to_owned(), key)]));

    // Both streams in one, as in a log: the mask stands before the key.
    let line = "keys -p local create --perm read:contacts --name ci2 --to stdout 2>&1";
    let log = out(&script(&home, line, &ACTIONS));
    let key = log.lines().find(|line| is_key(line)).unwrap();
    assert!(log.starts_with(&format!("::add-mask::{key}\n")), "{log}");

    // In an object, and by a command of the user's.
    for (name, rest) in [("ci3", "--json --to stdout"), ("ci4", "--to cmd:cat")] {
        let line = format!(
            "NEW=$(keys -p local create --perm read:contacts --name {name} {})",
            rest.replace("--json --to stdout", "--json")
        );
        let said = err(&script(&home, &line, &ACTIONS));
        assert!(said.starts_with("::add-mask::wbk_"), "{said}");
    }

    // Never anywhere else, and never where it would stay.
    let said = err(&script(&home, "NEW=$(keys -p local create --perm read:contacts --name ci5)", &[]));
    assert!(!said.contains("::") && !said.contains("wbk_"), "{said}");
    for redirection in ["2>/dev/null", "2>errors", "2>&-"] {
        let line = format!("NEW=$(keys -p local create --perm read:contacts --name lost {redirection}); echo $?");
        assert_eq!(out(&script(&home, &line, &ACTIONS)), "2\n", "{redirection}");
    }
    let agent = [&ACTIONS[..], &[("CLAUDECODE", "1")]].concat();
    let refused = script(&home, "keys -p local create --perm read:contacts --name lost --to github-env:KEY", &agent);
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
    assert!(!home.names().contains(&"lost".to_owned()));
}

#[test]
fn agents_and_logs_are_refused_before_there_is_a_key() {
    let home = Home::new();
    let readers = [
        "CLAUDECODE",
        "CURSOR_AGENT",
        "CODEX_SANDBOX",
        "GEMINI_CLI",
        "CLINE_ACTIVE",
        "OPENCODE",
        "CI",
        "GITLAB_CI",
        "JENKINS_URL",
        "TF_BUILD",
        "BUILDKITE",
        "GITHUB_ACTIONS",
    ];
    let create = "keys -p local create --perm read:contacts --name ci";
    // One pipe for both, two pipes, within other programs, as an object, and redirected talk.
    let lines = ["", " 2>&1", "; true", " --json", " --jq .secret", " 2>errors"];
    for reader in readers {
        let variable = [(reader, "true")];
        let direct = home.create("ci", &[]).envs(variable).output().unwrap();
        assert_eq!((direct.status.code(), out(&direct).as_str()), (Some(13), ""), "{reader}");
        assert!(err(&direct).contains("--to: file:PATH") && err(&direct).contains(reader), "{}", err(&direct));
    }
    for line in lines {
        for start in ["", "(cd . && env ", "exec "] {
            let line = format!("{start}{create}{line}{}", if start.starts_with('(') { ")" } else { "" });
            let refused = script(&home, &line, &[("CLAUDECODE", "1")]);
            let said = format!("{line}\n{}", err(&refused) + &out(&refused));
            assert!(!said.contains("wbk_"), "{said}");
        }
    }
    assert!(home.names().is_empty());

    // What a script captures is its own.
    let captured = [
        "NEW=$(CREATE one)",
        "NEW=$(cd . && CREATE two; true)",
        "NEW=$(CREATE three 2>/dev/null)",
        "NEW=`env A=1 CREATE four`",
        "NEW=$(CREATE six --json | tr -d ' \n' | sed 's/.*\"secret\":\"//; s/\".*//')",
    ];
    for line in captured {
        let line = line.replace("CREATE", "keys -p local create --perm read:contacts --name");
        for shell in ["sh", "bash", "zsh"] {
            if !Path::new("/bin").join(shell).exists() && !Path::new("/usr/bin").join(shell).exists() {
                continue;
            }
            let unique = line.replace("--name ", &format!("--name {shell}-"));
            let mut command = home.command(shell);
            command.args(["-c", &format!("{unique}; printf %s \"${{#NEW}}\"")]);
            command.env("PATH", home.search_path_with_keys()).env("CI", "true").env("CLAUDECODE", "1");
            let output = command.output().unwrap();
            assert_eq!(out(&output), "45", "{unique}\n{}", err(&output));
        }
    }
    // And what is said outright is done.
    let said = home.create("outright", &["stdout"]).env("CI", "true").output().unwrap();
    assert!(is_key(out(&said).trim_end()));
    let off = home.create("off", &[]).env("CI", "false").output().unwrap();
    assert!(is_key(out(&off).trim_end()));
}

#[test]
fn a_dotenv_file_that_gitlab_may_publish_is_refused() {
    let home = Home::new();
    fs::create_dir(home.path("project")).unwrap();
    let project = home.path("project").display().to_string();
    let job = [("CI", "true"), ("GITLAB_CI", "true"), ("CI_PROJECT_DIR", project.as_str())];
    for path in ["project/.env", "./project/../project/.env"] {
        let refused = home.create("ci", &[&format!("dotenv:{path}#KEY")]).envs(job).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
        let said = err(&refused);
        assert!(said.contains("may become a report of GitLab") && said.contains("glab variable set"), "{said}");
    }
    assert!(home.names().is_empty());
    let written = home.create("ci", &["dotenv:.env#KEY", "file:project/key"]).envs(job).output().unwrap();
    assert!(written.status.success(), "{}", err(&written));
}
