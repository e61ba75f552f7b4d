//! The main job: a key is made, and its plaintext goes to one place and no other.

use std::fs;

use serde_json::{Value, json};
use snapbox::str;

use crate::support::{Fake, NOBODYS, Place, assert_is_key, modes};

#[test]
fn the_plaintext_is_alone_on_standard_output() {
    let place = Place::new();
    let seen = place
        .keys(["-p", "local", "create", "--name", "Ingestion worker"])
        .args("--perm read:contacts --perm write:contacts")
        .shows(str![[r#"
exit 0
--- stdout
[KEY]
--- stderr
Created key `Ingestion worker` ([ID])
  permissions  read:contacts write:contacts
  expires      never
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    seen.secret();
    place.local("list").shows(str![[r#"
exit 0
--- stdout
[ID]	Ingestion worker	[PREFIX]	active	read:contacts,write:contacts	standard	[TIME]		

"#]]);
}

#[test]
fn a_shell_takes_it_into_a_variable() {
    let place = Place::new();
    place
        .shell(
            r#"NEW=$(keys -p local create --name ci --perm read:contacts --expires 90d) || exit
            printf %s "$NEW" | keys -p local lookup --json --jq .data.name
            keys -p local create --name other --perm read -q >/dev/null 2>&1 && exit 99
            keys -p local list --json --jq '.data[].name'"#,
        )
        .shows(str![[r#"
exit 0
--- stdout
ci
ci
--- stderr
Created key `ci` ([ID])
  permissions  read:contacts
  expires      [TIME] ([IN DAYS])
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
}

#[test]
fn in_json_it_is_in_the_field_secret() {
    let place = Place::new();
    let seen = place
        .local("create --name ci --perm read:contacts,write:contacts --description why --tier high --json")
        .shows(str![[r#"
exit 0
--- stdout
{"schema":1,"data":{"id":"[ID]","name":"ci","description":"why","prefix":"[PREFIX]","permissions":["read:contacts","write:contacts"],"tier":"high","status":"active","temporary":false,"created_by":"operator","created_at":"[TIME]","last_used_at":null,"expires_at":null,"revoked_at":null,"revoked_reason":null,"secret":"[KEY]"}}

"#]]);
    let data = seen.data();
    assert_is_key(data["secret"].as_str().unwrap());
    // A list is the same object without it.
    let listed = place.local("show ci --json").done();
    let mut without = data.as_object().unwrap().clone();
    without.remove("secret");
    assert_eq!(listed.data(), Value::Object(without));
}

#[test]
fn other_forms_hold_it_too() {
    let place = Place::new();
    place.local("create -q --name a --perm read --format jsonl --jq .secret").shows(str![[r#"
exit 0
--- stdout
[KEY]

"#]]);
    place
        .local("create -q --name b --perm read --format csv")
        .shows(str![[r#"
exit 0
--- stdout
id,name,description,prefix,permissions,tier,status,temporary,created_by,created_at,last_used_at,expires_at,revoked_at,revoked_reason,secret␍
[ID],b,,[PREFIX],read,standard,active,false,operator,[TIME],,,,,[KEY]␍

"#]]);
    place.local("create -q --name c --perm read --jq .data.secret").shows(str![[r#"
exit 0
--- stdout
[KEY]

"#]]);
}

#[test]
fn quiet_says_nothing_but_the_key() {
    let place = Place::new();
    place.local("create --name ci --perm read --quiet").shows(str![[r#"
exit 0
--- stdout
[KEY]

"#]]);
}

#[test]
fn a_temporary_key_ends_by_itself() {
    let place = Place::new();
    place.local("create --name try --perm read --temp").shows(str![[r#"
exit 0
--- stdout
[KEY]
--- stderr
Created key `try` ([ID])
  permissions  read
  expires      [TIME] (in 1 hour)
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    let data = place.local("show try --json").done().data();
    assert_eq!(data["temporary"], true);
    assert!(data["expires_at"].is_string());
}

#[test]
fn the_end_can_be_said_in_every_way() {
    let place = Place::new();
    for (name, when, expected) in [
        ("date", "2999-01-31", "2999-01-31T00:00:00Z"),
        ("instant", "2999-01-31T09:00:00+02:00", "2999-01-31T07:00:00Z"),
    ] {
        place.local("create -q --perm read --name").args(name).args("--expires").args(when).done().secret();
        let data = place.local("show --json").args(name).done().data();
        assert_eq!(data["expires_at"], expected);
    }
    place.local("create --name never --perm read --expires never --to file:key").shows(str![[r#"
exit 0
--- stderr
Created key `never` ([ID])
  permissions  read
  expires      never
  written to   file:key
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
}

/// What `lookup` says of a plaintext.
fn looked_up(place: &Place, plain: &str) -> Value {
    place.local("lookup --json").input(plain).done().data()["name"].clone()
}

#[test]
fn a_file_gets_the_key_and_a_line_break() {
    let place = Place::new();
    place.local("create --name ci --perm read --to file:key").shows(str![[r#"
exit 0
--- stderr
Created key `ci` ([ID])
  permissions  read
  expires      never
  written to   file:key
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    let content = place.read("key");
    assert_is_key(content.strip_suffix('\n').unwrap());
    assert_eq!(looked_up(&place, &content), "ci");
}

#[test]
fn a_dotenv_file_gets_one_variable_and_keeps_the_others() {
    let place = Place::new();
    let path = place.write(".env", "# mine\nA=1\nTOKEN=old\nB=2\n");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    place.local("create --name ci --perm read --to dotenv:.env#TOKEN").shows(str![[r#"
exit 0
--- stderr
Created key `ci` ([ID])
  permissions  read
  expires      never
  written to   dotenv:.env#TOKEN
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    let content = place.read(".env");
    let mut lines: Vec<&str> = content.lines().collect();
    let line = lines.remove(2).strip_prefix("TOKEN=").unwrap();
    assert_eq!(lines, ["# mine", "A=1", "B=2"]);
    assert_eq!(looked_up(&place, line.trim_matches(['"', '\''])), "ci");
    // And a shell reads the same from it.
    let seen = place.shell(". ./.env; printf %s \"$TOKEN\"").done();
    assert_eq!(looked_up(&place, &seen.stdout), "ci");
}

#[test]
fn a_json_file_gets_the_object() {
    let place = Place::new();
    place.local("create --name ci --perm read --to json:key.json").shows(str![[r#"
exit 0
--- stderr
Created key `ci` ([ID])
  permissions  read
  expires      never
  written to   json:key.json
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    let object: Value = serde_json::from_str(&place.read("key.json")).unwrap();
    let text = object.to_string();
    let secret = object["secret"]
        .as_str()
        .or_else(|| object["data"]["secret"].as_str())
        .unwrap_or_else(|| panic!("no secret in {text}"));
    assert_eq!(looked_up(&place, secret), "ci");
}

#[test]
fn a_command_gets_it_on_its_standard_input() {
    let place = Place::new();
    place
        .keys(["-p", "local", "create", "--name", "ci", "--perm", "read"])
        .args("--to")
        .arg("cmd:cat > received; echo out; echo err >&2")
        .shows(str![[r#"
exit 0
--- stderr
out
err
Created key `ci` ([ID])
  permissions  read
  expires      never
  written to   cmd:cat > received; echo out; echo err >&2
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    let received = place.read("received");
    assert_is_key(&received);
    assert_eq!(looked_up(&place, &received), "ci");
}

#[test]
fn a_descriptor_of_the_callers_gets_it() {
    let place = Place::new();
    place.shell("keys -p local create --name ci --perm read --to fd:3 3>received").shows(str![[r#"
exit 0
--- stderr
Created key `ci` ([ID])
  permissions  read
  expires      never
  written to   fd:3
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    assert_eq!(looked_up(&place, &place.read("received")), "ci");
}

#[test]
fn several_places_get_the_same_key() {
    let place = Place::new();
    place.local("create --name ci --perm read --to file:a --to json:b --to stdout --to dotenv:c#D").shows(str![[r#"
exit 0
--- stdout
[KEY]
--- stderr
Created key `ci` ([ID])
  permissions  read
  expires      never
  written to   file:a
  written to   json:b
  written to   dotenv:c#D
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    let key = place.read("a");
    assert!(place.read("b").contains(key.trim_end()));
    assert!(place.read("c").contains(key.trim_end()));
    assert_eq!(place.everything().matches("\"id\"").count(), 1);
}

#[test]
fn with_json_and_a_place_the_object_holds_no_secret() {
    let place = Place::new();
    let seen = place
        .local("create --name ci --perm read --to file:key --json")
        .shows(str![[r#"
exit 0
--- stdout
{"schema":1,"data":{"id":"[ID]","name":"ci","description":null,"prefix":"[PREFIX]","permissions":["read"],"tier":"standard","status":"active","temporary":false,"created_by":"operator","created_at":"[TIME]","last_used_at":null,"expires_at":null,"revoked_at":null,"revoked_reason":null}}

"#]]);
    assert!(!seen.stdout.contains(place.read("key").trim_end()));
}

#[test]
fn the_plaintext_is_in_no_file_of_ours() {
    let place = Place::new();
    let created = place.local("create --name ci --perm read --idempotency-key twice").done().secret();
    let secret_part = &created[13..];
    assert!(place.files_holding(secret_part).is_empty());
    let again = place.local("create --name ci --perm read --idempotency-key twice").done().secret();
    assert_eq!(again, created);
    place.local("lookup").input(&created).done();
    place.local("revoke ci --yes").done();
    place.local("delete ci --yes --confirm ci").done();
    assert!(place.files_holding(secret_part).is_empty());
    // The search itself finds what is there.
    assert!(!place.files_holding("create table").is_empty() || !place.files_holding("CREATE TABLE").is_empty());
}

#[test]
fn files_are_for_their_owner_alone_whatever_the_umask() {
    for umask in ["0", "077"] {
        let place = Place::new();
        let line = format!(
            "umask {umask}; keys -p local create -q --name ci --perm read --to file:key --to json:j --to dotenv:e#K"
        );
        let seen = place.shell(&line).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "umask {umask}");
        for (name, mode) in modes(&place.data()) {
            let expected = if name == "." { 0o700 } else { 0o600 };
            assert_eq!(mode & 0o077, 0, "{name} with umask {umask}");
            if umask == "0" {
                assert_eq!(mode, expected, "{name}");
            }
        }
        for (name, mode) in modes(place.root()) {
            if ["key", "j", "e"].contains(&name.as_str()) && umask == "0" {
                assert_eq!(mode, 0o600, "{name}");
            }
        }
    }
}

#[test]
fn a_dry_run_shows_the_request_and_makes_nothing() {
    let place = Place::new();
    place.create("before", "read");
    let before = place.everything();
    place
        .local("create --name ci --perm read:contacts --expires 30d --tier high --description why --temp --dry-run")
        .shows(str![[r#"
exit 2
--- stderr
error: the argument '--expires <WHEN>' cannot be used with '--temp'

Usage: keys create --perm <SCOPE> --expires <WHEN> --tier <TIER> --description <TEXT> --dry-run <--name <NAME>|--names <FILE>|--temp>

For more information, try '--help'.

"#]]);
    place
        .local("create --name ci --perm read:contacts --expires 30d --tier high --description why --idempotency-key k1 --dry-run --to file:key")
        .shows(str![[r#"
exit 0
--- stdout
POST local:/v1/api-keys
accept: application/json
content-type: application/json
idempotency-key: k1

{
  "name": "ci",
  "permissions": [
    "read:contacts"
  ],
  "description": "why",
  "rate_limit_tier": "high",
  "expires_in": 2592000
}
--- stderr
The key would end at [TIME]
Nothing was sent

"#]]);
    let seen = place
        .local("create --name ci --perm read:contacts --idempotency-key k1 --dry-run --json")
        .shows(str![[r#"
exit 0
--- stdout
{"schema":1,"data":{"dry_run":true,"request":{"method":"POST","url":"local:/v1/api-keys","headers":{"accept":"application/json","content-type":"application/json","idempotency-key":"k1"},"body":{"name":"ci","permissions":["read:contacts"]}}}}

"#]]);
    assert_eq!(seen.data()["request"]["body"], json!({ "name": "ci", "permissions": ["read:contacts"] }));
    assert_eq!(place.everything(), before);
    assert!(!place.path("key").exists());
}

#[test]
fn a_dry_run_on_a_fresh_machine_leaves_it_fresh() {
    let place = Place::new();
    let seen = place.local("create --name ci --perm read --dry-run").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert!(!place.data().exists(), "the data directory was made");
}

#[test]
fn a_dry_run_over_tcp_calls_nobody_and_shortens_the_credential() {
    let place = Place::new();
    let fake = Fake::untouched();
    let key = NOBODYS;
    let seen = place
        .keys(["create", "--name", "ci", "--perm", "read"])
        .args("--idempotency-key k1 --dry-run")
        .env("KEYS_API_URL", fake.url())
        .env("KEYS_API_KEY", key)
        .shows(str![[r#"
exit 0
--- stdout
POST http://[HOST]/v1/api-keys
accept: application/json
content-type: application/json
idempotency-key: k1
authorization: Bearer [PREFIX]…

{
  "name": "ci",
  "permissions": [
    "read"
  ]
}
--- stderr
Nothing was sent

"#]]);
    assert!(!seen.stdout.contains("abcdefgh"));
}

#[test]
fn an_existing_name_is_refused_or_skipped() {
    let place = Place::new();
    place.create("ci", "read");
    let before = place.everything();
    place.local("create --name ci --perm read").shows(str![[r#"
exit 6
--- stderr
error: an active key is already named `ci`

hint: choose another name, or add --if-exists skip to leave it at that

"#]]);
    place.local("create --name ci --perm read --to file:key").shows(str![[r#"
exit 6
--- stderr
error: an active key is already named `ci`

hint: choose another name, or add --if-exists skip to leave it at that

"#]]);
    assert!(!place.path("key").exists());
    place.local("create --name ci --perm read --if-exists skip").shows(str![[r#"
exit 0
--- stderr
Key `ci` exists already ([ID]); nothing was made

"#]]);
    place
        .local("create --name ci --perm read --if-exists skip --json")
        .shows(str![[r#"
exit 0
--- stdout
{"schema":1,"data":{"id":"[ID]","name":"ci","description":null,"prefix":"[PREFIX]","permissions":["read"],"tier":"standard","status":"active","temporary":false,"created_by":"operator","created_at":"[TIME]","last_used_at":null,"expires_at":null,"revoked_at":null,"revoked_reason":null}}

"#]]);
    place.local("create --name ci --perm read --if-exists skip --to file:key").shows(str![[r#"
exit 0
--- stderr
Key `ci` exists already ([ID]); nothing was made

"#]]);
    assert!(!place.path("key").exists());
    assert_eq!(place.everything(), before);
}

#[test]
fn a_delivery_that_fails_keeps_the_key_for_the_resume_line() {
    let place = Place::new();
    let seen = place
        .keys(["-p", "local", "create", "--name", "it's", "--perm", "read"])
        .args("--expires 90d --to file:first --to")
        .arg("cmd:test -e ready && cat > received")
        .shows(str![[r#"
exit 11
--- stderr
error: key [ID] was made, but not delivered (it is in `file:first`): could not deliver to `cmd:test -e ready && cat > received`: the command ended with exit status: 1

hint: the service keeps the key for 24 hours; get it with the same request:
  keys -p local create --name 'it'\''s' --perm read --expires 90d --to file:first --to 'cmd:test -e ready && cat > received' --idempotency-key [ONCE]

"#]]);
    assert_eq!(seen.code, 11);
    // What is in the first place stays there: the key exists.
    let first = place.read("first");
    assert_eq!(looked_up(&place, &first), "it's");
    place.write("ready", "");
    let line = seen.resume_line();
    place.shell(&line).shows(str![[r#"
exit 0
--- stderr
Got again key `it's` ([ID])
  permissions  read
  expires      [TIME] ([IN DAYS])
  written to   file:first
  written to   cmd:test -e ready && cat > received
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    assert_eq!(place.read("received"), first.trim_end());
    assert_eq!(place.everything().matches("\"id\"").count(), 1);
}

#[test]
fn a_delivery_that_fails_is_an_object_for_programs() {
    let place = Place::new();
    let seen = place
        .keys(["-p", "local", "create", "--name", "ci", "--perm", "read", "--json"])
        .args("--to")
        .arg("cmd:cat >/dev/null; exit 3")
        .done();
    let error = seen.error();
    assert_eq!((seen.code, &error["code"]), (11, &json!("not_delivered")));
    assert!(error["resume"].as_str().unwrap().starts_with("keys -p local create "));
}

#[test]
fn a_filter_that_leaves_the_key_out_is_refused_before_there_is_one() {
    let place = Place::new();
    let seen = place.local("create --name ci --perm read --jq .data.id").done();
    assert_eq!((seen.code, seen.stdout.as_str()), (2, ""));
    assert!(seen.stderr.contains("--jq .data.secret"), "{}", seen.stderr);
    assert_eq!(place.local("list --status all").done().stdout, "");
    // With a place for the key, the filter may print what it likes; and a filter may take the key along.
    let id = place.local("create --name ci --perm read --jq .data.id --to file:key").done();
    assert!(id.code == 0 && id.stdout.starts_with("key_"), "{id:?}");
    let secret = place.local("create --name ci2 --perm read --jq .data.secret").done();
    assert!(secret.code == 0 && secret.stdout.starts_with("wbk_"), "{}", secret.stderr);
}
