//! The vendors' APIs from outside: their own examples sent with curl, and the real binary against the real service over TCP,
//! each vendor with what it offers and what it does not.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, and lie outside of the test functions where that is allowed"
)]

#[expect(dead_code, unused_imports, reason = "some of it is for the other tests of the binary")]
mod support;

mod providers {
    mod bulk;
    mod contactlevel;
    mod examples;
    mod exercise;
    mod figures;
    mod leadlex;
    mod nexus;
    mod rotation;
    mod scene;
    mod strange;
}
