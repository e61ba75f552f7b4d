//! The line that goes on with the rest of several keys, where one of them was done after all.

use crate::support::{Fake, Place, Run, Server, forward, json_answer};

/// A road on which the answer to the first change is lost, and the second one never arrives.
fn losing_one_refusing_one(server: &Server<'_>) -> Fake {
    let address = server.address().to_owned();
    let mut changes = 0;
    Fake::new(move |request| {
        if request.starts_with("GET ") {
            return Some(forward(&address, request));
        }
        changes += 1;
        match changes {
            1 => {
                forward(&address, request);
                None
            }
            2 => Some(json_answer(503, "{}")),
            _ => Some(forward(&address, request)),
        }
    })
}

#[test]
fn the_printed_line_goes_on_where_one_was_done_after_all() {
    let after: [(&str, &[&str]); 2] = [("revoke", &["revoked", "revoked", "active"]), ("delete", &["active"])];
    for (verb, expected) in after {
        let place = Place::new();
        let server = Server::start(&place);
        for name in ["a", "b"] {
            server.create(name, "admin:api_keys");
        }
        let (first, second) = (server.id("a"), server.id("b"));
        let road = losing_one_refusing_one(&server);
        let over = |run: Run<'_>| run.env("KEYS_API_URL", road.url()).env("KEYS_API_KEY", &server.admin).done();
        let line = format!("{verb} {first} {second} --yes --confirm {first} --confirm {second} --max-wait 0s");
        let seen = over(place.keys(line.split(' ')));
        assert_eq!(seen.code, 9, "{verb}: {}", seen.stderr);
        let resume = seen.resume_line();
        assert!(resume.contains(&first) && resume.contains(&second), "{resume}");
        let again = over(place.shell(&resume));
        assert_eq!(again.code, 0, "`{resume}` says: {}", again.stderr);
        assert!(again.stderr.contains(&first) && again.stderr.contains("already"), "{}", again.stderr);
        let all = server.everything();
        let states: Vec<&str> = all.as_array().unwrap().iter().filter_map(|key| key["status"].as_str()).collect();
        assert_eq!(states, expected, "{verb}");
    }
}

#[test]
fn a_key_that_is_gone_is_left_out_only_where_it_was_surely_meant() {
    let place = Place::new();
    for name in ["a", "b"] {
        place.create(name, "read");
    }
    let (gone, here) = (place.id("a"), place.id("b"));
    assert_eq!(place.local("delete a --yes --confirm a").done().code, 0);
    let before = place.everything();
    for line in [
        format!("delete {gone} --yes --confirm {gone}"),
        format!("delete {gone} {here} --yes --confirm {here} --max 2"),
        format!("delete {gone} {here} --yes --max 2"),
        format!("delete {} {here} --yes --confirm {} --confirm {here}", &gone[..9], &gone[..9]),
        format!("delete nosuch {here} --yes --confirm nosuch --confirm {here}"),
    ] {
        let seen = place.local(&line).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (3, ""), "{line}: {}", seen.stderr);
        assert_eq!(place.everything(), before, "{line}");
    }
    let seen = place.local(&format!("delete {gone} {here} --yes --confirm {gone} --confirm other")).done();
    assert_eq!(seen.code, 13, "{}", seen.stderr);
    assert_eq!(place.everything(), before);
    let seen = place.local(&format!("delete {gone} {here} --yes --confirm {gone} --confirm {here}")).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert!(seen.stderr.contains(&format!("Key {gone} is gone already")), "{}", seen.stderr);
    assert_eq!(place.local("list --status all --json --jq .meta.count").done().stdout, "0\n");
}

#[test]
fn a_confirmation_of_no_key_that_was_named_is_refused() {
    let place = Place::new();
    for name in ["a", "b", "c"] {
        place.create(name, "read");
    }
    let (first, second) = (place.id("a"), place.id("b"));
    assert_eq!(place.local("revoke a --yes").done().code, 0);
    let line = |other: &str| format!("revoke {first} {second} --yes --confirm {first} --confirm {other}");
    assert_eq!(place.local(&line("c")).done().code, 13);
    let seen = place.local(&line(&second)).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert_eq!(place.local("list --status active --json --jq .data[].name").done().stdout, "c\n");
}
