//! Ten thousand keys.

use crate::support::{Place, Run};

const FILL: &str = "
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 9999)
INSERT INTO api_keys (id, workspace_id, hash, prefix, name, folded, active_name, permissions, tier, created_by, created_at, expires_at, revoked_at)
SELECT printf('key_%012d', n), workspace_id, printf('%064x', n), printf('wbk_%08d', n), printf('key %05d', n), printf('key %05d', n),
       CASE WHEN n % 10 = 0 THEN NULL ELSE printf('key %05d', n) END, permissions, tier, created_by, created_at - n * 1000000,
       CASE WHEN n % 100 = 1 THEN created_at + 5 * 86400000000 ELSE NULL END,
       CASE WHEN n % 10 = 0 THEN created_at ELSE NULL END
FROM numbers, (SELECT * FROM api_keys WHERE name = 'first');
";

fn lines(run: Run<'_>) -> Vec<String> {
    let seen = run.done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    seen.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn ten_thousand_keys() {
    let place = Place::new();
    place.create("first", "read");
    let fill = format!("BEGIN;{FILL}COMMIT; SELECT COUNT(*) FROM api_keys;");
    let Some(count) = place.sqlite("ten thousand keys", &fill) else {
        return;
    };
    assert_eq!(count.trim(), "10000");

    let all = lines(place.local("list --status all --format jsonl --sort name"));
    assert_eq!(all.len(), 10_000);
    let names: Vec<String> = all
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].as_str().unwrap().to_owned())
        .collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert!(names == sorted, "not sorted by name");

    assert_eq!(lines(place.local("list --format csv")).len(), 9_001 + 1);
    assert_eq!(lines(place.local("list --status revoked")).len(), 999);
    assert_eq!(lines(place.local("list --limit 7")).len(), 7);
    assert_eq!(lines(place.local("list --expiring 14d")).len(), 100);
    assert_eq!(lines(place.local("list --sort -name --limit 2 --jq .data[].name")), ["key 09999", "key 09998"]);
    assert_eq!(lines(place.local("list --sort created --limit 1 --jq .data[].name")), ["key 09999"]);
    let seen = place.local("list --search").arg("KEY 0123").done();
    assert_eq!(seen.stdout.lines().count(), 9);
    assert_eq!(seen.stderr, "1 revoked key hidden (--status all shows them)\n");
    let seen = place.local("list --json --limit 3").done();
    let object: serde_json::Value = serde_json::from_str(&seen.stdout).unwrap();
    assert_eq!(object["data"].as_array().unwrap().len(), 3);
    assert_eq!(object["meta"]["count"], 3);
    let seen = place.local("show").arg("key 05001").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let seen = place.local("show key_0000").done();
    assert_eq!(seen.code, 6);
    assert!(seen.stderr.ends_with("  and 8990 more\n"), "{}", seen.stderr);
}

#[test]
fn a_reader_who_stops_early_stops_the_list() {
    let place = Place::new();
    place.create("first", "read");
    if place.sqlite("a long list into `head`", &format!("BEGIN;{FILL}COMMIT;")).is_none() {
        return;
    }
    for format in ["table", "json", "jsonl", "csv"] {
        let line = format!(
            "{{ keys -p local list --status all --format {format}; echo $? >code; }} | head -c 10 >/dev/null; exit $(cat code)"
        );
        let seen = place.shell(&line).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{format}");
    }
}
