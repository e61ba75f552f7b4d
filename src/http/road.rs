//! A request on its way: in its turn, once more where that does nothing twice, and never waiting in silence.
//!
//! One [`Road`] is shared by all that is under way: when one request is told to wait, all wait.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::interruption::Doubt;
use super::network::Network;
use super::pace::{Pace, Return, Turn};
use super::retry::{self, Failed, Trouble, Verdict};
use super::told::Told;
use super::{Answer, HttpError, Request};
use crate::system;
use crate::terminal::Voice;
use crate::text;

/// What several requests wait for is said once within this time.
const REPETITION: Duration = Duration::from_secs(2);

/// What the requests to one service share.
pub(super) struct Road {
    pace: Mutex<Pace>,
    /// Who comes first waits first.
    turnstile: tokio::sync::Mutex<()>,
    returned: Notify,
    voice: Voice,
    said: Mutex<Option<Said>>,
}

/// What was said last, and of which try.
struct Said {
    why: String,
    tries: u32,
    at: Instant,
}

impl Road {
    pub(super) fn new(voice: Voice) -> Self {
        Self {
            pace: Mutex::default(),
            turnstile: tokio::sync::Mutex::default(),
            returned: Notify::new(),
            voice,
            said: Mutex::default(),
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request may go.
    async fn turn(&self, max_wait: Duration) -> Result<UnderWay<'_>, HttpError> {
        let _first = self.turnstile.lock().await;
        loop {
            let now = system::now();
            let turn = self.pace().turn(now, max_wait);
            match turn {
                Turn::Now => return Ok(UnderWay { road: self, back: false }),
                Turn::At(instant) => {
                    let wait = instant.duration_since(now).unsigned_abs();
                    self.say("The service takes no more requests for now: going on", 0, Some((wait, instant)));
                    sleep(wait).await;
                }
                Turn::AfterAnother => self.returned.notified().await,
                Turn::Closed(until) => return Err(HttpError::Closed { until }),
            }
        }
    }

    /// Says why nothing happens, and until when, where the service says so.
    fn say(&self, why: &str, tries: u32, until: Option<(Duration, Timestamp)>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.as_ref().is_some_and(|said| said.why == why && said.tries == tries && said.at.elapsed() < REPETITION) {
            return;
        }
        let when = until.map(|(wait, until)| format!(" in {} s, at {}", wait.as_secs_f64().ceil(), text::utc(until)));
        self.voice.say(&format!("{why}{}", when.unwrap_or_default()));
        *said = Some(Said { why: why.to_owned(), tries, at: Instant::now() });
    }
}

/// A request that has been let go. However it ends, it is taken back.
struct UnderWay<'a> {
    road: &'a Road,
    back: bool,
}

impl UnderWay<'_> {
    fn returned(mut self, how: Return<'_>) {
        self.back = true;
        self.road.pace().returned(how, system::now());
        self.road.returned.notify_one();
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.back {
            self.road.pace().returned(Return::Lost, system::now());
            self.road.returned.notify_one();
        }
    }
}

impl Network {
    /// Sends a request until it is answered, or until it is no use. Anything but a 2xx answer is an error.
    pub(super) async fn send(&self, request: &Request, doubt: &Doubt) -> Result<Answer, HttpError> {
        let mut spent = Duration::ZERO;
        let mut tries = 0;
        loop {
            tries += 1;
            let under_way = self.road.turn(self.terms.max_wait).await.map_err(|error| settled(error, doubt))?;
            let start = Instant::now();
            if request.changes() {
                doubt.begins();
            }
            let (answer, told) = self.attempt(request).await;
            let error = match answer {
                Ok(answer) => {
                    under_way.returned(Return::Answered(&told));
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let trouble = trouble(&error);
            let wait = match trouble {
                Some(Trouble::Limited) => told.limited(),
                Some(_) => told.retry_after,
                None => None,
            };
            under_way.returned(how(&error, trouble, &told, wait));
            let until = wait.and_then(|wait| system::now().checked_add(wait).ok());
            let error = settled(error.lasting(until), doubt);
            doubt.ends(error.is_unsure());
            let Some(trouble) = trouble else { return Err(error) };
            spent += start.elapsed();
            // A question changes nothing, and every change has its Idempotency-Key.
            let failed = Failed { trouble, tries, spent, told: wait, repeatable: true };
            let Verdict::Again { after } = retry::decide(&failed, self.terms.max_wait, dice()) else {
                return Err(error);
            };
            self.road.say(&why(trouble, &error), tries, wait.zip(until));
            sleep(after).await;
            if wait.is_none() {
                spent += after;
            }
        }
    }
}

/// What a failed try means beside those before it.
fn settled(error: HttpError, doubt: &Doubt) -> HttpError {
    if doubt.is_old() && !error.is_unsure() { HttpError::Unsettled { last: Box::new(error) } } else { error }
}

/// What can be mended by trying again; `None` where nothing can.
fn trouble(error: &HttpError) -> Option<Trouble> {
    match error {
        HttpError::Unreached { .. } => Some(Trouble::Unreached),
        HttpError::Broken { .. } => Some(Trouble::Lost),
        HttpError::Refused { status: 429, .. } => Some(Trouble::Limited),
        HttpError::Refused { status: 408 | 502 | 503 | 504, .. } => Some(Trouble::Busy),
        // The same request, sent before, is still at work there.
        error if error.is("idempotency_in_progress") => Some(Trouble::Busy),
        _ => None,
    }
}

fn how<'a>(error: &HttpError, trouble: Option<Trouble>, told: &'a Told, wait: Option<Duration>) -> Return<'a> {
    match (trouble, wait, error.answer()) {
        (Some(trouble), Some(wait), _) => Return::Refused { told, wait, limited: trouble == Trouble::Limited },
        (_, _, Some(_)) => Return::Answered(told),
        _ => Return::Lost,
    }
}

