//! `keys create`: a new key, whose plaintext goes to its place before anything else is done. Several at once: [`many`].

mod again;
mod many;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, ValueEnum};
use serde_json::{Value, json};

use self::again::{note, refuse_another_caller, resume_line};
use crate::begun::Begun;
use crate::exit::Exit;
use crate::failure::{Failure, quoted, unknown_outcome};
use crate::handover::{Handover, Lost, refuse_filtered_out};
use crate::http::{HttpError, IdempotencyKey, Preview};
use crate::model::key::{IssuedKey, Key, KeyId, KeyName, NewKey};
use crate::model::lifetime::Lifetime;
use crate::model::permission::Permission;
use crate::model::selector::{Preference, Resolution, Selector};
use crate::model::state::State;
use crate::model::tier::Tier;
use crate::output::{Output, key};
use crate::providers::client::Client;
use crate::providers::{Ability, Rules};
use crate::reach::Reached;
use crate::sink::{Circumstances, SinkSpec};
use crate::terminal::Terminal;
use crate::{selection, system, text};

/// What a service says, and we say, where an active key has the name already.
const TAKEN: &str = "duplicate_name";

/// How many keys are made at the same time.
const JOBS: u16 = 4;

/// Create a key
///
/// The plaintext is handed over once: on a terminal by a menu that copies, shows or saves it. Where standard output is not a terminal and no --to is given, the plaintext and a line
/// break are the only bytes on it: NEW=$(keys create …). Everything else is said on standard error.
#[derive(Debug, Clone, ClapArgs)]
#[command(group = ArgGroup::new("named").required(true).multiple(true).args(["name", "names", "temp"]))]
#[command(after_help = "Examples:
  keys create --name \"Ingestion worker\" --perm read:contacts --perm write:contacts
  keys create --name ci --perm read:contacts --expires 90d --to dotenv:.env#LEADLEX_API_KEY
  NEW=$(keys create --name ci --perm read:contacts)
  keys create --names workers.txt --perm read:contacts --to 'file:/run/secrets/{name}' --jobs 8")]
pub(crate) struct Args {
    /// Name of the key; where the provider wants it so, unique among active keys
    #[arg(long)]
    name: Option<KeyName>,
    /// Make a key for each line of this file, which is its name; in --to, {name} stands for it
    #[arg(long, value_name = "FILE", help_heading = "Many keys at once", conflicts_with_all = ["name", "temp"])]
    names: Option<PathBuf>,
    /// How many keys are made at the same time
    #[arg(long, value_name = "N", help_heading = "Many keys at once", requires = "names", default_value_t = JOBS)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Permission the key gets; repeat it or separate several by commas (see `keys perms`)
    #[arg(long = "perm", value_name = "SCOPE", value_delimiter = ',')]
    permissions: Vec<String>,
    /// What the key is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Rate-limit tier
    #[arg(long, value_enum, default_value_t = Tier::Standard)]
    tier: Tier,
    /// When the key ends: 30d, 12h, 4w, a date, an RFC 3339 instant, or never
    #[arg(long, value_name = "WHEN", default_value = "never", hide_default_value = true, allow_hyphen_values = true)]
    expires: Lifetime,
    /// Make a key for trying things out, which ends by itself after an hour
    #[arg(long, conflicts_with = "expires")]
    temp: bool,
    /// What to do when an active key has this name already
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = IfExists::Fail)]
    if_exists: IfExists,
    #[expect(clippy::doc_markdown, reason = "this is help text: `file:PATH` is no address")]
    /// Where the plaintext goes: stdout, clipboard, file:PATH, dotenv:PATH#VAR, json:PATH, keyring:SERVICE/ACCOUNT,
    /// cmd:COMMAND, github-env:NAME, github-output:NAME or fd:N; may be repeated
    #[arg(long, value_name = "SINK")]
    to: Vec<SinkSpec>,
    /// Send this Idempotency-Key: the same request again gets the same key for 24 hours
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
    /// Show the request that would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// What to do when an active key has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IfExists {
    /// Refuse, with exit code 6
    Fail,
    /// Make nothing and succeed
    Skip,
}

