//! A place, a service and a keyring for each test, all its own: a private bus that starts nothing by itself, and a real
//! `gnome-keyring-daemon` or `keepassxc` on it. What is not there is said on standard error, or fails where the tests are to be whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary under test.
pub(crate) const KEYS: &str = env!("CARGO_BIN_EXE_keys");

/// Nothing here takes this long; what does hangs.
pub(crate) const HANGS: Duration = Duration::from_mins(1);

/// Which implementation of the Secret Service a keyring is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gnome,
    /// Set to ask nobody, which leaves it asking for what cannot be turned off.
    KeePass,
    /// As it comes: it asks a person for every entry that a program reads.
    KeePassAsking,
}

impl Kind {
    /// The programs it takes.
    const fn tools(self) -> &'static [&'static str] {
        match self {
            Self::Gnome => &["dbus-daemon", "gnome-keyring-daemon", "dbus-send"],
            Self::KeePass | Self::KeePassAsking => &["dbus-daemon", "keepassxc", "keepassxc-cli", "dbus-send"],
        }
    }

    /// Set where its tests may not be left out.
    const fn required(self) -> &'static str {
        match self {
            Self::Gnome => "KEYS_REQUIRE_KEYRING",
            Self::KeePass | Self::KeePassAsking => "KEYS_REQUIRE_SECOND_KEYRING",
        }
    }
}

/// The service itself.
const SECRETS: &str = "/org/freedesktop/secrets";

/// The one collection. `KeePassXC` names it for the file of its database.
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// A database that shows its topmost group to other programs, which the command line cannot say.
const DATABASE: &str = "<KeePassFile><Meta><CustomData><Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key>\
     <Value>{00000000-0000-0000-0000-000000000001}</Value></Item></CustomData></Meta><Root><Group>\
     <UUID>AAAAAAAAAAAAAAAAAAAAAQ==</UUID><Name>Root</Name></Group></Root></KeePassFile>";

/// Opens the keyring; longer than some of them ask for.
const PASSWORD: &str = "throw-away-password";

