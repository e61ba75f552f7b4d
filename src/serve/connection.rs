//! One connection, from its first byte to its end: HTTP/1.1 on it, until it is overdue, done, or the process drains.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep_until, timeout};

use super::front::Front;
use super::limits::{LARGEST_BUFFER, LARGEST_HEADER};
use super::log::Line;
use super::pulse::{Overdue, Pulse};
use super::refusal::Refused;
use super::request::Requests;
use super::stream::Watched;
use crate::providers::routes::problem::request_id;

/// How long a client that is told why it is cut off may take to hear it.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// When to look again while nothing is awaited of the client.
const NO_DEADLINE: Duration = Duration::from_hours(1);

/// Its time-outs are [`Pulse`]'s: one timer for all of them, which also covers what `hyper` has none for.
fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_header_size(LARGEST_HEADER).max_buf_size(LARGEST_BUFFER);
    http
}

/// Answers what is asked on a stream. When this ends, nothing is left of the connection.
pub(super) async fn drive<S: AsyncRead + AsyncWrite + Unpin>(stream: S, peer: IpAddr, front: &Arc<Front>) {
    let began = Instant::now();
    let pulse = Arc::new(Pulse::new());
    let requests = Requests { front: Arc::clone(front), pulse: Arc::clone(&pulse), peer };
    let watched = TokioIo::new(Watched::new(stream, Arc::clone(&pulse)));
    let mut connection = http().serve_connection(watched, requests);
    let mut draining = pin!(front.stage.draining());
    let mut is_told = false;
    let mut timer = pin!(sleep_until(began + front.limits.header));
    let overdue = poll_fn(|context| {
        if !is_told && draining.as_mut().poll(context).is_ready() {
            is_told = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        // An error has been answered, or leaves nobody to answer.
        if connection.poll_without_shutdown(context).is_ready() {
            return Poll::Ready(None);
        }
        loop {
            let deadline = pulse.deadline(&front.limits);
            let at = deadline.map_or_else(|| Instant::now() + NO_DEADLINE, |(at, _)| at);
            // Only what comes sooner has to be set anew each time; what comes later is seen when the timer fires.
            if at < timer.deadline() {
                timer.as_mut().reset(at);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            match deadline {
                Some((at, overdue)) if at <= Instant::now() => return Poll::Ready(Some(overdue)),
                _ => timer.as_mut().reset(at),
            }
        }
    })
    .await;
    let (mut stream, refused) = connection.into_parts().io.into_inner().into_inner();
    if let Some(overdue) = overdue {
        front.metrics.is_overdue(overdue);
    }
    let refused = match overdue {
        // Nothing can be said to somebody who does not listen.
        Some(Overdue::Write) => return,
        Some(Overdue::Header) if pulse.has_begun_a_request() => Some(Refused::LateHeader),
        Some(Overdue::Header | Overdue::Idle) => None,
        None => refused.map(|status| Refused::of_header(status, pulse.is_in_first_line())),
    };
    let id = refused.map(|refused| note(refused, began, peer, front));
    let rest = pulse.is_unread() || refused.is_some();
    let _ = timeout(LAST_WORDS, part(&mut stream, refused.zip(id), (front.now)(), rest)).await;
}

/// Notes a header that was not understood; the request's id.
fn note(refused: Refused, began: Instant, client: IpAddr, front: &Front) -> String {
    let (id, status, took) = (request_id(front.random), refused.status().as_u16(), began.elapsed());
    front.metrics.request(None, None, status, took);
    let request_id = Some(id.as_str());
    let line =
        Line { request_id, method: None, path: None, status, took, client, workspace: None, key: None, cause: None };
    front.log.request(&line);
    id
}

/// Says what is left to say, and takes what is still on its way: a system that is left with bytes unread would take our
/// last words back.
async fn part<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    refused: Option<(Refused, String)>,
    now: Timestamp,
    rest: bool,
) -> std::io::Result<()> {
    if let Some((refused, id)) = refused {
        stream.write_all(&refused.bytes(&id, now)).await?;
        stream.flush().await?;
    }
    stream.shutdown().await?;
    if rest {
        let mut sink = [0; 4096];
        while stream.read(&mut sink).await? > 0 {}
    }
    Ok(())
}

/// Tells a client that there is no room for it.
pub(super) async fn turn_away<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, front: &Front) {
    let refused = Some((Refused::Full, request_id(front.random)));
    let _ = timeout(LAST_WORDS, part(&mut stream, refused, (front.now)(), true)).await;
}
