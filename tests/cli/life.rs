//! A whole life of a key: made, looked at, changed, switched off and on, deleted, remembered.

use snapbox::str;

use crate::support::Place;

#[test]
fn a_whole_life() {
    let place = Place::new();
    let plain = place.create("ci", "read:contacts");
    place.local("show ci").shows(str![[r#"
exit 0
--- stdout
Name         ci
ID           [ID]
Status       active
Prefix       [PREFIX]
Permissions  read:contacts
Tier         standard
Created      [TIME] ([AGO]) by operator
Last used    never
Expires      never

"#]]);
    place.local("edit ci --name ci-eu --add-perm write:contacts --description why --expires 90d --tier high").shows(
        str![[r#"
exit 0
--- stderr
Changed key `ci-eu` ([ID])
  name         ci → ci-eu
  description  (none) → why
  permissions  read:contacts → read:contacts write:contacts
  tier         standard → high
  expires      never → [TIME]
Look at it with: keys -p local show [ID]

"#]],
    );
    place.local("edit ci-eu --remove-perm read:contacts --no-description --expires never --yes").shows(str![[r#"
exit 0
--- stderr
Changed key `ci-eu` ([ID])
  description  why → (none)
  permissions  read:contacts write:contacts → write:contacts
  expires      [TIME] → never
Look at it with: keys -p local show [ID]

"#]]);
    place.local("edit ci-eu --tier high").shows(str![[r#"
exit 0
--- stderr
Key `ci-eu` ([ID]) was so already; nothing changed

"#]]);
    place.local("revoke ci-eu --reason leaked --yes").shows(str![[r#"
exit 0
--- stderr
Revoked key `ci-eu` ([ID])
Undo with: keys -p local reactivate [ID]

"#]]);
    place.local("lookup").input(&plain).shows(str![[r#"
exit 0
--- stdout
Name         ci-eu
ID           [ID]
Status       revoked
Prefix       [PREFIX]
Permissions  write:contacts
Tier         high
Created      [TIME] ([AGO]) by operator
Last used    never
Expires      never
Revoked      [TIME] ([AGO])
Reason       leaked

"#]]);
    place.local("revoke ci-eu --yes").shows(str![[r#"
exit 0
--- stderr
Key `ci-eu` ([ID]) was revoked already

"#]]);
    place.local("list").shows(str![[r#"
exit 0
--- stderr
No keys to show
1 revoked key hidden (--status all shows them)

"#]]);
    place.local("list --status revoked").shows(str![[r#"
exit 0
--- stdout
[ID]	ci-eu	[PREFIX]	revoked	write:contacts	high	[TIME]		

"#]]);
    place.local("reactivate ci-eu").shows(str![[r#"
exit 0
--- stderr
Reactivated key `ci-eu` ([ID])
Undo with: keys -p local revoke [ID]

"#]]);
    place.local("reactivate ci-eu").shows(str![[r#"
exit 0
--- stderr
Key `ci-eu` ([ID]) is not revoked

"#]]);
    let seen = place.local("lookup --json").input(&plain).done();
    assert_eq!(seen.data()["status"], "active");
    place.local("delete ci-eu --yes --confirm ci-eu").shows(str![[r#"
exit 0
--- stderr
Deleted key `ci-eu` ([ID]); this cannot be undone

"#]]);
    place.local("list --status all").shows(str![[r#"
exit 0
--- stderr
No keys to show

"#]]);
    place.local("lookup").input(&plain).shows(str![[r#"
exit 3
--- stderr
error: no key of this workspace has this plaintext

hint: it is well formed: it may be of another workspace or service, or deleted

"#]]);
}

#[test]
fn what_is_deleted_stays_in_the_audit_log() {
    let place = Place::new();
    place.create("ci", "read");
    let id = place.id("ci");
    place.local("edit ci --name ci2").done();
    place.local("revoke ci2 --yes").done();
    place.local("reactivate ci2").done();
    place.local("delete ci2 --yes --confirm ci2").done();
    assert!(!place.everything().contains(&id));
    let select = format!("SELECT action FROM audit_entries WHERE resource_id = '{id}' ORDER BY seq;");
    let Some(actions) = place.sqlite("the audit entries of a deleted key", &select) else {
        return;
    };
    assert_eq!(
        actions.lines().collect::<Vec<_>>(),
        ["api_key.create", "api_key.update", "api_key.revoke", "api_key.reactivate", "api_key.delete"]
    );
    let kept = place.sqlite(
        "the audit entries of a deleted key",
        "SELECT details FROM audit_entries WHERE action = 'api_key.delete';",
    );
    assert!(kept.unwrap().contains("ci2"));
    let removed = place.sqlite("that nobody alters the audit log", "SELECT COUNT(*) FROM api_keys;");
    assert_eq!(removed.unwrap().trim(), "0");
}

#[test]
fn a_name_is_free_again_once_its_key_is_revoked() {
    let place = Place::new();
    let first = place.create("ci", "read");
    place.local("revoke ci --yes").done();
    let second = place.create("ci", "read");
    assert_ne!(first, second);
    // The name means the active one; both are listed, and the old one cannot come back while its name is taken.
    place.local("reactivate ci").shows(str![[r#"
exit 6
--- stderr
error: could not reactivate the key `ci`
  caused by: An active key is already named `ci`

"#]]);
    place.local("list --status all --sort created --format csv --jq .data[].status").shows(str![[r#"
exit 0
--- stdout
revoked
active

"#]]);
    let seen = place.local("show ci --json").done();
    assert_eq!(seen.data()["status"], "active");
}

#[test]
fn a_key_is_found_by_id_name_and_beginnings() {
    let place = Place::new();
    let plain = place.create("ci", "read");
    let id = place.id("ci");
    for selector in [id.as_str(), &id[..10], "ci", &plain[..12], &plain[..7]] {
        let seen = place.local("show --json").arg(selector).done();
        assert_eq!(seen.data()["id"], id.as_str(), "{selector}");
    }
}

#[test]
fn several_keys_at_once() {
    let place = Place::new();
    for name in ["a", "b", "c"] {
        place.create(name, "read");
    }
    place.local("revoke a b a --yes").shows(str![[r#"
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
    place.local("revoke a b a --yes --max 2").shows(str![[r#"
exit 0
--- stderr
Revoked key `a` ([ID])
Undo with: keys -p local reactivate [ID]
Revoked key `b` ([ID])
Undo with: keys -p local reactivate [ID]

"#]]);
    place.local("reactivate a b").shows(str![[r#"
exit 0
--- stderr
Reactivated key `a` ([ID])
Undo with: keys -p local revoke [ID]
Reactivated key `b` ([ID])
Undo with: keys -p local revoke [ID]

"#]]);
    place.local("delete a b --yes --confirm a").shows(str![[r#"
exit 13
--- stderr
error: delete needs more than --yes here: it touches more than one key

hint: add --max 2

"#]]);
    place.local("delete a b --yes --confirm a --confirm b --json --jq .data[].name").shows(str![[r#"
exit 0
--- stdout
a
b

"#]]);
    place.local("list --status all").shows(str![[r#"
exit 0
--- stdout
[ID]	c	[PREFIX]	active	read	standard	[TIME]		

"#]]);
}

#[test]
fn an_unknown_one_among_several_stops_all() {
    let place = Place::new();
    place.create("a", "read");
    let before = place.everything();
    place.local("delete a nosuch --yes --confirm a --confirm nosuch").shows(str![[r#"
exit 3
--- stderr
error: no key is called `nosuch`

hint: list all keys with: keys -p local list --status all

"#]]);
    place.local("revoke a nosuch --yes --max 2").shows(str![[r#"
exit 3
--- stderr
error: no key is called `nosuch`

hint: list all keys with: keys -p local list --status all

"#]]);
    place.local("reactivate a nosuch").shows(str![[r#"
exit 3
--- stderr
error: no key is called `nosuch`

hint: list all keys with: keys -p local list --status all

"#]]);
    assert_eq!(place.everything(), before);
}

#[test]
fn filters_of_the_list() {
    let place = Place::new();
    for (name, permission) in [("ci-a", "read:contacts"), ("ci-b", "write:contacts"), ("other", "read:deals")] {
        place.create(name, permission);
    }
    place.local("edit ci-b --expires 10d").done();
    place.local("revoke other --yes").done();
    let names = |line: &str| {
        let seen = place.local("list --sort name --json --jq .data[].name").args(line).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{line}");
        seen.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (line, expected) in [
        ("", "ci-a ci-b"),
        ("--status all", "ci-a ci-b other"),
        ("--status revoked", "other"),
        ("--status expired", ""),
        ("--search CI-", "ci-a ci-b"),
        ("--name ci-*", "ci-a ci-b"),
        ("--name *-b", "ci-b"),
        ("--perm read:*", "ci-a"),
        ("--perm read:* --status all", "ci-a other"),
        ("--unused 1d", ""),
        ("--older-than 1d", ""),
        ("--expiring 14d", "ci-b"),
        ("--expiring 1d", ""),
        ("--no-expiry", "ci-a"),
        ("--limit 1", "ci-a"),
        ("--limit 0", ""),
        ("--sort -name", "ci-b ci-a"),
    ] {
        if line.starts_with("--sort") {
            let seen = place.local("list --json --jq .data[].name").args(line).done();
            assert_eq!(seen.stdout.split_whitespace().collect::<Vec<_>>().join(" "), expected);
        } else {
            assert_eq!(names(line), expected, "{line}");
        }
    }
}
