//! The loop that takes connections. Nothing that a client does, and no want of the system, ends it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::connection::{drive, turn_away};
use super::front::{Front, Place, Standing};
use super::limits::SEND_BUFFER;
use super::log::Level;

/// Connections that the system keeps until they are taken.
const BACKLOG: u32 = 1024;

/// How long to wait when the system has nothing left for another connection: some will have ended by then.
const BREATH: Duration = Duration::from_millis(50);

/// The same trouble is said once in so long.
const QUIET: Duration = Duration::from_secs(10);

/// Listens. With this, a client that reads nothing fills little of the system's memory before it is noticed.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Takes connections until the process drains.
pub(super) async fn accept(listener: TcpListener, front: Arc<Front>) {
    let mut draining = std::pin::pin!(front.stage.draining());
    let (mut full, mut failing) = (Trouble::default(), Trouble::default());
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut draining => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(place) = Place::take(&front) {
                    tokio::spawn(serve(stream, peer, place, Arc::clone(&front)));
                } else {
                    full.say(&front, "connections_refused", "More connections than --max-connections were refused");
                    refuse(stream, &front);
                }
            }
            // Of the connection that was to be taken, not of the listener.
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                failing.say(&front, "accept_failed", &format!("No connection could be taken: {error}"));
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn serve(stream: TcpStream, peer: SocketAddr, place: Place, front: Arc<Front>) {
    tokio::select! {
        () = talk(stream, peer, &front) => {}
        () = front.stage.over() => {}
    }
    drop(place);
}

async fn talk(stream: TcpStream, peer: SocketAddr, front: &Arc<Front>) {
    // Answers are written whole: waiting to fill a packet would only delay their ends.
    let _ = stream.set_nodelay(true);
    let peer = peer.ip().to_canonical();
    let Some(tls) = &front.tls else {
        return drive(stream, peer, front).await;
    };
    match timeout(front.limits.header, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => drive(stream, peer, front).await,
        // Somebody who does not speak TLS, or does not trust the certificate: their side says so.
        Ok(Err(_)) => {}
        Err(_) => front.metrics.handshake_is_overdue(),
    }
}

/// Never makes anybody wait: what cannot be told at once is not.
fn refuse(stream: TcpStream, front: &Arc<Front>) {
    // What is said before a handshake is not understood.
    if front.tls.is_none()
        && let Some(standing) = Standing::take(front)
    {
        let front = Arc::clone(front);
        tokio::spawn(async move {
            turn_away(stream, &front).await;
            drop(standing);
        });
    }
}

/// Trouble that may come a thousand times a second.
#[derive(Default)]
struct Trouble {
    said: Option<Instant>,
    since: u64,
}

impl Trouble {
    fn say(&mut self, front: &Front, event: &str, message: &str) {
        self.since += 1;
        if self.said.is_none_or(|said| said.elapsed() >= QUIET) {
            front.log.event(Level::Warning, event, message, &[("times", self.since.into())]);
            (self.said, self.since) = (Some(Instant::now()), 0);
        }
    }
}
