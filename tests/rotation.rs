//! Rotations that are killed, cut off, refused and run out of room, with the real binary and a real service.
//!
//! Whatever happens: a key that the consumer knows works, at most one key too many is live and the journal names it, no
//! plaintext is anywhere but where it is kept and where it was sent, and `keys rotation resume` comes to an end.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, and lie outside of the test functions where that is allowed"
)]

#[expect(dead_code, unused_imports, reason = "some of it is for the other tests of the binary")]
mod support;

mod rotation {
    mod arrows;
    mod calls;
    mod consumer;
    mod examples;
    mod faults;
    mod kills;
    mod leadlex;
    mod life;
    mod many;
    mod own;
    mod proxy;
    mod scene;
    mod vendor;
}
