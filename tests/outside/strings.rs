//! The naughty strings, and those that only a service of keys has to fear: as names, descriptions, reasons, filters and data
//! the service takes them or refuses them and never fails; in a terminal they do nothing, and in a spreadsheet neither.

use naughty_strings::BLNS;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _};

use super::database::Database;
use super::http::{Answer, Connection, Request};
use super::service::Service;
use super::terminal::{acts, written};
use crate::support::Place;

/// Besides the list.
const OWN: [&str; 28] = [
    "\u{0}",
    "nul\u{0}within",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{1b}]52;c;ZXZpbA==\u{7}",
    "\u{9b}31mred",
    "a\rb",
    "a\nb",
    "a\tb",
    "\u{202e}gnp.exe",
    "\u{2066}isolated\u{2069}",
    "\u{feff}marked",
    "zero\u{200b}width",
    "\u{2028}separated\u{2029}",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\u{ff1d}1+1",
    "%",
    "_",
    "!",
    "%00",
    "%25",
    "' OR ''='",
    "\"; DROP TABLE api_keys; --",
    "../../etc/passwd",
    "\u{10ffff}",
];

/// A longer one is not read to its end.
const LONGEST_ADDRESS: usize = 8 * 1024;

fn strings() -> Vec<String> {
    let long = [119, 120, 121, 499, 500, 501].map(|length| "\u{e9}".repeat(length));
    let own = OWN.into_iter().map(str::to_owned).chain(long);
    // Each control character, and what turns text around.
    let controls =
        ('\u{0}'..='\u{1f}').chain('\u{7f}'..='\u{9f}').chain('\u{200b}'..='\u{200f}').chain('\u{202a}'..='\u{202e}');
    BLNS.iter()
        .map(|text| (*text).to_owned())
        .chain(own)
        .chain(controls.map(|control| format!("a{control}b")))
        .collect()
}

#[test]
fn the_service_takes_or_refuses_any_text_on_sqlite() {
    let place = Place::new();
    send_everything(&place, &Database::sqlite(&place));
}

#[test]
fn the_service_takes_or_refuses_any_text_on_postgres() {
    let Some(database) = Database::postgres("the naughty strings on PostgreSQL") else { return };
    send_everything(&Place::new(), &database);
}

fn send_everything(place: &Place, database: &Database) {
    let service = Service::start(place, database, "--monthly-credits 1000000");
    let mut sender = Sender::new(&service);
    let strings = strings();
    assert!(strings.len() > 500, "{}", strings.len());
    for text in &strings {
        sender.as_key(text);
        sender.as_filter(text);
        sender.as_data(text);
    }
    for text in OWN {
        sender.where_it_does_not_belong(text);
    }
    assert!(sender.accepted > 300, "{} names were taken", sender.accepted);
    let failed: Vec<Value> = service.log().into_iter().filter(|line| line["level"] == "error").collect();
    assert_eq!(failed, Vec::<Value>::new());
}

struct Sender {
    address: String,
    connection: Connection,
    key: String,
    /// The path of a key that is changed again and again.
    path: String,
    /// How many names were taken.
    accepted: usize,
}

impl Sender {
    fn new(service: &Service<'_>) -> Self {
        let connection = Connection::open(&service.address);
        let (address, key) = (service.address.clone(), service.admin.clone());
        let mut sender = Self { address, connection, key, path: String::new(), accepted: 0 };
        let key = sender.send("POST", "/v1/api-keys", &json!({ "name": "changed", "permissions": ["read"] })).json();
        sender.path = format!("/v1/api-keys/{}", key["data"]["id"].as_str().unwrap());
        sender
    }

    #[track_caller]
    fn ask(&mut self, request: Request) -> Answer {
        let answer = self.connection.ask(&request.key(&self.key));
        if answer.header("connection") == Some("close") {
            self.connection = Connection::open(&self.address);
        }
        assert!(answer.status < 500, "{answer:?}");
        if answer.status >= 400 {
            answer.refusal();
        }
        answer
    }

    #[track_caller]
    fn get(&mut self, target: &str) -> Answer {
        self.ask(Request::new("GET", target))
    }

    #[track_caller]
    fn send(&mut self, method: &str, target: &str, body: &Value) -> Answer {
        self.ask(Request::new(method, target).json(body))
    }