impl Args {
    pub(crate) const fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    pub(crate) const fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.idempotency_key.as_ref()
    }
}

pub(crate) async fn run(
    args: Args,
    circumstances: &Circumstances,
    begun: Option<&Begun>,
    reached: &Reached,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let (client, rules) = (&reached.client, reached.rules);
    let idempotency_key = args.idempotency_key.clone().unwrap_or_else(|| IdempotencyKey::fresh(&mut system::random));
    let now = system::now();
    // The service decides by its own clock; what cannot be right by any clock need not be sent.
    selection::end(args.expires, now)?;
    let lifetime = rules.taken(args.expires, now);
    if args.names.is_some() {
        let terminal = &RefCell::new(terminal);
        let run = many::Run { args: &args, lifetime, circumstances, begun, reached, output, terminal };
        return run.all(&idempotency_key).await;
    }
    let new = new_key(args.name.as_ref(), &args, lifetime, client, rules)?;
    if args.dry_run {
        return preview(&client.preview_create(&new, &idempotency_key), &new, output, terminal);
    }
    if args.if_exists == IfExists::Skip
        && !rules.unique_names
        && let Some(key) = existing(&new, client).await?
    {
        return skip(&key, output, terminal);
    }
    // From here on nothing may be lost: every place the plaintext goes to is opened before there is one.
    let handover = Handover::prepare(&args.to, output.is_for_people(), circumstances, terminal)?;
    if handover.is_empty() {
        refuse_lost_object(&new, output)?;
    }
    if let Some(begun) = begun {
        refuse_another_caller(begun, &idempotency_key, reached)?;
    }
    let open = begun.and_then(|begun| {
        let look = format!("keys{} list{}", begun.flags, text::option("--name", new.name.as_str()));
        let resume = resume_line(&args.elsewhere(), Some(&new.name), new.lifetime, &idempotency_key, &begun.flags);
        begun.note(&note(&args, new.name.as_str(), &idempotency_key, reached, (resume, look)))
    });
    let resume = resume_line(&args, Some(&new.name), new.lifetime, &idempotency_key, client.flags());
    let outcome = match client.create(&new, &idempotency_key).await {
        Ok((issued, replayed)) => {
            reached.known.note(&issued.key);
            let record = key::json(&issued.key, system::now());
            let places = deliver(&issued, record, handover, output, terminal, &resume);
            places.map(|places| report(&issued, &places, replayed, client, terminal))
        }
        Err(error) if error.is(TAKEN) && args.if_exists == IfExists::Skip => {
            match namesake(&new, client).await {
                Ok(Some(key)) => skip(&key, output, terminal),
                // It was there a moment ago.
                Ok(None) => Err(explained(error, new.name.as_str(), &resume)),
                Err(unreachable) => Err(unreachable),
            }
        }
        Err(error) => Err(explained(error, new.name.as_str(), &resume)),
    };
    if let Some(open) = open {
        open.end(outcome.as_ref().err());
    }
    outcome
}

