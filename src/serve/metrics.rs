//! What is counted, and the text that Prometheus reads. Counting takes no lock that anybody holds for long: a route is
//! looked up, and the rest is atomic.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use jiff::Timestamp;

use super::log::Log;
use super::pulse::Overdue;
use super::refusal::Refused;

/// Upper bounds, in microseconds, of what a request may take.
const BOUNDS: [u64; 14] =
    [250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000];

/// Those of the routes; any other counts as the last.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "other"];

/// The first status, and how many there are.
const STATUSES: (u16, usize) = (100, 500);

/// The route of requests that fit none, and of those that were not understood.
const NO_ROUTE: &str = "none";

#[derive(Debug)]
pub(super) struct Metrics {
    started: Timestamp,
    /// By the route's template. There are as many as there are routes, whatever is asked for.
    routes: RwLock<HashMap<Box<str>, Arc<[Series; METHODS.len()]>>>,
    connections: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    late: Late,
}

/// Connections that were ended because the client took too long.
#[derive(Debug, Default)]
struct Late {
    handshake: AtomicU64,
    header: AtomicU64,
    body: AtomicU64,
    write: AtomicU64,
    idle: AtomicU64,
}

#[derive(Debug)]
struct Series {
    by_status: Box<[AtomicU64]>,
    /// One more than bounds, for those beyond.
    by_duration: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            by_status: (0..STATUSES.1).map(|_| AtomicU64::new(0)).collect(),
            by_duration: Default::default(),
            microseconds: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    pub(super) fn new(started: Timestamp) -> Self {
        Self {
            started,
            routes: RwLock::default(),
            connections: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            late: Late::default(),
        }
    }