    fn as_key(&mut self, text: &str) {
        let named = self.send("POST", "/v1/api-keys", &json!({ "name": text, "permissions": ["read"] }));
        assert!([201, 400, 409].contains(&named.status), "{text:?}: {named:?}");
        if named.status == 201 {
            self.accepted += 1;
            let key = &named.json()["data"];
            assert_eq!(key["name"], text);
            assert_eq!(acts(text), None, "{text:?} was taken");
            let path = format!("/v1/api-keys/{}/revoke", key["id"].as_str().unwrap());
            let revoked = self.send("POST", &path, &json!({ "reason": text }));
            assert_eq!(revoked.json()["data"]["revoked_reason"], text);
        }
        let described = self.send("PATCH", &self.path.clone(), &json!({ "description": text }));
        assert!([200, 400].contains(&described.status), "{text:?}: {described:?}");
        if described.status == 200 {
            assert_eq!(described.json()["data"]["description"], text);
        }
    }

    fn as_filter(&mut self, text: &str) {
        let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC);
        for parameters in [
            format!("/v1/api-keys?per_page=5&status=all&search={encoded}"),
            format!("/v1/api-keys?per_page=5&status=all&selector={encoded}"),
            format!("/v1/audit-logs?action={encoded}&resource_id={encoded}&actor={encoded}"),
        ] {
            // A text that the list has is longer than any address may be.
            let expected = if parameters.len() > LONGEST_ADDRESS { 414 } else { 200 };
            assert_eq!(self.get(&parameters).status, expected, "{parameters:.80}");
        }
        if !text.is_empty() {
            assert_eq!(self.get(&format!("/v1/api-keys/{encoded}")).status, 404, "{text:?}");
        }
    }

    fn as_data(&mut self, text: &str) {
        let added = self.send("POST", "/v1/contacts", &json!({ "name": text, "more": { "deep": [text] } }));
        assert_eq!(added.status, 201, "{text:?}: {added:?}");
        let kept = &added.json()["data"];
        assert_eq!((&kept["name"], &kept["more"]["deep"][0]), (&json!(text), &json!(text)));
    }

    fn where_it_does_not_belong(&mut self, text: &str) {
        let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC);
        for parameter in ["sort", "status", "page", "per_page", "x"] {
            self.get(&format!("/v1/api-keys?{parameter}={encoded}"));
        }
        for parameter in ["from", "to", "after"] {
            self.get(&format!("/v1/audit-logs?{parameter}={encoded}"));
        }
        for path in
            [format!("/v1/usage?days={encoded}"), format!("/v1/api-keys/{encoded}/usage"), format!("/{encoded}")]
        {
            self.get(&path);
        }
        let path = self.path.clone();
        for field in ["name", "permissions", "expires_at", "rate_limit_tier", text] {
            self.send("PATCH", &path, &json!({ field: text }));
            self.send("POST", "/v1/api-keys", &json!({ field: [text] }));
        }
        self.send("PATCH", &path, &json!({ "permissions": [text] }));
        self.send("POST", "/v1/api-keys/lookup", &json!({ "key": text }));
        self.send("PATCH", &format!("/v1/contacts/{encoded}"), &json!({ "x": text }));
        self.send("POST", "/v1/lists", &json!({ text: text }));
        self.send("POST", "/v1/lexi/chat", &json!({ "message": text }));
        // What HTTP itself lets a header hold.
        if text.bytes().all(|byte| byte >= b' ' && byte != 0x7f) {
            self.ask(Request::new("POST", &format!("{path}/reactivate")).header("Idempotency-Key", text));
        }
        let called = Request::new("GET", "/authorize").header("X-Original-Method", "GET");
        self.ask(called.header("X-Original-URI", format!("/v1/contacts/{encoded}?q={encoded}")));
    }
}

/// In the database there is what the service would have refused: written by another hand, or by a service that is not ours.
#[test]
fn nothing_acts_on_a_terminal_or_in_a_spreadsheet() {
    let place = Place::new();
    let database = Database::sqlite(&place);
    let service = Service::start(&place, &database, "--monthly-credits 1000");
    let mut connection = Connection::open(&service.address);
    let texts: Vec<String> = strings().into_iter().filter(|text| !text.contains('\0') && !text.is_empty()).collect();
    for number in 0..texts.len() {
        let body = json!({ "name": format!("key {number}"), "permissions": ["read"] });
        assert_eq!(connection.ask(&Request::new("POST", "/v1/api-keys").key(&service.admin).json(&body)).status, 201);
    }
    service.operator("member add --workspace Acme --name Ada --role support --to file:ada.key").done();
    service.operator("workspace grant-credits Acme 10 --note x").done();
    plant(&database, &texts);

    let environment = [("KEYS_API_URL", service.url()), ("KEYS_API_KEY", service.admin.clone())];
    let mut environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    environment.push(("KEYS_DATABASE_URL", &database.url));
    screens_are_harmless(&place, &environment);
    errors_are_harmless(&place, &environment, &texts);
    spreadsheets_are_harmless(&service, &database);
}

