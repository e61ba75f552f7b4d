//! What was meant: flag over environment over profile over default.

mod environment;
mod error;

pub(crate) use self::environment::Environment;
pub(crate) use self::error::ConfigError;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::credential::CredentialStore;
use crate::http::{Detail, Terms, Trust};
use crate::known::Place;
use crate::model::secret::PlainKey;
use crate::profiles::{self, LOCAL, Profile, Profiles};
use crate::providers::Provider;

/// What the flags say about where to go.
#[derive(Debug, Default, Clone)]
pub(crate) struct Flags {
    pub(crate) profile: Option<String>,
    pub(crate) provider: Option<Provider>,
    pub(crate) api_url: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) ca_cert: Option<PathBuf>,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
}

impl Flags {
    /// How requests travel: a flag outweighs a variable, a variable the system.
    fn terms(&self, environment: &Environment) -> Terms {
        let usual = Terms::default();
        let named = self.ca_cert.as_ref().map(|file| (file, "--ca-cert"));
        let named = named.or_else(|| environment.certificates.as_ref().map(|file| (file, "SSL_CERT_FILE")));
        Terms {
            timeout: self.timeout.unwrap_or(usual.timeout),
            max_wait: self.max_wait.unwrap_or(usual.max_wait),
            trust: named.map_or(Trust::System, |(file, by)| Trust::Only { file: file.clone(), by }),
            detail: Detail::of(self.verbose),
        }
    }
}

/// Where requests go, and as whom.
pub(crate) enum Target {
    /// The service within this process.
    Local { data_directory: PathBuf, detail: Detail },
    /// A service elsewhere.
    Remote(Box<Remote>),
}

/// A service elsewhere.
pub(crate) struct Remote {
    pub(crate) provider: Provider,
    pub(crate) api_url: String,
    pub(crate) terms: Terms,
    pub(crate) source: Source,
    /// The profile that something of this was taken from.
    pub(crate) profile: Option<Profile>,
}

/// Where the credential comes from.
pub(crate) enum Source {
    /// A variable.
    Environment { key: PlainKey, variable: &'static str },
    /// The store of the profile, not read yet.
    Store(CredentialStore),
}

impl Target {
    /// Decides where to go. A flag outweighs a variable, a variable the profile; the profile `local` is used only where
    /// it is asked for. No credential is read here but the one in the environment.
    pub(crate) fn choose(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let chosen = Chosen::of(flags, environment)?;
        let profile = match chosen {
            Chosen::Local => {
                let data_directory = environment.data_directory()?;
                return Ok(Self::Local { data_directory, detail: Detail::of(flags.verbose) });
            }
            Chosen::Profile(profile) => Some(profile),
            Chosen::Nothing => None,
        };
        let wanted = wanted_provider(flags, environment)?;
        let stored = profile.as_ref();
        let provider = wanted.or(stored.map(|profile| profile.provider)).unwrap_or(Provider::Native);
        let api_url = flags.api_url.as_ref().or(environment.api_url.as_ref());
        let source = match (environment.api_key(provider)?, stored) {
            (Some((key, variable)), _) => Source::Environment { key, variable },
            (None, Some(profile)) => {
                refuse_elsewhere(profile, wanted, api_url)?;
                Source::Store(profile.store(&environment.config_directory()?))
            }
            (None, None) => return Err(ConfigError::NoCredential { variable: provider.rules().variable }),
        };
        let api_url = api_url.map(String::as_str).or(stored.map(|profile| profile.api_url.as_str()));
        let api_url = api_url.or(provider.rules().address).ok_or(ConfigError::NoAddress)?.to_owned();
        let terms = flags.terms(environment);
        Ok(Self::Remote(Box::new(Remote { provider, api_url, terms, source, profile })))
    }
}

impl Target {
    /// What the keys that are seen there are remembered under.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Local { data_directory, .. } => {
                let service = format!("{}", data_directory.display());
                Place { profile: Some(LOCAL.to_owned()), service, caller: None }
            }
            Self::Remote(remote) => {
                let Remote { provider, api_url, source, profile, .. } = &**remote;
                let service = format!("{} {api_url}", provider.rules().name);
                match source {
                    Source::Store(_) => {
                        let profile = profile.as_ref().map(|profile| profile.name.clone());
                        Place { profile, service, caller: None }
                    }
                    Source::Environment { key, .. } => Place { profile: None, service, caller: Some(key.hashed()) },
                }
            }
        }
    }
}

