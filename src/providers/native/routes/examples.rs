//! Examples of the refusals in the OpenAPI document, made by what refuses.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::say;
use crate::model::permission::Permission;
use crate::providers::native::rules::{MANAGING, RULES, WRITING};
use crate::providers::routes::problem::Problem;
use crate::service::Refusal;

/// A refusal of each code.
pub(super) struct Examples(Vec<Problem>);

impl Examples {
    pub(super) fn new() -> Self {
        let name = || "Ingestion worker".to_owned();
        let refusals = [
            Refusal::MissingCredential,
            Refusal::InvalidKey,
            Refusal::RevokedKey,
            Refusal::NoCredits,
            Refusal::MissingPermission(MANAGING),
            Refusal::NotHeld(Permission::from_server(WRITING)),
            Refusal::LastAdmin(RULES.management.way_to_another()),
            Refusal::RateLimited { resets_at: Timestamp::constant(1_771_977_600, 0) },
            Refusal::NotFound,
            Refusal::DuplicateName(name()),
            Refusal::IdempotencyConflict,
            Refusal::IdempotencyInProgress,
            Refusal::Invalid { field: "name", problem: "it is empty".to_owned() },
            Refusal::InvalidDateRange,
        ];
        let mut problems: Vec<Problem> = refusals.into_iter().map(Problem::from).collect();
        problems.extend([
            Problem::too_large(),
            Problem::unsupported_media_type(),
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "outcome_unknown",
                "the database did not say whether the change was made",
            ),
            Problem::unavailable(),
        ]);
        Self(problems)
    }

    /// Adds an example of every code that a response names.
    pub(super) fn add(&self, status: &str, response: &mut Value) {
        let described = response["description"].as_str().unwrap_or_default().to_owned();
        let Some(content) = response.pointer_mut("/content/application~1json") else { return };
        for problem in &self.0 {
            let code = &*problem.code;
            if problem.status.as_str() == status && described.contains(&format!("`{code}`")) {
                let (_, answer) = say(problem, "req_5f0c9a1e7b3d2846a0c4e6f8");
                content["examples"][code] = json!({ "value": answer });
            }
        }
    }
}
