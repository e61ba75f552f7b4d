//! What was meant: flag over environment over profile over default. The only reader of the environment, and read once.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use directories::ProjectDirs;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::credential::CredentialStore;
use crate::exit::{Exit, Explain};
use crate::http::{Detail, Terms, Trust};
use crate::known::Place;
use crate::model::secret::{NotAKey, PlainKey};
use crate::profiles::{self, LOCAL, Profile, Profiles, ProfilesError};
use crate::providers::Provider;
use crate::sink::Circumstances;
use crate::terminal::Surroundings;
use crate::text;

/// What coding agents set in the commands they run, whose output they keep in a conversation. What a person sets for an
/// agent, as `CODEX_HOME`, is none of these.
const AGENTS: [&str; 13] = [
    "CLAUDECODE",
    "CURSOR_AGENT",
    "CODEX_SANDBOX",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "CODEX_THREAD_ID",
    "CODEX_CI",
    "GEMINI_CLI",
    "CLINE_ACTIVE",
    "OPENCODE",
    "QWEN_CODE",
    "AUGMENT_AGENT",
    "GOOSE_TERMINAL",
    "AI_AGENT",
];

/// What CI services set in the jobs they run, whose output they keep in a log. The general one last.
const LOGS: [&str; 12] = [
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "JENKINS_URL",
    "TF_BUILD",
    "BUILDKITE",
    "CIRCLECI",
    "TRAVIS",
    "TEAMCITY_VERSION",
    "BITBUCKET_BUILD_NUMBER",
    "CODEBUILD_BUILD_ID",
    "DRONE",
    "CI",
];

/// The variables this program knows.
pub(crate) struct Environment {
    profile: Option<String>,
    provider: Option<String>,
    api_key: Option<Zeroizing<String>>,
    /// The keys in the variables that the users of a provider have anyway.
    usual_keys: Vec<(&'static str, Zeroizing<String>)>,
    api_url: Option<String>,
    config_directory: Option<PathBuf>,
    data_directory: Option<PathBuf>,
    cache_directory: Option<PathBuf>,
    /// `SSL_CERT_FILE`
    certificates: Option<PathBuf>,
    display: bool,
    pub(crate) database: Option<String>,
    pub(crate) no_input: bool,
    no_color: bool,
    ci: bool,
    dumb: bool,
    columns: Option<u16>,
    unicode: bool,
    circumstances: Circumstances,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub(crate) fn read() -> Self {
        let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let is_on = |name: &str| text(name).is_some_and(|value| value != "false" && value != "0");
        // Agents run in CI too, and are between the command and the log then.
        let agent = AGENTS.iter().find(|variable| is_on(variable));
        let reader = agent.map(|variable| format!("a coding agent ({variable} is set)"));
        let log = LOGS.iter().find(|variable| is_on(variable)).map(|variable| format!("a CI log ({variable} is set)"));
        Self {
            profile: text("KEYS_PROFILE"),
            provider: text("KEYS_PROVIDER"),
            api_key: text("KEYS_API_KEY").map(Zeroizing::new),
            usual_keys: Provider::ALL
                .iter()
                .filter_map(|provider| provider.rules().variable)
                .filter_map(|variable| Some((variable, Zeroizing::new(text(variable)?))))
                .collect(),
            api_url: text("KEYS_API_URL"),
            config_directory: path("KEYS_CONFIG_DIR"),
            data_directory: path("KEYS_DATA_DIR"),
            cache_directory: path("KEYS_CACHE_DIR"),
            certificates: path("SSL_CERT_FILE"),
            display: cfg!(not(unix)) || text("DISPLAY").or_else(|| text("WAYLAND_DISPLAY")).is_some(),
            database: text("KEYS_DATABASE_URL"),
            no_input: is_on("KEYS_NO_INPUT"),
            no_color: text("NO_COLOR").is_some(),
            ci: is_on("CI"),
            dumb: text("TERM").is_some_and(|value| value == "dumb"),
            columns: text("COLUMNS").and_then(|value| value.parse().ok()),
            unicode: ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| text(name)).is_some_and(|locale| {
                let locale = locale.to_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            }) || cfg!(windows),
            circumstances: Circumstances {
                credentials: Provider::ALL.iter().filter_map(|provider| provider.rules().variable).collect(),
                reader: reader.or(log),
                agent: agent.is_some(),
                github_actions: is_on("GITHUB_ACTIONS"),
                github_env: path("GITHUB_ENV"),
                github_output: path("GITHUB_OUTPUT"),
                gitlab_project: path("CI_PROJECT_DIR").filter(|_| is_on("GITLAB_CI")),
                tmux: text("TMUX").is_some(),
                ssh: text("SSH_CONNECTION").is_some(),
            },
        }
    }

