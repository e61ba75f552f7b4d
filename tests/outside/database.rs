//! A database of a test's own, on either engine.

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};

use crate::support::{Place, leave_out};

pub(crate) struct Database {
    /// As `--database` takes it.
    pub(crate) url: String,
    /// The server it is on, and its name there.
    pub(crate) on_postgres: Option<(String, String)>,
}

impl Database {
    pub(crate) fn sqlite(place: &Place) -> Self {
        Self { url: format!("sqlite:{}", place.path("service.db").display()), on_postgres: None }
    }

    /// `None`, said on standard error, where there is no PostgreSQL.
    #[expect(clippy::disallowed_methods, reason = "it is about the tests, not about the program")]
    pub(crate) fn postgres(left_out: &str) -> Option<Self> {
        let Ok(server) = std::env::var("KEYS_TEST_POSTGRES") else {
            leave_out("PostgreSQL", left_out);
            return None;
        };
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
        let name = format!("keys_outside_{random:016x}");
        execute(&server, &format!("CREATE DATABASE {name}"));
        let (before, _) = server.rsplit_once('/').expect("the name of a database in KEYS_TEST_POSTGRES");
        Some(Self { url: format!("{before}/{name}"), on_postgres: Some((server, name)) })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.on_postgres {
            execute(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn execute(url: &str, statement: &str) {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = AnyConnection::connect(url).await.unwrap();
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}
