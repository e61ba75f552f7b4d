//! What the data routes keep, so that the gate has something behind it: contacts, lists, campaigns, leads, audiences and the
//! tasks of the assistant, each a JSON object as its caller wrote it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::store::StoredRecord;
use super::{Refusal, Service};
use crate::model::record::Record;

/// A kind of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    Contacts,
    Lists,
    Campaigns,
    Tasks,
    Leads,
    Audiences,
}

impl Collection {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Lists => "lists",
            Self::Campaigns => "campaigns",
            Self::Tasks => "tasks",
            Self::Leads => "leads",
            Self::Audiences => "audiences",
        }
    }

    /// What ids of it begin with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Contacts => "con_",
            Self::Lists => "list_",
            Self::Campaigns => "camp_",
            Self::Tasks => "task_",
            Self::Leads => "lead_",
            Self::Audiences => "aud_",
        }
    }
}

impl Service {
    /// One page of a workspace's collection, newest first, and how many objects there are on all pages.
    pub(crate) async fn list_records(
        &self,
        workspace: &str,
        collection: Collection,
        page: u32,
        per_page: u32,
    ) -> Result<(Vec<Record>, i64), Refusal> {
        let (stored, total) = self.store.records(workspace, collection.name(), page, per_page).await?;
        Ok((stored.into_iter().map(read).collect(), total))
    }

    /// Adds an object.
    pub(crate) async fn add_record(
        &self,
        workspace: &str,
        collection: Collection,
        content: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        let record = StoredRecord {
            id: self.new_id(collection.prefix()),
            content: stored(content)?,
            created_at: now,
            updated_at: now,
        };
        self.store.insert_record(workspace, collection.name(), &record).await?;
        Ok(read(record))
    }

    /// Sets the given fields of an object; `null` removes a field.
    pub(crate) async fn change_record(
        &self,
        workspace: &str,
        collection: Collection,
        id: &str,
        changes: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        loop {
            let before = self.store.record(workspace, collection.name(), id).await?.ok_or(Refusal::NotFound)?;
            let mut content: Map<String, Value> = serde_json::from_str(&before.content).unwrap_or_default();
            for (field, value) in changes {
                if value.is_null() {
                    content.remove(field);
                } else {
                    content.insert(field.clone(), value.clone());
                }
            }
            let after = StoredRecord { content: stored(&content)?, updated_at: now, ..before.clone() };
            // Somebody else may have changed it meanwhile: then their change is the one to build on.
            if self.store.replace_record(workspace, collection.name(), &before, &after).await? {
                return Ok(read(after));
            }
        }
    }

    /// Removes an object.
    pub(crate) async fn remove_record(&self, workspace: &str, collection: Collection, id: &str) -> Result<(), Refusal> {
        let removed = self.store.delete_record(workspace, collection.name(), id).await?;
        if removed { Ok(()) } else { Err(Refusal::NotFound) }
    }
}

/// The text of an object. The service gives the fields that say which object it is.
fn stored(content: &Map<String, Value>) -> Result<String, Refusal> {
    for field in ["id", "created_at", "updated_at"] {
        if content.contains_key(field) {
            return Err(Refusal::Invalid { field, problem: "the service gives it".to_owned() });
        }
    }
    Ok(Value::Object(content.clone()).to_string())
}

fn read(stored: StoredRecord) -> Record {
    let StoredRecord { id, content, created_at, updated_at } = stored;
    Record { id, content: serde_json::from_str(&content).unwrap_or_default(), created_at, updated_at }
}
