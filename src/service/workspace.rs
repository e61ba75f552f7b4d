//! Workspaces: strictly isolated from one another, each with its provider's rules, its plan and its features. What is here is
//! done by whoever holds the database itself.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;
use zeroize::Zeroizing;

use super::credits::grant_months_in;
use super::idempotency::Change;
use super::store::Workspace;
use super::{Answer, Ask, Caller, Refusal, Service};
use crate::model::key::{IssuedKey, KeyId, KeyName, NewKey};
use crate::model::lifetime::Lifetime;
use crate::model::permission::Permission;
use crate::model::plan::{LARGEST_FIGURE, Plan};
use crate::model::tier::Tier;
use crate::providers::Provider;

/// Credits granted at the start of each month, where nothing else is agreed on.
const MONTHLY_CREDITS: i64 = 1_000;

/// The plan of a workspace, and what is agreed on instead of its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) plan: Plan,
    pub(crate) daily_limit: Option<i64>,
    pub(crate) minute_limit: Option<i64>,
    /// `None` leaves it, or takes the usual figure.
    pub(crate) monthly_credits: Option<i64>,
}

impl Agreement {
    const LOCAL: Self = Self { plan: Plan::Enterprise, daily_limit: None, minute_limit: None, monthly_credits: None };

    /// Refuses figures that no plan can have, and figures of their own for the plans that have none.
    fn check(&self) -> Result<(), Refusal> {
        let figures = [
            ("per_day", self.daily_limit),
            ("per_minute", self.minute_limit),
            ("monthly_credits", self.monthly_credits),
        ];
        for (field, figure) in figures {
            if figure.is_some_and(|figure| !(0..=LARGEST_FIGURE).contains(&figure)) {
                let problem = format!("it goes from 0 to {LARGEST_FIGURE}");
                return Err(Refusal::Invalid { field, problem });
            }
            if field != "monthly_credits" && figure.is_some() && self.plan != Plan::Enterprise {
                let problem = format!("the plan `{}` has its own figure; only `enterprise` agrees on one", self.plan);
                return Err(Refusal::Invalid { field, problem });
            }
        }
        Ok(())
    }
}

/// A workspace to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewWorkspace {
    pub(crate) name: KeyName,
    pub(crate) provider: Provider,
    pub(crate) agreement: Agreement,
}

impl Service {
    /// Makes a workspace and its first admin key, which may do everything.
    pub(crate) async fn create_workspace(&self, new: &NewWorkspace, now: Timestamp) -> Result<IssuedKey, Refusal> {
        new.agreement.check()?;
        let mut workspace = self.new_workspace(new.name.as_str(), new.provider, new.agreement, now);
        if !self.store.insert_workspace(&workspace).await? {
            // One without any key is one whose making was cut short: it is made now, if it is the same that is wanted.
            let existing = self.store.workspace_named(new.name.as_str()).await?.ok_or(Refusal::NotFound)?;
            let (id, created_at, features) = (existing.id.clone(), existing.created_at, existing.features.clone());
            let is_other = existing != Workspace { id, created_at, features, ..workspace };
            if is_other || self.store.has_keys(&existing.id).await? {
                return Err(Refusal::DuplicateWorkspace(new.name.as_str().to_owned()));
            }
            workspace = existing;
        }
        let first = admin_key(&workspace, "admin", "The first key of the workspace")?;
        self.issue_directly(&Caller::operator(workspace, Zeroizing::default()), &first, now).await
    }

    /// Takes a key back that was issued without a caller, because it reached nobody.
    pub(crate) async fn withdraw_key(&self, name: &str, key: &KeyId, now: Timestamp) -> Result<(), Refusal> {
        let operator = Caller::operator(self.workspace(name).await?, Zeroizing::default());
        let ask = Ask { caller: &operator, once: None, now };
        self.delete_key(ask, key.as_str(), || Answer::new(204, Vec::new())).await.map(drop)
    }

    /// Issues a new admin key to a workspace that has none left, or whose last ones nobody has: with `replace` those that
    /// are active are revoked.
    pub(crate) async fn recover_admin(
        &self,
        workspace: &str,
        replace: bool,
        now: Timestamp,
    ) -> Result<(IssuedKey, Vec<String>), Refusal> {
        let workspace = self.workspace(workspace).await?;
        let management = &workspace.provider.rules().management;
        let operator = Caller::operator(workspace.clone(), Zeroizing::default());
        let mut change = Change::unrepeatable(self.store.write(&workspace.id).await?);
        let holders = change.write.managers(management, now).await?;
        if let Some(holder) = holders.first()
            && !replace
        {
            return Err(Refusal::HasAdmin(holder.name.clone()));
        }
        let mut revoked = Vec::new();
        for before in holders {
            let mut after = before.clone();
            after.revoked_at = Some(now);
            after.revoked_reason = Some("replaced by `keys serve admin recover`".to_owned());
            change.write.update_key(&after, workspace.provider.rules().unique_names, now).await?;
            let details = super::audit::differences(&before, &after).to_string();
            change.write.append_audit(now, operator.actor(), "api_key.revoke", after.id.as_str(), &details).await?;
            revoked.push(after.name);
        }
        let new = admin_key(&workspace, &format!("admin recovered {now:.0}"), "Made by keys serve admin recover")?;
        let ask = Ask { caller: &operator, once: None, now };
        let issued = self.issue(ask, &new, &mut change).await?;
        change.write.make_manager(&issued.key.id, management).await?;
        let details = json!({ "issued": issued.key.id.as_str(), "revoked": revoked }).to_string();
        change.write.append_audit(now, operator.actor(), "admin.recover", &workspace.id, &details).await?;
        let changes = change.write.commit().await?;
        self.settle(&changes).await?;
        Ok((issued, revoked))
    }