fn new_key(
    name: Option<&KeyName>,
    args: &Args,
    lifetime: Lifetime,
    client: &Client,
    rules: &Rules,
) -> anyhow::Result<NewKey> {
    let usual = args.temp.then_some(rules.temporary_name).flatten();
    let name = match (name, usual) {
        (given, Some(usual)) if given.is_none_or(|name| name.as_str() == usual) => usual.parse().ok(),
        (Some(_), Some(usual)) => {
            let message = format!("{} calls every temporary key {}", rules.title, quoted(usual));
            return Err(Failure::new(Exit::Usage, "invalid_name", message).hint("leave out --name").into());
        }
        (given, _) => given.cloned(),
    };
    let name =
        name.ok_or_else(|| Failure::new(Exit::Usage, "invalid_name", "a key has a name").hint("add --name NAME"))?;
    selection::check_name(&name, rules)?;
    selection::check_description(args.description.as_deref())?;
    let asked = [
        (args.temp, Ability::Temporary),
        (args.description.is_some(), Ability::Description),
        (args.tier != Tier::Standard, Ability::Tier),
        (!args.permissions.is_empty(), Ability::Permissions),
    ];
    for (_, ability) in asked.into_iter().filter(|(asked, _)| *asked) {
        client.must_offer(ability)?;
    }
    // Where its maker does not name a temporary key, neither does he say what it may do.
    let permissions = match usual {
        Some(_) if !args.permissions.is_empty() => {
            let message = format!("{} decides what a temporary key may do", rules.title);
            return Err(Failure::new(Exit::Usage, "conflicting_options", message).hint("leave out --perm").into());
        }
        Some(_) => rules.permissions.entries.iter().map(|entry| entry.name.to_owned()).collect(),
        None => args.permissions.clone(),
    };
    if permissions.is_empty() && rules.needs_permission {
        let message = "a key takes at least one permission";
        return Err(Failure::new(Exit::Usage, "no_permission", message)
            .hint("add --perm SCOPE; all permissions are listed by: keys perms")
            .into());
    }
    Ok(NewKey {
        name,
        description: args.description.clone().filter(|text| !text.is_empty()),
        permissions: selection::permissions(&permissions, rules)?,
        tier: args.tier,
        lifetime,
        temporary: args.temp,
        replaces: None,
    })
}

/// The active key that has the name already, where the provider does not mind another one.
async fn existing(new: &NewKey, client: &Client) -> anyhow::Result<Option<Key>> {
    Ok(namesake(new, client).await?.filter(|key| key.state(system::now()) == State::Active))
}

/// The key with this name, of several the newest; an active one where there is any.
async fn namesake(new: &NewKey, client: &Client) -> anyhow::Result<Option<Key>> {
    let found = match client.find(&Selector::from(&new.name), Preference::Active, system::now()).await? {
        Resolution::One(key) => vec![*key],
        Resolution::Many(keys) => keys,
        Resolution::None => Vec::new(),
    };
    let named = found.into_iter().filter(|key| key.name == new.name.as_str());
    Ok(named.min_by_key(|key| Reverse(key.created_at)))
}

/// Refuses a --jq that leaves the key out of what is printed. Tried on a key that is none.
fn refuse_lost_object(new: &NewKey, output: &Output) -> anyhow::Result<()> {
    let sample = Key {
        id: KeyId::new("key_sample"),
        name: new.name.as_str().to_owned(),
        description: new.description.clone(),
        prefix: String::new(),
        permissions: new.permissions.clone(),
        tier: Some(new.tier),
        temporary: new.temporary,
        created_by: None,
        created_at: None,
        last_used_at: None,
        expires_at: None,
        revoked_at: None,
        revoked_reason: None,
        replaced: false,
        more: serde_json::Map::new(),
    };
    refuse_filtered_out(key::json(&sample, system::now()), output)
}

fn deliver(
    issued: &IssuedKey,
    mut record: Value,
    handover: Handover,
    output: &Output,
    terminal: &mut Terminal,
    resume: &str,
) -> anyhow::Result<Vec<String>> {
    let undelivered = |lost: Lost| undelivered(&issued.key, &lost, resume);
    let to_object = handover.is_empty();
    let done = handover.deliver(issued, &record, terminal).map_err(undelivered)?;
    if output.is_for_people() {
        terminal.flush().map_err(|error| undelivered(Lost::new(&[], error.to_string())))?;
        return Ok(done);
    }
    if to_object {
        record["secret"] = Value::String(issued.plain.expose().to_owned());
    }
    match output.object(terminal, record, |_| Ok(())) {
        Ok(()) => Ok(done),
        Err(error) if to_object => Err(undelivered(Lost::new(&[], error.to_string())).into()),
        // The key is where it should be; only its description is not.
        Err(error) => {
            let places = text::list_of(&done);
            Err(anyhow::Error::new(error).context(format!("key {} was made, and is in {places}", issued.key.id)))
        }
    }
}

