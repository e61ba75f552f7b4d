//! What is generated from the program and checked in: completions, manual pages, the tables of the README. And the
//! README's examples, run as a person would run them.
//!
//! `SNAPSHOTS=overwrite cargo test --test generated` writes the generated parts and what the examples show anew.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const BINARY: &str = env!("CARGO_BIN_EXE_keys");
const REPAIR: &str = "SNAPSHOTS=overwrite cargo test --test generated";

/// Held while the README is read or written: one test replaces parts of it.
static README: Mutex<()> = Mutex::new(());

#[test]
fn completions_are_those_of_the_program() {
    let files = [
        ("bash", "keys.bash"),
        ("zsh", "_keys"),
        ("fish", "keys.fish"),
        ("powershell", "_keys.ps1"),
        ("elvish", "keys.elv"),
    ];
    let expected = files.map(|(shell, file)| (file.to_owned(), keys(&["completions", shell])));
    compare_directory("completions", &expected.into());
}

#[test]
fn manual_pages_are_those_of_the_program() {
    let directory = scratch("man");
    keys(&["man", directory.to_str().unwrap()]);
    let expected = contents(&directory);
    assert!(
        expected.contains_key("keys.1") && expected.contains_key("keys-create.1"),
        "the manual has no page for `keys` or `keys create`"
    );
    compare_directory("man", &expected);
}

#[test]
fn tables_of_the_readme_are_those_of_the_program() {
    let _one_at_a_time = README.lock().unwrap_or_else(PoisonError::into_inner);
    let path = root().join("README.md");
    let written = fs::read_to_string(&path).unwrap();
    let generated = with_section(&written, "commands", &command_table(&keys(&["--help"])));
    let generated = with_section(&generated, "exit codes", &exit_code_table(&keys(&["help", "exit-codes"])));
    if written == generated {
        return;
    }
    let difference = first_difference(&written, &generated);
    assert!(overwriting(), "README.md is not up to date: {difference}\nrepair it with: {REPAIR}");
    write(&path, &generated);
}

#[test]
fn examples_of_the_readme_do_what_it_shows() {
    let _one_at_a_time = README.lock().unwrap_or_else(PoisonError::into_inner);
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let examples = examples(&readme);
    assert!(!examples.is_empty(), "README.md has no console block");
    let shown = run(&examples);
    let mut problems = Vec::new();
    for (example, shown) in examples.iter().zip(&shown) {
        let (expected, actual) = (shapes(&example.shown), shapes(shown));
        if expected.trim_end() != actual.trim_end() {
            problems.push(format!(
                "README.md:{}: $ {}\nshows:\n{}\ninstead of:\n{}\nfirst in {}",
                example.line,
                example.command,
                actual.trim_end(),
                expected.trim_end(),
                first_difference(&expected, &actual)
            ));
        }
    }
    if problems.is_empty() {
        return;
    }
    assert!(overwriting(), "{}\nrepair it with: {REPAIR}", problems.join("\n\n"));
    // All of them, so that an id is the same wherever it is shown; from the last to the first, so that the places of those
    // before stay as they are.
    let mut lines: Vec<String> = readme.lines().map(str::to_owned).collect();
    for (example, shown) in examples.iter().zip(&shown).rev() {
        let (from, to) = example.lines_shown;
        lines.splice(from..to, without_plaintexts(shown.trim_end()).lines().map(str::to_owned));
    }
    write(&path, &(lines.join("\n") + "\n"));
}

#[test]
fn paths_the_readme_names_are_there() {
    let readme = {
        let _one_at_a_time = README.lock().unwrap_or_else(PoisonError::into_inner);
        fs::read_to_string(root().join("README.md")).unwrap()
    };
    let rooms = ["src/", "tests/", ".ci/", "completions/", "man/", ".clippy.toml", "LICENSE"];
    let missing: Vec<&str> = readme
        .split(|character: char| character.is_whitespace() || "`,;()".contains(character))
        .map(|word| word.trim_end_matches([':', '.']))
        .filter(|word| rooms.iter().any(|room| word.starts_with(room)) && !root().join(word).exists())
        .collect();
    assert!(missing.is_empty(), "README.md names what is not there: {}", missing.join(", "));
}