fn screens_are_harmless(place: &Place, environment: &[(&str, &str)]) {
    let nasty = "Ac\u{1b}[2Jme\u{202e}";
    let lines: [&[&str]; 12] = [
        &["list", "--status", "all"],
        &["show", "key_"],
        &["audit", "--limit", "50"],
        &["usage"],
        &["credits"],
        &["whoami"],
        &["check"],
        &["serve", "workspace", "list"],
        &["serve", "workspace", "show", nasty],
        &["serve", "workspace", "set-plan", nasty, "enterprise", "--per-day", "5000"],
        &["serve", "member", "list", "--workspace", nasty],
        &["serve", "audit", "verify"],
    ];
    for line in lines {
        let shown = written(place, environment, line);
        assert!(shown.len() > 40, "{line:?}: {shown}");
        assert_eq!(acts(&shown), None, "{line:?}: {:?}", first_line_that_acts(&shown));
        assert!(!shown.contains("panicked"), "{shown}");
    }
}

/// What is typed comes back in errors.
fn errors_are_harmless(place: &Place, environment: &[(&str, &str)], texts: &[String]) {
    let odd = texts.iter().filter(|text| acts(text).is_some() || text.starts_with(['=', '-', '@']));
    for text in odd.step_by(5).take(20) {
        let lines: [&[&str]; 5] = [
            &["show", text],
            &["perms", "for", text],
            &["create", "--name", "x", "--perm", text],
            &["serve", "workspace", "show", text],
            &["serve", "init", "--name", text, "--to", "file:first.key"],
        ];
        for line in lines {
            let shown = written(place, environment, line);
            assert_eq!(acts(&shown), None, "{line:?}: {:?}", first_line_that_acts(&shown));
            assert!(!shown.contains("panicked"), "{line:?}: {shown}");
        }
    }
}

fn spreadsheets_are_harmless(service: &Service<'_>, database: &Database) {
    for line in [
        "list --status all --format csv",
        "audit --format csv",
        "serve workspace list --format csv",
        "serve audit verify --format csv",
    ] {
        let csv = service.keys(&service.admin).args(line).env("KEYS_DATABASE_URL", &database.url).done();
        let mut cells = 0;
        let mut reader = csv::ReaderBuilder::new().from_reader(csv.stdout.as_bytes());
        for record in reader.records() {
            for cell in &record.unwrap() {
                // Negative numbers stay numbers.
                let is_number = cell.strip_prefix('-').is_some_and(|digits| digits.parse::<f64>().is_ok());
                let runs =
                    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
                assert!(!runs || is_number, "{line}: {cell:?}");
                cells += 1;
            }
        }
        assert!(cells > 3, "{line}: {}", csv.stderr);
    }
}

fn first_line_that_acts(shown: &str) -> Option<&str> {
    shown.split("\r\n").find(|line| acts(line).is_some())
}

/// Puts the texts where the service reads names, descriptions, reasons, notes and the workspace's name.
fn plant(database: &Database, texts: &[String]) {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("{}?mode=rw", database.url.replace("sqlite:", "sqlite://"));
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        for (number, text) in texts.iter().enumerate() {
            let shortest: String = text.chars().take(120).collect();
            sqlx::query("UPDATE api_keys SET name = $1, description = $1, revoked_reason = $1 WHERE name = $2")
                .bind(&shortest)
                .bind(format!("key {number}"))
                .execute(&mut connection)
                .await
                .unwrap();
        }
        for statement in [
            "UPDATE api_keys SET name = 'A\u{1b}]0;x\u{7}da', description = '\u{202e}' WHERE name = 'Ada'",
            "UPDATE credit_grants SET note = '=1+1\u{1b}[31m\u{7}' WHERE note = 'x'",
            "UPDATE workspaces SET name = 'Ac\u{1b}[2Jme\u{202e}'",
        ] {
            let done = sqlx::query(statement).execute(&mut connection).await.unwrap();
            assert_eq!(done.rows_affected(), 1, "{statement:?}");
        }
        connection.close().await.unwrap();
    });
}