    /// Whoever owns the database, acting in a workspace by its name; the workspace is made where it does not exist.
    /// `sealing` is the secret that answers kept for replay are sealed with.
    pub(crate) async fn operator_of(
        &self,
        name: &str,
        provider: Provider,
        sealing: Zeroizing<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Caller, Refusal> {
        if let Some(workspace) = self.store.workspace_named(name).await? {
            return Ok(Caller::operator(workspace, sealing));
        }
        let workspace = self.new_workspace(name, provider, Agreement::LOCAL, now);
        // Another process may have made it meanwhile: then that one counts.
        self.store.insert_workspace(&workspace).await?;
        let workspace = self.store.workspace_named(name).await?.ok_or(Refusal::NotFound)?;
        Ok(Caller::operator(workspace, sealing))
    }

    /// Whether anybody can call this service at all.
    pub(crate) async fn has_workspaces(&self) -> Result<bool, Refusal> {
        Ok(self.store.has_workspaces().await?)
    }

    /// All workspaces, by name.
    pub(crate) async fn workspaces(&self) -> Result<Vec<Workspace>, Refusal> {
        Ok(self.store.workspaces().await?)
    }

    pub(crate) async fn workspace(&self, name: &str) -> Result<Workspace, Refusal> {
        // What no stored text can hold is the name of none.
        let named = if name.contains('\0') { None } else { self.store.workspace_named(name).await? };
        named.ok_or_else(|| Refusal::UnknownWorkspace(name.to_owned()))
    }

    /// Puts a workspace on a plan: what it was, and what it is now.
    pub(crate) async fn set_plan(
        &self,
        workspace: &str,
        agreement: Agreement,
        now: Timestamp,
    ) -> Result<(Workspace, Workspace), Refusal> {
        agreement.check()?;
        let id = self.workspace(workspace).await?.id;
        let mut write = self.store.write(&id).await?;
        let before = write.read_workspace().await?;
        let after = Workspace {
            plan: agreement.plan,
            daily_limit: agreement.daily_limit,
            minute_limit: agreement.minute_limit,
            monthly_credits: agreement.monthly_credits.unwrap_or(before.monthly_credits),
            ..before.clone()
        };
        if after != before {
            if after.monthly_credits != before.monthly_credits {
                // What is agreed on now is not for the months before; whoever had none begins with this one.
                let had_none = before.monthly_credits == 0;
                let (of, from) = if had_none { (&after, now) } else { (&before, before.created_at) };
                grant_months_in(&mut write, of, from, now, || self.new_id("grant_")).await?;
            }
            write.update_workspace(&after).await?;
            let details = json!({
                "plan": { "old": before.plan.as_str(), "new": after.plan.as_str() },
                "daily_limit": { "old": before.daily_limit, "new": after.daily_limit },
                "minute_limit": { "old": before.minute_limit, "new": after.minute_limit },
                "monthly_credits": { "old": before.monthly_credits, "new": after.monthly_credits },
            });
            write.append_audit(now, ("operator", "operator"), "workspace.set_plan", &id, &details.to_string()).await?;
        }
        let changes = write.commit().await?;
        self.settle(&changes).await?;
        Ok((before, after))
    }

    /// Gives a workspace a feature, or takes it; `false` where nothing changed.
    pub(crate) async fn set_feature(
        &self,
        workspace: &str,
        feature: &str,
        enabled: bool,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let id = self.workspace(workspace).await?.id;
        let mut write = self.store.write(&id).await?;
        if write.read_workspace().await?.features.contains(feature) == enabled {
            return Ok(false);
        }
        write.set_feature(feature, enabled, now).await?;
        let details = json!({ feature: { "old": !enabled, "new": enabled } }).to_string();
        write.append_audit(now, ("operator", "operator"), "workspace.set_feature", &id, &details).await?;
        let changes = write.commit().await?;
        self.settle(&changes).await?;
        Ok(true)
    }

    fn new_workspace(&self, name: &str, provider: Provider, agreement: Agreement, now: Timestamp) -> Workspace {
        Workspace {
            id: self.new_id("ws_"),
            name: name.to_owned(),
            provider,
            plan: agreement.plan,
            daily_limit: agreement.daily_limit,
            minute_limit: agreement.minute_limit,
            monthly_credits: agreement.monthly_credits.unwrap_or(MONTHLY_CREDITS),
            created_at: now,
            features: BTreeSet::new(),
        }
    }
}

/// A key that may do everything in its workspace. On the enterprise plan it is without limits, so that it can hand that on.
fn admin_key(workspace: &Workspace, name: &str, description: &str) -> Result<NewKey, Refusal> {
    let everything = workspace.provider.rules().permissions.entries.iter();
    Ok(NewKey {
        name: name.parse().map_err(|error| Refusal::invalid("name", &error))?,
        description: Some(description.to_owned()),
        permissions: everything.map(|entry| Permission::from_server(entry.name)).collect(),
        tier: if workspace.plan == Plan::Enterprise { Tier::Unmetered } else { Tier::Standard },
        lifetime: Lifetime::Never,
        temporary: false,
        replaces: None,
    })
}
