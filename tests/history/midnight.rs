//! Midnight in UTC, and clocks that step back over it: the real service under `faketime`.

use std::process::Command;
use std::time::Instant;

use super::client::{Answer, Client, Request, Sent};
use super::database::Database;
use super::replica::{Replica, workspace};
use crate::support::{HANGS, Place, leave_out};

/// Seconds since 1970.
const MIDNIGHT: i64 = 1_771_977_600; // 2026-02-25T00:00:00Z
const DAY: i64 = 24 * 60 * 60;

/// A world in which `faketime` tells the time: what it loads into a process; `None` where there is none.
#[expect(clippy::disallowed_methods, reason = "it is about the tests, not about the program")]
fn faketime() -> Option<Vec<(String, String)>> {
    let found = Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]).output();
    let Some(library) = found.ok().filter(|output| output.status.success()) else {
        // It is loaded in another way elsewhere.
        let is_required = cfg!(target_os = "linux") && std::env::var_os("KEYS_REQUIRE_FAKETIME").is_some();
        assert!(!is_required, "faketime is required and not there");
        leave_out("faketime", "midnight, and clocks that step back");
        return None;
    };
    let library = String::from_utf8(library.stdout).unwrap().trim().to_owned();
    // Time-outs are measured by the clock that does not step, here as anywhere.
    let settings = [("LD_PRELOAD", library.as_str()), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("TZ", "UTC")];
    Some(settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

struct Scene {
    place: Place,
    database: Database,
    world: Vec<(String, String)>,
    /// A key of 1,000 calls a day, far more a minute.
    key: String,
}

impl Scene {
    fn set() -> Option<Self> {
        let (place, world) = (Place::new(), faketime()?);
        let database = Database::sqlite(&place);
        let plan = "--plan enterprise --per-day 1000 --per-minute 1000000 --monthly-credits 100000";
        let admin = workspace(&place, &database.url, "Acme", plan);
        let replica = Replica::started(&place, &database.url);
        let body = serde_json::json!({ "name": "metered", "permissions": ["read:contacts"] });
        let request = Request::new("POST", "/v1/api-keys", &admin).json(&body);
        let answer = super::client::send(replica.address().unwrap(), &request).unwrap();
        let key = answer.json()["data"]["key"].as_str().unwrap().to_owned();
        replica.stop();
        Some(Self { place, database, world, key })
    }

    fn serve(&self, setting: &str, value: &str) -> Replica {
        let replica = Replica::new(&self.place, &self.database.url).with(&self.world);
        let replica = replica.with(&[(setting.to_owned(), value.to_owned())]);
        replica.start();
        replica
    }

    fn call(&self, client: &mut Client, replica: &Replica) -> Answer {
        match client.send(replica.address().unwrap(), &Request::gate(&self.key)) {
            Sent::Answered(answer) if answer.status == 204 => answer,
            Sent::Answered(answer) => panic!("{answer:?}\n{}", replica.log()),
            Sent::Lost | Sent::Nowhere => panic!("no answer\n{}", replica.log()),
        }
    }
}

/// What is left of the day, and when it ends.
fn left(answer: &Answer) -> (i64, i64) {
    (answer.number("x-ratelimit-remaining"), answer.number("x-ratelimit-reset"))
}

#[test]
fn the_count_of_a_day_begins_anew_at_midnight_once() {
    let Some(scene) = Scene::set() else { return };
    let replica = scene.serve("FAKETIME", "@2026-02-24 23:59:50");
    let (mut client, begin) = (Client::default(), Instant::now());
    let mut seen = vec![left(&scene.call(&mut client, &replica))];
    assert_eq!(seen, [(999, MIDNIGHT)]);
    let mut after = 0;
    while after < 50 {
        assert!(begin.elapsed() < HANGS, "midnight never came: {:?}", seen.last());
        let now = left(&scene.call(&mut client, &replica));
        after += i32::from(now.1 != MIDNIGHT);
        seen.push(now);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let steps: Vec<_> = seen.windows(2).filter(|pair| pair[0].0 - 1 != pair[1].0 || pair[0].1 != pair[1].1).collect();
    assert_eq!(steps.len(), 1, "the count is interrupted: {steps:?}");
    assert_eq!(steps[0][1], (999, MIDNIGHT + DAY));
    replica.stop();
}

#[test]
fn a_clock_that_steps_back_gives_no_call_twice() {
    let Some(mut scene) = Scene::set() else { return };
    // Each write is seen at once; a clock that stands still steps only where the test says so.
    scene.world.push(("FAKETIME_NO_CACHE".to_owned(), "1".to_owned()));
    let clock = scene.place.path("clock");
    let set = |time: &str| scene.place.write("clock", time);
    set("2026-02-24 23:59:50");
    let replica = scene.serve("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap());
    let (mut client, mut made, begin) = (Client::default(), [0; 2], Instant::now());
    let mut call = |made: &mut [i64; 2], replica: &Replica| {
        let Sent::Answered(answer) = client.send(replica.address().unwrap(), &Request::gate(&scene.key)) else {
            panic!("no answer\n{}", replica.log())
        };
        let day = usize::from(answer.number("x-ratelimit-reset") != MIDNIGHT);
        assert!([204, 429].contains(&answer.status), "{answer:?}");
        made[day] += i64::from(answer.status == 204);
        assert!(answer.number("x-ratelimit-remaining") <= 1000 - made[day], "{answer:?} after {made:?}");
        day
    };
    // Over midnight and back, until both days are used up; a process that ends meanwhile gives back what it took.
    for round in 0.. {
        assert!(begin.elapsed() < HANGS, "the days are never used up: {made:?}");
        for (day, time) in ["2026-02-24 23:59:58", "2026-02-25 00:00:01"].into_iter().enumerate() {
            set(time);
            for _ in 0..20 {
                assert_eq!(call(&mut made, &replica), day);
            }
        }
        if round == 20 {
            replica.stop();
            set("2026-02-24 12:00:00");
            replica.start();
        }
        if made == [1000, 1000] {
            break;
        }
    }
    for time in ["2026-02-24 00:00:00", "2026-02-25 23:59:59"] {
        set(time);
        for _ in 0..20 {
            call(&mut made, &replica);
        }
    }
    assert_eq!(made, [1000, 1000]);
    replica.stop();
}
