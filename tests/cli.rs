//! The real binary, from outside: what a shell, a script and a person at a terminal see of it.
//!
//! Layers 5 and 6: one snapshot is the exit code and both streams, so that a surprise on either fails. Every test has its
//! own home, data directory and services. Run with `SNAPSHOTS=overwrite` to bring the snapshots up to date, then read them.
//! Tests that need a tool which is not there (`sqlite3`, `setpriv`) say on standard error what they left out.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, and lie outside of the test functions where that is allowed"
)]
#![expect(
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "snapshots are written by `SNAPSHOTS=overwrite`, with hashes, and make a short test long"
)]

mod support;

mod cli {
    mod bad_input;
    mod begun;
    mod check;
    mod completion;
    mod consent;
    mod crash;
    mod create;
    mod create_many;
    mod database;
    mod faults;
    mod figures;
    mod help;
    mod idempotency;
    mod life;
    mod many;
    mod network;
    mod operator;
    mod rest;
    mod road;
    mod streams;
    mod terminal;
    mod trust;
    mod verbose;
}
