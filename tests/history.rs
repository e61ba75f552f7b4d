//! What must hold of the service whatever happens to it: killed and restarted, with several replicas, cut off from its
//! database, over midnight, and with clients that go away.
//!
//! Clients record what they asked and what they were answered; a checker, tested itself with histories that break each
//! rule, looks for what may not be. PostgreSQL is the one that `KEYS_TEST_POSTGRES` names, and `faketime` moves the clock: what
//! is not there is left out and said on standard error. With `KEYS_REQUIRE_FAKETIME` set, a missing `faketime` fails.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests, helpers and all")]

#[expect(dead_code, reason = "shared with the tests of the command line, which use more of it")]
#[expect(unused_imports, reason = "as above")]
mod support;

mod history {
    mod check;
    mod client;
    mod cut;
    mod database;
    mod hang_up;
    mod kill;
    mod limits;
    mod load;
    mod midnight;
    mod proxy;
    mod record;
    mod replica;
}
