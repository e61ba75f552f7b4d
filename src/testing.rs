//! What the inner tests share: a runtime, a clock that tests move, both kinds of database, and a server that misbehaves.

use std::any::Any;
use std::cell::Cell;
use std::io::Write as _;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse;
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{AnyPool, AssertSqlSafe, Column, Row};
use tokio::net::TcpListener;

use crate::files::scratch::Scratch;
use crate::model::key::KeyName;
use crate::model::plan::Plan;
use crate::model::secret::hex;
use crate::providers::Provider;
use crate::service::{Agreement, Database, NewWorkspace, Service};
use crate::system;

/// Where every test's clock starts: 2026-09-21T14:13:20Z.
pub(crate) const START: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// The instant this many seconds after [`START`].
pub(crate) fn at(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

/// A native workspace on the enterprise plan.
pub(crate) fn new_workspace(name: &KeyName) -> NewWorkspace {
    let agreement = Agreement { plan: Plan::Enterprise, daily_limit: None, minute_limit: None, monthly_credits: None };
    NewWorkspace { name: name.clone(), provider: Provider::Native, agreement }
}

thread_local! {
    static CLOCK: Cell<Timestamp> = const { Cell::new(START) };
}

/// The clock for routes under test. Each test has a thread, and so a clock, of its own.
pub(crate) fn now() -> Timestamp {
    CLOCK.get()
}

/// Sets the clock of this test to so many seconds after [`START`].
pub(crate) fn set_clock(seconds: i64) {
    CLOCK.set(at(seconds));
}

/// Runs a future on this thread alone, whatever else it starts.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A database of a test's own, gone when the test ends.
pub(crate) struct TestDatabase {
    pub(crate) database: Database,
    /// A way around the engine, to see what it stored and to try what it would not.
    pub(crate) raw: AnyPool,
    /// For a SQLite database its directory.
    pub(crate) scratch: Option<Scratch>,
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        let scratch = Scratch::new();
        let path = scratch.path("keys.db");
        Self {
            raw: raw(&format!("sqlite://{}?mode=rw", path.display())),
            database: Database::Sqlite(path),
            scratch: Some(scratch),
        }
    }

    fn postgres(server: &str, schema: &str) -> Self {
        let mark = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{mark}options=-csearch_path%3D{schema}");
        Self { raw: raw(&url), database: Database::Postgres(url), scratch: None }
    }

    pub(crate) const fn is_sqlite(&self) -> bool {
        self.scratch.is_some()
    }

    /// Opens the engine on it, as another process would too.
    pub(crate) async fn open(&self) -> Service {
        Service::open(&self.database, 4, system::random).await.unwrap()
    }

    /// Runs a statement as it stands.
    pub(crate) async fn execute(&self, statement: &str) -> Result<u64, sqlx::Error> {
        let done = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&self.raw).await?;
        Ok(done.rows_affected())
    }

    /// What a statement finds: each row as `column=value` lines.
    pub(crate) async fn rows(&self, statement: &str) -> Vec<String> {
        let rows = sqlx::query(AssertSqlSafe(statement.to_owned())).fetch_all(&self.raw).await.unwrap();
        rows.iter().map(shown).collect()
    }

    pub(crate) async fn count(&self, from: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM {from}"))).fetch_one(&self.raw).await.unwrap()
    }

    /// Every row of every table of ours, sorted within each table.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let tables = if self.is_sqlite() {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        } else {
            "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema()"
        };
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&self.raw).await.unwrap();
        let mut dump = Vec::new();
        for table in tables.iter().filter(|table| !table.starts_with("_sqlx")) {
            let mut rows = self.rows(&format!("SELECT * FROM {table}")).await;
            rows.sort();
            dump.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
        }
        dump
    }
}

fn raw(url: &str) -> AnyPool {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new().max_connections(1).connect_lazy(url).unwrap()
}