/// Directories of a test, removed at the end.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Short: the path of a socket has a limit.
        let root = std::env::temp_dir().join(format!("keys-cr-{}-{number}", std::process::id()));
        for name in ["home", "run", "data", "cache", "xdg"] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(root.join(name)).unwrap();
        }
        Self(root)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A file of ours alone.
    #[expect(clippy::disallowed_methods, reason = "the files of a test need not be atomic")]
    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        fs::write(self.path(name), content).unwrap();
        self.change_mode(name, 0o600);
        self.text(name)
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::symlink_metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    pub(crate) fn change_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Nothing of the caller's environment but a path to the system's programs.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        [
            ("PATH", "/usr/bin:/bin:/usr/sbin:/sbin".to_owned()),
            ("HOME", self.text("home")),
            ("XDG_RUNTIME_DIR", self.text("run")),
            ("XDG_DATA_HOME", self.text("data")),
            ("XDG_CACHE_HOME", self.text("cache")),
            ("XDG_CONFIG_HOME", self.text("xdg")),
            ("KEYS_CONFIG_DIR", self.text("config")),
            ("KEYS_DATA_DIR", self.text("store")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// `keys` with these words, split at spaces.
    pub(crate) fn keys(&self, line: &str) -> Run {
        Run {
            words: line.split_whitespace().map(str::to_owned).collect(),
            directory: self.0.clone(),
            environment: self.environment(),
            input: String::new(),
        }
    }

    /// The files that hold a text, of all there are.
    pub(crate) fn files_holding(&self, wanted: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut directories = vec![self.0.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                let kind = fs::symlink_metadata(&path).unwrap().file_type();
                if kind.is_dir() {
                    directories.push(path);
                } else if kind.is_file() {
                    let content = fs::read(&path).unwrap();
                    if content.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
                        found.push(path.strip_prefix(&self.0).unwrap().to_str().unwrap().to_owned());
                    }
                }
            }
        }
        found
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A run that is still to begin.
pub(crate) struct Run {
    words: Vec<String>,
    directory: PathBuf,
    environment: BTreeMap<String, String>,
    input: String,
}

impl Run {
    /// Another argument, spaces and all.
    pub(crate) fn arg(mut self, argument: impl AsRef<str>) -> Self {
        self.words.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.environment.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    pub(crate) fn on(self, keyring: &Keyring) -> Self {
        self.env("DBUS_SESSION_BUS_ADDRESS", &keyring.address)
    }

    /// What is piped in.
    pub(crate) fn input(mut self, input: impl AsRef<str>) -> Self {
        input.as_ref().clone_into(&mut self.input);
        self
    }

    pub(crate) fn command(&self) -> Command {
        // Without a terminal to ask on, whatever the tests are started from.
        let mut command = Command::new("setsid");
        command.arg("-w").arg(KEYS).args(&self.words).env_clear().envs(&self.environment).current_dir(&self.directory);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub(crate) fn done(self) -> Seen {
        let begin = Instant::now();
        let mut child = self.command().spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that reads nothing closes its end.
        let _ = stdin.write_all(self.input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(begin.elapsed() < HANGS, "{:?} took {:?}", self.words, begin.elapsed());
        Seen {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Ends with a code; what was seen.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Seen {
        let seen = self.done();
        assert_eq!(seen.code, code, "{}{}", seen.stdout, seen.stderr);
        seen
    }
}

/// Somebody at a terminal in which a program runs.
pub(crate) struct Person {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keyboard: Box<dyn io::Write + Send>,
    screen: mpsc::Receiver<Vec<u8>>,
    seen: String,
    /// Closed when dropped.
    _terminal: Box<dyn portable_pty::MasterPty + Send>,
}

impl Person {
    pub(crate) fn at(run: &Run) -> Self {
        let size = portable_pty::PtySize { rows: 40, cols: 200, pixel_width: 0, pixel_height: 0 };
        let terminal = portable_pty::native_pty_system().openpty(size).unwrap();
        let mut command = portable_pty::CommandBuilder::new(KEYS);
        command.args(&run.words);
        command.cwd(&run.directory);
        command.env_clear();
        for (name, value) in &run.environment {
            command.env(name, value);
        }
        let child = terminal.slave.spawn_command(command).unwrap();
        drop(terminal.slave);
        let mut reader = terminal.master.try_clone_reader().unwrap();
        let keyboard = terminal.master.take_writer().unwrap();
        let (shown, screen) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if shown.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keyboard, screen, seen: String::new(), _terminal: terminal.master }
    }

    /// Waits until a text is there; all that was there until then.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) -> String {
        while !self.seen.contains(text) {
            match self.screen.recv_timeout(HANGS) {
                Ok(more) => self.seen.push_str(&String::from_utf8_lossy(&more)),
                Err(end) => panic!("`{text}` is not in ({end}):\n{}", self.seen),
            }
        }
        self.seen.clone()
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Seen {
    code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Seen {
    /// Holds that these are among what was said.
    #[track_caller]
    pub(crate) fn says<const N: usize>(self, texts: [&str; N]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "`{text}` is not in:\n{}", self.stderr);
        }
        self
    }

    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        let whole: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}", self.stdout));
        whole["data"].clone()
    }
}

/// `keys serve` on a port of its own, with a workspace.
pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
    /// The first admin key.
    pub(crate) admin: String,
}

impl Service {
    pub(crate) fn start(place: &Place) -> Self {
        let database = format!("sqlite:{}", place.text("service.db"));
        let made = place.keys("serve init --name Acme --database").arg(&database).ends(0);
        let mut child = Command::new(KEYS)
            .args(["serve", "--listen", "127.0.0.1:0", "--database", &database])
            .env_clear()
            .envs(place.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        // Kept open: a service that may say nothing more would stumble.
        thread::spawn(move || stderr.read_to_end(&mut Vec::new()));
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let url = said["url"].as_str().unwrap().to_owned();
        Self { child, url, admin: made.stdout.trim_end().to_owned() }
    }

    /// A key made by the admin; its plaintext.
    pub(crate) fn create(&self, place: &Place, line: &str) -> String {
        let run = place.keys(&format!("create -q {line}"));
        let run = run.env("KEYS_API_URL", &self.url).env("KEYS_API_KEY", &self.admin);
        run.ends(0).stdout.trim_end().to_owned()
    }

    /// A login to this service with its admin key.
    pub(crate) fn login(&self, place: &Place) -> Run {
        place.keys("login --key-stdin --api-url").arg(&self.url).input(&self.admin)
    }
}

impl Drop for Service {
    #[expect(clippy::print_stderr, clippy::use_debug, reason = "it belongs to the report of a failed test")]
    fn drop(&mut self) {
        if thread::panicking() {
            // Whether it was still there says whose fault the failure is.
            eprintln!("the service at the end of the test: {:?}", self.child.try_wait());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A private session bus, and on it a keyring.
pub(crate) struct Keyring {
    kind: Kind,
    bus: Child,
    daemon: Option<Child>,
    pub(crate) address: String,
    environment: BTreeMap<String, String>,
}

impl Keyring {
    /// An unlocked keyring; `None`, said on standard error, where there is none to be had.
    pub(crate) fn unlocked(kind: Kind, place: &Place, left_out: &str) -> Option<Self> {
        let mut keyring = Self::bus_alone(kind, place, left_out)?;
        if kind != Kind::Gnome {
            keyring.make_database(place);
        }
        keyring.start_daemon(true);
        Some(keyring)
    }

    /// A bus that nobody offers anything on.
    pub(crate) fn bus_alone(kind: Kind, place: &Place, left_out: &str) -> Option<Self> {
        if let Some(tool) = kind.tools().iter().find(|tool| !is_there(tool)) {
            leave_out(kind, tool, left_out);
            return None;
        }
        let socket = place.text("run/bus");
        // Without `servicedir`: a bus that starts a keyring by itself starts a second, locked one.
        let config = format!(
            "<busconfig><type>session</type><listen>unix:path={socket}</listen><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>"
        );
        let config = place.write("bus.conf", &config);
        let mut environment = place.environment();
        // KeePassXC draws its windows nowhere, and finds one that runs already by a file in the temporary directory.
        environment.extend(
            [("QT_QPA_PLATFORM", "offscreen".to_owned()), ("TMPDIR", place.text("run"))]
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let mut bus = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address=1", "--config-file", &config])
            .env_clear()
            .envs(&environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim_end().to_owned();
        assert!(address.starts_with("unix:path="), "dbus-daemon said `{address}`");
        environment.insert("DBUS_SESSION_BUS_ADDRESS".to_owned(), address.clone());
        Some(Self { kind, bus, daemon: None, address, environment })
    }

    fn make_database(&self, place: &Place) {
        let asks = self.kind == Kind::KeePassAsking;
        place.write("keepassxc.ini", &format!(
            "[General]\nConfigVersion=2\nUpdateCheckMessageShown=true\n[FdoSecrets]\nEnabled=true\nShowNotification=false\n\
             ConfirmDeleteItem=false\nConfirmAccessItem={asks}\n"
        ));
        let mut import = self
            .program("keepassxc-cli")
            // The least time it lets a password take.
            .args(["import", "-q", "-p", "-t", "100", &place.write("database.xml", DATABASE)])
            .arg(self.file("login.kdbx"))
            .spawn()
            .unwrap();
        let mut stdin = import.stdin.take().unwrap();
        stdin.write_all(format!("{PASSWORD}\n{PASSWORD}\n").as_bytes()).unwrap();
        drop(stdin);
        assert!(import.wait().unwrap().success(), "keepassxc-cli made no database");
    }

    /// A file beside those of the keyring.
    fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.environment["HOME"]).with_file_name(name)
    }

    /// A program on this bus.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env_clear().envs(&self.environment);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts the keyring, and waits until it has its collection.
    fn start_daemon(&mut self, unlock: bool) {
        let (mut command, option) = match self.kind {
            Kind::Gnome => {
                let mut command = self.program("gnome-keyring-daemon");
                command.args(["--foreground", "--components=secrets"]);
                (command, "--unlock")
            }
            Kind::KeePass | Kind::KeePassAsking => {
                let mut command = self.program("keepassxc");
                command.arg("--config").arg(self.file("keepassxc.ini"));
                command.arg("--localconfig").arg(self.file("keepassxc-local.ini")).arg(self.file("login.kdbx"));
                (command, "--pw-stdin")
            }
        };
        if unlock {
            command.arg(option);
        }
        let mut daemon = command.spawn().unwrap();
        let mut stdin = daemon.stdin.take().unwrap();
        if unlock {
            // One takes a line, the other all there is.
            let end = if self.kind == Kind::Gnome { "" } else { "\n" };
            stdin.write_all(format!("{PASSWORD}{end}").as_bytes()).unwrap();
        }
        drop(stdin);
        self.daemon = Some(daemon);
        self.wait_until(if unlock { "boolean false" } else { "boolean true" });
    }

    /// Waits until its collection is there and its `Locked` is this.
    fn wait_until(&self, locked: &str) {
        let begin = Instant::now();
        while !self.has_collection(locked) {
            assert!(begin.elapsed() < HANGS, "the keyring does not come to be: locked = {locked}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn has_collection(&self, locked: &str) -> bool {
        let alias = self.send(SECRETS, "org.freedesktop.Secret.Service.ReadAlias", &["string:default"]);
        let property = ["string:org.freedesktop.Secret.Collection", "string:Locked"];
        alias.is_some_and(|answer| answer.contains(COLLECTION))
            && self
                .send(COLLECTION, "org.freedesktop.DBus.Properties.Get", &property)
                .is_some_and(|answer| answer.contains(locked))
    }

    fn send(&self, path: &str, method: &str, arguments: &[&str]) -> Option<String> {
        let output = self
            .program("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", path, method])
            .args(arguments)
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Locks what it holds, as the end of a desktop session does.
    pub(crate) fn lock(&self) {
        if self.kind == Kind::Gnome {
            let collection = format!("array:objpath:{COLLECTION}");
            self.send(SECRETS, "org.freedesktop.Secret.Service.Lock", &[&collection]).expect("the keyring is locked");
        } else {
            // By the protocol it would lead through a prompt, which has to be carried out by whoever asked for it.
            let mut command = self.program("keepassxc");
            command.arg("--config").arg(self.file("keepassxc.ini"));
            command.arg("--localconfig").arg(self.file("keepassxc-local.ini")).arg("--lock");
            assert!(command.status().unwrap().success(), "keepassxc locked nothing");
        }
        self.wait_until("boolean true");
    }

    /// Waits until an entry with this label would outlive the keyring: `KeePassXC` answers first and writes afterwards.
    pub(crate) fn wait_until_written(&self, label: &str) {
        let begin = Instant::now();
        while self.kind != Kind::Gnome && !self.is_written(label) {
            assert!(begin.elapsed() < HANGS, "`{label}` is not written");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_written(&self, label: &str) -> bool {
        let mut list = self.program("keepassxc-cli");
        let mut list = list.args(["ls", "-q"]).arg(self.file("login.kdbx")).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = list.stdin.take().unwrap();
        stdin.write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
        drop(stdin);
        let entries = list.wait_with_output().unwrap().stdout;
        String::from_utf8_lossy(&entries).lines().any(|entry| entry == label)
    }

    /// Ends the keyring at once; the bus stays.
    pub(crate) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    }

    /// Comes back unlocked, with what was stored.
    pub(crate) fn start_again(&mut self) {
        self.kill();
        self.start_daemon(true);
    }

    /// Comes back as a desktop without a login has it: locked.
    pub(crate) fn start_again_locked(&mut self) {
        self.kill();
        self.start_daemon(false);
    }

    /// Stops it where it is: it keeps its name on the bus and answers nobody.
    pub(crate) fn freeze(&self) {
        let daemon = self.daemon.as_ref().unwrap();
        let id = rustix::process::Pid::from_child(daemon);
        rustix::process::kill_process(id, rustix::process::Signal::STOP).unwrap();
    }

    /// Has another program store something under two names.
    pub(crate) fn store(&self, service: &str, account: &str, secret: &str) {
        let mut tool = self.program("secret-tool");
        let mut tool =
            tool.args(["store", "--label", account, "service", service, "username", account]).spawn().unwrap();
        let mut stdin = tool.stdin.take().unwrap();
        stdin.write_all(secret.as_bytes()).unwrap();
        drop(stdin);
        assert!(tool.wait().unwrap().success(), "secret-tool stored nothing");
    }

    /// What another program finds under two names; `None` where that program is not there.
    pub(crate) fn secret_tool(&self, service: &str, account: &str) -> Option<String> {
        if !is_there("secret-tool") {
            leave_out(self.kind, "secret-tool", "reading an entry of the keyring with another program");
            return None;
        }
        let output = self
            .program("secret-tool")
            .args(["lookup", "service", service, "username", account])
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        Some(String::from_utf8(output.stdout).unwrap())
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

fn is_there(tool: &str) -> bool {
    ["/usr/bin", "/bin", "/usr/sbin"].iter().any(|directory| Path::new(directory).join(tool).exists())
}

/// Says what is not checked, past the test harness, which would keep it to itself; fails where nothing may be left out.
#[expect(clippy::disallowed_methods, reason = "what is left out has to be read, and libtest swallows `eprintln!`")]
fn leave_out(kind: Kind, tool: &str, left_out: &str) {
    assert!(std::env::var_os(kind.required()).is_none(), "there is no `{tool}` here: {left_out}");
    let line = format!("left out, because there is no `{tool}` here: {left_out} ({kind:?})\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}
