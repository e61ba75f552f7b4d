//! What other people's programs make of `keys serve`: nginx in front of an API, Schemathesis and Spectral with its OpenAPI
//! document, and the naughty strings, on both engines; what is found in their
//! files and dumps, and what comes back from a backup.
//!
//! A program that is not here is left out and named on standard error; `tests/run` installs each of
//! them, and requires it: `KEYS_REQUIRE_OUTSIDE` names those that may not be missing.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, and lie outside of the test functions where that is allowed"
)]

#[expect(dead_code, unused_imports, reason = "it is that of the tests of the command line, which use more of it")]
mod support;

mod outside {
    mod api;
    mod backup;
    mod contract;
    mod database;
    mod gate;
    mod http;
    mod nginx;
    mod plaintexts;
    #[path = "../leaks/search.rs"]
    mod search;
    mod service;
    mod strings;
    mod terminal;
}
