//! What the data routes keep, so that the gate has something behind it: contacts, lists, campaigns, leads, audiences and the
//! tasks of the assistant, each a JSON object as its caller wrote it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::idempotency::Begun;
use super::store::StoredRecord;
use super::{Answer, Ask, Caller, Refusal, Service};
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
        ask: Ask<'_>,
        collection: Collection,
        content: &Map<String, Value>,
        render: impl Fn(&Record) -> Answer,
    ) -> Result<Answer, Refusal> {
        let content = stored(content)?;
        let mut change = match self.begin_as(ask, admitted).await? {
            Begun::Fresh(change) => change,
            Begun::Replay(answer) => return Ok(answer),
        };
        let id = self.new_id(collection.prefix());
        let record = StoredRecord { id, content, created_at: ask.now, updated_at: ask.now };
        change.write.insert_record(collection.name(), &record).await?;
        self.finish(ask, *change, Ok(render(&read(record))), None).await
    }

    /// Changes an object.
    pub(crate) async fn change_record(
        &self,
        ask: Ask<'_>,
        (collection, id): (Collection, &str),
        changes: &Map<String, Value>,
        render: impl Fn(&Record) -> Answer,
    ) -> Result<Answer, Refusal> {
        let mut change = match self.begin_as(ask, admitted).await? {
            Begun::Fresh(change) => change,
            Begun::Replay(answer) => return Ok(answer),
        };
        let before = change.write.record(collection.name(), id).await?;
        let after = before.ok_or(Refusal::NoSuchObject).and_then(|before| changed(before, changes, ask.now));
        if let Ok(after) = &after {
            change.write.replace_record(collection.name(), after).await?;
        }
        self.finish(ask, *change, after.map(|after| render(&read(after))), None).await
    }

    /// Removes an object.
    pub(crate) async fn remove_record(
        &self,
        ask: Ask<'_>,
        collection: Collection,
        id: &str,
        render: impl Fn() -> Answer,
    ) -> Result<Answer, Refusal> {
        let mut change = match self.begin_as(ask, admitted).await? {
            Begun::Fresh(change) => change,
            Begun::Replay(answer) => return Ok(answer),
        };
        let is_deleted = change.write.delete_record(collection.name(), id).await?;
        let deleted = if is_deleted { Ok(render()) } else { Err(Refusal::NoSuchObject) };
        self.finish(ask, *change, deleted, None).await
    }
}

/// The gate has looked at what the caller may do.
#[expect(clippy::unnecessary_wraps, reason = "it stands where others refuse")]
const fn admitted(_: &Caller) -> Result<(), Refusal> {
    Ok(())
}

/// An object with these fields set; `null` removes one.
fn changed(before: StoredRecord, changes: &Map<String, Value>, now: Timestamp) -> Result<StoredRecord, Refusal> {
    let mut content: Map<String, Value> = serde_json::from_str(&before.content).unwrap_or_default();
    for (field, value) in changes {
        if value.is_null() {
            content.remove(field);
        } else {
            content.insert(field.clone(), value.clone());
        }
    }
    Ok(StoredRecord { content: stored(&content)?, updated_at: now, ..before })
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
