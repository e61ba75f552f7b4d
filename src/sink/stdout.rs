//! `stdout`: the plaintext and a line break are the only bytes there, so that `KEY=$(keys create …)` works.

use super::error::Reason;
use super::{Delivery, Sink, line};

/// Standard output, which the caller hands over with the secret.
pub(super) struct StdoutSink;

impl Sink for StdoutSink {
    fn deliver(self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        let line = line(delivery.plain);
        delivery
            .stdout
            .write_all(&line)
            .and_then(|()| delivery.stdout.flush())
            .map_err(Reason::system("write to standard output"))
    }
}
