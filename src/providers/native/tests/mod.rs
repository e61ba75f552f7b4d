//! The native provider's HTTP from both sides: the routes as any caller sees them, and our own client of them.

mod account;
mod client;
mod data;
mod gate;
mod openapi;
mod pages;
mod refusals;
mod routes;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::model::key::IssuedKey;
use crate::model::plan::Plan;
use crate::providers::Provider;
use crate::providers::native::routes as native;
use crate::providers::routes::Context;
use crate::service::{Agreement, NewWorkspace, Service};
use crate::system;
use crate::testing::{START, TestDatabase, new_workspace, now};

/// The routes over a database of their own, with one workspace and its admin key.
struct Site {
    database: TestDatabase,
    service: Service,
    router: Router,
    document: Value,
    admin: IssuedKey,
}

impl Site {
    async fn new() -> Self {
        Self::with(new_workspace(&"acme".parse().unwrap()).agreement).await
    }

    /// Whose workspace has so many calls a day and a minute, and so many credits a month.
    async fn agreed(per_day: i64, per_minute: i64, monthly: i64) -> Self {
        Self::with(Agreement {
            plan: Plan::Enterprise,
            daily_limit: Some(per_day),
            minute_limit: Some(per_minute),
            monthly_credits: Some(monthly),
        })
        .await
    }

    async fn with(agreement: Agreement) -> Self {
        let database = TestDatabase::sqlite();
        let service = database.open().await;
        let name = "acme".parse().unwrap();
        let new = NewWorkspace { agreement, ..new_workspace(&name) };
        let admin = service.create_workspace(&new, START).await.unwrap();
        Self { database, router: native::routes(context(&service)), document: native::document(), service, admin }
    }

    async fn workspace_id(&self) -> String {
        self.service.workspaces().await.unwrap()[0].id.clone()
    }

    fn key(&self) -> &str {
        self.admin.plain.expose()
    }