    /// What the terminal needs to know.
    pub(crate) const fn surroundings(&self) -> Surroundings {
        Surroundings {
            no_color: self.no_color,
            dumb: self.dumb,
            ci: self.ci,
            columns: self.columns,
            unicode: self.unicode,
        }
    }

    /// What the places for secrets need to know.
    pub(crate) const fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }

    /// Where this user's data lives; not made here.
    pub(crate) fn data_directory(&self) -> Result<PathBuf, ConfigError> {
        if let Some(directory) = &self.data_directory {
            return Ok(directory.clone());
        }
        let project = ProjectDirs::from("", "", "keys").ok_or(ConfigError::NoHome)?;
        Ok(project.data_dir().to_owned())
    }

    /// Where this user's configuration lives; not made here.
    pub(crate) fn config_directory(&self) -> Result<PathBuf, ConfigError> {
        if let Some(directory) = &self.config_directory {
            return Ok(directory.clone());
        }
        let project = ProjectDirs::from("", "", "keys").ok_or(ConfigError::NoConfigHome)?;
        Ok(project.config_dir().to_owned())
    }

    /// Where the names of keys that were seen are kept for the shell; not made here. Nowhere in CI, where nobody types.
    pub(crate) fn names_directory(&self) -> Option<PathBuf> {
        if self.ci {
            return None;
        }
        let directory = self.cache_directory.clone();
        let usual = || ProjectDirs::from("", "", "keys").map(|project| project.cache_dir().to_owned());
        Some(directory.or_else(usual)?.join("names"))
    }

    /// Whether a window can come up, such as that of a keyring that wants to be unlocked.
    pub(crate) const fn has_display(&self) -> bool {
        self.display
    }

    /// The variable that holds the key for a provider, which comes before everything that is stored.
    pub(crate) fn key_variable(&self, provider: Provider) -> Option<&'static str> {
        self.key_text(provider).map(|(variable, _)| variable)
    }

    fn key_text(&self, provider: Provider) -> Option<(&'static str, &Zeroizing<String>)> {
        let usual = || {
            let (variable, text) = self.usual_keys.iter().find(|(name, _)| provider.rules().variable == Some(*name))?;
            Some((*variable, text))
        };
        self.api_key.as_ref().map(|text| ("KEYS_API_KEY", text)).or_else(usual)
    }

    /// The profile that the environment names.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    fn api_key(&self, provider: Provider) -> Result<Option<Source>, ConfigError> {
        let Some((variable, text)) = self.key_text(provider) else { return Ok(None) };
        let key = PlainKey::parse(text).map_err(|source| ConfigError::UnusableKey { variable, source })?;
        Ok(Some(Source::Environment { key, variable }))
    }

    fn provider(&self) -> Result<Option<Provider>, ConfigError> {
        let known = |name: &String| Provider::named(name).ok_or_else(|| ConfigError::UnknownProvider(name.clone()));
        self.provider.as_ref().map(known).transpose()
    }
}

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
            (Some(source), _) => source,
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
            Some(LOCAL) if elsewhere => Ok(Self::Nothing),
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

