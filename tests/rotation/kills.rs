//! SIGKILL at random instants, many of them, also while a rotation that was killed is resumed.

use std::time::{Duration, Instant};

use super::scene::Scene;
use super::vendor::Vendor;
use crate::support::Run;

/// splitmix64: the seed is said, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// The ways a key is rotated in turn.
const WAYS: [&str; 6] = [
    "",
    "--check true",
    "--no-escrow",
    "--to cmd:cat>/dev/null",
    "--compromised",
    "--to cmd:cat>/dev/null --no-escrow --check true",
];

fn rotate<'a>(scene: &'a Scene, way: &str) -> Run<'a> {
    scene.keys(&format!("rotate ci --yes {} {way}", scene.to()))
}

/// Kills until as many have hit a rotation under way.
fn killed_at_random(vendor: Vendor, wanted: u32, seed: u64) {
    let mut random = Random(seed);
    let mut scene = Scene::on(vendor);
    let begin = Instant::now();
    assert_eq!(rotate(&scene, WAYS[0]).done().code, 0);
    let usual = u64::try_from(begin.elapsed().as_micros()).unwrap();
    scene.goes_on_with_the_new_key();
    let mut kills = 0;
    while kills < wanted {
        let way = WAYS[usize::try_from(random.below(6)).unwrap()];
        let mut running = rotate(&scene, way).start();
        // When it comes does not matter: whatever it hits has to hold.
        std::thread::sleep(Duration::from_micros(random.below(usual + usual / 4)));
        running.kill();
        let hit = running.done().killed_by.is_some();
        kills += u32::from(hit);
        scene.holds();
        while random.below(3) == 0 && !scene.open().is_empty() {
            let mut resuming = scene.keys("rotation resume").start();
            std::thread::sleep(Duration::from_micros(random.below(usual)));
            resuming.kill();
            kills += u32::from(resuming.done().killed_by.is_some());
            scene.holds();
        }
        let resumed = scene.keys("rotation resume").done();
        assert_eq!(resumed.code, 0, "seed {seed}, kill {kills}, {way}: {}", resumed.stderr);
        if scene.known() == scene.old {
            // It was killed before it had begun.
            scene.is_as_before();
            assert_eq!(rotate(&scene, way).done().code, 0);
        }
        scene.is_rotated();
        scene.goes_on_with_the_new_key();
    }
}

/// A seed of today's, or one of a failure that is to be looked at.
fn seed() -> u64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    u64::try_from(now % u128::from(u64::MAX)).unwrap()
}

#[test]
fn seventy_at_random_instants() {
    killed_at_random(Vendor::Native, 70, seed());
}

#[test]
fn another_seventy_at_random_instants() {
    killed_at_random(Vendor::Native, 70, seed() ^ 0x5555_5555);
}

#[test]
fn seventy_at_random_instants_on_leadlex() {
    killed_at_random(Vendor::LeadLex, 70, seed() ^ 0x3333_3333);
}
