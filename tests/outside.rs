//! What other people's programs make of `keys serve`: nginx in front of an API, Schemathesis and Spectral with its OpenAPI
//! document, and the naughty strings, on both engines.
//!
//! A program that is not here is left out and named on standard error; `tests/run` installs each of
//! them, and requires it: with `KEYS_REQUIRE_NGINX` set, a missing nginx or file server fails.

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
    mod contract;
    mod database;
    mod gate;
    mod http;
    mod nginx;
    mod service;
    mod strings;
    mod terminal;
}