/// What is set cannot be followed.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("nobody is logged in, no profile is chosen, and {}", unset(*variable))]
    NoCredential { variable: Option<&'static str> },
    #[error("no profile is chosen, and none is the default")]
    NoDefault { known: Vec<String> },
    #[error("KEYS_API_KEY is set, but not the address of the service")]
    NoAddress,
    #[error("the address of the service is missing")]
    NoLoginAddress,
    #[error("{variable} does not hold a key: {source}")]
    UnusableKey { variable: &'static str, source: NotAKey },
    #[error("there is no profile `{}`", text::escape(name))]
    UnknownProfile { name: String, known: Vec<String> },
    #[error("there is no provider `{}`", text::escape(.0))]
    UnknownProvider(String),
    #[error("the profile `local` runs in this process: it takes neither --provider nor --api-url")]
    LocalElsewhere,
    #[error("the credential of the profile `{profile}` is for {own}, and is not sent to `{}`", text::escape(service))]
    ForAnother { profile: String, own: String, service: String },
    #[error("no home directory is known, so there is no place for the data of the profile `local`")]
    NoHome,
    #[error("no home directory is known, so there is no place for profiles")]
    NoConfigHome,
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
}

fn unset(variable: Option<&str>) -> String {
    match variable {
        Some(usual) => format!("neither KEYS_API_KEY nor {usual} is set"),
        None => "KEYS_API_KEY is not set".to_owned(),
    }
}

impl Explain for ConfigError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoCredential { .. } | Self::NoDefault { .. } | Self::UnusableKey { .. } | Self::ForAnother { .. } => {
                Exit::Unauthenticated
            }
            Self::NoAddress
            | Self::NoLoginAddress
            | Self::UnknownProfile { .. }
            | Self::UnknownProvider(_)
            | Self::LocalElsewhere
            | Self::NoHome
            | Self::NoConfigHome => Exit::Usage,
            Self::Profiles(error) => error.exit(),
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::NoCredential { .. } | Self::NoDefault { .. } => "no_credential",
            Self::NoAddress | Self::NoLoginAddress => "no_api_url",
            Self::UnusableKey { .. } => "unusable_key",
            Self::UnknownProfile { .. } => "unknown_profile",
            Self::UnknownProvider(_) => "unknown_provider",
            Self::LocalElsewhere => "conflicting_options",
            Self::ForAnother { .. } => "credential_for_another",
            Self::NoHome | Self::NoConfigHome => "no_home_directory",
            Self::Profiles(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoCredential { .. } => {
                "log in to a service with: keys login --api-url URL; or use the one built into this program: keys -p local …"
            }
            Self::NoDefault { known } => {
                let known = text::list_of(known.iter().map(|name| text::escape(name)));
                return Some(format!("choose one for good with: keys profile use NAME; or now with -p NAME: {known}"));
            }
            Self::NoAddress => "set KEYS_API_URL, or give --api-url",
            Self::NoLoginAddress => "say where to log in: keys login --api-url https://keys.example.com",
            Self::UnusableKey { .. } => "set it to the whole key, as it was shown when it was made",
            Self::UnknownProfile { known, .. } => {
                let known = text::list_of(known.iter().map(String::as_str).chain([LOCAL]).map(text::escape));
                return Some(format!("there is {known}; make another one with: keys login -p NAME --api-url URL"));
            }
            Self::UnknownProvider(_) => "set KEYS_PROVIDER to native, leadlex, nexus or contactlevel",
            Self::LocalElsewhere => "leave out one or the other",
            Self::ForAnother { .. } => {
                "leave out --api-url and KEYS_API_URL, or make a profile for that service with: keys login -p NAME --api-url URL"
            }
            Self::NoHome => "set KEYS_DATA_DIR to a directory of yours",
            Self::NoConfigHome => "set KEYS_CONFIG_DIR to a directory of yours",
            Self::Profiles(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }

    fn is_retryable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Storage;
    use crate::files::scratch::Scratch;

    const PROFILES: &str = "default = \"work\"\n\
        [profiles.work]\napi_url = \"https://work.example.com\"\n\
        [profiles.lab]\napi_url = \"https://lab.example.com/\"\nstorage = \"file\"\n";

    fn environment(scratch: &Scratch) -> Environment {
        Environment {
            profile: None,
            provider: None,
            api_key: None,
            usual_keys: Vec::new(),
            api_url: None,
            circumstances: Circumstances::default(),
            config_directory: Some(scratch.path("")),
            data_directory: Some(scratch.path("data")),
            cache_directory: None,
            certificates: None,
            display: false,
            database: None,
            no_input: false,
            no_color: false,
            ci: false,
            dumb: false,
            columns: None,
            unicode: false,
        }
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