/// Our columns are TEXT or BIGINT; the row of any other does not pass unseen.
fn shown(row: &AnyRow) -> String {
    let columns = row.columns().iter().map(|column| {
        let at = column.ordinal();
        let value = row.try_get::<Option<String>, _>(at).unwrap_or_else(|_| {
            let number: Option<i64> = row.try_get(at).unwrap();
            number.map(|number| number.to_string())
        });
        format!("{}={}", column.name(), value.as_deref().unwrap_or("NULL"))
    });
    columns.collect::<Vec<_>>().join("\n")
}

/// Runs a test on a fresh SQLite file, and on a fresh schema of the PostgreSQL that `KEYS_TEST_POSTGRES` names.
pub(crate) fn on_each_database(test: impl AsyncFn(&TestDatabase)) {
    block_on(async {
        let database = TestDatabase::sqlite();
        let on_sqlite = AssertUnwindSafe(test(&database)).catch_unwind().await;
        let on_postgres = match postgres_server() {
            Some(server) => on_postgres(&server, test).await,
            None => Ok(()),
        };
        for (name, ended) in [("SQLite", on_sqlite), ("PostgreSQL", on_postgres)] {
            if let Err(panic) = ended {
                println!("It failed on {name}.");
                resume_unwind(panic);
            }
        }
    });
}

async fn on_postgres(server: &str, test: impl AsyncFn(&TestDatabase)) -> Result<(), Box<dyn Any + Send>> {
    let mut random = [0_u8; 8];
    system::random(&mut random);
    let schema = format!("keys_test_{}", hex(&random));
    let outside = raw(server);
    let run = async |statement: String| sqlx::query(AssertSqlSafe(statement)).execute(&outside).await.unwrap();
    run(format!("CREATE SCHEMA {schema}")).await;
    let database = TestDatabase::postgres(server, &schema);
    let ended = AssertUnwindSafe(test(&database)).catch_unwind().await;
    database.raw.close().await;
    run(format!("DROP SCHEMA {schema} CASCADE")).await;
    ended
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is about the tests, not about the program; and a captured line would not be read"
)]
fn postgres_server() -> Option<String> {
    static SAID: Once = Once::new();
    let server = std::env::var("KEYS_TEST_POSTGRES").ok();
    if server.is_none() {
        SAID.call_once(|| {
            writeln!(
                std::io::stderr(),
                "PostgreSQL is left out: KEYS_TEST_POSTGRES names no server. `tests/run` starts one and covers it."
            )
            .ok();
        });
    }
    server
}

/// What a [`FaultyServer`] says to every request.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Bytes,
}

impl Said {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }
}

/// A server on port 0 that gives the same answers whatever it is asked. One that was never called fails its test.
pub(crate) struct FaultyServer {
    pub(crate) address: SocketAddr,
    calls: Arc<AtomicUsize>,
    /// Method and target of the last request.
    last: Arc<std::sync::Mutex<String>>,
}

impl FaultyServer {
    /// Answers the first request with the first of `answers`, and so on; the last one for ever after.
    pub(crate) async fn saying(answers: Vec<Said>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let last = Arc::new(std::sync::Mutex::new(String::new()));
        let (counted, seen) = (Arc::clone(&calls), Arc::clone(&last));
        let router = Router::new().fallback(move |request: Request| {
            let call = counted.fetch_add(1, Ordering::SeqCst);
            *seen.lock().unwrap() = format!("{} {}", request.method(), request.uri());
            let said = answers[call.min(answers.len() - 1)].clone();
            async move { answer(said) }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, calls, last }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn last_request(&self) -> String {
        self.last.lock().unwrap().clone()
    }
}

impl Drop for FaultyServer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.calls() > 0, "nobody called the faulty server");
        }
    }
}

fn answer(said: Said) -> axum::response::Response {
    let status = StatusCode::from_u16(said.status).unwrap();
    let mut answer = (status, said.body).into_response();
    for (name, value) in said.headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