/// What a person is told of a try that failed.
fn why(trouble: Trouble, error: &HttpError) -> String {
    let error = match error {
        HttpError::Unsettled { last } => last,
        error => error,
    };
    let what = match (trouble, error) {
        (Trouble::Limited, _) => "The service takes no more requests for now".to_owned(),
        (Trouble::Busy, HttpError::Refused { message, .. }) => format!("The service is in trouble ({message})"),
        (_, HttpError::Unreached { what }) => format!("The service could not be reached ({what})"),
        (_, HttpError::Broken { what, .. }) => format!("The answer was lost ({what})"),
        (_, error) => error.to_string(),
    };
    format!("{what}: trying again")
}

fn dice() -> u16 {
    let mut bytes = [0; 2];
    system::random(&mut bytes);
    u16::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use zeroize::Zeroizing;

    use super::*;
    use crate::exit::{Exit, Explain};
    use crate::http::{Credential, Terms};
    use crate::model::secret::PlainKey;
    use crate::testing::{FaultyServer, Said, block_on};

    fn network(server: &FaultyServer, max_wait: Duration) -> Network {
        let key = PlainKey::parse(&Zeroizing::new("wbk_12345678_secret".to_owned())).unwrap();
        let terms = Terms { max_wait, timeout: Duration::from_mins(1), ..Terms::default() };
        let base = format!("http://{}", server.address);
        Network::new(&base, Credential::given(key, 12), terms, Voice::unheard()).unwrap()
    }

    fn limited(header: (&'static str, &'static str)) -> Said {
        let mut said = Said::new(429, "");
        said.headers.push(header);
        said
    }

    async fn all(network: &Network, requests: usize) -> Vec<Result<Answer, HttpError>> {
        let request = Request::get("/".to_owned());
        let doubt = Doubt::default();
        join_all((0..requests).map(|_| network.send(&request, &doubt))).await
    }

    #[test]
    fn when_one_is_told_to_wait_nobody_fails() {
        block_on(async {
            let server = FaultyServer::saying(vec![limited(("retry-after", "1")), Said::new(200, "")]).await;
            let network = network(&server, Duration::from_mins(1));
            let start = Instant::now();
            assert!(all(&network, 8).await.iter().all(Result::is_ok));
            assert!(start.elapsed() >= Duration::from_secs(1));
            assert_eq!(server.calls(), 9);
        });
    }

    #[test]
    fn when_one_is_told_to_go_away_nobody_else_asks() {
        block_on(async {
            let server = FaultyServer::saying(vec![limited(("retry-after", "600"))]).await;
            let network = network(&server, Duration::from_mins(1));
            let first = all(&network, 1).await.remove(0).err().unwrap();
            assert_eq!(first.answer().unwrap().0, 429);
            for error in all(&network, 8).await.into_iter().map(|answer| answer.err().unwrap()) {
                assert!(matches!(error, HttpError::Closed { .. }), "{error}");
                assert_eq!((error.exit(), error.is_unsure()), (Exit::Limited, false));
            }
            assert_eq!(server.calls(), 1);
        });
    }

    #[test]
    fn what_is_left_of_a_limit_is_not_asked_for_twice() {
        block_on(async {
            let mut last = Said::new(200, "");
            last.headers.push(("ratelimit", "\"second\";r=0;t=1"));
            let server = FaultyServer::saying(vec![last]).await;
            let network = network(&server, Duration::from_mins(1));
            let start = Instant::now();
            assert!(all(&network, 1).await.iter().chain(&all(&network, 1).await).all(Result::is_ok));
            assert!(start.elapsed() >= Duration::from_secs(1));
        });
    }

    #[test]
    fn a_request_that_nobody_waits_for_any_more_is_taken_back() {
        block_on(async {
            let mut one_left = Said::new(200, "");
            one_left.headers.push(("ratelimit", "\"hour\";r=1;t=50"));
            let server = FaultyServer::saying(vec![one_left]).await;
            let network = network(&server, Duration::from_mins(1));
            drop(network.road.turn(Duration::from_mins(1)).await.unwrap());
            assert!(all(&network, 2).await.iter().all(Result::is_ok), "nothing is under way");
        });
    }
}