    /// A request by the admin key.
    fn ask(&self, method: &'static str, target: impl Into<String>) -> Ask<'_> {
        self.ask_as(self.key(), method, target)
    }

    fn ask_as(&self, key: &str, method: &'static str, target: impl Into<String>) -> Ask<'_> {
        self.anonymous(method, target).header("authorization", &format!("Bearer {key}"))
    }

    fn anonymous(&self, method: &'static str, target: impl Into<String>) -> Ask<'_> {
        Ask { site: self, method, target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Creates a key: its id and its plaintext.
    async fn create(&self, name: &str, permissions: &[&str]) -> (String, String) {
        let answer = self
            .ask("POST", "/v1/api-keys")
            .json(&json!({ "name": name, "permissions": permissions }))
            .await_status(201)
            .await;
        let text = |field: &str| answer.body["data"][field].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// The statuses that the document declares for a request, where it has such a route at all.
    fn declared(&self, method: &str, target: &str) -> Option<Vec<String>> {
        let path = target.split('?').next().unwrap();
        let given: Vec<&str> = path.split('/').collect();
        let paths = self.document["paths"].as_object().unwrap();
        let fits = |template: &str| {
            let segments: Vec<&str> = template.split('/').collect();
            segments.len() == given.len()
                && segments.iter().zip(&given).all(|(segment, given)| segment.starts_with('{') || segment == given)
        };
        // A literal path wins over one with a parameter.
        let exact = paths.get(path);
        let found = exact.or_else(|| {
            let mut fitting = paths.iter().filter(|(template, _)| fits(template));
            fitting.next().map(|(_, operations)| operations)
        });
        let operation = found?.get(method.to_lowercase())?;
        let responses = operation["responses"].as_object().unwrap();
        Some(responses.keys().cloned().collect())
    }
}

fn context(service: &Service) -> Context {
    Context { service: service.clone(), now, random: system::random }
}

/// A request to be sent.
struct Ask<'a> {
    site: &'a Site,
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask<'_> {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").bytes(body.to_string())
    }

    fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and checks what holds for every answer.
    async fn send(self) -> Answered {
        let mut request = Request::builder().method(self.method).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = self.site.router.clone().oneshot(request.body(Body::from(self.body)).unwrap()).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        let place = format!("{} {}: {status}", self.method, self.target);
        let answered = Answered {
            status: status.as_u16(),
            headers,
            text: String::from_utf8(text.to_vec()).unwrap(),
            body: serde_json::from_slice(&text).unwrap_or_default(),
        };
        answered.check(status, &place);
        if let Some(declared) = self.site.declared(self.method, &self.target) {
            let status = status.as_str().to_owned();
            assert!(declared.contains(&status), "undeclared: {place}");
        }
        answered
    }

    async fn await_status(self, status: u16) -> Answered {
        let place = format!("{} {}", self.method, self.target);
        let answered = self.send().await;
        assert_eq!(answered.status, status, "{place}: {}", answered.text);
        answered
    }

    /// Sends it and expects to be refused with a status and a code.
    async fn refused(self, status: u16, code: &str) -> Answered {
        let place = format!("{} {}", self.method, self.target);
        let answered = self.send().await;
        let error = &answered.body["error"];
        let seen = (answered.status, error["code"].as_str().unwrap_or_default());
        assert_eq!(seen, (status, code), "{place}: {}", answered.text);
        answered
    }
}

/// What came back.
struct Answered {
    status: u16,
    headers: HeaderMap,
    text: String,
    body: Value,
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap()
    }

    fn check(&self, status: StatusCode, place: &str) {
        assert_eq!(self.header("cache-control"), Some("no-store"), "{place}");
        for header in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            let number = self.header(header).and_then(|value| value.parse::<i64>().ok());
            assert!(number.is_some_and(|number| number >= 0), "{place}: {header}");
        }
        assert_eq!(self.header("retry-after").is_some(), status == StatusCode::TOO_MANY_REQUESTS, "{place}");
        let id = self.header("x-request-id").unwrap_or_default();
        let digits = id.strip_prefix("req_").unwrap_or_default();
        assert!(
            digits.len() == 24 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{place}: request id {id:?}"
        );
        if status == StatusCode::NO_CONTENT {
            assert_eq!(self.text, "", "{place}");
            return;
        }
        let media = self.header("content-type");
        assert_eq!(media, Some("application/json"), "{place}: {}", self.text);
        if status.is_success() {
            assert!(self.body["data"].is_object() || self.body["data"].is_array());
            return;
        }
        let error = self.body["error"].as_object().unwrap();
        assert_eq!(self.body.as_object().unwrap().len(), 1, "{place}");
        assert_eq!(error["request_id"], id, "{place}");
        let known = ["code", "message", "hint", "request_id"];
        assert!(error.keys().all(|field| known.contains(&field.as_str())));
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

/// Every route of the management API, with a body that passes where it takes one; `ID` stands for a key's id.
const ROUTES: [(&str, &str, &str); 13] = [
    ("GET", "/v1/api-keys", ""),
    ("POST", "/v1/api-keys", r#"{"name":"x","permissions":["read"]}"#),
    ("GET", "/v1/api-keys/ID", ""),
    ("PATCH", "/v1/api-keys/ID", r#"{"name":"y"}"#),
    ("POST", "/v1/api-keys/ID/revoke", ""),
    ("POST", "/v1/api-keys/ID/reactivate", ""),
    ("POST", "/v1/api-keys/lookup", r#"{"key":"x"}"#),
    ("DELETE", "/v1/api-keys/ID", ""),
    ("GET", "/v1/api-keys/ID/usage", ""),
    ("GET", "/v1/usage", ""),
    ("GET", "/v1/credits", ""),
    ("GET", "/v1/audit-logs", ""),
    (WHOAMI.0, WHOAMI.1, ""),
];

/// What any valid key may ask.
const WHOAMI: (&str, &str) = ("GET", "/v1/whoami");

impl Site {
    /// One of [`ROUTES`] for the key with this id, by whoever presents `key`.
    fn route(&self, route: (&'static str, &str, &str), id: &str, key: &str) -> Ask<'_> {
        let (method, target, body) = route;
        let ask = self.ask_as(key, method, target.replace("ID", id));
        if body.is_empty() { ask } else { ask.header("content-type", "application/json").bytes(body) }
    }
}
