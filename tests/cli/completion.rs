//! TAB in Bash, Zsh and Fish, each in a terminal of its own, and what the shells ask for.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use crate::support::{HANGS, KEYS, Place, Pty, Server, has, modes};

const BREAKS: &str = " \t\n\"'@><=;|&(:";

/// A name that a shell would do much with.
const HOSTILE: &str = "it's \"$(touch here)\" !a * `b`; c";

/// An interactive shell that has read our script, or nothing where there is no such shell.
fn shell(place: &Place, name: &str) -> Option<Pty> {
    if !has(name, "TAB in it", "KEYS_REQUIRE_SHELLS") {
        return None;
    }
    let programs = Path::new(KEYS).parent().unwrap().display().to_string();
    let scripts = format!("{}/completions", env!("CARGO_MANIFEST_DIR"));
    let (options, setup) = match name {
        "bash" => ("--norc --noprofile -i", format!("PS1='> '; . {scripts}/keys.bash")),
        "zsh" => ("-f -i", format!("PS1='> '; autoload -U compinit; compinit -u -D; . {scripts}/_keys")),
        _ => ("--no-config -i", format!("function fish_prompt; echo '> '; end; source {scripts}/keys.fish")),
    };
    let line = format!("PATH={programs}:/usr/local/bin:$PATH LC_ALL=C.UTF-8 exec {name} {options}");
    let mut pty = Pty::sized(place, &line, 160);
    // The shell echoes what it is sent; only what it says itself is in two halves there.
    pty.type_in(&format!("{setup}; echo rea''dy\r"));
    pty.expect("ready");
    Some(pty)
}

/// Types as far as the key, presses TAB and Enter, and waits for what only the whole name brings.
fn complete(mut pty: Pty, begun: &str, expected: &str) -> Pty {
    pty.type_in(begun);
    pty.type_in("\t");
    // Zsh and Fish take some time over it; what is typed meanwhile waits.
    pty.type_in("\r");
    pty.expect(expected);
    pty
}

#[test]
fn tab_completes_the_name_of_a_key_and_what_a_shell_would_do_with_it_is_not_done() {
    for name in ["bash", "zsh", "fish"] {
        let place = Place::new();
        place.create("Ingestion worker", "read:contacts");
        place.create(HOSTILE, "read:contacts");
        place.create("left alone", "read:contacts");
        let (worker, hostile) = (place.id("Ingestion worker"), place.id(HOSTILE));
        let Some(pty) = shell(&place, name) else { continue };
        let pty = complete(pty, "keys -p local show Inge", &format!("ID           {worker}"));
        let pty = complete(pty, "keys -p local show it", &format!("ID           {hostile}"));
        let mut pty = complete(pty, "keys -p local show \"lef", "Name         left alone");
        pty.type_in("exit\r");
        assert_eq!(pty.done().0, 0, "{name}");
        assert!(!place.path("here").exists(), "{name} ran what stands in a name");
    }
}

#[test]
fn tab_completes_commands_permissions_profiles_places_and_files() {
    for name in ["bash", "zsh", "fish"] {
        let place = Place::new();
        place.write("policy.toml", "max-age = 5\n");
        let Some(pty) = shell(&place, name) else { continue };
        let pty = complete(pty, "keys help exit-codes | head -n 1; keys complet", "Usage: keys completions");
        let pty = complete(pty, "keys -p loc\x09list --perm=read:con", "No keys to show");
        let pty = complete(pty, "keys -p local check --policy pol", "policy.toml cannot be used");
        let mut pty =
            complete(pty, "keys -p local create --name ci --perm read:c --to key", "a keyring's entry has two names");
        pty.type_in("exit\r");
        drop(pty);
    }
}

