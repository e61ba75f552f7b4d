//! The tables of workspaces and of the features they have.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, Write, instant, micros};
use crate::model::key::Key;
use crate::model::plan::{Limits, Plan};
use crate::model::tier::Tier;
use crate::providers::Provider;

/// A workspace as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) provider: Provider,
    pub(crate) plan: Plan,
    /// What was agreed on instead of the plan's figures.
    pub(crate) daily_limit: Option<i64>,
    pub(crate) minute_limit: Option<i64>,
    /// Credits granted at the start of each month.
    pub(crate) monthly_credits: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) features: BTreeSet<String>,
}

impl Workspace {
    pub(crate) fn limits(&self) -> Limits {
        let plan = self.plan.limits();
        Limits {
            per_day: self.daily_limit.unwrap_or(plan.per_day),
            per_minute: self.minute_limit.unwrap_or(plan.per_minute),
        }
    }

    /// What the tier of one of its keys comes to. Where the provider has no limits, no key has any.
    pub(crate) fn tier_of(&self, key: &Key) -> Tier {
        if self.provider.rules().has_limits { self.plan.tier_of(key.tier) } else { Tier::Unmetered }
    }
}

/// All columns, in every statement that reads workspaces.
macro_rules! columns {
    () => {
        "SELECT id, name, provider, plan, daily_limit, minute_limit, monthly_credits, created_at FROM workspaces"
    };
}

impl Store {
    /// Makes a workspace; `false` where its name is taken.
    pub(crate) async fn insert_workspace(&self, workspace: &Workspace) -> Result<bool, StoreError> {
        let inserted = sqlx::query(
            "INSERT INTO workspaces \
             (id, name, provider, plan, daily_limit, minute_limit, monthly_credits, seq, audit_head, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', $8) ON CONFLICT (name) DO NOTHING RETURNING id",
        )
        .bind(&workspace.id)
        .bind(&workspace.name)
        .bind(workspace.provider.rules().name)
        .bind(workspace.plan.as_str())
        .bind(workspace.daily_limit)
        .bind(workspace.minute_limit)
        .bind(workspace.monthly_credits)
        .bind(micros(workspace.created_at))
        .fetch_optional(&self.pool)
        .await?;
        Ok(inserted.is_some())
    }

    /// All workspaces, by name.
    pub(crate) async fn workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        let rows = sqlx::query(concat!(columns!(), " ORDER BY name, id")).fetch_all(&self.pool).await?;
        let mut workspaces = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        for workspace in &mut workspaces {
            workspace.features = self.features(&workspace.id).await?;
        }
        Ok(workspaces)
    }

    pub(crate) async fn workspace_named(&self, name: &str) -> Result<Option<Workspace>, StoreError> {
        self.workspace(concat!(columns!(), " WHERE name = $1"), name).await
    }

    pub(crate) async fn workspace_with_id(&self, id: &str) -> Result<Option<Workspace>, StoreError> {
        self.workspace(concat!(columns!(), " WHERE id = $1"), id).await
    }

    /// Whether a workspace has any key.
    pub(crate) async fn has_keys(&self, workspace: &str) -> Result<bool, StoreError> {
        let key = sqlx::query("SELECT id FROM api_keys WHERE workspace_id = $1 LIMIT 1").bind(workspace);
        Ok(key.fetch_optional(&self.pool).await?.is_some())
    }

    /// Whether there is any workspace at all.
    pub(crate) async fn has_workspaces(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query("SELECT id FROM workspaces LIMIT 1").fetch_optional(&self.pool).await?.is_some())
    }

    async fn workspace(&self, statement: &'static str, key: &str) -> Result<Option<Workspace>, StoreError> {
        let Some(row) = sqlx::query(statement).bind(key).fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let mut workspace = read(&row)?;
        workspace.features = self.features(&workspace.id).await?;
        Ok(Some(workspace))
    }

    async fn features(&self, workspace: &str) -> Result<BTreeSet<String>, StoreError> {
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM workspace_features WHERE workspace_id = $1")
            .bind(workspace)
            .fetch_all(&self.pool)
            .await?;
        Ok(names.into_iter().collect())
    }
}

impl Write {
    /// The workspace as it is while its lock is held.
    pub(crate) async fn read_workspace(&mut self) -> Result<Workspace, StoreError> {
        let id = self.workspace.clone();
        let row = sqlx::query(concat!(columns!(), " WHERE id = $1")).bind(&id).fetch_one(self.connection()).await?;
        let mut workspace = read(&row)?;
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM workspace_features WHERE workspace_id = $1")
            .bind(id)
            .fetch_all(self.connection())
            .await?;
        workspace.features = names.into_iter().collect();
        Ok(workspace)
    }

    /// Stores everything of a workspace that can change, but for its features.
    pub(crate) async fn update_workspace(&mut self, workspace: &Workspace) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE workspaces SET plan = $2, daily_limit = $3, minute_limit = $4, monthly_credits = $5 WHERE id = $1",
        )
        .bind(&workspace.id)
        .bind(workspace.plan.as_str())
        .bind(workspace.daily_limit)
        .bind(workspace.minute_limit)
        .bind(workspace.monthly_credits)
        .execute(self.connection())
        .await?;
        self.changes_workspace();
        Ok(())
    }

    /// Gives the workspace a feature, or takes it.
    pub(crate) async fn set_feature(&mut self, name: &str, enabled: bool, now: Timestamp) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        let statement = if enabled {
            sqlx::query(
                "INSERT INTO workspace_features (workspace_id, name, enabled_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (workspace_id, name) DO NOTHING",
            )
            .bind(workspace)
            .bind(name)
            .bind(micros(now))
        } else {
            sqlx::query("DELETE FROM workspace_features WHERE workspace_id = $1 AND name = $2")
                .bind(workspace)
                .bind(name)
        };
        statement.execute(self.connection()).await?;
        self.changes_workspace();
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<Workspace, StoreError> {
    let provider: String = row.try_get("provider")?;
    let plan: String = row.try_get("plan")?;
    let corrupt = |what: String| StoreError::Corrupt { what };
    Ok(Workspace {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        provider: Provider::named(&provider).ok_or_else(|| corrupt(format!("provider {provider}")))?,
        plan: Plan::parse(&plan).ok_or_else(|| corrupt(format!("plan {plan}")))?,
        daily_limit: row.try_get("daily_limit")?,
        minute_limit: row.try_get("minute_limit")?,
        monthly_credits: row.try_get("monthly_credits")?,
        created_at: instant(row, "created_at")?.ok_or_else(|| corrupt("a workspace without a time".to_owned()))?,
        features: BTreeSet::new(),
    })
}
