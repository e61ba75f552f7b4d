//! Why the store could not do something, and whether anything was changed.

use sqlx::migrate::MigrateError;
use thiserror::Error;

use crate::exit::{Exit, Explain};
use crate::files::FileError;

/// The store is out of reach or out of order. Nothing was changed, unless it says that nobody knows.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the database has schema {schema}, this program knows schemas up to {known}")]
    NewerSchema { schema: i64, known: i64 },
    #[error("the database is busy: another program holds its lock")]
    Busy,
    #[error("the database cannot be written")]
    ReadOnly,
    #[error("the disk that holds the database is full")]
    Full,
    #[error("the file is not a database of this program, or it is damaged")]
    NotADatabase,
    #[error("the database holds what this program never writes: {what}")]
    Corrupt { what: String },
    #[error("the schema could not be brought up to date")]
    Migration(#[source] MigrateError),
    #[error("the database does not answer")]
    Database(#[source] sqlx::Error),
    #[error("the database did not say whether the change was made")]
    CommitUnknown(#[source] sqlx::Error),
}

impl StoreError {
    /// Why a change failed: what the database refused in its own words did not happen; where its answer was lost, nobody
    /// knows.
    pub(super) fn of_a_change(error: sqlx::Error) -> Self {
        Self::in_a_change(error.into())
    }

    pub(super) fn in_a_change(self) -> Self {
        match self {
            Self::Database(error) => Self::CommitUnknown(error),
            refused => refused,
        }
    }

    /// Whether nobody knows if what was asked for happened.
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::CommitUnknown(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let Some(code) = code else { return Self::Database(error) };
        // PostgreSQL's codes have five characters; SQLite's have fewer, and the low byte is the primary one.
        let primary = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff);
        match (primary, &*code) {
            (Some(5 | 6), _) | (None, "55P03") => Self::Busy,
            (Some(8), _) | (None, "25006") => Self::ReadOnly,
            (Some(13), _) | (None, "53100") => Self::Full,
            (Some(11 | 26), _) => Self::NotADatabase,
            _ => Self::Database(error),
        }
    }
}

impl Explain for StoreError {
    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::CommitUnknown(_) => Exit::Unknown,
            Self::NewerSchema { .. }
            | Self::Busy
            | Self::ReadOnly
            | Self::Full
            | Self::NotADatabase
            | Self::Corrupt { .. }
            | Self::Migration(_)
            | Self::Database(_) => Exit::Unreachable,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::File(error) => error.code(),
            Self::NewerSchema { .. } => "newer_schema",
            Self::Busy => "database_busy",
            Self::ReadOnly => "database_read_only",
            Self::Full => "disk_full",
            Self::NotADatabase | Self::Corrupt { .. } => "database_damaged",
            Self::Migration(_) | Self::Database(_) => "database_unavailable",
            Self::CommitUnknown(_) => "outcome_unknown",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::File(error) => return error.hint(),
            Self::NewerSchema { .. } => "a newer keys has written this database: use that one".to_owned(),
            Self::Busy => "close the program that has it open, then run the command again".to_owned(),
            Self::ReadOnly => {
                "check the permissions of the file and of its directory, then run the command again".to_owned()
            }
            Self::Full => "make room, then run the command again".to_owned(),
            Self::NotADatabase | Self::Corrupt { .. } => {
                "restore it from a backup; or move it away, and a new one is made".to_owned()
            }
            Self::Migration(_) | Self::Database(_) => return None,
            Self::CommitUnknown(_) => "send the same request again, with its Idempotency-Key".to_owned(),
        })
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Busy | Self::Full | Self::Database(_) | Self::CommitUnknown(_) => true,
            Self::File(_)
            | Self::NewerSchema { .. }
            | Self::ReadOnly
            | Self::NotADatabase
            | Self::Corrupt { .. }
            | Self::Migration(_) => false,
        }
    }
}
