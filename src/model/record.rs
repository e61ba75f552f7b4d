//! What the data routes keep: JSON objects as their callers wrote them.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// An object, and what the service adds to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) content: Map<String, Value>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}
