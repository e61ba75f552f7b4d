//! A thousand keys made and revoked within the limits of a plan, and ten thousand listed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use serde_json::Value;

use super::scene::Vendor;
use crate::support::{Place, Server};

/// The status of a request for a key.
fn make(server: &Server<'_>, key: &str, number: usize) -> u16 {
    let body = format!("{{\"name\":\"bulk {number:04}\",\"permissions\":[\"read:contacts\"]}}");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "POST /leadlex/v1/api-keys HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\nidempotency-key: bulk-{number}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        server.address(),
        body.len(),
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_thousand_keys_are_revoked_without_a_limit_that_anybody_hears_of() {
    let place = Place::new();
    let server = Server::logging(&place, "none");
    // Two thousand changes and what goes with them do not fit into one minute.
    let vendor = Vendor::new(&place, &server, "leadlex", "--plan enterprise --per-minute 1500");
    // The admin's own key is without limits.
    let manager = vendor.create("--name manager --perm admin:api_keys,read");
    thread::scope(|scope| {
        let makers: Vec<_> = (0..8)
            .map(|maker| {
                let (server, key) = (&server, manager.as_str());
                scope.spawn(move || (maker..1000).step_by(8).filter(|number| make(server, key, *number) == 201).count())
            })
            .collect();
        assert_eq!(makers.into_iter().map(|maker| maker.join().unwrap()).sum::<usize>(), 1000);
    });
    let seen = vendor.keys_as(&manager, "revoke --yes --max 1000 --max-wait 2m --json --name").arg("bulk *").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let revoked = seen.data();
    let revoked = revoked.as_array().unwrap();
    assert!(revoked.len() == 1000 && revoked.iter().all(|key| key["status"] == "revoked"));
    assert!(!seen.stderr.to_lowercase().contains("rate limit"), "{}", seen.stderr);
    assert_eq!(vendor.done("list --status revoked --json").data().as_array().unwrap().len(), 1000);
}

const FILL: &str = "
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 9999)
INSERT INTO api_keys (id, workspace_id, hash, prefix, name, folded, active_name, permissions, tier, created_by, created_at)
SELECT printf('key_%012d', n), workspace_id, printf('%064x', n), prefix, printf('key %05d', n), printf('key %05d', n),
       printf('key %05d', n), permissions, tier, created_by, created_at - n * 1000000
FROM numbers, (SELECT * FROM api_keys WHERE name = 'first');
";

#[test]
fn ten_thousand_keys_are_listed_over_tcp() {
    let place = Place::new();
    let server = Server::logging(&place, "none");
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    vendor.create("--name first --perm read:contacts");
    if server.sqlite("ten thousand keys over TCP", FILL).is_none() {
        return;
    }
    let seen = vendor.done("list --format jsonl --sort name");
    let names: Vec<String> = seen
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 10_001, "and the admin's own");
    assert!(names.is_sorted(), "not sorted by name");
    assert_eq!(vendor.show("key_000000005001")["name"], "key 05001");
    assert_eq!(vendor.done("list --limit 7 --sort -name").stdout.lines().count(), 7);
}
