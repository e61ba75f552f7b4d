//! A client's stream as HTTP sees it: what is read and written moves the connection's [`Pulse`], and the bare refusals
//! that `hyper` writes by itself are held back, so that an answer with a body takes their place.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pulse::Pulse;

pub(super) struct Watched<S> {
    stream: S,
    pulse: Arc<Pulse>,
    /// What `hyper` would have refused a header with.
    refused: Option<StatusCode>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, pulse: Arc<Pulse>) -> Self {
        Self { stream, pulse, refused: None }
    }

    /// The stream itself, and what is still to be said on it.
    pub(super) fn into_inner(self) -> (S, Option<StatusCode>) {
        (self.stream, self.refused)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let new = &buffer.filled()[before..];
        if !new.is_empty() {
            self.pulse.heard(new);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.pulse.is_between_requests()
            && let Some(status) = bare_refusal(bytes)
        {
            self.refused = Some(status);
            return Poll::Ready(Ok(bytes.len()));
        }
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        match &polled {
            Poll::Pending => self.pulse.write_is_blocked(),
            Poll::Ready(Ok(count)) => self.pulse.wrote(*count),
            Poll::Ready(Err(_)) => {}
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        match &polled {
            Poll::Pending => self.pulse.write_is_blocked(),
            Poll::Ready(_) => self.pulse.write_is_done(),
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The status of an answer that has nothing but what `hyper` writes itself. Every answer of ours has an id before that.
fn bare_refusal(bytes: &[u8]) -> Option<StatusCode> {
    const AFTER_THE_STATUS: &[u8] = b"connection: close\r\ncontent-length: 0\r\n";
    let rest = bytes.strip_prefix(b"HTTP/1.")?.get(2..)?;
    let status = rest.get(..3).filter(|digits| digits[0] == b'4')?;
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    rest[end + 2..].starts_with(AFTER_THE_STATUS).then(|| StatusCode::from_bytes(status).ok())?
}
