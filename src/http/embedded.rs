//! The road to the service within this process: the same router that `keys serve` listens with, called directly.

use axum::Router;
use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use tower::ServiceExt;
use zeroize::Zeroizing;

use super::{HttpError, LARGEST_ANSWER, RawAnswer, Request};

pub(super) async fn send(router: &Router, request: &Request) -> Result<RawAnswer, HttpError> {
    let broken = |what: String| HttpError::Broken { what, changes: request.changes() };
    let mut builder = axum::http::Request::builder().method(request.method.as_str()).uri(&request.target);
    for (name, value) in request.headers() {
        builder = builder.header(name, value);
    }
    let outgoing = builder
        .body(Body::from(request.body_bytes().to_vec()))
        .map_err(|error| HttpError::NotSent { what: error.to_string() })?;
    let answer = router.clone().oneshot(outgoing).await.map_err(|never| match never {})?;
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (status, request_id) = (answer.status().as_u16(), header("x-request-id"));
    let replayed = header("idempotency-replayed").is_some();
    let body =
        Limited::new(answer.into_body(), LARGEST_ANSWER).collect().await.map_err(|error| broken(error.to_string()))?;
    Ok(RawAnswer { status, request_id, replayed, quota: None, body: Zeroizing::new(body.to_bytes().to_vec()) })
}
