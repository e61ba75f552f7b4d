//! Workspaces: strictly isolated from one another, each with its provider's rules and its plan.

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::store::Workspace;
use super::{Answer, Ask, Caller, Refusal, Service};
use crate::model::key::{IssuedKey, KeyId, KeyName, NewKey};
use crate::model::lifetime::Lifetime;
use crate::model::permission::Permission;
use crate::model::tier::Tier;
use crate::providers::Provider;

impl Service {
    /// Makes a workspace on the enterprise plan and its first admin key, which may do everything.
    pub(crate) async fn create_workspace(
        &self,
        name: &KeyName,
        provider: Provider,
        now: Timestamp,
    ) -> Result<IssuedKey, Refusal> {
        let mut workspace = self.new_workspace(name.as_str(), provider);
        if !self.store.insert_workspace(&workspace, now).await? {
            // One without any key is one whose making was cut short: it is made now.
            let existing = self.store.workspace_named(name.as_str()).await?.ok_or(Refusal::NotFound)?;
            if self.store.has_keys(&existing.id).await? {
                return Err(Refusal::DuplicateWorkspace(name.as_str().to_owned()));
            }
            workspace = existing;
        }
        let everything = provider.rules().permissions.entries.iter();
        let first = NewKey {
            name: "admin".parse().map_err(|_| Refusal::NotFound)?,
            description: Some("The first key of the workspace".to_owned()),
            permissions: everything.map(|entry| Permission::from_server(entry.name)).collect(),
            // The highest of its plan: it can hand on no more than it has.
            tier: Tier::Unmetered,
            lifetime: Lifetime::Never,
            temporary: false,
        };
        self.issue_directly(&Caller::operator(workspace, Zeroizing::default()), &first, now).await
    }

    /// Takes the first key of a workspace back, because it reached nobody.
    pub(crate) async fn withdraw_first_key(&self, name: &str, key: &KeyId, now: Timestamp) -> Result<(), Refusal> {
        let workspace = self.store.workspace_named(name).await?.ok_or(Refusal::NotFound)?;
        let operator = Caller::operator(workspace, Zeroizing::default());
        let ask = Ask { caller: &operator, once: None, now };
        self.delete_key(ask, key.as_str(), || Answer::new(204, Vec::new())).await.map(drop)
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
        let workspace = self.new_workspace(name, provider);
        // Another process may have made it meanwhile: then that one counts.
        self.store.insert_workspace(&workspace, now).await?;
        let workspace = self.store.workspace_named(name).await?.ok_or(Refusal::NotFound)?;
        Ok(Caller::operator(workspace, sealing))
    }

    /// Whether anybody can call this service at all.
    pub(crate) async fn has_workspaces(&self) -> Result<bool, Refusal> {
        Ok(self.store.has_workspaces().await?)
    }

    fn new_workspace(&self, name: &str, provider: Provider) -> Workspace {
        Workspace { id: self.new_id("ws_"), name: name.to_owned(), provider, plan: "enterprise".to_owned() }
    }
}
