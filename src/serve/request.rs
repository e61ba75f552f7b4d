//! One request: what must hold before the routes see it, what every answer carries, and what is noted of it.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request as AxumRequest};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONNECTION, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::{Request, Response};
use tower::Service as _;
use tower::util::MapRequestLayer;

use super::body::{Answer, Timed};
use super::front::Front;
use super::limits::LONGEST_TARGET;
use super::log::Line;
use super::pulse::Pulse;
use super::refusal::{REQUEST_ID, Refused};
use crate::providers::routes::problem::{WithoutLimits, add_unknown_quota, request_id};
use crate::service::Trace;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");

/// Noted of a request whose connection ended before its answer: no answer of ours has it.
const GONE: u16 = 499;

/// The requests of one connection.
pub(super) struct Requests {
    pub(super) front: Arc<Front>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) peer: IpAddr,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.pulse.request_begins();
        let visit = Visit::begin(&self.front, &request, self.peer);
        let pulse = Arc::clone(&self.pulse);
        Box::pin(async move {
            let response = answer(&visit, request, &pulse).await;
            let response = visit.finish(response);
            Ok(response.map(|body| Answer::new(body, pulse)))
        })
    }
}

async fn answer(visit: &Visit, request: Request<Incoming>, pulse: &Arc<Pulse>) -> Response<Body> {
    if let Some(refused) = objection(&request) {
        pulse.leave_unread();
        return refused.response();
    }
    let mut request = request.map(|incoming| Timed::body(incoming, visit.front.limits.body, pulse));
    request.extensions_mut().insert(visit.trace.clone());
    request.extensions_mut().insert(visit.route.clone());
    let answered = AssertUnwindSafe(visit.front.router.clone().call(request)).catch_unwind().await;
    let mut response = answered.map_or_else(
        |_| {
            visit.trace.failed_for("a panic".to_owned());
            Refused::Panicked.response()
        },
        |Ok(response)| response,
    );
    if pulse.is_body_late() {
        visit.front.metrics.body_is_overdue();
        // The routes know only that there was no body.
        response.extensions_mut().insert(Refused::LateBody);
    }
    response
}

/// What is wrong with a request whatever it asks for.
fn objection(request: &Request<Incoming>) -> Option<Refused> {
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > LONGEST_TARGET) {
        return Some(Refused::LongTarget);
    }
    let hosts = request.headers().get_all(HOST).iter().count();
    let is_wrong = hosts > 1 || hosts == 0 && request.version() == Version::HTTP_11;
    is_wrong.then_some(Refused::NoHost)
}

/// Notes which route a request takes: what the router finds out is seen in here alone.
#[derive(Clone, Default)]
struct Route(Arc<OnceLock<MatchedPath>>);

pub(super) fn noting_routes(router: Router) -> Router {
    router.layer(MapRequestLayer::new(|request: AxumRequest| {
        let extensions = request.extensions();
        if let (Some(route), Some(path)) = (extensions.get::<Route>(), extensions.get::<MatchedPath>()) {
            let _ = route.0.set(path.clone());
        }
        request
    }))
}

/// What is noted of a request, whatever becomes of it.
struct Visit {
    front: Arc<Front>,
    started: Instant,
    method: Method,
    uri: Uri,
    client: IpAddr,
    trace: Trace,
    route: Route,
    is_noted: bool,
}

impl Visit {
    fn begin(front: &Arc<Front>, request: &Request<Incoming>, peer: IpAddr) -> Self {
        let client = if front.behind_proxy { last_hop(request.headers()).unwrap_or(peer) } else { peer };
        Self {
            front: Arc::clone(front),
            started: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            client,
            trace: Trace::default(),
            route: Route::default(),
            is_noted: false,
        }
    }

    /// Gives the answer what every answer carries, and notes it.
    fn finish(mut self, mut response: Response<Body>) -> Response<Body> {
        if let Some(refused) = response.extensions_mut().remove::<Refused>() {
            let before = std::mem::take(response.headers_mut());
            let kept = |name: &HeaderName| *name == ALLOW || name.as_str().starts_with("x-ratelimit-");
            response = refused.answer(&request_id(self.front.random), (self.front.now)());
            let headers = response.headers_mut();
            headers.extend(before.into_iter().filter(|(name, _)| name.as_ref().is_some_and(kept)));
        }
        let has_no_limits = response.extensions().get::<WithoutLimits>().is_some();
        let headers = response.headers_mut();
        if !headers.contains_key(REQUEST_ID)
            && let Ok(id) = HeaderValue::from_str(&request_id(self.front.random))
        {
            headers.insert(REQUEST_ID, id);
        }
        if !has_no_limits && !headers.contains_key(LIMIT) {
            add_unknown_quota(headers, (self.front.now)());
        }
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if self.front.is_crowded() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let id = response.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
        self.note(response.status().as_u16(), id);
        response
    }

    fn note(&mut self, status: u16, request_id: Option<&str>) {
        self.is_noted = true;
        let took = self.started.elapsed();
        let route = self.route.0.get().map(MatchedPath::as_str);
        self.front.metrics.request(Some(&self.method), route, status, took);
        self.front.log.request(&Line {
            request_id,
            method: Some(self.method.as_str()),
            path: Some(self.uri.path()),
            status,
            took,
            client: self.client,
            workspace: self.trace.workspace(),
            key: self.trace.key(),
            cause: if status == GONE { Some("the connection ended before the answer") } else { self.trace.cause() },
        });
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if !self.is_noted {
            self.note(GONE, None);
        }
    }
}

/// Whom the proxy in front of us heard: what stands before that in the header, anybody can have written.
fn last_hop(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let hop = last.rsplit(',').next()?.trim();
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_whom_the_last_proxy_names() {
        let hop = |values: &[&'static str]| {
            let headers = values.iter().map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap()));
            last_hop(&headers.collect()).map(|hop| hop.to_string())
        };
        assert_eq!(hop(&["203.0.113.7, 198.51.100.2"]).as_deref(), Some("198.51.100.2"));
        assert_eq!(hop(&["203.0.113.7", "198.51.100.2:4711"]).as_deref(), Some("198.51.100.2"));
        assert_eq!(hop(&["2001:db8::1"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(hop(&["[2001:db8::1]"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(hop(&["[2001:db8::1]:80"]).as_deref(), Some("2001:db8::1"));
        for nobody in ["", "unknown", "198.51.100.2,", "\"198.51.100.2\""] {
            assert_eq!(hop(&[nobody]), None, "{nobody}");
        }
        assert_eq!(hop(&[]), None);
    }
}
