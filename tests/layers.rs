//! Who may use whom. Reads the source as text; a violation prints `src/a.rs uses b`.
//!
//! A room is a module of the crate, one of the four doors of a provider (`providers/*/wire`), or what the providers share
//! behind such a door (`providers/wire`). Test code is exempt.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What each room may use besides itself.
const TABLE: &[(&str, &[&str])] = &[
    ("exit", &[]),
    ("model", &[]),
    ("system", &[]),
    ("text", &["model"]),
    ("files", &["exit", "text"]),
    ("terminal", &["model", "text"]),
    ("output", &["exit", "model", "terminal", "text"]),
    ("hygiene", &["exit"]),
    ("known", &["files", "model", "system"]),
    ("begun", &["exit", "failure", "files", "http", "model", "text"]),
    ("credential", &["exit", "files", "model", "text"]),
    ("profiles", &["credential", "exit", "files", "model", "providers", "text"]),
    ("sink", &["credential", "exit", "files", "model", "system"]),
    ("providers", &["model", "providers/*/rules"]),
    ("providers/*/rules", &["model", "providers"]),
    ("providers/*/wire", &["model", "providers/wire", "providers/*/rules"]),
    (
        "providers/*/client",
        &["http", "model", "providers/client", "providers/wire", "providers/*/rules", "providers/*/wire"],
    ),
    ("providers/client", &["http", "model", "providers", "providers/wire", "providers/*/client", "terminal"]),
    ("providers/wire", &["model"]),
    ("providers/routes", &["exit", "model", "providers", "providers/wire", "service"]),
    (
        "providers/*/routes",
        &["exit", "model", "providers", "providers/routes", "providers/*/rules", "providers/*/wire", "service"],
    ),
    ("http", &["exit", "model", "system", "terminal", "text"]),
    ("service", &["exit", "files", "model", "providers"]),
    ("serve", &["exit", "files", "providers/routes", "providers/*/routes", "service", "text"]),
    (
        "local",
        &[
            "files",
            "http",
            "model",
            "providers",
            "providers/routes",
            "providers/client",
            "providers/*/routes",
            "service",
            "system",
        ],
    ),
    ("config", &["credential", "exit", "http", "known", "model", "profiles", "providers", "sink", "terminal", "text"]),
    (
        "reach",
        &[
            "config",
            "credential",
            "http",
            "known",
            "local",
            "model",
            "output",
            "profiles",
            "providers",
            "providers/client",
            "system",
            "terminal",
        ],
    ),
    (
        "failure",
        &[
            "config",
            "credential",
            "exit",
            "files",
            "http",
            "model",
            "output",
            "profiles",
            "rotation",
            "serve",
            "service",
            "sink",
            "terminal",
            "text",
        ],
    ),
    ("places", &["exit", "failure", "sink", "text"]),
    ("unlock", &["config", "credential", "terminal"]),
    ("handover", &["exit", "failure", "model", "output", "sink", "terminal"]),
    (
        "rotation",
        &[
            "credential",
            "exit",
            "failure",
            "files",
            "handover",
            "http",
            "model",
            "output",
            "profiles",
            "providers",
            "providers/client",
            "reach",
            "sink",
            "system",
            "terminal",
            "text",
        ],
    ),
    ("selection", CLIENT_SIDE),
    ("consent", CLIENT_SIDE),
    ("looking", &["model", "providers/client", "system", "terminal"]),
    (
        "bulk",
        &[
            "consent",
            "exit",
            "failure",
            "http",
            "known",
            "model",
            "output",
            "providers",
            "providers",
            "providers/client",
            "system",
            "terminal",
            "text",
        ],
    ),
    (
        "commands",
        &[
            "begun",
            "bulk",
            "cli",
            "config",
            "consent",
            "credential",
            "exit",
            "failure",
            "files",
            "handover",
            "http",
            "known",
            "local",
            "looking",
            "model",
            "output",
            "places",
            "profiles",
            "providers",
            "providers/routes",
            "providers/client",
            "providers/*/routes",
            "reach",
            "rotation",
            "selection",
            "serve",
            "service",
            "sink",
            "system",
            "terminal",
            "text",
            "unlock",
        ],
    ),
    (
        "cli",
        &[
            "begun",
            "commands",
            "config",
            "exit",
            "failure",
            "http",
            "known",
            "model",
            "output",
            "providers",
            "reach",
            "rotation",
            "system",
            "terminal",
            "text",
        ],
    ),
    ("lib", &["cli", "commands", "config", "exit", "failure", "hygiene", "terminal"]),
];

