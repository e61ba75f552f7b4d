//! `keys edit`: change what a key is called, what it may do, and when it ends.

use clap::{ArgGroup, Args as ClapArgs};
use jiff::Timestamp;

use crate::consent::{Act, Given};
use crate::exit::Exit;
use crate::failure::{Failure, changed_or_not, quoted};
use crate::http::IdempotencyKey;
use crate::model::key::{Key, KeyChange, KeyName, Setting};
use crate::model::lifetime::Lifetime;
use crate::model::permission::{Permission, distinct};
use crate::model::selector::{Preference, Selector};
use crate::model::tier::Tier;
use crate::output::{Output, key};
use crate::providers::client::Client;
use crate::providers::{Ability, Rules};
use crate::reach::Reached;
use crate::terminal::Terminal;
use crate::{selection, system, text};

/// Change a key
#[derive(Debug, ClapArgs)]
#[command(
    group = ArgGroup::new("change").required(true).multiple(true)
        .args(["name", "description", "no_description", "perm", "add_perm", "remove_perm", "tier", "expires"]),
    after_help = "Examples:
  keys edit ci --add-perm write:contacts
  keys edit ci --expires never
  keys edit ci --name ci-eu --no-description"
)]
pub(crate) struct Args {
    /// Id, name, or the start of an id or prefix that only one key has
    key: Selector,
    /// New name
    #[arg(long)]
    name: Option<KeyName>,
    /// New description
    #[arg(long, value_name = "TEXT", conflicts_with = "no_description")]
    description: Option<String>,
    /// Remove the description
    #[arg(long)]
    no_description: bool,
    /// Replace all permissions by these
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', conflicts_with_all = ["add_perm", "remove_perm"])]
    perm: Vec<String>,
    /// Give the key this permission besides those it has
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    add_perm: Vec<String>,
    /// Take this permission from the key
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    remove_perm: Vec<String>,
    /// New rate-limit tier
    #[arg(long, value_enum)]
    tier: Option<Tier>,
    /// New end: 30d, 12h, 4w, a date, an RFC 3339 instant, or never
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    expires: Option<Lifetime>,
    /// The key's name, instead of typing it when asked
    #[arg(long, value_name = "NAME")]
    confirm: Vec<String>,
}

const ACT: Act<'_> = Act::new("remove permissions");

pub(crate) async fn run(
    args: Args,
    yes: bool,
    reached: &Reached,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let client = &reached.client;
    let now = system::now();
    let given = Given { yes, confirm: &args.confirm, ..Given::default() };
    let described = args.description.is_some() || args.no_description;
    let permitted = !(args.perm.is_empty() && args.add_perm.is_empty() && args.remove_perm.is_empty());
    let wanted = [
        (described, Ability::Description),
        (permitted, Ability::Permissions),
        (args.tier.is_some(), Ability::Tier),
        (args.expires.is_some(), Ability::EditExpiry),
    ];
    for (_, ability) in wanted.into_iter().filter(|(wanted, _)| *wanted) {
        client.must_offer(ability)?;
    }
    let asked = check(&args, reached.rules)?;
    if !args.remove_perm.is_empty() {
        given.or_somebody_to_ask(ACT, terminal)?;
    }
    let before = selection::one(client, &args.key, Preference::Active, now).await?;
    let change = change(&args, &asked, &before, reached.rules)?;
    let removed =
        change.permissions.as_ref().is_some_and(|after| before.permissions.iter().any(|held| !after.contains(held)));
    if removed {
        given.obtain(ACT, std::slice::from_ref(&before), &client.host(), terminal, now)?;
    }
    let once = IdempotencyKey::fresh(&mut system::random);
    let after = client.edit(&before.id, &change, &once).await.map_err(|error| {
        let context = format!("could not change the key {}", quoted(&before.name));
        changed_or_not(error, context, client.flags(), &before)
    })?;
    reached.known.note(&after);
    output.object(terminal, key::json(&after, now), |_| Ok(()))?;
    terminal.flush()?;
    report(&before, &after, client, terminal);
    Ok(())
}

/// The values that can be judged before any request.
struct Asked {
    replace: Vec<Permission>,
    add: Vec<Permission>,
    remove: Vec<Permission>,
    expires_at: Option<Setting<Timestamp>>,
}

fn check(args: &Args, rules: &Rules) -> Result<Asked, Failure> {
    if let Some(name) = &args.name {
        selection::check_name(name, rules)?;
    }
    selection::check_description(args.description.as_deref())?;
    let end = args.expires.map(|lifetime| selection::end(lifetime, system::now())).transpose()?;
    Ok(Asked {
        replace: selection::permissions(&args.perm, rules)?,
        add: selection::permissions(&args.add_perm, rules)?,
        remove: selection::permissions(&args.remove_perm, rules)?,
        expires_at: end.map(Setting::from),
    })
}

fn change(args: &Args, asked: &Asked, before: &Key, rules: &Rules) -> Result<KeyChange, Failure> {
    let permissions = if !asked.replace.is_empty() {
        Some(distinct(asked.replace.iter().cloned()))
    } else if !asked.add.is_empty() || !asked.remove.is_empty() {
        let all = before.permissions.iter().chain(&asked.add).filter(|held| !asked.remove.contains(held));
        Some(distinct(all.cloned()))
    } else {
        None
    };
    if rules.needs_permission && permissions.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("{} would be left without any permission", quoted(&before.name));
        return Err(
            Failure::new(Exit::Usage, "no_permission_left", message).hint("to switch the key off, use: keys revoke")
        );
    }
    let description =
        if args.no_description { Some(Setting::Clear) } else { args.description.clone().map(Setting::To) };
    Ok(KeyChange {
        name: args.name.clone(),
        description,
        permissions,
        tier: args.tier,
        expires_at: asked.expires_at.clone(),
    })
}

fn report(before: &Key, after: &Key, client: &Client, terminal: &mut Terminal) {
    let mut changed = Vec::new();
    let mut compare = |field: &str, old: String, new: String| {
        if old != new {
            let shown =
                |text: &str| if text.is_empty() { "(none)".to_owned() } else { text::escape(text).into_owned() };
            changed.push(format!("  {field}  {} → {}", shown(&old), shown(&new)));
        }
    };
    let joined = |key: &Key| key.permissions.iter().map(Permission::as_str).collect::<Vec<_>>().join(" ");
    let end = |key: &Key| key.expires_at.map_or_else(|| "never".to_owned(), text::utc);
    let tier = |key: &Key| key.tier.map_or_else(String::new, |tier| tier.to_string());
    compare("name       ", before.name.clone(), after.name.clone());
    compare(
        "description",
        before.description.clone().unwrap_or_default(),
        after.description.clone().unwrap_or_default(),
    );
    compare("permissions", joined(before), joined(after));
    compare("tier       ", tier(before), tier(after));
    compare("expires    ", end(before), end(after));
    if changed.is_empty() {
        terminal.say(&format!("Key {} ({}) was so already; nothing changed", quoted(&after.name), after.id));
        return;
    }
    terminal.say(&format!("Changed key {} ({})", quoted(&after.name), after.id));
    for line in changed {
        terminal.say(&line);
    }
    terminal.say(&format!("Look at it with: keys{} show {}", client.flags(), after.id));
}
