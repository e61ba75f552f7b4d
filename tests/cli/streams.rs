//! Streams that are closed, full or read by nobody, and names that would act on whoever reads them.

use snapbox::str;

use crate::support::Place;

#[test]
fn a_key_is_not_made_when_it_would_be_lost() {
    let place = Place::new();
    place.create("before", "read");
    let before = place.everything();
    place.shell("keys -p local create --name ci --perm read >&-").shows(str![[r#"
exit 2
--- stderr
error: the key would be lost: standard output is closed or is /dev/null

hint: send the key to a place, for instance with --to file:PATH

"#]]);
    place.shell("keys -p local create --name ci --perm read >/dev/full").shows(str![[r#"
exit 2
--- stderr
error: the key would be lost: standard output is /dev/full

hint: send the key to a place, for instance with --to file:PATH

"#]]);
    place.shell("keys -p local create --name ci --perm read >/dev/null").shows(str![[r#"
exit 2
--- stderr
error: the key would be lost: standard output is closed or is /dev/null

hint: send the key to a place, for instance with --to file:PATH

"#]]);
    place
        .shell("keys -p local create --name ci --perm read --json >&-")
        .shows(str![[r#"
exit 2
--- stderr
{"error":{"code":"output_would_be_lost","message":"the key would be lost: standard output is closed or is /dev/null","hint":"send the key to a place, for instance with --to file:PATH","retryable":false,"status":null,"request_id":null,"exit":2}}

"#]]);
    place.shell("keys -p local create --name ci --perm read --to stdout --to file:key >/dev/full").shows(str![[r#"
exit 2
--- stderr
error: the key would be lost: standard output is /dev/full

hint: send the key to a place, for instance with --to file:PATH

"#]]);
    // A pipe that nobody reads: `sleep` keeps no end of it, and the subshell waits until it is closed.
    place
        .shell("mkfifo p; (exec 3<p; exec 3<&-; : >gone) & { while ! [ -e gone ]; do :; done; keys -p local create --name ci --perm read; echo $? >code; } >p; wait; exit $(cat code)")
        .shows(str![[r#"
exit 2
--- stderr
error: the key would be lost: nobody reads standard output any more

hint: send the key to a place, for instance with --to file:PATH

"#]]);
    assert_eq!(place.everything(), before);
    assert!(!place.path("key").exists());
}

#[test]
fn with_json_and_jq_too() {
    let place = Place::new();
    place.create("before", "read");
    let before = place.everything();
    for line in [
        "keys -p local create --name ci --perm read --json >/dev/full",
        "keys -p local create --name ci --perm read --jq .data.secret >/dev/full",
        "keys -p local create --name ci --perm read --to fd:1 >/dev/full",
    ] {
        let seen = place.shell(line).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{line}: {}", seen.stderr);
    }
    assert_eq!(place.everything(), before);
}

#[test]
fn a_jq_expression_that_fails_does_not_lose_the_key() {
    let place = Place::new();
    let seen = place.local("create --name ci --perm read --jq").arg(".data.secret | error").done();
    // Nothing was made, or what was made can be got again.
    if place.everything().contains("\"id\"") {
        assert_eq!(seen.code, 11, "{}", seen.stderr);
        seen.resume_line();
    } else {
        assert_eq!(seen.code, 2, "{}", seen.stderr);
    }
}

#[test]
fn a_key_that_goes_elsewhere_is_made_all_the_same() {
    let place = Place::new();
    place.shell("keys -p local create --name ci --perm read --to file:key >&-").shows(str![[r#"
exit 0
--- stderr
Created key `ci` ([ID])
  permissions  read
  expires      never
  written to   file:key
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys -p local revoke [ID]

"#]]);
    place.shell("keys -p local create --name ci2 --perm read 2>&-").done().secret();
    place.shell("keys -p local create --name ci3 --perm read 2>/dev/full").done().secret();
    place.shell("keys -p local create --name ci4 --perm read <&-").done().secret();
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_list_in_silence() {
    let place = Place::new();
    place.create("ci", "read");
    for format in ["table", "json", "jsonl", "csv"] {
        let line = format!(
            "mkfifo p; (exec 3<p; exec 3<&-; : >gone) & {{ while ! [ -e gone ]; do :; done; keys -p local list --format {format}; echo $? >code; }} >p; wait; rm p gone; exit $(cat code)"
        );
        let seen = place.shell(&line).done();
        assert_eq!((seen.code, seen.stdout.as_str(), seen.stderr.as_str()), (0, "", ""), "{format}");
    }
    for line in ["keys --help", "keys help output", "keys perms", "keys completions bash", "keys man"] {
        let line = format!(
            "mkfifo p; (exec 3<p; exec 3<&-; : >gone) & {{ while ! [ -e gone ]; do :; done; {line}; echo $? >code; }} >p; wait; rm p gone; exit $(cat code)"
        );
        let seen = place.shell(&line).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn a_list_that_cannot_be_written_is_an_error() {
    let place = Place::new();
    place.create("ci", "read");
    place.shell("keys -p local list >/dev/full").shows(str![[r#"
exit 1
--- stderr
error: could not write to standard output
  caused by: No space left on device (os error 28)

hint: what was done stays done, only its output is lost; make room for it and look with `keys list`

"#]]);
    place
        .shell("keys -p local list --json >/dev/full")
        .shows(str![[r#"
exit 1
--- stderr
{"error":{"code":"output_failed","message":"could not write to standard output: No space left on device (os error 28)","hint":"what was done stays done, only its output is lost; make room for it and look with `keys list`","retryable":false,"status":null,"request_id":null,"exit":1}}

"#]]);
    place.shell("keys --help >/dev/full").done();
}

const HOSTILE: &str = "char(27) || '[31mred' || char(10) || 'second' || char(9) || 'tab' || char(8238) || 'bidi' || char(155) || '\"quote,comma'";

/// A place with a key whose name the program would refuse.
fn hostile(left_out: &str) -> Option<Place> {
    let place = Place::new();
    place.create("ci", "read");
    let update = format!("UPDATE api_keys SET name = {HOSTILE}, description = {HOSTILE};");
    place.sqlite(left_out, &update)?;
    Some(place)
}

#[test]
fn hostile_names_in_every_form() {
    let Some(place) = hostile("hostile names") else {
        return;
    };
    place.local("list").shows(str![[r#"
exit 0
--- stdout
[ID]	\x1b[31mred\nsecond\ttab\u{202e}bidi\u{9b}"quote,comma	[PREFIX]	active	read	standard	[TIME]		

"#]]);
    place.local("list --json").shows(str![[r#"
exit 0
--- stdout
{"schema":1,"data":[{"id":"[ID]","name":"\u001b[31mred\nsecond\ttab\u202ebidi\u009b\"quote,comma","description":"\u001b[31mred\nsecond\ttab\u202ebidi\u009b\"quote,comma","prefix":"[PREFIX]","permissions":["read"],"tier":"standard","status":"active","temporary":false,"created_by":"operator","created_at":"[TIME]","last_used_at":null,"expires_at":null,"revoked_at":null,"revoked_reason":null}],"meta":{"count":1,"hidden":{"revoked":0,"expired":0}}}

"#]]);
    place.local("list --format csv").shows(str![[r#"
exit 0
--- stdout
id,name,prefix,status,permissions,tier,created_at,last_used_at,expires_at␍
[ID],"\x1b[31mred
second	tab\u{202e}bidi\u{9b}""quote,comma",[PREFIX],active,read,standard,[TIME],,␍

"#]]);
    place.local("show wbk_").shows(str![[r#"
exit 0
--- stdout
Name         \x1b[31mred\nsecond\ttab\u{202e}bidi\u{9b}"quote,comma
ID           [ID]
Status       active
Prefix       [PREFIX]
Permissions  read
Tier         standard
Description  \x1b[31mred\nsecond\ttab\u{202e}bidi\u{9b}"quote,comma
Created      [TIME] ([AGO]) by operator
Last used    never
Expires      never

"#]]);
    place.local("show wbk_ --format csv").shows(str![[r#"
exit 0
--- stdout
id,name,description,prefix,permissions,tier,status,temporary,created_by,created_at,last_used_at,expires_at,revoked_at,revoked_reason␍
[ID],"\x1b[31mred
second	tab\u{202e}bidi\u{9b}""quote,comma","\x1b[31mred
second	tab\u{202e}bidi\u{9b}""quote,comma",[PREFIX],read,standard,active,false,operator,[TIME],,,,␍

"#]]);
}

#[test]
fn hostile_names_in_talk_and_errors() {
    let Some(place) = hostile("hostile names in errors") else {
        return;
    };
    place.local("edit wbk_ --tier high").shows(str![[r#"
exit 0
--- stderr
Changed key `\x1b[31mred\nsecond\ttab\u{202e}bidi\u{9b}"quote,comma` ([ID])
  tier         standard → high
Look at it with: keys -p local show [ID]

"#]]);
    place.local("delete wbk_ --yes --confirm").arg("\u{1b}[31mx\ny").shows(str![[r#"
exit 13
--- stderr
error: --confirm `\x1b[31mx\ny` names none of the keys

hint: give the name as it is listed, or the id

"#]]);
    place.local("revoke wbk_ --yes").shows(str![[r#"
exit 0
--- stderr
Revoked key `\x1b[31mred\nsecond\ttab\u{202e}bidi\u{9b}"quote,comma` ([ID])
Undo with: keys -p local reactivate [ID]

"#]]);
    place.local("list").shows(str![[r#"
exit 0
--- stderr
No keys to show
1 revoked key hidden (--status all shows them)

"#]]);
    place.local("reactivate wbk_").shows(str![[r#"
exit 0
--- stderr
Reactivated key `\x1b[31mred\nsecond\ttab\u{202e}bidi\u{9b}"quote,comma` ([ID])
Undo with: keys -p local revoke [ID]

"#]]);
    place.create("other", "read");
    place.local("show key_ --json").done();
    let seen = place.local("show wbk_").done();
    assert_eq!(seen.code, 6);
    assert!(!seen.stderr.lines().any(|line| line.starts_with("second")), "{}", seen.stderr);
}

#[test]
fn a_hint_that_names_a_hostile_key_can_be_followed() {
    let Some(place) = hostile("hostile names in hints") else {
        return;
    };
    // With a cap, so that it goes as far as to the key: what can never be enough is refused before.
    let seen = place.local("delete wbk_ --yes --max 1").done();
    assert_eq!(seen.code, 13);
    let (_, hint) = seen.stderr.split_once("hint: add ").expect("a hint");
    assert_eq!(hint.lines().count(), 1, "the hint goes on in the next line:\n{hint}");
    let followed = place.shell(&format!("keys -p local delete wbk_ --yes --max 1 {hint}")).done();
    assert_eq!(followed.code, 0, "`{hint}` says: {}", followed.stderr);
}

#[test]
fn what_an_edit_replaces_is_spelled_out() {
    let Some(place) = hostile("hostile names in what an edit says") else {
        return;
    };
    let seen = place.local("edit wbk_ --name good --description fine").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert!(
        !seen.stderr.lines().any(|line| line.starts_with("second")),
        "a name goes on in the next line:\n{}",
        seen.stderr
    );
}

#[test]
fn formulas_are_defused_in_csv() {
    let place = Place::new();
    for name in ["=1+1", "+1", "-1+1", "@SUM(A1)", "-5"] {
        place
            .keys(["-p", "local", "create", "-q", "--perm", "read", "--to", "file:key"])
            .arg(format!("--name={name}"))
            .done();
    }
    place.local("list --sort name --format csv").shows(str![[r#"
exit 0
--- stdout
id,name,prefix,status,permissions,tier,created_at,last_used_at,expires_at␍
[ID],'+1,[PREFIX],active,read,standard,[TIME],,␍
[ID],'-1+1,[PREFIX],active,read,standard,[TIME],,␍
[ID],-5,[PREFIX],active,read,standard,[TIME],,␍
[ID],'=1+1,[PREFIX],active,read,standard,[TIME],,␍
[ID],'@SUM(A1),[PREFIX],active,read,standard,[TIME],,␍

"#]]);
    place.local("list --sort name --json --jq .data[].name").shows(str![[r#"
exit 0
--- stdout
+1
-1+1
-5
=1+1
@SUM(A1)

"#]]);
}
