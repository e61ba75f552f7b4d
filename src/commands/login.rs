//! `keys login`: stores the key to manage keys with, once its service has said whose it is.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args as ClapArgs;
use zeroize::Zeroizing;

use crate::config::{Environment, Flags, Intent};
use crate::credential::{CredentialError, CredentialStore, Patience, Storage};
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::http::{Credential, Network};
use crate::model::key::Key;
use crate::model::permission::Permission;
use crate::model::secret::PlainKey;
use crate::model::whoami::Whoami;
use crate::output::whoami::{self, Origin};
use crate::output::{Output, key};
use crate::profiles::{Edit, Profile};
use crate::providers::client::Client;
use crate::providers::{Management, Rules};
use crate::terminal::{Terminal, Voice};
use crate::unlock::patiently;
use crate::{files, system};

/// A file with a key is no larger.
const LARGEST_FILE: u64 = 16 * 1024;

/// Log in to a service: verify a key and keep it
///
/// The key is asked for unseen; it never goes on the command line. It is kept in the keyring of the system once the
/// service has said whose it is. The first profile becomes the default.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys login --api-url https://keys.example.com
  keys login -p staging --api-url https://staging.example.com --key-stdin < key
  keys login --insecure-storage")]
pub(crate) struct Args {
    /// Read the key from standard input
    #[arg(long, conflicts_with = "key_file")]
    key_stdin: bool,
    /// Read the key from a file that nobody else may read
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Keep the key in a private file, not encrypted, instead of the keyring
    #[arg(long)]
    insecure_storage: bool,
}

pub(crate) async fn run(
    args: Args,
    flags: &Flags,
    environment: &Environment,
    output: &Output,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let directory = environment.config_directory()?;
    let intent = Intent::of(flags, environment, &directory)?;
    Network::check(&intent.api_url)?;
    args.or_somebody_to_ask(terminal)?;
    let storage = if args.insecure_storage { Storage::File } else { Storage::Keyring };
    let store = CredentialStore::of(storage, &intent.profile, &directory);
    // Nobody is to look for a key that then has no place.
    patiently(environment, terminal, |patience| store.check(patience)).context("nothing can be stored")?;
    let text = args.text(terminal)?;
    let rules = intent.provider.rules();
    let (client, verified) = verify(&text, &intent, rules, terminal.voice()).await?;
    let key = verified.key.as_ref();
    if key.is_none() && verified.tells_key {
        return Err(stranger("it says that no key was sent").into());
    }
    let profile = Profile {
        name: intent.profile,
        provider: intent.provider,
        api_url: intent.api_url,
        storage,
        key_prefix: None,
        expires_at: None,
    };
    let profile = match key {
        Some(key) => profile.knowing(key),
        None => Profile { key_prefix: Some(rules.shape.shown_prefix(&text).to_owned()), ..profile },
    };
    let origin = Origin {
        profile: Some(profile.name.clone()),
        provider: rules.name,
        host: client.host(),
        api_url: Some(profile.api_url.clone()),
        source: storage.as_str(),
        place: store.place(),
    };
    introduce(&verified, &origin, terminal);
    if let Some(key) = key {
        warn_of_limits(key, &profile, rules, terminal);
    }
    let became_default = keep(&parse(&text)?, &profile, &store, &directory, environment, terminal)?;
    let default = if became_default { ", now the default" } else { "" };
    terminal.say(&format!(
        "Logged in with the profile {}{default}; the key is in {}",
        quoted(&profile.name),
        store.place()
    ));
    warn_of_place(&profile, &store, environment, terminal);
    if !output.is_for_people() {
        output.object(terminal, whoami::json(&origin, &verified, system::now()), |_| Ok(()))?;
    }
    Ok(terminal.flush()?)
}

impl Args {
    /// Refuses, before anything else is done, where there is no key and nobody to give one.
    fn or_somebody_to_ask(&self, terminal: &Terminal) -> Result<(), Failure> {
        if self.key_stdin || self.key_file.is_some() || terminal.can_ask() {
            return Ok(());
        }
        Err(Failure::new(Exit::Unconfirmed, "nobody_to_ask", "a login needs a key, and there is nobody to ask for it")
            .hint("pipe it in: keys login --key-stdin < FILE; or set KEYS_API_KEY, which needs no login"))
    }

    fn text(&self, terminal: &mut Terminal) -> anyhow::Result<Zeroizing<String>> {
        let text = match (&self.key_file, self.key_stdin) {
            (Some(path), _) => read_file(path)?,
            (None, from_standard_input) => {
                let asked = if from_standard_input {
                    terminal.read_secret("Key: ")
                } else {
                    terminal.ask_secret("Key (not shown): ")
                };
                asked.map_err(|error| match error.kind() {
                    ErrorKind::Interrupted => Failure::new(Exit::Interrupted, "interrupted", "interrupted"),
                    _ => Failure::new(Exit::Usage, "no_key_given", format!("could not read a key: {error}")),
                })?
            }
        };
        parse(&text)?;
        Ok(text)
    }
}

fn read_file(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let Some(mut content) = files::read_private(path, LARGEST_FILE)? else {
        let message = format!("there is no file {}", quoted(&path.display().to_string()));
        return Err(Failure::new(Exit::Usage, "no_key_given", message).into());
    };
    String::from_utf8(std::mem::take(&mut *content)).map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        Failure::new(Exit::Usage, "not_a_key", "what is in the file is not text").into()
    })
}

