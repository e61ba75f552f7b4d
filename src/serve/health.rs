//! Whether the process lives, and whether it can do its work. Whoever asks needs no key.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::refusal::Refused;
use super::shutdown::Stage;
use crate::service::trace::whole;
use crate::service::{Service, Trace};

#[derive(Clone)]
struct Health {
    service: Service,
    stage: Stage,
}

/// `/healthz` and `/readyz`.
pub(crate) fn routes(service: Service, stage: Stage) -> Router {
    let wrong_method = || async { Refused::WrongMethod };
    Router::new()
        .route("/healthz", get(|| async { axum::Json(json!({"status": "ok"})) }).fallback(wrong_method))
        .route("/readyz", get(ready).fallback(wrong_method))
        .with_state(Health { service, stage })
}

async fn ready(State(health): State<Health>, trace: Option<axum::Extension<Trace>>) -> Response {
    if health.stage.is_draining() {
        return Refused::Draining.into_response();
    }
    match health.service.is_ready().await {
        Ok(()) => axum::Json(json!({"status": "ready"})).into_response(),
        Err(error) => {
            if let Some(axum::Extension(trace)) = trace {
                trace.failed_for(whole(&error));
            }
            Refused::NotReady.into_response()
        }
    }
}