/// What a shell is offered for a line.
fn offered(place: &Place, words: &[&str]) -> Vec<String> {
    let seen = place.keys(["__complete"].iter().chain(words)).done();
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
    seen.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn nothing_is_asked_of_the_network_at_tab() {
    let place = Place::new();
    let mut server = Server::start(&place);
    let (admin, address) = (server.admin.clone(), server.address().to_owned());
    server.create("Ingestion-worker", "read:contacts");
    assert_eq!(server.keys(&admin, "list").done().code, 0);
    server.stop();
    // Somebody who never answers takes the place of the service, and counts.
    let listener = TcpListener::bind(&address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{address}");
    let ask = |line: &str| {
        let run = place.keys(["__complete", "bash", BREAKS, line]);
        let mut running = run.env("KEYS_API_URL", &url).env("KEYS_API_KEY", &admin).start();
        assert!(running.ends_within(HANGS));
        running.done().stdout
    };
    assert_eq!(ask("keys show Ing"), "Ingestion-worker\n");
    assert_eq!(ask("keys --api-url http://elsewhere.invalid show Ing"), "");
    assert!(ask("keys audit --key ").contains("admin\n"));
    assert!(ask("keys create --perm ").contains("read:contacts\n"));
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // It is the one that a command would go to.
    let mut list = place.keys(["list"]).env("KEYS_API_URL", &url).env("KEYS_API_KEY", &admin).start();
    let begun = std::time::Instant::now();
    while listener.accept().is_err() {
        assert!(begun.elapsed() < HANGS && !list.ends_within(Duration::from_millis(5)), "nobody calls");
    }
    list.kill();
}

#[test]
fn what_is_offered_is_what_was_seen_and_fits() {
    let place = Place::new();
    for name in ["one", "two", "-dash"] {
        let seen = place.local("create -q --perm read").arg(format!("--name={name}")).done();
        assert_eq!(seen.code, 0, "{}", seen.stderr);
    }
    let dashed = place.local("list --json --jq .data[].id --name=-dash").done().stdout;
    assert_eq!(place.local("revoke two --yes").done().code, 0);
    let values = |line: &str| -> Vec<String> {
        let words: Vec<&str> = ["zsh", "keys", "-p", "local"].into_iter().chain(line.split(' ')).collect();
        offered(&place, &words).iter().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(values("revoke "), ["one", dashed.trim()]);
    assert_eq!(values("reactivate "), ["two"]);
    assert_eq!(values("show t"), ["two"]);
    assert_eq!(values("show key_").len(), 3);
    assert_eq!(values("get o"), ["one"]);
    assert_eq!(values("delete one --confirm o"), ["one"]);
    assert_eq!(values("rotate one --to k"), ["keyring:"]);
    assert_eq!(values("edit one --add-perm read,write:con"), ["read,write:contacts"]);
    assert_eq!(values("edit one --name uno"), [""; 0]);
    assert_eq!(place.local("edit one --name uno").done().code, 0);
    assert_eq!(place.local("delete two --yes --confirm two").done().code, 0);
    assert_eq!(values("show "), ["uno", dashed.trim()]);
    assert_eq!(values("sho"), ["show"]);
    assert!(values("").contains(&"show".to_owned()) && !values("").contains(&"get".to_owned()));
    // Nobody presses a key in CI, and what is there is not touched.
    let seen = place
        .keys(["-p", "local", "create", "-q", "--name", "job", "--perm", "read", "--to", "stdout"])
        .env("CI", "true")
        .done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert_eq!(values("show j"), [""; 0]);
    assert_eq!(place.local("list").done().code, 0);
    assert_eq!(values("show j"), ["job"]);
}

#[test]
fn what_is_kept_is_names_and_ids_in_a_file_of_ones_own() {
    let place = Place::new();
    let secret = place.create("ci", "read");
    let cache = place.path("home/.cache/keys");
    assert_eq!(modes(&cache), [(".".to_owned(), 0o700), ("names/local.json".to_owned(), 0o600)]);
    let kept = place.read("home/.cache/keys/names/local.json");
    assert!(kept.contains("\"ci\"") && !kept.contains(&secret[..12]), "{kept}");
    // A place that cannot be used costs completions and nothing else.
    place.write("blocked", "");
    let blocked = place.path("blocked").display().to_string();
    let seen = place.local("list").env("KEYS_CACHE_DIR", &blocked).done();
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
    let seen = place.keys(["__complete", "fish", "keys", "-p", "local", "show", ""]).env("KEYS_CACHE_DIR", &blocked);
    assert_eq!(seen.done().code, 0);
    for wrong in [&["__complete"][..], &["__complete", "tcsh"], &["__complete", "bash"], &["__complete", "fish"]] {
        let seen = place.keys(wrong).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{wrong:?}");
    }
}