/// What stands between the commands and the client.
const CLIENT_SIDE: &[&str] =
    &["exit", "failure", "http", "model", "output", "providers", "providers/client", "terminal", "text"];

/// Rooms that one command alone may use, or a few.
const BY_FEW: &[(&str, &[&str])] = &[
    ("cli", &["complete", "completions", "help", "man"]),
    ("local", &["serve"]),
    ("providers/routes", &["serve"]),
    ("providers/*/routes", &["serve"]),
    ("serve", &["serve"]),
    ("service", &["serve"]),
];

/// Names that do not occur in a room: what they stand for belongs elsewhere.
const UNHEARD_OF: &[(&str, &[&str])] = &[
    ("model", &["tokio", "reqwest", "axum", "sqlx", "std::fs", "std::env", "SystemTime", "Timestamp::now"]),
    ("commands", &["reqwest", "sqlx", "keyring", "println!", "eprintln!", "std::env"]),
];

/// A source file of the program without its comments, texts and test code.
#[derive(Debug)]
struct Source {
    /// `src/model/key.rs`
    path: String,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> (Self, Vec<String>) {
        let (code, test_modules) = without_test_code(&without_prose(text));
        let path = path.to_owned();
        (Self { path, code }, test_modules)
    }

    /// `["model", "key"]`
    fn module(&self) -> Vec<&str> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let inner = inner.strip_suffix(".rs").unwrap_or(inner);
        let mut segments: Vec<&str> = inner.split('/').collect();
        if segments.last() == Some(&"mod") {
            segments.pop();
        }
        segments
    }

    fn room(&self) -> String {
        room_of(&self.module())
    }

    /// Every path of ours in the code, as segments from the crate's root.
    fn uses(&self) -> BTreeSet<Vec<String>> {
        let module: Vec<String> = self.module().into_iter().map(str::to_owned).collect();
        let mut found = BTreeSet::new();
        for (at, word) in words(&self.code) {
            let parent = module[..module.len().saturating_sub(1)].to_vec();
            let base = match word {
                "crate" => Vec::new(),
                "super" => parent,
                _ => continue,
            };
            // The `super` of `super::super` is followed from the first one.
            if self.code[..at].ends_with("super::") {
                continue;
            }
            if let Some(rest) = self.code[at + word.len()..].strip_prefix("::") {
                tree(rest, &base, &mut found);
            }
        }
        found
    }

    /// Whether a name occurs, also as a part of `use std::{env, fs}`.
    fn names(&self, name: &str) -> bool {
        let Some((root, leaf)) = name.split_once("::") else {
            let plain = name.trim_end_matches('!');
            return words(&self.code)
                .any(|(at, word)| word == plain && self.code[at + word.len()..].starts_with(&name[plain.len()..]));
        };
        words(&self.code).any(|(at, word)| {
            let mut found = BTreeSet::new();
            if word == root
                && let Some(rest) = self.code[at + word.len()..].strip_prefix("::")
            {
                tree(rest, &[], &mut found);
            }
            found.iter().any(|path| path.first().is_some_and(|first| first == leaf))
        })
    }
}

/// The room that a path from the crate's root lies in.
fn room_of<S: AsRef<str>>(module: &[S]) -> String {
    let segments: Vec<&str> = module.iter().map(AsRef::as_ref).collect();
    match segments.as_slice() {
        ["providers", shared @ ("client" | "routes" | "wire"), ..] => format!("providers/{shared}"),
        ["providers", _, door @ ("client" | "routes" | "rules" | "wire"), ..] => {
            format!("providers/*/{door}")
        }
        [first, ..] => (*first).to_owned(),
        [] => "lib".to_owned(),
    }
}

/// Identifiers and where they stand.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(part)?;
        let end = code[start..].find(|character| !part(character)).map_or(code.len(), |length| start + length);
        at = end;
        Some((start, &code[start..end]))
    })
}

