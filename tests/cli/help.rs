//! Help, and errors in the form that programs read.

use serde_json::json;
use snapbox::str;

use crate::support::{Fake, NOBODYS, Place};

#[test]
fn the_overview() {
    Place::new().keys(["--help"]).shows(str![[r#"
exit 0
--- stdout
Administer API keys

Usage: keys [OPTIONS] <COMMAND>

Commands:
  login        Log in to a service: verify a key and keep it
  logout       Log out: forget the stored key of a profile
  whoami       Show as whom commands act, and where the credential comes from
  profile      List profiles, choose the default one, show or remove one
  create       Create a key
  list         List keys [alias: ls]
  show         Show a key [alias: get]
  edit         Change a key
  rotate       Rotate a key: make its successor, deliver it, and retire the old one
  rotation     Go on with rotations that are not over, or take them back
  revoke       Revoke keys
  reactivate   Reactivate revoked keys
  delete       Delete keys for good [alias: rm]
  lookup       Find out which key a plaintext is
  usage        Show how much is left of the limits, until when, and what eats it
  credits      Show the credits that are left, what expires when, and how long they last [alias:
               balance]
  audit        Show who changed what, newest first
  check        Check the keys against a policy: too old, unused, too wide, about to end
  perms        List the permissions there are, or the least ones that calls need
  serve        Serve the management API
  completions  Print a completion script
  man          Print the manual page, or write a page for each command into a directory
  help         Print help for a command or a topic: exit-codes, output, environment

Options:
  -h, --help     Print help
  -V, --version  Print version

Global options:
  -p, --profile <NAME>       Profile to use; `local` is the service built into this program
      --provider <PROVIDER>  Provider to speak to: native, leadlex, nexus or contactlevel
      --api-url <URL>        Address of the service
      --format <FORM>        Form of the output: table, json, jsonl or csv; prometheus for usage and
                             credits, junit or sarif for check
      --json                 Same as --format json
      --jq <EXPR>            Run a jq expression over the JSON output
  -y, --yes                  Consent to what would be asked
      --no-input             Never ask anything
  -q, --quiet                Say only what must be heard
  -v, --verbose...           Say which requests go where; -vv shows them, without secrets
      --color <WHEN>         When to use colour: auto, always or never
      --timeout <AGE>        How long a request may take [default: 30s]
      --max-wait <AGE>       How long to wait for a service that takes no requests now [default:
                             60s]
      --ca-cert <FILE>       PEM file of the authorities to trust instead of the system's

Start here:
  keys login --api-url https://keys.example.com
  keys create --name "Ingestion worker" --perm read:contacts

Or with the service built into this program, without any login:
  keys -p local create --name "Ingestion worker" --perm read:contacts
  keys -p local list

More: keys help exit-codes, keys help output, keys help environment

"#]]);
}

#[test]
fn the_help_of_create() {
    Place::new().keys(["create", "--help"]).shows(str![[r#"
exit 0
--- stdout
Create a key

The plaintext is handed over once: on a terminal by a menu that copies, shows or saves it. Where
standard output is not a terminal and no --to is given, the plaintext and a line break are the only
bytes on it: NEW=$(keys create …). Everything else is said on standard error.

Usage: keys create [OPTIONS] <--name <NAME>|--names <FILE>|--temp>

Options:
      --name <NAME>
          Name of the key; where the provider wants it so, unique among active keys

      --perm <SCOPE>
          Permission the key gets; repeat it or separate several by commas (see `keys perms`)

      --description <TEXT>
          What the key is for

      --tier <TIER>
          Rate-limit tier

          Possible values:
          - standard:  The plan's own limits
          - high:      Twice the plan's calls per minute
          - unmetered: No limits; on enterprise plans only
          
          [default: standard]

      --expires <WHEN>
          When the key ends: 30d, 12h, 4w, a date, an RFC 3339 instant, or never

      --temp
          Make a key for trying things out, which ends by itself after an hour

      --if-exists <WHAT>
          What to do when an active key has this name already

          Possible values:
          - fail: Refuse, with exit code 6
          - skip: Make nothing and succeed
          
          [default: fail]

      --to <SINK>
          Where the plaintext goes: stdout, clipboard, file:PATH, dotenv:PATH#VAR, json:PATH,
          keyring:SERVICE/ACCOUNT, cmd:COMMAND, github-env:NAME, github-output:NAME or fd:N; may be
          repeated

      --idempotency-key <KEY>
          Send this Idempotency-Key: the same request again gets the same key for 24 hours

      --dry-run
          Show the request that would be sent, and send nothing

  -h, --help
          Print help (see a summary with '-h')

Many keys at once:
      --names <FILE>
          Make a key for each line of this file, which is its name; in --to, {name} stands for it

      --jobs <N>
          How many keys are made at the same time
          
          [default: 4]

Global options:
  -p, --profile <NAME>
          Profile to use; `local` is the service built into this program

      --provider <PROVIDER>
          Provider to speak to: native, leadlex, nexus or contactlevel

      --api-url <URL>
          Address of the service

      --format <FORM>
          Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or
          sarif for check

      --json
          Same as --format json

      --jq <EXPR>
          Run a jq expression over the JSON output

  -y, --yes
          Consent to what would be asked

      --no-input
          Never ask anything

  -q, --quiet
          Say only what must be heard

  -v, --verbose...
          Say which requests go where; -vv shows them, without secrets

      --color <WHEN>
          When to use colour: auto, always or never

      --timeout <AGE>
          How long a request may take [default: 30s]

      --max-wait <AGE>
          How long to wait for a service that takes no requests now [default: 60s]

      --ca-cert <FILE>
          PEM file of the authorities to trust instead of the system's

Examples:
  keys create --name "Ingestion worker" --perm read:contacts --perm write:contacts
  keys create --name ci --perm read:contacts --expires 90d --to dotenv:.env#LEADLEX_API_KEY
  NEW=$(keys create --name ci --perm read:contacts)
  keys create --names workers.txt --perm read:contacts --to 'file:/run/secrets/{name}' --jobs 8

"#]]);
}

#[test]
fn the_topics() {
    let place = Place::new();
    place.keys(["help", "exit-codes"]).shows(str![[r#"
exit 0
--- stdout
Exit codes of every command; they never change their meaning.

   0  Done, also when there was nothing to do
   1  A fault of ours
   2  Usage, or a value refused locally
   3  Not found
   4  No credential, or it was refused (401)
   5  Not allowed (403; a missing permission is named), or not offered by this provider
   6  Conflict: 409, ambiguous name, rotation already open, old key still in use
   7  Rate limited longer than --max-wait, or out of credits (402)
   8  Network or server trouble; nothing was changed
   9  A bulk run did part of its work; `failures[]` names the rest
  10  Outcome unknown: it may have happened; the line to resume it is printed
  11  Minted, but not delivered: the secret is kept safe; the line to resume it is printed
  12  A check failed
  13  Confirmation needed and nobody to ask, or declined
 130  Interrupted (Ctrl-C)
 143  Terminated

"#]]);
    place.keys(["help", "nonsense"]).shows(str![[r#"
exit 2
--- stderr
error: there is no command and no topic `nonsense`

hint: all commands are listed by: keys help; topics are exit-codes, output and environment

"#]]);
    place.keys(["help", "create", "nonsense"]).shows(str![[r#"
exit 2
--- stderr
error: there is no command and no topic `nonsense`

hint: all commands are listed by: keys help; topics are exit-codes, output and environment

"#]]);
    for topic in ["output", "environment"] {
        let seen = place.keys(["help", topic]).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
        assert!(seen.stdout.lines().count() > 5);
    }
    assert!(!place.data().exists());
}

#[test]
fn every_command_has_help() {
    let place = Place::new();
    let overview = place.keys(["--help"]).done().stdout;
    for command in [
        "create",
        "list",
        "show",
        "edit",
        "revoke",
        "reactivate",
        "delete",
        "lookup",
        "perms",
        "serve",
        "completions",
        "man",
        "help",
    ] {
        let seen = place.keys([command, "--help"]).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{command}");
        let other = place.keys(["help", command]).done();
        assert_eq!((other.code, other.stderr.as_str()), (0, ""), "{command}");
        assert_eq!(other.stdout.lines().next(), seen.stdout.lines().next());
        assert!(overview.contains(&format!("\n  {command}")), "{command}");
    }
    for alias in ["ls", "get", "rm"] {
        assert_eq!(place.keys([alias, "--help"]).done().code, 0, "{alias}");
    }
}

#[test]
fn every_way_to_ask_for_help_gives_the_same() {
    let place = Place::new();
    let overview = place.keys(["--help"]).done();
    let help = place.keys(["help"]).done();
    assert_eq!((help.code, help.stdout), (0, overview.stdout));
    let option = place.keys(["show", "--help"]).done();
    let help = place.keys(["help", "show"]).done();
    assert_eq!((help.code, help.stdout), (0, option.stdout));
}

#[test]
fn help_takes_no_json_away_from_its_reader() {
    let place = Place::new();
    place.keys(["--version"]).shows(str![[r#"
exit 0
--- stdout
keys 0.1.0

"#]]);
    let seen = place.keys(["--json", "help", "nonsense"]).done();
    assert_eq!(seen.error()["code"], "unknown_topic");
}

#[test]
fn the_permissions() {
    let place = Place::new();
    place.keys(["perms"]).shows(str![[r#"
exit 0
--- stdout
read:contacts	List and read contacts	read
write:contacts	Create and change contacts	write
read:deals	List and read deals	read
write:deals	Create and change deals	write
read:lists	List and read lists	read
write:lists	Create and change lists	write
read:campaigns	List and read campaigns	read
write:campaigns	Create and change campaigns	write
write:email	Send email	write
write:ai	Use the AI functions	write
admin:api_keys	Manage API keys	
admin:webhooks	Manage webhooks	
read	Every GET call	
write	Every POST, PATCH and DELETE call	
lexi	Talk to the Lexi assistant, view and approve its tasks	

"#]]);
    place.keys(["perms", "for", "GET /v1/contacts", "PATCH /v1/contacts/42"]).shows(str![[r#"
exit 0
--- stdout
GET /v1/contacts	read:contacts
PATCH /v1/contacts/42	write:contacts

"#]]);
    place.keys(["perms", "for", "GET /nothing"]).shows(str![[r#"
exit 2
--- stderr
error: no documented call matches `GET /nothing`

hint: the permissions there are, and what they open: keys perms

"#]]);
    place.keys(["perms", "for", "nonsense"]).shows(str![[r#"
exit 2
--- stderr
error: `nonsense` is not a call: write it as "GET /v1/contacts"

"#]]);
    assert!(!place.data().exists());
}

#[test]
fn completions_and_man_pages_need_no_service() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let seen = place.keys(["completions", shell]).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
        // Some know the commands themselves, the others ask for them.
        let asks = ["bash", "zsh", "fish"].contains(&shell);
        assert!(seen.stdout.contains(if asks { "keys __complete" } else { "lookup" }), "{shell}");
    }
    let seen = place.keys(["man"]).done();
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
    assert!(seen.stdout.contains(".TH"));
    assert!(!place.data().exists());
}

#[test]
fn errors_are_objects_where_json_is_asked_for() {
    let place = Place::new();
    place.create("ci", "read");
    for (line, code, exit) in [
        ("-p local show nosuch --json", "not_found", 3),
        ("-p local show nosuch --format json", "not_found", 3),
        ("-p local show nosuch --format=jsonl", "not_found", 3),
        ("-p local create --name ci --perm read --json", "duplicate_name", 6),
        ("-p local create --name x --perm nope --json", "unknown_permission", 2),
        ("-p local create --name x --perm read --expires 2020-01-01 --json", "invalid_expiry", 2),
        ("-p local revoke ci --json", "confirmation_needed", 13),
        ("list --json", "no_credential", 4),
        ("-p nosuch list --json", "unknown_profile", 2),
        ("-p local create --name x --perm read --to file:no/such/file --json", "sink_not_ready", 2),
        ("-p local list --json --jq .data[", "invalid_jq", 2),
    ] {
        let seen = place.keys(line.split(' ')).done();
        let error = seen.error();
        assert_eq!((seen.code, &error["code"]), (exit, &json!(code)), "{line}");
        assert_eq!(error["retryable"], false, "{line}");
    }
}

#[test]
fn a_line_that_cannot_be_parsed_is_an_object_too() {
    let place = Place::new();
    for line in [
        "create --json",
        "--json nosuch",
        "list --json --nosuch",
        "--format=json nosuch",
        "--format json nosuch",
        "list --format jsonl --nosuch",
    ] {
        let seen = place.keys(line.split(' ')).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{line}");
        assert!(seen.stderr.starts_with("{\"error\":"), "{line}: {}", seen.stderr);
        assert_eq!(seen.error()["code"], "usage", "{line}");
    }
}

#[test]
fn an_answer_of_the_service_gives_its_status_and_request() {
    let place = Place::new();
    let fake =
        Fake::answering(crate::support::json_answer(429, r#"{"error":{"code":"rate_limited","message":"Slow down"}}"#));
    let seen = place
        .keys(["list", "--json"])
        .env("KEYS_API_URL", fake.url())
        .env(
            "KEYS_API_KEY",
            NOBODYS,
        )
        .shows(str![[r#"
exit 7
--- stderr
{"error":{"code":"rate_limited","message":"Slow down","hint":"run the same command again later, or let it wait longer with --max-wait","retryable":true,"status":429,"request_id":"[REQUEST]","exit":7}}

"#]]);
    let error = seen.error();
    assert_eq!(
        (&error["status"], &error["request_id"], &error["retryable"]),
        (&json!(429), &json!("req_0123456789abcdef01234567"), &json!(true))
    );
}

#[test]
fn without_a_profile_both_ways_on_are_named() {
    Place::new().keys(["list"]).shows(str![[r#"
exit 4
--- stderr
error: nobody is logged in, no profile is chosen, and KEYS_API_KEY is not set

hint: log in to a service with: keys login --api-url URL; or use the one built into this program: keys -p local …

"#]]);
}
