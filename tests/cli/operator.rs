//! What whoever holds the database can do with `keys serve`: workspaces, members, the audit log, a way back in.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use snapbox::str;

use crate::support::{Place, Run, Seen, Server, sqlite};

/// `keys serve` with these words, on a database of the test's own.
fn serve<'a>(place: &'a Place, line: &str) -> Run<'a> {
    let database = format!("sqlite:{}", place.path("service.db").display());
    place.keys(["serve"]).args(line).env("KEYS_DATABASE_URL", database)
}

/// What ends as it should; shows what was said where it does not.
#[track_caller]
fn done(place: &Place, line: &str) -> Seen {
    let seen = serve(place, line).done();
    assert_eq!(seen.code, 0, "{line}: {}", seen.stderr);
    seen
}

fn acme() -> Place {
    let place = Place::new();
    done(&place, "init --name Acme --plan pro --to file:admin.key");
    place
}

#[test]
fn a_workspace_is_made_with_its_plan() {
    let place = Place::new();
    serve(&place, "init --name Acme --plan pro --to file:admin.key").shows(str![[r#"
exit 0
--- stderr
Made workspace `Acme` with admin key `admin` ([ID])
  written to  file:admin.key
Keep it safe: only its hash is stored, so it cannot be shown again.

"#]]);
    serve(&place, "init --name Acme").shows(str![[r#"
exit 6
--- stderr
error: A workspace is already named `Acme`

hint: see which there are with: keys serve workspace list

"#]]);
    serve(&place, "init --name Globex --plan pro --per-minute 9").shows(str![[r#"
exit 2
--- stderr
error: per_minute: the plan `pro` has its own figure; only `enterprise` agrees on one

"#]]);
    serve(&place, "init --name Globex --plan gold").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'gold' for '--plan <PLAN>'
  [possible values: starter, pro, org, enterprise]

For more information, try '--help'.

"#]]);
    let seen = done(&place, "workspace show Acme --json").data();
    assert_eq!((&seen["plan"], &seen["per_day"], &seen["per_minute"]), (&"pro".into(), &1000.into(), &50.into()));
    // Refused, it left nothing.
    assert_eq!(done(&place, "workspace list --json").data().as_array().unwrap().len(), 1);
}

/// The workspace stays, without a key: the same command makes it, and no other takes it for what it is not.
#[test]
fn a_workspace_whose_key_was_not_delivered_is_made_by_the_same_command_alone() {
    let place = Place::new();
    let undelivered = serve(&place, "init --name Acme --plan pro --to cmd:false").done();
    assert_eq!(undelivered.code, 11, "{}", undelivered.stderr);
    for other in ["--plan starter", "--plan pro --monthly-credits 7", "--plan pro --provider nexus"] {
        let seen = serve(&place, &format!("init --name Acme {other} --to file:admin.key")).done();
        assert_eq!((seen.code, place.path("admin.key").exists()), (6, false), "{other}: {}", seen.stderr);
    }
    done(&place, "init --name Acme --plan pro --to file:admin.key");
}

#[test]
fn each_plan_has_its_limits() {
    let place = Place::new();
    for (plan, per_day, per_minute) in [("starter", 100, 10), ("pro", 1_000, 50), ("org", 10_000, 200)] {
        done(&place, &format!("init --name {plan} --plan {plan} --to file:{plan}.key"));
        let seen = done(&place, &format!("workspace show {plan} --json")).data();
        assert_eq!((&seen["per_day"], &seen["per_minute"]), (&per_day.into(), &per_minute.into()), "{plan}");
    }
}

#[test]
fn workspaces_are_changed_and_shown() {
    let place = acme();
    serve(&place, "workspace set-plan Acme enterprise --per-day 5000 --per-minute 90 --monthly-credits 20").shows(
        str![[r#"
exit 0
--- stderr
`Acme` is on the plan enterprise: 5000 calls a day, 90 a minute, 20 credits a month
  before      pro: 1000 calls a day, 50 a minute, 1000 credits a month

"#]],
    );
    serve(&place, "workspace grant-credits Acme 250 --kind bonus --note welcome").shows(str![[r#"
exit 0
--- stderr
Granted 250 credits (bonus) to `Acme`
  balance     1250
  expires     never

"#]]);
    serve(&place, "workspace set-feature Acme developer-api on").shows(str![[r#"
exit 0
--- stderr
developer-api is on for `Acme`

"#]]);
    serve(&place, "workspace set-feature Acme developer-api on").shows(str![[r#"
exit 0
--- stderr
developer-api is already on for `Acme`

"#]]);
    let seen = done(&place, "workspace show Acme --json").data();
    let id = seen["id"].as_str().unwrap();
    serve(&place, "workspace list").done().shows_with(
        str![[r#"
exit 0
--- stdout
Acme	[WORKSPACE]	native	enterprise	5000	90

"#]],
        &[(id, "[WORKSPACE]")],
    );
    assert_eq!(seen["credits_balance"], 1250);
    // As much as there can be, more than once.
    for _ in 0..2 {
        done(&place, "workspace grant-credits Acme 1000000000000");
    }
    assert_eq!(done(&place, "workspace show Acme --json").data()["credits_balance"], 2_000_000_001_250_i64);
    assert_eq!(seen["features"], serde_json::json!(["developer-api"]));
}

#[test]
fn what_an_operator_gets_wrong_is_refused_and_changes_nothing() {
    let place = acme();
    let before = done(&place, "workspace list --json").stdout;
    serve(&place, "workspace show Globex").shows(str![[r#"
exit 3
--- stderr
error: No workspace is named `Globex`

hint: see which there are with: keys serve workspace list

"#]]);
    serve(&place, "workspace set-plan Acme pro --per-day 5").shows(str![[r#"
exit 2
--- stderr
error: per_day: the plan `pro` has its own figure; only `enterprise` agrees on one

"#]]);
    serve(&place, "workspace grant-credits Acme 0").shows(str![[r#"
exit 2
--- stderr
error: amount: it goes from 1 to 1000000000000

"#]]);
    serve(&place, "workspace grant-credits Acme 1000000000001").shows(str![[r#"
exit 2
--- stderr
error: amount: it goes from 1 to 1000000000000

"#]]);
    for figure in ["per-day", "per-minute", "monthly-credits"] {
        let seen = serve(&place, &format!("workspace set-plan Acme enterprise --{figure} 1000000000001")).done();
        assert_eq!(seen.code, 2, "{figure}: {}", seen.stderr);
    }
    serve(&place, "workspace grant-credits Acme 5 --kind bonus --expires 2020-01-01").shows(str![[r#"
exit 2
--- stderr
error: --expires cannot be used: [TIME] is in the past

"#]]);
    serve(&place, "workspace grant-credits Acme 5 --kind purchased --expires 30d").shows(str![[r#"
exit 2
--- stderr
error: purchased credits do not expire

hint: add: --kind bonus

"#]]);
    serve(&place, "workspace grant-credits Globex 5").shows(str![[r#"
exit 3
--- stderr
error: No workspace is named `Globex`

hint: see which there are with: keys serve workspace list

"#]]);
    serve(&place, "workspace set-feature Acme teleport on").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'teleport' for '<FEATURE>'
  [possible values: developer-api]

For more information, try '--help'.

"#]]);
    serve(&place, "member add --workspace Globex --name Ada --role admin").shows(str![[r#"
exit 3
--- stderr
error: No workspace is named `Globex`

hint: see which there are with: keys serve workspace list

"#]]);
    serve(&place, "member add --workspace Acme --name Ada --role king").shows(str![[r#"
exit 2
--- stderr
error: invalid value 'king' for '--role <ROLE>'
  [possible values: admin, developer, support]

For more information, try '--help'.

"#]]);
    serve(&place, "admin recover --workspace Globex --to file:new.key").shows(str![[r#"
exit 3
--- stderr
error: No workspace is named `Globex`

hint: see which there are with: keys serve workspace list

"#]]);
    serve(&place, "audit verify --workspace Globex").shows(str![[r#"
exit 3
--- stderr
error: No workspace is named `Globex`

hint: see which there are with: keys serve workspace list

"#]]);
    assert_eq!(done(&place, "workspace list --json").stdout, before);
    assert!(!place.path("new.key").exists());
}

#[test]
fn members_come_with_a_credential_of_their_role() {
    let place = acme();
    serve(&place, "member add --workspace Acme --name Ada --role support --to file:ada.key").shows(str![[r#"
exit 0
--- stderr
Added a member with the role support to `Acme`: `Ada` ([ID])
  written to  file:ada.key
Keep it safe: only its hash is stored, so it cannot be shown again.

"#]]);
    serve(&place, "member add --workspace Acme --name Ada --role admin").shows(str![[r#"
exit 6
--- stderr
error: An active key is already named `Ada`

"#]]);
    let members = done(&place, "member list --workspace Acme --json").data();
    let roles: Vec<_> =
        members.as_array().unwrap().iter().map(|member| (member["name"].clone(), member["role"].clone())).collect();
    assert_eq!(roles, [("Ada".into(), "support".into())]);
}

/// It needs the database, gives a key where there is none or those there are end, and cannot be hidden.
#[test]
fn an_admin_is_recovered_once_and_it_is_in_the_audit_log() {
    let place = Place::new();
    let server = Server::start(&place);
    serve(&place, "admin recover --workspace Acme --to file:new.key").shows(str![[r#"
exit 6
--- stderr
error: The workspace has an active key that can manage keys (`admin`)

hint: if nobody has that key any more, revoke it too with --replace

"#]]);
    assert!(!place.path("new.key").exists());
    serve(&place, "admin recover --workspace Acme --replace --to file:new.key").shows(str![[r#"
exit 0
--- stderr
Recovered `Acme` with admin key `admin recovered [TIME]` ([ID])
  written to  file:new.key
Keep it safe: only its hash is stored, so it cannot be shown again.
  revoked     `admin`

"#]]);
    // A key that reaches nobody is taken back, but those that were revoked for it stay so.
    serve(&place, "admin recover --workspace Acme --replace --to cmd:false").shows(str![[r#"
exit 11
--- stderr
  revoked     `admin recovered [TIME]`
error: the key `admin recovered [TIME]` of `Acme` was not delivered, and is taken back: could not deliver to `cmd:false`: the command ended with exit status: 1

hint: run the same command again

"#]]);
    done(&place, "admin recover --workspace Acme --to file:last.key");
    serve(&place, "admin recover --workspace Acme --to file:newer.key").shows(str![[r#"
exit 6
--- stderr
error: The workspace has an active key that can manage keys (`admin recovered [TIME]`)

hint: if nobody has that key any more, revoke it too with --replace

"#]]);
    // The running service hears of it.
    assert_eq!(server.keys(&server.admin, "list").done().code, 4);
    let log = server.keys(place.read("last.key").trim_end(), "audit --json").done().data();
    let noted: Vec<_> = log.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    let replaced = ["admin.recover", "api_key.create", "api_key.revoke"];
    let taken_back = ["admin.recover", "api_key.create", "api_key.delete"];
    assert_eq!(noted, [&replaced[..2], &taken_back[2..], &replaced, &replaced, &["api_key.create"]].concat());
    assert!(log.as_array().unwrap().iter().all(|entry| entry["actor"] == "operator"), "{log}");
}

/// Whoever mistypes the database, or restored nothing, must not take that for a log that is whole.
#[test]
fn no_workspace_is_no_audit_log_that_is_whole() {
    Place::new().keys(["serve", "audit", "verify"]).shows(str![[r#"
exit 3
--- stderr
error: this database has no workspace, and so no audit log

hint: name the one that is meant with --database

"#]]);
}

#[test]
fn a_database_that_is_not_there_is_not_made_by_a_look() {
    let place = Place::new();
    for line in [
        "workspace list",
        "workspace show Acme",
        "workspace set-plan Acme pro",
        "member list --workspace Acme",
        "audit verify",
        "admin recover --workspace Acme",
    ] {
        let seen = serve(&place, line).args("--database sqlite:mistyped.db").done();
        assert_eq!((seen.code, seen.stdout.as_str()), (3, ""), "{line}: {}", seen.stderr);
        assert!(seen.stderr.starts_with("error: there is no database `mistyped.db`\n"), "{line}: {}", seen.stderr);
        assert!(!place.path("mistyped.db").exists(), "{line}");
    }
}

#[test]
fn a_database_server_that_is_not_there_is_told_as_that() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let database = format!("postgres://{}/keys", listener.local_addr().unwrap());
    drop(listener);
    let seen = serve(&place, "workspace list").env("KEYS_DATABASE_URL", &database).done();
    assert_eq!(seen.code, 8, "{}", seen.stderr);
    assert!(seen.stderr.contains("onnection refused"), "{}", seen.stderr);
}

/// The chain tells of a change that was made around the triggers, by whoever holds the file.
#[test]
fn a_changed_audit_log_is_found() {
    let place = acme();
    done(&place, "workspace grant-credits Acme 250");
    let verified = done(&place, "audit verify --json").data();
    let (whole, head) = (&verified[0]["whole"], verified[0]["head"].as_str().unwrap());
    assert_eq!((whole, &verified[0]["entries"]), (&true.into(), &3.into()));
    let database = place.path("service.db");
    let left_out = "an audit log that was changed";
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_entries';";
    let Some(triggers) = sqlite(&database, left_out, triggers) else { return };
    for trigger in triggers.lines() {
        sqlite(&database, left_out, &format!("DROP TRIGGER {trigger};"));
    }
    sqlite(&database, left_out, "UPDATE audit_entries SET actor_name = 'nobody' WHERE seq = 1;");
    serve(&place, "audit verify").done().shows_with(
        str![[r#"
exit 12
--- stdout
Acme	broken at log_1	0	[HEAD]
--- stderr
error: the audit log was tampered with: `Acme`

hint: compare the entries around the break with a backup of the database

"#]],
        &[(head, "[HEAD]")],
    );
    assert_eq!(serve(&place, "audit verify --workspace Acme --json").done().code, 12);
    // What cannot be read is a break too, and nothing that keeps the others from being looked at.
    done(&place, "init --name Globex --to file:globex.key");
    sqlite(&database, left_out, "UPDATE audit_entries SET at = 9223372036854775807 WHERE actor_name = 'nobody';");
    let seen = serve(&place, "audit verify --json").done();
    assert_eq!(seen.code, 12, "{}", seen.stderr);
    let verified: serde_json::Value = serde_json::from_str(&seen.stdout).unwrap();
    let verified = &verified["data"];
    let found = [0, 1].map(|row| (&verified[row]["workspace"], &verified[row]["broken_at"]));
    assert_eq!(found, [(&"Acme".into(), &"log_1".into()), (&"Globex".into(), &serde_json::Value::Null)]);
}

#[test]
fn an_audit_log_whose_beginning_was_cut_off_is_found() {
    let place = acme();
    let (database, left_out) = (place.path("service.db"), "an audit log without its beginning");
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_entries';";
    let Some(triggers) = sqlite(&database, left_out, triggers) else { return };
    for trigger in triggers.lines() {
        sqlite(&database, left_out, &format!("DROP TRIGGER {trigger};"));
    }
    let cut = "UPDATE workspaces SET (audit_pruned_seq, audit_pruned_hash) = \
               (SELECT seq, hash FROM audit_entries WHERE seq = 1); DELETE FROM audit_entries WHERE seq = 1;";
    sqlite(&database, left_out, cut);
    let seen = serve(&place, "audit verify").done();
    assert_eq!(seen.code, 12, "{}{}", seen.stdout, seen.stderr);
    assert!(seen.stdout.starts_with("Acme\tbroken at log_2\t"), "{}", seen.stdout);
}

/// Where TLS to PostgreSQL is asked for, a server that has none hears nothing more: no name, no password.
#[test]
fn a_database_that_does_not_speak_tls_is_told_nothing() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut asked) = (stream.unwrap(), [0; 8]);
            if stream.read_exact(&mut asked).is_ok() && stream.write_all(b"N").is_ok() {
                let mut more = asked.to_vec();
                let _ = stream.read_to_end(&mut more);
                all.lock().unwrap().push(more);
            }
        }
    });
    for mode in ["require", "verify-ca", "verify-full"] {
        let database = format!("postgres://keys:hunter2@{address}/keys?sslmode={mode}");
        let seen = place.keys(["serve", "workspace", "list"]).env("KEYS_DATABASE_URL", &database).done();
        assert_eq!(seen.code, 8, "{mode}: {}", seen.stderr);
        assert!(seen.stderr.contains("TLS") && !seen.stderr.contains("hunter2"), "{mode}: {}", seen.stderr);
    }
    // The question whether there is TLS, and its length in front.
    let question = [0, 0, 0, 8, 4, 210, 22, 47];
    let heard = heard.lock().unwrap();
    assert!(heard.len() >= 2 && heard.iter().all(|said| *said == question), "{heard:?}");
}