/// Reads what follows `crate::`: a path, or braces with paths in them. Returns what is left.
fn tree<'a>(text: &'a str, base: &[String], found: &mut BTreeSet<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(rest) = rest.strip_prefix('}') {
                return rest;
            }
            let left = tree(rest, base, found).trim_start();
            let left = left.strip_prefix(',').unwrap_or(left);
            // Anything unexpected ends the group rather than the test.
            if left.len() == rest.len() {
                return left;
            }
            rest = left;
        }
    }
    let Some((0, word)) = words(text).next() else {
        let mut path = base.to_vec();
        if let Some(rest) = text.strip_prefix('*') {
            path.push("*".to_owned());
            found.insert(path);
            return rest;
        }
        return text;
    };
    let mut path = base.to_vec();
    match word {
        "super" => drop(path.pop()),
        "self" => {}
        _ => path.push(word.to_owned()),
    }
    let mut rest = &text[word.len()..];
    if let Some(deeper) = rest.strip_prefix("::")
        && !deeper.starts_with('<')
    {
        return tree(deeper, &path, found);
    }
    found.insert(path);
    if let Some(renamed) = rest.trim_start().strip_prefix("as ") {
        rest = renamed.trim_start();
        rest = rest.trim_start_matches(|character: char| character.is_alphanumeric() || character == '_');
    }
    rest
}

/// The text with comments, string and character literals blanked out.
fn without_prose(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = prose(rest, code.chars().next_back());
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[length..];
        }
    }
    code
}

/// How long the comment or literal is that the text begins with; 0 where it begins with neither.
fn prose(text: &str, before: Option<char>) -> usize {
    let until = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    if text.starts_with("//") {
        return until("\n", 2) - 1;
    }
    if text.starts_with("/*") {
        return until("*/", 2);
    }
    if text.starts_with('"') {
        return quoted(text, '"');
    }
    if before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
        return 0;
    }
    if let Some(raw) = text.strip_prefix("br").or_else(|| text.strip_prefix('r')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            return until(&end, text.len() - raw.len() + hashes + 1);
        }
    }
    // A character, not a lifetime.
    if text.starts_with("'\\") {
        return quoted(text, '\'');
    }
    let mut characters = text.char_indices();
    if text.starts_with('\'') && characters.nth(2).is_some_and(|(_, third)| third == '\'') {
        return characters.next().map_or(text.len(), |(after, _)| after);
    }
    0
}

/// The length of a literal with escapes, its quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = true;
    for (at, character) in text.char_indices() {
        if !escaped && character == quote {
            return at + 1;
        }
        escaped = at == 0 || !escaped && character == '\\';
        if at == 0 {
            escaped = false;
        }
    }
    text.len()
}

