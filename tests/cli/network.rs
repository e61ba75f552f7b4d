//! Over TCP, with the real service: who may do what.

use serde_json::json;
use snapbox::str;

use crate::support::{NOBODYS, Place, Server};

#[test]
fn a_life_over_tcp() {
    let place = Place::new();
    let mut server = Server::start(&place);
    let admin = server.admin.clone();
    let plain = server
        .keys(&admin, "create --name ci --perm admin:api_keys")
        .shows(str![[r#"
exit 0
--- stdout
[KEY]
--- stderr
Created key `ci` ([ID])
  permissions  admin:api_keys
  expires      never
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys revoke [ID]

"#]])
        .secret();
    server.keys(&admin, "list --sort name").shows(str![[r#"
exit 0
--- stdout
[ID]	admin	[PREFIX]	active	read:contacts,write:contacts,read:deals,write:deals,read:lists,write:lists,read:campaigns,write:campaigns,write:email,write:ai,admin:api_keys,admin:webhooks,read,write,lexi	unmetered	[TIME]	[TIME]	
[ID]	ci	[PREFIX]	active	admin:api_keys	standard	[TIME]		

"#]]);
    let seen = server.keys(&admin, "lookup --json").input(&plain).done();
    assert_eq!(seen.data()["name"], "ci");
    server.keys(&admin, "revoke ci --yes").shows(str![[r#"
exit 0
--- stderr
Revoked key `ci` ([ID])
Undo with: keys reactivate [ID]

"#]]);
    server.keys(&admin, "reactivate ci").shows(str![[r#"
exit 0
--- stderr
Reactivated key `ci` ([ID])
Undo with: keys revoke [ID]

"#]]);
    server.keys(&admin, "delete ci --yes --confirm ci").shows(str![[r#"
exit 0
--- stderr
Deleted key `ci` ([ID]); this cannot be undone

"#]]);
    assert_eq!(server.everything().as_array().unwrap().len(), 1);
    let said = server.stop();
    assert!(said.lines().last().unwrap().contains(r#""event":"stopped""#), "{said}");
    assert!(!said.contains(&plain[13..]) && !said.contains(&admin[13..]), "{said}");
}

#[test]
fn refused_credentials() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = &server.admin;
    let unknown = NOBODYS;
    server.keys(unknown, "list").shows(str![[r#"
exit 4
--- stderr
error: Invalid API key

hint: the key may be mistyped, revoked or expired: log in with another, or check KEYS_API_KEY

"#]]);
    server.keys(unknown, "list --json").shows(str![[r#"
exit 4
--- stderr
{"error":{"code":"invalid_key","message":"Invalid API key","hint":"the key may be mistyped, revoked or expired: log in with another, or check KEYS_API_KEY","retryable":false,"status":401,"request_id":"[REQUEST]","exit":4}}

"#]]);
    server.keys(unknown, "create --name x --perm read").shows(str![[r#"
exit 4
--- stderr
error: could not create the key `x`
  caused by: Invalid API key

hint: the key may be mistyped, revoked or expired: log in with another, or check KEYS_API_KEY

"#]]);
    server.keys("", "list").shows(str![[r#"
exit 4
--- stderr
error: nobody is logged in, no profile is chosen, and KEYS_API_KEY is not set

hint: log in to a service with: keys login --api-url URL; or use the one built into this program: keys -p local …

"#]]);
    server.keys("two words", "list").shows(str![[r#"
exit 4
--- stderr
error: KEYS_API_KEY does not hold a key: it is not one line of visible ASCII characters

hint: set it to the whole key, as it was shown when it was made

"#]]);
    let mut wrong = admin.clone();
    wrong.replace_range(44.., if admin.ends_with('a') { "b" } else { "a" });
    assert_eq!(server.keys(&wrong, "list").done().code, 4);

    let revoked = server.create("ci", "read");
    server.keys(admin, "revoke ci --yes").done();
    server.keys(&revoked, "list").shows(str![[r#"
exit 4
--- stderr
error: API key has been revoked

hint: the key may be mistyped, revoked or expired: log in with another, or check KEYS_API_KEY

"#]]);

    let expired = server.create("old", "read");
    let Some(_) = server.sqlite("an expired key is refused", "UPDATE api_keys SET expires_at = 1 WHERE name = 'old';")
    else {
        return;
    };
    server.keys(&expired, "list").shows(str![[r#"
exit 4
--- stderr
error: Invalid API key

hint: the key may be mistyped, revoked or expired: log in with another, or check KEYS_API_KEY

"#]]);
    server.keys(admin, "list --status expired").shows(str![[r#"
exit 0
--- stdout
[ID]	old	[PREFIX]	expired	read	standard	[TIME]		[TIME]

"#]]);
}

#[test]
fn who_may_only_look() {
    let place = Place::new();
    let server = Server::start(&place);
    let plain = server.create("support", "admin:api_keys");
    let permissions =
        server.sqlite("a key that may only look", "SELECT permissions FROM api_keys WHERE name = 'support';");
    let Some(permissions) = permissions else {
        return;
    };
    let stored = permissions.trim().replace("admin:api_keys", "read");
    server.sqlite(
        "a key that may only look",
        &format!("UPDATE api_keys SET permissions = '{stored}' WHERE name = 'support';"),
    );
    let before = server.everything();
    let seen = server.keys(&plain, "list --sort name --jq .data[].permissions").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    server.keys(&plain, "show support --jq .data.name").shows(str![[r#"
exit 0
--- stdout
support

"#]]);
    server.keys(&plain, "create --name x --perm read").shows(str![[r#"
exit 5
--- stderr
error: could not create the key `x`
  caused by: Missing required permission: admin:api_keys

hint: use a key that holds this permission, or ask an admin

"#]]);
    server.keys(&plain, "revoke support --yes --confirm support").shows(str![[r#"
exit 5
--- stderr
error: could not revoke the key `support`
  caused by: Missing required permission: admin:api_keys

hint: use a key that holds this permission, or ask an admin

"#]]);
    server
        .keys(&plain, "lookup --json")
        .input(&plain)
        .shows(str![[r#"
exit 5
--- stderr
{"error":{"code":"insufficient_permissions","message":"could not look the key up: Missing required permission: admin:api_keys","hint":"use a key that holds this permission, or ask an admin","retryable":false,"status":403,"request_id":"[REQUEST]","exit":5}}

"#]]);
    assert_eq!(server.everything(), before);
}

#[test]
fn who_may_do_neither() {
    let place = Place::new();
    let server = Server::start(&place);
    let plain = server.create("worker", "admin:api_keys");
    let permissions = server.sqlite(
        "a key that may not look",
        "UPDATE api_keys SET permissions = replace(permissions, 'admin:api_keys', 'read:contacts') WHERE name = 'worker';",
    );
    if permissions.is_none() {
        return;
    }
    server.keys(&plain, "list").shows(str![[r#"
exit 5
--- stderr
error: Missing required permission: admin:api_keys

hint: use a key that holds this permission, or ask an admin

"#]]);
    server.keys(&plain, "list --json").shows(str![[r#"
exit 5
--- stderr
{"error":{"code":"insufficient_permissions","message":"Missing required permission: admin:api_keys","hint":"use a key that holds this permission, or ask an admin","retryable":false,"status":403,"request_id":"[REQUEST]","exit":5}}

"#]]);
}

#[test]
fn the_last_admin_key_stays() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = &server.admin;
    let id = server.keys(admin, "list --jq .data[0].id").done().stdout.trim().to_owned();
    let name = server.keys(admin, "list --jq .data[0].name").done().stdout.trim().to_owned();
    let before = server.everything();
    let run = |line: &str| server.keys(admin, line).arg(&id);
    run("revoke --yes --confirm").arg(&id).shows(str![[r#"
exit 5
--- stderr
error: could not revoke the key `admin`
  caused by: This is the last active key that can manage keys: give another one `admin:api_keys` first

"#]]);
    server.keys(admin, "delete --yes --confirm").arg(&name).arg(&id).shows(str![[r#"
exit 5
--- stderr
error: could not delete the key `admin`
  caused by: This is the last active key that can manage keys: give another one `admin:api_keys` first

"#]]);
    run("edit --perm read --yes").shows(str![[r#"
exit 13
--- stderr
error: remove permissions needs more than --yes here: the key was used in the last seven days

hint: add --confirm admin

"#]]);
    run("edit --expires 30d").shows(str![[r#"
exit 5
--- stderr
error: could not change the key `admin`
  caused by: This is the last active key that can manage keys: give another one `admin:api_keys` first

"#]]);
    assert_eq!(server.everything(), before);
}

#[test]
fn a_key_cannot_grant_what_it_does_not_hold() {
    let place = Place::new();
    let server = Server::start(&place);
    let narrow = server.create("narrow", "admin:api_keys");
    let before = server.everything();
    server.keys(&narrow, "create --name wide --perm lexi").shows(str![[r#"
exit 5
--- stderr
error: could not create the key `wide`
  caused by: A key cannot grant `lexi`, which it does not hold itself

hint: use a key that holds it itself, or ask an admin

"#]]);
    server.keys(&narrow, "edit narrow --add-perm lexi").shows(str![[r#"
exit 5
--- stderr
error: could not change the key `narrow`
  caused by: A key cannot grant `lexi`, which it does not hold itself

hint: use a key that holds it itself, or ask an admin

"#]]);
    assert_eq!(server.everything(), before);
}

#[test]
fn a_foreign_key_is_as_unknown_as_one_that_never_was() {
    let place = Place::new();
    let server = Server::start(&place);
    let foreign = server.other_workspace();
    server.create("ours", "admin:api_keys");
    let id = server.id("ours");
    let before = server.everything();
    for line in ["show", "edit --name mine", "reactivate", "revoke --yes --confirm ours", "delete --yes --confirm ours"]
    {
        let known = server.keys(&foreign, line).arg(&id).done();
        let never = server.keys(&foreign, line).arg("key_000000000000").done();
        assert_eq!((known.code, never.code), (3, 3), "{line}");
        assert_eq!(known.stderr.replace(&id, "key_000000000000"), never.stderr);
    }
    let ours = server.create("ours2", "admin:api_keys");
    server.keys(&foreign, "lookup").input(&ours).shows(str![[r#"
exit 3
--- stderr
error: no key of this workspace has this plaintext

hint: it is well formed: it may be of another workspace or service, or deleted

"#]]);
    server.keys(&server.admin, "delete ours2 --yes --confirm ours2").done();
    assert_eq!(server.everything(), before);
}

#[test]
fn several_keys_of_which_one_fails() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = &server.admin;
    let first = server.keys(admin, "list --jq .data[0].id").done().stdout.trim().to_owned();
    for name in ["a", "b"] {
        server.create(name, "admin:api_keys");
    }
    // The key that revokes itself first is refused for the rest.
    let seen = server.keys(admin, "revoke --yes --max 3 --json").arg(&first).args("a b").done();
    let error =
        serde_json::from_str::<serde_json::Value>(seen.stderr.lines().last().unwrap()).unwrap()["error"].clone();
    assert_eq!((seen.code, seen.stdout.as_str()), (9, ""), "{}", seen.stderr);
    assert_eq!((&error["code"], &error["exit"]), (&json!("partial"), &json!(9)));
    assert_eq!(error["done"].as_array().unwrap().len(), 1);
    assert_eq!(error["failures"].as_array().unwrap().len(), 2);
    assert_eq!(error["failures"][0]["name"], "a");
    assert_eq!(error["failures"][0]["exit"], 4);
}

#[test]
fn a_partial_run_in_json_leaves_one_object_on_standard_error() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = &server.admin;
    let first = server.keys(admin, "list --jq .data[0].id").done().stdout.trim().to_owned();
    server.create("a", "admin:api_keys");
    let seen = server.keys(admin, "revoke --yes --max 2 --quiet --json").arg(&first).arg("a").done();
    assert_eq!(seen.code, 9);
    assert_eq!(seen.error()["code"], "partial");
}

#[test]
fn a_single_failure_in_json_is_one_object_too() {
    let place = Place::new();
    let server = Server::start(&place);
    let seen = server.keys(&server.admin, "revoke admin --yes --confirm admin --json").done();
    assert_eq!(seen.code, 5);
    assert_eq!(seen.error()["code"], "last_admin_key");
}

#[test]
fn the_hint_fits_the_refusal() {
    let place = Place::new();
    let server = Server::start(&place);
    // The caller holds every permission: another key or an admin cannot help.
    let seen = server.keys(&server.admin, "edit admin --expires 30d").done();
    assert_eq!(seen.code, 5);
    assert!(!seen.stderr.contains("use a key that holds this permission"), "{}", seen.stderr);
}

#[test]
fn a_partial_run_for_people() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = &server.admin;
    let first = server.keys(admin, "list --jq .data[0].id").done().stdout.trim().to_owned();
    server.create("a", "admin:api_keys");
    let second = server.create("b", "admin:api_keys");
    let partial = server.keys(admin, "revoke --yes --max 3").arg(&first).args("a b").shows(str![[r#"
exit 9
--- stderr
Revoked key `admin` ([ID])
Undo with: keys reactivate [ID]
error: could not revoke 2 of 3 keys:
  [ID]  a  API key has been revoked
  [ID]  b  API key has been revoked

hint: go on with the rest:
  keys revoke [ID] [ID] --yes --confirm [ID] --confirm [ID]

"#]]);
    assert_eq!(partial.code, 9);
    // As the hint says: the same command again goes on where this one stopped.
    let seen = server.keys(&second, "revoke --yes --max 3").arg(&first).args("a").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
}

#[test]
fn a_partial_deletion_can_be_gone_on_with_as_its_hint_says() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = server.admin.clone();
    let first = server.keys(&admin, "list --jq .data[0].id").done().stdout.trim().to_owned();
    server.create("a", "admin:api_keys");
    let second = server.create("b", "admin:api_keys");
    // The first key deletes itself, and is refused for the other.
    let line = format!("delete --yes --max 2 {first} a");
    let seen = server.keys(&admin, &line).done();
    assert_eq!(seen.code, 9, "{}", seen.stderr);
    let resume = seen.stderr.lines().find_map(|line| line.strip_prefix("  keys ")).expect("a line to go on with");
    let seen = server.keys(&second, resume).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
}

#[test]
fn a_taken_name_and_a_used_idempotency_key() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = &server.admin;
    let create = |line: &str| server.keys(admin, "create --perm admin:api_keys").args(line);
    let first = create("--name ci --idempotency-key one").done().secret();
    let again = create("--name ci --idempotency-key one").done().secret();
    assert_eq!(first, again);
    create("--name ci").shows(str![[r#"
exit 6
--- stderr
error: an active key is already named `ci`

hint: choose another name, or add --if-exists skip to leave it at that

"#]]);
    create("--name other --idempotency-key one").shows(str![[r#"
exit 6
--- stderr
error: could not create the key `other`
  caused by: This Idempotency-Key was used for a different request

hint: send another Idempotency-Key, or none

"#]]);
    create("--name ci --if-exists skip").shows(str![[r#"
exit 0
--- stderr
Key `ci` exists already ([ID]); nothing was made

"#]]);
    // The same Idempotency-Key of another caller is another one.
    server.keys(&first, "create -q --perm admin:api_keys --name third --idempotency-key one").done().secret();
    assert_eq!(server.everything().as_array().unwrap().len(), 3);
}

#[test]
fn a_service_that_listens_to_others_is_refused() {
    let place = Place::new();
    place.keys(["serve", "--listen", "0.0.0.0:0", "--database", "sqlite:x.db"]).shows(str![[r#"
exit 2
--- stderr
error: 0.0.0.0:0 can be reached from other machines, and keys would travel in the clear

hint: speak TLS with --tls-cert FILE --tls-key FILE; or add --behind-proxy where a proxy in front speaks TLS

"#]]);
    assert!(!place.path("x.db").exists());
    place.keys(["serve", "--listen", "here"]).shows(str![[r#"
exit 2
--- stderr
error: invalid value 'here' for '--listen <ADDRESS:PORT>': invalid socket address syntax

For more information, try '--help'.

"#]]);
    place.keys(["serve", "--database", "mysql://x"]).shows(str![[r#"
exit 2
--- stderr
error: invalid value 'mysql://x' for '--database <URL>': name a database as sqlite:PATH or postgres://HOST/NAME

For more information, try '--help'.

"#]]);
    let server = Server::start(&place);
    let taken = place.keys(["serve", "--database", "sqlite:y.db", "--listen"]).arg(server.address()).done();
    assert_eq!(taken.code, 8, "{}", taken.stderr);
}

#[test]
fn a_workspace_is_made_once_under_a_name() {
    let place = Place::new();
    let _server = Server::start(&place);
    place.keys(["serve", "init", "--name", "Acme", "--database", "sqlite:service.db"]).shows(str![[r#"
exit 6
--- stderr
error: A workspace is already named `Acme`

hint: see which there are with: keys serve workspace list

"#]]);
    place.keys(["serve", "init", "--name", "Initech", "--database", "sqlite:service.db"]).shows(str![[r#"
exit 0
--- stdout
[KEY]
--- stderr
Made workspace `Initech` with admin key `admin` ([ID])
Keep it safe: only its hash is stored, so it cannot be shown again.

"#]]);
}

#[test]
fn a_first_key_that_reaches_nobody_is_taken_back() {
    let place = Place::new();
    let init = "keys serve init --name Acme --database sqlite:acme.db";
    let lost = place.shell(&format!("{init} --to 'cmd:cat >/dev/null; exit 3'")).done();
    assert_eq!((lost.code, lost.stdout.as_str()), (11, ""));
    assert!(lost.stderr.contains("run the same command again"), "{}", lost.stderr);
    // In one of two places it is somebody's, and stays.
    let half = place.shell(&format!("{init} --to file:admin.key --to 'cmd:cat >/dev/null; exit 3'")).done();
    assert_eq!(half.code, 11);
    assert!(half.stderr.contains("`file:admin.key`"), "{}", half.stderr);
    let taken = place.shell(init).done();
    assert_eq!((taken.code, taken.stdout.as_str()), (6, ""));
    let object = place.shell(&format!("{init} --json")).done();
    assert_eq!((object.code, object.stdout.as_str()), (2, ""));
}
