//! The machine's clock and its randomness: one door each. Everything else takes `now` and random bytes as arguments.

use jiff::Timestamp;

/// The time, in the microseconds that storage keeps.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// Fills the buffer from the operating system's generator.
///
/// A system that cannot give randomness must not go on to make keys: there is nothing to return, so the process ends
/// here with a message.
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws randomness")]
#[expect(clippy::panic, reason = "keys made without randomness would be worse than no answer")]
pub(crate) fn random(buffer: &mut [u8]) {
    if let Err(error) = getrandom::fill(buffer) {
        panic!("the operating system gives no randomness: {error}");
    }
}