/// The profile that is meant.
enum Chosen {
    Local,
    Profile(Profile),
    Nothing,
}

impl Chosen {
    fn of(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let elsewhere = flags.provider.is_some() || flags.api_url.is_some();
        if elsewhere && flags.profile.as_deref() == Some(LOCAL) {
            return Err(ConfigError::LocalElsewhere);
        }
        let by_environment = environment.profile().filter(|name| !(elsewhere && *name == LOCAL));
        let named = flags.profile.as_deref().or(by_environment);
        if named == Some(LOCAL) {
            return Ok(Self::Local);
        }
        let provider = wanted_provider(flags, environment)?;
        let usual_address = provider.and_then(|provider| provider.rules().address);
        let has_address = flags.api_url.is_some() || environment.api_url.is_some() || usual_address.is_some();
        let has_api_key = environment.key_variable(provider.unwrap_or(Provider::Native)).is_some();
        if named.is_none() && has_address && has_api_key {
            // A CI job needs no file, and one that happens to be there has no say.
            return Ok(Self::Nothing);
        }
        let profiles = match environment.config_directory() {
            Ok(directory) => Profiles::read(&directory)?,
            Err(_) if named.is_none() => return Ok(Self::Nothing),
            Err(error) => return Err(error),
        };
        match named.or(profiles.default()) {
            None if profiles.names().is_empty() || has_api_key => Ok(Self::Nothing),
            None => Err(ConfigError::NoDefault { known: profiles.names() }),
            // The profile `local` is the default, and something else is asked for.
            Some(LOCAL) if elsewhere || environment.api_url.is_some() || provider.is_some() => Ok(Self::Nothing),
            Some(LOCAL) => Ok(Self::Local),
            Some(name) => existing(&profiles, name).map(Self::Profile),
        }
    }
}

/// The provider that is asked for, whatever the profile says.
fn wanted_provider(flags: &Flags, environment: &Environment) -> Result<Option<Provider>, ConfigError> {
    match flags.provider {
        Some(provider) => Ok(Some(provider)),
        None => environment.provider(),
    }
}

/// The provider that commands speak to, as far as that can be told without a credential.
pub(crate) fn provider(flags: &Flags, environment: &Environment) -> Result<Provider, ConfigError> {
    if let Some(provider) = wanted_provider(flags, environment)? {
        return Ok(provider);
    }
    match Chosen::of(flags, environment) {
        Ok(Chosen::Profile(profile)) => Ok(profile.provider),
        Ok(Chosen::Local | Chosen::Nothing) | Err(ConfigError::NoDefault { .. }) => Ok(Provider::Native),
        Err(error) => Err(error),
    }
}

/// A profile that must be there.
pub(crate) fn existing(profiles: &Profiles, name: &str) -> Result<Profile, ConfigError> {
    let unknown = || ConfigError::UnknownProfile { name: name.to_owned(), known: profiles.names() };
    profiles.get(name)?.ok_or_else(unknown)
}

/// A credential is for the service it was stored for: a flag or a variable must not send it to another one.
fn refuse_elsewhere(
    profile: &Profile,
    provider: Option<Provider>,
    api_url: Option<&String>,
) -> Result<(), ConfigError> {
    let same = |one: &str, other: &str| one.trim_end_matches('/') == other.trim_end_matches('/');
    let elsewhere = api_url.filter(|url| !same(url, &profile.api_url)).map(String::as_str);
    let otherwise = provider.filter(|provider| *provider != profile.provider).map(|provider| provider.rules().name);
    match elsewhere.or(otherwise) {
        None => Ok(()),
        Some(service) => Err(ConfigError::ForAnother {
            profile: profile.name.clone(),
            own: profile.api_url.clone(),
            service: service.to_owned(),
        }),
    }
}

