//! Members: people of a workspace, each with a role and a credential of their own.

use jiff::Timestamp;
use serde_json::json;
use zeroize::Zeroizing;

use super::idempotency::Change;
use super::{Ask, Caller, Refusal, Service};
use crate::model::key::{IssuedKey, Key, KeyName, NewKey};
use crate::model::lifetime::Lifetime;
use crate::model::permission::Permission;
use crate::model::state::State;
use crate::model::tier::Tier;
use crate::providers::{Management, Rules};

/// What a member is to the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// May do everything
    Admin,
    /// May manage keys and read
    Developer,
    /// May look, and change nothing
    Support,
}

impl Role {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Support => "support",
        }
    }
}

/// What the credential of a member holds.
fn held_by(role: Role, rules: &Rules) -> Result<Vec<Permission>, Refusal> {
    let everything = rules.permissions.entries.iter().map(|entry| entry.name);
    let held: Vec<&str> = match (role, rules.management) {
        (Role::Admin, _) | (Role::Developer, Management::Role { .. }) => everything.collect(),
        (_, Management::AnyKey) => {
            let problem = format!("every key of {} may do everything; the one role is `admin`", rules.title);
            return Err(Refusal::Invalid { field: "role", problem });
        }
        (Role::Developer, Management::Permission(managing)) => {
            std::iter::once(managing).chain(rules.reading_permission).collect()
        }
        (Role::Support, _) => rules.reading_permission.into_iter().collect(),
    };
    Ok(held.into_iter().map(Permission::from_server).collect())
}

/// A member: the key that is the credential, and the role.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: Key,
    pub(crate) role: String,
}

impl Service {
    /// Issues a member a credential.
    pub(crate) async fn add_member(
        &self,
        workspace: &str,
        name: &KeyName,
        role: Role,
        now: Timestamp,
    ) -> Result<IssuedKey, Refusal> {
        let workspace = self.workspace(workspace).await?;
        let permissions = held_by(role, workspace.provider.rules())?;
        let new = NewKey {
            name: name.clone(),
            description: Some(format!("Member with the role {}", role.as_str())),
            permissions,
            tier: Tier::Standard,
            lifetime: Lifetime::Never,
            temporary: false,
            replaces: None,
        };
        let operator = Caller::operator(workspace.clone(), Zeroizing::default());
        let mut change = Change::unrepeatable(self.store.write(&workspace.id).await?);
        let issued = self.issue(Ask { caller: &operator, once: None, now }, &new, &mut change).await?;
        change.write.set_role(&issued.key.id, role.as_str()).await?;
        let details = json!({ "role": role.as_str(), "key": issued.key.id.as_str() }).to_string();
        change.write.append_audit(now, operator.actor(), "member.add", issued.key.id.as_str(), &details).await?;
        let changes = change.write.commit().await?;
        self.settle(&changes).await?;
        Ok(issued)
    }

    /// The members whose credential works.
    pub(crate) async fn members(&self, workspace: &str, now: Timestamp) -> Result<Vec<Member>, Refusal> {
        let workspace = self.workspace(workspace).await?;
        let mut members = self.store.members(&workspace.id).await?;
        members.retain(|stored| stored.key.state(now) == State::Active);
        let member = |stored: super::store::StoredKey| {
            let role = stored.key.role()?.to_owned();
            Some(Member { key: stored.key, role })
        };
        Ok(members.into_iter().filter_map(member).collect())
    }
}