    pub(super) fn request(&self, method: Option<&Method>, route: Option<&str>, status: u16, took: Duration) {
        let method = method.map_or("other", Method::as_str);
        let last = METHODS.len() - 1;
        let method = METHODS[..last].iter().position(|known| *known == method).unwrap_or(last);
        let series = &self.series(route.unwrap_or(NO_ROUTE))[method];
        let status = usize::from(status.saturating_sub(STATUSES.0)).min(STATUSES.1 - 1);
        series.by_status[status].fetch_add(1, Relaxed);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < microseconds);
        series.by_duration[bucket].fetch_add(1, Relaxed);
        series.microseconds.fetch_add(microseconds, Relaxed);
    }

    fn series(&self, route: &str) -> Arc<[Series; METHODS.len()]> {
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(route).cloned();
        known.unwrap_or_else(|| {
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(routes.entry(route.into()).or_default())
        })
    }

    pub(super) fn connection_opens(&self) {
        self.accepted.fetch_add(1, Relaxed);
        self.connections.fetch_add(1, Relaxed);
    }

    pub(super) fn connection_closes(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    pub(super) fn connection_is_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn is_overdue(&self, overdue: Overdue) {
        let counter = match overdue {
            Overdue::Header => &self.late.header,
            Overdue::Idle => &self.late.idle,
            Overdue::Write => &self.late.write,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn body_is_overdue(&self) {
        self.late.body.fetch_add(1, Relaxed);
    }

    pub(super) fn handshake_is_overdue(&self) {
        self.late.handshake.fetch_add(1, Relaxed);
    }

    fn text(&self, lines_lost: u64) -> String {
        let mut text = String::with_capacity(8 * 1024);
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let mut routes: Vec<_> = routes.iter().map(|(route, series)| (&**route, &**series)).collect();
        routes.sort_unstable_by_key(|(route, _)| *route);
        let used = routes.iter().flat_map(|(route, series)| {
            METHODS
                .iter()
                .zip(*series)
                .map(|(method, series)| (*route, *method, series))
                .filter(|(_, _, series)| series.by_duration.iter().any(|count| count.load(Relaxed) > 0))
        });
        let used: Vec<_> = used.collect();
        heading(&mut text, "keys_http_requests_total", "counter", "Requests by method, route and status.");
        for (route, method, series) in &used {
            for (status, count) in (STATUSES.0..).zip(&series.by_status).filter(|(_, count)| count.load(Relaxed) > 0) {
                let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
                sample(&mut text, "keys_http_requests_total", &labels, count.load(Relaxed));
            }
        }
        let name = "keys_http_request_duration_seconds";
        heading(&mut text, name, "histogram", "From the header of a request to its answer.");
        for (route, method, series) in &used {
            histogram(&mut text, name, &format!("method=\"{method}\",route=\"{route}\""), series);
        }
        self.add_connections(&mut text);
        heading(&mut text, "keys_log_lines_lost_total", "counter", "Lines of the log that were left out.");
        sample(&mut text, "keys_log_lines_lost_total", "", lines_lost);
        heading(&mut text, "keys_build_info", "gauge", "The version that runs.");
        sample(&mut text, "keys_build_info", concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""), 1);
        let seconds = self.started.as_duration().as_secs_f64();
        heading(&mut text, "process_start_time_seconds", "gauge", "When the process began, since 1970.");
        sample(&mut text, "process_start_time_seconds", "", format_args!("{seconds:.3}"));
        text
    }

    fn add_connections(&self, text: &mut String) {
        heading(text, "keys_connections", "gauge", "Connections that are open.");
        sample(text, "keys_connections", "", self.connections.load(Relaxed));
        heading(text, "keys_connections_accepted_total", "counter", "Connections that were accepted.");
        sample(text, "keys_connections_accepted_total", "", self.accepted.load(Relaxed));
        heading(text, "keys_connections_refused_total", "counter", "Connections beyond the limit.");
        sample(text, "keys_connections_refused_total", "", self.refused.load(Relaxed));
        let name = "keys_connections_timed_out_total";
        heading(text, name, "counter", "Connections that were ended for what took too long.");
        let late = &self.late;
        for (what, count) in [
            ("handshake", &late.handshake),
            ("header", &late.header),
            ("body", &late.body),
            ("write", &late.write),
            ("idle", &late.idle),
        ] {
            sample(text, name, &format!("waiting_for=\"{what}\""), count.load(Relaxed));
        }
    }
}

fn heading(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ =
        if labels.is_empty() { writeln!(text, "{name} {value}") } else { writeln!(text, "{name}{{{labels}}} {value}") };
}

#[expect(clippy::cast_precision_loss, reason = "a bound or a sum in seconds is read by people and for ratios")]
fn histogram(text: &mut String, name: &str, labels: &str, series: &Series) {
    let mut total = 0;
    for (at, count) in series.by_duration.iter().enumerate() {
        total += count.load(Relaxed);
        let bound = BOUNDS.get(at).map_or_else(|| "+Inf".to_owned(), |bound| (*bound as f64 / 1e6).to_string());
        sample(text, &format!("{name}_bucket"), &format!("{labels},le=\"{bound}\""), total);
    }
    sample(text, &format!("{name}_sum"), labels, series.microseconds.load(Relaxed) as f64 / 1e6);
    sample(text, &format!("{name}_count"), labels, total);
}

/// `/metrics`, and nothing else.
pub(super) fn routes(metrics: Arc<Metrics>, log: Log) -> Router {
    let text = move || {
        let text = metrics.text(log.lost());
        async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text) }
    };
    Router::new()
        .route("/metrics", get(text).fallback(|| async { Refused::WrongMethod }))
        .fallback(|| async { Refused::NoRoute })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn what_is_counted_is_told_by_method_route_and_status() {
        let metrics = Metrics::new(testing::now());
        let request = |method: Option<&Method>, route, status, milliseconds| {
            metrics.request(method, route, status, Duration::from_micros(milliseconds));
        };
        request(Some(&Method::GET), Some("/v1/api-keys/{id}"), 200, 300);
        request(Some(&Method::GET), Some("/v1/api-keys/{id}"), 200, 20_000_000);
        request(Some(&Method::GET), Some("/v1/api-keys/{id}"), 404, 250);
        request(Some(&Method::TRACE), None, 405, 1);
        request(None, None, 999, 1);
        metrics.connection_opens();
        metrics.connection_opens();
        metrics.connection_closes();
        metrics.connection_is_refused();
        metrics.is_overdue(Overdue::Write);
        let text = metrics.text(7);
        for line in [
            r#"keys_http_requests_total{method="GET",route="/v1/api-keys/{id}",status="200"} 2"#,
            r#"keys_http_requests_total{method="GET",route="/v1/api-keys/{id}",status="404"} 1"#,
            r#"keys_http_requests_total{method="other",route="none",status="405"} 1"#,
            r#"keys_http_requests_total{method="other",route="none",status="599"} 1"#,
            r#"keys_http_request_duration_seconds_bucket{method="GET",route="/v1/api-keys/{id}",le="0.00025"} 1"#,
            r#"keys_http_request_duration_seconds_bucket{method="GET",route="/v1/api-keys/{id}",le="0.0005"} 2"#,
            r#"keys_http_request_duration_seconds_bucket{method="GET",route="/v1/api-keys/{id}",le="10"} 2"#,
            r#"keys_http_request_duration_seconds_bucket{method="GET",route="/v1/api-keys/{id}",le="+Inf"} 3"#,
            r#"keys_http_request_duration_seconds_sum{method="GET",route="/v1/api-keys/{id}"} 20.00055"#,
            r#"keys_http_request_duration_seconds_count{method="GET",route="/v1/api-keys/{id}"} 3"#,
            "keys_connections 1",
            "keys_connections_accepted_total 2",
            "keys_connections_refused_total 1",
            r#"keys_connections_timed_out_total{waiting_for="write"} 1"#,
            r#"keys_connections_timed_out_total{waiting_for="idle"} 0"#,
            "keys_log_lines_lost_total 7",
            "process_start_time_seconds 1790000000.000",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} is not in\n{text}");
        }
    }
}
