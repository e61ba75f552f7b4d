//! The log: a JSON line per request and per event. Nobody who answers a request waits for it: lines are handed to a thread
//! of its own, which writes them as fast as they are taken.
//!
//! Where they are taken too slowly, lines of requests that went well are the first to be left out, and how many were is
//! said as soon as there is room. Where nobody takes them any more, the service goes on without.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::text;

/// So much waits at most; the second half is for lines that say what is wrong.
const ROOM: usize = 8 * 1024 * 1024;

/// Lines are gathered for so long before they are written: one write for all of them.
const GATHERED: Duration = Duration::from_millis(5);

/// How long the end of the program waits for the last lines to be taken.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warn",
            Self::Error => "error",
        }
    }
}

/// Which requests have a line
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Requests {
    All,
    /// Those that failed through a fault of the service
    Errors,
    None,
}

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    /// For a person who watches.
    Words,
}

/// What is said of a request.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// `None` where there was no answer to carry it.
    pub(super) request_id: Option<&'a str>,
    /// `None` where the header was not understood.
    pub(super) method: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) status: u16,
    pub(super) took: Duration,
    pub(super) client: IpAddr,
    pub(super) workspace: Option<&'a str>,
    pub(super) key: Option<&'a str>,
    pub(super) cause: Option<&'a str>,
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    queue: Arc<Queue>,
    form: Form,
    requests: Requests,
    now: fn() -> Timestamp,
}

