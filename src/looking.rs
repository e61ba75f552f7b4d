//! Looking again and again, without using up the calls that others need.

use std::time::Duration;

use crate::model::quota::Quota;
use crate::providers::client::Client;
use crate::system;
use crate::terminal::Terminal;

/// What is known of looks that were taken.
pub(crate) struct Looking {
    /// Between two looks, where there are calls enough.
    every: Duration,
    /// How many requests a look is.
    requests: u32,
    before: Option<Quota>,
    is_said: bool,
}

impl Looking {
    pub(crate) const fn every(every: Duration, requests: u32) -> Self {
        Self { every, requests, before: None, is_said: false }
    }

    /// Waits until the next look: so long that looking takes at most half of the calls that are left today. A key without
    /// limits takes none of them.
    pub(crate) async fn wait(&mut self, client: &Client, terminal: &mut Terminal) {
        let left = client.left();
        let takes_some = self.before.zip(left).is_some_and(|(before, left)| left.remaining < before.remaining);
        self.before = left;
        let mut pause = self.every;
        if let Some(left) = left.filter(|_| takes_some) {
            pause = pause.max(left.spread(system::now()).saturating_mul(self.requests));
            if pause > self.every * 2 && !self.is_said {
                let (seconds, limit) = (pause.as_secs(), left.limit);
                terminal.warn(&format!("looking every {seconds} seconds: a look takes of the {limit} calls a day"));
                self.is_said = true;
            }
        }
        tokio::time::sleep(pause).await;
    }
}
