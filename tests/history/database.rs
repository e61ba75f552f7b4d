//! A database of a test's own, and a way into it around the service.

use std::path::PathBuf;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tokio::runtime::{Builder, Runtime};

use crate::support::{Place, leave_out};

pub(crate) struct Database {
    /// As `--database` takes it.
    pub(crate) url: String,
    kind: Kind,
}

enum Kind {
    Sqlite(PathBuf),
    /// The name of a database of its own on the server at this address.
    Postgres(String, String),
}

impl Database {
    pub(crate) fn sqlite(place: &Place) -> Self {
        let path = place.path("service.db");
        Self { url: format!("sqlite:{}", path.display()), kind: Kind::Sqlite(path) }
    }

    /// `None`, said on standard error, where there is no PostgreSQL.
    #[expect(clippy::disallowed_methods, reason = "it is about the tests, not about the program")]
    pub(crate) fn postgres(left_out: &str) -> Option<Self> {
        let Ok(server) = std::env::var("KEYS_TEST_POSTGRES") else {
            leave_out("KEYS_TEST_POSTGRES", left_out);
            return None;
        };
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
        let name = format!("keys_history_{random:016x}");
        execute(&server, &format!("CREATE DATABASE {name}"));
        let (before, _) = server.rsplit_once('/').expect("the name of a database in KEYS_TEST_POSTGRES");
        Some(Self { url: format!("{before}/{name}"), kind: Kind::Postgres(server.clone(), name) })
    }

    /// Where PostgreSQL listens, and the URL of the same database at another address.
    pub(crate) fn through(&self, proxy: impl FnOnce(&str) -> String) -> String {
        let (before, place) = self.url.rsplit_once('@').expect("a user in KEYS_TEST_POSTGRES");
        let (address, name) = place.split_once('/').unwrap();
        format!("{before}@{}/{name}", proxy(address))
    }

    /// What a statement finds.
    pub(crate) fn rows(&self, statement: &str) -> Vec<AnyRow> {
        with(&self.raw(), async |connection| {
            sqlx::query(AssertSqlSafe(statement.to_owned())).fetch_all(connection).await.unwrap()
        })
    }

    /// Does a task while what these statements lock is locked.
    pub(crate) fn held(&self, statements: &str, task: impl FnOnce()) {
        with(&self.raw(), async |connection| {
            sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut *connection).await.unwrap();
            task();
            sqlx::raw_sql("ROLLBACK").execute(connection).await.unwrap();
        });
    }

    /// As `sqlx` takes it.
    fn raw(&self) -> String {
        match &self.kind {
            Kind::Sqlite(path) => format!("sqlite://{}?mode=rw", path.display()),
            Kind::Postgres(..) => self.url.clone(),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Kind::Postgres(server, name) = &self.kind {
            execute(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn execute(url: &str, statement: &str) {
    with(url, async |connection| {
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(connection).await.unwrap();
    });
}

fn with<T>(url: &str, task: impl AsyncFnOnce(&mut AnyConnection) -> T) -> T {
    sqlx::any::install_default_drivers();
    let runtime: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = AnyConnection::connect(url).await.unwrap();
        let done = task(&mut connection).await;
        connection.close().await.unwrap();
        done
    })
}