/// The code without what `#[cfg(test)]` or `#[cfg(all(test, …))]` stands before, and the names of the modules that were
/// declared so.
fn without_test_code(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(";
    let (mut kept, mut modules) = (String::new(), Vec::new());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        let end = rest[at..].find(']').map_or(rest.len(), |end| at + end + 1);
        let condition = rest[at + MARK.len()..end].trim_start();
        if !condition.starts_with("test)") && !condition.starts_with("all(test,") {
            kept.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        kept.push_str(&rest[..at]);
        let item = &rest[end..];
        let end = item_end(item);
        let declared: Vec<&str> = words(&item[..end]).map(|(_, word)| word).collect();
        if let Some(place) = declared.iter().position(|word| *word == "mod")
            && item[..end].ends_with(';')
        {
            modules.extend(declared.get(place + 1).map(|name| (*name).to_owned()));
        }
        rest = &item[end..];
    }
    kept.push_str(rest);
    (kept, modules)
}

/// Where an item, an arm, a field or a statement ends.
fn item_end(code: &str) -> usize {
    let mut depth = 0_i32;
    let is_item = words(code).next().is_some_and(|(_, word)| {
        let items = ["async", "const", "enum", "fn", "impl", "mod", "pub", "static", "struct", "trait", "type", "use"];
        items.contains(&word)
    });
    for (at, character) in code.char_indices() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return at,
            ')' | ']' => depth -= 1,
            '}' => {
                depth -= 1;
                let after = code[at + 1..].trim_start();
                if depth == 0 && !after.starts_with([';', ',', ')', '.']) {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            ',' if depth == 0 && !is_item => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Every source file of the program, test code left out.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    let (mut sources, mut exempt) = (Vec::new(), Vec::new());
    for path in paths {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let shown = path.strip_prefix(root).unwrap_or(&path);
        let shown = shown.to_string_lossy().replace('\\', "/");
        let (source, test_modules) = Source::new(&shown, &text);
        let home = match shown.strip_suffix("/mod.rs") {
            Some(home) => home.to_owned(),
            None if shown == "src/lib.rs" || shown == "src/main.rs" => "src".to_owned(),
            None => shown.trim_end_matches(".rs").to_owned(),
        };
        exempt.extend(test_modules.iter().map(|name| format!("{home}/{name}")));
        sources.push(source);
    }
    sources.retain(|source| {
        !exempt
            .iter()
            .any(|module| source.path == format!("{module}.rs") || source.path.starts_with(&format!("{module}/")))
    });
    sources
}

fn collect(directory: &Path, paths: &mut Vec<std::path::PathBuf>) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    paths.sort();
}

/// What is wrong with the files, one line each.
fn violations(sources: &[Source]) -> BTreeSet<String> {
    let table: BTreeMap<&str, &[&str]> = TABLE.iter().copied().collect();
    let mut found = BTreeSet::new();
    for source in sources {
        let (room, module) = (source.room(), source.module());
        for path in source.uses() {
            let used = room_of(&path);
            if let Some(problem) = objection(&table, &module, &room, &path, &used) {
                found.insert(format!("{} uses {problem}", source.path));
            }
        }
        for (where_not, names) in UNHEARD_OF {
            let heard = names.iter().filter(|name| *where_not == room && source.names(name));
            found.extend(heard.map(|name| format!("{} uses {name}", source.path)));
        }
    }
    found
}

/// Why a file of a room may not use a path; `None` where it may.
fn objection(
    table: &BTreeMap<&str, &[&str]>,
    module: &[&str],
    room: &str,
    path: &[String],
    used: &str,
) -> Option<String> {
    if room == "main" {
        return Some(used.to_owned());
    }
    let shown = path.join("::");
    let provider = |module: &[&str]| match module {
        ["providers", name, ..] => Some((*name).to_owned()),
        _ => None,
    };
    let theirs: Vec<&str> = path.iter().map(String::as_str).collect();
    // A provider knows no other one.
    if let (Some(own), Some(other)) = (provider(module), provider(&theirs))
        && used.contains('*')
        && own != other
    {
        return Some(shown);
    }
    if room == "commands" && used == "commands" {
        let own = theirs.get(1) == module.get(1);
        return (!own).then_some(shown);
    }
    if room == used {
        return None;
    }
    if !table.get(room).is_some_and(|allowed| allowed.contains(&used)) {
        return Some(used.to_owned());
    }
    let few = BY_FEW.iter().find(|(few, _)| *few == used && room == "commands");
    let command = module.get(1).copied().unwrap_or_default();
    few.filter(|(_, commands)| !commands.contains(&command)).map(|_| used.to_owned())
}

#[test]
fn every_room_uses_only_what_the_table_says() {
    let found = violations(&sources());
    assert!(found.is_empty(), "{}", found.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_module_is_in_the_table_and_every_room_of_the_table_exists() {
    let sources = sources();
    assert!(sources.len() > 30, "the source was found");
    let rooms: BTreeSet<String> = sources.iter().map(Source::room).collect();
    let rows: BTreeSet<String> = TABLE.iter().map(|(room, _)| (*room).to_owned()).collect();
    let main = BTreeSet::from(["main".to_owned()]);
    let missing: Vec<_> = rooms.difference(&rows).filter(|room| !main.contains(*room)).collect();
    assert!(missing.is_empty(), "rooms without a row: {missing:?}");
    let named = TABLE.iter().flat_map(|(room, allowed)| allowed.iter().chain([room]));
    let stale: BTreeSet<&str> = named
        .chain(BY_FEW.iter().map(|(room, _)| room))
        .chain(UNHEARD_OF.iter().map(|(room, _)| room))
        .copied()
        .filter(|room| !rooms.contains(*room))
        .collect();
    assert!(stale.is_empty(), "rooms that do not exist: {stale:?}");
    assert_eq!(rows.len(), TABLE.len(), "a room has two rows");
    let commands: BTreeSet<&str> = sources
        .iter()
        .filter(|source| source.room() == "commands")
        .filter_map(|source| source.module().get(1).copied())
        .collect();
    for (room, few) in BY_FEW {
        let known = few.iter().all(|command| commands.contains(command));
        assert!(known, "{room}: one of {few:?} is no command");
    }
}

fn planted(path: &str, text: &str) -> Vec<String> {
    let (source, _) = Source::new(path, text);
    violations(&[source]).into_iter().collect()
}

/// A file, what stands in it, and what must be said of that.
const PLANTED: [(&str, &str, &str); 24] = [
    ("src/model/key.rs", "use crate::http::Method;", "src/model/key.rs uses http"),
    ("src/model/key.rs", "fn f() { crate::files::read() }", "src/model/key.rs uses files"),
    (
        "src/text.rs",
        "use crate::{\n    model::{key::Key, state},\n    terminal::Terminal,\n};",
        "src/text.rs uses terminal",
    ),
    ("src/model/key.rs", "use super::super::http;", "src/model/key.rs uses http"),
    ("src/service/store/keys.rs", "use super::super::super::http::Method;", "src/service/store/keys.rs uses http"),
    ("src/service/mod.rs", "use crate::providers::native::wire::KeyBody;", "src/service/mod.rs uses providers/*/wire"),
    (
        "src/providers/nexus/client.rs",
        "use crate::providers::native::wire;",
        "src/providers/nexus/client.rs uses providers::native::wire",
    ),
    (
        "src/providers/nexus/client.rs",
        "use super::super::native::rules::RULES;",
        "src/providers/nexus/client.rs uses providers::native::rules::RULES",
    ),
    (
        "src/providers/native/wire.rs",
        "use super::client::Client;",
        "src/providers/native/wire.rs uses providers/*/client",
    ),
    ("src/commands/list.rs", "use crate::service::Service;", "src/commands/list.rs uses service"),
    ("src/commands/list.rs", "use super::create::Args;", "src/commands/list.rs uses commands::create::Args"),
    ("src/commands/list.rs", "use crate::cli::Cli;", "src/commands/list.rs uses cli"),
    ("src/commands/list.rs", "fn f() { println!(\"x\") }", "src/commands/list.rs uses println!"),
    ("src/commands/list.rs", "use std::{env, fs};", "src/commands/list.rs uses std::env"),
    ("src/commands/list.rs", "fn f(e: sqlx::Error) {}", "src/commands/list.rs uses sqlx"),
    ("src/model/key.rs", "fn f() { jiff::Timestamp::now(); }", "src/model/key.rs uses Timestamp::now"),
    ("src/model/key.rs", "use std::fs;", "src/model/key.rs uses std::fs"),
    ("src/main.rs", "use crate::model::key;", "src/main.rs uses model"),
    ("src/unheard_of.rs", "use crate::model::key;", "src/unheard_of.rs uses model"),
    ("src/model/key.rs", "#[cfg(test)]\nmod tests { fn a() {} }\nuse crate::http;", "src/model/key.rs uses http"),
    ("src/model/key.rs", "#[cfg(test)]\nuse crate::testing;\nuse crate::http;", "src/model/key.rs uses http"),
    ("src/model/key.rs", "#[cfg(not(test))]\nuse crate::http;", "src/model/key.rs uses http"),
    ("src/model/key.rs", "#[cfg(unix)]\nmod unix { use crate::http; }", "src/model/key.rs uses http"),
    ("src/model/key.rs", "const Q: char = '\"'; use crate::http; const R: char = '\"';", "src/model/key.rs uses http"),
];

#[test]
fn a_planted_violation_is_found() {
    for (path, text, found) in PLANTED {
        assert_eq!(planted(path, text), [found], "{text}");
    }
}

#[test]
fn what_only_looks_like_a_violation_is_none() {
    for (path, text) in [
        (
            "src/model/key.rs",
            "//! See [`crate::http`].\n/* crate::http::x */ const T: &str = \"crate::http \\\" crate::http\";",
        ),
        ("src/model/key.rs", "const T: &str = r#\"use crate::http; \" \"#; fn f<'a>(x: &'a str) {}"),
        ("src/model/key.rs", "#[cfg(test)]\nmod tests { use crate::http; fn f() { std::fs::read(); } }"),
        ("src/sink/mod.rs", "#[cfg(all(test, unix))]\nmod tests { use super::super::http; }"),
        ("src/model/key.rs", "fn f() { g(#[cfg(test)] crate::http::x(1, 2), 3) }"),
        ("src/model/key.rs", "use super::state::State; use crate::model::{key::{self, Key}, tier::Tier as T};"),
        ("src/providers/native/client.rs", "use super::wire::KeyBody; use crate::providers::native::rules;"),
        ("src/commands/serve.rs", "use crate::service::Database; use crate::serve;"),
        ("src/commands/man.rs", "use crate::cli::Cli;"),
        ("src/commands/list.rs", "fn f() { terminal.println(); let sqlx_like = env!(\"X\"); }"),
        ("src/text.rs", "use crate::model::key::Key;"),
    ] {
        assert_eq!(planted(path, text), [""; 0], "{text}");
    }
}
