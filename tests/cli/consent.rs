//! Consent: what is asked, when nobody can be asked, and that a refusal comes before any request.

use snapbox::str;

use crate::support::{Fake, NOBODYS, Place};

#[test]
fn without_a_terminal_nothing_is_requested() {
    let place = Place::new();
    let fake = Fake::untouched();
    for line in [
        "revoke ci",
        "delete ci",
        "delete ci --confirm ci",
        "revoke ci --max 5",
        "edit ci --remove-perm read",
        "revoke ci --no-input",
    ] {
        for (name, value) in [("X", "1"), ("CI", "1"), ("KEYS_NO_INPUT", "1")] {
            let seen = place
                .keys(line.split(' '))
                .env("KEYS_API_URL", fake.url())
                .env("KEYS_API_KEY", NOBODYS)
                .env(name, value)
                .input("y\nci\n")
                .done();
            assert_eq!((seen.code, seen.stdout.as_str()), (13, ""), "{line}");
        }
    }
}

#[test]
fn what_can_never_be_enough_is_refused_before_any_request() {
    // A deletion needs its key's name, whatever the key.
    let place = Place::new();
    let fake = Fake::untouched();
    let seen = place
        .keys(["delete", "ci", "--yes", "--timeout", "1s"])
        .env("KEYS_API_URL", fake.url())
        .env("KEYS_API_KEY", NOBODYS)
        .done();
    assert_eq!((seen.code, seen.stdout.as_str()), (13, ""), "{}", seen.stderr);
}

#[test]
fn the_refusals() {
    let place = Place::new();
    for name in ["a", "b", "c"] {
        place.create(name, "read,write");
    }
    let before = place.everything();
    place.local("revoke a").shows(str![[r#"
exit 13
--- stderr
error: revoke needs confirmation, and there is nobody to ask

hint: add --yes

"#]]);
    place.local("revoke a").input("y\n").shows(str![[r#"
exit 13
--- stderr
error: revoke needs confirmation, and there is nobody to ask

hint: add --yes

"#]]);
    place.local("revoke a --json").shows(str![[r#"
exit 13
--- stderr
{"error":{"code":"confirmation_needed","message":"revoke needs confirmation, and there is nobody to ask","hint":"add --yes","retryable":false,"status":null,"request_id":null,"exit":13}}

"#]]);
    place.local("delete a").shows(str![[r#"
exit 13
--- stderr
error: delete needs confirmation, and there is nobody to ask

hint: add --yes --confirm NAME, or --yes --max N for several keys

"#]]);
    place.local("delete a --yes").shows(str![[r#"
exit 13
--- stderr
error: delete needs confirmation, and there is nobody to ask

hint: add --yes --confirm NAME, or --yes --max N for several keys

"#]]);
    place.local("delete a --yes --confirm A").shows(str![[r#"
exit 13
--- stderr
error: --confirm `A` names none of the keys

hint: give the name as it is listed, or the id

"#]]);
    place.local("delete a --confirm a").shows(str![[r#"
exit 13
--- stderr
error: delete needs confirmation, and there is nobody to ask

hint: add --yes --confirm NAME, or --yes --max N for several keys

"#]]);
    place.local("delete a b --yes").shows(str![[r#"
exit 13
--- stderr
error: delete needs confirmation, and there is nobody to ask

hint: add --yes --confirm NAME, or --yes --max N for several keys

"#]]);
    place.local("delete a b --yes --confirm a").shows(str![[r#"
exit 13
--- stderr
error: delete needs more than --yes here: it touches more than one key

hint: add --max 2

"#]]);
    place.local("delete a b --yes --max 1").shows(str![[r#"
exit 13
--- stderr
error: this would delete 2 keys, more than --max 1 allows

hint: name fewer keys, or raise --max

"#]]);
    place.local("revoke a b --yes").shows(str![[r#"
exit 13
--- stderr
error: revoke needs more than --yes here: it touches more than one key

hint: add --max 2

"#]]);
    place.local("revoke a b c --yes --max 2").shows(str![[r#"
exit 13
--- stderr
error: this would revoke 3 keys, more than --max 2 allows

hint: name fewer keys, or raise --max

"#]]);
    place.local("revoke a --yes --max 0").shows(str![[r#"
exit 13
--- stderr
error: this would revoke 1 key, more than --max 0 allows

hint: name fewer keys, or raise --max

"#]]);
    place.local("edit a --remove-perm write").shows(str![[r#"
exit 13
--- stderr
error: remove permissions needs confirmation, and there is nobody to ask

hint: add --yes

"#]]);
    place.local("edit a --perm write").shows(str![[r#"
exit 13
--- stderr
error: remove permissions needs confirmation, and there is nobody to ask

hint: add --yes

"#]]);
    assert_eq!(place.everything(), before);
}

#[test]
fn one_key_deleted_needs_its_name_whatever_the_cap() {
    let place = Place::new();
    place.create("a", "read");
    let before = place.everything();
    place.local("delete a --yes --max 1").shows(str![[r#"
exit 13
--- stderr
error: delete needs more than --yes here: it cannot be taken back

hint: add --confirm a

"#]]);
    assert_eq!(place.everything(), before);
}

#[test]
fn what_only_adds_is_not_asked() {
    let place = Place::new();
    place.create("a", "read");
    for line in [
        "edit a --add-perm write",
        "edit a --perm read,write,lexi",
        "edit a --name b",
        "edit b --expires 30d",
        "edit b --tier high",
        "reactivate b",
    ] {
        let seen = place.local(line).done();
        assert_eq!(seen.code, 0, "{line}: {}", seen.stderr);
    }
}

#[test]
fn a_key_in_use_needs_its_name() {
    let place = Place::new();
    place.create("a", "read");
    let used = "UPDATE api_keys SET last_used_at = (SELECT created_at FROM api_keys);";
    if place.sqlite("a key in use is asked about by name", used).is_none() {
        return;
    }
    place.local("revoke a --yes").shows(str![[r#"
exit 13
--- stderr
error: revoke needs more than --yes here: the key was used in the last seven days

hint: add --confirm a

"#]]);
    place.local("revoke a --yes --confirm a").shows(str![[r#"
exit 0
--- stderr
Revoked key `a` ([ID])
Undo with: keys -p local reactivate [ID]

"#]]);
}

#[test]
fn a_key_in_use_can_be_narrowed_as_the_hint_says() {
    let place = Place::new();
    place.create("a", "read,write");
    let used = "UPDATE api_keys SET last_used_at = (SELECT created_at FROM api_keys);";
    if place.sqlite("a key in use that loses a permission", used).is_none() {
        return;
    }
    let seen = place.local("edit a --remove-perm write --yes").done();
    assert_eq!(seen.code, 13, "{}", seen.stderr);
    let (_, way) = seen.stderr.split_once("hint: add ").expect("a hint");
    let followed = place.local("edit a --remove-perm write --yes").args(way).done();
    assert_eq!(followed.code, 0, "{}", followed.stderr);
}

#[test]
fn ci_set_to_false_is_no_ci() {
    let place = Place::new();
    place.create("a", "read");
    place.local("revoke a --yes").env("CI", "false").shows(str![[r#"
exit 0
--- stderr
Revoked key `a` ([ID])
Undo with: keys -p local reactivate [ID]

"#]]);
}