impl Log {
    /// Starts the thread that writes to `out`.
    pub(crate) fn start(
        out: Box<dyn Write + Send>,
        form: Form,
        requests: Requests,
        now: fn() -> Timestamp,
    ) -> std::io::Result<Self> {
        let log = Self { queue: Arc::default(), form, requests, now };
        let writer = log.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.write(out))?;
        Ok(log)
    }

    /// The same log, but for requests.
    pub(super) fn of_events(&self) -> Self {
        Self { requests: Requests::None, ..self.clone() }
    }

    /// Says that something happened: `name` for programs, `message` for people.
    pub(crate) fn event(&self, level: Level, name: &str, message: &str, fields: &[(&str, Value)]) {
        self.queue.add(&self.event_line(level, name, message, fields), true);
    }

    pub(super) fn request(&self, line: &Line<'_>) {
        let level = match line.status {
            500.. => Level::Error,
            400.. => Level::Warning,
            _ => Level::Info,
        };
        let wanted = match self.requests {
            Requests::All => true,
            Requests::Errors => level == Level::Error,
            Requests::None => false,
        };
        if wanted {
            self.queue.add(&self.request_line(level, line), level == Level::Error);
        }
    }

    /// How many lines were left out.
    pub(super) fn lost(&self) -> u64 {
        self.queue.lost_in_all.load(Ordering::Relaxed)
    }

    /// Waits until what was said so far is written, if anybody takes it.
    pub(crate) fn finish(&self) {
        let queue = &self.queue;
        let mut state = queue.lock();
        state.ends = true;
        queue.changed.notify_all();
        let waited = queue.changed.wait_timeout_while(state, PATIENCE, |state| !state.ended);
        drop(waited);
    }

    fn request_line(&self, level: Level, line: &Line<'_>) -> String {
        // Any word can be a method, and a key is a word.
        let [method, path] = [line.method, line.path].map(|said| said.map(text::without_encoded_plaintexts));
        let milliseconds = line.took.as_secs_f64() * 1e3;
        if self.form == Form::Words {
            let (method, path) = (method.as_deref().unwrap_or("-"), path.as_deref().unwrap_or("-"));
            let cause = line.cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            let id = line.request_id.unwrap_or("-");
            let words = format!("{method} {path} {} in {milliseconds:.1} ms ({id}){cause}", line.status);
            return format!("{}\n", text::escape(&words));
        }
        let mut json = self.begin(level);
        json.push_str(r#","event":"request""#);
        text_field(&mut json, "request_id", line.request_id);
        text_field(&mut json, "method", method.as_deref());
        text_field(&mut json, "path", path.as_deref());
        let _ = write!(json, r#","status":{},"duration_ms":{milliseconds:.3},"client":"{}""#, line.status, line.client);
        text_field(&mut json, "workspace", line.workspace);
        text_field(&mut json, "key", line.key);
        if line.cause.is_some() {
            text_field(&mut json, "cause", line.cause);
        }
        json.push_str("}\n");
        json
    }

    fn event_line(&self, level: Level, name: &str, message: &str, fields: &[(&str, Value)]) -> String {
        if self.form == Form::Words {
            let label = if level == Level::Info { String::new() } else { format!("{}: ", level.name()) };
            return format!("{label}{}\n", text::escape(message));
        }
        let mut json = self.begin(level);
        text_field(&mut json, "event", Some(name));
        text_field(&mut json, "message", Some(message));
        for (name, value) in fields {
            let _ = write!(json, ",\"{name}\":{}", text::escape_json(&value.to_string()));
        }
        json.push_str("}\n");
        json
    }

    fn begin(&self, level: Level) -> String {
        let mut json = String::with_capacity(320);
        let _ = write!(json, r#"{{"time":"{:.3}","level":"{}""#, (self.now)(), level.name());
        json
    }

    /// Writes what is queued, until the end.
    fn write(&self, mut out: Box<dyn Write + Send>) {
        let queue = &self.queue;
        let (mut batch, mut is_taken, mut lost) = (Vec::new(), true, 0);
        loop {
            let mut state = queue.lock();
            while state.lines.is_empty() && !state.ends {
                state = queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if !state.ends {
                drop(state);
                thread::sleep(GATHERED);
                state = queue.lock();
            }
            std::mem::swap(&mut state.lines, &mut batch);
            if batch.is_empty() && state.ends {
                state.ended = true;
                queue.changed.notify_all();
                return;
            }
            drop(state);
            is_taken = is_taken && write_all(&mut *out, &batch);
            batch.clear();
            let lost_by_now = self.lost();
            if lost_by_now > lost {
                let count = lost_by_now - lost;
                let message = format!("{count} lines were left out: nobody took them as fast as they came");
                self.event(Level::Warning, "lines_lost", &message, &[("lines", count.into())]);
                lost = lost_by_now;
            }
        }
    }
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    lost_in_all: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<u8>,
    ends: bool,
    ended: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &str, is_important: bool) {
        let room = if is_important { ROOM } else { ROOM / 2 };
        let mut state = self.lock();
        if state.lines.len() + line.len() > room || state.ended {
            self.lost_in_all.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_first = state.lines.is_empty();
        state.lines.extend_from_slice(line.as_bytes());
        drop(state);
        if is_first {
            self.changed.notify_all();
        }
    }
}

/// Whether somebody still takes what is written.
fn write_all(out: &mut dyn Write, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return false,
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Somebody else has set the stream so that writing does not wait.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(GATHERED),
            Err(_) => return false,
        }
    }
    out.flush().is_ok()
}

/// Another field: `null` for none.
fn text_field(json: &mut String, name: &str, value: Option<&str>) {
    json.push_str(",\"");
    json.push_str(name);
    json.push_str("\":");
    let Some(value) = value else {
        json.push_str("null");
        return;
    };
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        json.push('"');
        json.push_str(value);
        json.push('"');
    } else {
        let quoted = Value::from(value).to_string();
        json.push_str(&text::escape_json(&quoted));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;
    use crate::testing;

    /// A pipe whose other end is read when the test says so.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn log(form: Form, requests: Requests) -> (Log, Receiver<Vec<u8>>) {
        let (send, receive) = sync_channel(0);
        (Log::start(Box::new(Pipe(send)), form, requests, testing::now).unwrap(), receive)
    }

    fn line(path: &str, status: u16) -> Line<'_> {
        Line {
            request_id: Some("req_1"),
            method: Some("GET"),
            path: Some(path),
            status,
            took: Duration::from_micros(1234),
            client: [127, 0, 0, 1].into(),
            workspace: Some("ws_1"),
            key: None,
            cause: (status >= 500).then_some("it \"broke\"\n\u{202e}"),
        }
    }

    fn all_of(log: &Log, receive: Receiver<Vec<u8>>) -> String {
        let reader = thread::spawn(move || receive.iter().flatten().collect::<Vec<u8>>());
        log.finish();
        String::from_utf8(reader.join().unwrap()).unwrap()
    }

    #[test]
    fn a_line_is_json_and_holds_no_plaintext() {
        let (log, receive) = log(Form::Json, Requests::All);
        let key = format!("/v1/api-keys/wbk_aB3aB3aB_{}", "x1".repeat(16));
        log.request(&line(&key, 200));
        log.request(&line("/a\"\\\u{e9}", 503));
        log.event(Level::Warning, "reload_failed", "why\u{9b}", &[("file", "a b".into()), ("lines", 3.into())]);
        let said = all_of(&log, receive);
        let time = "2026-09-21T14:13:20.000Z";
        assert_eq!(
            said.lines().collect::<Vec<_>>(),
            [
                format!(
                    r#"{{"time":"{time}","level":"info","event":"request","request_id":"req_1","method":"GET","path":"/v1/api-keys/…","status":200,"duration_ms":1.234,"client":"127.0.0.1","workspace":"ws_1","key":null}}"#
                ),
                format!(
                    r#"{{"time":"{time}","level":"error","event":"request","request_id":"req_1","method":"GET","path":"/a\"\\é","status":503,"duration_ms":1.234,"client":"127.0.0.1","workspace":"ws_1","key":null,"cause":"it \"broke\"\n\u202e"}}"#
                ),
                format!(
                    r#"{{"time":"{time}","level":"warn","event":"reload_failed","message":"why\u009b","file":"a b","lines":3}}"#
                ),
            ]
        );
        for line in said.lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
    }

    #[test]
    fn only_what_is_wanted_is_said() {
        let (errors, receive) = log(Form::Words, Requests::Errors);
        for status in [200, 404, 500] {
            errors.request(&line("/x", status));
        }
        errors.of_events().request(&line("/y", 500));
        errors.event(Level::Info, "listening", "Listening on http://here", &[]);
        let said = all_of(&errors, receive);
        assert_eq!(said, "GET /x 500 in 1.2 ms (req_1): it \"broke\"\\n\\u{202e}\nListening on http://here\n");
    }

    #[test]
    fn a_reader_who_does_not_read_holds_nobody_up_and_loses_no_error() {
        let (log, receive) = log(Form::Json, Requests::All);
        for _ in 0..40_000 {
            log.request(&line("/many", 200));
        }
        log.request(&line("/wrong", 500));
        assert!(log.lost() > 0);
        let said = all_of(&log, receive);
        assert!(said.contains("/wrong") && said.contains("lines_lost"), "{}", said.len());
        assert!(said.len() < 2 * ROOM);
    }

    #[test]
    fn a_log_that_nobody_takes_any_more_is_no_reason_to_stop() {
        let (log, receive) = log(Form::Json, Requests::All);
        drop(receive);
        for _ in 0..3 {
            log.request(&line("/x", 200));
            thread::sleep(3 * GATHERED);
        }
        log.finish();
    }
}
