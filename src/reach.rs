//! From what was chosen to the client that goes there, and what can be said of it without a request.

use crate::config::{Remote, Source, Target};
use crate::credential::{CredentialError, CredentialStore, Patience};
use crate::http::{Credential, Detail, NoKey, Terms};
use crate::known::Known;
use crate::local;
use crate::model::key::Key;
use crate::model::secret::PlainKey;
use crate::output::whoami::Origin;
use crate::profiles::{LOCAL, Profile};
use crate::providers::client::Client;
use crate::providers::{Provider, Rules};
use crate::terminal::{Terminal, Voice};

/// A service, and the way to it.
pub(crate) struct Reached {
    pub(crate) client: Client,
    pub(crate) rules: &'static Rules,
    pub(crate) origin: Origin,
    /// The profile whose stored credential is used.
    pub(crate) stored: Option<Profile>,
    /// The shown part of the credential, where it is known without reading any.
    pub(crate) caller: Option<String>,
    /// The keys that are seen there.
    pub(crate) known: Known,
    door: Door,
}

/// The way in for another key.
enum Door {
    /// Nothing is sent.
    Closed,
    Local(Box<local::Service>),
    Network {
        provider: Provider,
        api_url: String,
        terms: Terms,
        voice: Voice,
    },
}

impl Reached {
    /// Makes the client for a target. Where nothing will be sent, the profile `local` is neither made nor opened. No stored
    /// credential is read before the first request is sent. `flags` are those that chose the service, as they were typed.
    pub(crate) async fn at(
        target: Target,
        flags: String,
        to_send: bool,
        terminal: &mut Terminal,
    ) -> anyhow::Result<Self> {
        match target {
            Target::Local { data_directory, detail } => {
                if detail > Detail::Nothing {
                    terminal.say("The profile `local` sends nothing over a network: there is no exchange to show");
                }
                let (rules, origin) = (Provider::Native.rules(), of_local());
                let (client, door) = if to_send {
                    let (client, service) = local::open(&data_directory, flags).await?;
                    (client, Door::Local(Box::new(service)))
                } else {
                    (local::unopened(flags), Door::Closed)
                };
                Ok(Self { client, rules, origin, stored: None, caller: None, known: Known::default(), door })
            }
            Target::Remote(remote) => Self::elsewhere(*remote, flags, terminal.voice()),
        }
    }

    fn elsewhere(remote: Remote, flags: String, voice: Voice) -> anyhow::Result<Self> {
        let Remote { provider, api_url, terms, source, profile } = remote;
        let rules = provider.rules();
        let caller;
        let (credential, stored, source, place) = match source {
            Source::Environment { key, variable } => {
                caller = Some(rules.shape.shown_prefix(key.expose()).to_owned());
                let credential = Credential::given(key, rules.shape.shown);
                (credential, None, "environment", format!("the variable {variable}"))
            }
            Source::Store(store) => {
                let (name, place) = (store.storage().as_str(), store.place());
                caller = profile.as_ref().and_then(|profile| profile.key_prefix.clone());
                (fetched(store, profile.as_ref()), profile.clone(), name, place)
            }
        };
        let client = Client::at(provider, &api_url, credential, (terms.clone(), voice.clone()), flags)?;
        let origin = Origin {
            profile: profile.map(|profile| profile.name),
            provider: rules.name,
            host: client.host(),
            api_url: Some(api_url.clone()),
            source,
            place,
        };
        let door = Door::Network { provider, api_url, terms, voice };
        Ok(Self { client, rules, origin, stored, caller, known: Known::default(), door })
    }

    /// A client that calls the same service with another key.
    pub(crate) fn as_key(&self, plain: &PlainKey) -> anyhow::Result<Client> {
        match &self.door {
            Door::Closed => anyhow::bail!("nothing is sent"),
            Door::Local(service) => service.as_key(plain),
            Door::Network { provider, api_url, terms, voice } => {
                let credential = Credential::given(plain.duplicate(), self.rules.shape.shown);
                Ok(Client::at(*provider, api_url, credential, (terms.clone(), voice.clone()), String::new())?)
            }
        }
    }

    /// Whether the key that asks is one with this shown part; `None` where that tells nothing.
    pub(crate) fn may_be_caller(&self, prefix: &str) -> Option<bool> {
        let tells = self.rules.shape.public > 0;
        self.caller.as_ref().filter(|_| tells).map(|caller| caller == prefix)
    }

    /// Whether a key may be the one that asks, where the service does not tell which one that is.
    pub(crate) fn may_be_own(&self, key: &Key) -> bool {
        let told = self.may_be_caller(&key.prefix);
        !self.is_local() && told.unwrap_or_else(|| self.rules.management.could_be_held_by(key))
    }

    /// Whether the service runs within this process.
    pub(crate) const fn is_local(&self) -> bool {
        !matches!(self.door, Door::Network { .. })
    }

    /// Says that the stored key ends soon, from what was remembered of it.
    pub(crate) fn warn_of_expiry(&self, terminal: &mut Terminal) {
        let now = crate::system::now();
        if let Some(warning) = self.stored.as_ref().and_then(|profile| profile.expiry_warning(now)) {
            terminal.warn(&warning);
        }
    }
}

/// The credential in a store, read when the first request is sent.
fn fetched(store: CredentialStore, profile: Option<&Profile>) -> Credential {
    let name = profile.map(|profile| profile.name.clone()).unwrap_or_default();
    let fetch = move || -> Result<PlainKey, NoKey> {
        match store.get(Patience::Brief) {
            Ok(Some(plain)) => Ok(plain),
            Ok(None) => Err(Box::new(CredentialError::Missing(name.clone()))),
            Err(error) => Err(Box::new(error)),
        }
    };
    Credential::fetched(fetch, profile.and_then(|profile| profile.key_prefix.clone()))
}

fn of_local() -> Origin {
    Origin {
        profile: Some(LOCAL.to_owned()),
        provider: Provider::Native.rules().name,
        host: LOCAL.to_owned(),
        api_url: None,
        source: "none",
        place: "none needed: the service runs within this program".to_owned(),
    }
}
