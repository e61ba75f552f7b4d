//! Whether a new key works: the service is called with it until it lets it in.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::interruptions::Interruptions;
use crate::exit::Exit;
use crate::http::HttpError;
use crate::model::rotation::Successor;
use crate::providers::client::Client;

/// Before the second call; twice as long before each one after it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why a key did not verify.
pub(super) enum Unverified {
    Refused(HttpError),
    /// The service takes it for another key.
    Mistaken,
    Interrupted(Exit),
}

/// Calls until the key is let in, at most for `limit`. A service may need a moment to know its new key everywhere.
pub(super) async fn until_accepted(
    client: &Client,
    new: &Successor,
    limit: Duration,
    interruptions: &mut Interruptions,
) -> Result<(), Unverified> {
    let begin = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let left = limit.saturating_sub(begin.elapsed());
        let called = tokio::select! {
            biased;
            called = client.whoami() => called,
            exit = interruptions.next() => return Err(Unverified::Interrupted(exit)),
        };
        let refused = match called {
            Ok(whoami) if whoami.key.as_ref().is_some_and(|key| key.id == new.id) => return Ok(()),
            // It is let in, and the service tells nobody which key that was.
            Ok(whoami) if whoami.key.is_none() && !whoami.tells_key => return Ok(()),
            Ok(_) => return Err(Unverified::Mistaken),
            // It is let in, and may do other things.
            Err(HttpError::Refused { status: 403, .. }) => return Ok(()),
            Err(refused) => refused,
        };
        if left.is_zero() {
            return Err(Unverified::Refused(refused));
        }
        tokio::select! {
            biased;
            () = sleep(pause.min(left)) => {}
            exit = interruptions.next() => return Err(Unverified::Interrupted(exit)),
        }
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}