#[test]
fn a_shape_takes_the_place_of_what_differs_from_run_to_run_and_of_nothing_else() {
    let secret = format!("wbk_{}_{}", "aB3".repeat(3).get(..8).unwrap(), "x".repeat(32));
    let cases = [
        (format!("{secret}\n"), "wbk_[..]\n"),
        (format!("{secret}x"), ""),
        ("(key_2jqxf6e81sey)".to_owned(), "(key_[..])"),
        ("key_2jqxf6e81se".to_owned(), ""),
        ("key_2jqxf6e81seY".to_owned(), ""),
        ("wbk_mc10eqDi  active".to_owned(), "wbk_[prefix]  active"),
        ("a wbk_mc10eqD".to_owned(), ""),
        ("2026-11-21T08:20:25Z.".to_owned(), "[time]."),
        ("2026-11-21 08:20:25Z".to_owned(), ""),
        ("[time]".to_owned(), ""),
    ];
    for (text, expected) in cases {
        let expected = if expected.is_empty() { &text } else { expected };
        assert_eq!(shapes(&text), expected);
    }
}

// ---- what is generated ----

/// What the program prints. It must succeed.
fn keys(arguments: &[&str]) -> String {
    let output = Command::new(BINARY).args(arguments).env_clear().output().unwrap();
    assert!(
        output.status.success(),
        "`keys {}` ended with {}: {}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Compares a directory of the repository with what belongs into it: no file more, no file less, no other content.
fn compare_directory(name: &str, expected: &BTreeMap<String, String>) {
    let directory = root().join(name);
    let written = contents(&directory);
    let names: BTreeSet<&String> = written.keys().chain(expected.keys()).collect();
    let mut problems = Vec::new();
    for file in names {
        let path = directory.join(file);
        match (written.get(file), expected.get(file)) {
            (Some(written), Some(expected)) if written == expected => {}
            (Some(_), None) if overwriting() => fs::remove_file(&path).unwrap(),
            (_, Some(expected)) if overwriting() => write(&path, expected),
            (Some(written), Some(expected)) => {
                problems.push(format!("{name}/{file} is not up to date: {}", first_difference(written, expected)));
            }
            (Some(_), None) => problems.push(format!("{name}/{file} is stale: the program no longer makes it")),
            (None, _) => problems.push(format!("{name}/{file} is missing")),
        }
    }
    assert!(problems.is_empty(), "{}\nrepair it with: {REPAIR}", problems.join("\n"));
}

/// The files of a directory; none when there is no directory.
fn contents(directory: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

/// The text with the part between `<!-- name -->` and `<!-- /name -->` replaced.
fn with_section(text: &str, name: &str, content: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let parts = text.split_once(&start).and_then(|(before, rest)| {
        rest.split_once(&end).map(|(_, after)| format!("{before}{start}\n\n{content}\n{end}{after}"))
    });
    let Some(replaced) = parts else {
        panic!("README.md has no part between {start} and {end}");
    };
    replaced
}

/// From the list of commands in the help: verb, aliases, and the first line of its help.
fn command_table(help: &str) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    let lines = help.lines().skip_while(|line| *line != "Commands:");
    for line in lines.skip(1).take_while(|line| !line.is_empty()) {
        // A help line too long for the width goes on in the next, further in than any verb.
        if let (Some(rest), Some((_, about))) = (line.strip_prefix("   "), rows.last_mut()) {
            about.push(' ');
            about.push_str(rest.trim());
        } else {
            let (verb, about) = line.trim().split_once(' ').unwrap();
            rows.push((verb.to_owned(), about.trim().to_owned()));
        }
    }
    assert!(!rows.is_empty(), "`keys --help` lists no command");
    let rows = rows.iter().map(|(verb, about)| {
        let (about, aliases) = about.strip_suffix(']').and_then(|about| about.split_once(" [alias")).map_or(
            (about.as_str(), String::new()),
            |(about, aliases)| {
                let aliases = aliases.trim_start_matches("es").trim_start_matches(": ");
                let aliases = aliases.split(", ").map(|alias| format!("`{alias}`"));
                (about, aliases.collect::<Vec<_>>().join(", "))
            },
        );
        format!("| `keys {verb}` | {aliases} | {} |\n", cell(about))
    });
    let rows: String = rows.collect();
    format!("| command | alias | what it does |\n|---|---|---|\n{rows}")
}

fn exit_code_table(help: &str) -> String {
    let rows = help.lines().filter_map(|line| {
        let (code, meaning) = line.trim().split_once("  ")?;
        code.parse::<u8>().ok()?;
        Some(format!("| {code} | {} |\n", cell(meaning)))
    });
    let rows: String = rows.collect();
    assert!(!rows.is_empty(), "`keys help exit-codes` lists no code");
    format!("| code | meaning |\n|---|---|\n{rows}")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

// ---- the examples ----

/// A command of a console block, and what the README shows below it.
struct Example {
    line: usize,
    command: String,
    shown: String,
    /// The lines that show it, from and to.
    lines_shown: (usize, usize),
}

fn examples(readme: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (number, line) in readme.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
            continue;
        }
        if !inside {
            continue;
        }
        let next = number + 1;
        if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example {
                line: next,
                command: command.to_owned(),
                shown: String::new(),
                lines_shown: (next, next),
            });
            continue;
        }
        let Some(example) = examples.last_mut() else {
            panic!("README.md:{next}: shown before any command");
        };
        match line.strip_prefix("> ") {
            Some(more) if example.shown.is_empty() => {
                example.command.push('\n');
                example.command.push_str(more);
                example.lines_shown = (next, next);
            }
            _ => {
                example.shown.push_str(line);
                example.shown.push('\n');
                example.lines_shown.1 = next;
            }
        }
    }
    examples
}

