//! What was meant: flag over environment over default. The only reader of the environment, and read once.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use directories::ProjectDirs;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::exit::{Exit, Explain};
use crate::model::secret::{NotAKey, PlainKey};
use crate::providers::Provider;
use crate::sink::Circumstances;
use crate::terminal::Surroundings;

/// The name of the built-in profile.
pub(crate) const LOCAL: &str = "local";

/// How long one request may take where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(30);

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
    api_url: Option<String>,
    data_directory: Option<PathBuf>,
    pub(crate) database: Option<String>,
    pub(crate) no_input: bool,
    no_color: bool,
    ci: bool,
    dumb: bool,
    columns: Option<u16>,
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
            api_url: text("KEYS_API_URL"),
            data_directory: path("KEYS_DATA_DIR"),
            database: text("KEYS_DATABASE_URL"),
            no_input: text("KEYS_NO_INPUT").is_some(),
            no_color: text("NO_COLOR").is_some(),
            ci: text("CI").is_some_and(|value| value != "false"),
            dumb: text("TERM").is_some_and(|value| value == "dumb"),
            columns: text("COLUMNS").and_then(|value| value.parse().ok()),
            circumstances: Circumstances {
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
        Surroundings { no_color: self.no_color, dumb: self.dumb, ci: self.ci, columns: self.columns }
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
}

/// What the flags say about where to go.
#[derive(Debug, Default, Clone)]
pub(crate) struct Flags {
    pub(crate) profile: Option<String>,
    pub(crate) provider: Option<Provider>,
    pub(crate) api_url: Option<String>,
    pub(crate) timeout: Option<Duration>,
}

/// Where requests go, and as whom.
pub(crate) enum Target {
    /// The service within this process.
    Local { data_directory: PathBuf },
    /// A service elsewhere.
    Remote { provider: Provider, api_url: String, api_key: PlainKey, timeout: Duration },
}

impl Target {
    /// Decides where to go. A flag outweighs any variable; the profile `local` is used only where it is asked for.
    pub(crate) fn choose(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let elsewhere = flags.provider.is_some() || flags.api_url.is_some();
        let profile = match &flags.profile {
            Some(profile) if elsewhere && profile == LOCAL => {
                return Err(ConfigError::LocalElsewhere);
            }
            Some(profile) => Some(profile.as_str()),
            None if elsewhere => None,
            None => environment.profile.as_deref(),
        };
        match profile {
            Some(LOCAL) => {
                return Ok(Self::Local { data_directory: environment.data_directory()? });
            }
            Some(unknown) => return Err(ConfigError::UnknownProfile(unknown.to_owned())),
            None => {}
        }
        let provider = match (flags.provider, environment.provider.as_deref()) {
            (Some(provider), _) => Some(provider),
            (None, Some(name)) => {
                Some(Provider::named(name).ok_or_else(|| ConfigError::UnknownProvider(name.to_owned()))?)
            }
            (None, None) => None,
        };
        let api_url = flags.api_url.as_ref().or(environment.api_url.as_ref());
        let Some(api_key) = &environment.api_key else {
            return Err(ConfigError::NoCredential);
        };
        let Some(api_url) = api_url else {
            return Err(ConfigError::NoAddress);
        };
        Ok(Self::Remote {
            provider: provider.unwrap_or(Provider::Native),
            api_url: api_url.clone(),
            api_key: PlainKey::parse(api_key).map_err(ConfigError::UnusableKey)?,
            timeout: flags.timeout.unwrap_or(TIMEOUT),
        })
    }
}

/// What is set cannot be followed.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("no profile is chosen and no credential is set")]
    NoCredential,
    #[error("KEYS_API_KEY is set, but not the address of the service")]
    NoAddress,
    #[error("KEYS_API_KEY does not hold a key: {0}")]
    UnusableKey(#[source] NotAKey),
    #[error("there is no profile `{0}`")]
    UnknownProfile(String),
    #[error("there is no provider `{0}`")]
    UnknownProvider(String),
    #[error("the profile `local` runs in this process: it takes neither --provider nor --api-url")]
    LocalElsewhere,
    #[error("no home directory is known, so there is no place for the data of the profile `local`")]
    NoHome,
}

impl Explain for ConfigError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoCredential | Self::UnusableKey(_) => Exit::Unauthenticated,
            Self::NoAddress
            | Self::UnknownProfile(_)
            | Self::UnknownProvider(_)
            | Self::LocalElsewhere
            | Self::NoHome => Exit::Usage,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoCredential => "no_credential",
            Self::NoAddress => "no_api_url",
            Self::UnusableKey(_) => "unusable_key",
            Self::UnknownProfile(_) => "unknown_profile",
            Self::UnknownProvider(_) => "unknown_provider",
            Self::LocalElsewhere => "conflicting_options",
            Self::NoHome => "no_home_directory",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NoCredential => {
                    "use the service built into this program with -p local, or set KEYS_API_URL and KEYS_API_KEY for one elsewhere"
                }
                Self::NoAddress => "set KEYS_API_URL, or give --api-url",
                Self::UnusableKey(_) => "set it to the whole key, as it was shown when it was made",
                Self::UnknownProfile(_) => "the profile built into this program is `local`: keys -p local …",
                Self::UnknownProvider(_) => "set KEYS_PROVIDER to native",
                Self::LocalElsewhere => "leave out one or the other",
                Self::NoHome => "set KEYS_DATA_DIR to a directory of yours",
            }
            .to_owned(),
        )
    }
}
