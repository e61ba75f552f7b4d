//! A consumer that calls without pause all through a rotation with a grace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::scene::Scene;
use crate::support::HANGS;

#[test]
fn a_consumer_that_switches_when_its_key_changes_is_never_refused() {
    let scene = Arc::new(Scene::new());
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let consumer = {
        let (scene, stop, calls) = (Arc::clone(&scene), Arc::clone(&stop), Arc::clone(&calls));
        thread::spawn(move || {
            let mut last = String::new();
            while !stop.load(Ordering::Relaxed) {
                last = scene.known();
                assert_eq!(scene.service.status(&last), 200, "after {} calls", calls.load(Ordering::Relaxed));
                calls.fetch_add(1, Ordering::Relaxed);
            }
            last
        })
    };
    let calls_grow = |by: usize| {
        let (begin, before) = (Instant::now(), calls.load(Ordering::Relaxed));
        while calls.load(Ordering::Relaxed) < before + by {
            assert!(begin.elapsed() < HANGS && !consumer.is_finished(), "the consumer stopped");
            thread::sleep(Duration::from_millis(1));
        }
    };
    calls_grow(20);
    let rotated = scene.keys(&format!("rotate ci --grace 1h {}", scene.to())).done();
    assert_eq!((rotated.code, rotated.stdout.as_str()), (0, ""), "{}", rotated.stderr);
    calls_grow(20);
    stop.store(true, Ordering::Relaxed);
    let last = consumer.join().unwrap();
    assert_eq!(last, scene.known());
    assert_ne!(last, scene.old);
    // The old key works until the grace is over, and is no longer what the name means.
    assert_eq!(scene.service.status(&scene.old), 200);
    let live = scene.live("ci");
    assert_eq!((live.len(), live[1]["replaced"].as_bool()), (2, Some(true)));
    assert!(live[0]["expires_at"].is_null() && !live[1]["expires_at"].is_null());
    assert_eq!(scene.keys("show ci --jq .data.id").done().stdout.trim_end(), live[0]["id"].as_str().unwrap());
    scene.is_clean(&[&scene.sink()]);
}