/// Why a key that was made is not where it should be, and how to get it there.
fn undelivered(key: &Key, lost: &Lost, resume: &str) -> Failure {
    let already =
        if lost.done.is_empty() { String::new() } else { format!(" (it is in {})", text::list_of(&lost.done)) };
    let message = format!("key {} was made, but not delivered{already}: {}", key.id, lost.what);
    Failure::new(lost.exit, lost.code(), message)
        .hint(format!("the service keeps the key for 24 hours; get it with the same request:\n  {resume}"))
        .details(json!({ "id": key.id, "resume": resume }))
}

fn report(issued: &IssuedKey, places: &[String], replayed: bool, client: &Client, terminal: &mut Terminal) {
    let key = &issued.key;
    let verb = if replayed { "Got again" } else { "Created" };
    terminal.say(&format!("{verb} key {} ({})", quoted(&key.name), key.id));
    if !key.permissions.is_empty() {
        let permissions: Vec<&str> = key.permissions.iter().map(Permission::as_str).collect();
        terminal.say(&format!("  permissions  {}", permissions.join(" ")));
    }
    let end = key.expires_at.map_or_else(
        || "never".to_owned(),
        |end| format!("{} ({})", text::utc(end), text::relative(end, system::now())),
    );
    terminal.say(&format!("  expires      {end}"));
    for place in places.iter().filter(|place| *place != "stdout") {
        terminal.say(&format!("  written to   {place}"));
    }
    terminal.say("Keep it safe: only its hash is stored, so it cannot be shown again.");
    terminal.say(&format!("Undo with: keys{} revoke {}", client.flags(), key.id));
}

fn skip(existing: &Key, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    if !output.is_for_people() {
        output.object(terminal, key::json(existing, system::now()), |_| Ok(()))?;
    }
    terminal.say(&format!("Key {} exists already ({}); nothing was made", quoted(&existing.name), existing.id));
    Ok(())
}

fn preview(preview: &Preview, new: &NewKey, output: &Output, terminal: &mut Terminal) -> anyhow::Result<()> {
    let request = json!({
        "method": preview.method,
        "url": preview.url,
        "headers": preview.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>(),
        "body": preview.body,
    });
    output.object(terminal, json!({ "dry_run": true, "request": request }), |terminal| {
        writeln!(terminal.out(), "{} {}", preview.method, preview.url)?;
        for (name, value) in &preview.headers {
            writeln!(terminal.out(), "{name}: {value}")?;
        }
        let body = preview.body.as_ref().and_then(|body| serde_json::to_string_pretty(body).ok());
        writeln!(terminal.out(), "\n{}", body.unwrap_or_default())
    })?;
    if let Ok(Some(end)) = new.lifetime.resolve(system::now()) {
        terminal.say(&format!("The key would end at {}", text::utc(end)));
    }
    terminal.say("Nothing was sent");
    Ok(())
}

/// What a failed request means for the one key it may have made.
fn explained(error: HttpError, name: &str, resume: &str) -> anyhow::Error {
    if error.is(TAKEN) {
        let message = format!("an active key is already named {}", quoted(name));
        return Failure::new(Exit::Conflict, TAKEN, message)
            .hint("choose another name, or add --if-exists skip to leave it at that")
            .into();
    }
    if !error.is_unsure() {
        return anyhow::Error::new(error).context(format!("could not create the key {}", quoted(name)));
    }
    let message = format!("it is not known whether the key {} was made: {error}", quoted(name));
    unknown_outcome(&error, message, "find out with the same request, which makes no second key", resume).into()
}