fn parse(text: &Zeroizing<String>) -> Result<PlainKey, Failure> {
    let problem = |error| Failure::new(Exit::Usage, "not_a_key", format!("this is not a key: {error}"));
    PlainKey::parse(text).map_err(problem)
}

/// Asks the service whose key this is. What it says must fit the key: an answer of something else is no reason to store.
async fn verify(
    text: &Zeroizing<String>,
    intent: &Intent,
    rules: &Rules,
    voice: Voice,
) -> anyhow::Result<(Client, Whoami)> {
    let credential = Credential::given(parse(text)?, rules.shape.shown);
    let client =
        Client::at(intent.provider, &intent.api_url, credential, (intent.terms.clone(), voice), String::new())?;
    let whoami = client.whoami().await;
    let whoami =
        whoami.with_context(|| format!("could not verify the key with {}; nothing was stored", client.host()))?;
    let fits = whoami.key.as_ref().is_none_or(|key| !key.prefix.is_empty() && text.starts_with(&key.prefix));
    if !fits {
        return Err(stranger("it describes another key").into());
    }
    Ok((client, whoami))
}

fn stranger(what: &str) -> Failure {
    let message = format!("the answer is not what a key service sends: {what}; nothing was stored");
    Failure::new(Exit::Unreachable, "answer_unreadable", message).hint("check the address of the service")
}

/// Says who this is, what they may do and when it ends, before anything is stored.
fn introduce(verified: &Whoami, origin: &Origin, terminal: &mut Terminal) {
    let plan = verified.plan.as_ref().map(|plan| format!(" ({plan} plan)")).unwrap_or_default();
    let which = verified.key.as_ref().map(|key| format!(" {} ({})", quoted(&key.name), key.prefix));
    terminal.say(&format!("The key{} is valid on {}", which.unwrap_or_default(), origin.host));
    terminal.say(&format!("  workspace    {}{plan}", verified.workspace));
    let Some(key) = &verified.key else { return };
    let permissions: Vec<&str> = key.permissions.iter().map(Permission::as_str).collect();
    let permissions = if permissions.is_empty() { "none".to_owned() } else { permissions.join(" ") };
    terminal.say(&format!("  permissions  {permissions}"));
    terminal.say(&format!("  expires      {}", key::end(key, system::now())));
}

fn warn_of_limits(key: &Key, profile: &Profile, rules: &Rules, terminal: &mut Terminal) {
    let holds = |permission| rules.permissions.covers(&key.permissions, permission);
    if let Management::Permission(admin) = rules.management
        && !holds(admin)
    {
        let rest = match rules.reading_permission {
            Some(reading) if !holds(reading) => format!("without `{reading}` it cannot list them either"),
            _ => "it can only list and show keys".to_owned(),
        };
        terminal.warn(&format!("this key lacks `{admin}`: it cannot create, change or revoke keys; {rest}"));
    }
    if let Some(warning) = profile.expiry_warning(system::now()) {
        terminal.warn(&warning);
    }
}

fn warn_of_place(profile: &Profile, store: &CredentialStore, environment: &Environment, terminal: &mut Terminal) {
    if profile.storage == Storage::File {
        terminal.warn(&format!("the key is in {}: whoever can read this file can use it", store.place()));
    }
    if let Some(variable) = environment.key_variable(profile.provider) {
        terminal.warn(&format!(
            "{variable} is set and comes first: commands use that key, not this one, until it is unset"
        ));
    }
}

/// Stores key and profile, or neither. Says whether the profile became the default.
fn keep(
    plain: &PlainKey,
    profile: &Profile,
    store: &CredentialStore,
    directory: &Path,
    environment: &Environment,
    terminal: &mut Terminal,
) -> anyhow::Result<bool> {
    let mut edit = Edit::start(directory)?;
    // Where the profile cannot be read it is replaced, and what it named is not known.
    let earlier = edit.profiles().get(&profile.name).unwrap_or_default();
    let becomes_default = edit.profiles().default().is_none();
    edit.put(profile);
    if becomes_default {
        edit.set_default(&profile.name);
    }
    let before = match patiently(environment, terminal, |patience| store.get(patience)) {
        Err(CredentialError::NotAKey(_)) => None,
        other => other?,
    };
    let stored = patiently(environment, terminal, |patience| store.set(plain, patience))
        .context("could not store the key")
        .and_then(|()| edit.commit().context("could not write the config file"));
    if let Err(error) = stored {
        let undone = match before {
            Some(before) => store.set(&before, Patience::Brief),
            None => store.delete(Patience::Brief).map(drop),
        };
        if let Err(problem) = undone {
            terminal.warn(&format!("look whether something of it is left in {}: {problem}", store.place()));
        }
        return Err(error);
    }
    if let Some(earlier) = earlier.filter(|earlier| earlier.storage != profile.storage) {
        let left = earlier.store(directory);
        if let Err(problem) = left.delete(Patience::Brief) {
            terminal.warn(&format!("the earlier key is still in {}: {problem}", left.place()));
        }
    }
    Ok(becomes_default)
}