/// Printed after each command, with its number and its exit status.
const MARK: &str = "\n=== example ";

/// Runs the examples in order, and gives what each one shows. All must succeed, but for one whose status the next asks.
fn run(examples: &[Example]) -> Vec<String> {
    // Somebody else may take the port in between; that is rare, and is then seen.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port();
    let said = run_in_terminal(&script(examples, port));
    let said = said.replace(&format!("127.0.0.1:{port}"), SERVED);
    let mut rest = said.as_str();
    let mut shown = Vec::new();
    for (number, example) in examples.iter().enumerate() {
        let at = format!("README.md:{}: $ {}", example.line, example.command);
        let Some((text, after)) = rest.split_once(&format!("{MARK}{number}: ")) else {
            panic!("{at}\nnever ended; from there on the terminal showed:\n{rest}");
        };
        let (status, after) = after.split_once('\n').unwrap();
        let asked_for = examples.get(number + 1).is_some_and(|next| next.command.contains("$?"));
        assert!(status == "0" || asked_for, "{at}\nended with {status} and showed:\n{text}");
        shown.push(text.to_owned());
        rest = after;
    }
    shown
}

/// Where the examples serve; a free port takes the place of this one.
const SERVED: &str = "127.0.0.1:8080";

/// One script of all the examples, so that what one sets the next can use.
fn script(examples: &[Example], port: u16) -> String {
    let mut script = String::new();
    for (number, example) in examples.iter().enumerate() {
        script.push_str(&example.command);
        script.push('\n');
        if example.command.ends_with('&') {
            // A person waits for the line that says where it listens; so does the script.
            script.push_str("servers=\"$servers $!\"; tries=0; until curl -s -o served http://");
            script.push_str(SERVED);
            script.push_str("/openapi.json || [ $tries -ge 100 ]\n");
            script.push_str("do sleep 0.1; tries=$((tries + 1)); done; (exit 0)\n");
        }
        let mark = format!("{MARK}{number}: ").replace('\n', "\\n");
        script.push_str("status=$?; printf '");
        script.push_str(&mark);
        script.push_str("%s\\n' $status; (exit $status)\n");
    }
    script.push_str("for server in $servers; do kill $server; done; wait\n");
    script.replace(SERVED, &format!("127.0.0.1:{port}"))
}

