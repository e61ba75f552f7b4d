//! `keys serve` as those see it who connect to it: slow, rude, many, by TLS; and those who run it: signals, metrics, logs.
//!
//! Time-outs are as short as can be said. What a test waits for is a state it can see, never a time.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, and lie outside of the test functions where that is allowed"
)]

#[expect(dead_code, unused_imports, reason = "it is that of the tests of the command line, which use more of it")]
mod support;

mod serve {
    mod attack;
    mod bounds;
    mod certificate;
    mod log;
    mod scene;
    mod signals;
    mod slow;
    mod tls;
    mod unit;
}