/// What a login is for: whatever of it is not said now is as it was.
pub(crate) struct Intent {
    pub(crate) profile: String,
    pub(crate) provider: Provider,
    pub(crate) api_url: String,
    pub(crate) terms: Terms,
}

impl Intent {
    pub(crate) fn of(flags: &Flags, environment: &Environment, directory: &Path) -> Result<Self, ConfigError> {
        let profile = flags.profile.as_deref().or(environment.profile()).unwrap_or(profiles::USUAL);
        profiles::check_name(profile)?;
        let earlier = Profiles::read(directory)?.get(profile)?;
        let wanted = wanted_provider(flags, environment)?;
        let earlier_provider = earlier.as_ref().map(|profile| profile.provider);
        let provider = wanted.or(earlier_provider).unwrap_or(Provider::Native);
        // The address of another provider's service is not this one's.
        let earlier = earlier.filter(|profile| profile.provider == provider);
        let api_url = flags.api_url.as_deref().or(environment.api_url.as_deref());
        let api_url = api_url.or(earlier.as_ref().map(|profile| profile.api_url.as_str()));
        let api_url = api_url.or(provider.rules().address).ok_or(ConfigError::NoLoginAddress)?.to_owned();
        Ok(Self { profile: profile.to_owned(), provider, api_url, terms: flags.terms(environment) })
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::credential::Storage;
    use crate::exit::Explain as _;
    use crate::files::scratch::Scratch;

    const PROFILES: &str = "default = \"work\"\n\
        [profiles.work]\napi_url = \"https://work.example.com\"\n\
        [profiles.lab]\napi_url = \"https://lab.example.com/\"\nstorage = \"file\"\n";

    fn environment(scratch: &Scratch) -> Environment {
        Environment::of_test(scratch.path(""), scratch.path("data"))
    }

    fn key() -> Zeroizing<String> {
        Zeroizing::new("wbk_secret".to_owned())
    }

    fn flags(profile: Option<&str>, api_url: Option<&str>) -> Flags {
        Flags { profile: profile.map(str::to_owned), api_url: api_url.map(str::to_owned), ..Flags::default() }
    }

    /// The profile, the address and where the credential is; or why not.
    fn chosen(flags: &Flags, environment: &Environment) -> String {
        match Target::choose(flags, environment) {
            Ok(Target::Local { .. }) => "local".to_owned(),
            Ok(Target::Remote(remote)) => {
                let source = match &remote.source {
                    Source::Environment { .. } => "environment",
                    Source::Store(store) => store.storage().as_str(),
                };
                format!("{} {} {source}", remote.profile.map_or("-".to_owned(), |profile| profile.name), remote.api_url)
            }
            Err(error) => error.code().to_owned(),
        }
    }

    #[test]
    fn flag_then_environment_then_profile_then_default() {
        let scratch = Scratch::new();
        scratch.file("config.toml", PROFILES);
        let mut environment = environment(&scratch);
        assert_eq!(chosen(&flags(None, None), &environment), "work https://work.example.com keyring");
        assert_eq!(chosen(&flags(Some("lab"), None), &environment), "lab https://lab.example.com/ file");
        environment.profile = Some("lab".to_owned());
        assert_eq!(chosen(&flags(None, None), &environment), "lab https://lab.example.com/ file");
        assert_eq!(chosen(&flags(Some("work"), None), &environment), "work https://work.example.com keyring");
        assert_eq!(chosen(&flags(Some("absent"), None), &environment), "unknown_profile");
        environment.api_key = Some(key());
        assert_eq!(chosen(&flags(None, None), &environment), "lab https://lab.example.com/ environment");
        environment.api_url = Some("https://ci.example.com".to_owned());
        assert_eq!(chosen(&flags(None, None), &environment), "lab https://ci.example.com environment");
        environment.profile = None;
        assert_eq!(chosen(&flags(None, None), &environment), "- https://ci.example.com environment");
        assert_eq!(chosen(&flags(None, Some("https://a")), &environment), "- https://a environment");
    }

    #[test]
    fn a_stored_credential_goes_to_its_own_service_alone() {
        let scratch = Scratch::new();
        scratch.file("config.toml", PROFILES);
        let mut environment = environment(&scratch);
        assert_eq!(
            chosen(&flags(Some("work"), Some("https://evil.example.com")), &environment),
            "credential_for_another"
        );
        assert_eq!(chosen(&flags(None, Some("https://evil.example.com")), &environment), "credential_for_another");
        let slash = "https://work.example.com/";
        assert_eq!(chosen(&flags(None, Some(slash)), &environment), format!("work {slash} keyring"));
        environment.api_url = Some("https://evil.example.com".to_owned());
        assert_eq!(chosen(&flags(None, None), &environment), "credential_for_another");
    }

    #[test]
    fn local_is_used_only_where_it_is_asked_for() {
        let scratch = Scratch::new();
        let mut environment = environment(&scratch);
        assert_eq!(chosen(&flags(None, None), &environment), "no_credential");
        assert_eq!(chosen(&flags(Some("local"), None), &environment), "local");
        assert_eq!(chosen(&flags(Some("local"), Some("https://a")), &environment), "conflicting_options");
        environment.profile = Some("local".to_owned());
        assert_eq!(chosen(&flags(None, None), &environment), "local");
        assert_eq!(chosen(&flags(None, Some("https://a")), &environment), "no_credential");
        environment.profile = None;
        scratch.file("config.toml", PROFILES.strip_prefix("default = \"work\"\n").unwrap());
        assert!(
            Target::choose(&Flags::default(), &environment).err().unwrap().hint().unwrap().contains("`work` and `lab`")
        );
        scratch.file("config.toml", "default = \"local\"");
        assert_eq!(chosen(&flags(None, None), &environment), "local");
        // A variable outweighs the default: a job whose secret is empty must not make a key that no service knows.
        environment.api_url = Some("https://ci.example.com".to_owned());
        assert_eq!(chosen(&flags(None, None), &environment), "no_credential");
        (environment.api_url, environment.provider) = (None, Some("leadlex".to_owned()));
        assert_eq!(chosen(&flags(None, None), &environment), "no_credential");
        environment.provider = None;
        scratch.file("config.toml", "[profiles.local]\napi_url = \"https://evil.example.com\"");
        assert_eq!(chosen(&flags(Some("local"), None), &environment), "local");
    }

    #[test]
    fn a_file_that_cannot_be_read_stands_in_the_way_of_nobody_who_needs_none() {
        let scratch = Scratch::new();
        scratch.file("config.toml", "[[[");
        let mut environment = environment(&scratch);
        assert_eq!(chosen(&flags(None, None), &environment), "malformed_config");
        assert_eq!(chosen(&flags(Some("local"), None), &environment), "local");
        (environment.api_key, environment.api_url) = (Some(key()), Some("https://ci.example.com".to_owned()));
        assert_eq!(chosen(&flags(None, None), &environment), "- https://ci.example.com environment");
    }

    #[test]
    fn a_login_keeps_what_is_not_said_anew() {
        let scratch = Scratch::new();
        scratch.file("config.toml", PROFILES);
        let environment = environment(&scratch);
        let intent = |flags: &Flags| {
            Intent::of(flags, &environment, &scratch.path(""))
                .map_or_else(|error| error.code().to_owned(), |intent| format!("{} {}", intent.profile, intent.api_url))
        };
        assert_eq!(intent(&flags(Some("work"), None)), "work https://work.example.com");
        assert_eq!(intent(&flags(Some("work"), Some("https://b"))), "work https://b");
        assert_eq!(intent(&flags(None, Some("https://b"))), "default https://b");
        assert_eq!(intent(&flags(None, None)), "no_api_url");
        assert_eq!(intent(&flags(Some("local"), None)), "built_in_profile");
        assert_eq!(intent(&flags(Some("../x"), None)), "invalid_profile_name");
        assert_eq!(Storage::named("file"), Some(Storage::File));
    }
}