/// Runs a script in a terminal of 120 columns, in an environment with nothing but what it needs, and gives what the
/// terminal was sent.
fn run_in_terminal(script: &str) -> String {
    let home = scratch("readme");
    write(&home.join("script"), script);
    let size = PtySize { rows: 50, cols: 120, ..PtySize::default() };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new("sh");
    command.arg("script");
    command.cwd(&home);
    command.env_clear();
    let programs = Path::new(BINARY).parent().unwrap().display();
    command.env("PATH", format!("{programs}:/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"));
    command.env("HOME", &home);
    command.env("KEYS_DATA_DIR", home.join("data"));
    command.env("NO_COLOR", "1");
    command.env("TERM", "xterm");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);

    let mut killer = child.clone_killer();
    let (ended, end) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        // A prompt nobody answers must fail the test, not hold it up for ever.
        if end.recv_timeout(Duration::from_mins(2)) == Err(mpsc::RecvTimeoutError::Timeout) {
            killer.kill().ok();
        }
    });
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut said = Vec::new();
    // On Linux a terminal that nobody holds any more reads as an error.
    reader.read_to_end(&mut said).ok();
    child.wait().unwrap();
    drop(ended);
    watch.join().unwrap();
    // The terminal puts one in front of every line break, and CSV has its own.
    String::from_utf8(said).unwrap().replace('\r', "")
}

/// What differs from run to run, the plaintext of a key first, and the name its shape is given. `*` stands for a letter or digit, `%` for a lower-case
/// letter or digit, `#` for a digit.
const SHAPES: [(&str, &str); 5] = [
    ("wbk_********_********************************", "wbk_[..]"),
    ("wbk_********", "wbk_[prefix]"),
    ("key_%%%%%%%%%%%%", "key_[..]"),
    ("req_%%%%%%%%%%%%%%%%%%%%%%%%", "req_[..]"),
    ("####-##-##T##:##:##Z", "[time]"),
];

/// The text with the name of the shape in place of each thing of that shape. A thing that is not quite of the shape stays
/// as it is, and so does not compare equal.
fn shapes(text: &str) -> String {
    replaced(text, &SHAPES)
}

/// No plaintext, not even a spent one, is written into the repository.
fn without_plaintexts(text: &str) -> String {
    replaced(text, &SHAPES[..1])
}

fn replaced(text: &str, shapes: &[(&str, &str)]) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let found = shapes.iter().find(|(shape, _)| !ends_in_word(&result) && has_shape(rest, shape));
        let length = if let Some((shape, name)) = found {
            result.push_str(name);
            shape.len()
        } else {
            result.push(next);
            next.len_utf8()
        };
        rest = &rest[length..];
    }
    result
}

/// Whether the text starts with the shape, and with nothing longer.
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |byte: u8, shape: u8| match shape {
        b'*' => byte.is_ascii_alphanumeric(),
        b'%' => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
        b'#' => byte.is_ascii_digit(),
        _ => byte == shape,
    };
    let bytes = text.as_bytes();
    bytes.len() >= shape.len()
        && bytes.iter().zip(shape.as_bytes()).all(|(byte, shape)| fits(*byte, *shape))
        && !bytes.get(shape.len()).is_some_and(|next| is_word(*next))
}

fn ends_in_word(text: &str) -> bool {
    text.bytes().next_back().is_some_and(is_word)
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

// ---- files ----

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty directory for one test.
fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    fs::create_dir_all(&path).unwrap();
    path
}

#[expect(clippy::disallowed_methods, reason = "generated files are neither private nor secret")]
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the variable is for this test, not for the program")]
fn overwriting() -> bool {
    std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite")
}

fn first_difference(left: &str, right: &str) -> String {
    let lines = left.lines().chain([""]).zip(right.lines().chain([""]));
    let different = lines.enumerate().find(|(_, (left, right))| left != right);
    different.map_or_else(
        || "one goes on where the other ends".to_owned(),
        |(number, (left, right))| format!("line {}\n  - {left}\n  + {right}", number + 1),
    )
}
