//! How the one who calls looks: as JSON, and as the lines of `keys whoami`.

use std::io;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::key::{self, fields};
use crate::model::permission::Permission;
use crate::model::whoami::Whoami;
use crate::terminal::{Style, Terminal};
use crate::text;

/// Where requests go, and where the credential for them comes from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) profile: Option<String>,
    pub(crate) provider: &'static str,
    pub(crate) host: String,
    pub(crate) api_url: Option<String>,
    /// `environment`, `keyring`, `file` or `none`: for programs.
    pub(crate) source: &'static str,
    /// The same for people.
    pub(crate) place: String,
}

/// For programs: all fields always, in this order. Fields are only ever added.
pub(crate) fn json(origin: &Origin, whoami: &Whoami, now: Timestamp) -> Value {
    let key = whoami.key.as_ref();
    let permissions = key.map(|key| key.permissions.iter().map(Permission::as_str).collect::<Vec<_>>());
    json!({
        "profile": origin.profile,
        "provider": origin.provider,
        "host": origin.host,
        "api_url": origin.api_url,
        "workspace": whoami.workspace,
        "plan": whoami.plan,
        "identity": if key.is_some() || !whoami.tells_key { "key" } else { "operator" },
        "key_id": key.map(|key| key.id.as_str()),
        "key_name": key.map(|key| key.name.as_str()),
        "key_prefix": key.map(|key| key.prefix.as_str()),
        "permissions": permissions,
        "status": key.map(|key| key.state(now).as_str()),
        "expires_at": key.and_then(|key| key.expires_at).map(text::utc),
        "source": origin.source,
        "encrypted": match origin.source {
            "keyring" => Some(true),
            "file" => Some(false),
            _ => None,
        },
    })
}

/// The lines of `keys whoami`.
pub(crate) fn detail(origin: &Origin, whoami: &Whoami, now: Timestamp, terminal: &mut Terminal) -> io::Result<()> {
    let plan = whoami.plan.as_ref().map(|plan| format!(" ({plan} plan)")).unwrap_or_default();
    let mut lines = vec![
        ("Profile", origin.profile.clone(), Some(Style::Strong)),
        ("Provider", Some(origin.provider.to_owned()), None),
        ("Service", Some(origin.api_url.clone().unwrap_or_else(|| origin.host.clone())), None),
        ("Workspace", Some(format!("{}{plan}", whoami.workspace)), None),
    ];
    match &whoami.key {
        None if !whoami.tells_key => {
            lines.push(("Key", Some("a valid one; the service does not tell which".to_owned()), None));
        }
        None => lines.push(("Identity", Some("operator: whoever may read and write the database".to_owned()), None)),
        Some(key) => {
            let permissions: Vec<&str> = key.permissions.iter().map(Permission::as_str).collect();
            lines.extend([
                ("Key", Some(format!("{} ({})", key.name, key.prefix)), None),
                (
                    "Permissions",
                    Some(if permissions.is_empty() { "none".to_owned() } else { permissions.join(" ") }),
                    None,
                ),
                ("Expires", Some(key::end(key, now)), None),
            ]);
        }
    }
    lines.push(("Credential", Some(origin.place.clone()), None));
    fields(terminal, &lines)
}
