//! What a connection waits for, and how long it may: one deadline at a time, moved by what is read, asked and written.
//!
//! Everything here belongs to the one task that drives the connection; atomics only carry it across its threads.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::limits::Limits;

/// The time to write begins anew with each of these: what is dropped is a reader who takes next to nothing, not one on a
/// slow line.
const FAIR_SHARE: usize = 64 * 1024;

/// Why a connection was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The first byte or the rest of a header did not come.
    Header,
    /// Nothing more was asked.
    Idle,
    /// The answer was not read.
    Write,
}

const HEADER: u64 = 0;
const IDLE: u64 = 1;
/// A request is being answered: how long that takes is not the client's doing, but for its body, which has its own clock.
const BUSY: u64 = 2;
/// As many low bits of `waiting` say what for; the others since when.
const BITS: u32 = 2;

#[derive(Debug)]
pub(super) struct Pulse {
    began: Instant,
    /// What for, and since when, in microseconds from the beginning.
    waiting: AtomicU64,
    /// Since when writing is blocked, or has been since the last fair share; 0 where it is not.
    blocked: AtomicU64,
    /// How much was written since then.
    written: AtomicUsize,
    /// Something came of a request that is not understood yet.
    begun: AtomicBool,
    /// Its first line has ended.
    line_ended: AtomicBool,
    /// What was sent is not read to its end, nor will it be.
    unread: AtomicBool,
    body_late: AtomicBool,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            waiting: AtomicU64::new(HEADER),
            blocked: AtomicU64::new(0),
            written: AtomicUsize::new(0),
            begun: AtomicBool::new(false),
            line_ended: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            body_late: AtomicBool::new(false),
        }
    }

    /// Bytes came in.
    pub(super) fn heard(&self, bytes: &[u8]) {
        let waiting_for = self.waiting_for();
        if waiting_for == BUSY {
            return;
        }
        if waiting_for == IDLE {
            self.wait_for(HEADER);
        }
        self.begun.store(true, Relaxed);
        if bytes.contains(&b'\n') {
            self.line_ended.store(true, Relaxed);
        }
    }

    /// A header has come in whole.
    pub(super) fn request_begins(&self) {
        self.wait_for(BUSY);
        self.body_late.store(false, Relaxed);
        self.begun.store(false, Relaxed);
        self.line_ended.store(false, Relaxed);
    }

    /// The answer is handed over, to be written.
    pub(super) fn request_ends(&self) {
        self.wait_for(IDLE);
    }

    pub(super) fn is_between_requests(&self) -> bool {
        self.waiting_for() != BUSY
    }

    pub(super) fn has_begun_a_request(&self) -> bool {
        self.begun.load(Relaxed)
    }

    pub(super) fn is_in_first_line(&self) -> bool {
        !self.line_ended.load(Relaxed)
    }

    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    pub(super) fn is_unread(&self) -> bool {
        self.unread.load(Relaxed)
    }

    /// The body of the request that is being answered did not come in time.
    pub(super) fn body_is_late(&self) {
        self.body_late.store(true, Relaxed);
    }

    pub(super) fn is_body_late(&self) -> bool {
        self.body_late.load(Relaxed)
    }

    /// The other side takes no more for now.
    pub(super) fn write_is_blocked(&self) {
        if self.blocked.load(Relaxed) == 0 {
            self.blocked.store(self.now().max(1), Relaxed);
            self.written.store(0, Relaxed);
        }
    }

    pub(super) fn wrote(&self, bytes: usize) {
        if self.blocked.load(Relaxed) == 0 {
            return;
        }
        let written = self.written.load(Relaxed) + bytes;
        if written < FAIR_SHARE {
            self.written.store(written, Relaxed);
        } else {
            self.blocked.store(self.now().max(1), Relaxed);
            self.written.store(0, Relaxed);
        }
    }

    /// All that was to be written is.
    pub(super) fn write_is_done(&self) {
        self.blocked.store(0, Relaxed);
    }

    /// When the connection is overdue, and what with; `None` while only we are to blame.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<(Instant, Overdue)> {
        let blocked = self.blocked.load(Relaxed);
        if blocked != 0 {
            return Some((self.at(blocked) + limits.write, Overdue::Write));
        }
        let waiting = self.waiting.load(Relaxed);
        let since = self.at(waiting >> BITS);
        match waiting & ((1 << BITS) - 1) {
            HEADER => Some((since + limits.header, Overdue::Header)),
            IDLE => Some((since + limits.idle, Overdue::Idle)),
            _ => None,
        }
    }

    fn waiting_for(&self) -> u64 {
        self.waiting.load(Relaxed) & ((1 << BITS) - 1)
    }

    fn wait_for(&self, what: u64) {
        self.waiting.store(self.now() << BITS | what, Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn at(&self, micros: u64) -> Instant {
        self.began + Duration::from_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            header: Duration::from_secs(1),
            body: Duration::from_secs(2),
            write: Duration::from_secs(3),
            idle: Duration::from_secs(4),
            drain: Duration::from_secs(5),
            connections: 1,
        }
    }

    #[test]
    fn each_wait_has_its_own_end() {
        let (pulse, limits) = (Pulse::new(), limits());
        let overdue = |pulse: &Pulse| pulse.deadline(&limits).map(|(at, what)| (what, (at - pulse.began).as_secs()));
        assert_eq!(overdue(&pulse), Some((Overdue::Header, 1)), "the first byte");
        pulse.heard(b"GET /");
        assert_eq!(overdue(&pulse), Some((Overdue::Header, 1)), "a byte does not lengthen it");
        assert!(pulse.is_in_first_line() && pulse.has_begun_a_request());
        pulse.heard(b" HTTP/1.1\r\n");
        assert!(!pulse.is_in_first_line());
        pulse.request_begins();
        assert_eq!(overdue(&pulse), None);
        pulse.heard(b"the body");
        assert!(!pulse.is_between_requests() && !pulse.has_begun_a_request());
        pulse.request_ends();
        assert_eq!(overdue(&pulse), Some((Overdue::Idle, 4)));
        pulse.heard(b"G");
        assert_eq!(overdue(&pulse), Some((Overdue::Header, 1)));
    }

    #[test]
    fn a_slow_reader_has_time_by_what_it_takes() {
        let (pulse, limits) = (Pulse::new(), limits());
        let deadline = |pulse: &Pulse| pulse.deadline(&limits).unwrap();
        pulse.wrote(1_000_000);
        assert_eq!(deadline(&pulse).1, Overdue::Header);
        pulse.write_is_blocked();
        let first = deadline(&pulse);
        assert_eq!((first.0 - pulse.began).as_secs(), 3);
        std::thread::sleep(Duration::from_millis(1));
        pulse.wrote(1000);
        pulse.write_is_blocked();
        assert_eq!(deadline(&pulse), first, "a little changes nothing");
        pulse.wrote(FAIR_SHARE - 1000);
        let second = deadline(&pulse);
        assert!(second.0 > first.0 && second.1 == Overdue::Write);
        pulse.write_is_done();
        assert_eq!(deadline(&pulse).1, Overdue::Header);
    }
}
